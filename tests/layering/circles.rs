//! Which file imports which, and the circles in that.
//!
//! A `pub use` is followed to the file that has the item, so that handing a name on makes no edge; neither does bringing
//! in a module, but what is taken from it does. Macros and names of methods are not seen.

use std::collections::{BTreeMap, BTreeSet};

use crate::module_of;
use crate::source::{Mention, Place, mentions, test_modules, without_text};

/// A module path below `crate`.
type Module = Vec<String>;

/// An import of one file from another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    pub from: String,
    pub to: String,
    /// What is imported.
    pub item: String,
}

struct File {
    path: String,
    mentions: Vec<Mention>,
    /// What it brings in, by the name that it has there: the whole path.
    names: BTreeMap<String, Module>,
    /// What of this it hands on.
    exports: BTreeMap<String, Module>,
}

/// What a path leads to.
struct Target {
    module: Module,
    /// `None`: the module itself.
    item: Option<String>,
}

/// The files of a crate.
pub struct Crate {
    files: BTreeMap<Module, File>,
}

impl Crate {
    /// Reads sources, each with its path below `src/`. What is compiled for tests alone is left out.
    pub fn new<'s>(sources: impl IntoIterator<Item = (&'s str, &'s str)>) -> Self {
        // The binary has a root of its own, and imports nothing but the library.
        let sources: Vec<(Module, &str, &str)> = sources
            .into_iter()
            .filter(|(path, _)| *path != "main.rs")
            .map(|(path, source)| (module_of(path), path, source))
            .collect();
        let tests: Vec<Module> = sources
            .iter()
            .flat_map(|(module, _, source)| {
                let names = test_modules(&without_text(source)).into_iter();
                names.map(|name| joined(module, &[name]))
            })
            .collect();
        let is_test = |module: &Module| tests.iter().any(|test| module.starts_with(test));
        let files = sources
            .into_iter()
            .filter(|(module, ..)| !is_test(module))
            .map(|(module, path, source)| {
                let file = File {
                    path: path.to_owned(),
                    mentions: mentions(source),
                    names: BTreeMap::new(),
                    exports: BTreeMap::new(),
                };
                (module, file)
            });
        let mut whole = Self { files: files.collect() };
        whole.bring_in();
        whole
    }

    fn bring_in(&mut self) {
        let mut found = Vec::new();
        for (module, file) in &self.files {
            for mention in file.mentions.iter().filter(|mention| mention.place != Place::Body) {
                if let Some(path) = self.absolute(&mention.segments, module) {
                    found.push((module.clone(), mention.name.clone(), path, mention.place));
                }
            }
        }
        for (module, name, path, place) in found {
            let file = self.files.get_mut(&module).expect("a file");
            if place == Place::Export {
                file.exports.insert(name.clone(), path.clone());
            }
            file.names.insert(name, path);
        }
    }

    /// Resolves where a path begins; `None` for other crates, and for names that a `use` brought in.
    fn absolute(&self, segments: &[String], module: &Module) -> Option<Module> {
        let ups = segments.iter().take_while(|s| *s == "self" || *s == "super");
        let supers = ups.clone().filter(|segment| *segment == "super").count();
        let mut path = match segments[0].as_str() {
            "crate" => segments[1..].to_vec(),
            "self" | "super" => joined(&module[..module.len() - supers], &segments[ups.count()..]),
            child if self.files.contains_key(&joined(module, &[child.to_owned()])) => joined(module, segments),
            _ => return None,
        };
        path.pop_if(|last| last == "self");
        Some(path)
    }

    /// Follows a path through modules and re-exports.
    fn target(&self, path: &[String]) -> Target {
        let mut module = Module::new();
        for (at, segment) in path.iter().enumerate() {
            let below = joined(&module, std::slice::from_ref(segment));
            let export = self.files[&module].exports.get(segment);
            // A function may have the name of the module that it is in; the module is for what stands behind it.
            let is_module = self.files.contains_key(&below) && (export.is_none() || at + 1 < path.len());
            if is_module {
                module = below;
                continue;
            }
            if let Some(origin) = export {
                return self.target(&joined(origin, &path[at + 1..]));
            }
            let item = Some(segment.clone());
            return Target { module, item };
        }
        Target { module, item: None }
    }

    /// Says whether a path leads to a file that has its item, or to a module.
    pub fn has(&self, path: &str) -> bool {
        let segments: Module = path.split("::").skip(1).map(str::to_owned).collect();
        let Target { module, item } = self.target(&segments);
        let is_there = |item: &String| {
            self.files[&module]
                .mentions
                .iter()
                .any(|m| m.segments == [item.clone()])
        };
        item.is_none_or(|item| is_there(&item))
    }

    /// Lists the imports of one file from another.
    pub fn edges(&self) -> BTreeSet<Edge> {
        let mut edges = BTreeSet::new();
        for (module, file) in &self.files {
            for mention in &file.mentions {
                let Some(Target {
                    module: origin,
                    item: Some(item),
                }) = self.imported(mention, module, file)
                else {
                    continue;
                };
                if origin != *module {
                    edges.insert(Edge {
                        from: file.path.clone(),
                        to: self.files[&origin].path.clone(),
                        item,
                    });
                }
            }
        }
        edges
    }

    fn imported(&self, mention: &Mention, module: &Module, file: &File) -> Option<Target> {
        match mention.place {
            Place::Export => None,
            Place::Use => {
                let mut target = self.target(&self.absolute(&mention.segments, module)?);
                if mention.name == "*" {
                    target.item = Some("*".to_owned());
                }
                Some(target)
            }
            Place::Body if mention.segments.len() < 2 => None,
            Place::Body => {
                if let Some(path) = self.absolute(&mention.segments, module) {
                    return Some(self.target(&path));
                }
                let known = self.target(file.names.get(&mention.segments[0])?);
                // An item that is brought in is an edge already; behind its name stand its own parts.
                let below = || self.target(&joined(&known.module, &mention.segments[1..]));
                known.item.is_none().then(below)
            }
        }
    }
}

