//! Small programs, run for real.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests may panic, write files and look at the clock"
)]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use tempfile::TempDir;

use super::*;
use crate::model::{ImageRef, PortSpec, Server, ServerStatus, SizeRef};
use crate::secret::Secret;

/// Far more than anything here takes, and far less than the programs that are to be killed.
const PATIENCE: Duration = Duration::from_secs(60);

/// A program in a folder of its own.
struct Stage {
    folder: TempDir,
    settings: ExecProgram,
}

impl Stage {
    fn new(script: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("program");
        fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let settings = ExecProgram {
            provider: "farm".to_owned(),
            owner: "tester".to_owned(),
            program,
            arguments: Vec::new(),
            folder: folder.path().to_owned(),
            inherited: [("PATH".to_owned(), "/usr/bin:/bin".to_owned())].into(),
            environment: BTreeMap::new(),
            timeout: SignedDuration::from_secs(20),
            max_output: 1 << 20,
        };
        Self { folder, settings }
    }

    fn exec(&self) -> Exec {
        Exec::new(&self.settings, Deadline::none())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }
}

fn spec() -> ServerSpec {
    ServerSpec {
        image: ImageRef::Name("debian".to_owned()),
        size: SizeRef::Least {
            vcpus: 2,
            ram_mb: 4096,
            disk_gb: 0,
        },
        key_pair: None,
        storage: None,
        boot_volume: None,
        volume_type: None,
        networks: vec!["ci".to_owned()],
        ports: vec![PortSpec::Existing("p1".to_owned())],
        floating_ip_pool: None,
        security_groups: Vec::new(),
        config_drive: Some(false),
        metadata: BTreeMap::new(),
        scheduler_hints: BTreeMap::new(),
        options: [("deep".to_owned(), json!({"x": [1]}))].into(),
        more: BTreeMap::new(),
    }
}

fn create_with(exec: &mut Exec, user_data: Option<&str>) -> Result<ServerId, ProviderError> {
    let (spec, mark) = (
        spec(),
        ResourceMark {
            owner: "tester".to_owned(),
            server: "small__0123456789ab".to_owned(),
        },
    );
    let metadata = [("mita-owner", "tester"), ("mita-node", "small"), ("team", "ci")];
    let metadata = metadata.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    exec.create(&CreateServer {
        name: "small__0123456789ab",
        spec: &spec,
        offer: &offer(None).unwrap(),
        zone: Some(&Zone::new("rack-1")),
        metadata: &metadata,
        mark: &mark,
        user_data,
    })
}

fn create(stage: &Stage) -> Result<ServerId, ProviderError> {
    create_with(&mut stage.exec(), Some("#!/bin/sh\necho {{ \"quoted\" }}\n"))
}

fn list(answer: &str) -> Result<Vec<Server>, ProviderError> {
    let stage = Stage::new("cat \"$0.answer\"");
    fs::write(stage.path("program.answer"), answer).unwrap();
    stage.exec().servers().map(|list| list.servers)
}

/// The name of a variant.
fn kind(error: &ProviderError) -> String {
    let text = format!("{error:?}");
    text.split(|c: char| !c.is_alphanumeric()).next().unwrap().to_owned()
}

#[test]
fn it_is_told_what_it_needs_and_nothing_else() {
    let mut stage =
        Stage::new("cat > input; echo \"$@\" > arguments; pwd > folder; env > environment; echo '{\"id\": \"s-1\"}'");
    stage.settings.arguments = vec!["--a".to_owned(), "b c".to_owned()];
    stage.settings.environment = [("CLOUD".to_owned(), Secret::new("x"))].into();
    assert_eq!(create(&stage).unwrap(), ServerId::new("s-1"));
    let told: Value = serde_json::from_str(&stage.read("input")).unwrap();
    assert_eq!(
        told,
        json!({
            "version": 1, "verb": "create", "provider": "farm", "owner": "tester",
            "server": {
                "name": "small__0123456789ab", "template": "small", "zone": "rack-1",
                "metadata": {"mita-owner": "tester", "mita-node": "small", "team": "ci"},
                "user_data": "#!/bin/sh\necho {{ \"quoted\" }}\n",
                "spec": {
                    "image_name": "debian", "size": {"vcpus": 2, "ram": 4096, "disk": 0}, "networks": ["ci"],
                    "ports": ["p1"], "config_drive": false, "options": {"deep": {"x": [1]}},
                },
            },
        })
    );
    assert_eq!(stage.read("arguments"), "--a b c create\n");
    let folder = stage.folder.path().canonicalize().unwrap();
    assert_eq!(stage.read("folder").trim(), folder.to_str().unwrap());
    let variables = stage.read("environment");
    let mut variables: Vec<&str> = variables.lines().filter(|line| !line.starts_with("_=")).collect();
    variables.sort_unstable();
    variables.retain(|line| !line.starts_with("PWD=") && !line.starts_with("SHLVL=") && !line.starts_with("OLDPWD="));
    assert_eq!(variables, ["CLOUD=x", "PATH=/usr/bin:/bin"]);
}

