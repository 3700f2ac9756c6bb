//! The script of `examples/user-data` that `mita init` brings along: it is run, and starts the agent.

use std::fs;
use std::process::{Command, Output};

use super::booted::Machine;
use super::fakes::secret_of;
use super::site::{NODES, Site, job};

/// Makes one server with the script; returns its name and user data.
fn rendered() -> (String, String, Site) {
    let at = NODES.find("    script:").unwrap();
    let nodes = format!("{}    register: inbound\n    script_file: inbound.sh\n", &NODES[..at]);
    let site = Site::with(&nodes, "");
    let script = include_str!("../../examples/user-data/inbound.sh");
    fs::write(site.path("inbound.sh"), script).unwrap();
    site.world.submit(job("build", "linux"));
    // As a process: a test that starts one holds a copy of every open file for a moment, a lock among them.
    assert!(site.binary(&["run"]).status.success());
    let server = site.world.with(|world| world.cloud("openstack").servers[0].clone());
    let script = server.script();
    assert!(!script.contains("{{"), "{script}");
    (server.name, script, site)
}

/// Says what went wrong on a machine.
fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout)
}

#[test]
fn the_inbound_script_starts_the_agent_of_this_controller() {
    let (name, script, site) = rendered();
    let machine = Machine::new(&site.path("machine"));
    let output = machine.boot(&script);
    assert!(output.status.success(), "{}", said(&output));
    let started = machine.started().expect("an agent");
    assert_eq!(
        (started.after("-name"), started.secret.as_str()),
        (name.as_str(), secret_of(&name).as_str())
    );
    assert_eq!(started.after("-url"), format!("{}/", site.jenkins.url()));
    assert_eq!(
        started.after("-workDir"),
        machine.path("/home/jenkins").to_str().unwrap()
    );
    assert_eq!(started.jar, b"PK agent");
    assert!(
        !started
            .arguments
            .iter()
            .any(|argument| argument.contains(&started.secret)),
        "{started:?}"
    );
    // At the next boot Jenkins is down: the agent.jar that is there serves.
    fs::remove_file(site.path("machine/java.arguments")).unwrap();
    site.jenkins.stop();
    let service = Command::new("bash")
        .arg(machine.path("/usr/local/bin/jenkins-agent"))
        .env("PATH", site.path("machine/bin"))
        .output()
        .unwrap();
    assert!(
        service.status.success() && machine.started().is_some(),
        "{}",
        said(&service)
    );
}

/// What makes a machine one of a family, and what is installed there.
#[test]
fn the_inbound_script_installs_java_where_there_is_none() {
    let install = |root: &str| {
        format!(
            "echo \"$0 $*\" | sed 's,.*/,,' >> '{root}/installed'\n\
             case \"$*\" in *install*jre*|*install*java*) mv '{root}/java' '{root}/bin/java';; esac"
        )
    };
    for (family, knows, wanted) in [
        (
            "debian",
            "apt-cache",
            "apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends openjdk-21-jre-headless",
        ),
        ("rhel", "dnf", "dnf install -y java-21-openjdk-headless"),
    ] {
        for old in [false, true] {
            let (_, script, site) = rendered();
            let root = site.path("machine");
            let machine = Machine::new(&root);
            fs::rename(root.join("bin/java"), root.join("java")).unwrap();
            if old {
                machine.stub("java", "echo 'openjdk version \"11.0.2\"' >&2");
            }
            let install = install(root.to_str().unwrap());
            if family == "debian" {
                machine.stub("apt-get", &install);
                machine.stub(knows, "");
            } else {
                machine.stub(knows, &format!("[ \"$1\" = -q ] && exit\n{install}"));
            }
            let output = machine.boot(&script);
            assert!(output.status.success(), "{family}: {}", said(&output));
            let installed = fs::read_to_string(root.join("installed")).unwrap();
            assert!(installed.lines().any(|line| line == wanted), "{family}: {installed}");
            assert!(!installed.contains(" git"), "it is there: {installed}");
            assert!(machine.started().is_some(), "{family}");
        }
    }
}

#[test]
fn where_there_is_no_java_to_install_the_service_says_so() {
    let (_, script, site) = rendered();
    let machine = Machine::new(&site.path("machine"));
    machine.without("java");
    machine.without("git");
    machine.stub("apt-get", "echo \"$*\"");
    machine.stub("apt-cache", "exit 1");
    let output = machine.boot(&script);
    assert!(!output.status.success());
    let said = said(&output);
    assert!(
        said.contains("install -y --no-install-recommends ca-certificates git"),
        "{said}"
    );
    assert!(
        said.contains("no Java of version 17 or newer among: openjdk-21-jre-headless"),
        "{said}"
    );
}
