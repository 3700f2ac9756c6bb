//! The keys of the configuration file: the one table of what may stand where, under which spellings.
//!
//! Checking a file against it is left to `check`; the types in `raw` mirror it.

/// What a key takes.
#[derive(Clone, Copy)]
pub enum Kind {
    /// A text; numbers and booleans are taken as they are written.
    Text,
    /// A text; an empty one means that the key is not there.
    TextOrNone,
    /// A text that is never shown.
    Secret,
    /// Yes or no.
    Flag,
    /// Yes, no, or this word; becomes the text `true`, `false` or the word.
    FlagOr(&'static str),
    /// A whole number from 0 on.
    Count,
    /// A whole number.
    Integer,
    /// A duration.
    Duration,
    /// A duration or `none`.
    DurationOrNone,
    /// A number of bytes.
    Size,
    /// A list of texts, or one text.
    Texts,
    /// Texts by name.
    TextMap,
    /// Anything by name.
    Free,
    /// A number, or a list of such sections (kept under the key with `_windows` at its end).
    CountOr(&'static Section),
    /// A text, or such a section (kept under the key with `_section` at its end).
    TextOr(&'static Section),
    /// A list whose items are texts or such sections. The sections are kept under the key with `_sections` at its end; in
    /// either list nothing stands where the other has an item.
    TextsOr(&'static Section),
    /// A section.
    Section(&'static Section),
    /// Sections by name.
    Entries(&'static Section),
}

/// One key.
pub struct Key {
    /// Its chief spelling.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// Other spellings.
    pub aliases: &'static [&'static str],
}

/// A mapping with known keys.
pub struct Section {
    /// The keys.
    pub keys: &'static [Key],
    /// Keys that are known and refused, with the reason.
    pub refused: &'static [(&'static str, &'static str)],
    /// Prefixes that libcloud puts before a key and that mean nothing here, longest first.
    pub prefixes: &'static [&'static str],
}

impl Section {
    /// Returns the key of a spelling.
    pub fn key(&self, written: &str) -> Option<&'static Key> {
        let find = |text: &str| self.keys.iter().find(|k| k.name == text || k.aliases.contains(&text));
        find(written).or_else(|| self.prefixes.iter().find_map(|p| find(written.strip_prefix(p)?)))
    }

    /// Returns why a key is refused, if it is one of those.
    pub fn refusal(&self, written: &str) -> Option<&'static str> {
        let find = |text: &str| self.refused.iter().find(|(key, _)| *key == text).map(|(_, why)| *why);
        find(written).or_else(|| self.prefixes.iter().find_map(|p| find(written.strip_prefix(p)?)))
    }

    /// Returns the chief spellings.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + Clone {
        self.keys.iter().map(|key| key.name)
    }

    /// Returns all spellings.
    pub fn spellings(&self) -> impl Iterator<Item = &'static str> + Clone {
        self.keys
            .iter()
            .flat_map(|key| std::iter::once(key.name).chain(key.aliases.iter().copied()))
    }
}

const fn key(name: &'static str, kind: Kind) -> Key {
    also(name, kind, &[])
}

