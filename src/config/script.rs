//! The script of a template: finding its placeholders, and filling them in. Every other byte is kept.
//!
//! A placeholder has the one form `{{ mita.NAME }}`, a blank on each side: shell, Jinja headers of cloud-init and
//! `{{.ID}}` of docker are none.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::secret::Secret;
use crate::text::{did_you_mean, excerpt};

/// The names that are filled in.
pub const NAMES: [&str; 12] = [
    "id",
    "name",
    "node",
    "labels",
    "owner",
    "executors",
    "jenkins_url",
    "agent_secret",
    "agent_jar_url",
    "ssh_host_key",
    "ssh_host_key_base64",
    "ssh_host_public_key",
];

/// The names that need a host key made for the server.
const HOST_KEY_NAMES: [&str; 3] = ["ssh_host_key", "ssh_host_key_base64", "ssh_host_public_key"];

const OPEN: &str = "{{ mita.";
const CLOSE: &str = " }}";

/// The values of the placeholders of one server.
#[derive(Clone, Debug)]
pub struct Values<'a> {
    /// The random id.
    pub id: &'a str,
    /// The server's name.
    pub name: &'a str,
    /// The template.
    pub node: &'a str,
    /// The labels, a blank between.
    pub labels: &'a str,
    /// The owner.
    pub owner: &'a str,
    /// The number of executors.
    pub executors: u32,
    /// The base URL of Jenkins, no slash at the end.
    pub jenkins_url: &'a str,
    /// What is known of the node that mita makes.
    pub joining: Joining<'a>,
}

/// What a script is given to join Jenkins with; known only with some ways to register.
#[derive(Clone, Copy, Debug, Default)]
pub enum Joining<'a> {
    /// Nothing: the script registers the node, or the host key is not made by mita.
    #[default]
    Nothing,
    /// The secret of an inbound agent (`register: inbound`).
    Secret(&'a Secret),
    /// A host key made for the server (`register: ssh`).
    HostKey(&'a HostKeyPair),
    /// What is shown in place of what a server would be given, by name.
    Shown(&'a [(&'a str, &'a str)]),
}

/// The host key of an SSH server.
#[derive(Clone, Debug)]
pub struct HostKeyPair {
    /// The private key as OpenSSH keeps it: some lines, a newline at the end.
    pub private: Secret,
    /// The public key: `ssh-ed25519 AAAA...`.
    pub public: String,
}

impl HostKeyPair {
    /// The lines of a private key, and the characters of each; the last one has fewer.
    pub const SHAPE: (usize, usize) = (7, 70);

    /// A key that is none, no shorter than one.
    pub fn stand_in() -> Self {
        let (lines, length) = Self::SHAPE;
        Self {
            private: Secret::new(format!("{}\n", "x".repeat(length)).repeat(lines)),
            public: "x".repeat(80),
        }
    }
}

impl Joining<'_> {
    /// Returns the value of a name; `None` where it is not known.
    fn get(&self, name: &str) -> Option<String> {
        match (self, name) {
            (Self::Secret(secret), "agent_secret") => Some(secret.reveal().to_owned()),
            (Self::Shown(values), name) => {
                let value = values.iter().find(|(known, _)| *known == name);
                value.map(|(_, shown)| (*shown).to_owned())
            }
            (Self::HostKey(key), "ssh_host_key") => Some(key.private.reveal().trim_end().to_owned()),
            (Self::HostKey(key), "ssh_host_key_base64") => Some(STANDARD.encode(key.private.reveal())),
            (Self::HostKey(key), "ssh_host_public_key") => Some(key.public.clone()),
            _ => None,
        }
    }
}

impl Values<'_> {
    /// Returns a value; `None` for a name that is not known or has none.
    fn get(&self, name: &str) -> Option<String> {
        let value = match name {
            "id" => self.id,
            "name" => self.name,
            "node" => self.node,
            "labels" => self.labels,
            "owner" => self.owner,
            "jenkins_url" => self.jenkins_url,
            "executors" => return Some(self.executors.to_string()),
            "agent_jar_url" => return Some(format!("{}/jnlpJars/agent.jar", self.jenkins_url)),
            _ => return self.joining.get(name),
        };
        Some(value.to_owned())
    }
}

