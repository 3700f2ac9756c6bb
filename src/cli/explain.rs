//! `explain`: how a label expression, a `why` sentence or a queue item is read, and which template it gets.

use std::io::{self, Write};

use serde::Serialize;

use crate::config::{Config, Template};
use crate::error::{Blind, EXIT_DONE, Error};
use crate::model::{QueueItem, Stage};
use crate::pass::{Live, observe};
use crate::plan;
use crate::queue::{self, Explained, NodeTemplates, Syntax, TemplateLabels, TextKind};
use crate::report::json;
use crate::state::State;
use crate::text::{excerpt, visible};

use super::args::{Cli, ExplainArgs, Output};
use super::console::Console;
use super::setup;

#[derive(Serialize)]
struct Explanation<'a> {
    input: &'a str,
    kind: &'a str,
    label: Option<String>,
    syntax: &'a str,
    matches: Vec<&'a str>,
    chosen: Option<&'a str>,
    reason: String,
}

impl<'a> Explanation<'a> {
    fn new(input: &'a str, explained: &Explained, matches: &[&'a Template], reason: String) -> Self {
        let mut names = matches.iter().map(|template| template.name.as_str());
        Self {
            input,
            kind: match explained.kind {
                TextKind::Label => "label",
                TextKind::Why => "why",
            },
            label: explained.label.as_ref().map(ToString::to_string),
            syntax: match explained.syntax {
                Some(Syntax::Atom) => "atom",
                _ => "expression",
            },
            matches: names.clone().collect(),
            chosen: names.next(),
            reason,
        }
    }
}

/// Explains a text or a live queue item.
pub fn explain(cli: &Cli, args: &ExplainArgs, console: &mut Console<'_, '_>) -> Result<u8, Error> {
    let config = setup::config(cli, console)?;
    let templates = plan::template_labels(&config);
    let state = setup::state(&config, false, console);
    let (input, explained, waits_not, state) = match (&args.text, args.item) {
        // A text is explained without the state, too: it only adds details.
        (Some(text), _) => {
            let explained = queue::read_text(text, None, &templates);
            (text.clone(), explained, None, state.unwrap_or_default())
        }
        (None, Some(id)) => {
            let mut state = state?;
            let (input, explained, waits_not) = live_item(&config, &templates, id, &mut state, console)?;
            (input, explained, waits_not, state)
        }
        (None, None) => return Err(Error::Usage("give a text, or --item ID".to_owned())),
    };
    let label_request = explained.label_request.as_ref();
    let promising = label_request
        .map(|label_request| plan::eligible(label_request, &config))
        .unwrap_or_default();
    let lacks =
        |template: &Template| label_request.and_then(|label_request| plan::lacks_for(label_request, template, &state));
    let (matches, lacking): (Vec<&Template>, Vec<&Template>) =
        promising.into_iter().partition(|template| lacks(template).is_none());
    let reason = waits_not.unwrap_or_else(|| match lacking.first().filter(|_| matches.is_empty()) {
        Some(template) => lacks(template).unwrap_or_default(),
        None => reason(&explained, &matches),
    });
    let explanation = Explanation::new(&input, &explained, &matches, reason);
    let out = &mut *console.io.out;
    let _ = match cli.output {
        Some(Output::Json) => json::print(out, &explanation),
        _ => print(out, &explanation, &explained, &config, &state, &matches),
    };
    Ok(EXIT_DONE)
}

fn live_item(
    config: &Config,
    templates: &[TemplateLabels<'_>],
    id: u64,
    state: &mut State,
    console: &mut Console<'_, '_>,
) -> Result<(String, Explained, Option<String>), Error> {
    let live = Live::connect(config, &console.io.stop)?;
    let now = console.io.now;
    let jenkins = live
        .jenkins
        .full_view()
        .map_err(|error| Error::Blind(Blind::Jenkins(crate::error::chain(&error))))?;
    let mut observed = crate::model::Observed {
        jenkins,
        ..Default::default()
    };
    // The answers stay in the view; the item in question may be younger than queue_grace.
    observe::label_requests(&live, config, &mut observed, state, now);
    let view = &observed.jenkins;
    let Some(place) = view.queue.iter().position(|item| item.id == id) else {
        return Err(Error::Usage(format!(
            "the queue has no item {id}; `mita status` lists what waits"
        )));
    };
    let item = &view.queue[place];
    let linked = NodeTemplates::new(|| plan::linked_templates(&observed, config, state, now));
    let label_requests = queue::label_requests(view, templates, &linked, now, jiff::SignedDuration::ZERO);
    let label_request = label_requests.of_item[place].map(|index| label_requests.distinct[index].clone());
    let input = item.why.as_ref().unwrap_or(&item.task).to_string();
    let waits_not = label_request.is_none().then(|| not_waiting(item));
    Ok((input, Explained::waiting_for(label_request), waits_not))
}

fn not_waiting(item: &QueueItem) -> String {
    let stage = match item.stage {
        Stage::Waiting => "it is in its quiet period",
        Stage::Blocked => "it is blocked by something that no server helps",
        Stage::Pending => "it has an executor already",
        Stage::Buildable => "it does not wait for a server",
    };
    stage.to_owned()
}

fn reason(explained: &Explained, matches: &[&Template]) -> String {
    let Some(label_request) = &explained.label_request else {
        return "it waits for nothing that a server gives".to_owned();
    };
    let unread = explained.kind == TextKind::Label && explained.syntax == Some(Syntax::Atom);
    match matches {
        [] if unread => format!(
            "{}: it does not parse as an expression, so it is one label as a whole; if it is a sentence of Jenkins' \
             queue, it is in another language, or a plugin's",
            plan::why_none(label_request)
        ),
        [] => plan::why_none(label_request),
        [only] => format!("{} is the only template that fits", only.name),
        [first, ..] => format!(
            "{} comes first of {} that fit, by priority ({}) and then by the order of the file",
            first.name,
            matches.len(),
            first.priority
        ),
    }
}

fn print(
    out: &mut dyn Write,
    explanation: &Explanation<'_>,
    explained: &Explained,
    config: &Config,
    state: &State,
    matches: &[&Template],
) -> io::Result<()> {
    let Explanation {
        input,
        kind,
        label,
        syntax,
        matches: _,
        chosen: _,
        reason,
    } = explanation;
    writeln!(out, "input    {}", excerpt(input, 500))?;
    match label {
        Some(label) => writeln!(out, "read as  {kind}, {syntax}: {}", excerpt(label, 500))?,
        None => writeln!(out, "read as  {kind}, without a label")?,
    }
    if let Some(label_request) = &explained.label_request {
        for template in &config.templates {
            let verdict = match matches.iter().position(|other| other.name == template.name) {
                Some(0) => "fits, chosen".to_owned(),
                Some(_) => "fits".to_owned(),
                None => plan::lacks_for(label_request, template, state)
                    .unwrap_or_else(|| plan::why_not(label_request, template)),
            };
            writeln!(
                out,
                "template {:<20} {}",
                visible(template.name.as_str()),
                excerpt(&verdict, 500)
            )?;
        }
    }
    writeln!(out, "so       {}", excerpt(reason, 500))
}
