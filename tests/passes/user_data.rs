//! The scripts of `examples/user-data`, as a server gets them: nothing is left to be filled in, and they can be read.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::fakes::{JoinsAs, Kind, secret_of};
use super::site::{NODES, Site, job};

/// Makes one server with a script of the examples; returns its name and user data.
fn rendered(file: &str, register: &str, joins_as: JoinsAs) -> (String, String, Site) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("examples/user-data")
        .join(file);
    let script = std::fs::read_to_string(&path).unwrap();
    let at = NODES.find("    script:").unwrap();
    let nodes = format!(
        "{}{register}    script: {}\n",
        &NODES[..at],
        serde_json::Value::from(script)
    );
    let site = Site::with(&nodes, "");
    site.world.kind("small", Kind::new(&[]).joins_as(joins_as));
    let check = site.mita(&["check"]);
    assert_eq!(check.err.matches("script").count(), 0, "{file}: {}", check.err);
    site.world.submit(job("build", "linux"));
    site.pass();
    let server = site.world.with(|world| world.cloud("openstack").servers[0].clone());
    let script = server.script();
    assert!(!script.contains("{{"), "{file}: {script}");
    (server.name, script, site)
}

/// Has bash read a script, where there is one.
fn is_bash(file: &str, script: &str) {
    let child = Command::new("bash")
        .arg("-n")
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = child else { return };
    child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "{file}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn the_inbound_script_starts_the_agent_of_this_controller() {
    let file = "inbound.sh";
    let (name, script, site) = rendered(file, "    register: inbound\n", JoinsAs::BySecret);
    is_bash(file, &script);
    {
        assert!(
            script.contains(&format!("\n{}\nSECRET\n", secret_of(&name))),
            "{script}"
        );
        let url = site.jenkins.url();
        assert!(script.contains(&format!("\"{url}/jnlpJars/agent.jar\"")), "{script}");
        assert!(script.contains(&format!("-url \"{url}/\"")) && script.contains(&format!("-name \"{name}\"")));
        site.minutes(4);
        assert_eq!(site.world.with(|world| world.jenkins.builds.len()), 1);
    }
}

const SSH: &str = "    register: ssh\n    agent: {credentials_id: c, host_key: {strategy: provided}}\n";

#[test]
fn a_cloud_config_installs_the_host_key() {
    let (_, script, site) = rendered("ssh.yaml", SSH, JoinsAs::BySsh);
    let parsed: serde_yaml::Value = serde_yaml::from_str(&script).unwrap();
    let private = parsed["ssh_keys"]["ed25519_private"].as_str().unwrap();
    assert!(
        private.starts_with("-----BEGIN OPENSSH PRIVATE KEY-----\n"),
        "{private}"
    );
    assert!(private.ends_with("\n-----END OPENSSH PRIVATE KEY-----\n"), "{private}");
    assert!(private.lines().all(|line| line.trim() == line), "{private}");
    let public = parsed["ssh_keys"]["ed25519_public"].as_str().unwrap();
    assert!(public.starts_with("ssh-ed25519 AAAA"), "{public}");
    site.minutes(6);
    assert_eq!(
        site.world.with(|world| world.jenkins.builds.len()),
        1,
        "and Jenkins trusts it"
    );
}

#[test]
fn a_script_installs_the_host_key() {
    let (_, script, _) = rendered("ssh.sh", SSH, JoinsAs::Never);
    is_bash("ssh.sh", &script);
    let line = script
        .lines()
        .skip_while(|line| !line.contains("base64 -d"))
        .nth(1)
        .unwrap();
    let private = String::from_utf8(STANDARD.decode(line).unwrap()).unwrap();
    assert!(
        private.starts_with("-----BEGIN OPENSSH PRIVATE KEY-----\n"),
        "{private}"
    );
}
