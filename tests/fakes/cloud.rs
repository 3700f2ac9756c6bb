//! The state of one fake cloud: what it offers, its quota, its servers and their way from scheduling to gone.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::model::{Ssh, hash};
use super::random::Random;
use super::world::{Kind, START};

/// One project of an OpenStack.
#[derive(Clone, Debug)]
pub struct Cloud {
    pub name: String,
    pub region: String,
    pub user: String,
    pub password: String,
    pub project: String,
    pub project_id: String,
    pub user_id: String,
    /// Id and secret of an application credential.
    pub credential: (String, String),
    /// Whether Keystone still has v2.0.
    pub keystone_v2: bool,
    pub token_seconds: i64,
    /// Tokens and when they end.
    pub tokens: BTreeMap<String, i64>,
    /// The most servers in a page of a list.
    pub max_limit: usize,
    pub flavors: Vec<Flavor>,
    pub images: Vec<Image>,
    pub keypairs: BTreeSet<String>,
    pub networks: Vec<Network>,
    pub security_groups: BTreeSet<String>,
    /// Security groups of another project, which an administrator sees.
    pub other_groups: BTreeSet<String>,
    pub zones: BTreeMap<String, ZoneState>,
    pub quota: Quota,
    pub servers: Vec<CloudServer>,
    /// Servers that are gone: id, name, created, gone.
    pub past: Vec<(String, String, i64, i64)>,
    pub volumes: Vec<Volume>,
    pub floating_ips: Vec<FloatingIp>,
    /// Id and name of server groups.
    pub server_groups: Vec<(String, String)>,
    /// Id and name of Cinder's volume types.
    pub volume_types: Vec<(String, String)>,
    /// The highest microversion of Nova, 2.N; 1: it knows of none, and passes over what it does not know.
    pub newest: u32,
    /// The ports that Nova did not make: a router's, and what was made by hand or by request.
    pub ports: Vec<Port>,
    /// Networks that no router joins to the external one.
    pub unrouted: BTreeSet<String>,
    /// What Neutron says when the external network has no address left.
    pub pool_used_up: Option<String>,
    /// Whether the user is an administrator, to whom Neutron shows what all projects have.
    pub admin: bool,
    /// How long Nova takes to see a new floating IP.
    pub floating_seconds: i64,
    /// What the consoles say that do not say what Nova's fake hypervisor does, by server; empty: there is none.
    pub consoles: BTreeMap<String, String>,
    /// How long the scheduler takes, then the rest of a build, then a delete.
    pub schedule_seconds: i64,
    pub build_seconds: i64,
    pub delete_seconds: i64,
    /// Servers that lists lack although they exist, each until when: their cell is down.
    pub hide_from_list: BTreeMap<String, i64>,
    /// Servers of which Nova's cache lost addresses although they run, each with what it lost and until when.
    pub hide_addresses: BTreeMap<String, (Hidden, i64)>,
    /// Whether a fault also stands in the list, as host-side failures do.
    pub fault_in_list: bool,
    addresses: u32,
}

#[derive(Clone, Debug)]
pub struct Flavor {
    pub id: String,
    pub name: String,
    pub vcpus: i64,
    pub ram: i64,
    pub disk: i64,
    /// Not shown to users.
    pub disabled: bool,
}

#[derive(Clone, Debug)]
pub struct Image {
    pub id: String,
    pub name: String,
    pub status: String,
    /// `private`: our own.
    pub visibility: String,
    pub created: i64,
    pub min_disk: i64,
    pub min_ram: i64,
}

#[derive(Clone, Debug)]
pub struct Network {
    pub id: String,
    pub name: String,
    /// Of another project.
    pub external: bool,
    /// Shared with us, by another project.
    pub shared: bool,
}

impl Network {
    /// Whether a server may stand in it, and Nova would choose it.
    pub fn usable(&self) -> bool {
        self.shared || !self.external
    }

    pub fn ours(&self) -> bool {
        !self.shared && !self.external
    }
}

/// How a zone behaves.
#[derive(Clone, Debug, Default)]
pub struct ZoneState {
    /// No server finds a host here.
    pub broken: bool,
    /// The most servers it holds.
    pub room: Option<usize>,
}

