//! The command line. The doc comments of these types are the help texts.

#![expect(clippy::doc_markdown, reason = "help texts are shown as they are written")]

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::config;

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
#[command(name = "mita", version, verbatim_doc_comment, after_help = AFTER_HELP, arg_required_else_help = true)]
pub struct Cli {
    /// The configuration file [default: $MITA_CONFIG, else the first of ./mita.yaml,
    /// $XDG_CONFIG_HOME/mita/mita.yaml, /etc/mita/mita.yaml]
    #[arg(short, long, global = true, value_name = "FILE", display_order = 100)]
    pub config: Option<PathBuf>,
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
    Run(PassArgs),
    /// Make a pass that only creates
    Provision(PassArgs),
    /// Make a pass that only removes: idle, dead, orphaned and over-age nodes
    Reap(PassArgs),
    /// Show what there is: servers, Jenkins nodes, back-offs, and what waits and why
    Status(OutputArgs),
    /// Show how a label expression, a `why` sentence or a queue item is read, and which template it gets
    Explain(ExplainArgs),
    /// Validate the configuration; with --online also log in everywhere and look up all that it names
    Check(CheckArgs),
    /// Print the effective configuration as YAML, defaults included and secrets as ***
    ///
    /// A value that is not written at its place has a comment that says where it
    /// comes from: `defaults`, `timing`, an entry of clouds.yaml, the environment.
    /// What is printed is itself a configuration that means the same, apart from the
    /// secrets. Scripts, metadata, options and the words of a command are printed as
    /// they are written.
    ///
    /// Example, to see what a change of the file changes:
    ///
    ///   mita config > before.yaml; $EDITOR mita.yaml; mita config | diff before.yaml -
    #[command(verbatim_doc_comment)]
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
    ///
    /// Example:
    ///
    ///   mita init --cloud mycloud --jenkins https://jenkins.example.com \\
    ///     --user mita --token-file jenkins.token
    #[command(verbatim_doc_comment)]
    Init(InitArgs),
    /// Print the user data of a node template as a server would get it
    ///
    /// The server is an example; secrets are shown as ***.
    ///
    /// Example, to have a script checked before a server runs it:
    ///
    ///   mita render small | shellcheck -
    #[command(verbatim_doc_comment)]
    Render(RenderArgs),
    /// Print a JSON Schema of mita.yaml, for editors
    ///
    /// An editor with it completes keys, shows what they mean and marks what is
    /// wrong. It knows keys, types and bounds; `mita check` knows the rest.
    ///
    /// Example, for editors with the YAML language server (VS Code, Neovim, Helix):
    ///
    ///   mita schema > mita.schema.json
    ///   sed -i '1i # yaml-language-server: $schema=mita.schema.json' mita.yaml
    #[command(verbatim_doc_comment)]
    Schema,
    /// Remove nodes now, by the same safe order as `reap`
    Destroy(DestroyArgs),
    /// Let nodes take no new work: their builds end, then the passes remove them
    ///
    /// Marks the Jenkins nodes offline with "mita: draining, by hand". What runs there goes on; no pass takes the mark
    /// back off, and the first pass that finds the node idle removes it with its server, without waiting for idle_grace.
    /// A drained node counts as no supply: where its work is wanted, another server is made. What is not ours, or a
    /// person took offline, is refused; the rest is done. To remove nodes at once use `mita destroy`.
    Drain(DrainArgs),
    /// Let drained nodes take work again
    ///
    /// Takes a mark of mita's off ("mita: draining..." or "mita: removing..."), never a person's or a monitor's. A node
    /// that is over its max_lifetime or max_builds goes all the same.
    Undrain(UndrainArgs),
    /// List what looks like ours and is accounted for nowhere: servers, volumes, floating IPs, ports, Jenkins nodes
    Leaks(LeaksArgs),
    /// Not supported yet
    #[command(hide = true)]
    History(Later),
    /// Not supported yet
    #[command(hide = true)]
    Completions(Later),
    /// Not supported yet
    #[command(hide = true)]
    Man(Later),
}

/// Whatever follows a command that is not supported yet.
#[derive(Debug, Args)]
pub struct Later {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    _rest: Vec<String>,
}

/// How to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people
    Text,
    /// For programs: one JSON object
    Json,
}

/// Arguments of a command that only prints.
#[derive(Debug, Args)]
pub struct OutputArgs {
    /// How to print [default: text]
    #[arg(short, long, value_enum, display_order = 90)]
    pub output: Option<Output>,
}

/// Arguments of a command that acts.
#[derive(Debug, Args)]
pub struct ActArgs {
    /// Print exactly what would be done and why, and write nothing anywhere
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// How to print [default: text on a terminal and in a dry run, else only what is wrong]
    #[arg(short, long, value_enum, display_order = 90)]
    pub output: Option<Output>,
}

/// Arguments of a command that is given names.
#[derive(Debug, Args)]
pub struct NameArgs {
    /// Names of servers or Jenkins nodes of ours
    #[arg(required = true, value_name = "NAME")]
    pub names: Vec<String>,
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
    /// Lift the deletion guard for this one pass
    ///
    /// The guard holds back what would be removed because something is absent (a server without its Jenkins node, a
    /// node without its server, a node that is offline) when that is at least 5 and more than half of the fleet.
    #[arg(long)]
    pub force: bool,
    /// Decide on a saved observation instead of the live world; implies --dry-run
    #[arg(long, value_name = "FILE", conflicts_with = "save_observation")]
    pub replay: Option<PathBuf>,
    /// Save what was observed, for --replay (it holds no secrets)
    #[arg(long, value_name = "FILE")]
    pub save_observation: Option<PathBuf>,
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
    #[command(flatten)]
    pub print: OutputArgs,
}

/// Arguments of `check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Also log in everywhere and look up every image, size, key pair, network, group, zone and permission
    #[arg(long)]
    pub online: bool,
    #[command(flatten)]
    pub print: OutputArgs,
}

/// Arguments of `destroy`.
#[derive(Debug, Args)]
pub struct DestroyArgs {
    #[command(flatten)]
    pub nodes: NameArgs,
    /// Remove them although they are busy: their builds fail
    #[arg(long)]
    pub force: bool,
    #[command(flatten)]
    pub act: ActArgs,
}

/// Arguments of `drain`.
#[derive(Debug, Args)]
pub struct DrainArgs {
    #[command(flatten)]
    pub nodes: NameArgs,
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
    pub nodes: NameArgs,
    #[command(flatten)]
    pub act: ActArgs,
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
    #[command(flatten)]
    pub print: OutputArgs,
}

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
