//! Hours of bad weather: jobs come and go while answers get lost, lists break off or lack servers and addresses, zones
//! fail, builds begin in the worst moments, persons disconnect nodes and the state file vanishes. Whatever happens, no
//! build is killed by a removal, nothing foreign is touched, no limit is passed, and when the weather clears all that was
//! ours is gone.

use std::collections::BTreeSet;
use std::fs;
use std::ops::Deref;

use serde_json::json;

use super::bare_site::BareSite;
use super::fakes::{
    Agent, CloudServer, FakeOpenStack, Fault, Hidden, JoinsAs, Kind, Mark, Reply, Service, State, Task, When,
};
use super::program::Done;

/// Minutes of storm, and then of calm.
const STORM: usize = 90;
const CALM: usize = 100;

const NODES: &str = "\
timing: {idle_grace: 5m, boot_grace: 8m, offline_grace: 3m, backoff_max: 10m}
defaults: {provider: main, image_name: ubuntu-24.04, keyname: jenkins, availability_zone: [az1, az2]}
nodes:
  linux: {size: m1.small, labels: [linux, x86_64], max: 6, script: '#!/bin/sh'}
  arm: {size: m1.medium, labels: [linux, arm64], max: 3, executors: 2, storage: 10}
";

struct Weather {
    bare: BareSite,
    _cloud: FakeOpenStack,
    log: Vec<String>,
}

impl Deref for Weather {
    type Target = BareSite;

    fn deref(&self) -> &BareSite {
        &self.bare
    }
}

impl Weather {
    fn new(seed: u64) -> Self {
        let bare = BareSite::in_memory(seed, "/ci");
        let cloud = FakeOpenStack::start(&bare.world, "main");
        bare.write_config(&format!(
            "owner: ours\n{}provider:\n{}{NODES}",
            bare.jenkins.yaml(),
            cloud.yaml()
        ));
        let world = &bare.world;
        world.kind("linux", Kind::new(&["linux", "x86_64"]).boot(40).jitter(60));
        let arm = Kind::new(&["linux", "arm64"]).executors(2).boot(90).jitter(120);
        world.kind("arm", arm.joins_as(JoinsAs::TemplateAndAddress));
        world.agent(Agent::new("house", &["deploy"]).online());
        world.with(foreign);
        Self {
            bare,
            _cloud: cloud,
            log: Vec::new(),
        }
    }

    fn pass(&mut self) -> i32 {
        let cut = self.cut();
        let Done { code, out, err } = self.mita(&["-q", "run", "-o", "json"]);
        let text = format!("{out}{err}");
        let line = format!("{} exit {code} {}", self.world.now(), text.trim());
        self.log.push(line);
        let state = self.world.lock();
        let gone = cut.iter().find(|name| !state.jenkins.agents.contains_key(*name));
        assert_eq!(gone, None, "a person disconnected it, and it is gone\n{}", text.trim());
        code
    }

    /// The nodes that a person disconnected.
    fn cut(&self) -> Vec<String> {
        let state = self.world.lock();
        let cut = state.jenkins.agents.values().filter(|agent| is_cut(agent));
        cut.map(|agent| agent.name.clone()).collect()
    }

    /// What must hold at any time.
    fn check(&self) {
        let state = self.world.lock();
        let tail = || {
            self.log
                .iter()
                .rev()
                .take(12)
                .rev()
                .cloned()
                .collect::<Vec<_>>()
                .join("\n")
        };
        let lost: Vec<_> = state.jenkins.builds.iter().filter(|b| b.killed).collect();
        assert!(lost.is_empty(), "builds were killed: {lost:?}\n{}", tail());
        let servers = &state.clouds["main"].servers;
        for name in ["theirs", "linux__0123456789ab"] {
            assert!(
                servers.iter().any(|s| s.name == name && s.deleting.is_none()),
                "{name} is gone\n{}",
                tail()
            );
        }
        assert!(state.jenkins.agents.contains_key("house"), "{}", tail());
        for (template, most) in [("linux", 6), ("arm", 3)] {
            let count = servers
                .iter()
                .filter(|s| s.metadata.get("mita-owner").is_some_and(|o| o == "ours"));
            let count = count.filter(|s| s.template() == template).count();
            assert!(count <= most, "{count} servers of {template}\n{}", tail());
        }
        let mut names = BTreeSet::new();
        for call in state
            .calls
            .iter()
            .filter(|c| c.service == Service::Nova && c.method == "POST")
        {
            let name = call.json()["server"]["name"].to_string();
            // One that certainly made nothing may be sent again: it was refused for its token.
            assert!(
                call.status == 401 || names.insert(name.clone()),
                "{name} was asked for twice\n{}",
                tail()
            );
        }
    }
}

