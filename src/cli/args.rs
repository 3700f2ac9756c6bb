//! The command line. The doc comments of these types are the help texts.

#![expect(clippy::doc_markdown, reason = "help texts are shown as they are written")]

mod act;
mod by_hand;
mod history;
mod shells;

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};

use super::examples;
use crate::config;
use crate::report::text::phase;
use crate::state::Phase;
use crate::version;

pub use act::ActArgs;
pub use by_hand::{DestroyArgs, DrainArgs, PauseArgs, PlaceArgs, ResumeArgs, TargetArgs, UndrainArgs};
pub use history::{HistoryArgs, When};
pub use shells::{CompletionsArgs, ManArgs};

/// Keeps a Jenkins controller supplied with OpenStack agents.
///
/// Each call makes one pass and ends: it reads Jenkins' queue and nodes and the
/// cloud's servers, creates the servers that waiting jobs need, removes idle
/// ones, and saves a small state file. Start it from cron, once a minute:
///
///   * * * * *  mita run
///
/// Begin with `mita check --online`, then look at `mita run --dry-run`: it prints
/// what would be done and why, and changes nothing.
#[derive(Debug, Parser)]
#[command(name = "mita", version = version::LONG, verbatim_doc_comment, after_help = AFTER_HELP, arg_required_else_help = true)]
pub struct Cli {
    /// The configuration file [default: $MITA_CONFIG, else the first of ./mita.yaml,
    /// $XDG_CONFIG_HOME/mita/mita.yaml, /etc/mita/mita.yaml]
    #[arg(short, long, global = true, value_name = "FILE", display_order = 100)]
    pub config: Option<PathBuf>,
    /// How to print; JSON is one object on stdout [default: text on a terminal and in a dry run; of a pass under
    /// cron only what is wrong]
    #[arg(short, long, global = true, value_enum, display_order = 100)]
    pub output: Option<Output>,
    /// Say more on stderr: -v each action, -vv each request
    #[arg(short, long, global = true, action = clap::ArgAction::Count, display_order = 101)]
    pub verbose: u8,
    /// Say nothing but errors
    #[arg(short, long, global = true, conflicts_with = "verbose", display_order = 102)]
    pub quiet: bool,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

const AFTER_HELP: &str = "\
Exit codes:
  0   done, or nothing to do
  1   done, but an action failed or was left undone, a provider could not be
      read, the guard held something back, or a check found something missing
  2   wrong usage
  3   configuration or state file unusable
  4   Jenkins, or every provider, could not be observed; nothing was changed
  75  another pass holds the lock; nothing was changed

MITA_LOG sets what is logged on stderr (error, warn, info, debug).";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make one full pass: create the servers that waiting jobs need, remove idle ones
    #[command(after_help = examples::RUN)]
    Run(RunArgs),
    /// Make a pass that only creates; with --template: make servers now
    #[command(after_help = examples::PROVISION)]
    Provision(ProvisionArgs),
    /// Make a pass that only removes: idle, dead, orphaned and over-age nodes
    #[command(after_help = examples::REAP)]
    Reap(RunArgs),
    /// Show what there is: problems, servers, templates, and what waits and why
    ///
    /// What needs a person comes first, and of the servers those that are wrong. It fits the terminal; without one nothing is cut. OFF
    /// counts the servers that take no work: draining, offline, in ERROR, being deleted, orphaned.
    #[command(after_help = examples::STATUS)]
    Status(StatusArgs),
    /// Show how a label expression, a `why` sentence or a queue item is read, and which template it gets
    #[command(after_help = examples::EXPLAIN)]
    Explain(ExplainArgs),
    /// Validate the configuration; with --online also log in everywhere and look up all that it names
    ///
    /// Prints what is wrong with its place in the file, and what is often a mistake: warnings, and hints. With --online it
    /// reads every list that a pass reads, and prints a line for each thing that it finds. Nothing is changed anywhere.
    #[command(after_help = examples::CHECK)]
    Check(CheckArgs),
    /// Print the effective configuration as YAML, defaults included and secrets as ***
    ///
    /// A value that is not written at its place has a comment that says where it
    /// comes from: `defaults`, `timing`, an entry of clouds.yaml, the environment.
    /// What is printed is itself a configuration that means the same, apart from the
    /// secrets. Scripts, metadata, options and the words of a command are printed as
    /// they are written.
    #[command(verbatim_doc_comment, after_help = examples::CONFIG)]
    Config,
    /// Write a starter configuration from what a cloud and a Jenkins have
    ///
    /// Writes ./mita.yaml, or the file of -c, never over one that is there, and the
    /// script that makes servers join beside it. It asks the cloud for images,
    /// flavors, networks and key pairs, and Jenkins for what its queue waits for.
    /// What it could not know is a line marked <--. It writes no password.
    ///
    /// The cloud is an entry of clouds.yaml (--cloud, OS_CLOUD), or that of the OS_*
    /// variables of an openrc file.
    #[command(verbatim_doc_comment, after_help = examples::INIT)]
    Init(InitArgs),
    /// Print the user data of a node template as a server would get it
    ///
    /// The server is an example; secrets are shown as ***.
    #[command(verbatim_doc_comment, after_help = examples::RENDER)]
    Render(RenderArgs),
    /// Print a JSON Schema of mita.yaml, for editors
    ///
    /// An editor with it completes keys, shows what they mean and marks what is
    /// wrong. It knows keys, types and bounds; `mita check` knows the rest.
    #[command(verbatim_doc_comment, after_help = examples::SCHEMA)]
    Schema,
    /// Remove nodes now, by the same safe order as `reap`
    ///
    /// Names are of servers or Jenkins nodes of ours; a selector means all of ours that match, and asks first. A busy node
    /// stays without --force, one that a person took offline in any case, and what is not ours is never touched; what stays
    /// is named, and is exit 1.
    #[command(after_help = examples::DESTROY)]
    Destroy(DestroyArgs),
    /// Let nodes take no new work: their builds end, then the passes remove them
    ///
    /// Marks the Jenkins nodes offline with "mita: draining, by hand". What runs there goes on; no pass takes the mark
    /// back off, and the first pass that finds the node idle removes it with its server, without waiting for idle_grace.
    /// A drained node counts as no supply: where its work is wanted, another server is made. What is not ours, or a
    /// person took offline, is refused by name and left out of a selection; the rest is done. To remove nodes at once use
    /// `mita destroy`.
    #[command(after_help = examples::DRAIN)]
    Drain(DrainArgs),
    /// Let drained nodes take work again
    ///
    /// Takes a mark of mita's off ("mita: draining..." or "mita: removing..."), never a person's or a monitor's. For a day
    /// the node is not drained again, nor removed, for being over max_lifetime or outdated. One that had its max_builds
    /// goes all the same. A selector means those nodes that have such a mark.
    #[command(after_help = examples::UNDRAIN)]
    Undrain(UndrainArgs),
    /// Create nothing for a while: everywhere, or of one template, or at one provider
    ///
    /// Servers that are there go on working, and are removed as ever; warm pools are not filled. A pass that runs meanwhile
    /// creates nothing more there. What waits for it is said to be paused. The pause is kept beside the state file, in a
    /// file of its own (`<state_file>.paused`), and outlives the state; the same pause given again replaces the end and
    /// the reason.
    #[command(after_help = examples::PAUSE)]
    Pause(PauseArgs),
    /// End a pause, given the same selector
    ///
    /// Without a selector the pause of everything ends; those of single templates and providers go on until they are
    /// resumed themselves, or with --all.
    #[command(after_help = examples::RESUME)]
    Resume(ResumeArgs),
    /// List what looks like ours and is accounted for nowhere: servers, volumes, floating IPs, ports, Jenkins nodes
    #[command(after_help = examples::LEAKS)]
    Leaks(LeaksArgs),
    /// Show past events, the life of a server, and hours, waits and cost by template, provider, label, job or day
    ///
    /// Reads the journal and the state file alone: it makes no request and takes no lock. Without more it shows the last 30
    /// events, without the readings of the passes (`served`, `pass`; see --all). With NAME it shows the whole life of one
    /// server, with the seconds between its events. --by counts.
    ///
    /// How --by counts: servers that began; creates and servers that failed; server-hours, from the create until the
    /// removal was taken, of those that live until now; the share of them in which passes saw a server at work; boot and
    /// waiting times, the median and the 95th of 100 by nearest rank; and the cost by the price that the template has now.
    /// Hours of a template without a price, or that is no longer configured, are in no cost: they are unpriced_hours.
    ///
    /// A wait is known within half the time between two passes; items that no pass saw waiting are not counted. Of those
    /// that one pass saw served the journal has the number, the median and the longest wait: the lower half counts as the
    /// median, the upper half as rising evenly to the longest. They count for the template that their label gets now. Days
    /// are those of UTC; hours are split at midnight exactly, the time at work evenly.
    ///
    /// CSV is that of RFC 4180, with invisible characters as escapes. It is not protected against spreadsheets that take
    /// a text that begins with = for a formula.
    #[command(after_help = examples::HISTORY)]
    History(HistoryArgs),
    /// Print what makes a shell complete commands, options and their values
    #[command(after_help = examples::COMPLETIONS)]
    Completions(CompletionsArgs),
    /// Print the manual page, or write those of all commands into a folder
    #[command(after_help = examples::MAN)]
    Man(ManArgs),
}

