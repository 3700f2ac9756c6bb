//! The steps of every command that is given names or selectors: look, plan, act and report, under the lock unless it is a
//! dry run.

use std::time::Duration;

use crate::config::Config;
use crate::error::Error;
use crate::model::{Observed, TemplateName};
use crate::pass::{Inquiry, Pass};
use crate::plan::{self, Context, Plan, Selector, Targets};
use crate::state::State;

use super::args::{Cli, TargetArgs};
use super::console::Console;
use super::finish::finish;
use super::known;
use super::mode::Mode;
use super::setup;

/// Plans what is to be done with what an operator means.
pub type PlanFor<'p> = dyn Fn(&Observed, &Config, &State, &Context, &Targets) -> Plan + 'p;

/// A command on what an operator means.
pub struct ByName {
    pub mode: Mode,
    /// Whether busy nodes are removed, too.
    pub force: bool,
    pub config: Config,
    pub targets: Targets,
}

impl ByName {
    /// Reads the configuration, and what is meant.
    pub fn new(cli: &Cli, args: &TargetArgs, mode: Mode, console: &mut Console<'_, '_>) -> Result<Self, Error> {
        let config = setup::config(cli, console)?;
        let targets = targets(args, &config)?;
        Ok(Self {
            mode,
            force: false,
            config,
            targets,
        })
    }

    /// Returns what the command may do, and when.
    pub fn context(&self, console: &Console<'_, '_>) -> Result<Context, Error> {
        Ok(Context {
            create: false,
            force: self.force,
            ..setup::context(console)?
        })
    }

    /// Executes what a planner plans.
    pub fn execute(mut self, planner: &PlanFor<'_>, console: &mut Console<'_, '_>) -> Result<u8, Error> {
        let context = self.context(console)?;
        let acts = !self.mode.dry_run;
        let begun = setup::begin(&mut self.config, context, acts, Duration::ZERO, console)?;
        let mut pass = Pass::look(&self.config, begun.context, begun.state, &console.io.stop)?;
        let plan = plan_for(&mut pass, &self.targets, planner)?;
        finish(pass, plan, self.mode, plan::audit_destroy, console)
    }
}

/// Plans for what is meant. A template that is not configured must be that of servers which are there.
pub fn plan_for(pass: &mut Pass<'_>, targets: &Targets, planner: &PlanFor<'_>) -> Result<Plan, Error> {
    let mut unknown: Option<TemplateName> = None;
    let plan = pass.plan(Inquiry::Actions, &mut |observed, config, state, context| {
        if let Targets::Selected(Selector {
            template: Some(name), ..
        }) = targets
            && config.template(name.as_str()).is_none()
            && !plan::is_template_of_ours(name, observed, config, state, context)
        {
            unknown = Some(name.clone());
        }
        planner(observed, config, state, context, targets)
    })?;
    match unknown {
        Some(name) => Err(known::no_template(name.as_str(), pass.config())),
        None => Ok(plan),
    }
}

/// Returns what the arguments mean.
fn targets(args: &TargetArgs, config: &Config) -> Result<Targets, Error> {
    if !args.names.is_empty() {
        return Ok(Targets::Names(args.names.clone()));
    }
    let provider = args.provider.as_deref().map(|name| known::provider(name, config));
    Ok(Targets::Selected(Selector {
        template: args.template.as_deref().map(TemplateName::new),
        provider: provider.transpose()?,
        outdated: args.outdated,
        confirmed: None,
    }))
}
