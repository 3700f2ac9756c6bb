//! Writing a file whole or not at all, for its owner or for everybody. Its content is the caller's.
//!
//! What is no regular file is left alone: a link would lead the content to another file, or be replaced by it, and a
//! device or a pipe (`/dev/stdout`) would be gone for everybody.

#![expect(clippy::disallowed_methods, reason = "an edge: writes files")]

use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io::{Error, ErrorKind, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// Returns what is there instead of a regular file, if so; `found` is of the file itself, not of what a link leads to.
pub fn no_file(found: &Metadata) -> Option<&'static str> {
    let kind = found.file_type();
    match () {
        () if kind.is_symlink() => Some("it is a symbolic link; remove it, or name the file that it leads to"),
        () if kind.is_dir() => Some("it is a folder; name a file"),
        () if !kind.is_file() => Some("it is no regular file; name another one"),
        () => None,
    }
}

/// Returns the file that lies beside another one: its name with an end behind it.
pub fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

/// Who may read a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readers {
    /// Its owner alone.
    Owner,
    /// Everybody, whatever the umask says.
    Everybody,
}

/// Writes a file that only its owner reads; see [`write_for`].
pub fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    write_for(Readers::Owner, path, bytes)
}

/// Writes beside, syncs, renames and syncs the folder: a crash leaves the old file or the new one.
pub fn write_for(readers: Readers, path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(instead) = fs::symlink_metadata(path).ok().as_ref().and_then(no_file) {
        return Err(Error::other(instead));
    }
    let beside = beside(path, ".new");
    // What is left of a pass that was killed, or somebody else's in a shared folder.
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            let text = format!("{} is in the way: {error}", beside.display());
            return Err(Error::new(error.kind(), text));
        }
        _ => {}
    }
    // The mode is given at creation: a chmod afterwards would leave a moment in which others can open it.
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&beside)?;
    file.write_all(bytes)?;
    if readers == Readers::Everybody {
        file.set_permissions(Permissions::from_mode(0o644))?;
    }
    file.sync_all()?;
    fs::rename(&beside, path)?;
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn what_is_no_file_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let other = path("other");
        fs::write(&other, "mine").unwrap();
        symlink(&other, path("link")).unwrap();
        symlink(path("nothing"), path("dangling")).unwrap();
        fs::create_dir(path("folder")).unwrap();
        rustix::fs::mkfifoat(
            rustix::fs::CWD,
            path("pipe"),
            rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        )
        .unwrap();
        for (name, instead) in [
            ("link", "it is a symbolic link; "),
            ("dangling", "it is a symbolic link; "),
            ("folder", "it is a folder; "),
            ("pipe", "it is no regular file; "),
        ] {
            let error = write_whole(&path(name), b"new").unwrap_err().to_string();
            assert!(error.starts_with(instead), "{name}: {error}");
        }
        let error = write_whole(Path::new("/dev/null"), b"new").unwrap_err().to_string();
        assert!(error.starts_with("it is no regular file"), "{error}");
        assert_eq!(fs::read_to_string(&other).unwrap(), "mine");
        assert!(fs::symlink_metadata(path("link")).unwrap().is_symlink() && !path("nothing").exists());
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            5,
            "nothing is left beside"
        );
    }

    #[test]
    fn what_lies_beside_is_replaced_and_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("other"), "mine").unwrap();
        // The file itself has another name, and so has what lies beside.
        fs::write(path("state"), "old").unwrap();
        fs::hard_link(path("state"), path("copy")).unwrap();
        symlink(path("other"), path("state.new")).unwrap();
        write_whole(&path("state"), b"new").unwrap();
        fs::hard_link(path("other"), path("state.new")).unwrap();
        write_whole(&path("state"), b"newer").unwrap();
        let read = |name: &str| fs::read_to_string(path(name)).unwrap();
        assert_eq!([read("state"), read("copy"), read("other")], ["newer", "old", "mine"]);
        assert_eq!(fs::metadata(path("state")).unwrap().permissions().mode() & 0o777, 0o600);
        fs::create_dir(path("state.new")).unwrap();
        let error = write_whole(&path("state"), b"x").unwrap_err().to_string();
        assert!(error.contains("state.new is in the way: "), "{error}");
        assert_eq!(read("state"), "newer");
    }
}
