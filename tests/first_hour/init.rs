//! `init`: the starter configuration that is made of a simulated cloud and Jenkins.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;

use serde_json::json;

use super::fakes::{Fault, JoinsAs, Kind, Reply, Service, Task, When};
use super::program::Done;
use super::site::{Site, job};

const SECRETS: [&str; 2] = ["ci-pass", "11token"];

/// A folder in which somebody begins, beside a simulated site.
struct Newcomer {
    site: Site,
    folder: PathBuf,
}

impl Newcomer {
    fn new() -> Self {
        let site = Site::new();
        let folder = site.path("new");
        let clouds = site.path("home/.config/openstack");
        fs::create_dir_all(&folder).unwrap();
        fs::create_dir_all(&clouds).unwrap();
        let clouds_yaml = format!(
            "clouds:\n  mycloud:\n    auth:\n      auth_url: {}/v3\n      username: ci\n      password: ci-pass\n      \
             project_name: ci\n      user_domain_name: Default\n      project_domain_name: Default\n",
            site.cloud.auth_url()
        );
        let clouds = clouds.join("clouds.yaml");
        fs::write(&clouds, clouds_yaml).unwrap();
        fs::set_permissions(&clouds, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(folder.join("jenkins.token"), "11token\n").unwrap();
        fs::set_permissions(folder.join("jenkins.token"), fs::Permissions::from_mode(0o600)).unwrap();
        Self { site, folder }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mita"));
        let home = self.site.path("home");
        command
            .args(arguments)
            .current_dir(&self.folder)
            .env_clear()
            .env("HOME", home);
        command
    }

    fn mita(&self, arguments: &[&str]) -> Done {
        Done::of(self.command(arguments).output().unwrap())
    }

    /// Begins with both services named.
    fn init(&self) -> Done {
        let url = self.site.jenkins.url();
        self.mita(&[
            "init",
            "--cloud",
            "mycloud",
            "--jenkins",
            &url,
            "--user",
            "mita",
            "--token-file",
            "jenkins.token",
        ])
    }

    fn written(&self) -> String {
        fs::read_to_string(self.folder.join("mita.yaml")).unwrap()
    }
}

#[test]
fn a_starter_is_written_from_what_is_there() {
    let new = Newcomer::new();
    for _ in 0..2 {
        new.site.world.submit(job("build", "linux && x86_64"));
    }
    new.site.world.submit(job("other", "!windows && arm64"));
    new.site.world.submit(Task::freestyle("any"));
    let done = new.init().good();
    assert_eq!(
        (done.err.as_str(), done.out.as_str()),
        (
            "",
            "./mita.yaml and ./inbound.sh are written. Next:\n\n  mita check --online\n  mita run --dry-run\n  mita run\n"
        )
    );
    let written = new.written();
    for part in [
        "  openstack:\n    # An entry of clouds.yaml.",
        "    cloud: mycloud\n    service_region: RegionOne\n",
        &format!(
            "jenkins:\n  url: {}\n  user: mita\n  token_file: jenkins.token\n",
            new.site.jenkins.url()
        ),
        "  anchor: true\n",
        "  image_name: ubuntu-24.04  # 2026-02-13\n  # The newest others:\n",
        "  # image_name: debian-12  # 2026-02-13\n",
        "  size: m1.medium  # 2 vCPUs, 4096 MiB, 40 GB\n",
        "  networks: [private]\n  keyname: jenkins\n",
        "  register: inbound\n  script_file: inbound.sh\n",
        "  linux-x86_64:\n    # 2 jobs wait for: linux&&x86_64\n    labels: [linux, x86_64]\n    accepts_unlabelled: true  # 1 job waits for any node\n",
        "  arm64:\n    # 1 job waits for: !windows&&arm64\n    labels: [arm64]\n",
    ] {
        assert!(written.contains(part), "{part}\nnot in\n{written}");
    }
    for secret in SECRETS {
        assert!(!written.contains(secret) && !done.out.contains(secret), "{written}");
    }
    let mode = |name: &str| fs::metadata(new.folder.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("mita.yaml"), mode("inbound.sh")), (0o600, 0o644));
    new.site.world.assert_no_writes();
}

