//! Reads the events that a pass saved, as the journal gets them, and holds them against the memory saved with them.

use std::collections::BTreeSet;

use mita::model::{Event, EventKind, ServerId};

use super::Sim;

impl Sim {
    /// I22: takes the events that are saved by now, and compares the lives that they tell of with the memory.
    pub(super) fn read_events(&mut self) -> Result<(), String> {
        for event in std::mem::take(&mut self.state.events.pending) {
            self.read_event(event)?;
        }
        let nodes = self.state.nodes.values().filter(|node| !node.deleted);
        let nodes = nodes.map(|node| (node.name.clone(), node.server_id.clone()));
        let intents = self.state.intents.iter();
        let intents = intents.filter(|(id, _)| !self.state.nodes.contains_key(*id));
        let intents = intents.filter_map(|(_, intent)| Some((intent.name.clone(), intent.server_id.clone()?)));
        let known: BTreeSet<(String, ServerId)> = nodes.chain(intents).collect();
        let told: BTreeSet<(String, ServerId)> = self.lives.keys().cloned().collect();
        if known != told {
            let differ: Vec<_> = known.symmetric_difference(&told).collect();
            return Err(format!("I22: the memory and the events differ on {differ:?}"));
        }
        Ok(())
    }

    fn read_event(&mut self, event: Event) -> Result<(), String> {
        let (Some(name), Some(id)) = (event.name, event.server_id) else {
            return Ok(());
        };
        let life = (name, id);
        let wrong = |what: &str| Err(format!("I22: {life:?} {what}"));
        match event.event {
            EventKind::Created => match self.lives.insert(life.clone(), false) {
                Some(_) => wrong("was created twice"),
                None => Ok(()),
            },
            EventKind::Joined => match self.lives.get_mut(&life) {
                Some(joined) if !*joined => {
                    *joined = true;
                    Ok(())
                }
                Some(_) => wrong("joined twice"),
                None => wrong("joined and was not created"),
            },
            EventKind::Removed | EventKind::Lost => match self.lives.remove(&life) {
                Some(_) => Ok(()),
                None => wrong("went and was not there"),
            },
            _ => Ok(()),
        }
    }
}
