//! The fake OpenStack against Zed: the same state, the same request, the same reply.

use serde_json::{Value, json};

use super::fakes::{FakeOpenStack, Flavor, Image, Network, World};
use super::recorded::{Got, Recorded, load, same, send};

/// The image, networks and flavor of the recorded requests.
pub const IMAGE: &str = "b1ac72ae-6500-4b36-a105-0998670e021a";
pub const NETWORK: &str = "e1aedd1a-5b8a-46f9-b66e-0d9bcede162e";
const SMALL_NETWORK: &str = "5edcfcae-5a25-48af-bb3a-ef0e6808d78d";
pub const EXTERNAL: &str = "d1a974a7-6c27-4373-af8e-04fd28382daf";

const VOLATILE: [&str; 26] = [
    "id",
    "addr",
    "OS-EXT-IPS-MAC:mac_addr",
    "adminPass",
    "audit_ids",
    "hostId",
    "created",
    "updated",
    "created_at",
    "updated_at",
    "expires_at",
    "issued_at",
    "OS-SRV-USG:launched_at",
    "tenant_id",
    "project_id",
    "user_id",
    "port_id",
    "device_id",
    "mac_address",
    "ip_address",
    "fixed_ip_address",
    "floating_ip_address",
    "subnet_id",
    "subnets",
    "network_id",
    "floating_network_id",
];

pub struct Setup {
    pub world: World,
    fake: FakeOpenStack,
    token: String,
}

pub fn setup() -> Setup {
    let world = World::new(3);
    let fake = FakeOpenStack::start(&world, "main");
    world.with(|w| {
        let cloud = w.cloud("main");
        cloud.images = vec![Image::new(IMAGE, "ubuntu-24.04", 1_700_000_000)];
        let network = |id: &str, name: &str, external| Network {
            id: id.to_owned(),
            name: name.to_owned(),
            external,
            shared: false,
        };
        cloud.networks = vec![network(NETWORK, "private", false), network(EXTERNAL, "public", true)];
        cloud.credential.0 = "c531ee85ab064d6189b5545b9d661431".to_owned();
        cloud.tokens.insert("good".to_owned(), i64::MAX);
    });
    Setup {
        world,
        fake,
        token: "good".to_owned(),
    }
}

impl Setup {
    pub fn send(&self, method: &str, target: &str, headers: &[(String, String)], body: &str) -> Got {
        let token = ("X-Auth-Token".to_owned(), self.token.clone());
        let headers: Vec<(String, String)> = headers.iter().cloned().chain([token]).collect();
        send(self.fake.port(), method, target, &headers, body)
    }

    pub fn ask(&self, recorded: &Recorded) -> Got {
        let target = format!("{}{}", prefix(recorded.port), recorded.target);
        self.send(&recorded.method, &target, &recorded.headers, &recorded.body)
    }

    /// The same status and the same body, addresses and ids aside.
    pub fn agrees(&self, name: &str) -> Got {
        let recorded = load("openstack-zed", name);
        let got = self.ask(&recorded);
        self.compare(name, &recorded, &got);
        got
    }

    pub fn compare(&self, name: &str, recorded: &Recorded, got: &Got) {
        assert_eq!(got.status, recorded.reply.status, "{name}: {got:?}");
        let kind = |g: &Got| {
            g.headers
                .get("content-type")
                .map(|t| t.split(';').next().unwrap_or("").to_owned())
        };
        assert_eq!(kind(got), kind(&recorded.reply), "{name}");
        for header in ["openstack-api-version", "retry-after"] {
            let theirs = recorded.reply.headers.get(header);
            assert!(
                theirs.is_none() || got.headers.get(header) == theirs,
                "{name}: {header}"
            );
        }
        assert!(got.headers.contains_key("x-openstack-request-id"), "{name}");
        if kind(got).is_some_and(|t| t.contains("json")) && !recorded.reply.body.is_empty() {
            let theirs = plain(&recorded.reply.body, &|port| prefix(port).to_owned());
            let ours = plain(&got.body, &|_| String::new());
            same(name, &theirs, &ours, &VOLATILE);
        }
    }