#[test]
fn a_list_is_read_with_all_that_it_tells() {
    let answer = json!({
        "version": 1, "clock": "2026-03-02T06:00:00Z", "more": [],
        "servers": [
            {
                "id": "s-1", "name": "small__0123456789ab", "status": "Active", "created": "2026-03-02T05:00:00+01:00",
                "addresses": ["10.0.0.7", "2001:db8::7"], "zone": "rack-1", "image": "debian", "fault": null,
                "metadata": {"mita-owner": "tester", "mita-node": "small", "mita-id": "0123456789ab", "mita-config": "c", "n": 1},
            },
            {"id": "s-2", "name": "web", "status": "deleting", "metadata": {}, "zone": "", "addresses": null},
            {"id": "s-3", "name": "a\u{1b}[2J", "status": "ERROR", "metadata": {}, "fault": "no\u{7} disk"},
        ],
    });
    let servers = list(&answer.to_string()).unwrap();
    let first = &servers[0];
    assert_eq!(
        (first.status.clone(), first.zone.as_ref().map(Zone::as_str)),
        (ServerStatus::Active, Some("rack-1"))
    );
    assert_eq!(first.created, "2026-03-02T04:00:00Z".parse().ok());
    assert_eq!(first.addresses[1].ip.to_string(), "2001:db8::7");
    assert!(!first.has_port(), "no floating IP is to be added");
    let mark = first.mark.as_ref().unwrap();
    assert_eq!((mark.owner.as_str(), mark.config.as_deref()), ("tester", Some("c")));
    assert_eq!(mark.id.as_ref().unwrap().as_str(), "0123456789ab");
    assert_eq!(servers[1].task_state.as_deref(), Some("deleting"));
    assert_eq!(servers[1].created, None, "not older than it can be shown to be");
    assert!(servers[1].mark.is_none() && servers[1].zone.is_none());
    assert_eq!(servers[2].fault.as_deref(), Some("no\\u{7} disk"));
}