impl Command {
    /// Returns the name of a command that prints in one form alone, for which `-o json` is a usage error.
    pub fn prints_one_form(&self) -> Option<&'static str> {
        match self {
            Self::Config => Some("config"),
            Self::Init(_) => Some("init"),
            Self::Render(_) => Some("render"),
            Self::Schema => Some("schema"),
            Self::Completions(_) => Some("completions"),
            Self::Man(_) => Some("man"),
            Self::Run(_)
            | Self::Provision(_)
            | Self::Reap(_)
            | Self::Status(_)
            | Self::Explain(_)
            | Self::Check(_)
            | Self::Destroy(_)
            | Self::Drain(_)
            | Self::Undrain(_)
            | Self::Pause(_)
            | Self::Resume(_)
            | Self::Leaks(_)
            | Self::History(_) => None,
        }
    }
}

/// How to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people
    Text,
    /// For programs: one JSON object
    Json,
    /// For spreadsheets: `history` alone
    Csv,
}

/// Arguments of `init`.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// The entry of clouds.yaml [default: $OS_CLOUD, else the login of the OS_* variables]
    #[arg(long, value_name = "NAME")]
    pub cloud: Option<String>,
    /// The address of Jenkins
    #[arg(long, value_name = "URL")]
    pub jenkins: Option<String>,
    /// The user of Jenkins
    #[arg(long, value_name = "USER")]
    pub user: Option<String>,
    /// The file with that user's API token [default: $MITA_JENKINS_TOKEN]
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Ask nobody: what would have been asked is marked <--
    #[arg(long)]
    pub offline: bool,
}

