# Glance (images), files under $STATE.
# shellcheck shell=bash

configure_glance() {
    mkdir -p "$ETC/glance" "$STATE"/glance/{images,staging}
    cat >"$ETC/glance/glance-api.conf" <<E
[DEFAULT]
$(common_options)
bind_host = 127.0.0.1
bind_port = 9292
workers = 1
node_staging_uri = file://$STATE/glance/staging
enabled_import_methods = []
show_image_direct_url = false
[glance_store]
stores = file
default_store = file
filesystem_store_datadir = $STATE/glance/images
[paste_deploy]
flavor = keystone
config_file = $ETC/glance/glance-api-paste.ini
$(database glance)
$(checks_tokens glance)
[oslo_concurrency]
lock_path = $STATE/glance/lock
E
    paste_file glance "$DEB/glance-common/usr/share/glance-common/glance-api-paste.ini" "$ETC/glance/glance-api-paste.ini"
    service glance-api <<E
exec $PY $BIN/glance-api --config-file $ETC/glance/glance-api.conf
E
}

schema_glance() { $PY "$BIN/glance-manage" --config-file "$ETC/glance/glance-api.conf" db_sync; }
