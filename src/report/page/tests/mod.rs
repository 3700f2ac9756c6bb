//! Tests of the page: what it says, what it never holds, and how large it may get. How it looks is tested in a browser
//! (`tests/page/`).

#![expect(
    clippy::disallowed_methods,
    reason = "reads the accepted page, and writes it on request"
)]

mod site;

use std::fs;
use std::path::Path;

use base64::Engine as _;

use super::head;
use crate::state::Sample;
use site::{HOSTILE, Site, hostile, large, now, small};

/// Returns a page without what has its own tests: style, script, icons.
fn bare(page: &str) -> String {
    let start = page.find("<link").unwrap();
    let end = page[start..].find('>').unwrap() + start + 1;
    let page = format!("{}{}", &page[..start], &page[end..]);
    let page = page.replace(head::STYLE, "").replace(head::SCRIPT, "");
    page.replace(head::STYLE_SHA256, "STYLE")
        .replace(head::SCRIPT_SHA256, "SCRIPT")
}

#[test]
fn the_policy_names_style_and_script() {
    let digest = |text: &str| {
        let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
        base64::engine::general_purpose::STANDARD.encode(digest)
    };
    assert_eq!(head::STYLE_SHA256, digest(head::STYLE), "STYLE_SHA256 in head.rs");
    assert_eq!(head::SCRIPT_SHA256, digest(head::SCRIPT), "SCRIPT_SHA256 in head.rs");
}

#[test]
fn a_small_page() {
    let now = bare(&small().html()).replace(env!("CARGO_PKG_VERSION"), "VERSION");
    // A line of its own for each element of a body: what changes is seen in a diff.
    let now = now.replace("><", ">\n<");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/page/small.html");
    if std::env::var_os("MITA_ACCEPT").is_some() {
        fs::write(&file, &now).unwrap();
    }
    let accepted = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        accepted == now,
        "{} is another page; MITA_ACCEPT=1 cargo test --lib report::page takes it",
        file.display()
    );
}

#[test]
fn a_page_asks_nobody_and_links_to_jenkins_alone() {
    for part in bare(&small().html()).split("http").skip(1) {
        let shown = part.chars().take(60).collect::<String>();
        let fine = part.starts_with("-equiv=\"") || part.starts_with("s://jenkins.example.com/ci");
        assert!(fine, "http{shown}");
    }
    for page in [small().html(), hostile().html()] {
        let page = bare(&page);
        let mut links = page.split("href=\"").skip(1);
        assert!(links.clone().count() > 3);
        assert!(links.all(|link| link.starts_with("https://jenkins.example.com/ci/")));
    }
    let page = bare(&small().html());
    for word in ["src=", "@import", "url(", "<iframe", "<form", "<base", "<object"] {
        assert!(!page.contains(word) && !head::STYLE.contains(word), "{word}");
    }
}

/// Reads the tags of a page: each must be one that the program writes, and be closed in order.
fn elements(page: &str) -> Vec<String> {
    const VOID: [&str; 1] = ["meta"];
    let mut open: Vec<String> = Vec::new();
    let mut all = Vec::new();
    let page = bare(page);
    let page = page.strip_prefix("<!DOCTYPE html>").unwrap();
    for part in page.split('<').skip(1) {
        let (tag, text) = part.split_once('>').expect("a tag ends");
        assert!(!text.contains('>'), "a lonely end of a tag: {text}");
        let quotes = tag.matches('"').count();
        assert!(quotes.is_multiple_of(2), "an attribute that does not end: {tag}");
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "behind {part}");
            continue;
        }
        let name: String = tag.chars().take_while(char::is_ascii_alphanumeric).collect();
        for before in tag.split('"').step_by(2).filter(|before| before.ends_with('=')) {
            let attribute = before.rsplit(' ').next().unwrap();
            assert!(!attribute.starts_with("on") && !attribute.starts_with("style"), "{tag}");
        }
        if !VOID.contains(&name.as_str()) {
            open.push(name.clone());
        }
        all.push(name);
    }
    assert!(open.is_empty(), "{open:?}");
    all
}