/// Arguments of `render`.
#[derive(Debug, Args)]
pub struct RenderArgs {
    /// The node template: an entry of `nodes:`
    #[arg(value_name = "TEMPLATE")]
    pub template: String,
}

/// Arguments of a pass.
#[derive(Debug, Args)]
pub struct PassArgs {
    #[command(flatten)]
    pub act: ActArgs,
    /// Wait that long for another pass to end, as in 30s, 2m or "1h 30m"; a bare number is seconds [default: do not wait]
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "0", hide_default_value = true)]
    pub wait: Duration,
    /// Decide on a saved observation instead of the live world; implies --dry-run
    #[arg(long, value_name = "FILE", conflicts_with = "save_observation")]
    pub replay: Option<PathBuf>,
    /// Save what was observed, for --replay (it holds no secrets)
    #[arg(long, value_name = "FILE")]
    pub save_observation: Option<PathBuf>,
}

/// Arguments of a pass that removes.
#[derive(Debug, Args)]
pub struct RunArgs {
    #[command(flatten)]
    pub pass: PassArgs,
    /// Lift the deletion guard for this one pass
    ///
    /// The guard holds back what would be removed because something is absent (a server without its Jenkins node, a
    /// node without its server, a node that is offline) when that is at least 5 and more than half of the fleet.
    #[arg(long)]
    pub force: bool,
}