/// -1: unlimited.
#[derive(Clone, Debug)]
pub struct Quota {
    pub instances: i64,
    pub cores: i64,
    pub ram: i64,
    /// In GB, of Cinder.
    pub gigabytes: i64,
    /// Of Cinder.
    pub volumes: i64,
    pub floating_ips: i64,
    pub ports: i64,
}

/// What Nova's cache lost of a server's addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hidden {
    /// Everything: `{}`.
    All,
    /// All entries of its network: `{"private": []}`.
    Entries,
    /// The floating IP alone.
    Floating,
}

#[derive(Clone, Debug)]
pub struct CloudServer {
    pub id: String,
    pub name: String,
    pub image: String,
    pub flavor: String,
    pub key_name: Option<String>,
    pub metadata: BTreeMap<String, String>,
    /// As sent: Base64.
    pub user_data: Option<String>,
    pub zone: String,
    pub network: String,
    pub security_groups: Vec<String>,
    pub config_drive: bool,
    pub created: i64,
    pub updated: i64,
    pub launched: Option<i64>,
    pub status: String,
    pub task: Option<String>,
    pub fault: Option<String>,
    /// Fixed addresses.
    pub addresses: Vec<String>,
    pub mac: String,
    /// The one that Nova makes; empty where all were given by id.
    pub port: String,
    /// When its delete began.
    pub deleting: Option<i64>,
    pub locked: bool,
    /// The whole request it was made by.
    pub request: serde_json::Value,
}

impl CloudServer {
    /// A server that has run since the world began, none of whose agents are known.
    pub fn running(name: &str, image: &str, flavor: &str) -> Self {
        let number = hash(&["server", name]);
        Self {
            id: format!("{:08x}-0000-4000-a000-{:012x}", number >> 32, number & 0xffff_ffff_ffff),
            name: name.to_owned(),
            image: image.to_owned(),
            flavor: flavor.to_owned(),
            key_name: None,
            metadata: BTreeMap::new(),
            user_data: None,
            zone: "az1".to_owned(),
            network: String::new(),
            security_groups: vec!["default".to_owned()],
            config_drive: false,
            created: START,
            updated: START,
            launched: Some(START),
            status: "ACTIVE".to_owned(),
            task: None,
            fault: None,
            addresses: vec![format!("10.99.0.{}", 1 + number % 250)],
            mac: "fa:16:3e:00:00:01".to_owned(),
            port: format!("{:08x}-0000-4000-b000-{:012x}", number >> 32, number & 0xffff_ffff_ffff),
            deleting: None,
            locked: false,
            request: serde_json::Value::Null,
        }
    }

