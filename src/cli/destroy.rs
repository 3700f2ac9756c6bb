//! `destroy`: removes what is named or selected now, by the same safe order as a pass. A selection is asked about first.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::time::Duration;

use crate::config::Config;
use crate::error::Error;
use crate::model::Observed;
use crate::pass::Pass;
use crate::plan::{self, Context, Plan, Removal, Targets};
use crate::state::State;
use crate::text::{plural, printable};

use super::args::{Cli, DestroyArgs};
use super::by_name::{ByName, PlanFor, plan_for};
use super::console::Console;
use super::mode::Mode;
use super::setup;

pub fn destroy(cli: &Cli, args: &DestroyArgs, console: &mut Console<'_, '_>) -> Result<u8, Error> {
    let asks = args.targets.is_selector() && !args.yes && !args.act.dry_run;
    if asks && console.io.answers.is_none() {
        return Err(Error::Usage(
            "destroy with a selector asks before it removes, and stdin is no terminal: give --yes, or see what would go \
             with --dry-run"
                .to_owned(),
        ));
    }
    let force = args.force;
    let planner = move |observed: &Observed, config: &Config, state: &State, context: &Context, targets: &Targets| {
        plan::destroy(observed, config, state, context, targets, force)
    };
    let mut command = ByName::new(cli, &args.targets, Mode::named(cli, &args.act), console)?;
    command.force = force;
    if asks && !is_agreed(&mut command, &planner, console)? {
        return Err(Error::Declined);
    }
    command.execute(&planner, console)
}

/// Asks whether what is selected is to go, without the lock: a person may take long. What is agreed to is all that goes.
fn is_agreed(command: &mut ByName, planner: &PlanFor<'_>, console: &mut Console<'_, '_>) -> Result<bool, Error> {
    let context = command.context(console)?;
    let begun = setup::begin(&mut command.config, context, false, Duration::ZERO, console)?;
    let mut pass = Pass::look(&command.config, begun.context, begun.state, &console.io.stop)?;
    let plan = plan_for(&mut pass, &command.targets, planner)?;
    pass.check(plan::audit_destroy, &plan)?;
    let names: BTreeSet<String> = plan
        .removals
        .iter()
        .map(|removal| name_of(removal).to_owned())
        .collect();
    // Where nothing can go there is nothing to ask; why it cannot is said when it is tried.
    let agreed = names.is_empty() || {
        let _ = list(console.io.err, &plan, pass.observed());
        is_yes(console)
    };
    if let Targets::Selected(selector) = &mut command.targets {
        selector.confirmed = Some(names);
    }
    Ok(agreed)
}

fn name_of(removal: &Removal) -> &str {
    let server = removal.server.as_ref().map(|server| server.name.as_str());
    let node = removal.node.as_ref().map(|node| node.name.as_str());
    server.or(node).unwrap_or_default()
}

/// Whether something runs on the node of a removal.
fn is_busy(removal: &Removal, observed: &Observed) -> bool {
    let Some(node) = &removal.node else { return false };
    let mut computers = observed.jenkins.computers.iter();
    computers.any(|computer| computer.name == node.name && !computer.is_idle())
}

/// Lists what would go, and asks.
fn list(out: &mut dyn Write, plan: &Plan, observed: &Observed) -> io::Result<()> {
    let mut busy = 0_usize;
    for removal in &plan.removals {
        let name = printable(name_of(removal), 100);
        let place = removal.server.as_ref().map_or_else(
            || ", without a server".to_owned(),
            |server| format!(" at {}", server.provider),
        );
        let works = is_busy(removal, observed);
        busy += usize::from(works);
        writeln!(
            out,
            "  {name}{place}{}",
            if works { ", busy: its builds fail" } else { "" }
        )?;
    }
    for sentence in &plan.warnings {
        writeln!(out, "  {}", printable(sentence, 1000))?;
    }
    let nodes = plural(plan.removals.len(), "node");
    let builds = if busy == 0 { "none" } else { &busy.to_string() };
    write!(out, "Remove {nodes}, {builds} of them busy? [y/N] ")?;
    out.flush()
}

/// Reads the answer of a person; the end of the input is a no.
fn is_yes(console: &mut Console<'_, '_>) -> bool {
    let mut answer = String::new();
    let Some(answers) = console.io.answers.as_mut() else {
        return false;
    };
    if answers.read_line(&mut answer).unwrap_or(0) == 0 {
        // The next line is not to begin behind the question.
        let _ = writeln!(console.io.err);
    }
    matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
}
