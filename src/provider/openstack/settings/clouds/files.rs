//! Finds and reads clouds.yaml and secure.yaml, where openstacksdk looks for them: the first file there is, no merging
//! between folders, each of the two by itself.
//!
//! The current folder comes first, as every OpenStack user expects. Under cron that is a question of trust: whoever may
//! write there chooses the cloud and gets the password. So a file found there is used with a warning at each pass, unless the
//! configuration lies in the same folder: who may write there can change that, too.

#![expect(clippy::disallowed_methods, reason = "an edge: looks for files")]

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::settings::files::{Env, Folders, absolute, read, readable_by_others, text_of};
use crate::settings::problem::{Place, Report, join};
use crate::settings::yaml::{self, Expected, Node, Value};
use crate::text::visible;

/// One of the two files.
pub struct CloudFile {
    /// Its path for messages.
    pub shown: String,
    /// What relative paths in it are relative to.
    pub folder: PathBuf,
    /// Its content; an empty mapping where it could not be read.
    pub tree: Node,
    /// Its number in the report.
    pub number: u16,
    /// Whether others may read it.
    pub readable: bool,
}

/// What was found.
pub struct CloudFiles {
    /// clouds.yaml.
    pub clouds: CloudFile,
    /// secure.yaml, which wins.
    pub secure: Option<CloudFile>,
}

impl CloudFiles {
    /// Returns the files, the one that wins first.
    pub fn files(&self) -> impl Iterator<Item = &CloudFile> {
        self.secure.iter().chain([&self.clouds])
    }
}

/// The files, read when they are first needed.
pub struct Files<'f> {
    folders: &'f Folders,
    env: Env<'f>,
    looked: bool,
    found: Option<CloudFiles>,
}

impl<'f> Files<'f> {
    /// Looks at nothing yet.
    pub fn new(folders: &'f Folders, env: Env<'f>) -> Self {
        Self {
            folders,
            env,
            looked: false,
            found: None,
        }
    }

    /// Returns the files; `None` when there is no usable clouds.yaml, which was reported at `place`.
    pub fn read(&mut self, place: &Place, report: &Report) -> Option<&CloudFiles> {
        if !self.looked {
            self.looked = true;
            self.found = self.look(place, report);
        }
        self.found.as_ref()
    }

    fn look(&self, place: &Place, report: &Report) -> Option<CloudFiles> {
        let tried = self.candidates("OS_CLIENT_CONFIG_FILE", "clouds", None);
        let Some(path) = self.first(&tried, report) else {
            let mut folders: Vec<String> = Vec::new();
            for folder in tried.iter().filter_map(|path| path.parent()) {
                let shown = folder.display().to_string();
                let shown = if shown.is_empty() {
                    "the current folder".to_owned()
                } else {
                    shown
                };
                if !folders.contains(&shown) {
                    folders.push(shown);
                }
            }
            let text = format!(
                "no clouds.yaml in {}; write one, or name it by the variable OS_CLIENT_CONFIG_FILE",
                visible(&folders.join(", "))
            );
            report.error(place, text);
            return None;
        };
        self.trust(&path, report);
        let clouds = source(&path, false, report)?;
        // Beside a clouds.yaml that was named by the variable, too: it is nowhere on the path.
        let beside = path
            .parent()
            .filter(|_| self.variable("OS_CLIENT_CONFIG_FILE") == Some(path.clone()));
        let tried = self.candidates("OS_CLIENT_SECURE_FILE", "secure", beside);
        let secure = self.first(&tried, report);
        let secure = secure.and_then(|path| {
            self.trust(&path, report);
            source(&path, true, report)
        });
        Some(CloudFiles { clouds, secure })
    }

