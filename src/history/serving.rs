//! Which template items of a label count for: the one that served them where an event says so, else the first that fits
//! the label by the configuration of now.

use std::collections::BTreeMap;

use crate::config::{Config, Template};
use crate::labels::Label;
use crate::model::TemplateName;

use super::lives::Wait;

/// Finds the template of items, and remembers what it found.
pub struct Serving<'c> {
    /// First choice first.
    templates: Vec<&'c Template>,
    known: BTreeMap<Option<String>, Option<TemplateName>>,
}

impl<'c> Serving<'c> {
    /// Starts with the templates of a configuration.
    pub fn new(config: &'c Config) -> Self {
        let mut templates: Vec<&Template> = config.templates.iter().collect();
        templates.sort_by_key(|template| template.priority);
        Self {
            templates,
            known: BTreeMap::new(),
        }
    }

    /// Returns the template that items count for; `None` where none fits.
    pub fn template(&mut self, wait: &Wait) -> Option<TemplateName> {
        if wait.node.is_some() {
            return wait.node.clone();
        }
        if let Some(known) = self.known.get(&wait.label) {
            return known.clone();
        }
        let found = self.first_that_fits(wait.label.as_deref());
        self.known.insert(wait.label.clone(), found.clone());
        found
    }

    fn first_that_fits(&self, label: Option<&str>) -> Option<TemplateName> {
        let of_name = label.and_then(|name| self.templates.iter().find(|template| template.name.as_str() == name));
        let label = label.and_then(Label::printed);
        let fits = |template: &&&Template| match &label {
            Some(label) => label.matches(&template.labels),
            None => template.accepts_unlabelled,
        };
        let found = of_name.or_else(|| self.templates.iter().find(fits));
        found.map(|template| template.name.clone())
    }
}
