//! What is YAML and what is not.

use std::path::Path;

use mita::config::{self, Loaded};
use mita::model::SizeRef;
use proptest::prelude::*;

use super::site::{JENKINS, NODE, PROVIDER, SEED, check, end, file, load, no_env, node, refused, try_load};

#[test]
fn files_that_are_no_configuration_are_refused() {
    let one = |text: &str, wanted: &str| check(text, &[wanted]);
    one(
        "",
        "mita.yaml:1:1: (file): the file is empty; begin with mita.yaml.example",
    );
    one(
        "# nothing\n",
        "mita.yaml:1:1: (file): the file is empty; begin with mita.yaml.example",
    );
    one(
        "[]",
        "mita.yaml:1:1: (file): must hold keys (provider, jenkins, nodes), is no mapping",
    );
    one(
        "a:\n  b\0",
        "mita.yaml:2:4: (file): a control character that YAML does not allow; remove it",
    );
    one(
        "a: 1\n---\nb: 1\n",
        "mita.yaml:2:1: (file): a second YAML document begins here; one file holds one",
    );
    one(
        "a: &x [*x]",
        "mita.yaml:1:8: (file): an alias inside of what it names; write the value out",
    );
    let deep = "[".repeat(100_000);
    // The parser itself has a bound for these.
    assert!(refused(&deep)[0].contains("(file): not YAML: recursion limit exceeded"));
    assert!(refused("[".repeat(100))[0].contains("nested deeper than 64 levels"));
    assert!(refused("- ".repeat(100_000))[0].contains("nested deeper than 64 levels"));
    assert!(refused("a: [b").pop().unwrap().contains("(file): this [ is not closed"));
    assert_eq!(
        refused(b"a: \xff"),
        ["mita.yaml:1:4: (file): not UTF-8; save the file as UTF-8"]
    );
    assert!(refused("#".repeat(5 << 20))[0].starts_with("mita.yaml:1:1: (file): is larger than 4194304 bytes"));
    let missing = config::load(Path::new("nowhere/mita.yaml"), &no_env)
        .unwrap_err()
        .to_string();
    assert!(
        missing.starts_with("nowhere/mita.yaml:1:1: (file): cannot be read: "),
        "{missing}"
    );
}

#[test]
fn a_billion_laughs_are_an_error() {
    let mut lines = vec!["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned()];
    for level in 1..12 {
        let before = vec![format!("*a{}", level - 1); 10].join(", ");
        lines.push(format!("a{level}: &a{level} [{before}]\n"));
    }
    let text = lines.concat();
    assert!(
        refused(&text)[0].contains("the aliases of this file expand to too much"),
        "{:?}",
        refused(&text)
    );
}

#[test]
fn anchors_aliases_and_merge_keys_work() {
    let text = file(
        PROVIDER,
        JENKINS,
        NODE,
        "  large:\n    <<: [*common, {max: 7, executors: 3}]\n    max: 4\n    size: l\nx-common: {}\n",
    );
    let text = format!("x-nodes: &common {{provider: openstack, image_name: i, labels: [b]}}\n{text}");
    let Loaded { config, .. } = load(&text);
    let large = config.template("large").unwrap();
    assert_eq!(
        (large.max, large.executors, large.spec.size.clone()),
        (4, 3, SizeRef::Named("l".to_owned()))
    );
    assert!(large.labels.contains("b"));
}

#[test]
fn two_merge_keys_in_one_mapping_are_an_error_with_both_places() {
    let text = file(
        PROVIDER,
        JENKINS,
        NODE,
        "  large:\n    <<: {labels: [b], provider: openstack}\n    size: l\n    <<: {image_name: i}\n",
    );
    check(
        &text,
        &["mita.yaml:20:5: nodes.large.\"<<\": set twice, first at 18:5; write one list of both, `<<: [*one, *two]`"],
    );
    // One in each of two mappings is good.
    let text =
        end("  large: {<<: {provider: openstack, size: s}, image_name: i, labels: [b], metadata: {<<: {a: b}}}\n");
    assert_eq!(load(&text).config.templates[1].spec.metadata.len(), 1);
}

#[test]
fn a_byte_order_mark_begins_a_file() {
    let text = format!("\u{feff}{}", node("max: -1"));
    check(
        &text,
        &["mita.yaml:17:10: nodes.small.max: must not be negative, is -1; write 0 or more"],
    );
    assert_eq!(load(&format!("\u{feff}{SEED}")).warnings.len(), 2);
    assert_eq!(load(&format!("\u{feff}---\r\n{SEED}")).warnings.len(), 2);
}

/// Pieces of configurations, so that texts made of them get past the parser now and then.
fn piece() -> impl Strategy<Value = String> {
    let known = [
        "provider:",
        "openstack:",
        "nodes:",
        "small:",
        "jenkins:",
        "defaults:",
        "min_ready:",
        "labels:",
        "script: |",
        "metadata:",
        "\n",
        "\n  ",
        "\n    ",
        " ",
        "- ",
        "{",
        "}",
        "[",
        "]",
        ",",
        ": ",
        "&a ",
        "*a",
        "<<: ",
        "~",
        "5",
        "-1",
        "40m",
        "\"",
        "'",
        "#",
        "{{ mita.x }}",
        "%s",
        "!!str ",
        "? ",
        "---\n",
        "\t",
        "é",
        "\u{feff}",
        "|",
        ">",
        "url: ",
        "http://x",
        "cron: ",
        "* * * * *",
    ];
    prop_oneof![4 => proptest::sample::select(known.to_vec()).prop_map(str::to_owned), 1 => "\\PC{0,4}"]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn loading_never_panics(pieces in proptest::collection::vec(piece(), 0..60)) {
        let _ = try_load(pieces.concat(), &no_env);
    }

    #[test]
    fn loading_bytes_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = try_load(bytes, &no_env);
    }

    #[test]
    fn a_changed_example_never_panics(at in 0..SEED.len(), cut in 0..40_usize, piece in piece()) {
        let mut text = SEED.to_owned();
        text.replace_range(at..(at + cut).min(SEED.len()), &piece);
        let _ = try_load(text, &no_env);
    }

    /// Two parsers of YAML agree on the bytes of a script.
    #[test]
    fn a_script_is_read_as_it_stands(lines in proptest::collection::vec("[ -~\\t]{0,30}", 1..8)) {
        let block: Vec<String> = lines.iter().map(|line| format!("  {line}\n")).collect();
        let text = node(&format!("script: |2\n{}", block.concat()));
        let other: serde_yaml::Value = serde_yaml::from_str(&text).unwrap();
        let other = other["nodes"]["small"]["script"].as_str().unwrap_or_default().to_owned();
        let loaded = try_load(&text, &no_env);
        prop_assert!(loaded.is_ok(), "{:?}", loaded.err());
        let script = loaded.unwrap().config.templates[0].script.clone().unwrap_or_default();
        prop_assert_eq!(script, other);
    }
}
