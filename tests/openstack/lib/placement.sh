# Placement (what a host has left), under uwsgi.
# shellcheck shell=bash

configure_placement() {
    mkdir -p "$ETC/placement"
    cat >"$ETC/placement/placement.conf" <<E
[DEFAULT]
use_stderr = true
debug = false
[api]
auth_strategy = keystone
$(checks_tokens placement)
[placement_database]
connection = $(db_url placement)
E
    uwsgi_service placement 8778 wsgi_placement 1 "OS_PLACEMENT_CONFIG_DIR=$ETC/placement"
}

schema_placement() {
    OS_PLACEMENT_CONFIG_DIR=$ETC/placement placement-manage --config-file "$ETC/placement/placement.conf" db sync
}
