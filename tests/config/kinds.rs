//! A third kind of cloud: what it takes to add one. Here it is a file of a test; in the program it would be a folder under
//! `src/provider/` and a line in `provider::kinds`.

use std::any::Any;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use mita::config::{self, ConfigError, Loaded};
use mita::model::{Checked, Offers, Resource, ResourceKind, ResourceMark, ServerId, ServerSpec, TemplateName, Zone};
use mita::provider::kind::{COMMON, CloudSettings, Kind, Site as CloudSite, complete_nothing, keep_by_name};
use mita::provider::kinds::KINDS;
use mita::provider::{AddFloatingIp, CreateServer, Deadline, Deleted, Provider, ProviderError, ServerList};
use mita::secret::Secret;
use mita::settings::key::{Key, Need, Schema};
use mita::settings::names;
use mita::settings::section::Section;

use serde_json::json;

use super::schema;
use super::site::{Site, file};

static HANGAR: Key<Option<String>> = Key::text("hangar").also(&["shed"]).doc("Where the balloons are.");
static GAS: Key<u32> = Key::count("gas")
    .or("7")
    .at_least(1, "; a balloon needs some")
    .doc("How much of it.");
static ROPE: Key<Option<Secret>> = Key::secret("rope").doc("What holds them.");
static BALLOON: Schema = Schema {
    include: &[&COMMON],
    needs: &[Need::of(&[HANGAR.spec()])],
    ..Schema::new(&[HANGAR.spec(), GAS.spec(), ROPE.spec()])
};

static SEATS: Key<u32> = Key::count("seats")
    .or("4")
    .at_most(9, "; it is a basket")
    .doc("How many fit in.");
static ROPES: Key<Vec<String>> = Key::texts("ropes").doc("What the basket hangs on.");
static BASKET: Schema = Schema::new(&[SEATS.spec(), ROPES.spec()]);
static NO_KEYS: Schema = Schema::new(&[]);

static KIND: Kind = kind(&BASKET);

const fn kind(node_keys: &'static Schema) -> Kind {
    Kind {
        name: "balloon",
        offer: "balloon",
        schema: &BALLOON,
        without_foreign_keys: "",
        needs_image: false,
        node_keys,
        read_node: keep_by_name,
        max_user_data: Some(100),
        can_look_up: false,
        complete: complete_nothing,
        read,
    }
}

/// The same kind before its templates had keys.
static KIND_BEFORE: Kind = kind(&NO_KEYS);

#[derive(Clone, Debug)]
struct Balloons {
    hangar: String,
    gas: u32,
    rope: Secret,
}

fn read(at: &Section<'_>, site: &CloudSite<'_>) -> Box<dyn CloudSettings> {
    assert!(!site.owner.is_empty());
    Box::new(Balloons {
        hangar: names::required(at, &HANGAR, "say where the balloons are"),
        gas: at.get(&GAS),
        rope: at.get(&ROPE).unwrap_or_else(|| Secret::new("")),
    })
}

impl CloudSettings for Balloons {
    fn connect(&self, _deadline: Deadline) -> Result<Box<dyn Provider>, ProviderError> {
        Ok(Box::new(Sky))
    }

    fn secrets(&self) -> Vec<&Secret> {
        vec![&self.rope]
    }

