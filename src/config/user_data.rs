//! The user data of a server: the script of its template with the placeholders filled in.

use super::script::{self, Joining, Values};
use super::template::Template;
use super::whole::Config;

impl Template {
    /// Returns the labels of its nodes on one line.
    pub fn labels_line(&self) -> String {
        let labels: Vec<&str> = self.labels.iter().map(String::as_str).collect();
        labels.join(" ")
    }
}

impl Config {
    /// Returns the user data of a server of a template; `None` where the template has no script.
    pub fn user_data(&self, template: &Template, id: &str, name: &str, joining: Joining<'_>) -> Option<String> {
        let text = template.script.as_deref()?;
        let values = Values {
            id,
            name,
            node: template.name.as_str(),
            labels: &template.labels_line(),
            owner: &self.owner,
            executors: template.executors,
            jenkins_url: &self.jenkins.url,
            joining,
        };
        Some(script::render(text, &values))
    }
}
