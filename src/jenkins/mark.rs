//! Whether an offline mark is ours, however Jenkins shows it. Pure.
//!
//! Jenkins keeps `Disconnected by USER : TEXT` and shows, depending on its age, all of it or what follows the last ` : `,
//! escaped for HTML.

use crate::jenkins::wire::NodeState;

const SEPARATOR: &str = " : ";

/// Returns whether a node bears a mark that begins with `prefix`.
pub fn is_ours(node: &NodeState, prefix: &str) -> bool {
    !prefix.is_empty() && node.temporarily_offline && readings(node).iter().any(|text| text.starts_with(prefix))
}

/// Returns whether a node bears exactly this mark.
pub fn bears(node: &NodeState, mark: &str) -> bool {
    let mark = folded(mark);
    let tail = mark.rsplit(SEPARATOR).next().unwrap_or(&mark);
    node.temporarily_offline
        && !mark.is_empty()
        && (readings(node).contains(&mark) || folded(&unescaped(&node.offline_reason)) == tail)
}

/// Returns all texts that the mark may be, from what Jenkins shows of it.
fn readings(node: &NodeState) -> Vec<String> {
    let shown = [unescaped(&node.offline_reason), node.offline_description.clone()];
    let mut readings = Vec::new();
    for text in shown {
        let text = folded(&text);
        readings.extend(
            text.match_indices(SEPARATOR)
                .map(|(at, found)| text[at + found.len()..].to_owned()),
        );
        readings.push(text);
    }
    readings
}

fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Undoes the escaping of Jenkins' `Util.escape`.
fn unescaped(text: &str) -> String {
    // The ampersand last: what was escaped once is not to be unescaped twice.
    [
        ("<br>", "\n"),
        ("&nbsp;", " "),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#039;", "'"),
        ("&#39;", "'"),
        ("&amp;", "&"),
    ]
    .iter()
    .fold(text.to_owned(), |text, (escaped, plain)| text.replace(escaped, plain))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jenkins::wire;

    fn marked(reason: &str, description: &str) -> NodeState {
        NodeState {
            idle: true,
            offline: true,
            temporarily_offline: true,
            offline_reason: reason.to_owned(),
            offline_description: description.to_owned(),
            offline_class: None,
            executors: 1,
            idle_executors: 1,
            one_off_busy: false,
        }
    }

    #[test]
    fn a_mark_is_known_in_every_guise() {
        let mark = "mita: idle, pass 17 : x";
        for (reason, description) in [
            ("x", "Disconnected by mita : mita: idle, pass 17 : x"),
            ("mita: idle, pass 17 : x", ""),
            ("Disconnected by mita : mita: idle, pass 17 : x", ""),
            ("Getrennt durch Benutzer mita : mita: idle, pass 17 : x", ""),
            ("x", ""),
        ] {
            assert!(bears(&marked(reason, description), mark), "{reason} / {description}");
        }
        assert!(bears(
            &marked("mita: a&amp;&lt;b&gt; &#039;c&#039;", ""),
            "mita: a&<b> 'c'"
        ));
        assert!(!bears(&marked("mita: idle, pass 18", ""), "mita: idle, pass 17"));
        assert!(!bears(&marked("", ""), ""));
    }

    #[test]
    fn only_our_beginning_makes_a_mark_ours() {
        assert!(is_ours(&marked("mita: idle", ""), "mita:"));
        assert!(is_ours(
            &marked("idle", "Disconnected by bot : mita: for : idle"),
            "mita:"
        ));
        assert!(!is_ours(&marked("disk full, says mita: no", ""), "mita:"));
        assert!(!is_ours(&marked("", ""), "mita:"));
        assert!(!is_ours(&marked("anything", ""), ""));
        let unmarked = NodeState {
            temporarily_offline: false,
            ..marked("mita: idle", "")
        };
        assert!(!is_ours(&unmarked, "mita:"), "a reason without a mark is no mark");
    }

    #[test]
    fn a_real_mark_with_odd_characters_is_found() {
        let body = include_bytes!("../../tests/fixtures/jenkins/client-node-marked-odd-2.544.json");
        let node = wire::node(body).unwrap();
        assert!(bears(&node, "a : b <c> & \"d\" 'e' é"));
        assert!(is_ours(&node, "a : b"));
    }
}
