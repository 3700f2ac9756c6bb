//! The keys of `nodes` and `defaults`.

use mita::config::{Adopt, Loaded};
use mita::model::{ImageRef, Zone};

use super::site::{JENKINS, PROVIDER, check, end, file, load, no_env, node, refused, try_load};

#[test]
fn wrong_values_of_a_template_are_named() {
    let one = |line: &str, wanted: &str| check(node(line), &[&format!("mita.yaml:17:{wanted}")]);
    one("x: 1", "5: nodes.small.x: unknown key; see mita.yaml.example");
    one(
        "lables: [a]",
        "5: nodes.small.lables: unknown key; did you mean labels?",
    );
    one(
        "min_lifetime: 3",
        "5: nodes.small.min_lifetime: unknown key here; it belongs under timing",
    );
    one(
        "max: -1",
        "10: nodes.small.max: must not be negative, is -1; write 0 or more",
    );
    one(
        "max: many",
        "10: nodes.small.max: must be a whole number, is \"many\"; write it like 3",
    );
    one(
        "max: 010",
        "10: nodes.small.max: must be a whole number, is \"010\"; write it like 3",
    );
    one(
        "max: [1]",
        "10: nodes.small.max: must be a whole number, is a list; see mita.yaml.example",
    );
    one(
        "min_ready: 11",
        "16: nodes.small.min_ready: must be at most max (10 by default), is 11; set max, too",
    );
    one(
        "executors: 1001",
        "16: nodes.small.executors: must be at most 1000, is 1001; no server runs so many builds at a time",
    );
    one(
        "executors: 0",
        "16: nodes.small.executors: must be at least 1, is 0; to make none of it set max: 0",
    );
    one(
        "idle_grace: -5m",
        "17: nodes.small.idle_grace: must not be negative, is \"-5m\"; write it like 40m or 1h 30m",
    );
    one(
        "boot_grace: 0",
        "17: nodes.small.boot_grace: must be more than 0; the default is timing.boot_grace",
    );
    one(
        "max_lifetime: 0",
        "19: nodes.small.max_lifetime: must be more than 0: each node would go at once; for no limit write none",
    );
    one(
        "max_lifetime: 20000d",
        "19: nodes.small.max_lifetime: \"20000d\" is longer than ten years; write it like 40m or 1h 30m",
    );
}

#[test]
fn wrong_names_in_a_template_are_named() {
    let one = |line: &str, wanted: &str| check(node(line), &[&format!("mita.yaml:17:{wanted}")]);
    one(
        "image: x",
        "5: nodes.small.image: means the same as image_name in line 14; keep one of the two",
    );
    one(
        "image_id: x",
        "15: nodes.small.image_id: image_name is given, too; keep one of the two",
    );
    one(
        "size: x",
        "5: nodes.small.size: set twice, first in line 15; keep one of the two",
    );
    one(
        "networks: {a: b}",
        "15: nodes.small.networks: must be a list of texts, is a mapping; see mita.yaml.example",
    );
    one(
        "networks: [~]",
        "16: nodes.small.networks[0]: is empty; write a text or remove the line",
    );
    one(
        "availability_zone: [a, a]",
        "28: nodes.small.availability_zone[1]: \"a\" is here twice; remove one",
    );
    one(
        "metadata: {a: }",
        "16: nodes.small.metadata.a: is empty; write \"\" for an empty text",
    );
    one(
        "metadata: {Mita-x: 1}",
        "24: nodes.small.metadata.Mita-x: keys that begin with mita- are mita's own marks; rename it",
    );
    one(
        "metadata: {a/b: 1}",
        "21: nodes.small.metadata.\"a/b\": a key has 1 to 255 letters, digits, blanks or - _ : . characters; rename it",
    );
    one(
        "config_drive: maybe",
        "19: nodes.small.config_drive: must be true or false, is \"maybe\"; write it like true",
    );
    one(
        "keyname: ''",
        "14: nodes.small.keyname: is empty; write a text or remove it",
    );
    one(
        "keyname: !x y",
        "14: nodes.small.keyname: a YAML tag has no meaning here; put a value that begins with ! into quotes",
    );
    one(
        "register: inbuond",
        "15: nodes.small.register: \"inbuond\" is no way to register; did you mean inbound?",
    );
    check(
        node("min_ready: 3\nmax: 2"),
        &["mita.yaml:18:10: nodes.small.max: must be at least min_ready (3), is 2; raise one, lower the other"],
    );
    let long = "x".repeat(256);
    one(
        &format!("metadata: {{a: {long}}}"),
        "19: nodes.small.metadata.a: a value has at most 255 characters; shorten it",
    );
}

