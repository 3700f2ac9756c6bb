//! An executable of the operator as a cloud: for Docker, libvirt, a hosting company or anything else.
//!
//! It is called as `COMMAND VERB`, gets one JSON object on stdin and answers with one on stdout. Lines on stderr are
//! for people: `-vv` shows them, and the last one is quoted in the error. The exit code is the outcome (see `call`).
//! `list`, `create` and `delete` must be known; `offers`, `check` and `console` are called only if the answer to `list`
//! names them under `verbs`. `examples/exec-provider/README.md` describes it for those who write one.
//!
//! | file | what it is for |
//! | --- | --- |
//! | `call` | what its end means |
//! | `request`, `answer` | the JSON |

mod answer;
mod call;
pub mod program;
mod request;
pub mod settings;

#[cfg(all(test, unix))]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::http::Deadline;
use crate::model::{
    Checked, Offer, Offers, Resource, ResourceKind, ResourceMark, ServerId, ServerSpec, TemplateName, Unavailable, Zone,
};
use crate::provider::{AddFloatingIp, CreateServer, Deleted, Provider, ProviderError, ServerList};
use crate::text::{plural, printable};
use answer::{CheckAnswer, ConsoleAnswer, CreateAnswer, ListAnswer, OffersAnswer, TemplateAnswer};
use call::Invocation;
use program::ExecProgram;

/// The most sentences of one check that are passed on.
const MAX_SENTENCES: usize = 100;
/// The most characters of a console that are kept.
const MAX_CONSOLE: usize = 64 * 1024;

/// An executable that plays the cloud.
pub struct Exec {
    settings: ExecProgram,
    deadline: Deadline,
    calls: u64,
    /// The optional verbs that it knows; `None` until it has listed.
    verbs: Option<BTreeSet<String>>,
    /// The names of the servers that it listed or made, to send them with the id.
    names: BTreeMap<ServerId, String>,
}

impl Exec {
    /// Prepares it; nothing is run until something is asked.
    pub fn new(settings: &ExecProgram, deadline: Deadline) -> Self {
        Self {
            settings: settings.clone(),
            deadline,
            calls: 0,
            verbs: None,
            names: BTreeMap::new(),
        }
    }

    fn call(&mut self, verb: &str, what: &str, own: Value, secret: &str) -> Result<Vec<u8>, ProviderError> {
        self.calls += 1;
        let input = request::input(&self.settings, verb, own);
        let call = Invocation {
            verb,
            input: &input,
            what,
            secret,
        };
        call::call(&self.settings, &self.deadline, &call)
    }

    /// Calls a verb that changes nothing: an unknown outcome is harmless then.
    fn ask<T: DeserializeOwned>(&mut self, verb: &str, own: Value) -> Result<T, ProviderError> {
        let stdout = self.call(verb, verb, own, "").map_err(|error| match error {
            ProviderError::Unknown(text) => ProviderError::Unavailable(text),
            other => other,
        })?;
        answer::read(&stdout).map_err(|error| ProviderError::BadAnswer(format!("{verb}: {error}")))
    }

    fn knows(&mut self, verb: &str) -> Result<bool, ProviderError> {
        if self.verbs.is_none() {
            self.servers()?;
        }
        Ok(self.verbs.as_ref().is_some_and(|verbs| verbs.contains(verb)))
    }

    /// Asks what the program offers, as a pass does that creates.
    fn check_offers(&mut self, wanted: &[(&TemplateName, &ServerSpec, &[Zone])], checked: &mut Checked) {
        let specs: Vec<(&TemplateName, &ServerSpec)> = wanted.iter().map(|(name, spec, _)| (*name, *spec)).collect();
        let offers = match self.offers(&specs) {
            Ok(offers) => offers,
            Err(error) => return checked.missing.push(error.to_string()),
        };
        checked.found.extend(offers.room.sentences());
        let closed = offers.templates.iter().filter_map(|(name, offer)| {
            let reason = &offer.as_ref().err()?.reason;
            Some(format!("nodes.{name}: {reason}"))
        });
        checked.missing.extend(closed);
    }

    /// The part of a request that names a server.
    fn server_request(&self, id: &ServerId) -> Value {
        json!({"server": {"id": id, "name": self.names.get(id)}})
    }
}

impl Provider for Exec {
    fn servers(&mut self) -> Result<ServerList, ProviderError> {
        let list: ListAnswer = self.ask("list", json!({}))?;
        let servers =
            answer::servers(list.servers).map_err(|error| ProviderError::BadAnswer(format!("list: {error}")))?;
        self.verbs = Some(list.verbs);
        let names = servers.iter().map(|server| (server.id.clone(), server.name.clone()));
        self.names = names.collect();
        Ok(ServerList {
            servers,
            clock: list.clock,
        })
    }

    /// The list already has the fault.
    fn fault(&mut self, _id: &ServerId) -> Result<Option<String>, ProviderError> {
        Ok(None)
    }

