//! The status page: one HTML file that needs nothing else.
//!
//! It is readable without script, asks nobody for anything, and holds no secret. Everything from outside goes through
//! `html`, which escapes it; the policy in `head` forbids what an injected element could do, would one get through.
//!
//! A page cannot know by itself how old it is: it says in words until when it is fresh, and a small script (`age.js`) turns
//! that into an age and a banner. Without script the banner appears when a browser has not loaded the page again for as
//! long (`style.css`).

mod charts;
mod events;
mod facts;
mod footer;
mod head;
mod headline;
mod held;
mod html;
mod links;
mod problems;
mod servers;
mod table;
mod templates;
#[cfg(test)]
mod tests;
mod time;
mod waiting;

use crate::report::view::PassView;
use facts::Facts;
use html::Html;

/// Writes the page of a pass.
pub fn html(view: &PassView<'_>) -> String {
    let facts = Facts::new(view);
    let mut html = Html::default();
    html.constant("<!DOCTYPE html>\n");
    html.tag("html", &[("lang", "en")], |html| {
        html.tag("head", &[], |html| head::head(html, &facts));
        html.line();
        html.tag("body", &[], |html| body(html, &facts));
    });
    html.line();
    html.finish()
}

fn body(html: &mut Html, facts: &Facts<'_>) {
    html.tag("header", &[], |html| headline::headline(html, facts));
    html.line();
    html.tag("main", &[], |html| {
        problems::problems(html, facts);
        html.class("div", "pair", |html| {
            templates::templates(html, facts);
            waiting::waiting(html, facts);
        });
        charts::charts(html, facts);
        servers::servers(html, facts);
        held::held(html, facts);
        events::events(html, facts);
    });
    html.line();
    html.tag("footer", &[], |html| footer::footer(html, facts));
}
