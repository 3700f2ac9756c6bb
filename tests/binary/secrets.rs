//! Nothing that is printed shows a secret.

use super::site::{Site, job};

#[test]
fn no_secret_is_ever_printed() {
    let site = Site::new();
    site.world.submit(job("build", "linux"));
    let mut command = site.command(&["-vv", "run"]);
    command.env("MITA_LOG", "trace");
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("GET http"), "the log shows requests: {text}");
    let token = site
        .world
        .with(|world| world.cloud("openstack").tokens.keys().next().cloned().unwrap());
    for secret in ["11token", "ci-pass", "adminPass", token.as_str(), "Basic "] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    let state = std::fs::read_to_string(site.state_file()).unwrap();
    assert!(!state.contains("11token") && !state.contains(&token));
}

/// What was asked for and cannot be written is no success; a reader that went away is none of our business.
#[test]
fn a_report_that_cannot_be_written_is_a_failure() {
    let mita = env!("CARGO_BIN_EXE_mita");
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = std::process::Command::new(mita)
        .arg("--help")
        .stdout(full)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.starts_with("mita: stdout cannot be written"), "{told}");
}
