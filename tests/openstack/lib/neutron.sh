# Neutron (networks), with a mechanism driver of our own that binds every port at once: there is no agent.
# shellcheck shell=bash

configure_neutron() {
    mkdir -p "$ETC/neutron" "$STATE/neutron"
    cat >"$ETC/neutron/neutron.conf" <<E
[DEFAULT]
$(common_options)
bind_host = 127.0.0.1
bind_port = 9696
api_workers = $WORKERS
rpc_workers = 1
rpc_state_report_workers = 0
core_plugin = ml2
service_plugins = router
state_path = $STATE/neutron
api_paste_config = $ETC/neutron/api-paste.ini
dhcp_agent_notification = false
notify_nova_on_port_status_changes = true
notify_nova_on_port_data_changes = true
send_events_interval = 1
[nova]
$(as_service nova)
[placement]
$(as_service placement)
$(database neutron)
$(checks_tokens neutron)
$(strict_policy)
[oslo_concurrency]
lock_path = $STATE/neutron/lock
E
    cat >"$ETC/neutron/ml2_conf.ini" <<E
[ml2]
type_drivers = flat,vlan,vxlan,local
tenant_network_types = vxlan
mechanism_drivers = mita
extension_drivers = port_security
[ml2_type_flat]
flat_networks = *
[ml2_type_vxlan]
vni_ranges = 1:10000
[securitygroup]
enable_security_group = true
E
    paste_file neutron "$DEB/neutron-common/usr/share/neutron-common/api-paste.ini" "$ETC/neutron/api-paste.ini"
    service neutron-server <<E
exec $PY $BIN/neutron-server --config-file $ETC/neutron/neutron.conf --config-file $ETC/neutron/ml2_conf.ini
E
}

schema_neutron() {
    $PY "$BIN/neutron-db-manage" --config-file "$ETC/neutron/neutron.conf" \
        --config-file "$ETC/neutron/ml2_conf.ini" upgrade head
}
