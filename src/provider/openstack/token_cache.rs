//! A token that outlives the pass (`token_cache`): one request less each time, and passes go on while Keystone is down.
//!
//! A token is as good as the password for as long as it lives, and the file may end up in a backup. So what is kept is
//! sealed by a key that is derived from the password: the file is useless without the configuration; who can write the
//! file cannot put a catalog of his own into it; and after a change of the password, the user, the project or the
//! address it does not open and counts as absent. Nothing of the password itself is stored, nor a quick hash of it: the
//! key is derived slowly and with a salt of its own for each file, so that trying passwords on it is no faster than
//! trying them on a good password file.
//!
//! If anything is wrong with the file, the pass logs in as if it were absent.

use std::fs;
use std::io::Read as _;
use std::num::NonZeroU32;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use log::{debug, warn};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::pbkdf2::{self, PBKDF2_HMAC_SHA256};
use serde::{Deserialize, Serialize};

use super::auth::{self, Login};
use super::catalog::Endpoint;
use crate::disk;
use crate::provider::openstack::endpoint::{OpenStackEndpoint, TokenCache};
use crate::secret::Secret;

/// The format of the file.
const VERSION: u32 = 1;
/// A token that ends sooner is not begun with: a pass may take minutes (keystoneauth's margin, too).
const MARGIN: SignedDuration = SignedDuration::from_secs(120);
/// A catalog of a hundred regions is no larger.
const MAX_FILE: u64 = 8 << 20;
/// Some 20 ms, once a pass; tests make many.
const ROUNDS: NonZeroU32 = NonZeroU32::MIN.saturating_add(if cfg!(test) { 99 } else { 99_999 });
/// Bytes of salt.
const SALT: usize = 16;

/// The file and whether it was asked already.
pub(super) struct TokenFile {
    cache: TokenCache,
    asked: bool,
}

/// The file.
#[derive(Serialize, Deserialize)]
struct Sealed {
    version: u32,
    salt: String,
    content: String,
}

#[derive(Serialize, Deserialize)]
struct Inside {
    token: String,
    project: Option<String>,
    catalog: Vec<Endpoint>,
    expires: Timestamp,
    /// How far the cloud's clock is ahead of ours, in seconds: validity is a matter of the cloud's clock.
    ahead: i64,
}

impl TokenFile {
    pub(super) fn new(cache: TokenCache) -> Self {
        Self { cache, asked: false }
    }

    /// Returns the saved login, if it is valid for a while. The second call returns none: the first login was refused.
    pub(super) fn take(&mut self, endpoint: &OpenStackEndpoint) -> Option<Login> {
        if std::mem::replace(&mut self.asked, true) {
            return None;
        }
        let shown = self.cache.path.display();
        match read(&self.cache.path, endpoint, Timestamp::now()) {
            Ok(login) => {
                debug!("openstack: the token of a pass before is taken from {shown}");
                Some(login)
            }
            Err(why) => {
                debug!("openstack: no token is taken from {shown}: {why}");
                None
            }
        }
    }

    /// Saves a login for the next pass. A failure is logged, and does not end this pass.
    pub(super) fn keep(&self, endpoint: &OpenStackEndpoint, login: &Login) {
        if !self.cache.writes {
            return;
        }
        let path = &self.cache.path;
        let shown = path.display();
        match seal(endpoint, login, Timestamp::now()) {
            Err(why) => debug!("openstack: the token is not kept in {shown}: {why}"),
            Ok(bytes) => {
                if let Err(cause) = disk::write_whole(path, &bytes) {
                    warn!(
                        "openstack: cannot keep the token in {shown} (token_cache): {cause}; check path and permissions"
                    );
                }
            }
        }
    }
}

