//! Secrets: where they come from, and that no message shows them.

use mita::config::{self, Loaded};
use mita::endpoint::JenkinsCredential;
use mita::provider::openstack::endpoint::KeystoneAuth;

use super::site::{JENKINS, NODE, PROVIDER, SEED, file, jenkins, keystone, load, no_env, node, refused, write_private};

#[test]
fn secrets_come_from_files_and_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mita.yaml");
    write_private(&folder.path().join("token"), b"tok en\r\n");
    write_private(&folder.path().join("empty"), b"\n");
    let token = |line: &str| file("username: u\ntenant_name: t", &format!("user: u\n{line}"), NODE, "");
    let env = |name: &str| match name {
        "MITA_OPENSTACK_PASSWORD" => Some("from-env".to_owned()),
        name => no_env(name),
    };
    write_private(&path, token("token_file: token").as_bytes());
    let Loaded { config, warnings, .. } = config::load(&path, &env).unwrap();
    assert_eq!(warnings, []);
    assert!(matches!(&config.jenkins.credential, JenkinsCredential::Token(t) if t.reveal() == "tok en"));
    assert!(matches!(keystone(&config), KeystoneAuth::V3Password { password, .. } if password.reveal() == "from-env"));
    for (line, wanted) in [
        ("token_file: empty", "jenkins.token_file: is empty in the file /"),
        ("token_file: empty", "/empty; put the secret there"),
        ("token_file: nope", "No such file or directory"),
        (
            "token: t\npassword: p",
            "jenkins.password: token is given, too; keep one of the two",
        ),
        (
            "token: \"a\\nb\"",
            "holds a line break or another control character; write it as one line",
        ),
        ("token:", "jenkins.token: is empty; a value that begins with #"),
    ] {
        write_private(&path, token(line).as_bytes());
        let error = config::load(&path, &env).unwrap_err().to_string();
        assert!(error.contains(wanted), "{error}");
    }
    let both = |name: &str| {
        name.starts_with("MITA_")
            .then(|| "s3cret".to_owned())
            .or_else(|| no_env(name))
    };
    write_private(&path, token("").as_bytes());
    let error = config::load(&path, &both).unwrap_err().to_string();
    assert!(
        error.contains("both MITA_JENKINS_TOKEN and MITA_JENKINS_PASSWORD are set"),
        "{error}"
    );
}

#[test]
fn the_login_of_a_proxy_is_in_its_url_or_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mita.yaml");
    write_private(&folder.path().join("proxy.password"), b"from file\n");
    let login = |lines: &str| {
        write_private(&path, jenkins(lines).as_bytes());
        let config = config::load(&path, &no_env).map_err(|error| error.to_string())?.config;
        let proxy = config.jenkins.transport.proxy.unwrap();
        assert_eq!(proxy.url, "http://h:3128");
        let shown = format!("{:?}", proxy.login);
        assert!(!shown.contains("from"), "{shown}");
        Ok(proxy.login.map(|(user, password)| (user, password.reveal().to_owned())))
    };
    let pair = |user: &str, password: &str| Ok::<_, String>(Some((user.to_owned(), password.to_owned())));
    assert_eq!(login("proxy: http://h:3128/"), Ok(None));
    assert_eq!(login("proxy: http://u:from%20url@h:3128"), pair("u", "from url"));
    assert_eq!(login("proxy: http://u@h:3128"), pair("u", ""));
    let file = "proxy_password_file: proxy.password";
    assert_eq!(
        login(&format!("proxy: http://u@h:3128\n{file}")),
        pair("u", "from file")
    );
    for (lines, wanted) in [
        (file.to_owned(), "needs proxy; "),
        (
            format!("proxy: http://h:3128\n{file}"),
            "must be the password of the user in proxy, ",
        ),
        (
            format!("proxy: http://u:p@h:3128\n{file}"),
            "proxy has a password, too; keep one of the two",
        ),
        (
            "proxy: http://u@h:3128\nproxy_password_file: gone".to_owned(),
            "cannot use ",
        ),
    ] {
        let error = login(&lines).unwrap_err();
        assert!(
            error.contains(&format!("jenkins.proxy_password_file: {wanted}")),
            "{error}"
        );
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}