    /// Its user data as it was before it was sent.
    pub fn script(&self) -> String {
        let bytes = STANDARD
            .decode(self.user_data.as_deref().unwrap_or_default())
            .unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Whether a launcher would trust it: by a key, if its user data installs the private half of that one.
    pub fn has_host_key(&self, ssh: &Ssh) -> bool {
        let Some(key) = ssh
            .key
            .as_deref()
            .filter(|_| ssh.strategy.starts_with("ManuallyProvided"))
        else {
            // Nobody wrote a new machine's key into the known_hosts.
            return !ssh.strategy.starts_with("KnownHosts");
        };
        let public = STANDARD
            .decode(key.split(' ').nth(1).unwrap_or_default())
            .unwrap_or_default();
        let script = self.script();
        let block = script
            .split_once("BEGIN OPENSSH PRIVATE KEY-----")
            .map_or("", |(_, rest)| rest);
        let block: String = block
            .split("-----END")
            .next()
            .unwrap_or_default()
            .split_whitespace()
            .collect();
        let private = STANDARD.decode(block).unwrap_or_default();
        public.len() == 51 && private.windows(public.len()).any(|window| window == public)
    }

    /// The template it was made from: by our mark, else by its name.
    pub fn template(&self) -> &str {
        let by_name = || self.name.rsplit_once("__").map_or(self.name.as_str(), |(t, _)| t);
        self.metadata.get("mita-node").map_or_else(by_name, String::as_str)
    }

    /// Whether its guest runs.
    pub fn runs(&self) -> bool {
        self.status == "ACTIVE" && self.deleting.is_none()
    }

    pub fn scheduling(&self) -> bool {
        self.task.as_deref() == Some("scheduling")
    }
}

#[derive(Clone, Debug)]
pub struct Volume {
    pub id: String,
    pub name: String,
    pub size: i64,
    pub status: String,
    /// The server it is attached to.
    pub server: Option<String>,
    pub delete_on_termination: bool,
    pub metadata: BTreeMap<String, String>,
    pub created: i64,
}

#[derive(Clone, Debug)]
pub struct FloatingIp {
    pub id: String,
    pub address: String,
    pub network: String,
    pub port: Option<String>,
    pub description: String,
    pub created: i64,
    /// Another project's, if it is none of ours.
    pub project: Option<String>,
}

/// A port.
#[derive(Clone, Debug)]
pub struct Port {
    pub id: String,
    pub name: String,
    pub network: String,
    pub addresses: Vec<String>,
    pub mac: String,
    /// What uses it; empty: nothing.
    pub device: String,
    /// `compute:ZONE`, `network:…`; empty: nothing uses it.
    pub owner: String,
    pub description: String,
    /// By id.
    pub security_groups: Vec<String>,
    pub vnic_type: String,
    pub security: bool,
    pub created: i64,
    /// Another project's, if it is none of ours.
    pub project: Option<String>,
}

impl Default for Port {
    fn default() -> Self {
        Self {
            id: String::new(),
            name: String::new(),
            network: String::new(),
            addresses: Vec::new(),
            mac: String::new(),
            device: String::new(),
            owner: String::new(),
            description: String::new(),
            security_groups: Vec::new(),
            vnic_type: "normal".to_owned(),
            security: true,
            created: START,
            project: None,
        }
    }
}

/// What the world must know of.
pub enum CloudEvent {
    Active(String),
    Gone(String),
}

impl Cloud {
    /// A cloud like the recorded one: flavors `m1.tiny` to `m3.xlarge`, images `ubuntu-24.04`, `debian-12` and `twin`
    /// twice, key pair `jenkins`, one network beside the external one, zones `az1` and `az2`, room for everything.
    pub fn new(name: &str, random: &mut Random) -> Self {
        let flavor = |id: String, name: &str, vcpus, ram, disk| Flavor {
            id,
            name: name.to_owned(),
            vcpus,
            ram,
            disk,
            disabled: false,
        };
        let flavors = vec![
            flavor("1".to_owned(), "m1.tiny", 1, 512, 1),
            flavor("2".to_owned(), "m1.small", 1, 2048, 20),
            flavor("3".to_owned(), "m1.medium", 2, 4096, 40),
            flavor("4".to_owned(), "m1.large", 4, 8192, 80),
            flavor(random.uuid(), "m3.xlarge", 4, 15360, 80),
            flavor(random.uuid(), "m1.nodisk", 1, 2048, 0),
        ];
        let mut images = Vec::new();
        for (at, name) in ["ubuntu-24.04", "debian-12", "cirros", "twin", "twin"]
            .iter()
            .enumerate()
        {
            images.push(Image::new(
                &random.uuid(),
                name,
                1_771_000_000 + i64::try_from(at).unwrap_or(0) * 3600,
            ));
        }
        let network = |id: String, name: &str, external| Network {
            id,
            name: name.to_owned(),
            external,
            shared: false,
        };
        let networks = vec![
            network(random.uuid(), "private", false),
            network(random.uuid(), "public", true),
        ];
        let ports = vec![router_port(name, &networks[0].id)];
        Self {
            name: name.to_owned(),
            region: "RegionOne".to_owned(),
            user: "ci".to_owned(),
            password: "ci-pass".to_owned(),
            project: "ci".to_owned(),
            project_id: random.hex(32),
            user_id: random.hex(32),
            credential: (random.hex(32), "ci-appcred-secret".to_owned()),
            keystone_v2: false,
            token_seconds: 3600,
            tokens: BTreeMap::new(),
            max_limit: 1000,
            flavors,
            images,
            keypairs: BTreeSet::from(["jenkins".to_owned()]),
            networks,
            security_groups: BTreeSet::from(["default".to_owned()]),
            other_groups: BTreeSet::new(),
            zones: ["az1", "az2"].map(|z| (z.to_owned(), ZoneState::default())).into(),
            quota: Quota {
                instances: 2000,
                cores: 8000,
                ram: -1,
                gigabytes: 1000,
                volumes: -1,
                floating_ips: 50,
                ports: -1,
            },
            servers: Vec::new(),
            past: Vec::new(),
            volumes: Vec::new(),
            floating_ips: Vec::new(),
            server_groups: Vec::new(),
            volume_types: ["__DEFAULT__", "hdd", "ssd"]
                .map(|kind| {
                    (
                        format!("00000000-0000-4000-e000-{:012x}", hash(&[kind]) >> 16),
                        kind.to_owned(),
                    )
                })
                .into(),
            newest: 93,
            ports,
            unrouted: BTreeSet::new(),
            pool_used_up: None,
            admin: false,
            floating_seconds: 3,
            consoles: BTreeMap::new(),
            schedule_seconds: 2,
            build_seconds: 18,
            delete_seconds: 5,
            hide_from_list: BTreeMap::new(),
            hide_addresses: BTreeMap::new(),
            fault_in_list: false,
            addresses: u32::try_from(random.below(200)).unwrap_or(0) << 16,
        }
    }

