//! Whose page it is, of which Jenkins, written by what and when.

use crate::text::{plural, span};

use super::facts::Facts;
use super::head;
use super::html::Html;
use super::links;
use super::time;

/// Writes the footer and, behind it, the script.
pub fn footer(html: &mut Html, facts: &Facts<'_>) {
    let view = facts.view;
    let version = view
        .saw
        .as_ref()
        .and_then(|saw| saw.observed.jenkins.version.as_deref());
    html.tag("p", &[], |html| {
        html.text("mita ");
        html.text(env!("CARGO_PKG_VERSION"));
        html.text(" · owner ");
        html.text(&view.config.owner);
        if let Some(base) = links::base(view.config) {
            html.text(" · Jenkins ");
            if let Some(version) = version {
                html.text(version);
                html.text(" ");
            }
            html.text("at ");
            links::linked(html, Some(&format!("{base}/")), base);
        }
    });
    html.tag("p", &[], |html| {
        html.text(&format!("Written by pass {} at ", view.pass));
        html.text(&time::exact(view.now));
        html.text(&format!(" after {:.1}s", view.seconds));
        if let Some(saw) = &view.saw {
            let requests: u64 = saw.seen.requests.values().sum();
            html.text(&format!(" and {}", plural(requests, "request")));
        }
        html.text(&format!("; exit {}", view.exit));
        let refresh = span(view.config.outputs.status_page_refresh);
        html.text(&format!(". Loaded again every {refresh}. All times are UTC."));
    });
    head::script(html);
}
