# Where everything lies and what can be chosen; sourced by up, down, ctl and status.
# shellcheck shell=bash disable=SC2034  # the variables are used by the files that source this one

MITA_OPENSTACK_DIR=${MITA_OPENSTACK_DIR:-/var/tmp/mita-openstack}
# What the last `up` was started with holds for ctl, status and down, too.
OPTIONS=$MITA_OPENSTACK_DIR/options
if [ "${READ_OPTIONS:-1}" = 1 ] && [ -r "$OPTIONS" ]; then
    # shellcheck source=/dev/null
    . "$OPTIONS"
fi
COMPUTES=${MITA_OPENSTACK_COMPUTES:-fake1 fake2 fake3}
EXTRA=${MITA_OPENSTACK_EXTRA:-1}
CINDER=${MITA_OPENSTACK_CINDER:-1}
WORKERS=${MITA_OPENSTACK_WORKERS:-2}
TOKEN_TTL=${MITA_OPENSTACK_TOKEN_TTL:-3600}
MAX_LIMIT=${MITA_OPENSTACK_MAX_LIMIT:-1000}

ETC=$MITA_OPENSTACK_DIR/etc RUN=$MITA_OPENSTACK_DIR/run LOG=$MITA_OPENSTACK_DIR/log
STATE=$MITA_OPENSTACK_DIR/state SVC=$MITA_OPENSTACK_DIR/svc BIN=$MITA_OPENSTACK_DIR/bin
LIB=$MITA_OPENSTACK_DIR/lib DEB=$MITA_OPENSTACK_DIR/deb KNOBS=$MITA_OPENSTACK_DIR/knobs

DB_PORT=13306 MQ_PORT=13672 MQ_DIST_PORT=13673 EPMD_PORT=13369 CACHE_PORT=13211
DB_USER=mita DB_PASS=db-pass SERVICE_PASS=service-pass ADMIN_PASS=admin-pass
MQ_URL=rabbit://guest:guest@127.0.0.1:$MQ_PORT/
KEYSTONE_URL=http://127.0.0.1:5000
PY=/usr/bin/python3

# The caller's Python and proxy must not reach the services.
unset PYTHONHOME PYTHONPATH VIRTUAL_ENV http_proxy https_proxy HTTP_PROXY HTTPS_PROXY all_proxy ALL_PROXY
export no_proxy='*' NO_PROXY='*' LANG=C.UTF-8 LC_ALL=C.UTF-8
export PATH=/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin
export MITA_OPENSTACK_DIR COMPUTES EXTRA CINDER ADMIN_PASS SERVICE_PASS
