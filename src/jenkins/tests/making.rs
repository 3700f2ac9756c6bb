//! Making nodes, their secrets, and the script console.

use super::*;

const JNLP: &str = include_str!("../../../tests/fixtures/jenkins/client-agent-2.544.jnlp");

fn node<'a>(name: &'a NodeName, launcher: Launcher<'a>) -> NewNode<'a> {
    NewNode {
        name,
        description: "made by mita",
        executors: 2,
        remote_dir: "/home/jenkins",
        labels: "linux x86",
        mode: NodeUsage::Normal,
        launcher,
    }
}

/// The form that was sent: its fields, with the JSON parsed.
fn sent(fake: &Scripted) -> serde_json::Value {
    let request = fake.requests().remove(0);
    let (_, body) = request.split_once("\r\n\r\n").unwrap();
    let field = |name: &str| {
        let value = body
            .split('&')
            .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        percent_encoding::percent_decode_str(value.unwrap())
            .decode_utf8()
            .unwrap()
            .into_owned()
    };
    assert_eq!(
        (field("name").as_str(), field("type").as_str()),
        ("a__0123456789ab", "hudson.slaves.DumbSlave")
    );
    serde_json::from_str(&field("json")).unwrap()
}

#[test]
fn an_inbound_node_is_made_by_the_form_that_every_jenkins_knows() {
    let fake = Scripted::start(vec![done("http://127.0.0.1:18080/jenkins/computer/")]);
    let name = NodeName::new("a__0123456789ab");
    let made = client(&fake).create_node(&node(&name, Launcher::Inbound { web_socket: true }));
    assert_eq!(made.unwrap(), Created::Now);
    assert_eq!(fake.lines(), ["POST /jenkins/computer/doCreateItem"]);
    let head = fake.requests()[0].to_lowercase();
    assert!(
        head.contains("content-type: application/x-www-form-urlencoded"),
        "{head}"
    );
    let form = sent(&fake);
    for (key, value) in [
        ("numExecutors", serde_json::json!(2)),
        ("remoteFS", "/home/jenkins".into()),
        ("labelString", "linux x86".into()),
        ("mode", "NORMAL".into()),
    ] {
        assert_eq!(form[key], value, "{key}");
    }
    assert_eq!(form["launcher"]["$class"], "hudson.slaves.JNLPLauncher");
    assert_eq!(form["launcher"]["webSocket"], true);
}

#[test]
fn an_ssh_node_names_its_host_and_how_its_key_is_verified() {
    for (host_key, class, key) in [
        (
            HostKeyCheck::Provided("ssh-ed25519 AAAA"),
            "ManuallyProvided",
            Some("ssh-ed25519 AAAA"),
        ),
        (HostKeyCheck::KnownHosts, "KnownHostsFile", None),
        (HostKeyCheck::TrustFirst, "ManuallyTrusted", None),
        (HostKeyCheck::None, "NonVerifying", None),
    ] {
        let fake = Scripted::start(vec![done(".")]);
        let name = NodeName::new("a__0123456789ab");
        let ssh = Launcher::Ssh {
            host: "2001:db8::1",
            port: 22,
            credentials_id: "agents",
            java_path: Some("/usr/bin/java"),
            host_key,
        };
        client(&fake).create_node(&node(&name, ssh)).unwrap();
        let launcher = &sent(&fake)["launcher"];
        assert_eq!(launcher["stapler-class"], "hudson.plugins.sshslaves.SSHLauncher");
        assert_eq!(
            (&launcher["host"], &launcher["port"]),
            (&"2001:db8::1".into(), &22.into())
        );
        assert_eq!(launcher["credentialsId"], "agents");
        let strategy = &launcher["sshHostKeyVerificationStrategy"];
        let wanted = format!("hudson.plugins.sshslaves.verifiers.{class}KeyVerificationStrategy");
        assert_eq!(strategy["$class"].as_str(), Some(wanted.as_str()));
        assert_eq!(strategy["key"].as_str(), key);
    }
}

#[test]
fn a_node_that_is_there_is_left_and_any_other_refusal_is_an_error() {
    let name = NodeName::new("a__0123456789ab");
    let inbound = Launcher::Inbound { web_socket: false };
    let refused = |error: &str| Canned::new(400, &[HTML, "X-Jenkins: 2.544", error], "");
    let fake = Scripted::start(vec![refused("X-Error: Agent called  a  already exists"), json(IDLE)]);
    assert_eq!(
        client(&fake).create_node(&node(&name, inbound)).unwrap(),
        Created::Before
    );

    let fake = Scripted::start(vec![refused("X-Error: /  is an unsafe character"), missing()]);
    let error = client(&fake).create_node(&node(&name, inbound)).unwrap_err();
    assert!(
        error.to_string().contains("status 400: / is an unsafe character"),
        "{error}"
    );

    let fake = Scripted::start(vec![forbidden("hudson.model.Computer.Create")]);
    let error = client(&fake).create_node(&node(&name, inbound)).unwrap_err();
    assert!(error.to_string().contains("user reader lacks Agent/Create"), "{error}");

    let fake = Scripted::start(vec![]);
    let bad = NodeName::new("a/b");
    assert!(client(&fake).create_node(&node(&bad, inbound)).is_err());
    assert_eq!(fake.lines(), [] as [&str; 0], "nothing is sent for a bad name");
}

#[test]
fn a_secret_is_read_and_never_shown() {
    let secret = "5".repeat(64);
    let page = JNLP.replace(&"0".repeat(64), &secret);
    let jnlp = |body: &str| Canned::new(200, &["Content-Type: application/x-java-jnlp-file"], body);
    let name = NodeName::new("new-1");
    let fake = Scripted::start(vec![jnlp(&page)]);
    let read = client(&fake).agent_secret(&name).unwrap();
    assert_eq!(
        (read.reveal(), format!("{read:?}").contains('5')),
        (secret.as_str(), false)
    );
    assert_eq!(fake.lines(), ["GET /jenkins/computer/new-1/slave-agent.jnlp"]);

    for odd in ["", "<jnlp/>", "<html>", "<jnlp><argument>short</argument></jnlp>"] {
        let fake = Scripted::start(vec![jnlp(odd)]);
        let error = client(&fake).agent_secret(&name).unwrap_err();
        assert!(
            error.to_string().contains("no secret of an inbound agent"),
            "{odd}: {error}"
        );
    }
    let fake = Scripted::start(vec![forbidden("hudson.model.Computer.Connect")]);
    let error = client(&fake).agent_secret(&name).unwrap_err();
    assert!(error.to_string().contains("lacks Agent/Connect"), "{error}");
}

#[test]
fn the_script_console_tells_the_label_of_each_item() {
    let said = |body: &str| Canned::new(200, &["Content-Type: text/plain;charset=utf-8"], body);
    let fake = Scripted::start(vec![said("[[7,\"linux&&!arm\"],[8,null]]\n")]);
    let labels = client(&fake).queue_labels().unwrap();
    assert_eq!(labels[&7].as_deref(), Some("linux&&!arm"));
    assert_eq!(labels[&8], None);

    let fake = Scripted::start(vec![said("groovy.lang.MissingPropertyException: no such property")]);
    let error = client(&fake).queue_labels().unwrap_err();
    assert!(
        error.to_string().contains("the script failed: groovy.lang.Missing"),
        "{error}"
    );

    let fake = Scripted::start(vec![forbidden("hudson.model.Hudson.Administer")]);
    let error = client(&fake).queue_labels().unwrap_err();
    assert!(error.to_string().contains("lacks Overall/Administer"), "{error}");
}