    /// Adds an image and returns its id.
    pub fn image(&mut self, id: &str, name: &str) -> String {
        self.images.push(Image::new(id, name, 1_771_900_000));
        id.to_owned()
    }

    pub fn server(&self, id: &str) -> Option<&CloudServer> {
        self.servers.iter().find(|s| s.id == id)
    }

    pub fn flavor_of(&self, id: &str) -> Option<&Flavor> {
        self.flavors.iter().find(|f| f.id == id)
    }

    /// Used instances, cores, RAM: all but those that are gone count, ERROR among them.
    pub fn used(&self) -> (i64, i64, i64) {
        let flavors = self.servers.iter().filter_map(|s| self.flavor_of(&s.flavor));
        let (cores, ram) = flavors.fold((0, 0), |(c, r), f| (c + f.vcpus, r + f.ram));
        (i64::try_from(self.servers.len()).unwrap_or(0), cores, ram)
    }

    /// Whether Neutron shows what is of a project (`None`: ours).
    pub fn sees(&self, project: Option<&String>) -> bool {
        self.admin || project.is_none()
    }

    /// The id of the router between our network and the external one.
    pub fn router(&self) -> String {
        router(&self.name)
    }

    /// What Cinder says to volumes of such sizes, when its quota has no room for them.
    pub fn volumes_over(&self, sizes: &[i64]) -> Option<String> {
        let used: i64 = self.volumes.iter().map(|v| v.size).sum();
        let most = self.quota.gigabytes;
        let count = i64::try_from(self.volumes.len() + sizes.len()).unwrap_or(0);
        if self.quota.volumes >= 0 && count > self.quota.volumes {
            return Some(format!(
                "VolumeLimitExceeded: Maximum number of volumes allowed ({}) exceeded for quota 'volumes'.",
                self.quota.volumes
            ));
        }
        let asked: i64 = sizes.iter().sum();
        (most >= 0 && used + asked > most).then(|| {
            format!(
                "VolumeSizeExceedsAvailableQuota: Requested volume or snapshot exceeds allowed gigabytes quota. \
                 Requested {asked}G, quota is {most}G and {used}G has been consumed."
            )
        })
    }

    pub fn address(&mut self) -> String {
        self.addresses += 1;
        let n = self.addresses;
        format!("10.{}.{}.{}", 20 + (n >> 16), (n >> 8) & 255, n & 255)
    }

    pub fn next_event(&self, clock: i64) -> Option<i64> {
        let mut times = Vec::new();
        for server in &self.servers {
            if let Some(at) = server.deleting {
                times.push(at + self.delete_seconds);
            } else if server.status == "BUILD" {
                times.push(server.created + self.schedule_seconds);
                times.push(server.created + self.schedule_seconds + self.build_seconds / 2);
                times.push(server.created + self.schedule_seconds + self.build_seconds);
            }
        }
        times.into_iter().filter(|&at| at > clock).min()
    }