fn joined(front: &[String], back: &[String]) -> Module {
    [front, back].concat()
}

/// Returns the files that import each other, however far around, in groups; the largest first.
pub fn circles(edges: &BTreeSet<Edge>) -> Vec<BTreeSet<String>> {
    let mut next: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for edge in edges {
        next.entry(&edge.from).or_default().insert(&edge.to);
    }
    let reach: BTreeMap<&str, BTreeSet<&str>> = next.keys().map(|file| (*file, reachable(file, &next))).collect();
    let mut circles = BTreeSet::new();
    for (file, reached) in reach.iter().filter(|(file, reached)| reached.contains(*file)) {
        let back = |other: &&&str| reach.get(**other).is_some_and(|reached| reached.contains(file));
        let circle: BTreeSet<String> = reached.iter().filter(back).map(|file| (*file).to_owned()).collect();
        circles.insert(circle);
    }
    let mut circles: Vec<BTreeSet<String>> = circles.into_iter().collect();
    circles.sort_by_key(|circle| std::cmp::Reverse(circle.len()));
    circles
}

fn reachable<'f>(file: &str, next: &BTreeMap<&str, BTreeSet<&'f str>>) -> BTreeSet<&'f str> {
    let mut found = BTreeSet::new();
    let mut open: Vec<&str> = vec![file];
    while let Some(file) = open.pop() {
        for other in next.get(file).into_iter().flatten() {
            if found.insert(*other) {
                open.push(other);
            }
        }
    }
    found
}

/// Shows a circle with the imports that close it.
pub fn shown(circle: &BTreeSet<String>, edges: &BTreeSet<Edge>) -> String {
    let mut items: BTreeMap<(&String, &String), Vec<&str>> = BTreeMap::new();
    for edge in edges
        .iter()
        .filter(|edge| circle.contains(&edge.from) && circle.contains(&edge.to))
    {
        items.entry((&edge.from, &edge.to)).or_default().push(&edge.item);
    }
    let lines = items
        .iter()
        .map(|((from, to), items)| format!("\n    {from} -> {to}: {}", items.join(", ")));
    format!("{} files import each other:{}", circle.len(), lines.collect::<String>())
}
