//! `history`: what was, by the journal and the state file alone. It makes no request and takes no lock.

mod tables;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::config::Config;
use crate::error::{EXIT_DONE, Error};
use crate::history::{
    Found, Life, Past, Sheet, Window, event_sheet, find, group, group_sheet, is_of, remembered, trace,
};
use crate::journal::{Journal, Unique};
use crate::model::Event;
use crate::report::json;
use crate::report::table::View;
use crate::state::State;
use crate::text::{plural, shown};

use super::args::{Cli, HistoryArgs, Output};
use super::console::Console;
use super::setup;

/// How many events are shown where nobody says how many.
const LAST: usize = 30;

/// Shows what was.
pub fn history(cli: &Cli, args: &HistoryArgs, console: &mut Console<'_, '_>) -> Result<u8, Error> {
    if args.trace && !matches!(cli.output, None | Some(Output::Text)) {
        return Err(Error::Usage(
            "--trace prints one form alone; leave `-o json` or `-o csv` out".to_owned(),
        ));
    }
    let (config, _) = setup::config_and_findings(cli)?;
    let mut sources = Sources::open(&config, console)?;
    let asked = Asked {
        config: &config,
        args,
        output: cli.output.unwrap_or(Output::Text),
        window: window(args, console.io.now),
        now: console.io.now,
    };
    match (&args.name, args.by) {
        (Some(name), _) => asked.life(name, &mut sources, console),
        (None, Some(_)) => asked.groups(&mut sources, console),
        (None, None) if args.trace => asked.trace(&mut sources, console),
        (None, None) => asked.events(&mut sources, console),
    }
}

fn window(args: &HistoryArgs, now: Timestamp) -> Window {
    let at = |when: Option<super::args::When>| when.map(|when| when.at(now));
    Window::new(at(args.since), at(args.until), now)
}

/// The journal, and the events that it may lack.
struct Sources {
    journal: Option<Journal>,
    state: State,
    path: String,
}

impl Sources {
    fn open(config: &Config, console: &mut Console<'_, '_>) -> Result<Self, Error> {
        let path = config.outputs.journal.as_ref();
        let journal = path.map(|path| Journal::open(path)).transpose();
        let journal = journal.map_err(unreadable)?;
        // After the journal: what is no longer in the state is in the journal that is open.
        let state = setup::state(config, false, console)?;
        let path = path.map_or_else(String::new, |path| path.display().to_string());
        let sources = Self { journal, state, path };
        match &sources.journal {
            None => console.note("journal: false: no journal is kept; this is what the state file knows"),
            Some(journal) if journal.is_missing() && sources.state.events.pending.is_empty() => {
                console.note(&format!("{}: no journal yet; the next pass begins it", sources.path));
            }
            Some(_) => {}
        }
        Ok(sources)
    }

    /// Hands out each event once, in the order in which they were written.
    fn each(&mut self, take: &mut dyn FnMut(Event)) -> Result<u64, Error> {
        let mut seen = Unique::default();
        let mut passed_over = 0;
        if let Some(journal) = &mut self.journal {
            passed_over = journal.each(&mut seen, take).map_err(unreadable)?;
        } else {
            remembered(&self.state).into_iter().for_each(&mut *take);
        }
        let pending = self.state.events.pending.iter();
        pending.filter(|event| seen.is_new(event)).cloned().for_each(take);
        Ok(passed_over)
    }

    /// Says how many lines of the journal were passed over.
    fn say(&self, passed_over: u64, console: &mut Console<'_, '_>) {
        if passed_over > 0 {
            let lines = plural(passed_over, "line");
            let path = &self.path;
            console.note(&format!(
                "{path}: {lines} passed over: cut off, no event, or of a newer mita"
            ));
        }
    }
}

fn unreadable(source: std::io::Error) -> Error {
    Error::File {
        what: "the journal cannot be read; see `journal` in the configuration".to_owned(),
        source,
    }
}

/// What `-o json` prints.
#[derive(Serialize)]
struct Report<'s> {
    version: u32,
    rows: &'s Sheet,
}

/// What was asked for.
struct Asked<'a> {
    config: &'a Config,
    args: &'a HistoryArgs,
    output: Output,
    window: Window,
    now: Timestamp,
}

