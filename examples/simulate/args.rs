//! The command line.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::SignedDuration;
use mita::config::{CronWindow, LearnedReady, MinReady, ReadyWindow};

use super::conditions::{Boot, Conditions, Share};
use super::rules::Name;

/// The graces that are compared where none is named, in minutes.
const GRACES: [u32; 6] = [2, 5, 10, 20, 40, 80];

/// What would it have cost? Plays a trace of jobs through the real planner, without any request, and compares idle graces,
/// configurations and other rules by how long jobs wait and how many server-hours are used.
///
/// Without arguments a made-up week is played with templates of its own.
#[derive(Debug, Parser)]
#[command(name = "simulate", args_conflicts_with_subcommands = true, after_help = EXAMPLES)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub compare: Compare,
}

const EXAMPLES: &str = "\
A line of TRACE is `SECONDS_SINCE_START RUNS_FOR_SECONDS LABEL`; the label may hold blanks or be missing, # begins a comment.

Examples:
  mita history --trace > week.trace                      # what mita saw, as a trace
  simulate mita.yaml week.trace 5 10 20 40               # four idle graces, in minutes
  simulate mita.yaml week.trace --rules all --svg costs.svg
  simulate mita.yaml week.trace --as-configured --also other.yaml
  simulate mita.yaml week.trace 10 --every 15 --min-ready 0,auto --boot 60-240 --failing 5%
  simulate goals DIR                                     # DIR holds the traces of mita's own goals";

/// Other things than a comparison.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Measure mita's own goals on the traces of a folder, and say which are met
    Goals {
        /// The folder with office.trace, real.trace, matrix.trace, surplus.trace, shared-cap.trace, site.yaml, one.yaml and
        /// shared-cap.yaml
        dir: PathBuf,
        /// Measure only goals whose name holds this text
        #[arg(long)]
        only: Option<String>,
        /// How many rows are played at the same time [default: the processors]
        #[arg(long)]
        threads: Option<usize>,
    },
}

/// A comparison.
#[derive(Debug, Args)]
pub struct Compare {
    /// The configuration: its templates, limits and rules are used, its servers and secrets are not
    #[arg(requires = "trace")]
    pub config: Option<PathBuf>,
    /// The jobs
    pub trace: Option<PathBuf>,
    /// Idle graces to compare, in minutes [default: 2 5 10 20 40 80]
    #[arg(value_name = "IDLE_MINUTES", value_parser = clap::value_parser!(u32).range(0..=525_600))]
    pub minutes: Vec<u32>,
    /// Play each configuration with its own idle graces
    #[arg(long, conflicts_with = "minutes")]
    pub as_configured: bool,
    /// A further configuration to compare; may be repeated. The models of other rules use the first one
    #[arg(long, value_name = "CONFIG", requires = "trace")]
    pub also: Vec<PathBuf>,
    /// What to compare, separated by commas: mita, original, node-provisioner, no-delay, cluster-autoscaler, single-use,
    /// bound, or all
    #[arg(long, default_value = "mita")]
    pub rules: Rules,
    /// Warm pools of mita to compare, separated by commas: a number, auto, auto:15m (with `used_every`), rhythm, several of
    /// them like 1+auto, or as-configured
    #[arg(long, value_delimiter = ',', default_value = "as-configured")]
    pub min_ready: Vec<Ready>,
    /// How many nodes of each template that jobs ask for single-use keeps ready, separated by commas
    #[arg(long, value_delimiter = ',', default_value = "1,2,4")]
    pub spares: Vec<usize>,
    /// Seconds from one pass of mita to the next
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(i64).range(1..=86_400))]
    pub every: i64,
    #[command(flatten)]
    pub world: WorldArgs,
    /// Print comma-separated values
    #[arg(long)]
    pub csv: bool,
    /// Draw server-hours against mean wait
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
    /// How many rows are played at the same time [default: the processors]
    #[arg(long)]
    pub threads: Option<usize>,
}