    /// Changes a recorded request before it is sent.
    pub fn agrees_with(&self, name: &str, change: impl Fn(&mut Recorded)) -> Got {
        let mut recorded = load("openstack-zed", name);
        change(&mut recorded);
        let got = self.ask(&recorded);
        self.compare(name, &recorded, &got);
        got
    }

    fn created(&self, name: &str) -> String {
        let got = self.agrees(name);
        got.json()["server"]["id"].as_str().expect("an id").to_owned()
    }
}

/// Where the fake has the service that a real one has on this port.
fn prefix(port: u16) -> &'static str {
    match port {
        8774 => "/compute",
        9292 => "/image",
        9696 => "/network",
        8776 => "/volume",
        _ => "/identity",
    }
}

/// A body with hosts taken off and ids masked.
fn plain(body: &str, prefix: &dyn Fn(u16) -> String) -> Value {
    let mut out = String::new();
    let mut rest = body;
    while let Some((before, after)) = rest.split_once("http://127.0.0.1:") {
        out.push_str(before);
        let digits = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
        out.push_str(&prefix(after[..digits].parse().unwrap_or(0)));
        rest = &after[digits..];
    }
    out.push_str(rest);
    serde_json::from_str(&masked(&out)).expect("JSON")
}

/// Every uuid and every 32 hexadecimal digits become `ID`.
fn masked(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let run = rest.bytes().take_while(|b| b.is_ascii_hexdigit() || *b == b'-').count();
        if run == 36 || run == 32 {
            out.push_str("ID");
            rest = &rest[run..];
        } else {
            let step = run.max(c.len_utf8());
            out.push_str(&rest[..step]);
            rest = &rest[step..];
        }
    }
    out
}

#[test]
fn logging_in() {
    let s = setup();
    for name in [
        "auth-wrong-password",
        "auth-appcred-with-scope",
        "auth-appcred-unknown-id",
        "keystone-root",
    ] {
        s.agrees_with(name, |r| {
            // Keystone alone answers this with a word more.
            r.reply.body = r.reply.body.replace("\"identity\":{},", "");
        });
    }
    for name in ["auth-ok", "auth-appcred-ok", "auth-unscoped"] {
        let recorded = load("openstack-zed", name);
        let got = s.ask(&recorded);
        assert_eq!(got.status, 201);
        assert!(got.headers["x-subject-token"].starts_with("gAAAA"));
        let (mut theirs, mut ours) = (
            plain(&recorded.reply.body, &|p| prefix(p).to_owned()),
            plain(&got.body, &|_| String::new()),
        );
        for body in [&mut theirs, &mut ours] {
            let Some(catalog) = body["token"]["catalog"].as_array_mut() else {
                continue;
            };
            catalog.retain(|e| e["type"] != "placement");
            for entry in catalog {
                entry["endpoints"]
                    .as_array_mut()
                    .expect("endpoints")
                    .sort_by_key(|e| e["interface"].to_string());
            }
        }
        same(name, &theirs, &ours, &VOLATILE);
    }
}

#[test]
fn without_a_good_token() {
    let mut s = setup();
    s.token = "void".to_owned();
    for name in ["nova-bad-token", "glance-bad-token", "neutron-bad-token"] {
        let got = s.agrees(name);
        assert!(got.headers["www-authenticate"].starts_with("Keystone uri="));
    }
    s.world
        .with(|w| w.cloud("main").tokens.insert("void".to_owned(), w_end()));
    assert_eq!(s.send("GET", "/compute/v2.1/servers", &[], "").status, 200);
    s.world.advance(w_end() - s.world.now().as_second());
    assert_eq!(s.send("GET", "/compute/v2.1/servers", &[], "").status, 401);
}

fn w_end() -> i64 {
    super::fakes::START + 3600
}