#[test]
fn adopt_is_a_flag_or_all() {
    for (written, wanted) in [
        ("", Adopt::No),
        ("adopt:\n", Adopt::No),
        ("adopt: false\n", Adopt::No),
        ("adopt: \"no\"\n", Adopt::No),
        ("adopt: true\n", Adopt::Yes),
        ("adopt: Yes\n", Adopt::Yes),
        ("adopt: all\n", Adopt::All),
        ("\"adopt\": \"ALL\"\n", Adopt::All),
    ] {
        let Loaded { config, hints, .. } = load(&node(written));
        assert_eq!(config.templates[0].adopt, wanted, "{written}");
        let hint = hints.iter().find(|hint| hint.contains(".adopt: "));
        assert_eq!(hint.is_some(), wanted.is_on(), "{written}: {hints:?}");
        if let Some(hint) = hint {
            assert_eq!(
                hint.contains("if another controller"),
                wanted.removes_never_linked(),
                "{hint}"
            );
        }
    }
    check(
        node("adopt: al\n"),
        &["mita.yaml:17:12: nodes.small.adopt: must be true, false or all, is \"al\"; write it like true"],
    );
    check(
        node("adopt: [true]\n"),
        &["mita.yaml:17:12: nodes.small.adopt: must be true, false or all, is a list; see mita.yaml.example"],
    );
}

#[test]
fn labels_and_references_are_checked() {
    let node = |line: &str| file(PROVIDER, JENKINS, &format!("image_name: i\nsize: s\n{line}"), "");
    check(
        node("labels: [a, '', \"b\\t\"]"),
        &[
            "mita.yaml:16:17: nodes.small.labels[1]: a label cannot be empty; write a text or remove it",
            "mita.yaml:16:21: nodes.small.labels[2]: label \"b\\t\" holds a control character; remove it",
        ],
    );
    let warning = |line: &str| {
        load(&node(line)).warnings[0]
            .text
            .split_once("mita.yaml:")
            .unwrap()
            .1
            .to_owned()
    };
    assert_eq!(
        warning("labels: [a b]"),
        "16:14: nodes.small.labels[0]: label \"a b\" holds a blank, where Jenkins splits it; write two labels"
    );
    assert!(warning("labels: []").contains("nodes.small.labels: has no labels"));
    assert_eq!(load(&node("labels: []\naccepts_unlabelled: yes")).warnings, []);
    check(
        node("labels: [a]").replace("provider: openstack", "provider: [openstack, opnstack]"),
        &["mita.yaml:13:27: nodes.small.provider[1]: there is no provider \"opnstack\"; did you mean openstack?"],
    );
}

/// The hints of a good file, without the name of the file.
fn hints(text: &str) -> Vec<String> {
    let warnings = load(text).warnings.into_iter();
    warnings
        .map(|warning| warning.text.split_once("mita.yaml:").unwrap().1.to_owned())
        .collect()
}