#[test]
fn what_is_written_is_good_and_its_agents_join() {
    let new = Newcomer::new();
    new.site.world.kind("linux", Kind::new(&[]).joins_as(JoinsAs::BySecret));
    new.site.world.submit(job("build", "linux").seconds(30));
    new.init().good();
    let check = new.mita(&["check", "-o", "json"]).good();
    assert_eq!(check.json()["warnings"], json!([]), "{}", check.out);
    new.mita(&["check", "--online"]).good();
    new.mita(&["run", "--dry-run"]).good();
    let done = new.mita(&["run", "-o", "json"]).good();
    assert_eq!(
        done.actions(),
        ["register done mita-anchor", "register done linux", "create done linux"]
    );
    new.site.world.advance(120);
    assert_eq!(
        new.site.world.with(|world| world.jenkins.builds.len()),
        1,
        "the job runs on the new agent"
    );
}

#[test]
fn a_file_that_is_there_is_never_written_over() {
    let new = Newcomer::new();
    fs::write(new.folder.join("mita.yaml"), "mine\n").unwrap();
    let done = new.init();
    assert_eq!((done.code, done.out.as_str()), (3, ""));
    assert_eq!(
        done.err,
        "mita: cannot write ./mita.yaml: it is there already and is not written over; name another file by -c\n"
    );
    assert_eq!(new.written(), "mine\n");
    assert!(new.site.world.calls().is_empty(), "nobody was asked");
    assert!(!new.folder.join("inbound.sh").exists());
    // Nor is a link that leads nowhere, which is no script either, or a script of one's own.
    fs::remove_file(new.folder.join("mita.yaml")).unwrap();
    std::os::unix::fs::symlink("nowhere", new.folder.join("mita.yaml")).unwrap();
    assert_eq!(new.mita(&["init", "--offline"]).code, 3);
    fs::remove_file(new.folder.join("mita.yaml")).unwrap();
    std::os::unix::fs::symlink("nowhere", new.folder.join("inbound.sh")).unwrap();
    let done = new.mita(&["init", "--offline"]);
    assert_eq!((done.code, done.out.as_str()), (3, ""));
    assert_eq!(
        done.err,
        "mita: cannot use ./inbound.sh: it is a link that leads nowhere; remove it, or make its target\n"
    );
    assert!(!new.folder.join("mita.yaml").exists());
    fs::remove_file(new.folder.join("inbound.sh")).unwrap();
    fs::write(new.folder.join("inbound.sh"), "#!/bin/sh\n").unwrap();
    let done = new.init().good();
    assert!(
        done.out
            .starts_with("./mita.yaml is written; ./inbound.sh was there and is used as it is."),
        "{}",
        done.out
    );
    assert_eq!(
        fs::read_to_string(new.folder.join("inbound.sh")).unwrap(),
        "#!/bin/sh\n"
    );
}

/// What `check` says of the file: its exit code, and all that it prints.
fn checked(new: &Newcomer) -> (i32, String) {
    let done = new.mita(&["check"]);
    (done.code, done.err)
}

#[test]
fn without_an_answer_it_is_written_all_the_same() {
    let new = Newcomer::new();
    new.site.cloud.stop();
    new.site.jenkins.stop();
    let done = new.init();
    assert_eq!(done.code, 1);
    let mut lines = done.err.lines();
    assert!(
        lines
            .next()
            .unwrap()
            .starts_with("mita: openstack could not be asked: "),
        "{}",
        done.err
    );
    assert!(
        lines.next().unwrap().starts_with("mita: jenkins could not be asked: "),
        "{}",
        done.err
    );
    assert!(
        done.out.contains(" 4 lines are marked <-- and need you. Next:"),
        "{}",
        done.out
    );
    let written = new.written();
    assert!(
        written.contains("    cloud: mycloud\n    # service_region: NAME"),
        "{written}"
    );
    assert!(
        written.contains("  # image_name: NAME  <-- a Linux with cloud-init\n  # size: NAME  <-- a flavor\n"),
        "{written}"
    );
    assert!(
        written.contains("  agent:\n    labels: [linux]  # <-- the labels that your jobs ask for\n"),
        "{written}"
    );
    assert!(
        written.contains("  # anchor: true  <-- if this Jenkins has no agent of its own\n"),
        "{written}"
    );
    let (code, said) = checked(&new);
    assert_eq!(code, 3);
    for part in [
        "nodes.agent.image_name: missing; ",
        "nodes.agent.size: missing; ",
        "(file): 4 lines are marked <-- (",
    ] {
        assert!(said.contains(part), "{said}");
    }
    // With what was missing only the marks are left.
    let mended = written
        .replace("  # image_name: NAME", "  image_name: i #")
        .replace("  # size: NAME", "  size: s #");
    fs::write(new.folder.join("mita.yaml"), mended).unwrap();
    let (code, said) = checked(&new);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("(file): 4 lines are marked <-- ("), "{said}");
}

