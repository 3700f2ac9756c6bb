//! TLS settings and endpoints of an entry. Pure.

use std::path::Path;

use crate::settings::transport::{CA_FILE, VERIFY};
use crate::settings::yaml::{Style, Value};

use super::super::keys::{COMPUTE_URL, IMAGE_URL, NETWORK_URL, VOLUME_URL};
use super::files::CloudFiles;
use super::layers::Located;
use super::maker::Maker;

impl Maker<'_, '_> {
    /// Takes verifying and the CA.
    pub fn transport(&mut self) {
        let insecure = self.layers.top(&["insecure"]);
        let insecure = insecure.filter(|located| located.text().and_then(flag) == Some(true));
        let verify = self.layers.top(&["verify"]);
        let (located, verifies) = match (insecure, verify) {
            (Some(located), _) => (Some(located), Some(false)),
            (None, Some(located)) => {
                let value = located.text().and_then(flag);
                if value.is_none() {
                    self.report.error(
                        &located.place(),
                        "must be true or false; a file of certificates is named by cacert",
                    );
                }
                (Some(located), value)
            }
            (None, None) => (None, None),
        };
        // A provider that names its CA wants to verify.
        if let (Some(located), Some(false)) = (&located, verifies)
            && !self.has_any(&[&VERIFY, &CA_FILE])
        {
            self.add(&VERIFY, located, Value::Scalar("false".to_owned(), Style::Quoted));
        }
        let unverified = self
            .own
            .iter()
            .chain(&self.keys)
            .any(|e| e.is(&VERIFY) && matches!(e.value.value, Value::Flag(false)));
        if unverified || self.has(&CA_FILE) {
            return;
        }
        if let Some(located) = self.layers.top(&["cacert"])
            && let Some(text) = located.text().filter(|text| !text.is_empty())
        {
            let folder = self.folder(&located);
            let path = match folder {
                Some(folder) if !text.starts_with(['~', '$']) => folder.join(text).display().to_string(),
                _ => text.to_owned(),
            };
            self.add(&CA_FILE, &located, Value::Scalar(path, Style::Quoted));
        }
    }

    /// Returns what a path in the file of a value is relative to.
    fn folder(&self, located: &Located<'_>) -> Option<&Path> {
        let number = located.entry.at.file;
        let mut files = self.found.into_iter().flat_map(CloudFiles::files);
        files
            .find(|file| file.number == number)
            .map(|file| file.folder.as_path())
    }

    /// Takes the endpoints that replace those of the catalog.
    pub fn endpoints(&mut self) {
        self.top(&COMPUTE_URL, &["compute_endpoint_override", "compute_endpoint"]);
        self.top(&IMAGE_URL, &["image_endpoint_override", "image_endpoint"]);
        self.top(&NETWORK_URL, &["network_endpoint_override", "network_endpoint"]);
        let volume = [
            "block_storage_endpoint_override",
            "volumev3_endpoint_override",
            "volume_endpoint_override",
            "block_store_endpoint_override",
            "volumev3_endpoint",
            "volume_endpoint",
        ];
        self.top(&VOLUME_URL, &volume);
    }
}

/// Reads yes or no, as an environment variable writes it, too.
fn flag(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Some(true),
        "false" | "no" | "off" | "0" | "" => Some(false),
        _ => None,
    }
}
