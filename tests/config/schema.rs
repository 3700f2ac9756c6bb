//! `mita schema`: that it agrees with what is accepted and refused, for every file that these tests try.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use jsonschema::Validator;
use mita::config::{json_schema, json_schema_with};
use mita::provider::kind::Kind;
use mita::settings::problem::Report;
use mita::settings::yaml::{self, Node, Style, Value};
use serde_json::{Map, Value as Json, json};

use super::site::{SEED, Site, end, jenkins, node, provider};

static SCHEMA: LazyLock<Validator> = LazyLock::new(|| jsonschema::draft202012::new(&json_schema()).unwrap());

/// Holds the schema against what was said of a file: `lines` are the errors, none for one that was accepted.
#[track_caller]
pub fn agrees(text: &[u8], lines: &[String]) {
    agrees_with(&SCHEMA, text, lines);
}

/// Like [`agrees`], with the given kinds of clouds.
#[track_caller]
pub fn agrees_with_kinds(kinds: &[&'static Kind], text: &[u8], lines: &[String]) {
    let schema = jsonschema::draft202012::new(&json_schema_with(kinds)).unwrap();
    agrees_with(&schema, text, lines);
}

#[track_caller]
fn agrees_with(schema: &Validator, text: &[u8], lines: &[String]) {
    let Some(json) = std::str::from_utf8(text).ok().and_then(json_of) else {
        return;
    };
    let shown = String::from_utf8_lossy(text);
    if lines.is_empty() {
        let errors: Vec<String> = schema.iter_errors(&json).map(|error| error.to_string()).collect();
        assert_eq!(errors, [] as [&str; 0], "the schema refuses what is accepted:\n{shown}");
    }
    if let Some(line) = lines.iter().find(|line| is_about_shape(line, &shown)) {
        assert!(
            !schema.is_valid(&json),
            "the schema takes what is refused: {line}\n{shown}"
        );
    }
}

/// Returns whether an error is about the shape of a file: a key that is not known, a wrong type, a value out of its
/// bounds, something that is missing whatever else there is.
fn is_about_shape(line: &str, text: &str) -> bool {
    let Some((path, what)) = line.split_once("mita.yaml:").and_then(|(_, rest)| {
        let (_, rest) = rest.split_once(": ")?;
        rest.split_once(": ")
    }) else {
        return false;
    };
    // What is missing here may come from the environment, or its need depends on what else there is.
    let depends = ["or the variable", "XDG_STATE_HOME"];
    // Whether a template needs these depends on the types of the entries that its provider names.
    let of_server = ["image_name", "size"]
        .iter()
        .any(|key| path.rsplit('.').next() == Some(key));
    // Two values that contradict each other: `must be at least min_ready (3)`.
    let contradiction = what.starts_with("must be at ") && what.contains(" (");
    if depends.iter().any(|part| what.contains(part)) || contradiction || of_server && text.contains("exec") {
        return false;
    }
    let begins = [
        "unknown key",
        "belongs to type ",
        "must be a ",
        "must be true",
        "must be at least ",
        "must be at most ",
        "must be more than 0",
        "must not be negative",
        "names nothing that a flavor must have",
        "missing",
        "means the same as ",
    ];
    let inside = [
        " is not a duration; ",
        " is longer than ten years; ",
        " is not a size; ",
        " is not a number; ",
        " is no way to register",
        " is no mode of a node",
        " is no strategy",
        " is no source of labels",
        " is no interface",
        " is no type of provider",
        " cannot be used, mita knows no such login",
    ];
    begins.iter().any(|begin| what.starts_with(begin)) || inside.iter().any(|part| what.contains(part))
}

/// Returns what a YAML 1.2 reader makes of a file; `None` where that is nothing.
fn json_of(text: &str) -> Option<Json> {
    let report = Report::default();
    let tree = yaml::read(text.strip_prefix('\u{feff}').unwrap_or(text), &report).ok()?;
    report.is_good().then(|| value_of(&tree))
}

fn value_of(node: &Node) -> Json {
    match &node.value {
        Value::Scalar(text, Style::Plain) => plain(text),
        Value::Scalar(text, _) => text.as_str().into(),
        Value::List(items) => items.iter().map(value_of).collect(),
        Value::Map(entries) => {
            let pairs = entries.iter().map(|entry| (entry.key.clone(), value_of(&entry.value)));
            Json::Object(pairs.collect::<Map<String, Json>>())
        }
        _ => Json::Null,
    }
}

/// Resolves a plain scalar by the core schema of YAML 1.2, but for numbers with zeros in front, in other bases, and with
/// an exponent: there it differs from what is read on purpose, and no schema can tell.
fn plain(text: &str) -> Json {
    match text {
        "true" | "True" | "TRUE" => return true.into(),
        "false" | "False" | "FALSE" => return false.into(),
        _ => {}
    }
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_number = digits.starts_with(|c: char| c.is_ascii_digit())
        && !(digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0."));
    let is_number = is_number && digits.bytes().all(|b| b.is_ascii_digit() || b == b'.') && !text.ends_with(".0");
    if is_number && let Ok(number) = serde_json::from_str::<Json>(text) {
        return number;
    }
    text.into()
}

#[test]
fn the_schema_is_one() {
    let schema = json_schema();
    jsonschema::meta::validate(&schema).unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(schema["properties"]["limits"]["properties"]["canary"]["default"], 3);
    let max = &schema["$defs"]["node"]["properties"]["max"];
    assert_eq!(
        (&max["default"], &max["description"]),
        (&json!(10), &json!("The most servers of the template; 0 makes none."))
    );
    assert_eq!(
        schema["$defs"]["node"]["properties"]["user_data"]["description"],
        "The same as script."
    );
    assert_eq!(
        schema["properties"]["timing"]["properties"]["idle_grace"]["default"],
        "10m"
    );
}

/// Returns the configurations that this tree shows to people.
fn shown_files() -> Vec<PathBuf> {
    fn below(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                below(&path, found);
            } else if path.file_name().is_some_and(|name| name == "mita.yaml") {
                found.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = vec![root.join("mita.yaml.example")];
    below(&root.join("examples"), &mut found);
    found
}

#[test]
fn the_examples_validate() {
    let files = shown_files();
    assert!(files.len() > 1, "{files:?}");
    for file in files {
        let text = fs::read(&file).unwrap();
        agrees(&text, &[]);
        // And a wrong key in it does not.
        let wrong = [b"zzz: 1\n", text.as_slice()].concat();
        agrees(&wrong, &["mita.yaml:1:1: zzz: unknown key".to_owned()]);
    }
}

/// Lines of a template that are wrong.
const WRONG_NODES: [&str; 52] = [
    "max: -1",
    "max: many",
    "max: 1.5",
    "max: [1]",
    "executors: 0",
    "executors: 1001",
    "executors: \"0\"",
    "executors: \"1001\"",
    "labels2: [a]",
    "metadata: [a]",
    "metadata: {a: [b]}",
    "metadata: {a: }",
    "networks: {a: b}",
    "networks: [a, ~]",
    "networks: [[a]]",
    "scheduler_hints: x",
    "config_drive: perhaps",
    "config_drive: 1",
    "adopt: most",
    "register: other",
    "register: Self",
    "register: inbound\nagent: {port: 0}",
    "register: inbound\nagent: {port: 65536}",
    "register: inbound\nagent: {port: \"65536\"}",
    "register: inbound\nagent: {prt: 1}",
    "register: inbound\nagent: {mode: rare}",
    "register: inbound\nagent: {host_key: {strategy: luck}}",
    "register: inbound\nagent: x",
    "register: ssh",
    "register: ssh\nagent: {credentials_id: c}",
    "register: ssh\nagent: {credentials_id: c, host_key: {}}",
    "register: ssh\nagent: {credentials_id: ~, host_key: {strategy: none}}",
    "max_builds: 0",
    "idle_grace: soon",
    "idle_grace: -5",
    "idle_grace: -5m",
    "idle_grace: 11000d",
    "idle_grace: 400000000",
    "idle_grace: 1.5h",
    "idle_grace: none",
    "boot_grace: 0",
    "boot_grace: 0m",
    "max_lifetime: 0",
    "max_lifetime: sometimes",
    "min_ready: [{cron: '* * * * *'}]",
    "min_ready: [{ready: 1}]",
    "min_ready: [~]",
    "min_ready: {cron: '* * * * *', ready: 1}",
    "ports: [{vnic_type: direct}]",
    "ports: [~]",
    "user_data: a\nscript: b",
    "x-mine: a",
];

/// Every way to be wrong, in every place that it can be in.
#[test]
fn what_is_refused_for_its_shape_is_refused_by_the_schema() {
    let of_nodes = WRONG_NODES.iter().map(|lines| node(lines));
    let wrong = [
        SEED.replace("    keyname:", "    keynam:"),
        SEED.replace("    username: adeza\n", ""),
        SEED.replace("    tenant_name: ceph-ci\n", ""),
        SEED.replace("    auth_url: http://openstack.example.com:5000\n", ""),
        SEED.replace("    image_name: Ubuntu Trusty (2014.04) cloudimg\n", ""),
        SEED.replace("    size: m3.xlarge\n", ""),
        SEED.replace("    provider: openstack\n", ""),
        SEED.replace("    labels: [amd64, x86_64, precise, trusty, wheezy, jessie]\n", ""),
        SEED.replace("  url: http://jenkins.ceph.com\n", ""),
        SEED.replace("  user: alfredodeza\n", ""),
        SEED.replace("2.0_password", "2.0_pasword"),
        node("register: ssh") + "defaults: {agent: {port: 22}}\n",
        node("agent: {port: 22}") + "defaults: {register: ssh}\n",
        end("limits: {max_body: 1}"),
        end("limits: {max_body: 63KiB}"),
        end("limits: {max_body: 1.5M}"),
        end("limits: {max_body: lots}"),
        end("limits: {max_booting: 0}"),
        end("limits: {pass_deadline: 0}"),
        end("limits: []"),
        end("limits: {canry: 1}"),
        end("timing: {idle: 1}"),
        end("defaults: {labls: [a]}"),
        end("defaults: 5"),
        end("journal_max: 1KiB"),
        end("status_page_refresh: 0"),
        node("price: -1"),
        node("price: 1 EUR"),
        node("price: '0.0000001'"),
        end("notify: {timeout: 5}"),
        end("notify: {command: /bin/true, timeout: 301}"),
        end("notify: {command: /bin/true, timeout: 6m}"),
        jenkins("labels_from: dice"),
        jenkins("verify: 2"),
        jenkins("timeout: 0"),
        jenkins("anchor: [true]"),
        provider("command: x"),
        provider("type: ec3"),
        provider("type: exec"),
        provider("interface: outer"),
        provider("service_region: [a]"),
        provider("ex_nothing: a"),
        "provider: {cloud: {}}\njenkins: {url: 'https://j', user: u, token: t}\nnodes: {}\n".to_owned(),
        "provider: {}\njenkins: {url: 'https://j', user: u, token: t}\nnodes: {}\n".to_owned(),
        "provider: {x: {type: exec}}\njenkins: {url: 'https://j', user: u, token: t}\nnodes: {}\n".to_owned(),
        "jenkins: {}\n".to_owned(),
        "nodes: 5\n".to_owned(),
    ];
    for text in of_nodes.chain(wrong) {
        let lines = Site::new().load(&text).map(|_| "loaded").unwrap_err();
        assert!(
            lines.iter().any(|line| is_about_shape(line, &text)
                || line.contains(": is empty; ")
                || line.contains("not supported")),
            "{lines:?}\n{text}"
        );
        let json = json_of(&text).unwrap();
        assert!(!SCHEMA.is_valid(&json), "{lines:?}\n{text}");
    }
}

#[test]
fn what_is_accepted_in_any_spelling_is_accepted_by_the_schema() {
    let good = [
        node("max: \"5\""),
        node("max: ~"),
        node("keyname: 24.04"),
        node("keyname:"),
        node("ex_keyname: k"),
        node("key_name: k"),
        node("labels2: [a]").replace("labels2", "networks"),
        node("networks: one"),
        node("networks: [1, true, 2.5]"),
        node("config_drive: yes"),
        node("config_drive: OFF"),
        node("adopt: ALL"),
        node("register: inbound\nagent: {mode: Exclusive, port: \"22\"}"),
        node("register: ssh\nagent: {credentials_id: c, host_key: {strategy: none}}"),
        node("register: ssh") + "defaults: {agent: {credentials_id: c, host_key: {strategy: none}}}\n",
        node("agent: {credentials_id: c, host_key: {strategy: none}}")
            + "defaults: {register: ssh, agent: {port: 22}}\n",
        node("idle_grace: 1h 30m"),
        node("idle_grace: 0"),
        node("idle_grace: \"90\""),
        node("max_lifetime: none"),
        node("max_lifetime: 2 days"),
        node("min_ready: 1"),
        node("min_ready: [{cron: '* * * * *', ready: 1}]"),
        node("ports: [a, {network: n}]"),
        node("ports: {network: n}"),
        node("scheduler_hints: {group: [a, {b: 1}], c: ~}"),
        end("limits:\ntiming:\ndefaults:\n"),
        end("limits: {max_body: 64KiB, max_servers: 3}"),
        end("limits: {max_body: 65536}"),
        end("x-mine: [1, 2]"),
        end("notify: {command: /bin/true, timeout: 5m}"),
        provider("ex_force_service_region: r"),
        provider("region: r"),
        provider("service_region: \"\""),
        provider("auth_version: 3"),
        provider("auth_version: 3.X_Password"),
        provider("interface: publicURL"),
        node("").replace("provider:\n  openstack", "providers:\n  openstack"),
        node("")
            .replace("  small:", "  small: &a")
            .replace("image_name: i", "image: i")
            + "  other: *a\n",
        "provider: {openstack: {auth_url: 'https://k', username: u, password: p, tenant_name: t}}\n\
         jenkins: {url: 'https://j', user: u, token: t}\nnodes: {small: {size: s}}\n\
         defaults: {provider: openstack, labels: [a], image_id: i}\n"
            .to_owned(),
        "provider: {openstack: {auth_url: 'https://k', username: u, password: p, tenant_name: t}}\n\
         jenkins: {url: 'https://j', user: u, token: t}\nnodes:\n"
            .to_owned(),
    ];
    for text in &good {
        let loaded = Site::new().load(text);
        assert!(loaded.is_ok(), "{:?}\n{text}", loaded.err());
    }
}

#[test]
fn texts_that_no_url_and_no_name_can_be_are_refused() {
    let site = Site::new();
    for text in [
        end("").replace("https://ci/jenkins/", "ci/jenkins"),
        end("").replace("https://cloud:5000", "cloud:5000"),
        node("networks: [\"a\\nb\"]"),
        node("networks: [\"\"]"),
        node("security_groups: [\" a\"]"),
        node("availability_zone: \"a \""),
        node("").replace("labels: [a]", "labels: [\"a\\nb\"]"),
    ] {
        assert!(site.load(&text).is_err(), "{text}");
        assert!(!SCHEMA.is_valid(&json_of(&text).unwrap()), "{text}");
    }
    let text = end("").replace("https://cloud:5000", "HTTPS://cloud:5000");
    assert!(site.load(&text).is_ok() && SCHEMA.is_valid(&json_of(&text).unwrap()));
}