#[test]
fn one_service_that_does_not_answer_does_not_hide_the_other() {
    let new = Newcomer::new();
    new.site.world.submit(job("build", "linux"));
    new.site.cloud.stop();
    let done = new.init();
    assert_eq!((done.code, done.err.lines().count()), (1, 1), "{}", done.err);
    assert!(new.written().contains("\n  linux:\n"), "{}", new.written());

    let new = Newcomer::new();
    new.site.world.submit(job("build", "linux"));
    fs::write(new.folder.join("jenkins.token"), "another\n").unwrap();
    let done = new.init();
    assert_eq!((done.code, done.err.lines().count()), (1, 1), "{}", done.err);
    assert!(
        done.err.starts_with("mita: jenkins could not be asked: ") && !done.err.contains("another"),
        "{}",
        done.err
    );
    assert!(
        new.written().contains("\n  image_name: ubuntu-24.04"),
        "{}",
        new.written()
    );

    // A service of the cloud that fails leaves its line alone unknown.
    let new = Newcomer::new();
    let broken = Reply::html(503, "<html>down</html>");
    new.site.world.fault(When::on(Service::Glance), Fault::Instead(broken));
    let done = new.init();
    assert_eq!(done.code, 1);
    assert!(
        done.err.starts_with("mita: openstack: unavailable: images: "),
        "{}",
        done.err
    );
    let written = new.written();
    assert!(
        written.contains("# image_name: NAME  <--") && written.contains("\n  size: m1.medium"),
        "{written}"
    );
}

#[test]
fn the_variables_of_an_openrc_file_are_named_and_their_secret_is_not() {
    let new = Newcomer::new();
    let url = format!("{}/v3", new.site.cloud.auth_url());
    let output = new
        .command(&["init"])
        .env("OS_AUTH_URL", &url)
        .env("OS_USERNAME", "ci")
        .env("OS_PASSWORD", "ci-pass")
        .env("OS_PROJECT_NAME", "ci")
        .env("OS_REGION_NAME", "RegionOne")
        .output()
        .unwrap();
    Done::of(output).good();
    let written = new.written();
    for part in [
        "    # The login is that of the environment:\n    # OS_AUTH_URL, OS_USERNAME, OS_PROJECT_NAME, OS_PASSWORD.\n",
        "    # Cron does not have these variables. <-- take the # off the next lines",
        &format!(
            "    # auth_url: {url}\n    # username: ci\n    # tenant_name: ci\n    # password_file: openstack.password\n    service_region: RegionOne\n"
        ),
        "\n  image_name: ubuntu-24.04",
        "  # url: https://jenkins.example.com  <-- its address",
        "  # user: mita  <-- who mita is there",
        "  # token_file: jenkins.token  <-- the file",
    ] {
        assert!(written.contains(part), "{part}\nnot in\n{written}");
    }
    assert!(!written.contains("ci-pass"), "{written}");
    let (code, said) = checked(&new);
    assert_eq!(code, 3);
    assert!(
        said.contains("jenkins.url: missing") && said.contains("jenkins.user: missing"),
        "{said}"
    );
    // The lines for cron are good.
    fs::write(new.folder.join("openstack.password"), "ci-pass").unwrap();
    let text = written
        .replace("    # auth_url", "    auth_url")
        .replace("    # username", "    username")
        .replace("    # tenant_name", "    tenant_name")
        .replace("    # password_file", "    password_file")
        .replace("  # url: ", "  url: ")
        .replace("  # user: ", "  user: ")
        .replace("  # token_file: ", "  token_file: ")
        .replace("  <-- ", "  # ");
    fs::write(new.folder.join("mita.yaml"), text).unwrap();
    let (code, said) = checked(&new);
    assert_eq!(code, 0, "{said}");
}

