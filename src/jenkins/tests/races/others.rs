//! Everybody else at the controller: those who start builds, its own threads, an admin, a second mita; and the judge who
//! says what a removal must never have done.

use super::{MARK, NodeRemoval, PREFIX};
use crate::fakes::{Agent, Mark, State, Task};
use crate::jenkins::JenkinsError;
use crate::jenkins::remove::Removed;

pub const NODE: &str = "small__0123456789ab";
const RIVAL_MARK: &str = "mita: removing, pass 99";

/// What a mita had seen when it last read the node.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    /// How often a mark had been taken off.
    lifts: u32,
    /// How often the node had been made anew.
    remakes: u32,
    /// Whether it bore a mark of ours.
    ours: bool,
    /// Whether a person had disconnected it.
    disconnected: bool,
}

/// Where a second mita stands that removes the same node in the same order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Rival {
    #[default]
    Reads,
    Marks,
    ReadsAgain,
    Deletes,
    BringsBack,
    Done,
}

/// The others, and the judge's notes.
#[derive(Debug, Default)]
pub struct Others {
    /// Whether anybody takes marks off, makes nodes anew, or is a second mita.
    lifting: bool,
    pub told: Vec<String>,
    pub wrong: Vec<String>,
    pub killed_after_lift: usize,
    pub killed_on_new_node: usize,
    lifts: u32,
    remakes: u32,
    deletions: u32,
    submitted: Vec<u64>,
    seen: Seen,
    /// Whether our readings could tell a disconnect: the first found a channel, or one that no mark hid.
    telling: Option<bool>,
    /// Whether a person disconnected the node, and it did not come back.
    disconnected: bool,
    rival: Rival,
    rival_seen: Seen,
    killed: usize,
    marked: bool,
}

fn marked(state: &State) -> bool {
    state.jenkins.agents.get(NODE).is_some_and(|a| a.mark.is_some())
}

fn bears(state: &State, beginning: &str) -> bool {
    let mark = state.jenkins.agents.get(NODE).and_then(|a| a.mark.as_ref());
    mark.is_some_and(|m| m.message.starts_with(beginning))
}

impl Others {
    pub fn new(lifting: bool) -> Self {
        Self {
            lifting,
            ..Self::default()
        }
    }

    pub fn log(&mut self, line: String) {
        self.told.push(line);
    }

    /// Before a request of ours is carried out.
    pub fn before(&mut self, state: &mut State) {
        self.act(state, 4);
        (self.killed, self.marked) = (state.jenkins.killed(), marked(state));
    }

    /// After it was, and before it is answered.
    pub fn after(&mut self, state: &mut State) {
        let call = state.calls.last().cloned().expect("the request that was just made");
        self.log(format!("WE: {call}"));
        let verb = call.path.rsplit('/').next().unwrap_or_default();
        if call.method == "GET" && call.status == 200 {
            self.seen = self.look(state);
            let agent = state.jenkins.agents.get(NODE);
            // On an old Jenkins a mark replaces the cause for good.
            let shown = agent.is_some_and(|agent| agent.mark.is_none() && agent.cause.is_some());
            let telling = (self.seen.disconnected && shown) || agent.is_some_and(|agent| agent.connected);
            self.telling.get_or_insert(telling);
        }
        if verb == "doDelete" {
            if self.seen.disconnected && self.telling == Some(true) {
                self.wrong
                    .push("a node that a person had disconnected was deleted".to_owned());
            }
            if state.jenkins.agents.get(NODE).is_none_or(|a| a.removed.is_some()) {
                self.deletions += 1;
            }
            self.judge(state.jenkins.killed() - self.killed, self.seen);
        }
        if verb == "toggleOffline" && self.marked && !marked(state) {
            self.lifts += 1;
            if !self.seen.ours {
                self.wrong
                    .push("a mark that we had not seen to be ours was taken off".to_owned());
            }
        }
        self.act(state, 4);
    }

    /// Says what a build's end at a delete is, by what had changed since the one who deleted last read the node.
    fn judge(&mut self, killed: usize, seen: Seen) {
        if killed == 0 {
        } else if self.remakes != seen.remakes {
            self.killed_on_new_node += killed;
        } else if self.lifts != seen.lifts {
            self.killed_after_lift += killed;
        } else {
            self.wrong.push(format!("{killed} builds were killed"));
        }
    }

    fn look(&self, state: &State) -> Seen {
        Seen {
            lifts: self.lifts,
            remakes: self.remakes,
            ours: bears(state, PREFIX),
            disconnected: self.disconnected && state.jenkins.agents.get(NODE).is_some_and(|a| !a.connected),
        }
    }

