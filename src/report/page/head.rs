//! The head of the page: what a browser may do with it, how often it loads it again, its title and its looks.

use crate::model::Severity;

use super::facts::Facts;
use super::headline;
use super::html::Html;

/// The looks.
pub const STYLE: &str = include_str!("style.css");
/// What the clock of the reader adds.
pub const SCRIPT: &str = include_str!("age.js");

/// The SHA-256 of the looks and of the script, in Base64. A test computes them.
pub const STYLE_SHA256: &str = "3xTMi/qBHVYnocNVDCpajwzbOeYK174BmjCwqKzFYmA=";
/// See [`STYLE_SHA256`].
pub const SCRIPT_SHA256: &str = "jV0eefQ+hXX2NoMh/1nmZyZqPyuWn1bPhhhN4PaiZ1k=";

/// Returns what a browser may do: nothing may be loaded or sent, only this style and this script count, and icons that are
/// part of the page.
fn policy() -> String {
    format!(
        "default-src 'none'; img-src data:; style-src 'sha256-{STYLE_SHA256}'; script-src 'sha256-{SCRIPT_SHA256}'; \
         base-uri 'none'; form-action 'none'"
    )
}

/// A dot for the tab of the browser, by how things are.
const ICONS: [&str; 3] = [
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Ccircle cx='8' cy='8' r='6' fill='%2323955a'/%3E%3C/svg%3E",
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Ccircle cx='8' cy='8' r='6' fill='%23e0921a'/%3E%3C/svg%3E",
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Ccircle cx='8' cy='8' r='6' fill='%23d0342c'/%3E%3C/svg%3E",
];

/// Writes the head.
pub fn head(html: &mut Html, facts: &Facts<'_>) {
    let outputs = &facts.view.config.outputs;
    let refresh = outputs.status_page_refresh.as_secs().max(1).to_string();
    let icon = match headline::mood(facts) {
        None => ICONS[0],
        Some(Severity::Warning) => ICONS[1],
        Some(Severity::Error) => ICONS[2],
    };
    html.void("meta", &[("charset", "utf-8")]);
    html.void(
        "meta",
        &[("http-equiv", "Content-Security-Policy"), ("content", &policy())],
    );
    html.void("meta", &[("http-equiv", "refresh"), ("content", &refresh)]);
    html.void(
        "meta",
        &[("name", "viewport"), ("content", "width=device-width, initial-scale=1")],
    );
    html.void("meta", &[("name", "color-scheme"), ("content", "light dark")]);
    html.void("meta", &[("name", "referrer"), ("content", "no-referrer")]);
    html.void("meta", &[("name", "robots"), ("content", "noindex")]);
    html.void("link", &[("rel", "icon"), ("href", icon)]);
    let title = format!("{} · mita {}", headline::sentence(facts), facts.view.config.owner);
    html.leaf("title", &[], &title);
    html.tag("style", &[], |html| html.constant(STYLE));
}

/// Writes the script, at the end of the body.
pub fn script(html: &mut Html) {
    html.tag("script", &[], |html| html.constant(SCRIPT));
}