    fn offers(&mut self, wanted: &[(&TemplateName, &ServerSpec)]) -> Result<Offers, ProviderError> {
        let offered: Option<OffersAnswer> = if self.knows("offers")? {
            let each = wanted.iter().map(|(name, spec)| (*name, *spec, &[][..]));
            Some(self.ask("offers", request::templates(each))?)
        } else {
            None
        };
        let has = |name: &TemplateName| offered.as_ref().and_then(|offered| offered.templates.get(name));
        let templates = wanted.iter().map(|(name, _)| ((*name).clone(), offer(has(name))));
        Ok(Offers {
            room: offered.as_ref().map(OffersAnswer::room).unwrap_or_default(),
            templates: templates.collect(),
        })
    }

    fn create(&mut self, server: &CreateServer<'_>) -> Result<ServerId, ProviderError> {
        let what = format!("create {}", printable(server.name, 100));
        let secret = server.user_data.unwrap_or_default();
        let stdout = self.call("create", &what, request::server(server), secret)?;
        let created = answer::read::<CreateAnswer>(&stdout).and_then(|created| {
            answer::id(&created.id)?;
            Ok(ServerId::new(created.id))
        });
        // The exit code says done, so the server may exist.
        let id = created.map_err(|error| ProviderError::Unknown(format!("{what}: {error}")))?;
        self.names.insert(id.clone(), server.name.to_owned());
        Ok(id)
    }

    fn delete(&mut self, id: &ServerId) -> Result<Deleted, ProviderError> {
        let what = format!("delete server {}", printable(id.as_str(), 60));
        if id.as_str().is_empty() {
            return Err(ProviderError::Refused(format!("{what}: it has no id")));
        }
        match self.call("delete", &what, self.server_request(id), "") {
            Ok(_) => Ok(Deleted::Accepted),
            Err(ProviderError::NotFound(_)) => Ok(Deleted::AlreadyGone),
            Err(error) => Err(error),
        }
    }

    /// The program removes what it made beside a server.
    fn resources(&mut self, _kinds: &BTreeSet<ResourceKind>) -> Result<Vec<Resource>, ProviderError> {
        Ok(Vec::new())
    }

    fn remove(&mut self, _kind: ResourceKind, _id: &str) -> Result<Deleted, ProviderError> {
        Ok(Deleted::AlreadyGone)
    }

    fn add_floating_ip(&mut self, _wanted: &AddFloatingIp<'_>) -> Result<IpAddr, ProviderError> {
        let text = "a provider of type exec gives a server its addresses when it makes it";
        Err(ProviderError::Refused(text.to_owned()))
    }

    fn mark_volume(&mut self, _id: &str, _mark: &ResourceMark) -> Result<(), ProviderError> {
        Ok(())
    }

    fn console(&mut self, id: &ServerId, lines: u32) -> Result<Option<String>, ProviderError> {
        if !self.knows("console")? {
            return Ok(None);
        }
        let mut own = self.server_request(id);
        own["lines"] = json!(lines);
        let console: ConsoleAnswer = self.ask("console", own)?;
        Ok(console.text.map(|text| end_of(&text, lines)))
    }

    fn check(&mut self, wanted: &[(&TemplateName, &ServerSpec, &[Zone])]) -> Result<Checked, ProviderError> {
        let servers = self.servers()?.servers.len();
        let mut checked = Checked {
            found: vec![format!("{} in the list", plural(servers, "server"))],
            ..Checked::default()
        };
        self.check_offers(wanted, &mut checked);
        if self.knows("check")? {
            let answer: CheckAnswer = self.ask("check", request::templates(wanted.iter().copied()))?;
            let sentences = answer.missing.iter().map(|text| printable(text, 300));
            let sentences = sentences.filter(|text| !text.is_empty()).take(MAX_SENTENCES);
            checked.missing.extend(sentences);
        } else {
            let text = "the command knows no verb `check`: what the templates name is not looked up";
            checked.hints.push(text.to_owned());
        }
        Ok(checked)
    }

    fn requests(&self) -> u64 {
        self.calls
    }
}

/// Makes the offer of a template; an absent amount counts as zero.
fn offer(has: Option<&TemplateAnswer>) -> Result<Offer, Unavailable> {
    if let Some(reason) = has.and_then(|has| has.unavailable.as_ref()) {
        return Err(Unavailable::new(printable(reason, 300)));
    }
    Ok(Offer {
        flavor: String::new(),
        image: String::new(),
        older_images: Vec::new(),
        networks: Vec::new(),
        ports: Vec::new(),
        server_group: None,
        vcpus: has.and_then(|has| has.vcpus).unwrap_or(0),
        ram_mb: has.and_then(|has| has.ram).unwrap_or(0),
    })
}

/// Returns the last lines of a text, and not too much of them.
fn end_of(text: &str, lines: u32) -> String {
    let lines = usize::try_from(lines).unwrap_or(usize::MAX);
    let all: Vec<&str> = text.lines().collect();
    let end = all[all.len().saturating_sub(lines)..].join("\n");
    let skipped = end.chars().count().saturating_sub(MAX_CONSOLE);
    end.chars().skip(skipped).collect()
}
