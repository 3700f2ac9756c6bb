//! The metrics that there are: name, type, labels and help, in the order of the file.

/// The type of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A value that goes up and down.
    Gauge,
    /// A number that only grows, unless the state file is lost.
    Counter,
    /// Counts by size.
    Histogram,
}

impl Kind {
    /// Returns the word of a `# TYPE` line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Gauge => "gauge",
            Self::Counter => "counter",
            Self::Histogram => "histogram",
        }
    }
}

/// A metric.
#[derive(Debug)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// What it tells, as one sentence.
    pub help: &'static str,
}

/// Declares the metrics, each as a constant, and all of them as a list.
macro_rules! metrics {
    ($($constant:ident = $kind:ident $name:literal [$($label:literal),*] $help:literal;)*) => {
        $(
            #[doc = $help]
            pub static $constant: Metric = Metric {
                name: $name,
                kind: Kind::$kind,
                labels: &[$($label),*],
                help: $help,
            };
        )*

        /// All metrics, in the order of the file.
        #[cfg(test)]
        pub static ALL: &[&Metric] = &[$(&$constant),*];
    };
}

metrics! {
    BUILD_INFO = Gauge "mita_build_info" ["version", "commit"]
        "Which mita wrote this file, and the commit that it was built from; always 1.";
    PASS_SUCCESS = Gauge "mita_pass_success" []
        "Whether the last pass ended with exit code 0.";
    PASS_EXIT_CODE = Gauge "mita_pass_exit_code" []
        "The exit code of the last pass: 0 done, 1 something failed or was left undone, 3 the state could not be saved, 4 it could not observe.";
    PASS_DURATION = Gauge "mita_pass_duration_seconds" []
        "How long the last pass took.";
    LAST_PASS = Gauge "mita_last_pass_timestamp_seconds" []
        "When the last pass looked, whatever its end.";
    LAST_SUCCESS = Gauge "mita_last_success_timestamp_seconds" []
        "When the last pass looked that ended with exit code 0; 0: none yet.";
    PROBLEMS = Gauge "mita_problems" ["kind", "severity"]
        "Problems that are open.";
    GUARD_HELD = Gauge "mita_guard_held" []
        "Whether the guard holds removals back, since too much was absent at once.";
    JENKINS_UP = Gauge "mita_jenkins_up" []
        "Whether the last pass could read Jenkins.";
    PROVIDER_UP = Gauge "mita_provider_up" ["provider"]
        "Whether the last pass could read the provider.";
    SERVERS = Gauge "mita_servers" ["node", "provider", "phase"]
        "Servers as the last pass left them.";
    SERVERS_MAX = Gauge "mita_servers_max" ["node"]
        "The most servers of a node template (max).";
    SERVER_PRICE = Gauge "mita_server_price" ["node"]
        "What a server costs in each hour (price), in the currency of the configuration.";
    EXECUTORS = Gauge "mita_executors" ["node", "state"]
        "Executors of the Jenkins nodes of our servers: busy, idle, or off where the node takes no work.";
    LEAKS = Gauge "mita_leaks" ["kind"]
        "What is ours and accounted for nowhere; floating IPs, ports and volumes as they were last listed.";
    QUEUE_ITEMS = Gauge "mita_queue_items" ["node"]
        "Items of the queue that wait for an executor, by the node template that serves them or would; node is empty where none would.";
    QUEUE_OLDEST = Gauge "mita_queue_oldest_seconds" ["node"]
        "The age of the oldest of these items.";
    UNMET_ITEMS = Gauge "mita_unmet_items" ["reason"]
        "Items that get nothing, by the reason that passes soonest.";
    UNMET_OLDEST = Gauge "mita_unmet_oldest_seconds" ["reason"]
        "The age of the oldest of these items.";
    BACKOFF_UNTIL = Gauge "mita_backoff_until_timestamp_seconds" ["key"]
        "Until when something is held back after failures; the 100 that last longest.";
    QUOTA_HEADROOM = Gauge "mita_quota_headroom" ["provider", "resource"]
        "What was left of the quota when it was last read: instances, cores, and ram in bytes.";
    QUOTA_LIMIT = Gauge "mita_quota_limit" ["provider", "resource"]
        "The quota itself, when it was last read.";
    QUOTA_READ = Gauge "mita_quota_read_timestamp_seconds" ["provider"]
        "When the quota was last read: only passes that make something read it.";
    CREATES = Counter "mita_creates_total" ["node", "provider", "result"]
        "Requests for servers.";
    DELETES = Counter "mita_deletes_total" ["node", "provider", "result"]
        "Requests to delete servers.";
    BUILDS = Counter "mita_builds_total" ["node"]
        "Builds that passes saw begin on our servers; one that begins and ends between two passes is not among them.";
    BOOT = Histogram "mita_boot_seconds" ["node"]
        "How long servers took from the request until their Jenkins node was online.";
    SERVER_SECONDS = Counter "mita_server_seconds_total" ["node", "provider", "state"]
        "Seconds that servers spent booting, busy, idle, or off (taking no work), as far as passes saw it.";
    REQUESTS = Counter "mita_requests_total" ["service"]
        "HTTP requests of passes, or calls of a command, by provider and for jenkins; those of passes that could not observe are not counted.";
}
