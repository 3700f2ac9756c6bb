# How a service is written down: one start script per process under $SVC, in the order of starting; ctl runs them.
# Also the entry points and the small Python parts of our own that the services load.
# shellcheck shell=bash

SERVICES=()

service() { # NAME; the last lines of its start script on stdin
    {
        printf '#!/bin/bash\nexport MITA_OPENSTACK_DIR=%q PATH=%q\n' "$MITA_OPENSTACK_DIR" "$PATH"
        printf 'export LANG=C.UTF-8 LC_ALL=C.UTF-8 HOME=%q PYTHONPATH=%q PYTHONDONTWRITEBYTECODE=1 no_proxy="*"\n' \
            "$STATE" "$LIB"
        printf 'unset PYTHONHOME VIRTUAL_ENV\ncd /\n'
        cat
    } >"$SVC/$1"
    chmod 755 "$SVC/$1"
    SERVICES+=("$1")
}

uwsgi_service() { # NAME PORT MODULE PROCESSES VARIABLE=VALUE
    # uwsgi mixes up answers on kept-alive connections with --http-socket: it closes them.
    service "$1" <<E
export $5
exec uwsgi --plugin python3 --master --die-on-term --need-app --lazy-apps --enable-threads --thunder-lock --no-orphans \\
  --http-socket 127.0.0.1:$2 --buffer-size 65535 --add-header "Connection: close" --pythonpath $LIB \\
  --module $3:application --processes $4 --threads 1 --listen 100 --procname-prefix $1-
E
}

# The console scripts lie in packages that we do not install.
entry_point() { # PROGRAM MODULE [STATEMENT]
    printf '#!%s\nimport sys\nsys.argv[0] = "%s"\nfrom %s import main\n%s\nsys.exit(main())\n' \
        "$PY" "$1" "$2" "${3:-}" >"$BIN/$1"
    chmod 755 "$BIN/$1"
}

install_own_code() {
    rm -rf "$LIB"
    cp -R "$HERE/python" "$LIB"
    # stevedore finds the ML2 driver through the metadata of an installed distribution.
    local dist=$LIB/mita_openstack-1.0.dist-info
    mkdir -p "$dist"
    printf 'Metadata-Version: 2.1\nName: mita-openstack\nVersion: 1.0\n' >"$dist/METADATA"
    printf '[neutron.ml2.mechanism_drivers]\nmita = mita_ml2:AtOnceMechanismDriver\n' >"$dist/entry_points.txt"

    entry_point glance-api glance.cmd.api
    entry_point glance-manage glance.cmd.manage
    entry_point neutron-server neutron.cmd.eventlet.server
    entry_point neutron-db-manage neutron.db.migration.cli
    entry_point nova-api nova.cmd.api
    entry_point nova-conductor nova.cmd.conductor
    entry_point nova-scheduler nova.cmd.scheduler
    entry_point nova-manage nova.cmd.manage
    # nova loads virt drivers from its own package only: our folder is added to it.
    entry_point nova-compute nova.cmd.compute "import nova.virt; nova.virt.__path__.append('$LIB/nova_virt')"
    entry_point cinder-api cinder.cmd.api
    entry_point cinder-scheduler cinder.cmd.scheduler
    entry_point cinder-volume cinder.cmd.volume
    entry_point cinder-manage cinder.cmd.manage
}

# Runs a schema's set-up in the background, unless it was done before; wait_schemas collects them.
SCHEMAS=()
once() { # NAME COMMAND...
    local name=$1
    shift
    [ ! -e "$STATE/.schema-$name" ] || return 0
    (
        set -e
        "$@" >"$LOG/schema-$name.log" 2>&1
        touch "$STATE/.schema-$name"
        say "schema of $name ready"
    ) 9>&- &
    SCHEMAS+=("$!:$name")
}

wait_schemas() {
    local schema
    for schema in "${SCHEMAS[@]}"; do
        wait "${schema%%:*}" || {
            tail -n 8 "$LOG/schema-${schema#*:}.log" >&2
            die "the schema of ${schema#*:} failed, see $LOG/schema-${schema#*:}.log"
        }
    done
}