    /// What must hold once the removal has ended.
    pub fn finish(&mut self, state: &mut State, removed: &Result<Removed, JenkinsError>) {
        self.log(format!("ended: {removed:?}"));
        let there = state.jenkins.nodes().any(|a| a.name == NODE);
        match removed.as_ref().map(|r| &r.outcome) {
            Ok(NodeRemoval::Deleted) if there && self.remakes == 0 => {
                self.wrong.push("deleted, and still there".to_owned());
            }
            Ok(NodeRemoval::Gone | NodeRemoval::Deleted) if self.deletions == 0 => {
                self.wrong.push("said to be gone, and nobody deleted it".to_owned());
            }
            Ok(
                NodeRemoval::TurnedBusy { still_marked: None }
                | NodeRemoval::Disconnected { still_marked: None }
                | NodeRemoval::Busy,
            ) if self.lifts + self.remakes == 0 && bears(state, MARK) => {
                self.wrong.push("kept, and our mark is still on it".to_owned());
            }
            _ => {}
        }
        let mark = state.jenkins.agents.get(NODE).and_then(|a| a.mark.clone());
        if let Some(mark) = mark.filter(|m| m.by == "mita" && !m.message.starts_with(PREFIX)) {
            self.wrong
                .push(format!("{mark:?} is ours, and no later pass would know it"));
        }
        for id in &self.submitted {
            let waits = state.jenkins.queue.iter().any(|i| i.id == *id);
            let ran = state.jenkins.builds.iter().any(|b| b.item == *id && b.number > 0);
            if !waits && !ran {
                self.wrong.push(format!("item {id} is lost"));
            }
        }
    }

    /// Up to so many things happen.
    pub fn act(&mut self, state: &mut State, most: i64) {
        for _ in 0..state.random.below(most + 1) {
            let kinds = if self.lifting { 33 } else { 23 };
            let kind = state.random.below(kinds);
            if let Some(line) = self.one(state, kind) {
                self.log(line);
            }
        }
    }

    fn one(&mut self, state: &mut State, kind: i64) -> Option<String> {
        let clock = state.clock;
        match kind {
            0..=3 => self.queue(state),
            4..=5 => {
                state.jenkins.begin_round();
                Some("a round begins".to_owned())
            }
            6..=7 => (state.jenkins.assign_one(clock)).map(|(item, node)| format!("item {item} is handed to {node}")),
            8 => {
                state.jenkins.end_round(clock);
                Some("the round ends".to_owned())
            }
            9..=12 => step(state),
            13..=14 => Some(quick(state)),
            15..=16 => end_a_build(state),
            17 => {
                state.jenkins.agents.get_mut(NODE)?.mark_unseen = false;
                None
            }
            18 => self.connection(state),
            19 => restart(state),
            20 | 21 if state.random.below(4) > 0 => Some(quick(state)),
            20 | 21 => {
                state.jenkins.agents.get(NODE)?;
                state.mark(NODE, "admin", "looking at a core dump");
                Some("an admin marks it".to_owned())
            }
            22 => self.disconnect(state),
            23..=26 => {
                state.jenkins.agents.get_mut(NODE)?.mark.take()?;
                self.lifts += 1;
                Some("an admin takes the mark off".to_owned())
            }
            27 => self.delete(state, "an admin"),
            28 => self.remake(state),
            // On an old Jenkins two at one node are not given the second that one gives itself.
            _ if !state.jenkins.at_least(482) => None,
            _ => self.rival(state),
        }
    }

    fn queue(&mut self, state: &mut State) -> Option<String> {
        if state.jenkins.queue.len() > 2 {
            return None;
        }
        let label = if state.random.below(2) == 0 { NODE } else { "linux" };
        let id = state
            .jenkins
            .enqueue(Task::freestyle("build").label(label), state.clock);
        self.submitted.push(id);
        Some(format!("item {id} waits for {label}"))
    }

    fn connection(&mut self, state: &mut State) -> Option<String> {
        let clock = state.clock;
        if state.jenkins.agents.get(NODE)?.connected {
            state.jenkins.break_channel(NODE, clock);
            return Some("its channel breaks".to_owned());
        }
        state.jenkins.agent(NODE).connect(None);
        self.disconnected = false;
        Some("it connects again".to_owned())
    }

