//! The templates and providers that have series: those of the configuration, and those of servers that are there.
//!
//! They get a row from the start, so that rates begin at 0; and names of the cloud cannot make series without end.

use std::collections::BTreeSet;

use crate::model::TemplateName;
use crate::report::view::PassView;

/// The most templates that have series without being configured; the others are one.
const MOST_OTHERS: usize = 50;

/// The name of these others.
const OTHERS: &str = "(others)";

/// The templates and providers that have series.
pub struct Places<'a> {
    /// The templates of the configuration.
    pub configured: BTreeSet<&'a str>,
    /// All templates that have a name here.
    pub nodes: BTreeSet<&'a str>,
    /// The templates with their providers.
    pub pairs: BTreeSet<(&'a str, &'a str)>,
}

impl<'a> Places<'a> {
    /// Finds them.
    pub fn new(view: &PassView<'a>) -> Self {
        let templates = &view.config.templates;
        let configured: BTreeSet<&str> = templates.iter().map(|template| template.name.as_str()).collect();
        let (nodes, intents) = (view.state.nodes.values(), view.state.intents.values());
        let nodes = nodes.map(|node| (node.template.as_str(), node.provider.as_str()));
        let alive = nodes.chain(intents.map(|intent| (intent.template.as_str(), intent.provider.as_str())));
        let alive: BTreeSet<(&str, &str)> = alive.collect();
        let others: BTreeSet<&str> = alive
            .iter()
            .map(|(node, _)| *node)
            .filter(|node| !configured.contains(node))
            .collect();
        let mut places = Self {
            nodes: configured
                .iter()
                .copied()
                .chain(others.into_iter().take(MOST_OTHERS))
                .collect(),
            configured,
            pairs: BTreeSet::new(),
        };
        for template in templates {
            let providers = template.placements.iter().map(|place| place.provider.as_str());
            places
                .pairs
                .extend(providers.map(|provider| (template.name.as_str(), provider)));
        }
        let alive: Vec<_> = alive
            .into_iter()
            .map(|(node, provider)| (places.name(node), provider))
            .collect();
        places.pairs.extend(alive);
        places
    }

    /// Returns the name under which a template has its series.
    pub fn name<'n>(&self, node: &'n str) -> &'n str {
        if self.nodes.contains(node) { node } else { OTHERS }
    }

    /// The same of a template's name.
    pub fn of<'n>(&self, node: &'n TemplateName) -> &'n str {
        self.name(node.as_str())
    }
}
