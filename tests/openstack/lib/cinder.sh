# Cinder (volumes), with a driver of our own that stores nothing.
# shellcheck shell=bash

CINDER_SERVICES=(cinder-api cinder-scheduler cinder-volume)

configure_cinder() {
    mkdir -p "$ETC/cinder" "$STATE/cinder"
    cat >"$ETC/cinder/cinder.conf" <<E
[DEFAULT]
$(common_options)
my_ip = 127.0.0.1
host = control
state_path = $STATE/cinder
osapi_volume_listen = 127.0.0.1
osapi_volume_listen_port = 8776
osapi_volume_workers = 1
api_paste_config = $ETC/cinder/api-paste.ini
resource_query_filters_file = $DEB/cinder-common/etc/cinder/resource_filters.json
rootwrap_config = $DEB/cinder-common/etc/cinder/rootwrap.conf
glance_api_servers = http://127.0.0.1:9292
enabled_backends = nothing
default_volume_type = __DEFAULT__
# cinder-volume tells cinder-scheduler of itself when both start. What is lost then is told again at once, not after two
# minutes.
periodic_interval = 5
periodic_fuzzy_delay = 0
backend_stats_polling_interval = 5
image_conversion_dir = $STATE/cinder/conversion
[nothing]
volume_driver = mita_cinder.FakeVolumeDriver
volume_backend_name = nothing
[nova]
$(as_service nova)
[service_user]
send_service_user_token = true
$(as_service cinder)
$(database cinder)
$(checks_tokens cinder)
$(strict_policy)
[oslo_concurrency]
lock_path = $STATE/cinder/lock
[coordination]
backend_url = file://$STATE/cinder/coordination
E
    paste_file cinder "$DEB/cinder-common/usr/share/cinder-common/api-paste.ini" "$ETC/cinder/api-paste.ini"
    local name
    for name in "${CINDER_SERVICES[@]}"; do
        service "$name" <<E
exec $PY $BIN/$name --config-file $ETC/cinder/cinder.conf
E
    done
}

schema_cinder() { $PY "$BIN/cinder-manage" --config-file "$ETC/cinder/cinder.conf" db sync; }