    fn boxed(&self) -> Box<dyn CloudSettings> {
        Box::new(self.clone())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// A cloud without a server.
struct Sky;

impl Provider for Sky {
    fn servers(&mut self) -> Result<ServerList, ProviderError> {
        Ok(ServerList {
            servers: Vec::new(),
            clock: None,
        })
    }

    fn fault(&mut self, _id: &ServerId) -> Result<Option<String>, ProviderError> {
        Ok(None)
    }

    fn offers(&mut self, _wanted: &[(&TemplateName, &ServerSpec)]) -> Result<Offers, ProviderError> {
        Ok(Offers::default())
    }

    fn create(&mut self, _server: &CreateServer<'_>) -> Result<ServerId, ProviderError> {
        Err(ProviderError::Capacity("no wind".to_owned()))
    }

    fn delete(&mut self, _id: &ServerId) -> Result<Deleted, ProviderError> {
        Ok(Deleted::AlreadyGone)
    }

    fn resources(&mut self, _kinds: &BTreeSet<ResourceKind>) -> Result<Vec<Resource>, ProviderError> {
        Ok(Vec::new())
    }

    fn remove(&mut self, _kind: ResourceKind, _id: &str) -> Result<Deleted, ProviderError> {
        Ok(Deleted::AlreadyGone)
    }

    fn add_floating_ip(&mut self, _wanted: &AddFloatingIp<'_>) -> Result<IpAddr, ProviderError> {
        Err(ProviderError::Refused("balloons have none".to_owned()))
    }

    fn mark_volume(&mut self, _id: &str, _mark: &ResourceMark) -> Result<(), ProviderError> {
        Ok(())
    }

    fn console(&mut self, _id: &ServerId, _lines: u32) -> Result<Option<String>, ProviderError> {
        Ok(None)
    }

    fn check(&mut self, _wanted: &[(&TemplateName, &ServerSpec, &[Zone])]) -> Result<Checked, ProviderError> {
        Ok(Checked::default())
    }

    fn requests(&self) -> u64 {
        0
    }
}

fn load(provider: &str, node: &str) -> Result<Loaded, ConfigError> {
    load_kind(&KIND, provider, node)
}

fn load_kind(kind: &'static Kind, provider: &str, node: &str) -> Result<Loaded, ConfigError> {
    let site = Site::new();
    let text = file(
        "username: u\npassword: p\ntenant_name: t",
        "user: u\ntoken: t",
        node,
        "",
    );
    let text = text.replace(
        "provider:\n",
        &format!("provider:\n  sky: {{type: balloon, {provider}}}\n"),
    );
    let text = text.replace("provider: openstack", "provider: sky");
    site.write("mita.yaml", &text, 0o600);
    let env = |name: &str| (name == "HOME").then(|| "/home/ci".to_owned());
    let kinds = [KINDS[0], KINDS[1], kind];
    let loaded = config::load_with(&site.path("mita.yaml"), &env, &kinds);
    let lines = loaded.as_ref().err().map(ConfigError::lines);
    schema::agrees_with_kinds(&kinds, text.as_bytes(), &lines.unwrap_or_default());
    loaded
}

fn refused(provider: &str, node: &str) -> Vec<String> {
    let error = load(provider, node).map(|_| "loaded").unwrap_err();
    let lines = error.lines().into_iter();
    lines
        .map(|line| line.split_once("mita.yaml:").unwrap().1.to_owned())
        .collect()
}

#[test]
fn a_third_kind_is_read_and_connected() {
    let config = load(
        "shed: west, rope: hunter2, max_servers: 3",
        "labels: [a]\nropes: [hemp, silk]",
    )
    .unwrap()
    .config;
    let provider = config.provider("sky").unwrap();
    assert_eq!((provider.kind.name, provider.max_servers), ("balloon", Some(3)));
    let balloons: &Balloons = provider.settings.downcast().unwrap();
    assert_eq!((balloons.hangar.as_str(), balloons.gas), ("west", 7));
    let secrets: Vec<&str> = provider
        .settings
        .secrets()
        .iter()
        .map(|secret| secret.reveal())
        .collect();
    assert_eq!(secrets, ["hunter2"]);
    assert!(!format!("{config:?}").contains("hunter2"));
    let spec = &config.template("small").unwrap().spec;
    assert_eq!(
        (SEATS.value_in(&spec.more), ROPES.value_in(&spec.more)),
        (Some(json!(4)), Some(json!(["hemp", "silk"])))
    );
    let mut cloud = provider
        .settings
        .connect(Deadline::after(Duration::from_secs(1)))
        .unwrap();
    assert!(cloud.servers().unwrap().servers.is_empty());
}

#[test]
fn a_new_key_with_a_default_leaves_servers_as_they_are() {
    let spec_and_digest = |kind: &'static Kind, node: &str| {
        let config = load_kind(kind, "hangar: west", node).unwrap().config;
        let template = config.template("small").unwrap();
        (template.spec.clone(), template.digest.clone())
    };
    let before = spec_and_digest(&KIND_BEFORE, "labels: [a]");
    let absent = spec_and_digest(&KIND, "labels: [a]");
    assert_eq!(absent, before);
    assert!(absent.0.more.is_empty(), "{:?}", absent.0.more);
    assert_eq!(SEATS.value_in(&absent.0.more), Some(json!(4)));
    assert_eq!(ROPES.value_in(&absent.0.more), None);
    // As `mita config` prints it.
    assert_eq!(spec_and_digest(&KIND, "labels: [a]\nseats: 4"), before);
    let five = spec_and_digest(&KIND, "labels: [a]\nseats: 5");
    assert_eq!(SEATS.value_in(&five.0.more), Some(json!(5)));
    assert_ne!(five.1, before.1);
}

#[test]
fn its_keys_are_known_wherever_keys_are_judged() {
    let node = "labels: [a]";
    assert_eq!(
        refused("hanger: west, gas: 0, command: x", node),
        [
            "2:24: provider.sky.hanger: unknown key; did you mean hangar?",
            "2:43: provider.sky.gas: must be at least 1, is 0; a balloon needs some",
            "2:46: provider.sky.command: belongs to type exec; remove it, or write type: exec",
        ]
    );
    assert_eq!(
        refused("hangar: west", "labels: [a]\ngas: 3"),
        ["16:5: nodes.small.gas: unknown key here; it belongs under provider"]
    );
    assert_eq!(
        refused("hangar: west", "labels: [a]\nseats: 12\nrops: [a]\noptions: {x: 1}"),
        [
            "16:12: nodes.small.seats: must be at most 9, is 12; it is a basket",
            "17:5: nodes.small.rops: unknown key; did you mean ropes?",
            "18:5: nodes.small.options: is for providers of type exec, and this template has none; remove it",
        ]
    );
    let long = format!("labels: [a]\nscript: \"#!{}\"", "x".repeat(80));
    assert_eq!(refused("hangar: west", &long).len(), 1);
    let text = load("", node).unwrap_err().to_string().replace("type: balloon", "");
    assert!(
        text.contains("provider.sky.hangar: missing; say where the balloons are"),
        "{text}"
    );
}
