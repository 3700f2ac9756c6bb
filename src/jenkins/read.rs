//! The requests that change nothing.

use jiff::Timestamp;

use crate::http::escaped;
use crate::jenkins::JenkinsError;
use crate::jenkins::address::{job_path, node_path};
use crate::jenkins::client::{Client, bad_answer, is_jenkins};
use crate::jenkins::job;
use crate::jenkins::wire::{self, Computers, KeptTexts, NodeState};
use crate::model::{JenkinsView, JobConfig, NodeName, QueueItem};

impl Client {
    /// Sees the whole of Jenkins with two GETs. Of items that do not wait for an executor only id, stage, age and label
    /// are kept.
    pub fn view(&self) -> Result<JenkinsView, JenkinsError> {
        self.view_keeping(KeptTexts::Waiting)
    }

    /// Sees the whole of Jenkins with two GETs, with the texts of all items.
    pub fn full_view(&self) -> Result<JenkinsView, JenkinsError> {
        self.view_keeping(KeptTexts::All)
    }

    fn view_keeping(&self, keep: KeptTexts) -> Result<JenkinsView, JenkinsError> {
        let path = format!("queue/api/json?tree={}", wire::QUEUE_TREE);
        let reply = self.get_json(&path)?;
        let clock = reply.date();
        let header = |name| reply.header(name).map(|text| crate::text::printable(text, 40));
        let (version, language) = (header("x-jenkins"), header("x-jenkins-language"));
        let session = header("x-jenkins-session");
        let mut queue = wire::queue(reply.body, keep).map_err(|reason| bad_answer("GET", &path, &reason))?;
        // An item without a time has just come.
        if let Some(now) = clock {
            let ageless = |item: &&mut QueueItem| item.since == Timestamp::UNIX_EPOCH;
            queue.items.iter_mut().filter(ageless).for_each(|item| item.since = now);
        }
        let computers = self.computers()?;
        let (mut odd, more) = (queue.odd, computers.odd);
        odd.extend(more);
        Ok(JenkinsView {
            queue: queue.items,
            computers: computers.all,
            version,
            language,
            session,
            clock,
            nameless: computers.nameless,
            odd,
            hidden: queue.hidden,
            ..JenkinsView::default()
        })
    }

    /// Reads all computers.
    pub fn computers(&self) -> Result<Computers, JenkinsError> {
        let tree = wire::computer_tree(self.tells_builds, self.tells_jobs);
        let path = format!("computer/api/json?tree={tree}");
        let reply = self.get_json(&path)?;
        wire::computers(&reply.body).map_err(|reason| bad_answer("GET", &path, &reason))
    }

    /// Asks whether Jenkins is quieting down.
    pub fn quieting_down(&self) -> Result<bool, JenkinsError> {
        let path = "api/json?tree=quietingDown%2Cmode";
        let reply = self.get_json(path)?;
        wire::quieting_down(&reply.body).map_err(|reason| bad_answer("GET", path, &reason))
    }

    /// Reads one node; `None` when Jenkins certainly does not have it.
    pub fn node(&self, name: &NodeName) -> Result<Option<NodeState>, JenkinsError> {
        let path = format!("{}/api/json?tree={}", node_path(name)?, wire::NODE_TREE);
        let reply = self.get(&path)?;
        match reply.status {
            200 => {
                let reply = Self::must_be_json(&path, reply)?;
                let state = wire::node(&reply.body).map_err(|reason| bad_answer("GET", &path, &reason))?;
                Ok(Some(state))
            }
            404 if is_jenkins(&reply) => Ok(None),
            // An old Jenkins leaves the page to its container, and a proxy or a wrong path gives a 404, too.
            404 if !self.lists(name)? => Ok(None),
            _ => Err(self.refusal("GET", &path, &reply)),
        }
    }

    /// Returns whether the list of computers names a node.
    fn lists(&self, name: &NodeName) -> Result<bool, JenkinsError> {
        let path = "computer/api/json?tree=computer%5BdisplayName%5D";
        let reply = self.get_json(path)?;
        let names = wire::computer_names(&reply.body).map_err(|reason| bad_answer("GET", path, &reason))?;
        if names.is_empty() {
            // The built-in node is always listed.
            return Err(bad_answer("GET", path, "the list of computers is empty"));
        }
        Ok(names.contains(name))
    }

    /// Reads where a job may run from its `config.xml`. `path` is that of the job's URL: `job/a/job/b`.
    pub fn job_config(&self, path: &str) -> Result<JobConfig, JenkinsError> {
        let path = format!("{}/config.xml", job_path(path)?);
        let xml = self.xml(&path)?;
        job::job_config(&xml).map_err(|reason| bad_answer("GET", &path, &reason))
    }

    /// Reads the labels of a node, which the list of computers lacks before Jenkins 2.94.
    pub fn node_labels(&self, name: &NodeName) -> Result<Vec<String>, JenkinsError> {
        let node = node_path(name)?;
        let path = format!(
            "label/{}/api/json?tree=nodes%5BnodeName%2CassignedLabels%5Bname%5D%5D",
            escaped(&quoted(name))
        );
        let reply = self.get(&path)?;
        if reply.status == 200 {
            let reply = Self::must_be_json(&path, reply)?;
            let labels = wire::label_nodes(&reply.body, name).map_err(|reason| bad_answer("GET", &path, &reason))?;
            if let Some(labels) = labels {
                return Ok(labels);
            }
        } else if reply.status != 404 {
            return Err(self.refusal("GET", &path, &reply));
        }
        let path = format!("{node}/config.xml");
        let xml = self.xml(&path)?;
        let mut labels = job::node_labels(&xml).map_err(|reason| bad_answer("GET", &path, &reason))?;
        if !labels.iter().any(|label| label == name.as_str()) {
            labels.push(name.as_str().to_owned());
        }
        Ok(labels)
    }

    fn xml(&self, path: &str) -> Result<String, JenkinsError> {
        let reply = self.get(path)?;
        if reply.status != 200 {
            return Err(self.refusal("GET", path, &reply));
        }
        if reply.body.len() > job::MAX_XML {
            return Err(bad_answer("GET", path, &format!("larger than {} bytes", job::MAX_XML)));
        }
        String::from_utf8(reply.body).map_err(|_| bad_answer("GET", path, "not UTF-8"))
    }
}

/// Writes a node's name as a label expression: in quotes where it holds more than letters, digits and `-_.+@`.
fn quoted(name: &NodeName) -> String {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '+' | '@');
    if name.as_str().chars().all(plain) {
        name.as_str().to_owned()
    } else {
        format!("\"{}\"", name.as_str().replace('\\', "\\\\").replace('"', "\\\""))
    }
}
