//! The rules that can be played: mita's own, by its real planner, and models of others, each made from what its source says
//! it does. A model takes the templates, labels, executors and maximums of the configuration.

pub mod bound;
pub mod cluster_autoscaler;
pub mod idle;
pub mod mita;
pub mod no_delay;
pub mod node_provisioner;
pub mod original;
pub mod single_use;

use ::mita::config::Config;
use clap::ValueEnum;

use super::site::Site;

/// Decides what is made and removed.
pub trait Rule {
    /// Looks at the site, and acts.
    fn look(&mut self, site: &mut Site<'_>);

    /// When it looks next, after a look that has just been.
    fn next_look(&self, site: &Site<'_>) -> i64;
}

/// The rules by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Name {
    /// This mita: the real planner, a pass each --every
    Mita,
    /// The original mita, in Python
    Original,
    /// Jenkins' standard strategy, with its averages
    NodeProvisioner,
    /// The strategy without delay of Jenkins' cloud plugins
    NoDelay,
    /// cluster-autoscaler of Kubernetes
    ClusterAutoscaler,
    /// A server for each job, some kept ready (GARM)
    SingleUse,
    /// The fewest hours at which no job waits, all arrivals known
    Bound,
}

impl Name {
    /// As it is written on the command line.
    pub fn text(self) -> String {
        self.to_possible_value()
            .map(|value| value.get_name().to_owned())
            .unwrap_or_default()
    }
}

/// A rule with its knobs; times in seconds.
#[derive(Clone, Debug, PartialEq)]
pub enum Chosen {
    /// The planner, with the graces of the configuration; a pass each so many seconds.
    Mita { every: i64 },
    /// Idle that long, a node goes.
    Original { grace: i64 },
    /// The same.
    NodeProvisioner { grace: i64 },
    /// The same.
    NoDelay { grace: i64 },
    /// The same.
    ClusterAutoscaler { grace: i64 },
    /// So many nodes of each template are kept ready.
    SingleUse { spares: usize },
    /// No rule, but what no rule can better.
    Bound,
}

impl Chosen {
    /// The rule itself. The bound is computed, not played.
    pub fn rule(&self, config: &Config) -> Box<dyn Rule> {
        match *self {
            Self::Mita { every } => Box::new(mita::Mita::new(config, every)),
            Self::Original { grace } => Box::new(original::Original::new(grace)),
            Self::NodeProvisioner { grace } => Box::new(node_provisioner::NodeProvisioner::new(grace)),
            Self::NoDelay { grace } => Box::new(no_delay::NoDelay::new(grace)),
            Self::ClusterAutoscaler { grace } => Box::new(cluster_autoscaler::ClusterAutoscaler::new(grace)),
            Self::SingleUse { spares } => Box::new(single_use::SingleUse::new(spares)),
            Self::Bound => Box::new(bound::Nothing),
        }
    }

    /// Its name.
    pub fn name(&self) -> Name {
        match self {
            Self::Mita { .. } => Name::Mita,
            Self::Original { .. } => Name::Original,
            Self::NodeProvisioner { .. } => Name::NodeProvisioner,
            Self::NoDelay { .. } => Name::NoDelay,
            Self::ClusterAutoscaler { .. } => Name::ClusterAutoscaler,
            Self::SingleUse { .. } => Name::SingleUse,
            Self::Bound => Name::Bound,
        }
    }
}
