# The blocks of configuration that all services share, and Debian's paste files with the fault filter in front.
# shellcheck shell=bash

db_url() { echo "mysql+pymysql://$DB_USER:$DB_PASS@127.0.0.1:$DB_PORT/$1?charset=utf8"; }

as_service() { # USER
    cat <<E
auth_type = password
auth_url = $KEYSTONE_URL/v3
username = $1
password = $SERVICE_PASS
project_name = service
user_domain_name = Default
project_domain_name = Default
region_name = RegionOne
E
}

checks_tokens() { # USER
    cat <<E
[keystone_authtoken]
$(as_service "$1")
www_authenticate_uri = $KEYSTONE_URL
memcached_servers = 127.0.0.1:$CACHE_PORT
service_token_roles = service
service_token_roles_required = true
E
}

# Who has only the role reader may only look: the old defaults let everybody in a project do everything.
strict_policy() { printf '[oslo_policy]\nenforce_new_defaults = true\n'; }

pool() { printf 'max_pool_size = 5\nmax_overflow = 20\n'; }

database() { # NAME
    cat <<E
[database]
connection = $(db_url "$1")
$(pool)
connection_recycle_time = 600
E
}

common_options() {
    cat <<E
transport_url = $MQ_URL
auth_strategy = keystone
debug = false
use_stderr = true
log_options = false
graceful_shutdown_timeout = 3
rpc_response_timeout = 60
default_log_levels = amqp=WARN,oslo.messaging=INFO,oslo_messaging=INFO,sqlalchemy=WARN,urllib3=WARN,keystonemiddleware=WARN,stevedore=WARN,keystoneauth=WARN,taskflow=WARN,iso8601=WARN,requests=WARN
E
}

paste_file() { # SERVICE FROM TO
    sed -e 's/^keystone = /keystone = mitafault /' \
        -e '/^\[pipeline:glance-api-keystone\]/{n;s/^pipeline = /pipeline = mitafault /}' "$2" >"$3"
    grep -q mitafault "$3" || die "no pipeline found in $2"
    printf '\n[filter:mitafault]\npaste.filter_factory = mita_faults:factory\nservice = %s\n' "$1" >>"$3"
}
