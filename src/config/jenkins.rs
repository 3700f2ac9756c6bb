//! `jenkins:`.

use crate::endpoint::{JenkinsCredential, JenkinsEndpoint};
use crate::model::TemplateName;
use crate::secret::Secret;
use crate::settings::files::Outside;
use crate::settings::key::{Key, KeySpec, Need, Words};
use crate::settings::problem::quoted;
use crate::settings::secrets::Source;
use crate::settings::section::Section;
use crate::settings::transport::{TRANSPORT, transport};
use crate::settings::{keys, names, url};
use crate::text::did_you_mean;

keys! {
    /// `jenkins:`.
    pub JENKINS_KEYS { include: &[&TRANSPORT], needs: &[Need::of(&[URL.spec()]), Need::of(&[USER.spec()])] };
    /// The address of Jenkins, with its context path.
    URL: Option<String> = Key::text("url");
    /// The user.
    USER: Option<String> = Key::text("user").also(&["username"]);
    /// The user's API token.
    TOKEN: Option<Secret> = Key::secret("token");
    /// The file that holds the token.
    TOKEN_FILE: Option<String> = Key::path("token_file");
    /// The user's password, instead of a token.
    PASSWORD: Option<Secret> = Key::secret("password");
    /// The file that holds the password.
    PASSWORD_FILE: Option<String> = Key::path("password_file");
    /// Whether one permanent offline node is kept, so that the texts of the queue name labels.
    ANCHOR: bool = Key::flag("anchor").or("false");
    /// Where the label of a queue item comes from.
    LABELS_FROM: &'static str = Key::word("labels_from", &LABEL_SOURCES).or("queue");
    /// The template of which one server is started when there is no agent and labels are hidden.
    BOOTSTRAP: Option<String> = Key::text("bootstrap");
}

static LABEL_SOURCES: Words = Words {
    words: &["queue", "script"],
    spellings: &[],
    any_case: false,
    what: "source of labels",
};

/// Where the label of a queue item comes from when the queue does not name it (`jenkins.anchor`, …).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelSources {
    /// Whether one permanent offline node is kept in Jenkins, so that the texts of the queue name labels.
    pub anchor: bool,
    /// Whether the script console is asked for the exact labels.
    pub script: bool,
    /// The template of which one server is started when no agent exists and labels are hidden.
    pub bootstrap: Option<TemplateName>,
}

/// Reads how to reach Jenkins; also returns the controller's host.
pub fn endpoint(at: &Section<'_>, outside: &Outside<'_>, max_body: u64) -> (JenkinsEndpoint, String) {
    let (url, user) = if at.exists() {
        let what = "write the address of Jenkins, like https://jenkins.example.com";
        let url = url::required(at, &URL, what);
        (url, names::required(at, &USER, "write the user whose token is used"))
    } else {
        let text = "missing; say where Jenkins is and who mita is there: url, user, token";
        at.report().error(&at.here(), text);
        (None, String::new())
    };
    if user.contains(':') {
        at.error(
            &USER,
            "must not hold a colon; a login by user and token cannot carry one",
        );
    }
    let endpoint = JenkinsEndpoint {
        url: url.as_ref().map_or_else(String::new, |url| url.text.clone()),
        user,
        credential: credential(at, outside).unwrap_or_else(|| JenkinsCredential::Token(Secret::new(""))),
        transport: transport(at, outside, max_body),
    };
    (endpoint, url.map_or_else(String::new, |url| url.host))
}

fn credential(at: &Section<'_>, outside: &Outside<'_>) -> Option<JenkinsCredential> {
    if !at.is_good() {
        return None;
    }
    let sources = [
        Source::Inline(&TOKEN),
        Source::File(&TOKEN_FILE),
        Source::Inline(&PASSWORD),
        Source::File(&PASSWORD_FILE),
    ];
    let token: (&KeySpec, &str) = (&TOKEN, "MITA_JENKINS_TOKEN");
    let (key, secret) = outside.secret(at, &sources, &[token, (&PASSWORD, "MITA_JENKINS_PASSWORD")])?;
    Some(if [TOKEN.name, TOKEN_FILE.name].contains(&key.name) {
        JenkinsCredential::Token(secret)
    } else {
        JenkinsCredential::Password(secret)
    })
}

/// Reads where the label of a queue item comes from when the queue does not name it. `nodes` has the names of the templates;
/// `None` where they are not known.
pub fn label_sources(at: &Section<'_>, nodes: Option<&[&str]>) -> LabelSources {
    let bootstrap = names::optional(at, &BOOTSTRAP).filter(|name| !name.is_empty());
    if let (Some(name), Some(nodes)) = (bootstrap.as_deref(), nodes)
        && !nodes.contains(&name)
    {
        let hint = did_you_mean(name, nodes.iter().copied());
        at.error(&BOOTSTRAP, format!("there is no node {}{hint}", quoted(name)));
    }
    LabelSources {
        anchor: at.get(&ANCHOR),
        script: at.get(&LABELS_FROM) == "script",
        bootstrap: bootstrap.map(TemplateName::new),
    }
}