/// What the world is like.
#[derive(Debug, Args)]
pub struct WorldArgs {
    /// Seconds from the request for a server to its agent's first word: a number, a range (60-120) or a list (60,90,300)
    #[arg(long, value_name = "SECONDS", default_value = "90")]
    pub boot: Boot,
    /// The share of servers that never join: 0.1 or 10%
    #[arg(long, value_name = "SHARE", default_value = "0")]
    pub failing: Share,
    /// The most servers that the cloud allows
    #[arg(long, value_name = "SERVERS")]
    pub quota: Option<usize>,
    /// Seconds that the request for one server takes; one follows the other
    #[arg(long, value_name = "SECONDS", default_value = "0", value_parser = seconds)]
    pub post: f64,
    /// What chance is made of: the same number gives the same figures
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

impl WorldArgs {
    /// As the rules meet it.
    pub fn conditions(&self) -> Conditions {
        Conditions {
            boot: self.boot.clone(),
            failing: self.failing,
            quota: self.quota,
            post_seconds: self.post,
            seed: self.seed,
        }
    }
}

impl Compare {
    /// The graces to compare, in minutes; `None`: those of the configuration.
    pub fn graces(&self) -> Option<Vec<u32>> {
        let named = if self.minutes.is_empty() {
            GRACES.to_vec()
        } else {
            self.minutes.clone()
        };
        (!self.as_configured).then_some(named)
    }
}

fn seconds(text: &str) -> Result<f64, String> {
    let seconds = text
        .parse::<f64>()
        .ok()
        .filter(|seconds| (0.0..=3600.0).contains(seconds));
    seconds.ok_or_else(|| "a number of seconds from 0 to 3600".to_owned())
}

/// The rules to compare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules(pub Vec<Name>);

impl FromStr for Rules {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let one = |name: &str| {
            Name::from_str(name.trim(), false).map_err(|_| {
                let known: Vec<String> = Name::value_variants().iter().map(|name| name.text()).collect();
                format!("no rule `{name}`; there are {} and all", known.join(", "))
            })
        };
        let (all, named): (Vec<&str>, Vec<&str>) = text.split(',').partition(|name| name.trim() == "all");
        let named = named.into_iter().map(one).collect::<Result<Vec<_>, _>>()?;
        Ok(Self(if all.is_empty() {
            named
        } else {
            Name::value_variants().to_vec()
        }))
    }
}

/// A warm pool that replaces that of the templates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ready {
    /// As in the configuration.
    AsConfigured,
    /// This one for each template.
    Pool(Pool),
}

/// A warm pool of a template.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pool {
    /// How many nodes are ready in any case.
    pub nodes: u32,
    /// In how many minutes a node of the learned spare is to be used; `None`: no spare.
    pub auto: Option<i64>,
    /// Whether bursts are learned that come again.
    pub rhythm: bool,
}

/// In how many minutes a node of the spare is to be used by default.
const USED_EVERY: i64 = LearnedReady::USED_EVERY.as_mins();

impl Pool {
    /// So many nodes, and nothing learned.
    pub const fn of(nodes: u32) -> Self {
        Self {
            nodes,
            auto: None,
            rhythm: false,
        }
    }

    /// This pool, and a learned spare a node of which is to be used in so many minutes.
    pub const fn with_spare(self, used_every: i64) -> Self {
        Self {
            auto: Some(used_every),
            ..self
        }
    }

    fn min_ready(self) -> MinReady {
        if self == Self::of(self.nodes) {
            return MinReady::Always(self.nodes);
        }
        let always = ReadyWindow {
            window: CronWindow {
                cron: "* * * * *".to_owned(),
                timezone: "UTC".to_owned(),
            },
            ready: self.nodes,
        };
        MinReady::Learned(LearnedReady {
            auto: self.auto.map(SignedDuration::from_mins),
            rhythm: self.rhythm,
            windows: (self.nodes > 0).then_some(always).into_iter().collect(),
        })
    }
}

impl fmt::Display for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let auto = self.auto.map(|minutes| match minutes {
            USED_EVERY => "auto".to_owned(),
            minutes => format!("auto:{minutes}m"),
        });
        let rhythm = self.rhythm.then(|| "rhythm".to_owned());
        let learns = auto.is_some() || rhythm.is_some();
        let nodes = (self.nodes > 0 || !learns).then(|| self.nodes.to_string());
        let parts: Vec<String> = [nodes, auto, rhythm].into_iter().flatten().collect();
        f.write_str(&parts.join("+"))
    }
}