#[test]
fn offline_nobody_is_asked() {
    let new = Newcomer::new();
    let (code, said) = checked(&new);
    assert_eq!(code, 3);
    assert!(said.contains("; write one (`mita init` does, "), "{said}");
    let url = new.site.jenkins.url();
    let done = new.mita(&[
        "init",
        "--offline",
        "--cloud",
        "nosuch",
        "--jenkins",
        &url,
        "--user",
        "mita",
        "--token-file",
        "later",
    ]);
    assert_eq!((done.code, done.err.as_str()), (0, ""));
    assert!(new.site.world.calls().is_empty());
    let written = new.written();
    assert!(
        written.contains("cloud: nosuch\n") && written.contains("  token_file: "),
        "{written}"
    );
    fs::remove_file(new.folder.join("mita.yaml")).unwrap();
    // Not even that much is known.
    let done = new.mita(&["init"]).good();
    assert!(done.out.contains(" 8 lines are marked <--"), "{}", done.out);
    assert!(
        new.written().contains("    # cloud: NAME  <-- an entry of clouds.yaml"),
        "{}",
        new.written()
    );
    let (code, said) = checked(&new);
    assert_eq!(code, 3);
    assert!(said.contains("provider.openstack.auth_url: missing"), "{said}");
}

#[test]
fn what_is_not_plain_is_a_choice() {
    let new = Newcomer::new();
    new.site.world.with(|world| {
        let cloud = world.cloud("openstack");
        cloud.keypairs.insert("anna".to_owned());
        let mut second = cloud.networks[0].clone();
        "11111111-2222-4333-8444-555555555555".clone_into(&mut second.id);
        "ci: net".clone_into(&mut second.name);
        cloud.networks.push(second);
        cloud.flavors.retain(|flavor| flavor.vcpus < 2);
        cloud.images.retain(|image| image.name == "cirros");
    });
    new.site.world.submit(job("odd", "a -> b"));
    new.init().good();
    let written = new.written();
    for part in [
        "  # image_name: NAME  <-- a Linux with cloud-init\n  # The newest others:\n  # image_name: cirros",
        "  # size: NAME  <-- none has 2 vCPUs and 4096 MiB; there are: ",
        "<-- take the # off one of these lines:\n  # networks: [\"ci: net\"]\n  # networks: [private]\n",
        "  # keyname: anna\n  # keyname: jenkins\n",
        "# <-- Jobs wait for these, too: a->b",
    ] {
        assert!(written.contains(part), "{part}\nnot in\n{written}");
    }
    let chosen = written
        .replace("  # networks: [\"ci: net\"]", "  networks: [\"ci: net\"]")
        .replace("  # image_name: cirros", "  image_name: cirros")
        .replace("  # size: NAME", "  size: m1.small #")
        .replace("  # keyname: anna", "  keyname: anna");
    fs::write(new.folder.join("mita.yaml"), chosen).unwrap();
    let online = new.mita(&["check", "--online"]);
    assert_eq!(online.code, 0, "{}", online.err);
}

#[test]
fn another_file_may_be_named() {
    let new = Newcomer::new();
    let etc = new.site.path("etc");
    fs::create_dir_all(&etc).unwrap();
    let config = etc.join("ci.yaml");
    let config = config.to_str().unwrap();
    let url = new.site.jenkins.url();
    let done = new
        .mita(&[
            "-c",
            config,
            "init",
            "--cloud",
            "mycloud",
            "--jenkins",
            &url,
            "--user",
            "mita",
            "--token-file",
            "jenkins.token",
        ])
        .good();
    assert!(done.out.ends_with(&format!("  mita -c {config} run\n")), "{}", done.out);
    let quoted = new.mita(&["-c", "it's mine.yaml", "init", "--offline"]);
    assert!(
        quoted.out.ends_with("  mita -c 'it'\\''s mine.yaml' run\n"),
        "{}",
        quoted.out
    );
    // By itself mita would find another.
    let output = new
        .command(&["init", "--offline"])
        .env("MITA_CONFIG", "/etc/other.yaml")
        .output();
    let done = Done::of(output.unwrap());
    assert!(done.out.ends_with("  mita -c ./mita.yaml run\n"), "{}", done.out);
    let written = fs::read_to_string(config).unwrap();
    let token = new.folder.join("jenkins.token").canonicalize().unwrap();
    assert!(
        written.contains(&format!("  token_file: {}\n", token.display())),
        "{written}"
    );
    assert!(etc.join("inbound.sh").is_file());
    new.mita(&["-c", config, "check", "--online"]).good();
}

