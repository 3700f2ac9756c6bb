//! Passwords and tokens: in files of their own when that is asked for, and in no note.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::{Move, NODE, with_nodes};

fn site() -> Move {
    let text = with_nodes(&format!("nodes = {{'a': {NODE}}}"));
    Move::text(
        &text
            .replace("'p'", "'pass-phrase'")
            .replace("'token': 't'", "'token': 'tok-en'"),
    )
}

#[test]
fn secrets_go_into_files_that_nobody_else_reads() {
    let site = site();
    let done = site.migrate(&["--secrets-to", "keys"]).good();
    assert!(
        !done.out.contains("pass-phrase") && !done.out.contains("tok-en"),
        "{}",
        done.out
    );
    for (name, secret) in [("openstack.password", "pass-phrase\n"), ("jenkins.token", "tok-en\n")] {
        let path = site.path("keys").join(name);
        assert_eq!(fs::read_to_string(&path).unwrap(), secret);
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600,
            "{name}"
        );
    }
    let config = site.config();
    let file = config["provider"]["openstack"]["password_file"].as_str().unwrap();
    assert!(file.ends_with("keys/openstack.password"), "{file}");

    let again = site.migrate(&["--secrets-to", "keys"]);
    assert_eq!(again.code, 2, "a file that is there is never written over");
    assert_eq!(again.out, "");
    assert!(again.err.contains("keys/openstack.password"), "{}", again.err);
}

#[test]
fn otherwise_they_stay_where_they_were_and_a_note_says_so() {
    let site = site();
    let done = site.migrate(&[]).good();
    assert!(done.out.contains("password: pass-phrase") && done.out.contains("token: tok-en"));
    for path in ["provider.openstack.password: ", "jenkins.token: "] {
        let line = done.err.lines().find(|line| line.contains(path)).unwrap();
        assert!(line.contains("0600") && line.contains("--secrets-to"), "{line}");
    }
    assert!(
        !done.err.contains("pass-phrase") && !done.err.contains("tok-en"),
        "{}",
        done.err
    );
}
