//! The end of a pass that could not read Jenkins, or any provider: nothing outside was changed, and the problem is
//! remembered.

use crate::config::Config;
use crate::error::{Blind, EXIT_BLIND, Error};
use crate::model::{ProblemKind, problem_key};
use crate::plan::Context;
use crate::plan::problems::{self, Evidence, Finding};
use crate::state::{LastPass, State, file};

use super::args::Output;
use super::console::Console;
use super::mode::Mode;
use super::notify;
use super::problems::Audience;

/// Ends a pass by an error. If it saw nothing, that is remembered and said as any problem; other errors are passed on.
pub fn end(
    error: Error,
    mut state: State,
    config: &Config,
    context: &Context,
    around: Vec<Finding>,
    mode: Mode,
    console: &mut Console<'_, '_>,
) -> Result<u8, Error> {
    let Error::Blind(blind) = &error else {
        return Err(error);
    };
    if mode.dry_run {
        return Err(error);
    }
    let changes = super::problems::remember(&mut state, evidence(blind), around, context.now);
    let audience = Audience::of(mode, console);
    let lines = audience.lines(&mut state, &changes, context.now, config.remind);
    notify::owe(&mut state, config, changes, context.now);
    state.blind = Some(LastPass {
        exit: Some(EXIT_BLIND),
        ..LastPass::begun(&context.pass, context.now)
    });
    file::save(&config.state_file, &state)?;
    // Who looks on sees the error itself.
    if audience == Audience::Reader || mode.output == Some(Output::Json) || console.io.err_terminal {
        return Err(error);
    }
    for line in &lines {
        console.say(line);
    }
    Ok(EXIT_BLIND)
}

/// Returns what a pass that saw nothing shows.
pub fn evidence(blind: &Blind) -> Evidence {
    let mut evidence = Evidence::default();
    match blind {
        Blind::Jenkins(reason) => evidence.add(problems::jenkins_unreadable(reason)),
        Blind::Providers(reasons) => {
            evidence.over.insert(problem_key(ProblemKind::JenkinsUnreadable, ""));
            for (provider, reason) in reasons {
                evidence.add(problems::unreadable(provider, reason));
            }
        }
    }
    evidence
}
