//! Makes the Jenkins nodes of servers: before the server (`register: inbound`), or once it is up (`register: ssh`).
//!
//! What a server needs to join goes into its user data and nowhere else.

use std::collections::BTreeSet;

use super::Executor;
use super::prepared::Prepared;
use crate::config::script::HostKeyPair;
use crate::config::{AgentSettings, HostKey, Register, Template};
use crate::error::chain;
use crate::jenkins::{self, Created, JenkinsError, Launcher, NewNode, NodeUsage};
use crate::model::{NodeName, TemplateName};
use crate::pass::rows::{node_first_action, register_action, take_back_action};
use crate::pass::{Live, host_key};
use crate::plan::backoff::record_failure;
use crate::plan::{Create, Registration, creating};
use crate::report::Outcome;
use crate::secret::Secret;
use crate::state::{BackoffKey, RefusalKey, Sighting};

/// Why a node is not asked for after another one of its template was refused.
const REFUSED_BEFORE: &str = "another one of its template was refused in this pass; a later pass tries again";

impl Executor<'_> {
    /// Makes the host key of a server, where its template wants one. The public key is remembered.
    pub(super) fn host_key(&mut self, create: &Create) -> Result<Option<HostKeyPair>, String> {
        let is_made = |template: &Template| {
            template.register == Register::Ssh && template.agent.host_key == HostKey::Made && template.script.is_some()
        };
        if !self.config.template(create.template.as_str()).is_some_and(is_made) {
            return Ok(None);
        }
        let pair = host_key::make().map_err(|what| format!("its host key cannot be made: {what}"))?;
        self.state.host_keys.insert(create.id.clone(), pair.public.clone());
        Ok(Some(pair))
    }

    /// Makes ready what a server needs to join; `None` where that failed, and then nothing is left of it or it is known
    /// as lost.
    pub(super) fn prepare(
        &mut self,
        live: &mut Live,
        create: &Create,
        host_key: Option<HostKeyPair>,
    ) -> Option<Prepared> {
        let template = self.config.template(create.template.as_str());
        match (host_key, template.filter(|_| create.node_first)) {
            (Some(pair), _) => Some(Prepared::HostKey(pair)),
            (None, None) => Some(Prepared::Nothing),
            (None, Some(template)) => self.node_first(live, create, template).map(Prepared::Secret),
        }
    }

    /// Makes the node of a server that is still to be made, and reads its secret.
    fn node_first(&mut self, live: &mut Live, create: &Create, template: &Template) -> Option<Secret> {
        let action = node_first_action(create);
        let name = NodeName::new(&create.name);
        let web_socket = template.agent.web_socket;
        let labels = template.labels_line();
        let node = new_node(&name, template, &labels, Launcher::Inbound { web_socket });
        let made = live.jenkins.create_node(&node);
        let node_is_there = made.is_ok();
        let secret = made.and_then(|_| live.jenkins.agent_secret(&name));
        let error = match secret {
            Ok(secret) => {
                self.record(action, Outcome::Done, None);
                return Some(secret);
            }
            Err(error) => error,
        };
        self.hold_back(live, &create.template, &error, false);
        let (reason, now) = (
            format!("its Jenkins node cannot be made: {}", chain(&error)),
            self.time(live),
        );
        self.is_refused(create, &reason, now);
        self.state.drop_intent(&create.id);
        self.record(action, Outcome::Failed, Some(chain(&error)));
        if node_is_there {
            self.take_back(live, create);
        } else {
            // Without an answer the node may exist.
            self.is_lost(&name);
        }
        None
    }

    /// Removes the node of a server that is not made. Nothing can have joined as it: nobody has its secret.
    pub(super) fn take_back(&mut self, live: &Live, create: &Create) {
        let (action, name) = (take_back_action(create), NodeName::new(&create.name));
        match live.jenkins.delete_node(&name) {
            Ok(_) => self.record(action, Outcome::Done, None),
            Err(error) => {
                self.is_lost(&name);
                self.record(action, Outcome::Failed, Some(chain(&error)));
            }
        }
    }

    /// Remembers a node as ours, in case it is listed without a server.
    fn is_lost(&mut self, name: &NodeName) {
        let seen = Sighting {
            first: self.context.now,
            passes: 0,
            known: true,
        };
        self.state.orphan_nodes.insert(name.clone(), seen);
    }

    /// Makes no server of a template for a while: it could not join.
    fn hold_back(&mut self, live: &Live, template: &TemplateName, error: &JenkinsError, by_ssh: bool) {
        if let Some(lacks) = refused(error, by_ssh) {
            self.refuse(live, &RefusalKey::Making(template.clone()), &lacks, None);
        }
        let (key, now) = (BackoffKey::Template(template.clone()), self.time(live));
        let reason = format!("its Jenkins nodes cannot be made: {}", chain(error));
        record_failure(&mut self.state, &key, now, &reason, None, &self.config.timing);
        self.failed_keys.insert(key);
    }

    /// Makes the nodes of servers that are up, so that Jenkins connects to them by SSH.
    pub fn register(&mut self, live: &mut Live, wanted: &[Registration]) {
        let mut refused = BTreeSet::new();
        for wanted in wanted {
            let action = register_action(wanted);
            if let Some(reason) = live.must_end() {
                self.leave(vec![action], reason);
                continue;
            }
            if refused.contains(&wanted.template) {
                self.record(action, Outcome::Skipped, Some(REFUSED_BEFORE.to_owned()));
                continue;
            }
            let Some(template) = self.config.template(wanted.template.as_str()) else {
                continue;
            };
            let (host, labels) = (wanted.address.to_string(), template.labels_line());
            let launcher = ssh(&template.agent, &host, wanted.host_key.as_deref());
            match live
                .jenkins
                .create_node(&new_node(&wanted.name, template, &labels, launcher))
            {
                Ok(Created::Now) => {
                    self.state.ssh_made_in = Some(live.jenkins.session().unwrap_or_default());
                    self.record(action, Outcome::Done, None);
                }
                Ok(Created::Before) => {
                    let reason = "Jenkins has a node of this name now".to_owned();
                    self.record(action, Outcome::Skipped, Some(reason));
                }
                Err(error) => {
                    self.hold_back(live, &wanted.template, &error, true);
                    let reason = format!("its Jenkins node cannot be made: {}", chain(&error));
                    let (place, now) = (creating::placement(&wanted.provider, None), self.time(live));
                    creating::refused(&mut self.state, template, &place, &reason, now);
                    refused.insert(wanted.template.clone());
                    self.record(action, Outcome::Failed, Some(with_hint(&error)));
                }
            }
        }
    }
}

