//! The user data: placeholders, length.

use std::fs;

use mita::config::script::{self, Joining, Values};

use super::site::{Site, check, indented, load, node, refused};

#[test]
fn a_script_is_checked_where_it_stands() {
    check(
        node("script: |\n\n  echo {{ mita.nam }}\n    {{ mita.agent_secret }}"),
        &[
            "mita.yaml:19:12: nodes.small.script: unknown placeholder {{ mita.nam }}; did you mean name?",
            "mita.yaml:20:9: nodes.small.script: {{ mita.agent_secret }} is known only with register: inbound; set that, or remove it",
        ],
    );
    let loaded = load(&node("script: |\n  #!/bin/sh\n  hostname {{mita.id}} %s"));
    let warnings = loaded.warnings;
    let texts = warnings.iter().map(|warning| &warning.text).chain(&loaded.hints);
    let texts: Vec<&str> = texts.map(|text| text.split_once("mita.yaml:").unwrap().1).collect();
    assert_eq!(
        texts,
        [
            "19:16: nodes.small.script: {{mita.id}} is left as it is; a placeholder has exactly the form {{ mita.name }}",
            "19:28: nodes.small.script: %s is left as it is; where the node's id is meant write {{ mita.id }}",
        ]
    );
    assert!(warnings.iter().all(|warning| warning.check_only));
}

#[test]
fn a_script_may_be_as_long_as_the_cloud_takes_it() {
    let script = |bytes: usize| node(&format!("script: \"#!{}\"", "x".repeat(bytes - 2)));
    load(&script(49_149));
    check(
        script(49_150),
        &[
            "mita.yaml:17:13: nodes.small.script: is too long for the cloud: 49150 bytes with its placeholders filled in, at most 49149; let it fetch the rest",
        ],
    );
    // Headroom for what the placeholder stands for: 19 bytes instead of 15.
    let text = |bytes: usize| script(bytes).replace("\"#!", "\"#!{{ mita.name }}");
    load(&text(49_149 - 19));
    assert_eq!(refused(text(49_149 - 18)).len(), 1);
}

#[test]
fn a_script_is_rendered() {
    let values = Values {
        id: "0123456789ab",
        name: "small__0123456789ab",
        node: "small",
        labels: "a b",
        owner: "o",
        executors: 1,
        jenkins_url: "https://ci",
        joining: Joining::Nothing,
    };
    let script = "{{ mita.name }} {{.ID}} ${#a[@]} $(date +%s) {{mita.id}}";
    let wanted = "small__0123456789ab {{.ID}} ${#a[@]} $(date +%s) {{mita.id}}";
    assert_eq!(script::render(script, &values), wanted);
}

/// A site with a script in a file of its own, in the folder of the configuration.
fn with_file(script: impl AsRef<[u8]>) -> Site {
    let site = Site::new();
    site.write("agents/inbound.sh", script, 0o644);
    site
}

const BY_FILE: &str = "script_file: agents/inbound.sh";

#[test]
fn a_script_is_read_from_a_file_beside_the_configuration() {
    let text = "#!/bin/bash\nset -eu\necho \"{{ mita.name }}\" {{.ID}}\n";
    let site = with_file(text);
    let by_file = site.load(node(BY_FILE)).unwrap();
    assert_eq!(by_file.warnings, []);
    let template = &by_file.config.templates[0];
    assert_eq!(template.script.as_deref(), Some(text));
    // The digest is that of the script, wherever it is written.
    let inline = format!("script: |\n{}", indented(text, "  "));
    let inline = load(&node(&inline)).config;
    assert_eq!(template.digest, inline.templates[0].digest);
    site.write("agents/inbound.sh", format!("{text}# changed\n"), 0o644);
    let changed = site.load(node(BY_FILE)).unwrap().config;
    assert_ne!(template.digest, changed.templates[0].digest);
    // An absolute path, and another spelling.
    let absolute = format!("user_data_file: {}", site.path("agents/inbound.sh").display());
    assert!(site.load(node(&absolute)).unwrap().config.templates[0].script.is_some());
    // What is printed names the file, not what is in it.
    let printed = site.printed(&node(BY_FILE));
    assert!(printed.contains("    script_file: agents/inbound.sh\n"), "{printed}");
    assert!(!printed.contains("set -eu"), "{printed}");
}

