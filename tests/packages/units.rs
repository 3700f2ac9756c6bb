//! The systemd units and the other files of a deployment on one machine, by the tools that read them.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::tool::{accepted, source, tool};

const UNITS: &str = "examples/deploy/systemd";

/// What `systemd-analyze security` may say of a pass, in tenths.
const MAX_EXPOSURE: u32 = 15;

/// Copies the units into a folder, with the program that the tests are of, and returns their names.
fn units(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(source(UNITS)).unwrap().map(|entry| entry.unwrap().path());
    let mut names = Vec::new();
    for file in files.filter(|file| file.is_file()) {
        let text = fs::read_to_string(&file).unwrap();
        let name = file.file_name().unwrap().to_str().unwrap();
        // Only an instance of a template can be looked at.
        let name = name.replace("@.", "@mita.service.");
        fs::write(
            folder.join(&name),
            text.replace(
                "ExecStart=mita ",
                concat!("ExecStart=", env!("CARGO_BIN_EXE_mita"), " "),
            ),
        )
        .unwrap();
        names.push(name);
    }
    names.sort();
    assert_eq!(
        names,
        ["mita-failed@mita.service.service", "mita.service", "mita.timer"]
    );
    names
}

#[test]
fn systemd_finds_nothing_wrong_with_the_units() {
    let Some(mut analyze) = tool("systemd-analyze") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let names = units(folder.path());
    accepted(
        analyze
            .args(["verify", "--man=no", "--recursive-errors=yes"])
            .args(names.iter().map(|name| folder.path().join(name)))
            .env("SYSTEMD_UNIT_PATH", format!("{}:", folder.path().display())),
    );
}

#[test]
fn a_pass_is_well_confined() {
    let Some(mut analyze) = tool("systemd-analyze") else {
        return;
    };
    let out = accepted(
        analyze
            .args(["security", "--no-pager", "--offline=true"])
            .arg(source(UNITS).join("mita.service"))
            .env("SYSTEMD_COLORS", "0"),
    );
    let line = out.lines().last().unwrap();
    let figure = line
        .split("mita.service:")
        .nth(1)
        .and_then(|rest| rest.split_whitespace().next());
    let figure = figure.unwrap_or_else(|| panic!("{line}")).replace('.', "");
    assert!(figure.parse::<u32>().unwrap() <= MAX_EXPOSURE, "{out}");
}

#[test]
fn the_timer_goes_off_every_quarter_of_a_minute() {
    let Some(mut analyze) = tool("systemd-analyze") else {
        return;
    };
    let text = fs::read_to_string(source(UNITS).join("mita.timer")).unwrap();
    let calendar = text.lines().find_map(|line| line.strip_prefix("OnCalendar=")).unwrap();
    let out = accepted(
        analyze
            .args([
                "calendar",
                "--iterations=4",
                "--base-time=2026-11-30 12:00:01 UTC",
                calendar,
            ])
            .env("TZ", "UTC"),
    );
    for second in ["12:00:15", "12:00:30", "12:00:45", "12:01:00"] {
        assert!(out.contains(second), "{second}\n{out}");
    }
}

#[test]
fn the_user_and_the_folders_are_made() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("etc")).unwrap();
    let argument = format!("--root={}", root.path().display());
    if let Some(mut sysusers) = tool("systemd-sysusers") {
        // What it made it says on stderr.
        let output = sysusers
            .arg(&argument)
            .arg(source(UNITS).join("sysusers.d/mita.conf"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let users = fs::read_to_string(root.path().join("etc/passwd")).unwrap();
        let user = users.lines().find(|line| line.starts_with("mita:")).unwrap();
        assert!(user.ends_with(":/var/lib/mita:/usr/sbin/nologin"), "{user}");
    }
    let folders = fs::read_to_string(source(UNITS).join("tmpfiles.d/mita.conf")).unwrap();
    let rows: Vec<Vec<&str>> = folders
        .lines()
        .filter(|line| line.starts_with("d "))
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(
        rows,
        [
            ["d", "/etc/mita", "0750", "root", "mita", "-"],
            ["d", "/var/lib/mita", "0700", "mita", "mita", "-"]
        ]
    );
}

/// Returns what `id` prints: the name of who runs this, or of their group.
fn id(what: &str) -> String {
    accepted(Command::new("id").arg(what)).trim().to_owned()
}

#[test]
fn logrotate_takes_its_file() {
    let Some(mut logrotate) = tool("logrotate") else { return };
    let folder = tempfile::tempdir().unwrap();
    let (file, logs) = (folder.path().join("mita"), folder.path().join("logs"));
    fs::create_dir(&logs).unwrap();
    let text = fs::read_to_string(source("examples/deploy/logrotate")).unwrap();
    // The user is on no machine of a developer's.
    let text = text
        .replace("su mita mita", &format!("su {} {}", id("-un"), id("-gn")))
        .replace("/var/log/mita", logs.to_str().unwrap())
        .replace("/var/lib/mita", logs.to_str().unwrap());
    fs::write(&file, text).unwrap();
    for name in ["mita.log", "journal.jsonl"] {
        fs::write(logs.join(name), "a line\n").unwrap();
    }
    let output = logrotate.args(["--debug", "--force"]).arg(&file).output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !err.contains("error:"), "{err}");
    for name in ["mita.log", "journal.jsonl"] {
        assert!(
            err.contains(&format!("renaming {} to ", logs.join(name).display())),
            "{name}\n{err}"
        );
    }
}
