//! The day that is played: the templates, who wants what when, and what goes wrong.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::fakes::{Agent, FakeJenkins, FakeOpenStack, JoinsAs, Kind, State, Task, World};

/// The last minute in which somebody starts a job.
pub const LAST_MINUTE: i64 = 200;

/// The length of a day, in seconds.
pub const DAY: i64 = 86_400;

/// What an hour of a server costs; servers of arm have no price.
pub const PRICES: [(&str, f64); 2] = [("linux", 0.085), ("docker", 0.34)];

/// The job for which there is no template.
const NOBODY: &str = "installer";

/// What the watcher is told first.
pub const OPENING: &str = "\
mita, watched for some hours: Jenkins and OpenStack are simulated, each pass
is the real program, once a minute.

  linux   labels linux, x86_64           up to 12
  docker  labels linux, x86_64, docker   up to 4, 2 executors each
  arm     labels linux, arm64            up to 4, slow to boot

Servers stand in zone az1, else in az2; the project has room for 14. A node
idle for 10 minutes goes.
+ asked for   * joined Jenkins   - removed   ! trouble   ~ somebody else

 time   waiting  running  servers
";

/// The configuration that mita is given.
pub fn config(jenkins: &FakeJenkins, cloud: &FakeOpenStack, folder: &Path) -> String {
    format!(
        "owner: playground\ncurrency: EUR\nstate_file: {}\n{}provider:\n{}timing:\n  idle_grace: 10m\n  boot_grace: 10m\n{NODES}",
        folder.join("state.json").display(),
        jenkins.yaml(),
        cloud.yaml()
    )
}

const NODES: &str = "\
defaults:
  provider: openstack
  image_name: ubuntu-24.04
  keyname: jenkins
  availability_zone: [az1, az2]
  script: |
    #!/bin/bash
    echo 'would join Jenkins as {{ mita.name }}'
nodes:
  linux:
    size: m1.small
    price: 0.085
    labels: [linux, x86_64]
    max: 12
  docker:
    size: m1.large
    labels: [linux, x86_64, docker]
    executors: 2
    max: 4
    price: 0.34
    priority: 200
  arm:
    size: m1.medium
    labels: [linux, arm64]
    max: 4
";

/// Says what the templates become, and what else there is.
fn prepare(world: &World) {
    world.kind("linux", Kind::new(&["linux", "x86_64"]).boot(50).jitter(40));
    let docker = Kind::new(&["linux", "x86_64", "docker"]).executors(2);
    world.kind("docker", docker.boot(70).jitter(40));
    let arm = Kind::new(&["linux", "arm64"]).joins_as(JoinsAs::TemplateAndAddress);
    world.kind("arm", arm.boot(170).jitter(90));
    // A small agent of the house, none of ours, which is there always.
    world.agent(Agent::new("house", &["deploy"]).online());
    world.lock().cloud("openstack").quota.instances = 14;
}

/// Puts a week into the world's agenda: five working days with bursts, two quiet ones, and a zone without hosts for an
/// hour of the second.
pub fn begin_week(world: &World) {
    prepare(world);
    let mut state = world.lock();
    let start = state.clock;
    for day in 0..7 {
        let morning = start + day * DAY;
        let bursts: &[(i64, i64)] = if day < 5 {
            &[(62, 9), (125, 5), (190, 14), (310, 12), (415, 20), (600, 6)]
        } else {
            &[(200, 3)]
        };
        for (minute, size) in bursts {
            burst(&mut state, morning + minute * 60, *size);
        }
        for minute in (7..1_400).step_by(41) {
            burst(&mut state, morning + minute * 60, 1);
        }
    }
    let second = start + DAY + 300 * 60;
    state.at(second, |w| drop(zone(w, true, "")));
    state.at(second + 3_600, |w| drop(zone(w, false, "")));
}

/// Puts the day into the world's agenda.
pub fn begin(world: &World) -> Notes {
    prepare(world);
    let mut state = world.lock();
    let start = state.clock;
    for (minute, size) in [(2, 9), (31, 5), (58, 14), (96, 12), (140, 20), (185, 6)] {
        burst(&mut state, start + minute * 60, size);
    }
    for minute in (12..LAST_MINUTE).step_by(9) {
        burst(&mut state, start + minute * 60, 1);
    }
    let notes = Notes::default();
    let mut event = |minute: i64, act: fn(&mut State) -> String| {
        let notes = notes.clone();
        state.at(start + minute * 60, move |w| {
            let note = act(w);
            notes.0.lock().unwrap_or_else(PoisonError::into_inner).push(note);
        });
    };
    event(40, |w| {
        w.submit(Task::freestyle(NOBODY).label("windows").seconds(300));
        "somebody queues a job for windows, which nobody serves".to_owned()
    });
    event(120, |w| {
        w.jenkins.queue.retain(|i| i.task.name != NOBODY);
        "the job for windows is cancelled".to_owned()
    });
    event(62, |w| {
        let free = w
            .jenkins
            .nodes()
            .find(|a| a.name != "house" && !a.offline())
            .map(|a| a.name.clone());
        let name = free.unwrap_or_else(|| "house".to_owned());
        w.mark(&name, "alice", "looking into it");
        format!("alice takes {name} offline to look into it: mita is to leave it alone")
    });
    event(90, |w| {
        for agent in w.jenkins.agents.values_mut() {
            agent.mark = agent.mark.take().filter(|m| m.by != "alice");
        }
        "alice is done".to_owned()
    });
    event(94, |w| {
        zone(w, true, "zone az1 has no host any more: its servers end in ERROR")
    });
    event(125, |w| zone(w, false, "zone az1 has hosts again"));
    notes
}

/// What happened in the story since somebody looked.
#[derive(Clone, Default)]
pub struct Notes(Arc<Mutex<Vec<String>>>);

impl Notes {
    /// Takes the notes out.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn zone(world: &mut State, broken: bool, note: &str) -> String {
    if let Some(zone) = world.cloud("openstack").zones.get_mut("az1") {
        zone.broken = broken;
    }
    note.to_owned()
}

/// Some jobs within four minutes.
fn burst(world: &mut State, at: i64, size: i64) {
    for n in 0..size {
        let minutes = 2 + world.random.below(9);
        let (name, label) = match world.random.below(10) {
            0..5 => ("unit-tests", "linux&&x86_64"),
            5..7 => ("images", "docker"),
            7..9 => ("arm-build", "arm64&&!docker"),
            _ => ("release", "linux && (docker || arm64)"),
        };
        let (job, seconds) = (format!("{name}-{n}"), minutes * 60 + world.random.below(60));
        let task = match world.random.below(3) {
            0 => Task::pipeline(&job, u64::try_from(at / 60 % 1000).unwrap_or(1)),
            _ => Task::freestyle(&job),
        };
        let task = task.label(label).seconds(seconds);
        let when = at + world.random.below(240);
        world.at(when, move |w| {
            w.submit(task);
        });
    }
}

/// Whether the day is over and all that was ours is gone.
pub fn over(world: &World, minute: i64) -> bool {
    let state = world.lock();
    let idle = state.jenkins.queue.is_empty() && state.jenkins.builds.iter().all(|b| b.done);
    minute > LAST_MINUTE && idle && state.clouds.values().all(|c| c.servers.is_empty())
}
