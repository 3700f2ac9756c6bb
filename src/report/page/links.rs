//! Links to Jenkins: its base URL as configured, and names that are encoded. There are no others.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::config::Config;
use crate::queue::job_path;

use super::html::Html;

const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Returns the base URL, as long as it is one that a browser may open and that names no user.
pub fn base(config: &Config) -> Option<&str> {
    let url = config.jenkins.url.as_str();
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    (!rest.contains('@')).then_some(url)
}

/// Returns the page of a node.
pub fn node(config: &Config, name: &str) -> Option<String> {
    let no_name = name.is_empty() || name == "." || name == "..";
    let base = base(config).filter(|_| !no_name)?;
    Some(format!("{base}/computer/{}/", utf8_percent_encode(name, ESCAPED)))
}

/// Returns the page of the job of a task, whose URL is Jenkins' own and may name another root.
pub fn job(config: &Config, task_url: &str) -> Option<String> {
    let (path, _) = job_path(task_url)?;
    Some(format!("{}/{path}/", base(config)?))
}

/// Writes a text, as a link where there is one.
pub fn linked(html: &mut Html, href: Option<&str>, text: &str) {
    match href {
        Some(href) => html.leaf("a", &[("href", href)], text),
        None => html.text(text),
    }
}
