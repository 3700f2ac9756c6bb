//! Whether the user has the permissions that mita needs, found without changing anything (`check --online`).
//!
//! Jenkins answers 404 before it looks at permissions, so a POST on a name that cannot exist shows nothing. The pages
//! of an agent show the actions that the user may take: they are searched.

use serde::Deserialize;

use crate::http::escaped;
use crate::jenkins::JenkinsError;
use crate::jenkins::address::node_path;
use crate::jenkins::client::{Client, bad_answer, is_jenkins};
use crate::model::{Checked, Computer};

/// A permission that shows on an agent's page: its name, what needs it, the words to search for.
const ON_AGENT_PAGE: [(&str, &str, &[&str]); 2] = [
    (
        "Agent/Disconnect",
        "nodes cannot be drained",
        &["toggleOffline", "markOffline", "setOfflineCause"],
    ),
    (
        "Agent/Delete",
        "nodes cannot be deleted",
        &["doDelete", "/delete\"", "/delete'"],
    ),
];

impl Client {
    /// Looks for missing permissions. `computers` are those of a view. Returns the requests that failed: one
    /// that does keeps none of the others from being made.
    pub fn check(&self, computers: &[Computer], checked: &mut Checked) -> Vec<JenkinsError> {
        let asked = [
            self.quieting_down().map(drop),
            self.check_jobs(checked),
            self.check_agent(computers, checked),
        ];
        asked.into_iter().filter_map(Result::err).collect()
    }

    /// Looks for the permissions to make nodes, and to read the secret of an inbound one. Nothing is made: what is
    /// asked for has no name, and Jenkins looks at the permission first.
    pub fn check_making(&self, computers: &[Computer], inbound: bool, checked: &mut Checked) -> Vec<JenkinsError> {
        let asked = [
            self.check_creating(checked),
            if inbound {
                self.check_connecting(computers, checked)
            } else {
                Ok(())
            },
        ];
        asked.into_iter().filter_map(Result::err).collect()
    }

    fn check_creating(&self, checked: &mut Checked) -> Result<(), JenkinsError> {
        let path = "computer/doCreateItem";
        let reply = self.post_form(path, Some("name=&type=hudson.slaves.DumbSlave&json=%7B%7D"))?;
        match reply.status {
            // The request has no name, so nothing is made.
            400 => checked.found.push("Agent/Create".to_owned()),
            403 => checked.missing.push(format!(
                "{}: without it no node can be made (register: inbound, ssh)",
                self.refusal("POST", path, &reply)
            )),
            _ => return Err(self.refusal("POST", path, &reply)),
        }
        Ok(())
    }

    fn check_connecting(&self, computers: &[Computer], checked: &mut Checked) -> Result<(), JenkinsError> {
        let Some(agent) = computers.iter().find(|computer| !computer.built_in) else {
            let text = "Agent/Connect: there is no agent whose secret could be asked for (register: inbound)";
            checked.hints.push(text.to_owned());
            return Ok(());
        };
        // The page itself is not used.
        let path = format!("{}/slave-agent.jnlp", node_path(&agent.name)?);
        let reply = self.get(&path)?;
        if reply.status == 403 {
            checked.missing.push(format!(
                "{}: without it no agent's secret can be read (register: inbound)",
                self.refusal("GET", &path, &reply)
            ));
        } else {
            checked.found.push("Agent/Connect".to_owned());
        }
        Ok(())
    }

    /// Looks for the plugin by which Jenkins connects to agents by SSH. A plain user may read the help of its settings,
    /// which names the plugin; without the plugin there is none.
    pub fn check_ssh(&self, checked: &mut Checked) -> Result<(), JenkinsError> {
        let path = "descriptorByName/hudson.plugins.sshslaves.SSHLauncher/help";
        let reply = self.get(path)?;
        let named = reply.header("x-plugin-short-name").is_some();
        match reply.status {
            _ if named || (reply.status / 100 == 2 && is_jenkins(&reply)) => {
                checked
                    .found
                    .push("the plugin SSH Build Agents (ssh-slaves)".to_owned());
            }
            404 if is_jenkins(&reply) => checked.missing.push(
                "the plugin SSH Build Agents (ssh-slaves) is not there; without it no agent is started (register: ssh)"
                    .to_owned(),
            ),
            status => checked.hints.push(format!(
                "register: ssh: it is not known whether Jenkins has the plugin SSH Build Agents (ssh-slaves): status \
                 {status} for GET {path}"
            )),
        }
        Ok(())
    }

    fn check_jobs(&self, checked: &mut Checked) -> Result<(), JenkinsError> {
        #[derive(Deserialize)]
        struct Root {
            jobs: Option<Vec<Job>>,
        }
        #[derive(Deserialize)]
        struct Job {
            name: String,
        }
        let path = "api/json?tree=jobs%5Bname%5D%7B0%2C1%7D";
        let reply = self.get_json(path)?;
        let root: Root =
            serde_json::from_slice(&reply.body).map_err(|error| bad_answer("GET", path, &error.to_string()))?;
        let first = root.jobs.unwrap_or_default().into_iter().next();
        let Some(job) = first else {
            checked.hints.push(
                "Job/Read: no job can be seen; without it the queue looks empty and no agent is started".to_owned(),
            );
            return Ok(());
        };
        let read = self.job_config(&format!("job/{}", escaped(&job.name)));
        checked.found.push("Job/Read".to_owned());
        // An odd configuration says nothing about permissions.
        if let Err(JenkinsError::Forbidden { permission, .. }) = read {
            checked.hints.push(format!(
                "{permission}: not granted; it is needed only for jobs whose label the queue does not tell, as those of \
                 matrix jobs while Jenkins has no agent (jenkins.anchor: true does without)"
            ));
        }
        Ok(())
    }

    fn check_agent(&self, computers: &[Computer], checked: &mut Checked) -> Result<(), JenkinsError> {
        // The page of a marked node offers to bring it back, which is another permission.
        let agent = computers
            .iter()
            .find(|computer| !computer.built_in && !computer.temporarily_offline);
        let Some(agent) = agent else {
            checked
                .hints
                .push("Agent/Disconnect, Agent/Delete: cannot be checked, as there is no agent".to_owned());
            return Ok(());
        };
        let path = format!("{}/", node_path(&agent.name)?);
        let reply = self.get(&path)?;
        if reply.status != 200 {
            return Err(self.refusal("GET", &path, &reply));
        }
        let page = String::from_utf8_lossy(&reply.body);
        let name = crate::text::printable(agent.name.as_str(), 80);
        for (permission, effect, words) in ON_AGENT_PAGE {
            if words.iter().any(|word| page.contains(word)) {
                checked.found.push(permission.to_owned());
            } else {
                checked.missing.push(format!(
                    "{permission}: the page of agent {name} does not offer it; without it {effect}"
                ));
            }
        }
        Ok(())
    }
}