/// Servers that are none of ours, one of them with a name of our form.
fn foreign(w: &mut State) {
    let cloud = w.cloud("main");
    let image = cloud.images[0].id.clone();
    for name in ["theirs", "linux__0123456789ab"] {
        let mut server = CloudServer::running(name, &image, "2");
        server.metadata.insert("mita-owner".to_owned(), "another".to_owned());
        cloud.servers.push(server);
    }
}

/// Some mishap, or none.
fn mishap(w: &mut State) {
    let proxy = || Reply::proxy_page(502);
    let broken = || {
        Reply::json(
            500,
            &json!({"computeFault": {"code": 500, "message": "Unexpected API Error."}}),
        )
    };
    let nova = |method: &str| When::on(Service::Nova).method(method);
    let jenkins = |part: &str| When::on(Service::Jenkins).part(part);
    let script = &mut w.script;
    match w.random.below(31) {
        0 => script.fault(nova("POST"), Fault::DropAfter),
        1 => script.fault(nova("POST"), Fault::DoneBut(proxy())),
        2 => script.fault(nova("POST"), Fault::DropBefore),
        3 => script.fault(nova("POST").skip(1), Fault::Instead(broken())),
        4 => script.fault(nova("GET").part("detail"), Fault::Instead(broken())),
        5 => script.fault(nova("GET").part("detail"), Fault::Half),
        6 => script.fault(nova("DELETE"), Fault::DropAfter),
        7 => script.fault(nova("DELETE"), Fault::Instead(broken())),
        8 => script.fault(jenkins("/queue"), Fault::Half),
        9 => script.fault(jenkins("/computer/api"), Fault::Instead(proxy())),
        10 => script.fault(jenkins("doDelete"), Fault::DropAfter),
        11 => script.fault(jenkins("doDelete"), Fault::Instead(proxy())),
        12 => script.fault(jenkins("changeOfflineCause"), Fault::DropAfter),
        13 => script.fault(jenkins("/computer/").skip(2), Fault::DropBefore),
        14 => script.fault(When::on(Service::Keystone), Fault::Instead(proxy())),
        15 => script.before(nova("POST"), |w| w.cloud("main").revoke_tokens()),
        16 => script.before(nova("DELETE"), |w| w.cloud("main").revoke_tokens()),
        17 | 18 => script.after(jenkins("changeOfflineCause").times(3), |w| begin_somewhere(w, true)),
        19 | 20 => script.before(jenkins("changeOfflineCause").times(2), |w| begin_somewhere(w, false)),
        21 => {
            let broken = w.random.below(2) == 0;
            w.cloud("main").zones.get_mut("az1").expect("a zone").broken = broken;
        }
        22 => fail_one(w),
        23 => w.jenkins.quieting_down = !w.jenkins.quieting_down,
        24 => hide(w, true),
        25 => hide(w, false),
        26 => script.before(jenkins("changeOfflineCause"), disconnect_one),
        27 => {
            let unknown = Reply::json(404, &json!({"message": "Api does not exist"}));
            script.fault(nova("DELETE").times(2), Fault::Instead(unknown));
        }
        _ => {}
    }
}

/// A build begins on the node that is being marked (or on any that is idle): it was assigned a moment before.
fn begin_somewhere(w: &mut State, marked: bool) {
    let fits = |a: &&Agent| a.idle() && a.connected && a.name != "house" && a.mark.is_some() == marked;
    if let Some(name) = w.jenkins.agents.values().find(fits).map(|a| a.name.clone()) {
        w.begin_build(&name, 200);
    }
}

