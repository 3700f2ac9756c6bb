//! Which certificate authorities are trusted: those of the machine, those of a file, or Mozilla's list.
//!
//! The machine's store is read when TLS is first spoken, once in a process: a pass over plain http does not pay for it.
//! A certificate that cannot be read is left out; the others count.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use log::debug;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls_native_certs::load_certs_from_paths;

use crate::text::{plural, visible};

/// The variables of OpenSSL that name a store. Where one of them is set, nothing else counts.
const FILE: &str = "SSL_CERT_FILE";
const FOLDERS: &str = "SSL_CERT_DIR";

/// Larger than all public certificate authorities together; a device would never end.
const MAX_FILE: u64 = 64 * 1024 * 1024;

/// The environment.
pub(super) type Env<'e> = &'e dyn Fn(&str) -> Option<OsString>;

/// The store of the machine, once it was needed.
static MACHINE: OnceLock<Store> = OnceLock::new();

/// Certificates that are trusted, and where they come from, in words.
#[derive(Clone, Debug)]
pub(super) struct Store {
    pub roots: Arc<RootCertStore>,
    pub shown: String,
}

impl Store {
    /// Returns the store of the machine.
    pub(super) fn of_machine() -> &'static Self {
        MACHINE.get_or_init(|| {
            let store = Self::load(&Places::named(&|name| std::env::var_os(name)).unwrap_or_else(Places::usual));
            debug!("tls: trusted: {}", store.shown);
            store
        })
    }

    /// Reads the certificates of a file of one's own; there must be one that can be used.
    pub(super) fn of_file(path: &Path) -> Result<Self, String> {
        let pem = fs::read(path).map_err(|cause| cause.to_string())?;
        let certificates: Vec<_> = CertificateDer::pem_slice_iter(&pem).filter_map(Result::ok).collect();
        let mut roots = RootCertStore::empty();
        match (certificates.len(), roots.add_parsable_certificates(certificates).0) {
            (0, _) => Err("holds no PEM certificate".to_owned()),
            (_, 0) => Err("holds no certificate that can be used".to_owned()),
            (_, good) => Ok(Self {
                roots: Arc::new(roots),
                shown: format!("ca_file {} ({})", shown(path), plural(good, "certificate")),
            }),
        }
    }

    /// Returns the certificates of both.
    pub(super) fn with(&self, more: &Self) -> Self {
        let mut roots = RootCertStore::clone(&self.roots);
        roots.extend(more.roots.roots.iter().cloned());
        Self {
            roots: Arc::new(roots),
            shown: format!("{}, and {}", self.shown, more.shown),
        }
    }

    /// Returns the variable that names it, in the place of the machine's own.
    pub(super) fn variable(&self) -> Option<&'static str> {
        [FILE, FOLDERS].into_iter().find(|name| self.shown.starts_with(name))
    }

    /// Reads the certificates of some places. Where none are named and none are found, Mozilla's list counts; places
    /// that somebody named are believed even when there is nothing.
    fn load(places: &Places) -> Self {
        let (roots, faults) = places.read();
        if roots.is_empty() && !places.named {
            return Self {
                roots: Arc::new(webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect()),
                shown: "Mozilla's list, as this machine has no store of its own".to_owned(),
            };
        }
        let what = if places.named { "" } else { "this machine's store " };
        let mut found = plural(roots.len(), "certificate");
        // One is enough to look at; a folder may have hundreds.
        if let Some(fault) = faults.first() {
            found = format!("{found}; {fault}");
        }
        Self {
            roots: Arc::new(roots),
            shown: format!("{what}{} ({found})", places.shown),
        }
    }
}

/// Where certificates are looked for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Places {
    file: Option<PathBuf>,
    folders: Vec<PathBuf>,
    /// Whether a variable names them.
    named: bool,
    shown: String,
}

impl Places {
    /// Returns the places that variables name; an empty one names none.
    fn named(env: Env<'_>) -> Option<Self> {
        let value = |name| env(name).filter(|value| !value.is_empty());
        let file = value(FILE).map(PathBuf::from);
        let folders = value(FOLDERS);
        let named = [(FILE, value(FILE)), (FOLDERS, folders.clone())].into_iter();
        let named: Vec<String> = named
            .filter_map(|(name, value)| Some(format!("{name} {}", shown(Path::new(&value?)))))
            .collect();
        let split = |folders: &OsString| std::env::split_paths(folders).collect::<Vec<_>>();
        let folders = folders.as_ref().map(split).unwrap_or_default();
        (!named.is_empty()).then(|| Self {
            file,
            folders: folders
                .into_iter()
                .filter(|folder| !folder.as_os_str().is_empty())
                .collect(),
            named: true,
            shown: named.join(", "),
        })
    }

    /// Returns the places where systems keep their certificates.
    fn usual() -> Self {
        let openssl_probe::ProbeResult { cert_file, cert_dir } = openssl_probe::probe();
        let all = cert_file.iter().chain(&cert_dir);
        Self {
            shown: all.map(|path| shown(path)).collect::<Vec<_>>().join(", "),
            file: cert_file,
            folders: cert_dir,
            named: false,
        }
    }