impl Ready {
    /// The warm pool of a template; `None`: its own.
    pub fn min_ready(self) -> Option<MinReady> {
        match self {
            Self::AsConfigured => None,
            Self::Pool(pool) => Some(pool.min_ready()),
        }
    }

    /// As it is written on the command line; empty: as in the configuration.
    pub fn text(self) -> String {
        match self {
            Self::AsConfigured => String::new(),
            Self::Pool(pool) => pool.to_string(),
        }
    }
}

impl FromStr for Ready {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "as-configured" {
            return Ok(Self::AsConfigured);
        }
        let mut pool = Pool::default();
        for part in text.split('+') {
            match part {
                "rhythm" => pool.rhythm = true,
                "auto" => pool.auto = Some(USED_EVERY),
                part => match used_every(part) {
                    Some(minutes) => pool.auto = Some(minutes),
                    None if pool.nodes == 0 => {
                        pool.nodes = part.parse().map_err(|_| {
                            "a number, auto, auto:15m (1 to 1440 minutes), rhythm, several of them like 1+auto, or \
                             as-configured"
                                .to_owned()
                        })?;
                    }
                    None => return Err(format!("two numbers of nodes, {} and {part}; write one", pool.nodes)),
                },
            }
        }
        Ok(Self::Pool(pool))
    }
}

/// Reads in how many minutes a node of the spare is to be used: `auto:15m`.
fn used_every(text: &str) -> Option<i64> {
    let minutes: i64 = text.strip_prefix("auto:")?.strip_suffix('m')?.parse().ok()?;
    (1..=1440).contains(&minutes).then_some(minutes)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    fn read(arguments: &str) -> Result<Cli, String> {
        let arguments = ["simulate"].into_iter().chain(arguments.split_whitespace());
        Cli::try_parse_from(arguments).map_err(|error| error.to_string())
    }

    #[test]
    fn configuration_trace_and_graces_are_read_by_their_places() -> Result<(), String> {
        let compare = read("mita.yaml week.trace 5 40")?.compare;
        assert_eq!(
            (compare.config, compare.trace),
            (Some("mita.yaml".into()), Some("week.trace".into()))
        );
        assert_eq!(compare.minutes, [5, 40]);
        assert_eq!(read("")?.compare.graces(), Some(GRACES.to_vec()));
        assert_eq!(read("c t --as-configured")?.compare.graces(), None);
        Ok(())
    }

    #[test]
    fn rules_and_warm_pools_are_lists() -> Result<(), String> {
        let compare = read("c t --rules bound,no-delay --min-ready 0,auto,auto+rhythm,2+auto:15m")?.compare;
        assert_eq!(compare.rules, Rules(vec![Name::Bound, Name::NoDelay]));
        let texts: Vec<String> = compare.min_ready.iter().map(|ready| ready.text()).collect();
        assert_eq!(texts, ["0", "auto", "auto+rhythm", "2+auto:15m"]);
        assert_eq!(
            read("c t --rules all")?.compare.rules.0.len(),
            Name::value_variants().len()
        );
        Ok(())
    }

    #[test]
    fn wrong_arguments_are_named() {
        for (arguments, expected) in [
            ("mita.yaml", "required arguments were not provided"),
            ("c t soon", "invalid value 'soon' for '[IDLE_MINUTES]...'"),
            ("c t --rules best", "no rule `best`; there are mita, original"),
            ("c t --boot slow", "`slow` is no number of seconds"),
            ("c t --failing 2", "a share is a number from 0 to 1"),
            ("c t --every 0", "0 is not in 1..=86400"),
            ("c t --min-ready many", "a number, auto, auto:15m"),
            ("c t --min-ready auto:0m", "1 to 1440 minutes"),
            ("c t --post -1", "unexpected argument '-1'"),
            ("c t 10 --as-configured", "cannot be used with"),
        ] {
            let error = read(arguments).err().unwrap_or_default();
            assert!(error.contains(expected), "{arguments}: {error}");
        }
    }
}