    /// Moves every server to where it should be by now.
    pub fn step(&mut self, clock: i64, kinds: &BTreeMap<String, Kind>, random: &mut Random) -> Vec<CloudEvent> {
        let mut events = Vec::new();
        for at in 0..self.servers.len() {
            let server = &self.servers[at];
            if server.deleting.is_some() || server.status != "BUILD" {
                continue;
            }
            let scheduled = server.created + self.schedule_seconds;
            if server.scheduling() && clock >= scheduled && self.no_host(at, clock, kinds) {
                let server = &mut self.servers[at];
                (server.status, server.task) = ("ERROR".to_owned(), None);
                server.fault = Some("No valid host was found. ".to_owned());
                server.updated = clock;
            } else if clock >= scheduled + self.build_seconds {
                if server.scheduling() && !self.attach_volumes(at, clock, random) {
                    continue;
                }
                if !self.bind_ports(at, clock) {
                    continue;
                }
                let addresses = self.addresses_of(at);
                let mac = random.hex(6);
                let server = &mut self.servers[at];
                (server.status, server.task) = ("ACTIVE".to_owned(), None);
                server.mac = format!("fa:16:3e:{}:{}:{}", &mac[..2], &mac[2..4], &mac[4..]);
                server.addresses = addresses;
                (server.launched, server.updated) = (Some(clock), clock);
                events.push(CloudEvent::Active(server.id.clone()));
            } else if clock >= scheduled {
                if server.scheduling() && !self.attach_volumes(at, clock, random) {
                    continue;
                }
                let half = clock < scheduled + self.build_seconds / 2;
                if !half && !self.bind_ports(at, clock) {
                    continue;
                }
                let task = if half { "networking" } else { "spawning" };
                self.servers[at].task = Some(task.to_owned());
            }
        }
        self.finish_deletes(clock, &mut events);
        events
    }

    fn no_host(&self, at: usize, clock: i64, kinds: &BTreeMap<String, Kind>) -> bool {
        let server = &self.servers[at];
        let zone = self.zones.get(&server.zone).cloned().unwrap_or_default();
        let there =
            |s: &&CloudServer| s.zone == server.zone && s.status != "ERROR" && s.id != server.id && !s.scheduling();
        let full = zone
            .room
            .is_some_and(|room| self.servers.iter().filter(there).count() >= room);
        zone.broken || full || kinds.get(server.template()).is_some_and(|k| clock < k.no_host_until)
    }

    /// The ports that were given by id when a server was asked for.
    fn given(&self, at: usize) -> Vec<String> {
        let networks = self.servers[at].request["server"]["networks"].as_array();
        let given = networks.into_iter().flatten().filter_map(|n| n["port"].as_str());
        given.map(str::to_owned).collect()
    }

    /// Gives a server its ports, on its host and not before; it fails there when another has one by now.
    fn bind_ports(&mut self, at: usize, clock: i64) -> bool {
        let (id, zone) = (self.servers[at].id.clone(), self.servers[at].zone.clone());
        for port in self.given(at) {
            match self.ports.iter_mut().find(|p| p.id == port) {
                Some(port) if port.device.is_empty() || port.device == id => {
                    (port.device, port.owner) = (id.clone(), format!("compute:{zone}"));
                }
                _ => {
                    self.fail(
                        &id,
                        &format!("Build of instance {id} aborted: Port {port} is still in use."),
                    );
                    self.servers[at].updated = clock;
                    return false;
                }
            }
        }
        true
    }

    fn addresses_of(&mut self, at: usize) -> Vec<String> {
        let own = (!self.servers[at].port.is_empty()).then(|| self.address());
        let given = self.given(at);
        let given = self.ports.iter().filter(|p| given.contains(&p.id));
        own.into_iter().chain(given.flat_map(|p| p.addresses.clone())).collect()
    }

    /// Makes the volumes of a server on its host; without room for them it fails there.
    fn attach_volumes(&mut self, at: usize, clock: i64, random: &mut Random) -> bool {
        let server = &self.servers[at];
        let mappings = server.request["server"]["block_device_mapping_v2"].as_array();
        let made: Vec<Volume> = mappings
            .into_iter()
            .flatten()
            .filter(|m| m["destination_type"] == "volume" && m["source_type"] != "volume")
            .map(|m| Volume::mapped(m, &server.id, clock, random))
            .collect();
        let sizes: Vec<i64> = made.iter().map(|v| v.size).collect();
        if let Some(message) = Some(&sizes)
            .filter(|s| !s.is_empty())
            .and_then(|s| self.volumes_over(s))
        {
            let id = server.id.clone();
            self.fail(&id, &format!("Build of instance {id} aborted: {message}"));
            self.servers[at].updated = clock;
            return false;
        }
        self.volumes.extend(made);
        true
    }