    /// Reads them; returns what is wrong with some, too.
    fn read(&self) -> (RootCertStore, Vec<String>) {
        let (mut roots, mut faults) = (RootCertStore::empty(), Vec::new());
        let mut file = self.file.as_deref();
        if let Some(fault) = file.and_then(fault_of) {
            faults.push(fault);
            file = None;
        }
        // The first folder together with the file, so that what it links to is read once.
        let rest = self.folders.iter().skip(1).map(|folder| (None, Some(folder.as_path())));
        for (file, folder) in std::iter::once((file, self.folders.first().map(PathBuf::as_path))).chain(rest) {
            let found = load_certs_from_paths(file, folder);
            faults.extend(found.errors.iter().map(|error| visible(&error.to_string())));
            let count = found.certs.len();
            let (good, bad) = roots.add_parsable_certificates(found.certs);
            if bad > 0 {
                faults.push(format!("{bad} of {count} cannot be used"));
            }
            debug!("tls: {good} certificates of {file:?} and {folder:?}");
        }
        (roots, faults)
    }
}

/// Returns why a file is not read at all.
fn fault_of(file: &Path) -> Option<String> {
    match fs::metadata(file) {
        Err(cause) => Some(cause.to_string()),
        Ok(found) if !found.is_file() => Some("it is no regular file".to_owned()),
        Ok(found) if found.len() > MAX_FILE => Some(format!("it is larger than {MAX_FILE} bytes")),
        Ok(_) => None,
    }
}

fn shown(path: &Path) -> String {
    visible(&path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CA: &str = include_str!("../../tests/fixtures/http/ca.pem");

    fn env_of<'e>(values: &'e [(&'e str, &'e str)]) -> impl Fn(&str) -> Option<OsString> + 'e {
        |name| {
            let found = values.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| value.into())
        }
    }

    fn of_env(values: &[(&str, &str)]) -> Store {
        Store::load(&Places::named(&env_of(values)).unwrap())
    }

    #[test]
    fn variables_name_the_store() {
        let named = |values: &[(&str, &str)]| Places::named(&env_of(values));
        assert_eq!(named(&[]), None);
        assert_eq!(named(&[(FILE, ""), (FOLDERS, "")]), None, "an empty one names nothing");
        let both = named(&[(FILE, "/a.pem"), (FOLDERS, "/b::/c")]).unwrap();
        assert_eq!(both.file.as_deref(), Some(Path::new("/a.pem")));
        assert_eq!(both.folders, [Path::new("/b"), Path::new("/c")]);
        assert_eq!(both.shown, "SSL_CERT_FILE /a.pem, SSL_CERT_DIR /b::/c");
    }

    #[test]
    fn a_damaged_certificate_leaves_the_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let (begin, end) = ("-----BEGIN CERTIFICATE-----\n", "-----END CERTIFICATE-----\n");
        let text = format!("{begin}!!!\n{end}{begin}AAAA\n{end}# a comment\n{CA}{begin}AAA");
        fs::write(path("mixed.pem"), text).unwrap();
        let file = path("mixed.pem").to_str().unwrap().to_owned();
        let store = of_env(&[(FILE, &file)]);
        assert_eq!(store.roots.len(), 1, "{}", store.shown);
        assert!(
            store
                .shown
                .starts_with(&format!("SSL_CERT_FILE {file} (1 certificate; ")),
            "{}",
            store.shown
        );
        assert_eq!(Store::of_file(&path("mixed.pem")).unwrap().roots.len(), 1);

        fs::write(path("good.0"), CA).unwrap();
        std::os::unix::fs::symlink("nowhere", path("dangling.0")).unwrap();
        fs::create_dir(path("folder.0")).unwrap();
        let store = of_env(&[(FOLDERS, folder.path().to_str().unwrap())]);
        assert!(!store.roots.is_empty(), "{}", store.shown);
    }

    #[test]
    fn what_a_variable_names_is_believed() {
        for (file, fault) in [
            ("/nonexistent/ca.pem", "No such file"),
            ("/dev/zero", "it is no regular file"),
            ("/", "it is no regular file"),
        ] {
            let store = of_env(&[(FILE, file)]);
            assert!(store.roots.is_empty());
            assert!(
                store
                    .shown
                    .starts_with(&format!("SSL_CERT_FILE {file} (no certificate; {fault}")),
                "{}",
                store.shown
            );
        }
        let folder = tempfile::tempdir().unwrap();
        let nothing = folder.path().join("nothing");
        let store = of_env(&[(FOLDERS, nothing.to_str().unwrap())]);
        assert!(
            store.roots.is_empty() && store.shown.contains("No such file"),
            "{}",
            store.shown
        );
    }

    #[test]
    fn mozillas_list_counts_where_the_machine_has_none() {
        let store = Store::load(&Places::default());
        assert!(store.roots.len() > 100);
        assert!(store.shown.starts_with("Mozilla's list"), "{}", store.shown);
    }

    #[test]
    fn a_file_of_ones_own_is_beside_the_store() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        fs::write(&path, CA).unwrap();
        let both = Store::load(&Places::default()).with(&Store::of_file(&path).unwrap());
        assert!(both.roots.len() > 100);
        let end = format!(", and ca_file {} (1 certificate)", path.display());
        assert!(both.shown.ends_with(&end), "{}", both.shown);
        for text in ["", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            fs::write(&path, text).unwrap();
            assert!(Store::of_file(&path).is_err(), "{text:?}");
        }
    }
}