/// A part of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part<'s> {
    /// Bytes that are kept.
    Kept(&'s str),
    /// A placeholder: its name, and the byte at which it begins.
    Placeholder(&'s str, usize),
}

/// Takes a script apart; the parts together are the script.
fn parts(script: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut kept = 0;
    let mut from = 0;
    while let Some(found) = script[from..].find(OPEN) {
        let begin = from + found;
        let rest = &script[begin + OPEN.len()..];
        let name = &rest[..rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .unwrap_or(rest.len())];
        from = begin + OPEN.len() + name.len();
        if !name.is_empty() && script[from..].starts_with(CLOSE) {
            parts.push(Part::Kept(&script[kept..begin]));
            parts.push(Part::Placeholder(name, begin));
            from += CLOSE.len();
            kept = from;
        }
    }
    parts.push(Part::Kept(&script[kept..]));
    parts
}

/// Fills the placeholders in. What has no value is kept as it is; the configuration was checked for that. Where nothing
/// but blanks stands before a placeholder, all lines of its value get them: a private key in YAML stays one text.
pub fn render(script: &str, values: &Values<'_>) -> String {
    parts(script)
        .into_iter()
        .map(|part| match part {
            Part::Kept(text) => text.to_owned(),
            Part::Placeholder(name, at) => match values.get(name) {
                Some(value) => value.replace('\n', &format!("\n{}", indent(&script[..at]))),
                None => format!("{OPEN}{name}{CLOSE}"),
            },
        })
        .collect()
}

/// Returns the blanks of the last line, if it has nothing else.
fn indent(before: &str) -> &str {
    let line = before.rsplit('\n').next().unwrap_or_default();
    if line.bytes().all(|b| b == b' ' || b == b'\t') {
        line
    } else {
        ""
    }
}

/// Returns whether a script has a placeholder of one of these names.
pub fn names_one_of(script: &str, names: &[&str]) -> bool {
    let is_one = |part: &Part<'_>| matches!(part, Part::Placeholder(name, _) if names.contains(name));
    parts(script).iter().any(is_one)
}

/// Lists the placeholders that cannot be filled in: the byte where each begins, and what is wrong; what to do.
pub fn faults(script: &str, joining: &Joining<'_>) -> Vec<(usize, String)> {
    let fault = |part| match part {
        Part::Placeholder("agent_secret", at) => {
            let known = matches!(joining, Joining::Secret(_));
            let text = "{{ mita.agent_secret }} is known only with register: inbound; set that, or remove it";
            (!known).then(|| (at, text.to_owned()))
        }
        Part::Placeholder(name, at) if HOST_KEY_NAMES.contains(&name) => {
            let known = matches!(joining, Joining::HostKey(_));
            (!known).then(|| {
                let text = format!(
                    "{{{{ mita.{name} }}}} is known only with register: ssh and agent.host_key {{strategy: provided}} \
                     without a key, where mita makes one for each server; set that, or remove it"
                );
                (at, text)
            })
        }
        Part::Placeholder(name, at) if !NAMES.contains(&name) => {
            let hint = did_you_mean(name, NAMES);
            Some((
                at,
                format!("unknown placeholder {{{{ mita.{} }}}}{hint}", bounded(name)),
            ))
        }
        _ => None,
    };
    parts(script).into_iter().filter_map(fault).collect()
}

/// The most hints about one script.
const MAX_HINTS: usize = 10;

/// Lists what looks like a placeholder and is none (the first few): the byte where each begins, and what is wrong; what to do.
pub fn hints(script: &str) -> Vec<(usize, String)> {
    let mut hints = Vec::new();
    let kept = parts(script).into_iter().filter_map(|part| match part {
        Part::Kept(text) => Some(text),
        Part::Placeholder(..) => None,
    });
    for text in kept {
        let base = text.as_ptr() as usize - script.as_ptr() as usize;
        for (at, _) in text.match_indices("{{") {
            let inner = text[at + 2..].trim_start_matches(['-', ' ']);
            if inner.starts_with("mita.") && hints.len() < MAX_HINTS {
                let near = text[at..].split_inclusive("}}").next().unwrap_or_default();
                let what = excerpt(near.lines().next().unwrap_or_default(), 40);
                let text = format!("{what} is left as it is; a placeholder has exactly the form {{{{ mita.name }}}}");
                hints.push((base + at, text));
            }
        }
    }
    hints
}

/// Finds the `%s` of the original tool: the byte where it begins, and what is wrong; what to do.
pub fn percent(script: &str) -> Option<(usize, &'static str)> {
    let text = "%s is left as it is; where the node's id is meant write {{ mita.id }}";
    Some((script.find("%s")?, text))
}

fn bounded(name: &str) -> &str {
    &name[..name.len().min(40)]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const VALUES: Values<'_> = Values {
        id: "0123456789ab",
        name: "small__0123456789ab",
        node: "small",
        labels: "amd64 trusty",
        owner: "ci",
        executors: 2,
        jenkins_url: "https://ci.example.com",
        joining: Joining::Nothing,
    };

    #[test]
    fn only_the_exact_form_is_replaced() {
        let check = |script, wanted| assert_eq!(render(script, &VALUES), wanted);
        check("n={{ mita.name }}!", "n=small__0123456789ab!");
        check("{{ mita.id }}{{ mita.node }}", "0123456789absmall");
        check("{{ mita.labels }}/{{ mita.executors }}", "amd64 trusty/2");
        check("{{ mita.agent_jar_url }}", "https://ci.example.com/jnlpJars/agent.jar");
        check("{{ mita.jenkins_url }} {{ mita.owner }}", "https://ci.example.com ci");
        for kept in [
            "{{mita.name}}",
            "{{ mita.name}}",
            "{{  mita.name }}",
            "{{ mita.name | upper }}",
            "{{ mita. }}",
            "{{ mita.",
            "{{.ID}} ${#a[@]} $(date +%s) {% raw %} {{ v1.name }}",
            "{{ {{ mita.na",
            "{{ mita.agent_secret }}",
        ] {
            check(kept, kept);
        }
        check("{{ mita.{{ mita.id }}", "{{ mita.0123456789ab");
    }

    #[test]
    fn faults_and_hints_are_found() {
        let script = "x {{ mita.nmae }} {{ mita.agent_secret }} {{mita.id}} %s";
        let faults = faults(script, &Joining::Nothing);
        assert_eq!(
            faults[0],
            (2, "unknown placeholder {{ mita.nmae }}; did you mean name?".to_owned())
        );
        assert_eq!(faults[1].0, 18);
        assert_eq!(hints(script).iter().map(|(at, _)| *at).collect::<Vec<_>>(), [42]);
        assert_eq!(percent(script).unwrap().0, 54);
    }

    #[test]
    fn what_joins_is_filled_in_only_where_it_is_known() {
        let secret = Secret::new("5ec");
        let inbound = Values {
            joining: Joining::Secret(&secret),
            ..VALUES
        };
        let script = "s={{ mita.agent_secret }} {{ mita.ssh_host_public_key }}";
        assert_eq!(render(script, &inbound), "s=5ec {{ mita.ssh_host_public_key }}");
        assert_eq!(faults(script, &inbound.joining)[0].0, 26);
        let key = HostKeyPair {
            private: Secret::new("BEGIN\nbody\nEND\n"),
            public: "ssh-ed25519 AAAA".to_owned(),
        };
        let ssh = Values {
            joining: Joining::HostKey(&key),
            ..VALUES
        };
        let script = "  k: |\n    {{ mita.ssh_host_key }}\n  p: {{ mita.ssh_host_public_key }}\n\
                      x {{ mita.ssh_host_key_base64 }}\n{{ mita.ssh_host_key }}\n";
        let wanted = "  k: |\n    BEGIN\n    body\n    END\n  p: ssh-ed25519 AAAA\n\
                      x QkVHSU4KYm9keQpFTkQK\nBEGIN\nbody\nEND\n";
        assert_eq!(render(script, &ssh), wanted);
        assert_eq!(faults(script, &ssh.joining), []);
        assert_eq!(faults(script, &inbound.joining).len(), 4);
        assert!(!format!("{ssh:?}").contains("body") && !format!("{inbound:?}").contains("5ec"));
    }

    proptest! {
        #[test]
        fn a_script_without_placeholders_is_kept(script in "\\PC*") {
            prop_assume!(!script.contains("{{ mita."));
            prop_assert_eq!(render(&script, &VALUES), script);
        }

        #[test]
        fn braces_in_any_order_never_panic(script in "([{} ]|mita\\.|id|name|é|%s){0,40}") {
            render(&script, &VALUES);
            faults(&script, &Joining::Nothing);
            hints(&script);
        }
    }
}