#[test]
fn a_script_and_a_file_of_one_exclude_each_other() {
    let refused = |site: &Site, text: String| site.load(text).map(|_| "loaded").unwrap_err();
    let site = with_file("#!/bin/sh\n");
    assert_eq!(
        refused(&site, node(&format!("script: '#!a'\n{BY_FILE}"))),
        ["mita.yaml:18:18: nodes.small.script_file: script is given, too; keep one of the two"]
    );
    // A template's own one wins over that of `defaults`, either way.
    let both = |own: &str, default: &str| format!("{}defaults:\n  {default}\n", node(own));
    let loaded = site.load(both("script: '#!own'", BY_FILE)).unwrap().config;
    assert_eq!(loaded.templates[0].script.as_deref(), Some("#!own"));
    let loaded = site.load(both(BY_FILE, "script: '#!default'")).unwrap().config;
    assert_eq!(loaded.templates[0].script.as_deref(), Some("#!/bin/sh\n"));
    let loaded = site.load(both("", BY_FILE)).unwrap().config;
    assert_eq!(loaded.templates[0].script.as_deref(), Some("#!/bin/sh\n"));
}

#[test]
fn a_file_that_holds_no_script_is_named() {
    let check = |site: &Site, wanted: &str| {
        let lines = site.load(node(BY_FILE)).map(|_| "loaded").unwrap_err();
        let wanted = format!("mita.yaml:17:18: nodes.small.script_file: cannot use agents/inbound.sh: {wanted}");
        assert_eq!(lines, [wanted]);
    };
    check(
        &Site::new(),
        "No such file or directory (os error 2); check path and permissions",
    );
    check(&with_file(" \n\n"), "is empty; write the text there, or remove the key");
    check(&with_file(b"\x1f\x8b\xff"), "is not UTF-8; save it as UTF-8 text");
    let large = "#".repeat((1 << 20) + 1);
    check(&with_file(large), "is larger than 1048576 bytes; is it the right file?");
    let site = Site::new();
    fs::create_dir_all(site.path("agents/inbound.sh")).unwrap();
    check(&site, "is no regular file; name a file of text");
    let lines = refused(node("script_file: ''"));
    assert_eq!(
        lines,
        ["mita.yaml:17:18: nodes.small.script_file: is empty; write a path or remove the key"]
    );
}

#[test]
fn what_is_wrong_in_a_file_has_its_place_there() {
    let site = with_file("#!/bin/sh\necho {{ mita.nmae }}\nécho {{ mita.agent_secret }} {{mita.id}}\n");
    // Once, however many templates have it.
    let text = format!(
        "{}  other:\n    provider: openstack\n    size: s\ndefaults:\n  image_name: i\n  labels: [a]\n  {BY_FILE}\n",
        node("")
    );
    let lines = site.load(text).map(|_| "loaded").unwrap_err();
    assert_eq!(
        lines,
        [
            "agents/inbound.sh:2:6: defaults.script_file: unknown placeholder {{ mita.nmae }}; did you mean name?",
            "agents/inbound.sh:3:6: defaults.script_file: {{ mita.agent_secret }} is known only with register: inbound; set that, or remove it",
        ]
    );
    let warnings = |script: &str| -> Vec<String> {
        let site = with_file(script);
        let loaded = site.load(node(BY_FILE)).unwrap();
        loaded
            .warnings
            .iter()
            .map(|warning| site.short(&warning.text))
            .collect()
    };
    assert_eq!(
        warnings("#!/bin/sh\necho {{mita.id}}\n"),
        [
            "agents/inbound.sh:2:6: nodes.small.script_file: {{mita.id}} is left as it is; a placeholder has exactly the form {{ mita.name }}"
        ]
    );
    assert_eq!(
        warnings("#!/bin/sh\r\necho\r\n"),
        [
            "mita.yaml:17:18: nodes.small.script_file: has the line ends of Windows (CR LF), so that its interpreter is not found; save it with LF alone"
        ]
    );
    let long = format!("#!{}", "x".repeat(50_000));
    let lines = with_file(long).load(node(BY_FILE)).map(|_| "loaded").unwrap_err();
    assert!(
        lines[0].contains("nodes.small.script_file: is too long for the cloud: 50002 bytes"),
        "{lines:?}"
    );
}