    fn finish_deletes(&mut self, clock: i64, events: &mut Vec<CloudEvent>) {
        let seconds = self.delete_seconds;
        let gone = |s: &CloudServer| s.deleting.is_some_and(|at| at + seconds <= clock);
        let ids: Vec<String> = self.servers.iter().filter(|s| gone(s)).map(|s| s.id.clone()).collect();
        for server in self.servers.iter().filter(|s| gone(s)) {
            self.past
                .push((server.id.clone(), server.name.clone(), server.created, clock));
            for ip in self
                .floating_ips
                .iter_mut()
                .filter(|ip| ip.port.as_ref() == Some(&server.port))
            {
                ip.port = None;
            }
            // Those that were given to Nova stay.
            for port in self.ports.iter_mut().filter(|p| p.device == server.id) {
                (port.device, port.owner) = (String::new(), String::new());
            }
        }
        self.servers.retain(|s| !ids.contains(&s.id));
        for id in ids {
            self.volumes
                .retain(|v| v.server.as_ref() != Some(&id) || !v.delete_on_termination);
            for volume in self.volumes.iter_mut().filter(|v| v.server.as_ref() == Some(&id)) {
                (volume.server, volume.status) = (None, "available".to_owned());
            }
            events.push(CloudEvent::Gone(id));
        }
    }

    /// Puts a server into a state as an operator's reset or a host's failure does.
    pub fn fail(&mut self, id: &str, message: &str) {
        for server in self.servers.iter_mut().filter(|s| s.id == id) {
            (server.status, server.task) = ("ERROR".to_owned(), None);
            server.fault = Some(message.to_owned());
        }
    }

    /// Every token is void from now on.
    pub fn revoke_tokens(&mut self) {
        self.tokens.clear();
    }

    /// Server-seconds so far, of living and past servers.
    pub fn server_seconds(&self, clock: i64) -> i64 {
        let living: i64 = self.servers.iter().map(|s| clock - s.created).sum();
        living
            + self
                .past
                .iter()
                .map(|(_, _, created, gone)| gone - created)
                .sum::<i64>()
    }
}

fn router(cloud: &str) -> String {
    let number = hash(&["router", cloud]);
    format!("{:08x}-0000-4000-c000-{:012x}", number >> 32, number & 0xffff_ffff_ffff)
}

/// The port by which a router stands in our network.
fn router_port(cloud: &str, network: &str) -> Port {
    let number = hash(&["router port", cloud]);
    Port {
        id: format!("{:08x}-0000-4000-d000-{:012x}", number >> 32, number & 0xffff_ffff_ffff),
        network: network.to_owned(),
        addresses: vec!["10.0.0.1".to_owned()],
        mac: "fa:16:3e:00:00:02".to_owned(),
        device: router(cloud),
        owner: "network:router_interface".to_owned(),
        security: false,
        ..Port::default()
    }
}

impl Volume {
    /// The volume that Nova makes for a mapping: it names those that are blank, and keeps them unless told otherwise.
    fn mapped(mapping: &serde_json::Value, server: &str, clock: i64, random: &mut Random) -> Self {
        let blank = mapping["source_type"] == "blank";
        Self {
            id: random.uuid(),
            name: if blank {
                format!("{server}-blank-vol")
            } else {
                String::new()
            },
            size: mapping["volume_size"].as_i64().unwrap_or(0),
            status: "in-use".to_owned(),
            server: Some(server.to_owned()),
            delete_on_termination: mapping["delete_on_termination"].as_bool().unwrap_or(false),
            metadata: BTreeMap::new(),
            created: clock,
        }
    }
}

impl Image {
    pub fn new(id: &str, name: &str, created: i64) -> Self {
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            status: "active".to_owned(),
            visibility: "public".to_owned(),
            created,
            min_disk: 0,
            min_ram: 0,
        }
    }
}
