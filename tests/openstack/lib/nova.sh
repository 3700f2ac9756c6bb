# Nova (compute): API, conductor, scheduler, and hosts whose virt driver only pretends.
# shellcheck shell=bash

configure_nova() {
    mkdir -p "$ETC/nova" "$STATE/nova"
    # A restarted fake driver has forgotten its guests: sync_power_state_interval keeps it from "correcting" the
    # database by that.
    cat >"$ETC/nova/nova.conf" <<E
[DEFAULT]
$(common_options)
my_ip = 127.0.0.1
host = control
state_path = $STATE/nova
enabled_apis = osapi_compute
osapi_compute_listen = 127.0.0.1
osapi_compute_listen_port = 8774
osapi_compute_workers = $WORKERS
compute_driver = fake.FakeDriver
default_schedule_zone = az1
allow_resize_to_same_host = true
cpu_allocation_ratio = 16.0
ram_allocation_ratio = 16.0
disk_allocation_ratio = 16.0
reserved_host_memory_mb = 0
sync_power_state_interval = -1
update_resources_interval = 60
heal_instance_info_cache_interval = 60
[wsgi]
api_paste_config = $ETC/nova/api-paste.ini
[api]
auth_strategy = keystone
max_limit = $MAX_LIMIT
$(checks_tokens nova)
[service_user]
send_service_user_token = true
$(as_service nova)
[placement]
$(as_service placement)
[neutron]
$(as_service neutron)
[glance]
api_servers = http://127.0.0.1:9292
[cinder]
os_region_name = RegionOne
catalog_info = volumev3:cinderv3:publicURL
$(as_service cinder)
[conductor]
workers = 1
[scheduler]
workers = 1
[vnc]
enabled = false
[quota]
instances = 10
$(strict_policy)
[oslo_concurrency]
lock_path = $STATE/nova/lock
E
    # Apart from nova.conf, for nova-compute must not know the database.
    cat >"$ETC/nova/db.conf" <<E
[api_database]
connection = $(db_url nova_api)
$(pool)
$(database nova)
E
    paste_file nova "$DEB/nova-common/usr/share/nova-common/api-paste.ini" "$ETC/nova/api-paste.ini"
    local name
    for name in nova-conductor nova-scheduler nova-api; do
        service $name <<E
exec $PY $BIN/$name --config-file $ETC/nova/nova.conf --config-file $ETC/nova/db.conf
E
    done
    for name in $COMPUTES; do compute_host "$name" fake.FakeDriver; done
    if [ "$EXTRA" = 1 ]; then
        compute_host fake-slow mita_slow.SlowFakeDriver
        compute_host fake-broken fake.FakeBuildAbortDriver
        [ -e "$KNOBS/spawn-delay" ] || echo 5 >"$KNOBS/spawn-delay"
    fi
}

compute_host() { # HOST DRIVER
    mkdir -p "$STATE/nova/$1"
    cat >"$ETC/nova/compute-$1.conf" <<E
[DEFAULT]
host = $1
compute_driver = $2
state_path = $STATE/nova/$1
[oslo_concurrency]
lock_path = $STATE/nova/$1/lock
E
    service "nova-compute-$1" <<E
exec $PY $BIN/nova-compute --config-file $ETC/nova/nova.conf --config-file $ETC/nova/compute-$1.conf
E
    COMPUTE_SERVICES+=("nova-compute-$1")
}
COMPUTE_SERVICES=()

nova_manage() { $PY "$BIN/nova-manage" --config-file "$ETC/nova/nova.conf" --config-file "$ETC/nova/db.conf" "$@"; }

schema_nova() {
    nova_manage api_db sync
    nova_manage cell_v2 map_cell0 --database_connection "$(db_url nova_cell0)"
    nova_manage cell_v2 list_cells | grep ' cell1 ' >/dev/null || nova_manage cell_v2 create_cell --name cell1
    nova_manage db sync
}