const fn also(name: &'static str, kind: Kind, aliases: &'static [&'static str]) -> Key {
    Key { name, kind, aliases }
}

const LATER: &str = "not supported yet; remove it";

/// The file.
pub static ROOT: Section = Section {
    keys: &[
        key("owner", Kind::Text),
        key("state_file", Kind::Text),
        key("limits", Kind::Section(&LIMITS)),
        key("timing", Kind::Section(&TIMING)),
        key("jenkins", Kind::Section(&JENKINS)),
        also("provider", Kind::Entries(&PROVIDER), &["providers"]),
        key("defaults", Kind::Section(&NODE)),
        key("nodes", Kind::Entries(&NODE)),
    ],
    refused: &[
        ("journal", LATER),
        ("metrics_file", LATER),
        ("status_page", LATER),
        ("naming", LATER),
    ],
    prefixes: &[],
};

/// `limits:`.
pub static LIMITS: Section = Section {
    keys: &[
        key("max_servers", Kind::Count),
        key("max_creates_per_pass", Kind::Count),
        key("max_deletes_per_pass", Kind::Count),
        key("max_booting", Kind::Count),
        key("canary", Kind::Count),
        key("pass_deadline", Kind::Duration),
        key("max_body", Kind::Size),
    ],
    refused: &[],
    prefixes: &[],
};

/// `timing:`.
pub static TIMING: Section = Section {
    keys: &[
        key("idle_grace", Kind::Duration),
        key("boot_grace", Kind::Duration),
        key("offline_grace", Kind::Duration),
        key("min_lifetime", Kind::Duration),
        key("max_lifetime", Kind::DurationOrNone),
        key("intent_grace", Kind::Duration),
        key("restart_grace", Kind::Duration),
        key("queue_grace", Kind::Duration),
        key("backoff_first", Kind::Duration),
        key("backoff_max", Kind::Duration),
    ],
    refused: &[],
    prefixes: &[],
};

/// `jenkins:`.
pub static JENKINS: Section = Section {
    keys: &[
        key("url", Kind::Text),
        also("user", Kind::Text, &["username"]),
        key("token", Kind::Secret),
        key("token_file", Kind::Text),
        key("password", Kind::Secret),
        key("password_file", Kind::Text),
        also("ca_file", Kind::Text, &["cacert"]),
        key("verify", Kind::Flag),
        also("proxy", Kind::Text, &["proxy_url"]),
        key("connect_timeout", Kind::Duration),
        key("timeout", Kind::Duration),
        key("anchor", Kind::Flag),
        key("labels_from", Kind::Text),
        key("bootstrap", Kind::Text),
    ],
    refused: &[],
    prefixes: &[],
};

const NO_NEED: &str = "not supported; remove it, mita finds what it needs in the catalog";

const NO_CERTIFICATE: &str = "a client certificate is not supported; use an address that needs none";

/// The types of provider.
pub const PROVIDER_TYPES: [&str; 2] = ["openstack", "exec"];

/// What an entry of `provider:` of type `exec` takes; all other keys belong to `openstack`.
pub const EXEC_KEYS: [&str; 5] = ["type", "command", "environment", "timeout", "max_servers"];

/// What only an entry of type `exec` takes.
pub const EXEC_ONLY: [&str; 2] = ["command", "environment"];

/// Returns whether a provider is an executable of the operator: by its type, else by its name.
pub fn is_exec(name: &str, kind: Option<&str>) -> bool {
    kind.unwrap_or(name) == "exec"
}

/// An entry of `provider:`.
pub static PROVIDER: Section = Section {
    keys: &[
        key("type", Kind::Text),
        also("username", Kind::Text, &["user"]),
        key("user_id", Kind::Text),
        key("password", Kind::Secret),
        key("password_file", Kind::Text),
        key("application_credential_id", Kind::Text),
        key("application_credential_name", Kind::Text),
        key("application_credential_secret", Kind::Secret),
        also("token", Kind::Secret, &["auth_token"]),
        key("cloud", Kind::Text),
        key("auth_url", Kind::Text),
        also("auth_version", Kind::Text, &["auth_type"]),
        also("service_region", Kind::TextOrNone, &["region_name", "region"]),
        also("tenant_name", Kind::Text, &["project_name", "tenant", "project"]),
        also("tenant_id", Kind::Text, &["project_id"]),
        also("user_domain_name", Kind::Text, &["domain_name"]),
        key("user_domain_id", Kind::Text),
        also("project_domain_name", Kind::Text, &["tenant_domain_name"]),
        also("project_domain_id", Kind::Text, &["tenant_domain_id"]),
        also("interface", Kind::Text, &["endpoint_type"]),
        also("ca_file", Kind::Text, &["cacert"]),
        key("verify", Kind::Flag),
        also("proxy", Kind::Text, &["proxy_url"]),
        also("compute_url", Kind::Text, &["base_url"]),
        key("image_url", Kind::Text),
        key("network_url", Kind::Text),
        key("volume_url", Kind::Text),
        key("token_cache", Kind::Text),
        key("max_servers", Kind::Count),
        key("connect_timeout", Kind::Duration),
        key("timeout", Kind::Duration),
        key("command", Kind::Texts),
        key("environment", Kind::TextMap),
    ],
    refused: &[
        (
            "auth",
            "not supported here; write its keys one level up, or name an entry of clouds.yaml by cloud",
        ),
        (
            "regions",
            "not supported here; write one provider entry for each region, with service_region",
        ),
        (
            "profile",
            "not supported; write the auth_url of that cloud, and its service_region",
        ),
        (
            "trust_id",
            "not supported; use an application credential, which acts for its user",
        ),
        (
            "system_scope",
            "not supported; servers belong to a project, so name it by tenant_name",
        ),
        ("cert", NO_CERTIFICATE),
        ("key", NO_CERTIFICATE),
        ("microversion", NO_NEED),
        ("service_type", NO_NEED),
        ("service_name", NO_NEED),
        ("api_version", NO_NEED),
        (
            "token_scope",
            "not supported; remove it, the scope is always the project",
        ),
        ("auth_cache", "not supported; write token_cache: true"),
        ("insecure", "not supported; write verify: false"),
    ],
    prefixes: &["ex_force_", "ex_"],
};

/// An entry of `nodes:`, and `defaults:`.
pub static NODE: Section = Section {
    keys: &[
        also("script", Kind::Text, &["user_data", "userdata"]),
        also("keyname", Kind::Text, &["key_name"]),
        also("image_name", Kind::Text, &["image"]),
        key("image_id", Kind::Text),
        key("image_regex", Kind::Text),
        also("size", Kind::TextOr(&SIZE), &["flavor"]),
        key("labels", Kind::Texts),
        key("provider", Kind::Texts),
        key("max", Kind::Count),
        key("min_ready", Kind::CountOr(&WINDOW)),
        key("executors", Kind::Count),
        key("accepts_unlabelled", Kind::Flag),
        key("priority", Kind::Integer),
        key("storage", Kind::Count),
        also("boot_volume", Kind::Count, &["boot_from_volume", "volume_size"]),
        key("volume_type", Kind::Text),
        key("networks", Kind::Texts),
        key("ports", Kind::TextsOr(&PORT)),
        key("floating_ip_pool", Kind::Text),
        key("security_groups", Kind::Texts),
        also("availability_zone", Kind::Texts, &["availability_zones"]),
        key("config_drive", Kind::Flag),
        key("metadata", Kind::TextMap),
        also("scheduler_hints", Kind::Free, &["os_scheduler_hints"]),
        key("options", Kind::Free),
        key("idle_grace", Kind::Duration),
        key("boot_grace", Kind::Duration),
        key("max_lifetime", Kind::DurationOrNone),
        key("max_builds", Kind::Count),
        key("adopt", Kind::FlagOr("all")),
        key("register", Kind::Text),
        key("agent", Kind::Section(&AGENT)),
    ],
    refused: &[],
    prefixes: &["ex_"],
};

/// `size:` by what a flavor must have.
pub static SIZE: Section = Section {
    keys: &[
        key("vcpus", Kind::Count),
        key("ram", Kind::Count),
        key("disk", Kind::Count),
    ],
    refused: &[],
    prefixes: &[],
};

/// `agent:`, the Jenkins node that mita makes.
pub static AGENT: Section = Section {
    keys: &[
        key("credentials_id", Kind::Text),
        key("port", Kind::Count),
        key("java_path", Kind::Text),
        also("remote_dir", Kind::Text, &["remote_fs"]),
        key("mode", Kind::Text),
        key("description", Kind::Text),
        also("web_socket", Kind::Flag, &["websocket"]),
        key("host_key", Kind::Section(&HOST_KEY)),
    ],
    refused: &[],
    prefixes: &[],
};

/// `agent.host_key:`.
pub static HOST_KEY: Section = Section {
    keys: &[key("strategy", Kind::Text), key("key", Kind::Text)],
    refused: &[],
    prefixes: &[],
};

/// A port of `ports:` that is made for each server.
pub static PORT: Section = Section {
    keys: &[
        key("network", Kind::Text),
        key("security_groups", Kind::Texts),
        key("vnic_type", Kind::Text),
        key("port_security", Kind::Flag),
    ],
    refused: &[],
    prefixes: &[],
};

/// A cron window of `min_ready:`.
pub static WINDOW: Section = Section {
    keys: &[
        key("cron", Kind::Text),
        key("timezone", Kind::Text),
        key("ready", Kind::Count),
    ],
    refused: &[],
    prefixes: &[],
};

/// All sections with the place of their keys, for hints.
pub static ALL: [(&str, &Section); 6] = [
    ("the top level", &ROOT),
    ("limits", &LIMITS),
    ("timing", &TIMING),
    ("jenkins", &JENKINS),
    ("provider", &PROVIDER),
    ("nodes", &NODE),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_names_every_key() {
        let example = include_str!("../../mita.yaml.example");
        let sections = ALL
            .iter()
            .map(|(_, section)| *section)
            .chain([&WINDOW, &SIZE, &PORT, &AGENT, &HOST_KEY]);
        let missing: Vec<&str> = sections
            .flat_map(Section::names)
            .filter(|name| !example.contains(&format!("{name}:")))
            .collect();
        assert_eq!(missing, [] as [&str; 0]);
    }
}