#[test]
fn a_server_from_post_to_gone() {
    let s = setup();
    let id = s.created("server-create");
    let with_id = |r: &mut Recorded| r.target = format!("/v2.1/servers/{id}");
    s.agrees_with("server-show-build", with_id);
    s.world.advance(60);
    s.agrees_with("server-show-active", with_id);
    s.agrees_with("server-ports", |r| r.target = format!("/v2.0/ports?device_id={id}"));
    let port = s.world.with(|w| w.cloud("main").servers[0].port.clone());
    s.agrees_with("fip-create", |r| {
        r.body = json!({"floatingip": {"floating_network_id": EXTERNAL, "port_id": port}}).to_string();
    });
    s.agrees("fip-not-external");
    // Nova sees it a little later.
    s.world.advance(5);
    s.world.with(|w| w.cloud("main").servers[0].locked = true);
    s.agrees_with("delete-locked-server", with_id);
    s.world.with(|w| w.cloud("main").servers[0].locked = false);
    s.agrees_with("server-delete", with_id);
    s.agrees_with("server-show-deleting", |r| {
        with_id(r);
        r.reply.body = r.reply.body.replace(", \"a\": \"b\"", "");
    });
    assert_eq!(
        s.send("DELETE", &format!("/compute/v2.1/servers/{id}"), &[], "").status,
        204
    );
    s.world.advance(10);
    s.agrees_with("server-delete-gone", with_id);
    s.world.with(|w| {
        assert_eq!(w.cloud("main").floating_ips[0].port, None);
        assert!(w.cloud("main").servers.is_empty());
    });
}

#[test]
fn no_host() {
    let s = setup();
    s.world.with(|w| {
        let cloud = w.cloud("main");
        cloud.zones.get_mut("az1").expect("a zone").broken = true;
    });
    let body = json!({"server": {"name": "probe-huge", "imageRef": IMAGE, "flavorRef": "1"}}).to_string();
    let id = s.send("POST", "/compute/v2.1/servers", &[], &body).json()["server"]["id"].clone();
    s.world.advance(10);
    let masked_flavor = |r: &mut Recorded| {
        r.reply.body = r.reply.body.replace("475dd094-cd7f-4eeb-b3a8-f47429a00a5a\"", "1\"");
    };
    s.agrees_with("novalidhost-list", masked_flavor);
    s.agrees_with("novalidhost-show", |r| {
        masked_flavor(r);
        r.target = format!("/v2.1/servers/{}", id.as_str().expect("an id"));
    });
}

#[test]
fn pages() {
    let s = setup();
    let body =
        |n: usize| json!({"server": {"name": format!("srv-{n:02}"), "imageRef": IMAGE, "flavorRef": "1"}}).to_string();
    for n in 1..=12 {
        s.send("POST", "/compute/v2.1/servers", &[], &body(n));
    }
    // While they are scheduled, a full page is short and bears no link, but nothing is lost behind its last marker.
    let first = s.send("GET", "/compute/v2.1/servers?limit=7", &[], "").json();
    let page = first["servers"].as_array().expect("servers");
    assert!(page.len() < 7 && first.get("servers_links").is_none());
    let last = page.last().expect("one")["id"].as_str().expect("an id").to_owned();
    let second = s
        .send("GET", &format!("/compute/v2.1/servers?limit=7&marker={last}"), &[], "")
        .json();
    assert_eq!(second["servers"].as_array().expect("servers").len() + page.len(), 12);
    s.world.advance(60);
    let recorded = load("openstack-zed", "page-exact");
    let got = s.ask(&recorded);
    let (theirs, ours) = (recorded.reply.json(), got.json());
    assert_eq!(
        ours["servers"].as_array().map(Vec::len),
        theirs["servers"].as_array().map(Vec::len)
    );
    let next = ours["servers_links"][0]["href"]
        .as_str()
        .expect("a link also when nothing is left");
    let target = &next[next.find("/compute").expect("ours")..];
    assert_eq!(s.send("GET", target, &[], "").json(), json!({"servers": []}));
    s.agrees("page-bad-marker");
    s.agrees("page-limit-nonint");
    s.agrees("filter-all-tenants-as-member");
    s.agrees("page-flavors");
    s.world.with(|w| w.cloud("main").keypairs.clear());
    s.agrees("page-keypairs");
}