#[test]
fn characters_that_are_not_seen_are_named() {
    let text = file(
        PROVIDER,
        JENKINS,
        "image_name: \"i\u{200b}\"\nsize: s\nlabels:\n  - a\n  - linux\u{a0}\n  - \"\\u202ex\"\n  - größe\nnetworks: [n\u{ad}]",
        "",
    );
    let not_seen = "which is not seen";
    let label = format!("{not_seen}: only jobs that ask for it, too, fit; remove it");
    let name = format!("{not_seen}; remove it unless it is meant");
    let wanted = [
        format!("14:17: nodes.small.image_name: \"i\\u{{200b}}\" holds \\u{{200b}}, {name}"),
        format!("18:9: nodes.small.labels[1]: label \"linux\\u{{a0}}\" holds \\u{{a0}}, {label}"),
        format!("19:9: nodes.small.labels[2]: label \"\\u{{202e}}x\" holds \\u{{202e}}, {label}"),
        format!("21:16: nodes.small.networks[0]: \"n\\u{{ad}}\" holds \\u{{ad}}, {name}"),
    ];
    assert_eq!(hints(&text), wanted);
    let labels = load(&text).config.templates[0].labels.clone();
    assert!(labels.contains("linux\u{a0}"), "Jenkins has it as it is: {labels:?}");

    let text = node("").replace("small:", "sm\u{2060}all:");
    assert_eq!(
        hints(&text),
        [format!(
            "12:3: nodes.\"sm\\u{{2060}}all\": \"sm\\u{{2060}}all\" holds \\u{{2060}}, {name}"
        )]
    );
    let text = node("")
        .replace("openstack", "open\u{200d}stack: {type: openstack}")
        .replace("{type: openstack}:", "type");
    assert!(!refused(&text).concat().contains('\u{200d}'), "{:?}", refused(&text));
    check(
        node("").replace("labels:", "labels\u{a0}:"),
        &["mita.yaml:16:5: nodes.small.\"labels\\u{a0}\": unknown key; did you mean labels?"],
    );
}

#[test]
fn names_of_templates_are_checked() {
    let check_name = |name: &str, wanted: Option<&str>| {
        let text = node("").replace("small:", &format!("{name}:"));
        let lines = try_load(text, &no_env).map_or_else(|lines| lines.join("\n"), |_| String::new());
        match wanted {
            None => assert_eq!(lines, "", "{name}"),
            Some(wanted) => assert!(
                lines.starts_with("mita.yaml:12:3: nodes.") && lines.contains(wanted),
                "{lines}"
            ),
        }
    };
    for good in [
        "precise-slave",
        "centos7_huge",
        "Ubuntu 22.04",
        "a__b",
        "größe",
        &"x".repeat(49),
    ] {
        check_name(good, None);
    }
    for forbidden in "?*/\\%!@#$^&|<>[]:;".chars() {
        check_name(
            &format!("'a{forbidden}b'"),
            Some("Jenkins forbids it in a node's name; rename it"),
        );
    }
    check_name("a+b", Some("cannot hold +"));
    check_name("' a'", Some("cannot begin or end with a blank"));
    check_name("\"a\\nb\"", Some("control character"));
    check_name("a__0123456789ab", Some("cannot end like a server's"));
    check_name(&"x".repeat(50), Some("at most 49 characters"));
    check_name("''", Some("is empty"));
}

#[test]
fn defaults_are_inherited_and_their_faults_said_once() {
    let nodes = "  large:\n    image_id: x\n    max_lifetime:\n";
    let defaults = "defaults: {provider: openstack, size: s, labels: [d], image: i, max_lifetime: 1d, min_ready: 1}\n";
    let Loaded { config, .. } = load(&end(&format!("{nodes}{defaults}")));
    let names: Vec<&str> = config.templates.iter().map(|t| t.name.as_str()).collect();
    assert_eq!(names, ["small", "large"]);
    let large = config.template("large").unwrap();
    assert_eq!(large.spec.image, ImageRef::Id("x".to_owned()));
    assert_eq!((large.max_lifetime, large.min_ready.most()), (None, 1));
    assert_eq!(config.template("small").unwrap().max_lifetime.unwrap().as_hours(), 24);
    check(
        end(
            "  large: {provider: openstack, image: i, size: s, labels: []}\ndefaults: {keyname: '', regster: x, max: x}\n",
        ),
        &[
            "mita.yaml:18:21: defaults.keyname: is empty; write a text or remove it",
            "mita.yaml:18:25: defaults.regster: unknown key; did you mean register?",
            "mita.yaml:18:42: defaults.max: must be a whole number, is \"x\"; write it like 3",
        ],
    );
}

