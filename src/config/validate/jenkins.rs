//! Judges `jenkins:`, and the transport settings that a provider has, too.

use crate::access::{JenkinsAccess, JenkinsCredential, Transport};
use crate::model::TemplateName;
use crate::secret::Secret;

use super::super::at::{At, Given};
use super::super::problem::{Report, quoted};
use super::super::raw::RawConfig;
use super::super::{LabelSources, suggest};
use super::text::{self, Url};
use super::{Common, positive};

/// Makes the access to Jenkins; also returns the controller's host.
pub fn access(
    raw: &RawConfig,
    root: &At<'_>,
    credential: Option<JenkinsCredential>,
    common: &Common<'_>,
    report: &mut Report,
) -> (JenkinsAccess, String) {
    let at = root.section("jenkins");
    let raw = &raw.jenkins;
    let (url, user) = if at.exists() {
        let what = "write the address of Jenkins, like https://jenkins.example.com";
        let url = url(&at, "url", raw.url.as_ref(), Some(what), report);
        let what = "write the user whose token is used";
        (url, text::required(&at, "user", raw.user.as_ref(), what, report))
    } else {
        let text = "missing; say where Jenkins is and who mita is there: url, user, token";
        report.error(&at.here(), text);
        (None, String::new())
    };
    if user.contains(':') {
        report.error(
            &at.place("user"),
            "must not hold a colon; a login by user and token cannot carry one",
        );
    }
    let settings = Settings {
        ca_file: raw.ca_file.as_deref(),
        verify: raw.verify,
        proxy: raw.proxy.as_deref(),
        connect_timeout: raw.connect_timeout,
        timeout: raw.timeout,
    };
    let access = JenkinsAccess {
        url: url.as_ref().map_or_else(String::new, |url| url.text.clone()),
        user,
        credential: credential.unwrap_or_else(|| JenkinsCredential::Token(Secret::new(""))),
        transport: transport(&at, &settings, common, report),
    };
    (access, url.map_or_else(String::new, |url| url.host))
}

/// Reads where the label of a queue item is found that the queue does not tell.
pub fn label_sources(raw: &RawConfig, root: &At<'_>, report: &mut Report) -> LabelSources {
    let at = root.section("jenkins");
    let raw = &raw.jenkins;
    let from = raw.labels_from.as_deref().unwrap_or("queue");
    let known = ["queue", "script"];
    if !known.contains(&from) {
        let hint = suggest::did_you_mean(from, known);
        report.error(
            &at.place("labels_from"),
            format!("{} is no source of labels{hint}", quoted(from)),
        );
    }
    let bootstrap = text::optional(&at, "bootstrap", raw.bootstrap.as_ref(), report);
    let bootstrap = bootstrap.filter(|name| !name.is_empty());
    if let Some(name) = bootstrap.as_deref().filter(|_| !root.is_bad("nodes")) {
        let nodes: Vec<&str> = root.section("nodes").names().collect();
        if !nodes.contains(&name) {
            let hint = suggest::did_you_mean(name, nodes);
            report.error(
                &at.place("bootstrap"),
                format!("there is no node {}{hint}", quoted(name)),
            );
        }
    }
    LabelSources {
        anchor: raw.anchor.unwrap_or(false),
        script: from == known[1],
        bootstrap: bootstrap.map(TemplateName::new),
    }
}

/// Reads a base URL; one that goes without TLS to another machine gets a warning. `what` says what to write when it is
/// missing; `None` when it may be.
pub fn url(at: &At<'_>, key: &str, value: Option<&String>, what: Option<&str>, report: &mut Report) -> Option<Url> {
    if let Some(what) = what {
        match at.given(key) {
            Given::Absent => report.error(&at.place(key), format!("missing; {what}")),
            Given::Empty => report.error(&at.place(key), format!("is empty; {what}")),
            Given::Value => {}
        }
    }
    match text::url(value?) {
        Ok(url) => {
            if url.exposed {
                let text = "plain http: secrets can be read on the way; use https";
                report.warn(&at.place(key), text);
            }
            Some(url)
        }
        Err(text) => {
            report.error(&at.place(key), text);
            None
        }
    }
}

/// The transport settings of one section.
pub struct Settings<'s> {
    /// `ca_file`.
    pub ca_file: Option<&'s str>,
    /// `verify`.
    pub verify: Option<bool>,
    /// `proxy`.
    pub proxy: Option<&'s str>,
    /// `connect_timeout`.
    pub connect_timeout: Option<i64>,
    /// `timeout`.
    pub timeout: Option<i64>,
}

/// Makes the transport settings.
pub fn transport(at: &At<'_>, raw: &Settings<'_>, common: &Common<'_>, report: &mut Report) -> Transport {
    let verify = raw.verify.unwrap_or(true);
    if !verify {
        let text = "certificates are not verified: anyone on the way can read secrets; give the CA by ca_file instead";
        report.warn(&at.place("verify"), text);
        if raw.ca_file.is_some() {
            report.error(
                &at.place("ca_file"),
                "has no use with verify: false; remove one of the two",
            );
        }
    }
    let ca_file = raw.ca_file.map(|path| common.folders.resolve(path)).transpose();
    let ca_file = ca_file.unwrap_or_else(|text| {
        report.error(&at.place("ca_file"), text);
        None
    });
    let timeout = positive(at, "timeout", raw.timeout, 60, report);
    let connect_timeout = match raw.connect_timeout {
        None => positive(at, "connect_timeout", None, 10, report).min(timeout),
        given => positive(at, "connect_timeout", given, 10, report),
    };
    super::not_below(at, ("timeout", timeout), ("connect_timeout", connect_timeout), report);
    Transport {
        ca_file,
        verify,
        proxy: raw.proxy.and_then(|proxy| self::proxy(at, proxy, report)),
        connect_timeout,
        timeout,
        max_body: common.max_body,
    }
}

fn proxy(at: &At<'_>, proxy: &str, report: &mut Report) -> Option<String> {
    let url = text::url(proxy).and_then(|url| {
        let path = url.text.splitn(4, '/').nth(3).is_some();
        if path {
            Err("must hold no path; write it like http://proxy:3128".to_owned())
        } else {
            Ok(url)
        }
    });
    match url {
        Ok(url) => Some(url.text),
        Err(text) => {
            report.error(&at.place("proxy"), text);
            None
        }
    }
}
