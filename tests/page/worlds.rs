//! The worlds whose pages are looked at.

use std::fs;

use serde_json::{Value, json};

use super::fakes::{Agent, Fault, Kind, Mark, Reply, Service, When};
use super::site::{Site, job};

/// Names that would be markup, a script, or an order of a terminal, if anybody let them.
const HOSTILE: [&str; 4] = [
    "<script>window.hostile=1</script>",
    "\"><img src=x onerror=window.hostile=1>",
    "'><svg onload=window.hostile=1><a href=javascript:window.hostile=1>",
    "</td></table></style><h1>{{7*7}}&lt;b&gt;\u{202e}",
];

const OUTPUTS: &str =
    "status_page: page.html\nlimits: {max_creates_per_pass: 400, max_booting: 400, canary: 0, max_servers: 400}\n";

/// A world: its name, and what writes its page.
type World = (&'static str, fn() -> String);

/// The worlds.
const WORLDS: [World; 7] = [
    ("blind", blind),
    ("broken", broken),
    ("burst", burst),
    ("empty", empty),
    ("hostile", hostile),
    ("many", many),
    ("quiet", quiet),
];

/// Returns the page of each world.
pub fn all() -> impl Iterator<Item = (&'static str, String)> {
    WORLDS.into_iter().map(|(name, page)| (name, page()))
}

/// Returns how many there are.
pub fn count() -> usize {
    WORLDS.len()
}

fn template(name: &str, labels: &str, max: u32, more: &str) -> String {
    format!(
        "\n  {name}:\n    image_name: ubuntu-24.04\n    size: m1.small\n    keyname: jenkins\n    networks: [private]\n    \
         labels: [{labels}]\n    provider: openstack\n    max: {max}\n{more}    script: |\n      #!/bin/sh\n      echo {{{{ \
         mita.name }}}}\n"
    )
}

/// A site with three templates.
fn site() -> Site {
    let nodes = [
        template("noble-small", "linux, x86_64", 20, "    min_ready: 2\n"),
        template("noble-large", "linux-large, x86_64", 6, ""),
        template("windows-2022", "windows", 4, ""),
    ];
    let site = Site::with(&nodes.concat(), OUTPUTS);
    let kinds = [
        ("noble-small", &["linux", "x86_64"][..]),
        ("noble-large", &["linux-large", "x86_64"]),
        ("windows-2022", &["windows"]),
    ];
    for (name, labels) in kinds {
        site.world.kind(name, Kind::new(labels).jitter(20));
    }
    site
}

/// Waits for so many minutes, with a pass in each.
fn minutes(site: &Site, count: u32) {
    for _ in 0..count {
        site.world.advance(60);
        site.run();
    }
}

fn page(site: &Site) -> String {
    fs::read_to_string(site.path("page.html")).expect("a page")
}

/// Gives the memory a day of readings and the last events, as a busy day leaves them.
fn remember_a_day(site: &Site) {
    let now = site.world.now().as_second();
    let begin = now - now.rem_euclid(300) - 287 * 300;
    let samples: Vec<Value> = (0..288_i64)
        .filter(|slot| !(70..82).contains(slot))
        .map(|slot| sample(begin, slot))
        .collect();
    let mut state = site.state();
    state["page"] = json!({ "samples": samples, "recent": events(now) });
    let room = json!({"instances": 12, "vcpus": 48, "ram_mb": 196_608});
    state["headroom"] = json!({"openstack": {"at": at(now, 240), "value": room}});
    fs::write(site.state_file(), state.to_string()).unwrap();
}

/// A reading of a day with two bursts.
fn sample(begin: i64, slot: i64) -> Value {
    let hill = |middle: i64, width: i64, height: i64| (height - (slot - middle).abs() * height / width).max(0);
    let noise = slot * 7919 % 5;
    let waiting = hill(120, 18, 22) + hill(215, 25, 34) + i64::from(slot % 23 == 4);
    let unserved = (waiting - 20).max(0);
    let busy = (hill(125, 45, 18) + hill(222, 50, 22) + noise / 4).min(26);
    let booting = (waiting / 3).min(8);
    let idle = 2 + hill(150, 20, 6) + hill(255, 20, 9);
    let off = i64::from((160..190).contains(&slot));
    let joined = i64::from(booting > 0 && noise != 1) * (booting / 2 + 1);
    let served = i64::from(waiting > 0) * (waiting / 2 + 1);
    let (boot, wait) = (70 + noise * 9 + booting * 4, 20 + waiting * 17 + noise * 6);
    let oldest = if waiting > 0 { 30 + waiting * 24 } else { 0 };
    json!([
        begin + slot * 300,
        waiting,
        oldest,
        unserved,
        booting,
        busy,
        idle,
        off,
        joined,
        boot,
        served,
        wait
    ])
}

fn at(now: i64, ago: i64) -> String {
    let at = jiff::Timestamp::from_second(now - ago).unwrap();
    at.to_string()
}

fn events(now: i64) -> Vec<Value> {
    let mut events = vec![
        json!({"v":1,"at":at(now, 90_000),"pass":"a","n":0,"event":"rollback","node":"windows-2022","provider":"openstack",
            "image":"win-2022-11-28","instead":"win-2022-11-14"}),
        json!({"v":1,"at":at(now, 9000),"pass":"b","n":0,"event":"problem","state":"begin","key":"at-max/noble-large",
            "kind":"at-max","subject":"noble-large","severity":"warning",
            "sentence":"items wait behind `max` of template \"noble-large\"; raise it, or let them wait"}),
        json!({"v":1,"at":at(now, 7200),"pass":"c","n":0,"event":"problem","state":"end","key":"at-max/noble-large",
            "kind":"at-max","subject":"noble-large","severity":"warning",
            "sentence":"items wait behind `max` of template \"noble-large\"; raise it, or let them wait"}),
        json!({"v":1,"at":at(now, 5000),"pass":"d","n":0,"event":"failed","name":"windows-2022__0f3e9a1b2c4d",
            "node":"windows-2022","error":"did not join Jenkins within 15m"}),
    ];
    for (number, ago) in [2400, 1500, 900, 600, 300].into_iter().enumerate() {
        let name = format!("noble-small__{:012x}", 0x00a1_b2c3_d4e5_u64 + number as u64 * 7717);
        events.push(
            json!({"v":1,"at":at(now, ago),"pass":"e","n":number,"event":"created","name":name,"node":"noble-small",
            "provider":"openstack","zone":"nova","for":"team-web/frontend-build","label":"linux && x86_64"}),
        );
        events.push(
            json!({"v":1,"at":at(now, ago - 85),"pass":"f","n":number,"event":"joined","name":name,
            "node":"noble-small","seconds":85}),
        );
    }
    events.push(json!({"v":1,"at":at(now, 120),"pass":"g","n":0,"event":"removed","name":"noble-small__00a1b2c30011",
        "node":"noble-small","because":"idle for 40m","seconds":9120,"busy_seconds":5400,"idle_seconds":2460,"builds":7}));
    events
}

/// Nothing was ever there.
fn empty() -> String {
    let site = Site::with(&template("small", "linux", 3, ""), OUTPUTS);
    site.run();
    page(&site)
}

/// A warm pool, some builds, nothing waits.
fn quiet() -> String {
    let site = site();
    for number in 0..5 {
        site.world
            .submit(job(&format!("team-web/build-{number}"), "linux").seconds(6000));
    }
    site.world.submit(job("platform/nightly", "linux-large").seconds(9000));
    minutes(&site, 8);
    remember_a_day(&site);
    minutes(&site, 1);
    page(&site)
}

/// More waits than may be served.
fn burst() -> String {
    let site = site();
    minutes(&site, 5);
    for number in 0..34 {
        site.world
            .submit(job(&format!("team-web/frontend-build-{number}"), "linux").seconds(2400));
    }
    for number in 0..9 {
        site.world
            .submit(job(&format!("platform/integration/suite-{number}"), "linux-large && x86_64").seconds(5400));
    }
    for number in 0..3 {
        site.world
            .submit(job(&format!("apps/desktop-{number}"), "windows").seconds(600));
    }
    site.world.submit(job("labs/try", "gpu && !linux"));
    minutes(&site, 40);
    remember_a_day(&site);
    for number in 0..7 {
        site.world
            .submit(job(&format!("team-data/import-{number}"), "linux").seconds(600));
    }
    minutes(&site, 1);
    page(&site)
}

/// The cloud refuses, a node is a person's, and an operator paused a template.
fn broken() -> String {
    let site = site();
    for number in 0..6 {
        site.world
            .submit(job(&format!("team-web/build-{number}"), "linux").seconds(90_000));
    }
    minutes(&site, 6);
    let names: Vec<String> = site.world.with(|world| world.jenkins.agents.keys().cloned().collect());
    site.world
        .with(|world| world.mark(&names[0], "alice", "looking at a flaky test"));
    site.world.with(|world| {
        let at = world.clock;
        let agent = world.jenkins.agents.get_mut(&names[1]).expect("an agent");
        agent.mark = Some(Mark::monitor("Disk space is too low. Only 0.4GB left on /srv.", at));
    });
    let refused = Reply::json(
        403,
        &json!({"forbidden": {"code": 403, "message": "Quota exceeded for cores: Requested 4, but already used 96 of 96 cores"}}),
    );
    let create = When::on(Service::Nova).method("POST").path("/servers").always();
    site.world.fault(create, Fault::Instead(refused));
    for number in 0..8 {
        site.world
            .submit(job(&format!("platform/suite-{number}"), "linux-large").seconds(600));
    }
    let paused = site.mita(&["pause", "--template", "windows-2022", "--reason", "new image on trial"]);
    assert_eq!(paused.code, 0, "{}", paused.err);
    site.world.submit(job("apps/desktop", "windows"));
    minutes(&site, 45);
    remember_a_day(&site);
    minutes(&site, 1);
    page(&site)
}

/// Every name that others choose is hostile.
fn hostile() -> String {
    let site = site();
    for (number, name) in HOSTILE.into_iter().enumerate() {
        site.world.submit(job(name, "linux").seconds(6000));
        site.world
            .submit(job(&format!("{name} {number}"), &format!("no-{name}")));
    }
    minutes(&site, 5);
    let names: Vec<String> = site.world.with(|world| world.jenkins.agents.keys().cloned().collect());
    for (agent, hostile) in names.iter().zip(HOSTILE) {
        site.world.with(|world| world.mark(agent, "mallory", hostile));
    }
    let refused = Reply::json(400, &json!({"badRequest": {"code": 400, "message": HOSTILE.concat()}}));
    let create = When::on(Service::Nova).method("POST").path("/servers").always();
    site.world.fault(create, Fault::Instead(refused));
    for name in HOSTILE {
        site.world.submit(job(name, "linux-large").seconds(6000));
        site.world.agent(Agent::new(&format!("noble-small+{name}"), &["linux"]));
    }
    let pause = site.mita(&["pause", "--template", "windows-2022", "--reason", HOSTILE[0]]);
    assert_eq!(pause.code, 0, "{}", pause.err);
    minutes(&site, 20);
    remember_a_day(&site);
    hostile_events(&site);
    minutes(&site, 1);
    page(&site)
}

fn hostile_events(site: &Site) {
    let now = site.world.now().as_second();
    let mut state = site.state();
    let event = |(number, name): (usize, &&str)| {
        json!({"v":1,"at":at(now, 60),"pass":name,"n":number,"event":"failed","name":name,"node":name,"provider":name,
            "zone":name,"for":name,"label":name,"because":name,"error":name,"image":name,"instead":name})
    };
    state["page"]["recent"] = HOSTILE.iter().enumerate().map(event).collect();
    fs::write(site.state_file(), state.to_string()).unwrap();
}

/// More servers than a table shows.
fn many() -> String {
    let nodes = template("noble-small", "linux, x86_64", 300, "");
    let site = Site::with(&nodes, OUTPUTS);
    site.world.kind("noble-small", Kind::new(&["linux", "x86_64"]));
    site.world.with(|world| world.cloud("openstack").quota.instances = 1000);
    for number in 0..310 {
        site.world
            .submit(job(&format!("team-{}/build-{number}", number % 7), "linux").seconds(9000));
    }
    minutes(&site, 4);
    remember_a_day(&site);
    minutes(&site, 1);
    page(&site)
}

/// Jenkins went away.
fn blind() -> String {
    let site = site();
    for number in 0..5 {
        site.world
            .submit(job(&format!("team-web/build-{number}"), "linux").seconds(6000));
    }
    minutes(&site, 8);
    remember_a_day(&site);
    minutes(&site, 1);
    let down = When::on(Service::Jenkins).always();
    site.world
        .fault(down, Fault::Instead(Reply::json(503, &json!({"message": "broken"}))));
    minutes(&site, 12);
    page(&site)
}