#[test]
fn cron_windows_are_read_and_checked() {
    let windows = "min_ready:\n  - {cron: '* 8-18 * * mon-fri', timezone: Europe/Berlin, ready: 3}\n  - {cron: '* * * * *', ready: 1}";
    let Loaded { config, .. } = load(&node(windows));
    let pool = &config.templates[0].min_ready;
    assert_eq!(pool.at("2026-01-05T07:00:00Z".parse().unwrap()), 3);
    assert_eq!(pool.at("2026-01-05T06:59:00Z".parse().unwrap()), 1);
    check(
        node("min_ready: [{cron: '* 8 * * *', timezone: Europe/Berln, ready: 30}, {cron: '* *', redy: 1}, 5]"),
        &[
            "mita.yaml:17:47: nodes.small.min_ready[0].timezone: there is no time zone \"Europe/Berln\"; write it like Europe/Berlin",
            "mita.yaml:17:68: nodes.small.min_ready[0].ready: must be at most max (10 by default), is 30; set max, too",
            "mita.yaml:17:80: nodes.small.min_ready[1].cron: has 2 fields instead of five; write minute hour day month weekday, like `* 8-18 * * mon-fri`",
            "mita.yaml:17:87: nodes.small.min_ready[1].redy: unknown key; did you mean ready?",
            "mita.yaml:17:97: nodes.small.min_ready[2]: must be a mapping of keys, is a single value; see mita.yaml.example",
        ],
    );
}

#[test]
fn placements_are_providers_with_zones_in_order() {
    let text = node("availability_zone: [z1, z2]").replace("provider: openstack\n", "provider: [b, openstack]\n");
    let text = text.replace(
        "jenkins:\n",
        "  b: {type: openstack, auth_url: 'https://b', username: u, password: p, tenant: t}\njenkins:\n",
    );
    let Loaded { config, .. } = load(&text);
    let places: Vec<(&str, &str)> = config.templates[0]
        .placements
        .iter()
        .map(|p| (p.provider.as_str(), p.zone.as_ref().map_or("", Zone::as_str)))
        .collect();
    assert_eq!(
        places,
        [("b", "z1"), ("b", "z2"), ("openstack", "z1"), ("openstack", "z2")]
    );
}

#[test]
fn the_digest_covers_what_defines_a_server() {
    let digest = |lines: &str| load(&node(lines)).config.templates[0].digest.clone();
    let plain = digest("");
    for same in [
        "max: 3",
        "priority: 1",
        "idle_grace: 1h",
        "min_ready: 1",
        "availability_zone: z",
        "storage: 0",
    ] {
        assert_eq!(digest(same), plain, "{same}");
    }
    for other in [
        "executors: 2",
        "script: '#!'",
        "keyname: k",
        "storage: 1",
        "metadata: {a: b}",
        "networks: [n]",
    ] {
        assert_ne!(digest(other), plain, "{other}");
    }
}

#[test]
fn one_fault_leads_to_one_line() {
    let head = "provider: {openstack: {username: u, password: p, auth_url: 'https://k', tenant_name: t}}\n\
                jenkins: {url: 'https://j', user: u, token: t}\n";
    let lines = refused(format!("{head}nodes: {{n: []}}\n"));
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("nodes.n: must be a mapping of keys"), "{lines:?}");
    // A template may set its own; what it would get without is said by name.
    let lines = refused(format!(
        "{head}timing: {{boot_grace: 25h}}\nnodes: {{n: {{image_name: i, size: s, labels: [l], boot_grace: 0}}}}\n"
    ));
    assert!(
        lines
            .iter()
            .any(|line| line.ends_with("nodes.n.boot_grace: must be more than 0; the default is timing.boot_grace")),
        "{lines:?}"
    );
}

#[test]
fn a_long_script_is_found_whatever_its_provider() {
    let long = "x".repeat(50_002);
    for provider in ["opensatck", "openstack"] {
        let lines = refused(node(&format!("provider: {provider}\nscript: {long}")));
        assert!(
            lines.iter().any(|line| line.contains("nodes.small.script")),
            "{provider}: {lines:?}"
        );
    }
}