#[test]
fn a_list_that_is_not_as_promised_is_none() {
    let good = r#"{"id": "s", "name": "n", "status": "ACTIVE", "metadata": {}}"#;
    assert_eq!(list(&format!(r#"{{"servers": [{good}]}}"#)).unwrap().len(), 1);
    let with = |old: &str, new: &str| format!(r#"{{"servers": [{}]}}"#, good.replace(old, new));
    let cases = [
        (String::new(), "EOF while parsing"),
        ("null".to_owned(), "expected an object"),
        ("[[]]".to_owned(), "expected an object"),
        (
            r#"{"servers": [["s", "n", "ACTIVE", {}]]}"#.to_owned(),
            "servers[0]: expected an object",
        ),
        ("{}".to_owned(), "missing field `servers`"),
        (r#"{"servers": null}"#.to_owned(), "invalid type"),
        (r#"{"servers": []} trailing"#.to_owned(), "trailing characters"),
        (
            r#"{"servers": [], "version": 2}"#.to_owned(),
            "speaks version 2 of the protocol, mita speaks 1",
        ),
        (
            format!(r#"{{"servers": [{good}, {good}]}}"#),
            "servers[1]: the id \"s\" is there twice",
        ),
        (with(r#""id": "s", "#, ""), "servers[0]: missing field `id`"),
        (with(r#""s""#, "7"), "servers[0]: invalid type"),
        (with(r#""s""#, r#""""#), "is no id"),
        (with(r#""s""#, r#""a\u001bb""#), "is no id"),
        (with(r#", "metadata": {}"#, ""), "servers[0]: missing field `metadata`"),
        (with("}}", r#"}, "created": "yesterday"}"#), "servers[0]: "),
        (with("}}", r#"}, "addresses": ["10.0.0"]}"#), "servers[0]: "),
        ("<html>\u{1b}[2J".to_owned(), "it begins \"<html>\\u{1b}[2J\""),
    ];
    for (answer, expected) in cases {
        let error = list(&answer).unwrap_err();
        assert_eq!(kind(&error), "BadAnswer", "{answer}");
        assert!(error.to_string().contains(expected), "{answer}: {error}");
    }
}

#[test]
fn an_exit_code_says_what_a_caller_acts_on() {
    let cases = [
        (1, "Unavailable", "Unknown", "Unknown"),
        (2, "Unavailable", "Unknown", "Unknown"),
        (64, "Unavailable", "Unavailable", "Unavailable"),
        (65, "Refused", "Refused", "Refused"),
        (66, "NotFound", "NotFound", "gone"),
        (69, "Unavailable", "Unavailable", "Unavailable"),
        (73, "Capacity", "Capacity", "Capacity"),
        (75, "Throttled", "Throttled", "Throttled"),
        (77, "Auth", "Auth", "Auth"),
        (79, "Quota", "Quota", "Quota"),
        (80, "Zone", "Zone", "Zone"),
        (81, "Conflict", "Conflict", "Conflict"),
        (127, "Unavailable", "Unknown", "Unknown"),
    ];
    for (code, listing, creating, deleting) in cases {
        let script = format!("cat > /dev/null; echo first >&2; echo 'the reason' >&2; echo >&2; exit {code}");
        let stage = Stage::new(&script);
        let error = stage.exec().servers().unwrap_err();
        assert_eq!(kind(&error), listing, "list: {code}");
        let text = error.to_string();
        assert!(text.contains(&format!("list: the reason (exit code {code})")), "{text}");
        assert_eq!(kind(&create(&stage).unwrap_err()), creating, "create: {code}");
        let deleted = stage.exec().delete(&ServerId::new("s-1"));
        let deleted = deleted.map_or_else(
            |error| kind(&error),
            |how| match how {
                Deleted::AlreadyGone => "gone".to_owned(),
                Deleted::Accepted => "accepted".to_owned(),
            },
        );
        assert_eq!(deleted, deleting, "delete: {code}");
    }
    let stage = Stage::new("echo '{\"retry_after\": 7}'; exit 75");
    let ProviderError::Throttled { message, retry_after } = create(&stage).unwrap_err() else {
        panic!("not throttled");
    };
    assert_eq!(retry_after, Some(7));
    assert!(
        message.ends_with("exit code 75, and it says nothing on stderr"),
        "{message}"
    );
    assert_eq!(kind(&create(&Stage::new("kill -9 $$")).unwrap_err()), "Unknown");
    assert_eq!(
        kind(&Stage::new("kill -9 $$").exec().servers().unwrap_err()),
        "Unavailable"
    );
}

#[test]
fn a_create_that_does_not_say_what_it_made_may_have_made_it() {
    for answer in [
        "",
        "{}",
        "ok",
        "{\"id\": \"\"}",
        "{\"id\": 7}",
        "{\"id\": \"s\", \"version\": 2}",
        "{\"id\": \"a\\nb\"}",
    ] {
        let error = create(&Stage::new(&format!("printf '%s' '{answer}'"))).unwrap_err();
        assert_eq!(kind(&error), "Unknown", "{answer}: {error}");
    }
}

#[test]
fn a_program_that_is_not_there_has_done_nothing() {
    let mut stage = Stage::new("");
    stage.settings.program = stage.path("gone");
    let error = create(&stage).unwrap_err();
    assert_eq!(kind(&error), "Unavailable", "{error}");
    assert!(error.to_string().contains("gone: No such file"), "{error}");
    let mut late = Exec::new(&Stage::new("touch called").settings, Deadline::after(Duration::ZERO));
    assert_eq!(
        late.servers().unwrap_err().to_string(),
        "unavailable: list: no time is left in this pass"
    );
}

#[test]
fn large_texts_go_both_ways_at_once() {
    // It writes all it has before it reads, and more to stderr than anyone keeps.
    let script = "i=0; while [ $i -lt 4000 ]; do echo 'padding padding padding padding padding' >&2; i=$((i+1)); done\n\
                  echo the-last-word >&2; printf '{\"id\": \"s-1\", \"padding\": \"'; head -c 900000 /dev/zero | tr '\\0' x\n\
                  printf '\"}'; wc -c > size";
    let stage = Stage::new(script);
    let user_data = "y".repeat(3_000_000);
    assert_eq!(
        create_with(&mut stage.exec(), Some(&user_data)).unwrap(),
        ServerId::new("s-1")
    );
    assert!(
        stage.read("size").trim().parse::<usize>().unwrap() > 3_000_000,
        "all of it arrived"
    );
    // One that does not want to hear it.
    let stage = Stage::new("exec < /dev/null; echo '{\"id\": \"s-2\"}'");
    assert_eq!(
        create_with(&mut stage.exec(), Some(&user_data)).unwrap(),
        ServerId::new("s-2")
    );
}

#[test]
fn an_answer_beyond_the_bound_is_an_error_and_ends_the_program() {
    let stage =
        Stage::new("trap '' TERM; echo $$ > pid; while :; do echo '{\"servers\": [],                          '; done");
    let began = Instant::now();
    let error = stage.exec().servers().unwrap_err();
    assert!(
        error
            .to_string()
            .contains("killed, as its answer is larger than 1048576 bytes"),
        "{error}"
    );
    assert!(began.elapsed() < PATIENCE);
    assert!(ends(stage.read("pid").trim()));
    assert_eq!(kind(&create(&stage).unwrap_err()), "Unknown");
}

/// Whether a process of that number runs.
fn lives(pid: &str) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/stat"));
    status.is_ok_and(|status| !status.contains(") Z "))
}

/// Whether a process of that number ends. One that was killed may be seen for a moment until it is its turn to go.
fn ends(pid: &str) -> bool {
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        if !lives(pid) {
            return true;
        }
        std::thread::yield_now();
    }
    false
}

#[test]
fn a_slow_program_goes_with_all_that_it_started() {
    let script = "cat > /dev/null; (trap '' TERM; exec sleep 600) & echo $! > child; trap '' TERM; sleep 600";
    let mut stage = Stage::new(script);
    stage.settings.timeout = SignedDuration::from_secs(1);
    let began = Instant::now();
    let error = create(&stage).unwrap_err();
    assert_eq!(kind(&error), "Unknown");
    assert!(error.to_string().contains("killed after 1 s (timeout)"), "{error}");
    assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
    if cfg!(target_os = "linux") {
        assert!(ends(stage.read("child").trim()), "the group is gone");
    }
    let mut exec = Exec::new(&stage.settings, Deadline::after(Duration::from_millis(300)));
    let error = exec.servers().unwrap_err().to_string();
    assert!(
        error.starts_with("unavailable: list: killed, as the time of this pass is over"),
        "{error}"
    );
}

#[test]
fn what_it_leaves_running_is_not_waited_for() {
    let stage = Stage::new("sleep 600 & echo $! > child; echo '{\"servers\": []}'");
    let began = Instant::now();
    assert!(stage.exec().servers().unwrap().servers.is_empty());
    assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
    let child = stage.read("child");
    assert!(lives(child.trim()), "it is the operator's own");
    let pid = rustix::process::Pid::from_raw(child.trim().parse().unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}

#[test]
fn a_closed_stdout_is_no_end() {
    let stage = Stage::new("echo '{\"id\": \"s-1\"}'; exec >&- 2>&-; sleep 0.3; exit 65");
    assert_eq!(kind(&create(&stage).unwrap_err()), "Refused");
}

#[test]
fn secrets_are_not_said() {
    let mut stage = Stage::new("cat >&2; echo \"$PASS and $0\" >&2; exit 65");
    stage.settings.environment = [("PASS".to_owned(), Secret::new("hunter22"))].into();
    let user_data = "#!/bin/sh\ncurl -d \"t0p-secret\" x\n";
    let error = create_with(&mut stage.exec(), Some(user_data)).unwrap_err().to_string();
    assert!(error.contains("*** and ") && !error.contains("hunter22"), "{error}");
    let stage = Stage::new("cat >&2; exit 65");
    let error = create_with(&mut stage.exec(), Some(user_data)).unwrap_err().to_string();
    assert!(error.contains("create") && !error.contains("t0p-secret"), "{error}");
}

#[test]
fn control_characters_of_stderr_reach_no_terminal() {
    let stage = Stage::new("printf '\\033[2Jbad\\007\\n' >&2; exit 69");
    assert_eq!(
        stage.exec().servers().unwrap_err().to_string(),
        "unavailable: list: \\u{1b}[2Jbad\\u{7} (exit code 69)"
    );
}

const VERBS: &str = r#"case $1 in
list) echo '{"servers": [{"id": "s-1", "name": "small__0123456789ab", "status": "BUILD", "metadata": {}}],
  "verbs": ["offers", "check", "console", "fly"]}' ;;
offers) cat > offers; echo '{"room": {"servers": 2, "ram": null}, "templates": {"small": {"vcpus": 4, "ram": 512},
  "large": {"unavailable": "no such\u0007 image"}}}' ;;
check) cat > check; echo '{"missing": ["no image debain", ""]}' ;;
console) cat > console; printf '{"text": "one\\ntwo\\nthree\\n"}' ;;
*) cat > delete ;;
esac"#;

#[test]
fn verbs_beyond_the_three_are_called_where_the_list_names_them() {
    let stage = Stage::new(VERBS);
    let mut exec = stage.exec();
    let (small, large, other, spec) = (
        TemplateName::new("small"),
        TemplateName::new("large"),
        TemplateName::new("o"),
        spec(),
    );
    let offers = exec
        .offers(&[(&small, &spec), (&large, &spec), (&other, &spec)])
        .unwrap();
    assert_eq!(
        (offers.room.instances, offers.room.vcpus, offers.room.ram_mb),
        (Some(2), None, None)
    );
    let has = |name| offers.templates[name].as_ref().map(|offer| (offer.vcpus, offer.ram_mb));
    assert_eq!(has(&small), Ok((4, 512)));
    assert_eq!(has(&other), Ok((0, 0)));
    assert_eq!(has(&large).unwrap_err().reason, "no such\\u{7} image");
    let told: Value = serde_json::from_str(&stage.read("offers")).unwrap();
    assert_eq!(told["templates"][1]["name"], "large");
    assert_eq!(told["templates"][0]["spec"]["image_name"], "debian");

    let zones = [Zone::new("rack-1")];
    assert_eq!(
        exec.check(&[(&small, &spec, &zones)]).unwrap().missing,
        ["no image debain"]
    );
    let told: Value = serde_json::from_str(&stage.read("check")).unwrap();
    assert_eq!(told["templates"][0]["zones"], json!(["rack-1"]));

    let id = ServerId::new("s-1");
    assert_eq!(exec.console(&id, 2).unwrap().as_deref(), Some("two\nthree"));
    let told: Value = serde_json::from_str(&stage.read("console")).unwrap();
    assert_eq!((&told["lines"], &told["server"]["id"]), (&json!(2), &json!("s-1")));

    assert_eq!(exec.delete(&id).unwrap(), Deleted::Accepted);
    let told: Value = serde_json::from_str(&stage.read("delete")).unwrap();
    assert_eq!(told["server"], json!({"id": "s-1", "name": "small__0123456789ab"}));
    assert_eq!(
        exec.requests(),
        7,
        "one for each call, one list for `verbs`, and one list and one `offers` for `check`"
    );
}

#[test]
fn without_further_verbs_nothing_else_is_called() {
    let stage = Stage::new("echo \"$1\" >> called; echo '{\"servers\": [], \"verbs\": null}'");
    let mut exec = stage.exec();
    let (small, spec) = (TemplateName::new("small"), spec());
    let offers = exec.offers(&[(&small, &spec)]).unwrap();
    assert!(offers.templates[&small].is_ok());
    assert_eq!(offers.room, crate::model::Headroom::default());
    assert_eq!(exec.check(&[]).unwrap().missing, [""; 0]);
    assert_eq!(exec.console(&ServerId::new("s"), 5).unwrap(), None);
    assert_eq!(stage.read("called"), "list\nlist\n");
    assert_eq!(kind(&exec.delete(&ServerId::new("")).unwrap_err()), "Refused");
}
