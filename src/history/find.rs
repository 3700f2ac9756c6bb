//! Finds the server that a person means: by its name, its id, its Jenkins node, or the beginning of one of them.

use crate::model::node_name::{id_of_our_form, ids_in};
use crate::model::{Event, EventKind, ServerId};
use crate::text::nearest;

use super::lives::Life;

/// The most servers that are named where several fit.
const MOST_NAMED: usize = 5;

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// The place of its life.
    One(usize),
    /// Several fit; some of them by name and id.
    Several(Vec<String>),
    /// None; the name that is nearest.
    None(Option<String>),
}

/// Finds the life of a server.
pub fn find(name: &str, lives: &[Life]) -> Found {
    let rules: [&dyn Fn(&Life) -> bool; 4] = [
        &|life| life.name == name || id(life) == Some(name) || life.jenkins_node.as_deref() == Some(name),
        &|life| our_id(life).is_some_and(|id| id.eq_ignore_ascii_case(name)),
        &|life| {
            let begins = |text: Option<&str>| text.is_some_and(|text| text.starts_with(name));
            begins(Some(&life.name))
                || begins(id(life))
                || begins(our_id(life).as_deref())
                || begins(life.jenkins_node.as_deref())
        },
        // A Jenkins node's name has the id of its server in it.
        &|life| our_id(life).is_some_and(|id| ids_in(name).any(|other| other == id)),
    ];
    if name.is_empty() {
        return Found::None(None);
    }
    for rule in rules {
        let fitting: Vec<usize> = (0..lives.len()).filter(|at| rule(&lives[*at])).collect();
        match fitting[..] {
            [] => {}
            [one] => return Found::One(one),
            _ => {
                let named = fitting.iter().take(MOST_NAMED).map(|at| described(&lives[*at]));
                let more = (fitting.len() > MOST_NAMED).then(|| "...".to_owned());
                return Found::Several(named.chain(more).collect());
            }
        }
    }
    let near = nearest(name, lives.iter().map(|life| life.name.as_str()));
    Found::None(near.map(str::to_owned))
}

fn id(life: &Life) -> Option<&str> {
    life.server_id.as_ref().map(ServerId::as_str)
}

fn our_id(life: &Life) -> Option<String> {
    id_of_our_form(&life.name)
}

fn described(life: &Life) -> String {
    match &life.server_id {
        Some(id) => format!("{} ({id})", life.name),
        None => life.name.clone(),
    }
}

/// Returns whether an event is of this life: of its server, or of a problem with it.
pub fn is_of(event: &Event, life: &Life) -> bool {
    if event.event == EventKind::Problem {
        let subject = event.subject.as_deref();
        return subject.is_some_and(|subject| {
            subject == life.name || id(life) == Some(subject) || life.jenkins_node.as_deref() == Some(subject)
        });
    }
    let same_provider = life.provider.is_none() || event.provider.is_none() || life.provider == event.provider;
    match (&event.server_id, &life.server_id) {
        (Some(one), Some(other)) => one == other && same_provider,
        _ => event.name.as_deref() == Some(life.name.as_str()) && same_provider,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn life(name: &str, id: &str) -> Life {
        Life {
            name: name.to_owned(),
            server_id: Some(id.into()),
            provider: Some("cloud".into()),
            ..Life::default()
        }
    }

    #[test]
    fn a_server_is_found_by_all_that_names_it() {
        let mut lives = vec![
            life("small__0123456789ab", "aaaa-1"),
            life("small__01ffffffffff", "aaab-2"),
            life("pet", "cccc-3"),
            life("pet", "cccc-4"),
            life("pet-2", "dddd-5"),
        ];
        lives[4].jenkins_node = Some("pets+10.0.0.1".to_owned());
        let check = |name: &str, wanted: Found| assert_eq!(find(name, &lives), wanted, "{name}");
        check("small__0123456789ab", Found::One(0));
        check("0123456789AB", Found::One(0));
        check("aaab-2", Found::One(1));
        check("aaab", Found::One(1));
        check("small__01f", Found::One(1));
        check("01f", Found::One(1));
        check("agent-0123456789ab-x", Found::One(0));
        check("pets+10.0.0.1", Found::One(4));
        let pets = ["pet (cccc-3)", "pet (cccc-4)"].map(str::to_owned).to_vec();
        check("pet", Found::Several(pets));
        check("small__02", Found::None(None));
        check(
            "small__0123456789ac",
            Found::None(Some("small__0123456789ab".to_owned())),
        );
        check("", Found::None(None));
    }
}
