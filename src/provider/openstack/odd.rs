//! What could not be read in a cloud's answers, as sentences for the operator.
//!
//! A list of a thousand servers can be odd in the same way a thousand times: one sentence says it for all of them. No
//! sentence holds anything that changes from pass to pass, since its text is how it is recognized in the next one.

use crate::text::printable;
use std::collections::BTreeMap;

/// The most sentences.
const MOST: usize = 20;

/// What was odd so far.
#[derive(Debug, Default)]
pub(super) struct Oddities(BTreeMap<(&'static str, String), Whose>);

#[derive(Debug)]
struct Whose {
    id: String,
    several: bool,
}

impl Oddities {
    /// Notes what is wrong with a thing: a `server`, its id (empty where it has none), `metadata is a list`.
    pub(super) fn note(&mut self, noun: &'static str, id: &str, wrong: &str) {
        let known = self.0.len();
        match self.0.get_mut(&(noun, wrong.to_owned())) {
            Some(whose) if whose.id != id => {
                whose.several = true;
                if id < whose.id.as_str() {
                    id.clone_into(&mut whose.id);
                }
            }
            None if known < MOST => {
                let whose = Whose {
                    id: id.to_owned(),
                    several: false,
                };
                self.0.insert((noun, wrong.to_owned()), whose);
            }
            _ => {}
        }
    }

    pub(super) fn sentences(&self) -> Vec<String> {
        let each = self.0.iter().map(|((noun, wrong), whose)| {
            let id = printable(&whose.id, 60);
            let more = if whose.several { " (of others, too)" } else { "" };
            match id.as_str() {
                "" => format!("{noun}: {wrong}{more}"),
                id => format!("{noun} {id}: {wrong}{more}"),
            }
        });
        each.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thousand_alike_are_one_sentence_in_any_order() {
        let (mut one, mut other) = (Oddities::default(), Oddities::default());
        for at in 0..1000 {
            one.note("server", &format!("{at:04}"), "metadata is a list");
            other.note("server", &format!("{:04}", 999 - at), "metadata is a list");
        }
        let expected = ["server 0000: metadata is a list (of others, too)"];
        assert_eq!(one.sentences(), expected);
        assert_eq!(other.sentences(), expected);
        one.note("limits", "", "absolute is missing");
        one.note("limits", "", "absolute is missing");
        assert_eq!(one.sentences()[0], "limits: absolute is missing");
        for at in 0..100 {
            one.note("flavor", "1", &format!("key {at} is a list"));
        }
        assert_eq!(one.sentences().len(), MOST);
    }
}
