//! Nodes that mita makes: before the server (`register: inbound`), and once it is up (`register: ssh`).

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::cloud::Cloud;
use super::fakes::secret_of;
use super::site::{Done, LINUX, LOGIN, Site, text};

const INBOUND: &str = "    register: inbound
    agent: {remote_dir: /home/agent}
    script: |
      #!/bin/sh
      join {{ mita.name }} {{ mita.agent_secret }}
    size";
const SSH: &str = "    register: ssh
    agent: {credentials_id: ci, host_key: {strategy: provided}}
    script: |
      #!/bin/sh
      cat << END
      {{ mita.ssh_host_key }}
      END
      echo {{ mita.ssh_host_public_key }}
    size";
const REMOVED: [&str; 3] = [
    "offline done linux",
    "delete_node done linux",
    "delete_server done linux",
];

fn site(name: &str, register: &str) -> Site {
    let site = Site::new(name, "ci");
    site.configure(&LINUX.replace("    size", register), LOGIN);
    site.job("build", "linux");
    site
}

/// The name of the one node.
fn node(site: &Site) -> String {
    let nodes: Vec<String> = site.world.with(|world| world.jenkins.agents.keys().cloned().collect());
    assert_eq!(nodes.len(), 1, "one node: {nodes:?}");
    nodes[0].clone()
}

/// The user data of a server as the cloud holds it, in base64.
fn user_data(server: &Value) -> String {
    let told = Cloud::admin().server(text(server, "id"));
    text(
        &told.expect("an administrator sees every server"),
        "OS-EXT-SRV-ATTR:user_data",
    )
    .to_owned()
}

fn decoded(base64: &str) -> String {
    String::from_utf8(STANDARD.decode(base64).unwrap()).unwrap()
}

/// All that a pass left behind for people and for the next pass: its report, its log, the files.
fn everything(site: &Site, done: &Done) -> String {
    let mut all = format!("{}\n{}", done.out, done.err);
    for file in fs::read_dir(site.folder()).unwrap() {
        all.push_str(&String::from_utf8_lossy(&fs::read(file.unwrap().path()).unwrap()));
    }
    all
}

/// The job runs on the node; then it goes, and its server with it.
fn serves_and_goes(site: &Site, name: &str) {
    site.world.with(|world| world.jenkins.agent(name).connect(None));
    assert_eq!(site.until_empty(), REMOVED, "Jenkins first, then the cloud");
    assert_eq!(site.agents(), 0);
    let built = site.world.with(|world| {
        let done = world.jenkins.builds.iter().filter(|build| build.done && !build.killed);
        done.map(|build| build.agent.clone()).collect::<Vec<_>>()
    });
    assert_eq!(built, [name], "the job ran there");
}

#[test]
fn an_inbound_node_is_made_first_and_only_its_server_is_told_the_secret() {
    let site = site("inbound", INBOUND);
    let first = site.pass();
    let mut left = everything(&site, &first);
    assert_eq!(first.actions(), ["register done linux", "create done linux"]);
    let name = node(&site);
    let secret = secret_of(&name);
    site.world.with(|world| {
        let agent = world.jenkins.agent(&name);
        assert!(agent.inbound && !agent.connected);
        assert_eq!(agent.remote_dir, "/home/agent");
    });

    let server = site.active();
    assert_eq!(text(&server, "name"), name);
    let told = user_data(&server);
    assert_eq!(decoded(&told), format!("#!/bin/sh\njoin {name} {secret}\n"));
    let second = site.pass();
    assert!(
        second.actions().is_empty(),
        "it waits for the agent, and is supply: {}",
        second.out
    );
    left.push_str(&everything(&site, &second));
    assert!(
        left.contains("slave-agent.jnlp") && left.contains("mita.agent_secret"),
        "requests are logged, files are read: {left}"
    );
    assert!(!left.contains(&secret) && !left.contains(&told), "{left}");
    // The agent has what the server was told, so Jenkins lets it in.
    serves_and_goes(&site, &name);
}

#[test]
fn an_ssh_node_is_made_with_the_address_and_the_host_key_of_its_server() {
    let site = site("ssh", SSH);
    let first = site.pass();
    let mut left = everything(&site, &first);
    assert_eq!(first.actions(), ["create done linux"]);
    assert_eq!(site.agents(), 0, "there is no address yet");
    let ((), seen) = site.passes("the node is made", |done| {
        left.push_str(&everything(&site, done));
        (site.agents() > 0).then_some(())
    });
    assert_eq!(seen, ["register done linux"]);
    let servers = site.servers();
    assert_eq!((servers.len(), &servers[0]["status"]), (1, &Value::from("ACTIVE")));

    let name = node(&site);
    assert_eq!(text(&servers[0], "name"), name);
    let ssh = site.world.with(|world| world.jenkins.agent(&name).ssh.clone().unwrap());
    assert_eq!(
        (ssh.host.as_str(), ssh.port, ssh.credentials.as_str()),
        (text(&servers[0]["addresses"]["private"][0], "addr"), 22, "ci")
    );
    assert_eq!(ssh.strategy, "ManuallyProvidedKeyVerificationStrategy");
    let key = ssh.key.expect("the key that was made for it");
    let script = decoded(&user_data(&servers[0]));
    assert!(
        key.starts_with("ssh-ed25519 AAAA") && script.contains(&key),
        "{key}\n{script}"
    );
    // A private key of OpenSSH holds its public half.
    let lines: Vec<&str> = script
        .lines()
        .skip_while(|line| !line.contains("BEGIN OPENSSH PRIVATE KEY"))
        .skip(1)
        .take_while(|line| !line.contains("END OPENSSH PRIVATE KEY"))
        .map(str::trim)
        .collect();
    let private = STANDARD.decode(lines.concat()).unwrap();
    let public = STANDARD.decode(key.split(' ').nth(1).unwrap()).unwrap();
    assert!(
        private.windows(public.len()).any(|window| window == public),
        "{key}\n{script}"
    );
    // The first line is the same in every such key, and the last may be short.
    let telling: Vec<&&str> = lines[1..].iter().filter(|line| line.len() >= 30).collect();
    assert!(telling.len() >= 3, "{script}");
    assert!(left.contains(&key), "the public half is kept: {left}");
    assert!(!telling.iter().any(|line| left.contains(**line)), "{left}");
    serves_and_goes(&site, &name);
}
