//! Which node templates the waiting items of a queue call for.

use std::collections::{BTreeMap, BTreeSet};

use crate::labels::{Expr, Label, Labels};
use crate::queue::{LabelRequest, LabelRequests};

/// The most templates that are made of a queue.
const MAX_TEMPLATES: usize = 20;
/// The longest name; with the id of a server it must be a host name.
const MAX_NAME: usize = 40;

/// What the queue calls for.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// A template for each label, that of the most items first.
    pub templates: Vec<WantedTemplate>,
    /// How many items any node will do for.
    pub unlabelled: usize,
    /// How many items wait for a label that Jenkins does not show.
    pub hidden: usize,
    /// Labels for which no template was made.
    pub others: BTreeSet<String>,
}

/// A template that items wait for.
#[derive(Debug, PartialEq, Eq)]
pub struct WantedTemplate {
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: Labels,
    /// The labels as the jobs have them.
    pub asked: BTreeSet<String>,
    /// How many items wait for it.
    pub items: usize,
}

impl Wanted {
    /// Reads what the items of a queue wait for.
    pub fn new(requests: &LabelRequests) -> Self {
        let mut wanted = Self::default();
        let mut by_labels: BTreeMap<Labels, usize> = BTreeMap::new();
        for (index, request) in requests.distinct.iter().enumerate() {
            let items = requests.of_item.iter().filter(|of| **of == Some(index)).count();
            match request {
                LabelRequest::Unlabelled => wanted.unlabelled += items,
                LabelRequest::Unknown { .. } => wanted.hidden += items,
                LabelRequest::GoneNode(_) | LabelRequest::Template(_) => {}
                LabelRequest::Label(label) => wanted.add(&mut by_labels, &label.to_string(), labels_for(label), items),
                LabelRequest::Like { labels, .. } => {
                    wanted.add(&mut by_labels, &joined(labels), Some(labels.clone()), items);
                }
                LabelRequest::Values(values) => {
                    let labels: Labels = values.iter().cloned().collect();
                    wanted.add(&mut by_labels, &joined(&labels), Some(labels.clone()), items);
                }
            }
        }
        let order = |template: &WantedTemplate| (std::cmp::Reverse(template.items), template.name.clone());
        wanted.templates.sort_by_key(order);
        wanted
    }

    fn add(&mut self, by_labels: &mut BTreeMap<Labels, usize>, asked: &str, labels: Option<Labels>, items: usize) {
        let good = |label: &String| !label.trim().is_empty() && !label.contains(|c: char| c == ' ' || c.is_control());
        let labels = labels.filter(|labels| !labels.is_empty() && labels.iter().all(good));
        let Some(labels) = labels else {
            self.others.insert(asked.to_owned());
            return;
        };
        if let Some(at) = by_labels.get(&labels) {
            let template = &mut self.templates[*at];
            template.items += items;
            template.asked.insert(asked.to_owned());
        } else if self.templates.len() < MAX_TEMPLATES {
            by_labels.insert(labels.clone(), self.templates.len());
            let template = WantedTemplate {
                name: self.free_name(&labels),
                labels,
                asked: BTreeSet::from([asked.to_owned()]),
                items,
            };
            self.templates.push(template);
        } else {
            self.others.insert(asked.to_owned());
        }
    }

    /// Makes a name of labels that no other template has.
    fn free_name(&self, labels: &Labels) -> String {
        let base = name_of(labels);
        let taken = |name: &String| self.templates.iter().any(|template| template.name == *name);
        let numbered = (2..).map(|number| format!("{base}-{number}"));
        let mut names = std::iter::once(base.clone()).chain(numbered);
        names.find(|name| !taken(name)).unwrap_or(base)
    }
}

fn joined(labels: &Labels) -> String {
    let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
    labels.join(" && ")
}

/// Makes a part of a host name of labels.
fn name_of(labels: &Labels) -> String {
    let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
    let mut name = String::new();
    for c in labels.join("-").chars() {
        if c.is_ascii_alphanumeric() {
            name.push(c.to_ascii_lowercase());
        } else if !name.is_empty() && !name.ends_with(['-', '_']) {
            name.push(if c == '_' { '_' } else { '-' });
        }
        if name.len() >= MAX_NAME {
            break;
        }
    }
    match name.trim_end_matches(['-', '_']) {
        "" => "agent".to_owned(),
        name => name.to_owned(),
    }
}

/// Returns labels with which a node satisfies an expression, as few as are easily found.
fn labels_for(label: &Label) -> Option<Labels> {
    let mut ways = ways(label.expr());
    ways.retain(|labels| label.matches(labels));
    ways.into_iter().min_by_key(BTreeSet::len)
}

/// Returns sets of labels that may satisfy an expression: a first few.
fn ways(expr: &Expr) -> Vec<Labels> {
    /// More ways than these need no look.
    const MAX_WAYS: usize = 16;
    match expr {
        Expr::Atom(name) => vec![Labels::from([name.clone()])],
        Expr::Not(_) => vec![Labels::new()],
        Expr::Paren(inner) => ways(inner),
        Expr::And(a, b) | Expr::Iff(a, b) => {
            let (left, right) = (ways(a), ways(b));
            let both = left.iter().flat_map(|one| right.iter().map(move |other| one | other));
            both.take(MAX_WAYS).collect()
        }
        Expr::Or(a, b) => ways(a).into_iter().chain(ways(b)).take(MAX_WAYS).collect(),
        Expr::Implies(_, b) => std::iter::once(Labels::new()).chain(ways(b)).take(MAX_WAYS).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_found_for_an_expression() {
        let check = |text: &str, wanted: Option<&[&str]>| {
            let found = labels_for(&Label::read(text).unwrap());
            let wanted = wanted.map(|labels| labels.iter().map(|label| (*label).to_owned()).collect::<Labels>());
            assert_eq!(found, wanted, "{text}");
        };
        check("linux", Some(&["linux"]));
        check("linux && x86_64", Some(&["linux", "x86_64"]));
        check("(a && b) || c", Some(&["c"]));
        check("linux && !windows", Some(&["linux"]));
        check("!windows", Some(&[]));
        check("a && !a", None);
        check("a -> b", Some(&[]));
        check("a <-> b", Some(&["a", "b"]));
    }

    #[test]
    fn each_set_of_labels_is_one_template_with_a_name_of_its_own() {
        let label = |text: &str| LabelRequest::Label(Label::read(text).unwrap());
        let requests = LabelRequests {
            distinct: vec![
                label("linux && x86_64"),
                label("x86_64&&linux"),
                label("Linux x86_64"),
                label("Linux"),
                label("linux"),
                LabelRequest::Unlabelled,
                label("!windows"),
                label("ümlaut"),
            ],
            of_item: vec![
                Some(0),
                Some(0),
                Some(1),
                Some(2),
                Some(3),
                Some(4),
                Some(5),
                None,
                Some(6),
                Some(7),
            ],
        };
        let wanted = Wanted::new(&requests);
        let shown: Vec<(&str, String, usize)> = wanted
            .templates
            .iter()
            .map(|template| (template.name.as_str(), joined(&template.labels), template.items))
            .collect();
        assert_eq!(
            shown,
            [
                ("linux-x86_64", "linux && x86_64".to_owned(), 3),
                ("linux", "Linux".to_owned(), 1),
                ("linux-2", "linux".to_owned(), 1),
                ("mlaut", "ümlaut".to_owned(), 1),
            ]
        );
        assert_eq!((wanted.unlabelled, wanted.hidden, wanted.others.len()), (1, 0, 2));
    }
}