/// A configuration that others can read is said to hold a secret when a proxy's password is the only one in it.
#[cfg(unix)]
#[test]
fn a_password_in_the_url_of_a_proxy_is_a_secret_of_the_file() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mita.yaml");
    write_private(&folder.path().join("secret"), b"s3cret\n");
    let secrets_elsewhere = |proxy: &str| {
        file(
            "username: u\ntenant_name: t\npassword_file: secret",
            &format!("user: u\ntoken_file: secret\nproxy: {proxy}"),
            NODE,
            "",
        )
    };
    for (proxy, hint) in [("http://u:p@h", true), ("http://u@h", false), ("http://h", false)] {
        write_private(&path, secrets_elsewhere(proxy).as_bytes());
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let warnings = config::load(&path, &no_env).unwrap().warnings;
        let found = warnings.iter().any(|warning| warning.text.contains("holds a secret"));
        assert_eq!(found, hint, "{proxy}: {warnings:?}");
    }
}

#[cfg(unix)]
#[test]
fn what_is_around_a_secret_in_its_file_is_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let loaded = |bytes: &[u8]| {
        write_private(&folder.path().join("token"), bytes);
        let file = folder.path().join("mita.yaml");
        let text = file_with_token_file();
        write_private(&file, text.as_bytes());
        config::load(&file, &no_env).map(|loaded| match loaded.config.jenkins.credential {
            JenkinsCredential::Token(token) | JenkinsCredential::Password(token) => token.reveal().to_owned(),
        })
    };
    for around in [
        "T",
        "T\n",
        "T\r\n",
        "T\n\n",
        " T ",
        "\tT\t\r\n",
        "\nT",
        "\u{feff}T\n",
        "\u{feff} T",
        "T\u{a0}",
        "\u{2028}T",
        "\u{feff}\u{feff}T",
    ] {
        for token in ["s3cr t", "11d9c2…ü"] {
            let text = around.replace('T', token);
            assert_eq!(loaded(text.as_bytes()).unwrap(), token, "{text:?}");
        }
    }
    for (bytes, wanted) in [
        (
            &b"a\nb\n"[..],
            "jenkins.token_file: holds a line break or another control character in the file",
        ),
        (b" \n\xef\xbb\xbf\n", "jenkins.token_file: is empty in the file /"),
        (b"", "jenkins.token_file: is empty in the file /"),
        (b"\xff\xfea\0b\0", "not UTF-8; save it as UTF-8 text"),
    ] {
        let error = loaded(bytes).unwrap_err().to_string();
        assert!(error.contains(wanted), "{error}");
    }
}

fn file_with_token_file() -> String {
    file(PROVIDER, "user: u\ntoken_file: token", NODE, "")
}

#[test]
fn a_secret_that_others_can_read_is_warned_of() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mita.yaml");
    std::fs::write(&path, node("")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let warnings = config::load(&path, &no_env).unwrap().warnings;
    assert!(
        warnings[0]
            .text
            .contains(":1:1: (file): holds a secret and can be read by everyone; chmod 600 it")
    );
    assert!(!warnings[0].check_only, "it is a problem of each pass");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    assert!(
        config::load(&path, &no_env).unwrap().warnings.is_empty(),
        "a group is chosen"
    );
}

#[test]
fn no_message_shows_a_secret() {
    let secret = "hunter2";
    for text in [
        file(
            &format!("username: u\npassword: [{secret}]\ntenant_name: t"),
            JENKINS,
            NODE,
            "",
        ),
        file(
            &format!("username: u\npassword: !{secret} x\ntenant_name: t"),
            JENKINS,
            NODE,
            "",
        ),
        file(
            &format!("username: u\npassword: *{secret}\ntenant_name: t"),
            JENKINS,
            NODE,
            "",
        ),
        file(
            &format!("username: u\npasswrd: {secret}\ntenant_name: t"),
            JENKINS,
            NODE,
            "",
        ),
        file(PROVIDER, &format!("user: u\ntoken: \"{secret}\\n\""), NODE, ""),
        file(PROVIDER, &format!("user: u\ntoken: {secret}: x"), NODE, ""),
        jenkins("").replace("https://ci", &format!("https://u:{secret}@ci")),
        jenkins(&format!("proxy: http://u:{secret}@h/path")),
        jenkins(&format!("proxy: http://u:{secret}@h:x")),
        jenkins(&format!("proxy: u:{secret}@h")),
    ] {
        let error = refused(&text).join("\n");
        assert!(!error.contains(secret), "{error}");
    }
    let shown = format!("{:?}", load(&SEED.replace("API_TOKEN", secret)).config);
    assert!(
        !shown.contains(secret) && !shown.contains("3ebYzVIQEIZv3sj1"),
        "{shown}"
    );
}