fn read(path: &Path, endpoint: &OpenStackEndpoint, now: Timestamp) -> Result<Login, String> {
    let metadata = fs::symlink_metadata(path).map_err(|cause| cause.to_string())?;
    if !metadata.is_file() || metadata.mode() & 0o077 != 0 {
        return Err("it is no file of mode 0600".to_owned());
    }
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(|cause| cause.to_string())?;
    file.take(MAX_FILE)
        .read_to_end(&mut bytes)
        .map_err(|cause| cause.to_string())?;
    open(&bytes, endpoint, now)
}

pub(super) fn open(bytes: &[u8], endpoint: &OpenStackEndpoint, now: Timestamp) -> Result<Login, String> {
    let unreadable = || "it is damaged".to_owned();
    let outside: Sealed = serde_json::from_slice(bytes).map_err(|_| unreadable())?;
    if outside.version != VERSION {
        return Err(format!("format {} is not known", outside.version));
    }
    let salt = STANDARD.decode(&outside.salt).map_err(|_| unreadable())?;
    let mut sealed = STANDARD.decode(&outside.content).map_err(|_| unreadable())?;
    let inside = key(endpoint, &salt)
        .and_then(|key| {
            let nonce = Nonce::assume_unique_for_key([0; NONCE_LEN]);
            key.open_in_place(nonce, identity(endpoint), &mut sealed).ok()
        })
        .ok_or("it was kept for another login, or it is damaged")?;
    let inside: Inside = serde_json::from_slice(inside).map_err(|_| unreadable())?;
    let cloud_now = now
        .checked_add(SignedDuration::from_secs(inside.ahead))
        .map_err(|_| unreadable())?;
    if inside.expires.duration_since(cloud_now) <= MARGIN {
        return Err(format!("it ends at {}", inside.expires));
    }
    Ok(Login {
        token: Secret::new(inside.token),
        project: inside.project,
        catalog: inside.catalog,
        expires: Some(inside.expires),
        at: None,
    })
}

pub(super) fn seal(endpoint: &OpenStackEndpoint, login: &Login, now: Timestamp) -> Result<Vec<u8>, &'static str> {
    let expires = login.expires.ok_or("Keystone does not say until when it is good")?;
    let inside = Inside {
        token: login.token.reveal().to_owned(),
        project: login.project.clone(),
        catalog: login.catalog.clone(),
        expires,
        ahead: login.at.map_or(0, |at| at.duration_since(now).as_secs()),
    };
    let mut salt = [0; SALT];
    getrandom::fill(&mut salt).map_err(|_| "the system has no random numbers")?;
    let key = key(endpoint, &salt).ok_or("no key can be made")?;
    let mut sealed = serde_json::to_vec(&inside).map_err(|_| "it cannot be written as JSON")?;
    // The salt makes each key a new one, so that no nonce is used twice with it.
    let nonce = Nonce::assume_unique_for_key([0; NONCE_LEN]);
    key.seal_in_place_append_tag(nonce, identity(endpoint), &mut sealed)
        .map_err(|_| "it cannot be sealed")?;
    let outside = Sealed {
        version: VERSION,
        salt: STANDARD.encode(salt),
        content: STANDARD.encode(sealed),
    };
    serde_json::to_vec(&outside).map_err(|_| "it cannot be written as JSON")
}

/// Derives the key of a salt. There is none for an empty secret: everybody could derive it.
fn key(endpoint: &OpenStackEndpoint, salt: &[u8]) -> Option<LessSafeKey> {
    let secret = endpoint.auth.secret().reveal();
    if secret.is_empty() || salt.len() != SALT {
        return None;
    }
    let mut bytes = [0; 32];
    pbkdf2::derive(PBKDF2_HMAC_SHA256, ROUNDS, salt, secret.as_bytes(), &mut bytes);
    UnboundKey::new(&AES_256_GCM, &bytes).ok().map(LessSafeKey::new)
}

/// Address, user, project and domains, as authenticated data: the file opens for no others.
fn identity(endpoint: &OpenStackEndpoint) -> Aad<String> {
    Aad::from(auth::identity(endpoint))
}