/// Returns what Jenkins lacks to make a node, where another try would fail alike: a permission, or the plugin, for
/// which it gives no more than a status 500.
fn refused(error: &JenkinsError, by_ssh: bool) -> Option<String> {
    match error {
        JenkinsError::Forbidden { permission, .. } => Some(format!("the user lacks {permission}")),
        JenkinsError::Failed { status: 500, .. } if by_ssh => Some(
            "it failed at a node with an SSH launcher, for which it needs the plugin SSH Build Agents (ssh-slaves)"
                .to_owned(),
        ),
        _ => None,
    }
}

/// A Jenkins without the plugin gives no more than a status 500.
fn with_hint(error: &JenkinsError) -> String {
    let text = chain(error);
    match error {
        JenkinsError::Failed { status: 500.., .. } => {
            format!("{text}; is the plugin SSH Build Agents (ssh-slaves) installed?")
        }
        _ => text,
    }
}

fn new_node<'a>(name: &'a NodeName, template: &'a Template, labels: &'a str, launcher: Launcher<'a>) -> NewNode<'a> {
    let agent = &template.agent;
    NewNode {
        name,
        description: &agent.description,
        executors: template.executors,
        remote_dir: &agent.remote_dir,
        labels,
        mode: if agent.exclusive {
            NodeUsage::Exclusive
        } else {
            NodeUsage::Normal
        },
        launcher,
    }
}

fn ssh<'a>(agent: &'a AgentSettings, host: &'a str, made: Option<&'a str>) -> Launcher<'a> {
    let host_key = match (&agent.host_key, made) {
        (HostKey::Provided(key), _) => jenkins::HostKeyCheck::Provided(key),
        // An empty key matches none: what is not known is not trusted.
        (HostKey::Made, made) => jenkins::HostKeyCheck::Provided(made.unwrap_or_default()),
        (HostKey::KnownHosts, _) => jenkins::HostKeyCheck::KnownHosts,
        (HostKey::TrustFirst, _) => jenkins::HostKeyCheck::TrustFirst,
        (HostKey::None, _) => jenkins::HostKeyCheck::None,
    };
    Launcher::Ssh {
        host,
        port: agent.port,
        credentials_id: &agent.credentials_id,
        java_path: agent.java_path.as_deref(),
        host_key,
    }
}