#[test]
fn hostile_names_create_no_element() {
    let count = |page: &str, wanted: &str| elements(page).iter().filter(|name| *name == wanted).count();
    let page = hostile().html();
    for (tag, most) in [("script", 1), ("style", 1), ("img", 0), ("h1", 1)] {
        assert_eq!(count(&page, tag), most, "{tag}");
    }
    for name in HOSTILE {
        assert!(!bare(&page).contains(name), "{name}");
    }
    assert!(page.contains("&lt;script&gt;"), "they are shown, as text");
    assert!(!page.contains('\u{202e}') && page.contains("\\u{202e}"));
    assert!(!page.to_ascii_lowercase().contains("href=\"javascript"));
}

#[test]
fn every_page_is_well_formed() {
    let mut blind = small();
    blind.is_blind = true;
    for site in [Site::default(), small(), large(), blind] {
        assert!(elements(&site.html()).len() > 30);
    }
}

#[test]
fn tables_and_the_page_are_bounded() {
    let page = large().html();
    assert!(page.len() < 1024 * 1024, "{} bytes", page.len());
    assert!(page.contains("and 1800 more"), "servers");
    assert!(page.contains("and 300 more"), "labels");
    let rows = elements(&page).iter().filter(|name| *name == "tr").count();
    assert!(rows < 700, "{rows} rows");
}

#[test]
fn a_chart_says_what_this_pass_saw() {
    let mut site = Site::default();
    // The peak of the last five minutes; the queue is empty now.
    let peak = Sample {
        at: u64::try_from(now().as_second()).unwrap(),
        waiting: 30,
        oldest: 780,
        ..Sample::default()
    };
    site.state.page.as_mut().unwrap().samples.push(peak);
    let page = site.html();
    assert!(page.contains("now 0, at most 30") && page.contains("now 0s, at most 13m"));
    site.is_blind = true;
    let page = site.html();
    assert!(page.contains("at most 30") && !page.contains("now 0, "), "nobody knows");
}

#[test]
fn the_headline_says_how_things_are() {
    let check = |site: &Site, expected: &str| {
        let page = site.html();
        let (_, rest) = page.split_once("<h1>").unwrap();
        let (headline, _) = rest.split_once("</h1>").unwrap();
        assert_eq!(headline, expected);
        assert!(
            page.contains(&format!("<title>{expected} · mita tester</title>")),
            "{expected}"
        );
    };
    check(&Site::default(), "All is well: no server, nothing waits");
    check(&small(), "2 problems: provider openstack cannot be read");
    assert!(
        small()
            .html()
            .contains("<p class=\"fleet\">4 servers, 6 items wait, 2 of them not served yet</p>")
    );
    let mut site = small();
    site.state.problems.clear();
    check(&site, "All is well: 4 servers, 6 items wait, 2 of them not served yet");
    site.exit = 1;
    check(
        &site,
        "The pass left something undone (exit 1): 4 servers, 6 items wait, 2 of them not served yet",
    );
    site.is_blind = true;
    check(
        &site,
        "Jenkins or the clouds cannot be read: below is what a pass saw at 11:59:00 UTC",
    );
    site.state.last_pass = None;
    check(&site, "Jenkins or the clouds cannot be read: no pass saw anything yet");
}

#[test]
fn a_blind_pass_shows_what_was_known_and_no_queue() {
    let mut site = small();
    site.is_blind = true;
    let page = site.html();
    assert!(page.contains("The queue could not be read."));
    assert!(page.contains("small__0000000000a1"), "its servers are still there");
    assert!(page.contains("<dd>?</dd>"));
}

#[test]
fn no_login_of_a_url_is_shown() {
    let mut site = small();
    site.config.jenkins.url = "https://ci:secret@jenkins.example.com".to_owned();
    let page = site.html();
    assert!(!page.contains("secret") && !page.contains("<a "), "{page}");
}

#[test]
fn the_page_says_when_it_gets_old() {
    let mut site = small();
    site.state.gaps = vec![600; 10];
    let page = site.html();
    assert!(page.contains("data-after=\"1800\"") && page.contains("class=\"stale s1800\""));
    assert!(page.contains("old from 12:30:00 UTC on"), "30 minutes behind 12:00");
    assert!(page.contains("<meta http-equiv=\"refresh\" content=\"60\">"));
}