    fn variable(&self, name: &str) -> Option<PathBuf> {
        let text = (self.env)(name).filter(|text| !text.is_empty())?;
        Some(match (text.strip_prefix("~/"), self.folders.home()) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => PathBuf::from(text),
        })
    }

    /// Lists where a file may be, the first choice first.
    fn candidates(&self, variable: &str, stem: &str, beside: Option<&Path>) -> Vec<PathBuf> {
        let mut list: Vec<PathBuf> = self.variable(variable).into_iter().collect();
        let home = self.folders.home().map(|home| home.join(".config"));
        let site = (self.env)("XDG_CONFIG_DIRS").and_then(|dirs| {
            let mut dirs = dirs.split(':').map(PathBuf::from);
            dirs.find(|path| path.is_absolute())
        });
        let folders = [
            beside.map(Path::to_owned),
            Some(PathBuf::new()),
            absolute(self.env, "XDG_CONFIG_HOME").map(|folder| folder.join("openstack")),
            home.map(|folder| folder.join("openstack")),
            Some(site.unwrap_or_else(|| PathBuf::from("/etc/xdg")).join("openstack")),
            Some(PathBuf::from("/etc/openstack")),
        ];
        for folder in folders.into_iter().flatten() {
            for suffix in ["yaml", "yml", "json"] {
                let path = folder.join(format!("{stem}.{suffix}"));
                if !list.contains(&path) {
                    list.push(path);
                }
            }
        }
        list
    }

    /// Returns the first that is there and can be opened. One that cannot is named and passed over, as elsewhere.
    fn first(&self, tried: &[PathBuf], report: &Report) -> Option<PathBuf> {
        let named = ["OS_CLIENT_CONFIG_FILE", "OS_CLIENT_SECURE_FILE"].map(|name| self.variable(name));
        tried
            .iter()
            .find(|path| match std::fs::File::open(path) {
                Ok(file) => file.metadata().is_ok_and(|meta| !meta.is_dir()),
                Err(error) => {
                    let expected = error.kind() == ErrorKind::NotFound || error.kind() == ErrorKind::NotADirectory;
                    if !expected || named.iter().flatten().any(|named| named == *path) {
                        let number = report.file(path.display().to_string());
                        let mut place = Place::file();
                        place.at.file = number;
                        let text =
                            format!("cannot be read: {error}; the next place is tried, check path and permissions");
                        report.warn_in_check(&place, text);
                    }
                    false
                }
            })
            .cloned()
    }

    /// Warns of a file that was found only because of where the program was started.
    fn trust(&self, path: &Path, report: &Report) {
        let by_chance = path.parent() == Some(Path::new("")) && self.variable_names(path);
        let real = |path: &Path| std::fs::canonicalize(path).ok();
        let current = real(Path::new("."));
        let config = self.folders.config();
        let config = real(if config == Path::new("") {
            Path::new(".")
        } else {
            config
        });
        if by_chance && (current.is_none() || current != config) {
            let number = report.file(path.display().to_string());
            let mut place = Place::file();
            place.at.file = number;
            let text = "found in the current folder: whoever may write there chooses the cloud; put it into \
                        ~/.config/openstack, or name it by OS_CLIENT_CONFIG_FILE (OS_CLIENT_SECURE_FILE)";
            report.warn(&place, text);
        }
    }

    fn variable_names(&self, path: &Path) -> bool {
        let named = ["OS_CLIENT_CONFIG_FILE", "OS_CLIENT_SECURE_FILE"].map(|name| self.variable(name));
        !named.iter().flatten().any(|named| named == path)
    }
}

/// Reads one of the files; what is wrong with it is reported with its place. `None`: nothing of it can be used.
fn source(path: &Path, optional: bool, report: &Report) -> Option<CloudFile> {
    let shown = path.display().to_string();
    let number = report.file(shown.clone());
    let own = Report::default();
    let tree = read_tree(path, optional, &own);
    let good = own.is_good();
    report.adopt(own, number);
    let mut tree = tree.filter(|_| good)?;
    tree.stamp(number);
    let folder = path.parent().unwrap_or(Path::new(""));
    Some(CloudFile {
        shown: visible(&shown),
        folder: std::path::absolute(folder.join("x")).map_or_else(
            |_| folder.to_owned(),
            |mut path| {
                path.pop();
                path
            },
        ),
        tree,
        number,
        readable: readable_by_others(path, 0o044),
    })
}

fn read_tree(path: &Path, optional: bool, report: &Report) -> Option<Node> {
    let bytes = match read(path) {
        Ok(bytes) => bytes,
        Err(text) => {
            report.error(&Place::file(), text);
            return None;
        }
    };
    let text = text_of(&bytes, report)?;
    report.keep_text(text);
    let says_nothing = |line: &str| matches!(line.trim(), "" | "---" | "...") || line.trim_start().starts_with('#');
    if optional && text.lines().all(says_nothing) {
        return None;
    }
    let expected = Expected {
        empty: "the file is empty; write clouds: with an entry for each cloud, or remove it",
        other: "must hold the key clouds, is no mapping",
    };
    let tree = yaml::read_as(text, &expected, report).ok()?;
    let what = "write clouds: with an entry for each cloud below it";
    let place = |at| Place {
        at,
        path: "clouds".to_owned(),
    };
    match tree.entry("clouds").map(|clouds| (clouds.at, &clouds.value.value)) {
        Some((_, Value::Map(clouds))) => {
            for cloud in clouds
                .iter()
                .filter(|c| !matches!(c.value.value, Value::Map(_) | Value::Null))
            {
                let at = Place {
                    at: cloud.at,
                    path: join("clouds", &cloud.key),
                };
                report.error(&at, "must be a mapping of keys; write auth: and the others below it");
            }
        }
        Some((at, _)) => report.error(&place(at), format!("must be a mapping of names to clouds; {what}")),
        None => report.error(&place(tree.at), format!("missing; {what}")),
    }
    Some(tree)
}
