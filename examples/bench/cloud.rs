//! What Keystone and Nova (Zed, microversion 2.1) say of a world.

use std::sync::atomic::Ordering;

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::world::{Kind, World, id_bits};

impl World {
    /// Returns a token's answer with the catalog.
    pub fn login(&self, base: &str) -> Vec<u8> {
        let services = [
            ("identity", "keystone", "/v3"),
            ("compute", "nova", "/v2.1"),
            ("image", "glance", ""),
            ("network", "neutron", ""),
            ("volumev3", "cinderv3", "/v3/100d1e084cb44933a18ec6c456f36496"),
            ("placement", "placement", ""),
        ];
        let catalog: Vec<Value> = services
            .into_iter()
            .map(|(kind, name, path)| {
                let endpoints: Vec<Value> = ["public", "internal", "admin"]
                    .into_iter()
                    .map(|interface| {
                        json!({"id": "5d8f9e3c2b1a4d6e8f70112233445566", "interface": interface,
                               "region_id": "RegionOne", "url": format!("{base}{path}"), "region": "RegionOne"})
                    })
                    .collect();
                json!({"endpoints": endpoints, "id": "0123456789abcdef0123456789abcdef", "type": kind, "name": name})
            })
            .collect();
        let domain = json!({"id": "default", "name": "Default"});
        json!({"token": {
            "methods": ["password"],
            "user": {"domain": domain, "id": "bff4479be00c47108b371d8425a65d06", "name": "ci",
                     "password_expires_at": null},
            "audit_ids": ["5xYCMld9TGW-h8CqX8Qd6Q"],
            "expires_at": (self.began + SignedDuration::from_hours(8)).strftime("%Y-%m-%dT%H:%M:%S.000000Z").to_string(),
            "issued_at": self.began.strftime("%Y-%m-%dT%H:%M:%S.000000Z").to_string(),
            "project": {"domain": domain, "id": "100d1e084cb44933a18ec6c456f36496", "name": "ci"},
            "is_domain": false,
            "roles": [{"id": "141b0cd8eb3a4bfc9a773a0e9f82855b", "name": "member"}],
            "catalog": catalog,
        }})
        .to_string()
        .into_bytes()
    }

    /// Returns what is answered to a create: another server each time.
    pub fn made(&self) -> Vec<u8> {
        let number = self.size.servers + self.made.fetch_add(1, Ordering::SeqCst);
        json!({"server": {"id": uuid(number), "OS-DCF:diskConfig": "MANUAL", "adminPass": "5iLmQsMd3aXz",
                          "security_groups": [{"name": "default"}]}})
        .to_string()
        .into_bytes()
    }

    pub fn images() -> Vec<u8> {
        json!({"images": [{"id": "b1ac72ae-6500-4b36-a105-0998670e021a", "name": "ubuntu", "status": "active",
                           "visibility": "public", "created_at": "2026-03-01T08:00:00Z", "min_disk": 0, "min_ram": 0,
                           "os_hidden": false, "size": 600_000_000}], "first": "/v2/images"})
        .to_string()
        .into_bytes()
    }

    pub fn flavors() -> Vec<u8> {
        json!({"flavors": [{"id": "1", "name": "m1.small", "vcpus": 2, "ram": 2_048, "disk": 20, "swap": "",
                            "OS-FLV-EXT-DATA:ephemeral": 0, "OS-FLV-DISABLED:disabled": false}]})
        .to_string()
        .into_bytes()
    }

    /// Returns a quota without a limit.
    pub fn limits() -> Vec<u8> {
        json!({"limits": {"rate": [], "absolute": {"maxTotalInstances": -1, "maxTotalCores": -1, "maxTotalRAMSize": -1,
                          "totalInstancesUsed": 0, "totalCoresUsed": 0, "totalRAMUsed": 0, "maxServerMeta": 128}}})
        .to_string()
        .into_bytes()
    }