/// For some minutes the list lacks half of the servers, or the addresses of all of them.
fn hide(w: &mut State, servers: bool) {
    let until = w.clock + 60 * (1 + w.random.below(4));
    let cloud = w.cloud("main");
    let ids: Vec<String> = cloud.servers.iter().map(|server| server.id.clone()).collect();
    for (place, id) in ids.into_iter().enumerate() {
        if !servers {
            cloud.hide_addresses.insert(id, (Hidden::All, until));
        } else if place % 2 == 0 {
            cloud.hide_from_list.insert(id, until);
        }
    }
}

/// A person disconnects a node that is idle.
fn disconnect_one(w: &mut State) {
    let fits = |a: &&Agent| a.idle() && a.connected && a.server.is_some();
    if let Some(name) = w.jenkins.agents.values().find(fits).map(|a| a.name.clone()) {
        let mark = Mark::by("alice", "looking at it", w.clock);
        w.jenkins.disconnect(&name, mark);
    }
}

fn is_cut(agent: &Agent) -> bool {
    let cause = agent.cause.as_ref();
    cause.is_some_and(|cause| cause.class.ends_with("UserCause"))
}

/// A person lets the nodes go on that were disconnected.
fn connect_all(w: &mut State) {
    for agent in w.jenkins.agents.values_mut().filter(|agent| is_cut(agent)) {
        let server = agent.server.clone();
        agent.connect(server);
    }
}

/// A machine without work breaks down.
fn fail_one(w: &mut State) {
    let idle = w
        .jenkins
        .agents
        .values()
        .find(|a| a.idle() && a.server.is_some())
        .map(|a| a.name.clone());
    if let Some(name) = idle {
        let clock = w.clock;
        w.jenkins.break_channel(&name, clock);
    }
}

fn storm(seed: u64) {
    let mut weather = Weather::new(seed);
    for minute in 0..STORM {
        weather.world.with(|w| {
            // Bursts, so that nodes fall idle in between and are removed in the storm.
            for n in 0..if minute % 24 < 10 { w.random.below(4) } else { 0 } {
                let (name, label) = [("unit", "linux&&x86_64"), ("arm", "arm64"), ("any", "linux")][w.random.index(3)];
                let seconds = 60 + w.random.below(400);
                w.submit(Task::freestyle(&format!("{name}-{n}")).label(label).seconds(seconds));
            }
            mishap(w);
            mishap(w);
        });
        let exit = weather.pass();
        assert!(
            [0, 1, 4].contains(&exit),
            "exit {exit}\n{}",
            weather.log.last().expect("a line")
        );
        weather.check();
        weather.world.clear_script();
        if minute % 10 == 9 {
            weather.world.with(connect_all);
        }
        if minute % 31 == 30 {
            let _ = fs::remove_file(weather.state_file());
        }
        weather.world.advance(60);
    }
    weather.world.with(|w| {
        w.jenkins.quieting_down = false;
        w.cloud("main").zones.values_mut().for_each(|z| z.broken = false);
        w.cloud("main").fault_in_list = true;
        connect_all(w);
    });
    for _ in 0..CALM {
        weather.pass();
        weather.check();
        weather.world.advance(60);
    }
    let state = weather.world.lock();
    let names: Vec<&String> = state.clouds["main"].servers.iter().map(|s| &s.name).collect();
    let tail = weather
        .log
        .iter()
        .rev()
        .take(5)
        .rev()
        .cloned()
        .collect::<Vec<_>>()
        .join("\n");
    assert_eq!(names, ["theirs", "linux__0123456789ab"], "seed {seed}\n{tail}");
    assert!(state.clouds["main"].volumes.is_empty(), "seed {seed}: volumes are left");
    let nodes: Vec<&String> = state.jenkins.agents.keys().collect();
    assert_eq!(nodes, ["house"], "seed {seed}\n{tail}");
    assert!(
        state.jenkins.queue.is_empty(),
        "seed {seed}: jobs wait for ever\n{tail}"
    );
}

#[test]
fn the_first_storm() {
    storm(4);
}

#[test]
fn the_second_storm() {
    storm(10);
}
