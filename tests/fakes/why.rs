//! Why an item waits: the rules of Jenkins' `Queue.BuildableItem` in their order, in English of before and after 2.125
//! and in German.

use std::collections::BTreeSet;

use super::label::Asked;
use super::model::{Agent, Item, Jenkins, Stage, Task};

/// What is to be said; how depends on version and language.
enum Cause {
    ShuttingDown,
    NodeOffline(String),
    LabelGone(String),
    LabelOffline(String),
    BusyOn(String),
    Busy,
    Many(Vec<String>),
}

impl Jenkins {
    /// The `why` of an item.
    pub fn why(&self, item: &Item, german: bool, clock: i64) -> Option<String> {
        match item.stage {
            Stage::Waiting { until } => Some(self.quiet(until - clock, german)),
            Stage::Blocked => item.task.blocked.clone(),
            Stage::Buildable | Stage::Pending => Some(self.say(self.cause(&item.task), german)),
        }
    }

    fn quiet(&self, left: i64, german: bool) -> String {
        match (left, german) {
            (..=0, _) if self.at_least(167) => "Finished waiting".to_owned(),
            (..=0, _) => "???".to_owned(),
            (60.., false) => format!("In the quiet period. Expires in {} min {} sec", left / 60, left % 60),
            (_, false) => format!("In the quiet period. Expires in {left} sec"),
            (_, true) => format!("In Ruhe-Periode. Endet in {left} Sekunden"),
        }
    }

    fn cause(&self, task: &Task) -> Cause {
        if self.quieting_down {
            return Cause::ShuttingDown;
        }
        let reasons = self.reasons(task);
        // Without any agent there is no point in naming a label, thinks Jenkins.
        let asked = task.asked().filter(|_| self.nodes().next().is_some());
        let Some(asked) = asked else {
            return match (reasons.is_empty(), self.idle_executors(None)) {
                (false, 1..) => Cause::Many(reasons),
                _ => Cause::Busy,
            };
        };
        let nodes = self.matching(&asked);
        if self.label_offline(&asked) {
            return match nodes.as_slice() {
                [one] => Cause::NodeOffline(one.clone()),
                [] => Cause::LabelGone(asked.printed()),
                _ => Cause::LabelOffline(asked.printed()),
            };
        }
        if !reasons.is_empty() && self.idle_executors(Some(&asked)) > 0 {
            return Cause::Many(reasons);
        }
        match nodes.as_slice() {
            [one] => Cause::BusyOn(one.clone()),
            _ => Cause::BusyOn(asked.printed()),
        }
    }

    /// Display names of the nodes that a label has, the built-in node among them.
    fn matching(&self, asked: &Asked) -> Vec<String> {
        let builtin = BTreeSet::from([self.builtin_label().to_owned()]);
        let builtin = asked.matches(&builtin).then(|| self.builtin_name(false));
        let agents = self
            .nodes()
            .filter(|a| asked.matches(&a.all_labels()))
            .map(|a| a.name.clone());
        builtin.into_iter().chain(agents).collect()
    }

    pub fn builtin_name(&self, german: bool) -> String {
        if german || !self.at_least(307) {
            "master".to_owned()
        } else {
            "Built-In Node".to_owned()
        }
    }

    /// Whether no node of the label is online; the built-in node always is, and a node without executors never.
    fn label_offline(&self, asked: &Asked) -> bool {
        let builtin = BTreeSet::from([self.builtin_label().to_owned()]);
        let online = |a: &Agent| !a.offline() && !a.executors.is_empty() && asked.matches(&a.all_labels());
        !asked.matches(&builtin) && !self.nodes().any(online)
    }

    pub fn stuck(&self, item: &Item, clock: i64) -> bool {
        if !matches!(item.stage, Stage::Buildable | Stage::Pending) {
            return false;
        }
        let waited = clock - item.buildable_since;
        match item.task.asked() {
            Some(asked) if self.label_offline(&asked) => true,
            _ => match self.estimate(&item.task.name) {
                Some(seconds) => waited > 10 * seconds.max(60),
                None => waited / 3600 > 24,
            },
        }
    }