#[test]
fn images() {
    let s = setup();
    s.world.with(|w| {
        let cloud = w.cloud("main");
        for n in 0..30 {
            cloud.image(
                &format!("f7b11704-38f3-43a4-b923-f2b527a339{n:02}"),
                &format!("image-{n}"),
            );
        }
    });
    let all = s.send("GET", "/image/v2/images", &[], "").json();
    assert_eq!(all["images"].as_array().map(Vec::len), Some(25));
    assert!(
        all["next"]
            .as_str()
            .expect("a next page")
            .starts_with("/v2/images?marker=")
    );
    let few = s
        .send(
            "GET",
            "/image/v2/images?name=in:image-3,%22image-4%22&limit=1000",
            &[],
            "",
        )
        .json();
    assert_eq!(few["images"].as_array().map(Vec::len), Some(2));
    let theirs = load("openstack-zed", "page-images").reply.json();
    let (theirs, ours) = (
        theirs["images"][0].as_object().expect("an image"),
        all["images"][0].as_object().expect("one"),
    );
    // A hash that nobody reads is left out, and `os_distro` is a property of that image alone.
    let missing: Vec<&String> = theirs
        .keys()
        .filter(|k| !ours.contains_key(*k) && !k.starts_with("os_hash") && *k != "os_distro")
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn refused_servers() {
    let s = setup();
    s.world.with(|w| {
        let cloud = w.cloud("main");
        cloud.flavors.push(Flavor {
            id: "6dd83487-3c23-445b-894f-50f0d27e78d2".to_owned(),
            name: "m1.nodisk".to_owned(),
            vcpus: 1,
            ram: 1,
            disk: 0,
            disabled: false,
        });
    });
    for name in [
        "err-unknown-image",
        "err-unknown-flavor",
        "err-unknown-keypair",
        "err-unknown-network",
        "err-unknown-az",
        "err-unknown-secgroup",
        "err-no-name",
        "err-bad-image-ref",
        "err-bad-network-uuid",
        "err-metadata-not-string",
        "err-not-json",
        "err-zero-disk-flavor",
        "err-get-unknown-server",
        "err-unknown-path",
        "nova-mv-too-high",
        "err-user-data-not-b64",
    ] {
        s.agrees(name);
    }
    // The offending value is echoed as Python prints it, in the order it was sent; the fake sorts its keys.
    for name in ["err-extra-property", "err-missing-flavor", "err-tags-without-mv"] {
        let recorded = load("openstack-zed", name);
        let got = s.ask(&recorded);
        let ending = |v: Value| {
            v["badRequest"]["message"]
                .as_str()
                .and_then(|m| m.rsplit("}. ").next().map(str::to_owned))
        };
        assert_eq!(ending(got.json()), ending(recorded.reply.json()), "{name}");
    }
    s.agrees_with("err-body-too-big-413", |r| r.body = "x".repeat(114_689));
    s.world.with(|w| {
        let cloud = w.cloud("main");
        let mut second = cloud.networks[0].clone();
        (second.id, second.name) = (SMALL_NETWORK.to_owned(), "dual".to_owned());
        cloud.networks.push(second);
    });
    s.agrees("err-networks-absent-ambiguous");
}

#[test]
fn quotas() {
    let s = setup();
    s.world.with(|w| {
        let cloud = w.cloud("main");
        (cloud.quota.instances, cloud.quota.cores, cloud.quota.ram) = (2, 4, 8192);
        cloud.networks[0].id = SMALL_NETWORK.to_owned();
        let xlarge = cloud
            .flavors
            .iter_mut()
            .find(|f| f.name == "m3.xlarge")
            .expect("the flavor");
        xlarge.id = "4b6c4405-b206-449e-820b-f502e25838dd".to_owned();
    });
    s.agrees_with("limits", |r| {
        r.reply.body = r
            .reply
            .body
            .replace("\"maxTotalKeypairs\": 2", "\"maxTotalKeypairs\": 100")
    });
    s.agrees("quota-cores");
    s.agrees("quota-ram");
    for _ in 0..2 {
        let body = json!({"server": {"name": "q", "imageRef": IMAGE, "flavorRef": "1"}}).to_string();
        assert_eq!(s.send("POST", "/compute/v2.1/servers", &[], &body).status, 202);
    }
    s.agrees("quota-instances");
}
