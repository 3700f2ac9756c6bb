//! Host keys for servers to which Jenkins connects by SSH: a fresh ed25519 pair, the private half in OpenSSH's own format
//! (its `PROTOCOL.key`), which `sshd` and cloud-init take.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{Ed25519KeyPair, KeyPair as _};

use crate::config::script::HostKeyPair;
use crate::secret::Secret;

/// The name of the kind of key, inside and outside.
const KIND: &[u8] = b"ssh-ed25519";
/// Bytes of the seed that makes a key.
const SEED: usize = 32;
/// A key without a passphrase is padded to whole blocks of so many bytes.
const BLOCK: usize = 8;
/// Characters in a line of a private key, as ssh-keygen writes them.
const LINE: usize = HostKeyPair::SHAPE.1;

/// Makes a key pair from the system's randomness.
pub fn make() -> Result<HostKeyPair, String> {
    let mut seed = [0; SEED];
    getrandom::fill(&mut seed).map_err(|error| format!("no random numbers: {error}"))?;
    of_seed(&seed)
}

fn of_seed(seed: &[u8; SEED]) -> Result<HostKeyPair, String> {
    let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|error| error.to_string())?;
    let public = pair.public_key().as_ref();
    let blob = [text(KIND), text(public)].concat();
    // The two numbers tell after decryption whether the passphrase was right; here there is none.
    let numbers = [0_u8; 8];
    let both = [seed.as_slice(), public].concat();
    let mut inner = [&numbers[..], &text(KIND), &text(public), &text(&both), &text(b"")].concat();
    let padding = (1..).take((BLOCK - inner.len() % BLOCK) % BLOCK);
    inner.extend(padding);
    let none = text(b"none");
    let one = 1_u32.to_be_bytes();
    let outer = [
        b"openssh-key-v1\0",
        &none[..],
        &none,
        &text(b""),
        &one,
        &text(&blob),
        &text(&inner),
    ]
    .concat();
    Ok(HostKeyPair {
        private: Secret::new(armoured(&STANDARD.encode(outer))),
        public: format!("{} {}", String::from_utf8_lossy(KIND), STANDARD.encode(blob)),
    })
}

/// A text of the SSH protocol: its length in four bytes, then itself.
fn text(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    [&length.to_be_bytes(), bytes].concat()
}

fn armoured(body: &str) -> String {
    let mut out = String::from("-----BEGIN OPENSSH PRIVATE KEY-----\n");
    let mut rest = body;
    while !rest.is_empty() {
        let (line, more) = rest.split_at(rest.len().min(LINE));
        out.push_str(line);
        out.push('\n');
        rest = more;
    }
    out.push_str("-----END OPENSSH PRIVATE KEY-----\n");
    out
}

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "a test: it asks ssh-keygen, where that is there"
)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// Seed and public key of the first test of RFC 8032, 7.1.
    const SEED_OF_RFC: &str = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=";
    const PUBLIC_OF_RFC: &str = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

    fn of_rfc() -> HostKeyPair {
        of_seed(&STANDARD.decode(SEED_OF_RFC).unwrap().try_into().unwrap()).unwrap()
    }

    #[test]
    fn a_pair_is_that_of_its_seed_and_no_two_are_alike() {
        let pair = of_rfc();
        let blob = STANDARD
            .decode(pair.public.strip_prefix("ssh-ed25519 ").unwrap())
            .unwrap();
        assert_eq!(&blob[..19], b"\0\0\0\x0bssh-ed25519\0\0\0\x20");
        assert_eq!(STANDARD.encode(&blob[19..]), PUBLIC_OF_RFC);
        assert_ne!(make().unwrap().public, make().unwrap().public);
    }

    #[test]
    fn a_private_key_has_the_shape_that_the_configuration_reckons_with() {
        let private = make().unwrap().private;
        let (lines, length) = HostKeyPair::SHAPE;
        assert_eq!(private.reveal().lines().count(), lines);
        assert!(private.reveal().lines().all(|line| line.len() <= length));
    }

    #[test]
    fn openssh_reads_a_private_key_and_finds_its_public_half() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        for pair in [of_rfc(), make().unwrap()] {
            std::fs::write(&file, pair.private.reveal()).unwrap();
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
            let asked = std::process::Command::new("ssh-keygen").arg("-yf").arg(&file).output();
            // What OpenSSH writes for this seed was compared by hand; the program need not be there.
            let Ok(asked) = asked else { return };
            let told = String::from_utf8(asked.stdout).unwrap();
            assert_eq!(told.trim(), pair.public, "{}", String::from_utf8_lossy(&asked.stderr));
        }
    }
}