impl Asked<'_> {
    /// Shows the last events.
    fn events(&self, sources: &mut Sources, console: &mut Console<'_, '_>) -> Result<u8, Error> {
        let bounded = self.args.since.is_some() || self.args.until.is_some();
        let mut last = Last::new(self.most(bounded));
        let passed_over = sources.each(&mut |event| {
            if self.is_wanted(&event) {
                last.add(event);
            }
        })?;
        sources.say(passed_over, console);
        let events = last.take();
        self.print(
            console,
            || event_sheet(&events, false),
            |view| tables::events(&events, view),
        );
        Ok(EXIT_DONE)
    }

    fn most(&self, bounded: bool) -> usize {
        let asked = self.args.last.map(|last| usize::try_from(last).unwrap_or(usize::MAX));
        asked.unwrap_or(if bounded { usize::MAX } else { LAST })
    }

    fn is_wanted(&self, event: &Event) -> bool {
        let kinds = &self.args.event;
        let kind = if kinds.is_empty() {
            self.args.all || !event.event.is_reading()
        } else {
            kinds.contains(&event.event)
        };
        let node = self.args.node.as_deref();
        let is_of_node = node.is_none_or(|node| event.node.as_ref().is_some_and(|name| name.as_str() == node));
        kind && is_of_node && self.window.has(event.at.as_millisecond())
    }

    /// Shows the life of one server.
    fn life(&self, name: &str, sources: &mut Sources, console: &mut Console<'_, '_>) -> Result<u8, Error> {
        let past = self.past(sources, console)?;
        let life = found(name, &past)?;
        let mut last = Last::new(self.most(true));
        sources.each(&mut |event| {
            if is_of(&event, life) && self.is_wanted(&event) {
                last.add(event);
            }
        })?;
        let events = last.take();
        let text = |view| tables::life(life, &events, self.config, self.now, view);
        self.print(console, || event_sheet(&events, true), text);
        Ok(EXIT_DONE)
    }

    /// Counts.
    fn groups(&self, sources: &mut Sources, console: &mut Console<'_, '_>) -> Result<u8, Error> {
        let past = self.past(sources, console)?;
        let Some(by) = self.args.by else {
            return Ok(EXIT_DONE);
        };
        let (node, now) = (self.args.node.as_deref(), self.now.as_millisecond());
        let groups = group(&past, self.config, by, self.window, node, now);
        let currency = self.config.currency.as_str();
        self.print(
            console,
            || group_sheet(&groups, currency),
            |view| tables::groups(&groups, currency, view),
        );
        Ok(EXIT_DONE)
    }

    /// Prints the items that were served as a trace of jobs.
    fn trace(&self, sources: &mut Sources, console: &mut Console<'_, '_>) -> Result<u8, Error> {
        let past = self.past(sources, console)?;
        let trace = trace(&past, self.config, self.window, self.args.node.as_deref());
        if trace.left_out > 0 {
            console.note(&format!(
                "{} left out: too many for a trace",
                plural(trace.left_out, "item")
            ));
        }
        print(console, &tables::trace(&trace));
        Ok(EXIT_DONE)
    }

    /// Puts the lives of all servers together.
    fn past(&self, sources: &mut Sources, console: &mut Console<'_, '_>) -> Result<Past, Error> {
        let mut past = Past::default();
        let passed_over = sources.each(&mut |event| past.add(&event))?;
        sources.say(passed_over, console);
        past.settle(&sources.state, self.now);
        Ok(past)
    }

    fn print(
        &self,
        console: &mut Console<'_, '_>,
        sheet: impl FnOnce() -> Sheet,
        text: impl FnOnce(View) -> Vec<String>,
    ) {
        let view = View {
            width: console.io.width(),
            color: console.io.colors[0],
        };
        // A closed stdout is no error.
        let _ = match self.output {
            Output::Json => json::print(
                console.io.out,
                &Report {
                    version: 1,
                    rows: &sheet(),
                },
            ),
            Output::Csv => console.io.out.write_all(sheet().csv().as_bytes()),
            Output::Text => {
                print(console, &text(view));
                Ok(())
            }
        };
    }
}

fn print(console: &mut Console<'_, '_>, lines: &[String]) {
    let _ = lines.iter().try_for_each(|line| writeln!(console.io.out, "{line}"));
}

/// Returns the life of a server that is named, or says why not.
fn found<'p>(name: &str, past: &'p Past) -> Result<&'p Life, Error> {
    let asked = shown(name);
    let wrong = match find(name, &past.lives) {
        Found::One(at) => return Ok(&past.lives[at]),
        Found::Several(names) => {
            let names: Vec<String> = names.iter().map(|name| shown(name)).collect();
            format!(
                "\"{asked}\" fits several servers: {}; give more of one",
                names.join(", ")
            )
        }
        Found::None(Some(near)) => format!("no event is of a server \"{asked}\"; did you mean {}?", shown(&near)),
        Found::None(None) => format!("no event is of a server \"{asked}\"; see `mita history --event created`"),
    };
    Err(Error::Usage(wrong))
}

/// The last events by their time; those of one time in the order in which they came.
struct Last {
    most: usize,
    count: u64,
    events: BTreeMap<(Timestamp, u64), Event>,
}

impl Last {
    fn new(most: usize) -> Self {
        Self {
            most,
            count: 0,
            events: BTreeMap::new(),
        }
    }

    fn add(&mut self, event: Event) {
        self.count += 1;
        self.events.insert((event.at, self.count), event);
        if self.events.len() > self.most {
            self.events.pop_first();
        }
    }

    fn take(self) -> Vec<Event> {
        self.events.into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::EventKind;

    #[test]
    fn the_last_events_are_those_of_the_latest_times() {
        let mut last = Last::new(3);
        for (n, second) in [(0, 5), (1, 9), (2, 1), (3, 5), (4, 7), (5, 5)] {
            let at = Timestamp::from_second(second).unwrap();
            last.add(Event {
                n,
                ..Event::new(EventKind::Created, at, "p")
            });
        }
        let numbers: Vec<u32> = last.take().iter().map(|event| event.n).collect();
        assert_eq!(numbers, [5, 4, 1]);
    }
}