    /// A person presses Disconnect, or runs `disconnect-node`. Only of an agent that is connected: Jenkins shows nothing
    /// of another one that has a mark.
    fn disconnect(&mut self, state: &mut State) -> Option<String> {
        let clock = state.clock;
        state
            .jenkins
            .agents
            .get(NODE)
            .filter(|agent| agent.connected && agent.idle())?;
        let cause = match state.random.below(2) {
            0 => Mark::by("admin", "moving it", clock),
            _ => Mark::by_cli("moving it", clock),
        };
        state.jenkins.disconnect(NODE, cause);
        self.disconnected = true;
        Some("an admin disconnects it".to_owned())
    }

    fn delete(&mut self, state: &mut State, by: &str) -> Option<String> {
        state.jenkins.nodes().find(|a| a.name == NODE)?;
        state.jenkins.delete(NODE, state.clock);
        self.deletions += 1;
        Some(format!("{by} deletes it"))
    }

    fn remake(&mut self, state: &mut State) -> Option<String> {
        if state.jenkins.nodes().any(|a| a.name == NODE) {
            return None;
        }
        let agent = Agent::new(NODE, &["linux"]).online();
        state.jenkins.agents.insert(NODE.to_owned(), agent);
        self.disconnected = false;
        self.remakes += 1;
        Some("an admin makes it anew".to_owned())
    }

    /// The second mita goes a step further.
    fn rival(&mut self, state: &mut State) -> Option<String> {
        let Some(agent) = state.jenkins.agents.get(NODE) else {
            self.rival = Rival::Done;
            return None;
        };
        let (idle, marked) = (agent.idle(), agent.mark.is_some());
        let was = self.rival;
        self.rival = match was {
            Rival::Reads => {
                self.rival_seen = self.look(state);
                match (idle, self.rival_seen.ours, marked) {
                    (true, true, _) => Rival::Deletes,
                    (true, _, false) => Rival::Marks,
                    _ => Rival::Done,
                }
            }
            Rival::Marks => {
                state.mark(NODE, "mita", RIVAL_MARK);
                Rival::ReadsAgain
            }
            Rival::ReadsAgain => {
                self.rival_seen = self.look(state);
                match (idle, bears(state, RIVAL_MARK)) {
                    (true, true) => Rival::Deletes,
                    (false, true) => Rival::BringsBack,
                    _ => Rival::Done,
                }
            }
            Rival::Deletes => {
                let killed = state.jenkins.killed();
                self.delete(state, "the other mita");
                self.judge(state.jenkins.killed() - killed, self.rival_seen);
                Rival::Done
            }
            Rival::BringsBack => {
                self.rival_brings_back(state, marked);
                Rival::Done
            }
            Rival::Done => return None,
        };
        Some(format!("the other mita {was:?}"))
    }

    fn rival_brings_back(&mut self, state: &mut State, marked: bool) {
        if marked {
            state.jenkins.agent(NODE).mark = None;
            self.lifts += 1;
        } else {
            state.mark(NODE, "mita", RIVAL_MARK);
        }
    }
}

fn step(state: &mut State) -> Option<String> {
    let units = state.jenkins.units();
    let nth = usize::try_from(state.random.below(i64::try_from(units.len()).ok()?)).ok()?;
    let at = *units.get(nth)?;
    state.jenkins.step_thread(at, state.clock);
    let build = &state.jenkins.builds[at];
    let now = match (build.unit, build.done) {
        (Some(_), _) => "finds its node online",
        (None, true) => "goes back into the queue",
        (None, false) => "begins",
    };
    Some(format!("item {} {now}", build.item))
}

/// A whole round, and every thread comes to its end.
fn quick(state: &mut State) -> String {
    state.jenkins.begin_round();
    state.jenkins.end_round(state.clock);
    let mut lines = Vec::new();
    for _ in 0..2 * state.jenkins.units().len() {
        lines.extend(step(state));
    }
    format!("a whole round: {}", lines.join(", "))
}

fn end_a_build(state: &mut State) -> Option<String> {
    let clock = state.clock;
    let build = (state.jenkins.builds.iter_mut()).find(|b| !b.done && b.unit.is_none())?;
    build.ends = clock;
    let item = build.item;
    state.jenkins.step(clock);
    Some(format!("the build of item {item} ends"))
}

fn restart(state: &mut State) -> Option<String> {
    if state.jenkins.starting {
        state.jenkins.starting = false;
        return Some("Jenkins is up".to_owned());
    }
    if state.random.below(6) > 0 {
        return None;
    }
    state.jenkins.go_down();
    Some("Jenkins restarts".to_owned())
}
