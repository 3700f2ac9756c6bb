//! The arguments of what an operator does by hand: to nodes that are there, and against new ones.

use clap::Args;
use jiff::Timestamp;

use super::act::ActArgs;

/// What a command is for: names, or selectors.
#[derive(Debug, Args)]
#[group(id = "targets", required = true, multiple = true)]
pub struct TargetArgs {
    /// Names of servers or Jenkins nodes of ours
    #[arg(value_name = "NAME", conflicts_with_all = ["template", "provider", "outdated", "all"])]
    pub names: Vec<String>,
    /// All of ours of this template; of several selectors each must hold
    #[arg(long, value_name = "NAME")]
    pub template: Option<String>,
    /// All of ours at this provider
    #[arg(long, value_name = "NAME")]
    pub provider: Option<String>,
    /// All of ours whose template was changed since they were made
    #[arg(long)]
    pub outdated: bool,
    /// All of ours
    #[arg(long)]
    pub all: bool,
}

impl TargetArgs {
    /// Returns whether selectors were given, not names.
    pub fn is_selector(&self) -> bool {
        self.names.is_empty()
    }
}

/// Arguments of `destroy`.
#[derive(Debug, Args)]
pub struct DestroyArgs {
    #[command(flatten)]
    pub targets: TargetArgs,
    /// Remove them although they are busy: their builds fail
    #[arg(long)]
    pub force: bool,
    /// Do not ask about what a selector means; needed where stdin is no terminal
    #[arg(long)]
    pub yes: bool,
    #[command(flatten)]
    pub act: ActArgs,
}

/// Arguments of `drain`.
#[derive(Debug, Args)]
pub struct DrainArgs {
    #[command(flatten)]
    pub targets: TargetArgs,
    /// What Jenkins shows beside the mark, as in "new kernel, ask anna" [at most 120 characters]
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    #[command(flatten)]
    pub act: ActArgs,
}

/// Arguments of `undrain`.
#[derive(Debug, Args)]
pub struct UndrainArgs {
    #[command(flatten)]
    pub targets: TargetArgs,
    #[command(flatten)]
    pub act: ActArgs,
}

/// What a pause is of: everything, or one of these.
#[derive(Debug, Args)]
#[group(id = "place", multiple = false)]
pub struct PlaceArgs {
    /// At this provider
    #[arg(long, value_name = "NAME")]
    pub provider: Option<String>,
    /// Of this template
    #[arg(long, value_name = "NAME")]
    pub template: Option<String>,
}

/// Arguments of `pause`.
#[derive(Debug, Args)]
pub struct PauseArgs {
    #[command(flatten)]
    pub place: PlaceArgs,
    /// When it ends by itself, as in 2030-01-31T06:00:00Z or 2030-01-31T07:00:00+01:00 [default: not before `resume`]
    #[arg(long, value_name = "RFC3339", value_parser = point_in_time)]
    pub until: Option<Timestamp>,
    /// What others are to read of it, as in "cloud upgrade, ask anna" [at most 200 characters]
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

/// Arguments of `resume`.
#[derive(Debug, Args)]
pub struct ResumeArgs {
    #[command(flatten)]
    pub place: PlaceArgs,
    /// End every pause; a file of pauses that cannot be read is moved aside
    #[arg(long, conflicts_with = "place")]
    pub all: bool,
}

/// Reads a point in time.
fn point_in_time(text: &str) -> Result<Timestamp, String> {
    let wrong = |_| "is no point in time; write it like 2030-01-31T06:00:00Z or 2030-01-31T07:00:00+01:00".to_owned();
    text.trim().parse().map_err(wrong)
}
