//! Mistakes as people make them in YAML: each with the line in which it is, and what to do.

use super::site::{end, load, node, refused};

/// A mistake: the lines, the place, and what the message must say.
type Mistake = (&'static str, &'static str, &'static str);

/// Lines below `nodes:` and `  small:`, the first of which is line 3.
const IN_A_TEMPLATE: &[Mistake] = &[
    // Tabs.
    ("\tsize: s", "3:1", "a tab among the blanks"),
    ("    size: s\n\tmax: 3", "4:1", "a tab among the blanks"),
    ("    size: s\n    \tmax: 3", "4:5", "write two for it"),
    (
        "    size: s\n  \tmax: 3\n    labels: [a]",
        "4:3",
        "a tab among the blanks",
    ),
    ("    script: |\n\t#!/bin/sh", "4:1", "a tab among the blanks"),
    // Columns.
    (
        "    size: s\n      max: 3",
        "4:7",
        "max is further in than size (line 3), which has its value already",
    ),
    (
        "    labels: [a]\n      max: 3",
        "4:7",
        "max is further in than labels (line 3)",
    ),
    (
        "    size: \"s\"\n      max: 3",
        "4:7",
        "max is further in than size (line 3)",
    ),
    (
        "    size: s\n   max: 3",
        "4:4",
        "max begins in column 4, where no key above does; indent it like size (line 3, column 5)",
    ),
    (
        "    max: 3\n # large\n    labels:\n      - a\n     - b",
        "7:6",
        "this item begins in column 6, the others of its list in column 7 (line 6)",
    ),
    (
        "    labels:\n      - a\n      max: 3",
        "5:7",
        "max begins where a list above it has its items",
    ),
    (
        "    script: |\n      #!/bin/sh\n     echo x\n    max: 3",
        "5:6",
        "less far in than the first line of the text of script (line 4)",
    ),
    (
        "    script: |\n    #!/bin/sh\n    echo x\n    max: 3",
        "4:5",
        "the text of script must begin further in than script itself",
    ),
    // Blanks and colons.
    (
        "    size:s\n    max: 3",
        "3:9",
        "a blank is missing behind the colon; write `size: `",
    ),
    (
        "    max: 3\n    size:s",
        "4:9",
        "a blank is missing behind the colon; write `size: `",
    ),
    (
        "    max: 3\n    size:s\n    image_name: i",
        "4:9",
        "a blank is missing behind the colon; write `size: `",
    ),
    (
        "    max: 3\n    size\n    image_name: i",
        "4:9",
        "a colon is missing behind size; write `size:`",
    ),
    (
        "    size = s\n    max: 3",
        "3:9",
        "a key has a colon behind it, no equals sign; write `size: `",
    ),
    ("    max: 3\n    size s", "4:9", "a colon is missing behind size"),
    (
        "    size: s  max: 3",
        "3:17",
        "the value of size has a colon with a blank behind it",
    ),
    // Values that must stand in quotes.
    (
        "    image_name: Ubuntu: 22.04",
        "3:23",
        "the value of image_name has a colon with a blank behind it, as only keys have; put the value into quotes",
    ),
    (
        "    image_name: @ubuntu",
        "3:17",
        "a value cannot begin with @; put it into quotes",
    ),
    (
        "    image_name: `ubuntu`",
        "3:17",
        "a value cannot begin with `; put it into quotes",
    ),
    (
        "    image_name: %ubuntu",
        "3:17",
        "a value cannot begin with %; put it into quotes",
    ),
    (
        "    image_name: *ubuntu",
        "3:17",
        "put a value that begins with * into quotes",
    ),
    (
        "    min_ready: [{cron: * 8 * * 1-5, ready: 3}]",
        "3:24",
        "put a value that begins with * into quotes",
    ),
    (
        "    <<: *common",
        "3:9",
        "there is none of that name above; mark it, or correct the name",
    ),
    (
        "    image_name: &ubuntu",
        "3:17",
        "put a value that begins with & into quotes",
    ),
    (
        "    image_name: !ubuntu",
        "3:17",
        "put a value that begins with ! into quotes",
    ),
    (
        "    image_name: {ubuntu\n    max: 3",
        "3:17",
        "this { is not closed; write } at its end, or put a value that begins with { into quotes",
    ),
    (
        "    image_name: {ubuntu} x",
        "3:26",
        "something follows the } that ends the value",
    ),
    ("    image_name: [::1]:80", "3:22", "put the whole value into quotes"),
    ("    image_name: #ubuntu\n    size: s", "3:5", "is empty"),
    (
        "    image_name: - ubuntu",
        "3:17",
        "a text that begins with - must stand in quotes",
    ),
    // Quotes.
    (
        "    image_name: \"Ubuntu\n    max: 3",
        "3:17",
        "this quote is not closed",
    ),
    (
        "    image_name: 'Ubuntu\n    max: 3\n    size: 'x'",
        "3:17",
        "this quote is not closed",
    ),
    ("    labels: [a, \"b]\n    max: 3", "3:17", "this quote is not closed"),
    (
        "    image_name: 'it's'",
        "3:21",
        "something follows the quote that ends the value",
    ),
    ("    image_name: \"a\" b", "3:21", "put quotes around the whole value"),
    ("    image_name: \"C:\\dir\"", "3:17", "a backslash begins an escape"),
    // Brackets and commas.
    (
        "    labels: [a, b\n    max: 3",
        "3:13",
        "this [ is not closed; write ] at its end",
    ),
    ("    labels: [a, b", "3:13", "this [ is not closed"),
    ("    labels: [a, b]]", "3:19", "nothing opens this ]; remove it"),
    ("    labels: [a,, b]", "3:16", "a comma too many; remove it"),
    (
        "    labels: [a, b],\n    max: 3",
        "3:19",
        "a comma behind the ] that ends the value; remove it",
    ),
    (
        "    metadata: {a: 1 b: 2}",
        "3:22",
        "a comma is missing between two items of {...}",
    ),
    (
        "    metadata: {a: 1, b: {c: 2}\n    max: 3",
        "3:15",
        "this { is not closed",
    ),
    // What is YAML, and something else than was meant.
    (
        "    size: s\n    size: t",
        "4:5",
        "set twice, first in line 3; keep one of the two",
    ),
    (
        "    labels: linux, x86_64",
        "3:13",
        "is one text, not a list; write [linux, x86_64]",
    ),
    ("    labels: a, b]", "3:13", "is one text, not a list; write [a, b]"),
    (
        "    labels:\n      -a\n      -b",
        "4:7",
        "is one text, not a list; write [a, b]",
    ),
];

/// Whole files.
const FILES: &[Mistake] = &[
    (
        "nodes:\n  small\n    max: 3\n",
        "2:8",
        "a colon is missing behind small; write `small:`",
    ),
    (
        "nodes\n  small:\n    max: 3\n",
        "1:6",
        "a colon is missing behind nodes",
    ),
    (
        "nodes:\n  small:\n    size:s\n",
        "3:5",
        "nodes.small: must be a mapping of keys, is a single value; write a blank behind the colon of each key",
    ),
    (
        "nodes:\n  small: {max:3, size: s}\n",
        "2:11",
        "nodes.small.max: a blank is missing behind the colon; write `max: ` and the value",
    ),
    (
        "nodes:\n   small:\n    max: 3\n  large:\n    max: 3\n",
        "4:3",
        "large begins in column 3, where no key above does; indent it like small (line 2, column 4)",
    ),
    (
        "jenkins:\n  url: https://ci\nuser: u\n  token: t\n",
        "4:3",
        "token is further in than user (line 3), which has its value already",
    ),
    ("{nodes: {small: {max: 3, size: s}}\n", "1:1", "this { is not closed"),
    ("nodes:\n  small: {max: 3, size: s}}\n", "2:27", "nothing opens this }"),
    (
        "jenkins:\n  url: https://ci\n---\nnodes: {}\n",
        "3:1",
        "a second YAML document begins here",
    ),
    ("nodes: {}\nnodes: {}\n", "2:1", "set twice, first in line 1"),
];

#[track_caller]
fn check(text: &str, place: &str, wanted: &str) {
    let lines = refused(text);
    let begins = format!("mita.yaml:{place}: ");
    assert!(
        lines
            .iter()
            .any(|line| line.starts_with(&begins) && line.contains(wanted)),
        "\n{text}\nwanted {place}: {wanted}\nsaid:\n{}",
        lines.join("\n")
    );
}

#[test]
fn each_mistake_has_its_line_and_what_to_do() {
    for (lines, place, wanted) in IN_A_TEMPLATE {
        check(&format!("nodes:\n  small:\n{lines}\n"), place, wanted);
    }
    for (text, place, wanted) in FILES {
        check(text, place, wanted);
    }
}

/// A syntax error is one problem: what comes of it is no further one.
#[test]
fn a_syntax_error_stands_alone() {
    for (lines, ..) in IN_A_TEMPLATE
        .iter()
        .take_while(|(lines, ..)| !lines.contains("&ubuntu"))
    {
        let said = refused(format!("nodes:\n  small:\n{lines}\n"));
        assert_eq!(said.len(), 1, "{lines}: {said:?}");
    }
}

/// Wherever a mistake is, the message names keys and no values.
#[test]
fn no_message_names_a_value_that_may_be_a_secret() {
    for (lines, ..) in IN_A_TEMPLATE {
        let lines = lines
            .replace("size", "password")
            .replace("image_name", "password")
            .replace("ubuntu", "hunter2");
        for value in [": s", ":s", " s", "= s", ": \"s\""] {
            let lines = lines.replace(
                &format!("password{value}\n"),
                &format!("password{}\n", value.replace('s', "hunter2")),
            );
            let said = refused(format!("jenkins:\n  small:\n{lines}\n")).join("\n");
            assert!(!said.contains("hunter2"), "{lines}\n{said}");
        }
    }
    for text in [
        "jenkins: {password:hunter2, user: u}",
        "jenkins: {password hunter2, user: u}",
        "jenkins: {password=hunter2, user: u}",
        "jenkins:\n  password: a\n    hunter2: x",
        "jenkins:\n  password:\n    hunter2\n    ter: x",
        "jenkins:\n  password: a\n   hunter2\n  user: u",
        "jenkins:\n  user: u\n  password:\n    - a\n   - hunter2: x",
    ] {
        let said = refused(text).join("\n");
        assert!(!said.contains("hunter2"), "{text}\n{said}");
    }
}

#[test]
fn a_section_of_the_top_level_is_sent_to_the_first_column() {
    let text = "provider:\n  openstack:\n    type: openstack\n jenkins:\n  url: https://ci\n";
    let refused = refused(text);
    assert_eq!(refused.len(), 1, "{refused:?}");
    let said = "4:2: (file): jenkins is a section of the top level; begin it in column 1";
    assert!(refused[0].ends_with(said), "{refused:?}");
}

#[test]
fn what_others_call_a_password_is_one_mistake() {
    for name in ["pw", "pwd", "pass", "secret", "api_key"] {
        let text = end("").replace("password: ", &format!("{name}: "));
        let refused = refused(&text);
        assert_eq!(refused.len(), 1, "{refused:?}");
        assert!(
            refused[0].contains("unknown key; did you mean password?"),
            "{refused:?}"
        );
    }
    let refused = refused(end("").replace("token: ", "api_key: "));
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert!(refused[0].contains("did you mean token?"), "{refused:?}");
}

#[test]
fn a_text_for_a_section_is_one_mistake() {
    for text in [
        end("notify: text\n"),
        end("notify: {command: {}}\n"),
        node("options: text"),
    ] {
        let refused = refused(&text);
        assert_eq!(refused.len(), 1, "{refused:?}");
        assert!(refused[0].contains(": must be a "), "{refused:?}");
    }
}

#[test]
fn a_byte_order_mark_before_a_script_is_named() {
    let loaded = load(&node("script: \"\\uFEFF#!/bin/sh\\n\""));
    let warnings: Vec<&str> = loaded.warnings.iter().map(|w| w.text.as_str()).collect();
    assert!(
        warnings
            .iter()
            .any(|text| text.contains("begins with a byte order mark")),
        "{warnings:?}"
    );
    assert!(
        !warnings.iter().any(|text| text.contains("begins neither")),
        "{warnings:?}"
    );
}
