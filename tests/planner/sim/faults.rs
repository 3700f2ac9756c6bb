//! What goes wrong in a simulated world.

/// What goes wrong in a world, in percent, and what the executor gets wrong on purpose.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    /// A pass ends before or after any of its requests.
    pub crash: u64,
    /// A POST is answered by 5xx; half of these made the server all the same.
    pub lie: u64,
    /// A cloud cannot be read.
    pub closed: u64,
    /// The state file is lost.
    pub lost_state: u64,
    /// A server goes to ERROR.
    pub error: u64,
    /// A server never joins.
    pub never_joins: u64,
    /// A server boots for many minutes, while most join within one.
    pub slow_boots: u64,
    /// A node loses its connection for some minutes.
    pub disconnect: u64,
    /// A person takes a node offline.
    pub person: u64,
    /// Seconds until the list shows a new server.
    pub lag: i64,
    /// A template whose image is refused.
    pub bad_image: bool,
    /// A server is deleted behind mita's back, and its node with it.
    pub vanish: u64,
    /// The newest image of every template never joins; the one before it does.
    pub broken_image: bool,
    /// Every template adopts, and servers of another program are there at the beginning.
    pub adopt: bool,
    /// Templates limit the builds of a node, and every build is long enough to be seen.
    pub max_builds: bool,
    /// Nodes grow too old and outdated, and are replaced; every template is changed on the way.
    pub refresh: bool,
    /// An agent joins under another name than its server's, its address or id somewhere in it.
    pub names: u64,
    /// An agent joins without one of the labels of its template.
    pub few_labels: u64,
    /// A person takes a label off a node.
    pub label_off: u64,
    /// The list of a cloud is a 200 and lacks some of its servers for some passes.
    pub short_lists: u64,
    /// The list shows a server without some or all of its addresses for some passes.
    pub no_addresses: u64,
    /// A node is gone from Jenkins' list for less than `offline_grace`, with its builds (Swarm), and comes back.
    pub blink: u64,
    /// A node works and fails to be exported, so that Jenkins' list lacks it for longer than `offline_grace`.
    pub unlisted: u64,
    /// An agent joins and gets work between the look and the removal of its server.
    pub late: u64,
    /// A person disconnects a node, before a pass looks or after.
    pub cut_by_person: u64,
    /// Seconds that Jenkins' clock is ahead; then `queue_grace` is a minute.
    pub clock_ahead: i64,
    /// Every create of one template fails at one cloud, and its items are the oldest.
    pub broken_template: bool,
    /// Two templates share a limit; one holds all places with nodes that are mostly idle, but never for `idle_grace`.
    pub shared_limit: bool,
    /// After a burst a few short jobs go round among the nodes of one template, so that none is ever idle for `idle_grace`.
    pub light_load: bool,
    /// Templates are billed by the period, most of them.
    pub billed: bool,
    /// Templates learn how many nodes are ready, and bursts come in a rhythm.
    pub learned: bool,
    /// The nodes of one template never register a label that it promises.
    pub drift: bool,
    /// Jenkins names the only node that has the label of a pipeline, and never its label.
    pub pipelines: bool,
    /// Nodes of other networks have the private addresses of our servers, and nodes of another owner are in this Jenkins.
    pub strangers: bool,
    /// Jenkins tells no labels of nodes (before 2.94).
    pub old_jenkins: bool,
    /// Every template adopts, and another controller has servers in the same project, named as ours would be.
    pub other_controller: bool,
    /// A DELETE is accepted and the server stays listed, until it was sent several times.
    pub stuck: u64,
    /// A DELETE is answered by a gateway that does not know the path, and the server goes on.
    pub gateway: u64,
    /// A planted bug: the intent of a create whose outcome is unknown is dropped.
    pub forget_unknown: bool,
    /// A planted bug: what one template's create meets is charged to its whole placement.
    pub charge_placement: bool,
    /// A planted bug: the executor asks for no node by its name that the list lacks.
    pub asks_no_name: bool,
    /// A planted bug: the executor knows a person's marks, and not a person's disconnect.
    pub blind_to_cuts: bool,
}

impl Faults {
    /// Whether the world does what it is told.
    pub fn none(self) -> bool {
        self.crash + self.lie + self.closed + self.lost_state + self.error + self.never_joins + self.slow_boots == 0
            && self.disconnect + self.person + self.vanish == 0
            && self.names + self.few_labels + self.label_off + self.short_lists + self.no_addresses == 0
            && self.blink + self.unlisted + self.late + self.cut_by_person + self.stuck + self.gateway == 0
            && self.lag == 0
            && self.clock_ahead == 0
            && !self.refresh
            && !self.bad_image
            && !self.broken_image
            && !self.drift
            && !self.pipelines
            && !self.broken_template
            && !self.shared_limit
            && !self.strangers
            && !self.other_controller
    }

    /// Whether there is room for everything that is wanted, except behind a limit that is the subject of the world.
    pub fn is_roomy(self) -> bool {
        self.clock_ahead != 0 || self.broken_template || self.shared_limit || self.drift || self.pipelines
    }

    /// In how many passes an item must be served that a template can serve; `None` where too much else goes wrong.
    ///
    /// A boot takes up to eight passes. Twice as many are for a server that another item takes or that turns out not to
    /// fit, and for a node that must go first.
    pub fn patience(self) -> Option<u64> {
        let subjects = Self {
            clock_ahead: 0,
            broken_template: false,
            shared_limit: false,
            drift: false,
            pipelines: false,
            // Names change nothing about what is served, but a lost link does.
            names: 0,
            ..self
        };
        (self.is_roomy() && subjects.none()).then_some(25)
    }
}
