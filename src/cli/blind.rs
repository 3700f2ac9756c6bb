//! The end of a pass that could not read Jenkins, or any provider: nothing outside was changed, and the problem is
//! remembered.

use crate::config::Config;
use crate::error::{Blind, EXIT_BLIND, Error};
use crate::model::{ProblemKind, problem_key};
use crate::plan::Context;
use crate::plan::problems::{self, Evidence, Finding};
use crate::state::{LastPass, State};

use super::args::Output;
use super::conclude::{Concluded, Ended, conclude};
use super::console::Console;
use super::mode::Mode;
use super::problems::Audience;

/// Ends a pass by an error. If it saw nothing, that is remembered and said as any problem; other errors are passed on.
pub fn end(
    error: Error,
    mut state: State,
    config: &Config,
    context: &Context,
    (around, seconds): (Vec<Finding>, f64),
    mode: Mode,
    console: &mut Console<'_, '_>,
) -> Result<u8, Error> {
    let Error::Blind(blind) = &error else {
        return Err(error);
    };
    if mode.dry_run {
        return Err(error);
    }
    let audience = Audience::of(mode, console);
    state.blind = Some(LastPass {
        exit: Some(EXIT_BLIND),
        ..LastPass::begun(&context.pass, context.now)
    });
    let ended = Ended {
        config,
        context,
        exit: EXIT_BLIND,
        seconds,
        saw: None,
        around: Some(around),
    };
    let Concluded { lines, error: unsaved } = conclude(ended, &mut state, evidence(blind), audience);
    if let Some(unsaved) = unsaved {
        return Err(unsaved);
    }
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
