//! The life of a server: asked for, booting, joined, idle, removed.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::cloud::{Cloud, FOREIGN};
use super::patience::poll;
use super::site::{LINUX, LOGIN, Site, text};

/// All that a template can ask for.
const FULL: &str = "
  linux:
    image_name: ubuntu-24.04
    size: m1.tiny
    keyname: e2e-key
    networks: [private]
    security_groups: [default]
    availability_zone: az2
    storage: 1
    config_drive: true
    metadata: {team: ci}
    labels: [linux, x86_64]
    provider: real
    script: |
      #!/bin/sh
      echo {{ mita.name }} ${x#y} {{.ID}}
";

const REMOVED: [&str; 3] = [
    "offline done linux",
    "delete_node done linux",
    "delete_server done linux",
];

fn foreign(site: &Site) -> String {
    site.cloud.foreign_server(&site.owner, "linux__0123456789ab", "private")
}

fn untouched(site: &Site, id: &str) {
    let server = site.cloud.server(id).expect("the foreign server is there");
    assert_eq!(
        (text(&server, "status"), text(&server, "name")),
        ("ACTIVE", "linux__0123456789ab"),
        "{server:#}"
    );
    assert_eq!(text(&server["metadata"], FOREIGN), site.owner);
}

fn address(server: &Value) -> String {
    let networks = server["addresses"].as_object().unwrap();
    networks.values().next().unwrap()[0]["addr"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn a_job_gets_a_server_and_it_goes_with_its_volume() {
    let site = Site::new("life", "ci");
    let stranger = foreign(&site);
    site.cloud.key_pair("e2e-key");
    site.configure(FULL, LOGIN);
    let [metrics, page] = ["mita.prom", "mita.html"].map(|name| site.path(name));
    let files = format!(
        "metrics_file: {}\nstatus_page: {}\nlimits:",
        metrics.display(),
        page.display()
    );
    site.change_config("limits:", &files);
    site.job("build", "linux && x86_64");

    let dry = site.mita(&["run", "--dry-run", "-o", "json"]);
    assert_eq!(
        (dry.code, dry.actions()),
        (0, vec!["create planned linux".to_owned()]),
        "{}",
        dry.err
    );
    assert!(
        site.servers().is_empty() && !site.state_file().exists(),
        "a dry run writes nothing"
    );

    let first = site.pass();
    assert_eq!(
        (first.actions(), first.posts()),
        (vec!["create done linux".to_owned()], 1),
        "{}",
        first.err
    );
    let second = site.pass();
    assert!(
        second.actions().is_empty(),
        "a booting server is supply: {}",
        second.out
    );
    assert_eq!(text(&site.status()["servers"][0], "phase"), "booting");

    let server = site.active();
    as_asked(&server);
    let id = text(&server, "id").to_owned();
    let volume = text(&server["os-extended-volumes:volumes_attached"][0], "id").to_owned();
    assert_eq!(site.cloud.volume(&volume).expect("the volume")["size"], 1);
    let third = site.pass();
    assert!(
        third.actions().is_empty() && third.posts() == 0,
        "ACTIVE, and not joined yet: {}",
        third.out
    );

    site.join(text(&server, "name"), &["linux", "x86_64"]);
    let joined = site.status();
    assert_eq!(joined["servers"][0]["jenkins_node"], server["name"], "{joined:#}");
    assert_eq!(text(&joined["servers"][0], "address"), address(&server));
    assert_eq!(site.until_empty(), REMOVED, "Jenkins first, then the cloud, each once");
    assert_eq!(site.agents(), 0);
    assert!(site.cloud.server(&id).is_none(), "the server is gone");
    poll("the volume is gone", || {
        site.cloud.volume(&volume).is_none().then_some(())
    });
    let last = site.pass();
    assert_eq!(
        (last.actions(), &last.json()["observed"]["servers"]["real"]),
        (Vec::new(), &Value::from(0))
    );
    untouched(&site, &stranger);
    site.cloud.delete_key_pair("e2e-key");
    told(&site, text(&server, "name"));
    let metrics = fs::read_to_string(metrics).unwrap();
    for wanted in [
        "mita_pass_success 1",
        "mita_creates_total{node=\"linux\",provider=\"real\",result=\"done\"} 1",
        "mita_boot_seconds_count{node=\"linux\"} 1",
        // The quota of Nova itself.
        "mita_quota_limit{provider=\"real\",resource=\"instances\"} ",
    ] {
        assert!(metrics.contains(wanted), "{wanted} in\n{metrics}");
    }
    let page = fs::read_to_string(page).unwrap();
    assert!(page.contains(text(&server, "name")), "the page has its events");
}

/// The journal tells of the server once, from its create to its end.
fn told(site: &Site, name: &str) {
    let rows = site.mita(&["history", name, "-o", "json"]).good().json();
    let rows: Vec<&Value> = rows["rows"].as_array().unwrap().iter().collect();
    let events: Vec<&str> = rows.iter().map(|row| text(row, "event")).collect();
    assert_eq!(events, ["created", "joined", "removed"], "{rows:#?}");
    assert_eq!(text(rows[0], "for"), "build");
    assert!(rows[2]["seconds"].as_f64().unwrap() >= rows[1]["seconds"].as_f64().unwrap());
}

/// The server is what the template says, as the cloud itself tells it.
fn as_asked(server: &Value) {
    let id = text(server, "id");
    let name = text(server, "name");
    let ours = name.strip_prefix("linux__").expect("the template's name first");
    assert!(
        ours.len() == 12 && ours.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "{name}"
    );
    let metadata = &server["metadata"];
    assert_eq!(
        (text(metadata, "mita-owner"), text(metadata, "mita-node")),
        ("e2e-life", "linux")
    );
    assert_eq!((text(metadata, "mita-id"), text(metadata, "team")), (ours, "ci"));
    assert!(!text(metadata, "mita-config").is_empty());
    assert_eq!(
        (text(server, "key_name"), text(server, "config_drive")),
        ("e2e-key", "True")
    );
    assert_eq!(text(server, "OS-EXT-AZ:availability_zone"), "az2");
    assert_eq!(text(&server["security_groups"][0], "name"), "default");
    assert!(server["addresses"]["private"].is_array(), "{server:#}");
    let told = Cloud::admin().server(id).expect("an administrator sees every server");
    let script = STANDARD.decode(text(&told, "OS-EXT-SRV-ATTR:user_data")).unwrap();
    assert_eq!(
        String::from_utf8(script).unwrap(),
        format!("#!/bin/sh\necho {name} ${{x#y}} {{{{.ID}}}}\n")
    );
}

#[test]
fn without_its_state_file_it_knows_its_servers_by_mark_and_address() {
    let site = Site::new("adopt", "ci");
    let stranger = foreign(&site);
    site.job("build", "linux");
    assert_eq!(site.pass().actions(), ["create done linux"]);
    site.forget_state();
    let second = site.pass();
    assert_eq!(
        (second.actions(), second.posts()),
        (Vec::new(), 0),
        "it is seen though nothing is remembered"
    );
    assert_eq!(second.json()["observed"]["servers"]["real"], 1);

    let server = site.active();
    site.join(&format!("linux+{}", address(&server)), &["linux", "x86_64"]);
    site.forget_state();
    site.pass();
    let status = site.status();
    assert_eq!(status["servers"].as_array().unwrap().len(), 1, "{status:#}");
    assert_eq!(
        status["servers"][0]["jenkins_node"],
        format!("linux+{}", address(&server)),
        "{status:#}"
    );
    assert_eq!(site.until_empty(), REMOVED);
    assert_eq!(site.agents(), 0);
    untouched(&site, &stranger);
}

#[test]
fn a_server_boots_from_a_volume() {
    let site = Site::new("volume", "ci");
    let nodes = LINUX.replace("size: m1.tiny", "size: m1.nodisk\n    boot_volume: 2\n    storage: 1");
    site.configure(&nodes, LOGIN);
    site.job("build", "linux");
    assert_eq!(site.pass().actions(), ["create done linux"]);
    let server = site.active();
    assert_eq!(server["image"], "", "its image lies on the volume");
    let volumes = server["os-extended-volumes:volumes_attached"].as_array().unwrap();
    let ids: Vec<&str> = volumes.iter().map(|volume| text(volume, "id")).collect();
    let mut sizes: Vec<u64> = ids
        .iter()
        .map(|id| site.cloud.volume(id).unwrap()["size"].as_u64().unwrap())
        .collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [1, 2]);

    let name = text(&server, "name");
    let gone = site.mita(&["destroy", name, "-o", "json"]);
    assert_eq!(
        (gone.code, gone.actions()),
        (0, vec!["delete_server done linux".to_owned()]),
        "{}",
        gone.err
    );
    poll("server and volumes are gone", || {
        let left =
            site.cloud.server(text(&server, "id")).is_some() || ids.iter().any(|id| site.cloud.volume(id).is_some());
        (!left).then_some(())
    });
}
