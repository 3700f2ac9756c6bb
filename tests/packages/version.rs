//! `--version`, and the build script that finds the commit.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::build::{Commit, commit, shown, watched};

/// Runs git as somebody whom no configuration of this machine reaches; the commits are of one fixed minute.
fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args([
            "-c",
            "user.name=Ann",
            "-c",
            "user.email=ann@example.com",
            "-c",
            "commit.gpgsign=false",
        ])
        .args(arguments)
        .env_remove("GIT_DIR")
        .env_remove("GIT_WORK_TREE")
        .env_remove("GIT_INDEX_FILE")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .env("GIT_AUTHOR_DATE", "2026-11-29T23:30:00-0200")
        .env("GIT_COMMITTER_DATE", "2026-11-29T23:30:00-0200")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Makes a repository with one commit and returns the first digits of its hash.
fn repository(folder: &Path) -> String {
    git(folder, &["init", "--quiet", "--initial-branch=main"]);
    add_commit(folder)
}

fn add_commit(folder: &Path) -> String {
    git(folder, &["commit", "--quiet", "--allow-empty", "--message=change"]);
    git(folder, &["rev-parse", "HEAD"])[..7].to_owned()
}

fn of(hash: &str, day: Option<&str>) -> Commit {
    Commit {
        hash: hash.to_owned(),
        day: day.map(str::to_owned),
    }
}

#[test]
fn a_checkout_is_its_commit_and_the_day_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let hash = repository(folder.path());
    assert_eq!(commit(folder.path()), Some(of(&hash, Some("2026-11-29"))));
    // What is changed or new in the folder is no part of the answer.
    fs::write(folder.path().join("new.txt"), "new").unwrap();
    assert_eq!(commit(folder.path()), Some(of(&hash, Some("2026-11-29"))));
}

#[test]
fn a_source_archive_has_no_commit_even_in_the_repository_of_somebody() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(commit(folder.path()), None);
    repository(folder.path());
    let inside = folder.path().join("mita-0.1.0");
    fs::create_dir(&inside).unwrap();
    assert_eq!(commit(&inside), None);
    fs::write(inside.join(".git"), "gitdir: /nowhere\n").unwrap();
    assert_eq!(commit(&inside), None);
}

#[test]
fn a_package_of_cargo_names_its_commit() {
    let folder = tempfile::tempdir().unwrap();
    let info = folder.path().join(".cargo_vcs_info.json");
    let hash = "d8a5f83ab7f1c4d5e6f708192a3b4c5d6e7f8091";
    fs::write(
        &info,
        format!("{{\n  \"git\": {{\n    \"sha1\": \"{hash}\"\n  }},\n  \"path_in_vcs\": \"\"\n}}"),
    )
    .unwrap();
    assert_eq!(commit(folder.path()), Some(of("d8a5f83", None)));
    for odd in [
        "",
        "{}",
        "{\"git\":{\"sha1\":\"abc\"}}",
        "{\"git\":{\"sha1\":\"not-a-hash\"}}",
        "\"sha1\"",
    ] {
        fs::write(&info, odd).unwrap();
        assert_eq!(commit(folder.path()), None, "{odd}");
    }
}

#[test]
fn each_move_of_head_changes_a_file_that_cargo_watches() {
    let folder = tempfile::tempdir().unwrap();
    repository(folder.path());
    let state = || -> Vec<String> {
        let files = watched(folder.path())
            .into_iter()
            .filter(|path| !path.ends_with("src/build.rs"));
        files.map(|path| fs::read_to_string(path).unwrap()).collect()
    };
    let moves: &[&[&str]] = &[
        &["commit", "--quiet", "--allow-empty", "--message=next"],
        &["checkout", "--quiet", "-b", "other"],
        &["reset", "--quiet", "--hard", "HEAD~1"],
        &["checkout", "--quiet", "--detach", "main"],
        &["commit", "--quiet", "--allow-empty", "--message=detached"],
    ];
    for step in moves {
        let before = state();
        assert!(!before.is_empty());
        git(folder.path(), step);
        assert_ne!(state(), before, "{step:?}");
    }
    // Each is there: a missing one makes every build a new one.
    git(folder.path(), &["pack-refs", "--all"]);
    state();
}

#[test]
fn a_worktree_watches_its_own_head() {
    let folder = tempfile::tempdir().unwrap();
    let (main, side) = (folder.path().join("main"), folder.path().join("side"));
    fs::create_dir(&main).unwrap();
    let first = repository(&main);
    git(&main, &["worktree", "add", "--quiet", side.to_str().unwrap()]);
    let second = add_commit(&side);
    assert_eq!(commit(&side), Some(of(&second, Some("2026-11-29"))));
    assert_eq!(commit(&main), Some(of(&first, Some("2026-11-29"))));
    let head = fs::canonicalize(main.join(".git/worktrees/side/HEAD")).unwrap();
    let files = watched(&side);
    assert!(
        files
            .iter()
            .any(|path| fs::canonicalize(path).is_ok_and(|path| path == head)),
        "{files:?}"
    );
}

#[test]
fn what_is_not_known_is_left_out() {
    assert_eq!(
        shown(Some(&of("abc1234", Some("2026-11-30")))),
        " (abc1234, 2026-11-30)"
    );
    assert_eq!(shown(Some(&of("abc1234", None))), " (abc1234)");
    assert_eq!(shown(None), "");
}

#[test]
fn the_program_says_from_which_commit_it_is() {
    let output = Command::new(env!("CARGO_BIN_EXE_mita"))
        .arg("--version")
        .output()
        .unwrap();
    let built_from = shown(commit(Path::new(env!("CARGO_MANIFEST_DIR"))).as_ref());
    let wanted = format!("mita {}{built_from}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(String::from_utf8_lossy(&output.stdout), wanted);
}