#[test]
fn what_was_given_wrongly_is_said_and_nothing_is_written() {
    let new = Newcomer::new();
    let url = new.site.jenkins.url();
    let refused = |arguments: &[&str], wanted: &str| {
        let done = new.mita(arguments);
        assert_eq!((done.code, done.out.as_str()), (3, ""), "{}", done.err);
        assert!(done.err.contains(wanted), "{}", done.err);
        assert!(!new.folder.join("mita.yaml").exists() && !new.folder.join("inbound.sh").exists());
    };
    refused(
        &["init", "--cloud", "mycluod"],
        "mita: --cloud: no cloud \"mycluod\" in ",
    );
    let jenkins = ["init", "--jenkins", &url, "--user", "mita", "--token-file", "nosuch"];
    refused(&jenkins, "--token-file: cannot use nosuch: No such file");
    refused(
        &[
            "init",
            "--jenkins",
            "ci.example.com",
            "--user",
            "mita",
            "--token-file",
            "jenkins.token",
        ],
        "--jenkins: ",
    );
    // Whatever else is given or not: it would be written.
    let host = url.trim_start_matches("http://");
    let secret = format!("http://mita:JTOK@{host}");
    for more in [
        &[][..],
        &["--user", "mita"],
        &["--token-file", "jenkins.token"],
        &["--user", "mita", "--token-file", "jenkins.token"],
        &["--offline"],
        &["--offline", "--user", "mita", "--token-file", "later"],
    ] {
        let mut arguments = vec!["init", "--cloud", "mycloud", "--jenkins", &secret];
        arguments.extend(more);
        refused(&arguments, "mita: --jenkins: ");
        assert!(!new.mita(&arguments).err.contains("JTOK"));
    }
    refused(&["init", "--offline", "--user", ""], "mita: --user: ");
    refused(
        &["init", "--token-file", "nosuch"],
        "mita: --token-file: cannot use nosuch",
    );
    assert_eq!(new.mita(&["init", "-o", "json"]).code, 2);
    let help = new.mita(&["init", "--help"]).good();
    assert!(help.out.contains("mita init --cloud mycloud"), "{}", help.out);
}

#[test]
fn labels_that_yaml_would_read_otherwise_are_texts() {
    let new = Newcomer::new();
    for label in ["null", "true", "123"] {
        new.site.world.submit(job(label, label));
    }
    new.init().good();
    let written = new.written();
    for label in ["null", "true", "123"] {
        let part = format!("\n  \"{label}\":\n    # 1 job waits for: {label}\n    labels: [\"{label}\"]\n");
        assert!(written.contains(&part), "{part}\nnot in\n{written}");
    }
    new.mita(&["check"]).good();
}

#[test]
fn marked_lines_are_named_beside_what_is_missing() {
    let new = Newcomer::new();
    new.site.world.with(|world| {
        let cloud = world.cloud("openstack");
        cloud.flavors.retain(|flavor| flavor.vcpus < 2);
        cloud.images.retain(|image| image.name == "cirros");
    });
    for label in ["a", "b", "c"] {
        new.site.world.submit(job(label, label));
    }
    new.init().good();
    let (code, said) = checked(&new);
    assert_eq!(code, 3, "{said}");
    let lines: Vec<String> = new
        .written()
        .lines()
        .enumerate()
        .filter(|(_, line)| line.contains("<--"))
        .map(|(at, _)| (at + 1).to_string())
        .collect();
    let wanted = format!("(file): 2 lines are marked <-- ({}): say there", lines.join(", "));
    assert!(said.contains(&wanted), "{wanted}\nnot in\n{said}");
}

#[test]
fn an_anchor_alone_is_no_agent() {
    let new = Newcomer::new();
    new.site.world.submit(job("build", "linux"));
    new.init().good();
    let written = new.written();
    assert!(written.contains("\n  anchor: true\n"), "{written}");
    new.mita(&["run"]);
    new.site.world.with(|world| {
        world.jenkins.agents.retain(|name, _| name == "mita-anchor");
        assert_eq!(world.jenkins.agents.len(), 1);
    });
    fs::remove_file(new.folder.join("mita.yaml")).unwrap();
    new.init().good();
    let written = new.written();
    assert!(written.contains("\n  anchor: true\n"), "{written}");
}

#[test]
fn what_jenkins_does_not_show_is_said_once() {
    let new = Newcomer::new();
    new.site.world.submit(Task::pipeline("hidden", 1).label("linux"));
    new.init().good();
    let written = new.written();
    let part = "    labels: [linux]  # <-- 1 job waits for a label that Jenkins does not show: say which\n";
    assert!(written.contains(part), "{written}");
    assert!(!written.contains("no job waits now"), "{written}");
    assert_eq!(written.matches("does not show").count(), 1, "{written}");
}
