//! The records of failed servers: why, and the last lines of the console, without secrets.

use super::Executor;
use crate::config::{Config, Register};
use crate::endpoint::JenkinsCredential;
use crate::pass::Live;
use crate::plan::{FailureRecord, Removal, ServerToRemove};
use crate::secret::Secret;
use crate::state::Failure;
use crate::text::{visible, without_controls};

/// Consoles that are read in one pass: servers that fail together fail for the same reason.
const MAX_CONSOLES: u32 = 3;

/// Lines of a console that are kept.
const LINES: usize = 20;

/// Lines that are asked for: some are empty.
const READ: u32 = 40;

/// Bytes of a console that are kept.
const BYTES: usize = 2048;

/// Failures that are kept of each template.
const PER_TEMPLATE: usize = 3;

/// Shorter secrets are not searched for: ordinary words contain them.
const SHORTEST_SECRET: usize = 4;

/// An agent's secret has 64 characters, a line of a host key 70.
const SHORTEST_KEY: usize = 60;

impl Executor<'_> {
    /// Records why a server failed that is about to be deleted, once for each server.
    pub(super) fn keep_failure(&mut self, live: &mut Live, removal: &Removal, server: &ServerToRemove) {
        let (Some(template), true) = (&removal.template, server.failure != FailureRecord::Nothing) else {
            return;
        };
        let known = self.state.failures.get(template);
        if known.is_some_and(|known| known.iter().any(|failure| failure.server == server.name)) {
            return;
        }
        let console = if server.failure == FailureRecord::Console && self.consoles < MAX_CONSOLES {
            self.consoles += 1;
            self.console(live, removal, server)
        } else {
            Vec::new()
        };
        let failure = Failure {
            server: server.name.clone(),
            provider: server.provider.clone(),
            at: self.context.now,
            reason: removal.why.to_string(),
            console,
        };
        let kept = self.state.failures.entry(template.clone()).or_default();
        kept.push(failure);
        kept.drain(..kept.len().saturating_sub(PER_TEMPLATE));
    }

    /// Reads a console. A server without one is deleted all the same.
    fn console(&self, live: &mut Live, removal: &Removal, server: &ServerToRemove) -> Vec<String> {
        let cloud = live.clouds.get_mut(&server.provider);
        let text = cloud.and_then(|cloud| cloud.console(&server.id, READ).ok().flatten());
        let template = removal.template.as_ref();
        let template = template.and_then(|template| self.config.template(template.as_str()));
        let was_told = template.is_some_and(|template| template.register != Register::Own);
        let text = text.map(|text| if was_told { without_keys(&text) } else { text });
        text.map(|text| lines(&text, &secrets(self.config))).unwrap_or_default()
    }
}

/// Replaces what may be the server's secret or host key (`set -x` shows them) by `***`: they are not kept
/// anywhere to compare with, but nothing else is a run of so many such characters.
fn without_keys(text: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=');
    let (mut out, mut rest) = (String::new(), text);
    while !rest.is_empty() {
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let (run, more) = rest.split_at(end);
        out.push_str(if run.len() >= SHORTEST_KEY { "***" } else { run });
        let end = more.find(is_part).unwrap_or(more.len());
        out.push_str(&more[..end]);
        rest = &more[end..];
    }
    out
}

/// Returns the last lines of a console, fit to be shown.
fn lines(text: &str, secrets: &[&Secret]) -> Vec<String> {
    // Hidden before anything is cut: half a secret would not be found.
    let known = secrets.iter().map(|secret| secret.reveal());
    let hidden = known
        .filter(|secret| secret.len() >= SHORTEST_SECRET)
        .fold(text.to_owned(), |text, secret| text.replace(secret, "***"));
    let mut left = BYTES;
    let mut kept: Vec<String> = Vec::new();
    for line in hidden.lines().rev() {
        let line = visible(without_controls(line).trim_end());
        if line.is_empty() {
            continue;
        }
        if kept.len() == LINES || left == 0 {
            break;
        }
        let cut = line
            .char_indices()
            .map(|(at, c)| at + c.len_utf8())
            .take_while(|end| *end <= left)
            .last();
        let line = &line[..cut.unwrap_or(0)];
        left -= line.len();
        kept.push(line.to_owned());
    }
    kept.reverse();
    kept
}

/// Returns every secret that the configuration holds.
fn secrets(config: &Config) -> Vec<&Secret> {
    let mut found = vec![match &config.jenkins.credential {
        JenkinsCredential::Token(secret) | JenkinsCredential::Password(secret) => secret,
    }];
    for provider in config.providers.values() {
        found.extend(provider.settings.secrets());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_was_told_is_not_kept_of_its_console() {
        let secret = "0123456789abcdef".repeat(4);
        let line = "b3BlbnNzaC1r/+".repeat(5);
        let text = format!("+ echo {secret}\n{line}\nJava 21 é\n-secret={secret}");
        assert_eq!(without_keys(&text), "+ echo ***\n***\nJava 21 é\n-***");
        assert_eq!(without_keys(""), "");
    }

    #[test]
    fn a_console_is_kept_short_plain_and_without_secrets() {
        let secret = Secret::new("tok3n");
        let text = "one\r\n\u{1b}[1;31mred\u{1b}[0m\u{7}\ttok3n x\n\n\u{202e}back\n";
        assert_eq!(lines(text, &[&secret]), ["one", "red *** x", "\\u{202e}back"]);
        let long = (0..100).fold(String::new(), |text, n| format!("{text}line {n}\n"));
        let kept = lines(&long, &[]);
        assert_eq!(
            (kept.len(), kept[0].as_str(), kept[19].as_str()),
            (20, "line 80", "line 99")
        );
        let wide = format!("first\n{}\nlast", "ü".repeat(5000));
        let kept = lines(&wide, &[]);
        assert_eq!((kept.len(), kept[1].as_str()), (2, "last"));
        assert!(kept.iter().map(String::len).sum::<usize>() <= BYTES, "{kept:?}");
    }
}