    /// The mean of the last three good builds.
    fn estimate(&self, job: &str) -> Option<i64> {
        let done = self.builds.iter().rev().filter(|b| b.job == job && b.done && !b.killed);
        let spans: Vec<i64> = done.take(3).map(|b| b.ends - b.began).collect();
        (!spans.is_empty()).then(|| spans.iter().sum::<i64>() / i64::try_from(spans.len()).unwrap_or(1))
    }

    fn idle_executors(&self, asked: Option<&Asked>) -> usize {
        let builtin = BTreeSet::from([self.builtin_label().to_owned()]);
        let own = if asked.is_none_or(|l| l.matches(&builtin)) {
            self.builtin_builds.iter().filter(|b| b.is_none()).count()
        } else {
            0
        };
        let agents = self.nodes().filter(|a| !a.offline() && a.accepting);
        own + agents
            .filter(|a| asked.is_none_or(|l| l.matches(&a.all_labels())))
            .map(Agent::free)
            .sum::<usize>()
    }

    /// What the last round of scheduling noted, node by node with a free executor.
    fn reasons(&self, task: &Task) -> Vec<String> {
        if !self.at_least(36) {
            return Vec::new();
        }
        let asked = task.asked();
        let (open, close) = self.quotes();
        let lacks =
            |node: &str, l: &Asked| format!("{open}{node}{close} doesn’t have label {open}{}{close}", l.printed());
        let mut texts = BTreeSet::new();
        if self.builtin_builds.iter().any(Option::is_none) {
            let builtin = BTreeSet::from([self.builtin_label().to_owned()]);
            texts.extend(
                asked
                    .as_ref()
                    .filter(|l| !l.matches(&builtin))
                    .map(|l| lacks("Jenkins", l)),
            );
        }
        for agent in self.nodes().filter(|a| a.free() > 0) {
            let name = &agent.name;
            texts.extend(match &asked {
                Some(label) if !label.matches(&agent.all_labels()) => Some(lacks(name, label)),
                None if agent.exclusive => Some(format!(
                    "{open}{name}{close} is reserved for jobs with matching label expression"
                )),
                _ if !agent.accepting => Some(format!("{open}{name}{close} is not accepting tasks")),
                _ if task.refused.is_some() => task.refused.clone(),
                _ if agent.offline() => Some(format!("{open}{name}{close} is offline")),
                _ => None,
            });
        }
        texts.into_iter().collect()
    }

    fn quotes(&self) -> (&'static str, &'static str) {
        if self.at_least(125) { ("‘", "’") } else { ("", "") }
    }

    fn say(&self, cause: Cause, german: bool) -> String {
        let (open, close) = self.quotes();
        match (cause, german) {
            (Cause::Many(parts), _) => self.several(&parts),
            (Cause::ShuttingDown, _) => "Jenkins is about to shut down".to_owned(),
            (Cause::NodeOffline(node), false) => format!("{open}{node}{close} is offline"),
            (Cause::NodeOffline(node), true) => format!("{node} ist offline"),
            // These two were quoted before 2.125 too.
            (Cause::LabelGone(label), false) => format!("There are no nodes with the label ‘{label}’"),
            (Cause::LabelGone(label), true) => format!("Es gibt keine Knoten mit dem Label „{label}“"),
            (Cause::LabelOffline(label), false) => format!("All nodes of label ‘{label}’ are offline"),
            (Cause::LabelOffline(label), true) => format!("Alle Knoten des Labels „{label}“ sind offline"),
            (Cause::BusyOn(what), false) => format!("Waiting for next available executor on {open}{what}{close}"),
            (Cause::BusyOn(what), true) => format!("Warte auf den nächsten freien Build-Prozessor auf {what}"),
            (Cause::Busy, false) => "Waiting for next available executor".to_owned(),
            (Cause::Busy, true) => "Warte auf den nächsten freien Build-Prozessor".to_owned(),
        }
    }

    fn several(&self, parts: &[String]) -> String {
        let shown = if self.at_least(542) { 5 } else { usize::MAX };
        let mut text = parts.iter().take(shown).cloned().collect::<Vec<_>>().join("; ");
        if parts.len() > shown {
            text.push_str(&format!("; ... and {} more", parts.len() - shown));
        }
        text
    }
}