/// Arguments of `provision`: it removes nothing, so there is no guard to lift.
#[derive(Debug, Args)]
pub struct ProvisionArgs {
    /// Make servers of this template now, whatever waits, and nothing else
    ///
    /// Every limit, pause and back-off holds; what cannot be made is said with the reason, and is exit 1. Such a server is
    /// like any other: it goes when it has been idle for idle_grace.
    #[arg(long, value_name = "NAME")]
    pub template: Option<String>,
    /// How many servers of --template are made [default: 1]
    #[arg(long, value_name = "N", requires = "template", value_parser = clap::value_parser!(u32).range(1..=MAX_COUNT))]
    pub count: Option<u32>,
    #[command(flatten)]
    pub pass: PassArgs,
}

/// Arguments of `status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Show only what is of this template; may be given several times
    #[arg(long, value_name = "TEMPLATE", value_delimiter = ',')]
    pub template: Vec<String>,
    /// Show only the servers in this phase; may be given several times
    #[arg(long, value_name = "PHASE", value_delimiter = ',', value_parser = phases())]
    pub phase: Vec<Phase>,
    /// Show only the open problems
    #[arg(long)]
    pub problems: bool,
    /// Say in one line whether all is well, by the state file alone
    ///
    /// For Nagios and its like. Exit code 0: all is well; 1: there are warnings, or the last pass ended with 1; 2: there
    /// are errors, the last pass ended with 3 or 4 or was cut off, or none was made for three times the usual time; 3: the
    /// configuration or the state file is unusable.
    #[arg(long, conflicts_with_all = ["template", "phase", "problems"])]
    pub check: bool,
}

/// Reads a phase by its word.
fn phases() -> impl TypedValueParser<Value = Phase> {
    PossibleValuesParser::new(Phase::ALL.map(phase)).map(|word| {
        let known = Phase::ALL.into_iter().find(|known| phase(*known) == word);
        known.unwrap_or(Phase::Error)
    })
}

/// Arguments of `explain`.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("what").required(true))]
pub struct ExplainArgs {
    /// A label expression, as in 'linux && !arm64', or a whole `why` sentence of Jenkins' queue
    #[arg(group = "what")]
    pub text: Option<String>,
    /// A live queue item, by its id
    #[arg(long, value_name = "ID", group = "what")]
    pub item: Option<u64>,
}

/// Arguments of `check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Also log in everywhere, read every list that a pass reads, and look up every image, size, key pair, network,
    /// group, zone and permission
    #[arg(long)]
    pub online: bool,
    /// End with 1 where there are warnings, too; hints never count
    #[arg(long)]
    pub strict: bool,
}

/// Arguments of `leaks`.
#[derive(Debug, Args)]
pub struct LeaksArgs {
    /// Remove what has our owner mark and is older than boot_grace; what is not ours is never touched
    #[arg(long)]
    pub delete: bool,
    /// With --delete: print exactly what would be done and why, and write nothing anywhere
    #[arg(short = 'n', long, requires = "delete")]
    pub dry_run: bool,
}

/// More than any fleet has: a slip of the pen.
const MAX_COUNT: i64 = 10_000;

/// A day: nobody waits longer for a lock.
const MAX_WAIT_SECONDS: i64 = 24 * 60 * 60;

/// Reads a duration by the parser of the configuration.
fn duration(text: &str) -> Result<Duration, String> {
    let span = config::parse_duration(text)?;
    if span.as_secs() > MAX_WAIT_SECONDS {
        return Err("must be at most 24h; write it like 30s, 2m or 1h 30m".to_owned());
    }
    Ok(span.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn durations_are_read_as_in_the_configuration() {
        for (text, wanted) in [
            ("90", Some(90)),
            (" 0 ", Some(0)),
            ("30s", Some(30)),
            ("1m 30s", Some(90)),
            ("1h 30m", Some(5400)),
            ("1h30m", Some(5400)),
            ("2 minutes", Some(120)),
            ("1d", Some(86_400)),
            ("24h", Some(86_400)),
            ("25h", None),
            ("-1s", None),
            ("-5", None),
            ("soon", None),
            ("", None),
            ("1.5h", None),
            ("PT1H", None),
            ("00:30", None),
            ("1h 30", None),
            ("+5", None),
            ("9999999999999999999999", None),
        ] {
            assert_eq!(duration(text).ok(), wanted.map(Duration::from_secs), "{text}");
        }
        for text in ["soon", "", "-1s", "25h", "11000d"] {
            let error = duration(text).unwrap_err();
            assert!(error.contains("; write it like"), "{text}: {error}");
        }
    }
}
