//! The script of a template: finding its placeholders, and filling them in. Every other byte is kept.
//!
//! A placeholder has the one form `{{ mita.NAME }}`, a blank on each side: shell, Jinja headers of cloud-init and
//! `{{.ID}}` of docker are none.

use super::suggest;

/// The names that are filled in.
pub const NAMES: [&str; 9] = [
    "id",
    "name",
    "node",
    "labels",
    "owner",
    "executors",
    "jenkins_url",
    "agent_secret",
    "agent_jar_url",
];

const OPEN: &str = "{{ mita.";
const CLOSE: &str = " }}";

/// What the placeholders of one server stand for.
#[derive(Clone, Debug, PartialEq, Eq)]
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
            _ => return None,
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

/// Fills the placeholders in. What has no value is kept as it is; the configuration was checked for that.
pub fn render(script: &str, values: &Values<'_>) -> String {
    parts(script)
        .into_iter()
        .map(|part| match part {
            Part::Kept(text) => text.to_owned(),
            Part::Placeholder(name, _) => values.get(name).unwrap_or_else(|| format!("{OPEN}{name}{CLOSE}")),
        })
        .collect()
}

/// Lists the placeholders that cannot be filled in: the byte where each begins, and what is wrong; what to do.
pub fn faults(script: &str) -> Vec<(usize, String)> {
    let fault = |part| match part {
        Part::Placeholder("agent_secret", at) => {
            let text = "{{ mita.agent_secret }} is known only with register: inbound; remove it";
            Some((at, text.to_owned()))
        }
        Part::Placeholder(name, at) if !NAMES.contains(&name) => {
            let hint = suggest::did_you_mean(name, NAMES);
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
                let near: String = text[at..].chars().take(40).filter(|c| !c.is_control()).collect();
                let what = near.split_inclusive("}}").next().unwrap_or_default();
                let text = format!("{what} is left as it is; a placeholder has exactly the form {{{{ mita.name }}}}");
                hints.push((base + at, text));
            }
        }
    }
    if let Some(at) = script.find("%s") {
        hints.push((
            at,
            "%s is left as it is; where the node's id is meant write {{ mita.id }}".to_owned(),
        ));
    }
    hints
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
        let faults = faults(script);
        assert_eq!(
            faults[0],
            (2, "unknown placeholder {{ mita.nmae }}; did you mean name?".to_owned())
        );
        assert_eq!(faults[1].0, 18);
        assert_eq!(hints(script).iter().map(|(at, _)| *at).collect::<Vec<_>>(), [42, 54]);
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
            faults(&script);
            hints(&script);
        }
    }
}
