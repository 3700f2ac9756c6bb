//! What a cloud offers to choose from, for a first configuration.

/// What a cloud offers. A list that could not be read is empty, and `unread` says why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory {
    /// The region that was asked; `None` where there are several and none was named: then the lists are empty.
    pub region: Option<String>,
    /// All regions of the catalog.
    pub regions: Vec<String>,
    /// Images that a server can be made of, the newest first, each name once.
    pub images: Vec<ImageChoice>,
    /// Flavors, the smallest first: by vCPUs, memory, disk, name.
    pub flavors: Vec<FlavorChoice>,
    /// Networks that a server can be put into, by name, or by id where several have that name.
    pub networks: Vec<String>,
    /// The user's key pairs.
    pub key_pairs: Vec<String>,
    /// What could not be read, in sentences.
    pub unread: Vec<String>,
}

/// An image to choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageChoice {
    /// Its name.
    pub name: String,
    /// The day on which it was made, as the cloud has it: `2026-01-31`.
    pub created: String,
    /// MiB that a server of it needs.
    pub min_ram_mb: u64,
    /// GB of the root disk that a server of it needs.
    pub min_disk_gb: u64,
    /// Why it is hardly the one that is wanted: it is a snapshot, an installation medium, of another kind of machine.
    pub remark: Option<String>,
}

/// A flavor to choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlavorChoice {
    /// Its name.
    pub name: String,
    /// Virtual processors.
    pub vcpus: u64,
    /// MiB of memory.
    pub ram_mb: u64,
    /// GB of the root disk; 0: it needs a volume.
    pub disk_gb: u64,
}
