//! Hints about values that look as if something were to be filled in: by a shell, by a template, by the operator.
//!
//! mita fills in nothing but the placeholders of a script, so that a value is what it seems.

use crate::settings::lines::holds_user_data;
use crate::settings::problem::{Place, Pos, Report, append, append_index};
use crate::settings::yaml::{Entry, Node, Value};

/// Hints at such values in a checked file; what comes from elsewhere has its own rules.
pub fn look(root: &Node, report: &Report) {
    entries(root.entries(), &mut String::new(), report);
}

/// Looks at the entries of a mapping; `path` is the same afterwards.
fn entries(entries: &[Entry], path: &mut String, report: &Report) {
    let own = entries.iter().filter(|entry| entry.elsewhere.is_none());
    for entry in own.filter(|entry| !holds_user_data(&entry.written)) {
        let length = path.len();
        append(path, &entry.written);
        match &entry.value.value {
            Value::Map(below) => self::entries(below, path, report),
            Value::List(items) => list(items, path, report),
            value => text(value, entry.place(), path, report),
        }
        path.truncate(length);
    }
}

fn list(items: &[Node], path: &mut String, report: &Report) {
    for (index, item) in items.iter().enumerate() {
        let length = path.len();
        append_index(path, index);
        match &item.value {
            Value::Map(below) => entries(below, path, report),
            Value::List(below) => list(below, path, report),
            value => text(value, item.at, path, report),
        }
        path.truncate(length);
    }
}

/// Judges one value. It is not shown: it may be a secret.
fn text(value: &Value, at: Pos, path: &str, report: &Report) {
    let (Value::Text(text, _) | Value::Scalar(text, _)) = value else {
        return;
    };
    if let Some(hint) = hint_of(text) {
        let path = path.to_owned();
        report.hint(&Place { at, path }, hint);
    }
}

fn hint_of(text: &str) -> Option<&'static str> {
    if is_placeholder_of_person(text) {
        return Some("is still the text of an example; write your own value");
    }
    if has_variable(text) {
        return Some(
            "looks like a variable, and none is filled in here: it is taken as it is; write the value (a secret may be \
             in a file that is named by token_file or password_file)",
        );
    }
    (text.contains("{{") && text.contains("}}")).then_some(
        "looks like a placeholder, and only those of a script are filled in: it is taken as it is; write the value",
    )
}

/// Returns whether a text has `${NAME}` in it, or is `$NAME`.
fn has_variable(text: &str) -> bool {
    let is_name = |name: &str| {
        let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        begins && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let braces = text.split("${").skip(1);
    let mut braces = braces.filter_map(|rest| rest.split_once('}'));
    let whole = text.strip_prefix('$');
    // In a password a dollar means nothing, unless what follows is written as variables are.
    braces.any(|(name, _)| is_name(name.split(':').next().unwrap_or_default()))
        || whole.is_some_and(|name| is_name(name) && name.len() > 2 && name.chars().all(|c| !c.is_lowercase()))
}

/// Returns whether a text is what examples write where a person is to write something.
fn is_placeholder_of_person(text: &str) -> bool {
    let letters = text.bytes().filter(u8::is_ascii_alphabetic);
    let is_change_me = letters.map(|b| b.to_ascii_lowercase()).eq(*b"changeme");
    let inner = text.trim().strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
    let is_bracketed = inner.is_some_and(|inner| inner.chars().any(char::is_alphabetic) && !inner.contains(['<', '>']));
    is_change_me || matches!(text, "TODO" | "FIXME" | "XXX" | "<--") || is_bracketed
}

/// The words by which a script learns its own name or address, beside the placeholders of mita.
const OWN_NAMES: [&str; 25] = [
    "hostname",
    "HOSTNAME",
    "uname -n",
    "nodename",
    "COMPUTERNAME",
    "GetHostName",
    "169.254.169.254",
    "fd00:ec2::254",
    "config-2",
    "config-drive",
    "meta_data",
    "meta-data",
    "local_ipv4",
    "local-ipv4",
    "{{ v1.",
    "{{v1.",
    "{{ ds.",
    "ip addr",
    "ip -br",
    "ip -4",
    "ip -o",
    "ip route",
    "ifconfig",
    "ipconfig",
    "NetIPAddress",
];

/// The placeholders by which a node of Jenkins is linked to its server.
pub const OWN_PLACEHOLDERS: [&str; 2] = ["name", "id"];

/// Returns whether a script asks for the name or an address of the machine that it runs on.
pub fn asks_for_itself(script: &str) -> bool {
    OWN_NAMES.iter().any(|word| script.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_to_be_filled_in_is_seen() {
        for text in [
            "${OS_PASSWORD}",
            "https://${HOST}/v3",
            "${A:-b}",
            "$OS_PASSWORD",
            "{{ password }}",
            "{{ mita.name }}",
            "change me",
            "CHANGE_ME",
            "changeme!",
            "<your password>",
            "TODO",
        ] {
            assert!(hint_of(text).is_some(), "{text}");
        }
        for text in [
            "",
            "$",
            "$1",
            "a$b",
            "$ecret",
            "$2y$10$abc",
            "pa${",
            "${}",
            "%(project_id)s",
            "$(tenant_id)s",
            "ubuntu-[0-9]{4}",
            "{a: 1}",
            "exchange mean",
            "a < b > c",
            "<>",
            "todo",
        ] {
            assert_eq!(hint_of(text), None, "{text}");
        }
    }

    #[test]
    fn a_script_asks_for_itself() {
        for script in [
            "name=$(hostname -s)",
            "curl http://169.254.169.254/x",
            "ip -4 addr show",
            "{{ v1.local_hostname }}",
        ] {
            assert!(asks_for_itself(script), "{script}");
        }
        assert!(!asks_for_itself("#!/bin/bash\nsudo apt-get update\n"));
    }
}
