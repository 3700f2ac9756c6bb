//! The request to the program: one JSON object on one line, with the keys of the configuration file.

use serde_json::{Map, Value, json};

use crate::model::{ImageRef, PortSpec, ServerSpec, SizeRef, TemplateName, Zone};
use crate::provider::CreateServer;
use crate::provider::exec::program::ExecProgram;

/// The version of the protocol.
pub(super) const VERSION: u64 = 1;

/// Makes the input of a call: the fields of every verb, and the verb's own.
pub(super) fn input(settings: &ExecProgram, verb: &str, own: Value) -> Vec<u8> {
    let mut whole = json!({
        "version": VERSION,
        "verb": verb,
        "provider": settings.provider,
        "owner": settings.owner,
    });
    if let (Value::Object(whole), Value::Object(own)) = (&mut whole, own) {
        whole.extend(own);
    }
    format!("{whole}\n").into_bytes()
}

/// A server to be made.
pub(super) fn server(server: &CreateServer<'_>) -> Value {
    json!({
        "server": {
            "name": server.name,
            "template": server.metadata.get("mita-node"),
            "zone": server.zone,
            "metadata": server.metadata,
            "user_data": server.user_data,
            "spec": spec(server.spec),
        }
    })
}

/// The templates in question, with their zones where the verb needs them.
pub(super) fn templates<'t>(wanted: impl Iterator<Item = (&'t TemplateName, &'t ServerSpec, &'t [Zone])>) -> Value {
    let each = wanted.map(|(name, wanted, zones)| json!({"name": name, "zones": zones, "spec": spec(wanted)}));
    json!({ "templates": each.collect::<Vec<Value>>() })
}

/// What a template asks for: the keys that it has, and no others.
fn spec(spec: &ServerSpec) -> Value {
    let mut keys = Map::new();
    let mut add = |key: &str, value: Value| {
        let empty = match &value {
            Value::Null => true,
            Value::String(text) => text.is_empty(),
            Value::Array(items) => items.is_empty(),
            Value::Object(entries) => entries.is_empty(),
            Value::Bool(_) | Value::Number(_) => false,
        };
        if !empty {
            keys.insert(key.to_owned(), value);
        }
    };
    let (key, image) = match &spec.image {
        ImageRef::Name(name) => ("image_name", name),
        ImageRef::Id(id) => ("image_id", id),
        ImageRef::Regex(regex) => ("image_regex", regex),
    };
    add(key, json!(image));
    add("size", size(&spec.size));
    add("keyname", json!(spec.key_pair));
    add("storage", json!(spec.storage));
    add("boot_volume", json!(spec.boot_volume));
    add("volume_type", json!(spec.volume_type));
    add("networks", json!(spec.networks));
    add("ports", spec.ports.iter().map(port).collect());
    add("floating_ip_pool", json!(spec.floating_ip_pool));
    add("security_groups", json!(spec.security_groups));
    add("config_drive", json!(spec.config_drive));
    add("scheduler_hints", json!(spec.scheduler_hints));
    add("options", json!(spec.options));
    Value::Object(keys)
}

fn size(size: &SizeRef) -> Value {
    match size {
        SizeRef::Named(name) => json!(name),
        SizeRef::Least { vcpus, ram_mb, disk_gb } => json!({"vcpus": vcpus, "ram": ram_mb, "disk": disk_gb}),
    }
}

fn port(port: &PortSpec) -> Value {
    match port {
        PortSpec::Existing(name) => json!(name),
        PortSpec::Made {
            network,
            security_groups,
            vnic_type,
            port_security,
        } => json!({"network": network, "security_groups": security_groups, "vnic_type": vnic_type,
            "port_security": port_security}),
    }
}