    /// Returns a page of the servers, with a link when more follow.
    pub fn servers(&self, base: &str, query: &str) -> Vec<u8> {
        let value = |name: &str| {
            query
                .split('&')
                .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
        };
        let limit = value("limit")
            .and_then(|text| text.parse().ok())
            .unwrap_or(1_000)
            .min(1_000);
        let first = value("marker").and_then(number_of).map_or(0, |number| number + 1);
        let end = (first + limit).min(self.size.servers);
        let servers: Vec<String> = (first..end).map(|number| self.server(base, number)).collect();
        let link = match end {
            end if end < self.size.servers => format!(
                ", \"servers_links\": [{{\"rel\": \"next\", \
                 \"href\": \"{base}/v2.1/servers/detail?limit={limit}&marker={}\"}}]",
                uuid(end - 1)
            ),
            _ => String::new(),
        };
        format!("{{\"servers\": [{}]{link}}}", servers.join(", ")).into_bytes()
    }

    /// A server as Nova writes it at microversion 2.1.
    fn server(&self, base: &str, number: usize) -> String {
        let kind = self.kind(number);
        let (id, name) = (uuid(number), self.name(number));
        let minutes = if kind == Kind::Booting {
            2
        } else {
            60 + i64::try_from(number % 600).unwrap_or(0)
        };
        let created = self.began - SignedDuration::from_mins(minutes);
        let created = created.strftime("%Y-%m-%dT%H:%M:%SZ");
        let metadata = match kind {
            Kind::Foreign => "\"role\": \"web\"".to_owned(),
            _ => format!(
                "\"mita-owner\": \"bench\", \"mita-node\": \"{}\", \"mita-id\": \"{:012x}\", \"mita-config\": \"0f3a9d52c8e1b764\"",
                self.template(number).name,
                id_bits(number)
            ),
        };
        let (status, task, state, power) = match kind {
            Kind::Booting => ("BUILD", "\"spawning\"", "building", 0),
            _ => ("ACTIVE", "null", "active", 1),
        };
        let address = format!(
            "10.{}.{}.{}",
            20 + number / 62_500,
            number / 250 % 250,
            2 + number % 250
        );
        format!(
            "{{\"id\": \"{id}\", \"name\": \"{name}\", \"status\": \"{status}\", \
             \"tenant_id\": \"100d1e084cb44933a18ec6c456f36496\", \"user_id\": \"bff4479be00c47108b371d8425a65d06\", \
             \"metadata\": {{{metadata}}}, \"hostId\": \"162b017330d4fe3fd7d33b8572cd641e5aa8db74ab0ad7066326a153\", \
             \"image\": {{\"id\": \"b1ac72ae-6500-4b36-a105-0998670e021a\", \"links\": [{{\"rel\": \"bookmark\", \
             \"href\": \"{base}/images/b1ac72ae-6500-4b36-a105-0998670e021a\"}}]}}, \"flavor\": {{\"id\": \"1\", \
             \"links\": [{{\"rel\": \"bookmark\", \"href\": \"{base}/flavors/1\"}}]}}, \"created\": \"{created}\", \
             \"updated\": \"{created}\", \"addresses\": {{\"private\": [{{\"version\": 4, \"addr\": \"{address}\", \
             \"OS-EXT-IPS:type\": \"fixed\", \"OS-EXT-IPS-MAC:mac_addr\": \"fa:16:3e:5b:ed:12\"}}]}}, \
             \"accessIPv4\": \"\", \"accessIPv6\": \"\", \"links\": [{{\"rel\": \"self\", \
             \"href\": \"{base}/v2.1/servers/{id}\"}}, {{\"rel\": \"bookmark\", \"href\": \"{base}/servers/{id}\"}}], \
             \"OS-DCF:diskConfig\": \"MANUAL\", \"progress\": 0, \"OS-EXT-AZ:availability_zone\": \"az1\", \
             \"config_drive\": \"\", \"key_name\": \"jenkins\", \"OS-SRV-USG:launched_at\": null, \
             \"OS-SRV-USG:terminated_at\": null, \"security_groups\": [{{\"name\": \"default\"}}], \
             \"OS-EXT-STS:task_state\": {task}, \"OS-EXT-STS:vm_state\": \"{state}\", \
             \"OS-EXT-STS:power_state\": {power}, \"os-extended-volumes:volumes_attached\": []}}"
        )
    }
}

/// The number stands at the end, so that a marker can be read back.
fn uuid(number: usize) -> String {
    format!("{:08x}-7420-43bd-b2a7-{number:012x}", id_bits(number) >> 16)
}

fn number_of(uuid: &str) -> Option<usize> {
    usize::from_str_radix(uuid.rsplit('-').next()?, 16).ok()
}
