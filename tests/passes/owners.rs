//! Many mitas in one project of one cloud: forty owners, each with a Jenkins of its own and templates of the same name, all
//! making passes of the program. `cargo test --test passes owners -- --nocapture` prints what they cost the cloud.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::mem;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use super::bare_site::BareSite;
use super::fakes::{Agent, Call, CloudServer, FakeOpenStack, START, Service, World};
use super::program::{Done, run_at};
use super::site::{NODES, Site, job};

const OWNERS: usize = 40;
const MINUTES: i64 = 11;
/// The most servers of one owner, by its own configuration; together more than the project may have.
const MAX: usize = 4;
const QUOTA: usize = 110;
/// From ACTIVE to the agent's first word, in seconds.
const BOOT: i64 = 40;
const FOREIGN: [&str; 3] = [
    "database",
    "small__0123456789ab",
    "small__4f0c1f5e-5f9b-4f7f-9f55-1d9a3c6f2b10",
];

/// A mita with its Jenkins.
struct Owner {
    name: String,
    site: BareSite,
    joined: BTreeSet<String>,
}

/// One project, and all who use it.
struct Town {
    cloud: World,
    owners: Vec<Owner>,
    /// Whose each server is or was, by id; those of nobody's are under their own name.
    marks: BTreeMap<String, String>,
    /// What the cloud was asked, and when.
    requests: Vec<(Service, i64)>,
    _openstack: FakeOpenStack,
}

/// Writes a configuration for a cloud.
fn configuration(openstack: &FakeOpenStack, owner: &str) -> String {
    let auth_url = openstack.auth_url();
    format!(
        "provider:\n  openstack:\n    auth_url: {auth_url}\n    auth_version: 3.x_password\n    username: ci\n    \
         password: ci-pass\n    tenant_name: ci\n    timeout: 5\nlimits: {{max_servers: {MAX}}}\n\
         timing: {{idle_grace: 1m}}\nowner: {owner}\nnodes:{NODES}"
    )
}

fn owner_of(server: &CloudServer) -> String {
    let mark = server.metadata.get("mita-owner");
    mark.unwrap_or(&server.name).clone()
}

/// Servers that belong to none of the forty, by their marks or for want of one.
fn leave_foreign(cloud: &World) {
    cloud.with(|world| {
        for name in FOREIGN {
            let mut server = CloudServer::running(name, "u24", "m1");
            server.image.clone_from(&world.cloud("main").images[0].id);
            server.flavor.clone_from(&world.cloud("main").flavors[1].id);
            if name.ends_with("89ab") {
                server.metadata.insert("mita-owner".to_owned(), "ci-4".to_owned());
            }
            world.cloud("main").servers.push(server);
        }
    });
}

impl Town {
    fn new() -> Self {
        let cloud = World::new(40);
        let openstack = FakeOpenStack::start(&cloud, "main");
        cloud.with(|world| world.cloud("main").quota.instances = i64::try_from(QUOTA).unwrap());
        leave_foreign(&cloud);
        let owner = |number: usize| {
            let name = format!("ci-{number:02}");
            let site = BareSite::in_memory(100 + number as u64, "/jenkins");
            site.write_config(&format!(
                "{}  timeout: 5\n{}",
                site.jenkins.yaml(),
                configuration(&openstack, &name)
            ));
            // A cold start: everybody's jobs come at once, and some more later.
            for at in 0..2 + number % 4 {
                let seconds = 40 + 15 * i64::try_from(at).unwrap();
                site.world
                    .submit(job(&format!("{name}-{at}"), "linux").seconds(seconds));
            }
            Owner {
                name,
                site,
                joined: BTreeSet::new(),
            }
        };
        let owners = (0..OWNERS).map(owner).collect();
        Self {
            cloud,
            owners,
            marks: BTreeMap::new(),
            requests: Vec::new(),
            _openstack: openstack,
        }
    }

    fn servers(&self) -> Vec<CloudServer> {
        self.cloud.with(|world| world.cloud("main").servers.clone())
    }

    /// What ran in the cloud joins the Jenkins of its owner, and leaves it.
    fn join(&mut self, number: usize) {
        let servers = self.servers();
        let clock = self.cloud.with(|world| world.clock);
        let owner = &mut self.owners[number];
        let ours = servers.iter().filter(|server| owner_of(server) == owner.name);
        let up = ours.filter(|server| server.runs() && server.launched.is_some_and(|at| at + BOOT <= clock));
        let up: BTreeSet<String> = up.map(|server| server.name.clone()).collect();
        for name in up.difference(&owner.joined) {
            owner.site.world.agent(Agent::new(name, &["linux"]).online());
        }
        owner.site.world.with(|world| {
            for name in owner.joined.difference(&up) {
                let clock = world.clock;
                world.jenkins.break_channel(name, clock);
            }
        });
        owner.joined = up;
    }

    /// One pass of one owner, in its own second of the minute.
    fn pass(&mut self, number: usize, at: i64) -> Done {
        let owner = &self.owners[number];
        for world in [&self.cloud, &owner.site.world] {
            let clock = world.with(|state| state.clock);
            world.advance(at - clock);
        }
        self.join(number);
        let done = self.owners[number].site.run();
        let calls = self.cloud.with(|world| mem::take(&mut world.calls));
        self.judge(number, &calls);
        self.requests.extend(calls.iter().map(|call| (call.service, call.at)));
        done
    }

    /// Holds what an owner did at the cloud against what it may do.
    fn judge(&mut self, number: usize, calls: &[Call]) {
        let owner = &self.owners[number].name;
        let servers = self.servers();
        for server in &servers {
            self.marks.insert(server.id.clone(), owner_of(server));
        }
        for call in calls.iter().filter(|call| call.writes()) {
            let words: Vec<&str> = call.path.trim_matches('/').split('/').collect();
            let whose = match (call.method.as_str(), words.as_slice()) {
                ("POST", ["servers"]) => {
                    let body: serde_json::Value = serde_json::from_slice(&call.body).unwrap();
                    body["server"]["metadata"]["mita-owner"].as_str().unwrap().to_owned()
                }
                ("DELETE", ["servers", id]) => self.marks[*id].clone(),
                other => panic!("{owner} asked for {other:?}"),
            };
            assert_eq!(&whose, owner, "{call}");
        }
        let of_owner = servers.iter().filter(|server| &owner_of(server) == owner).count();
        assert!(of_owner <= MAX, "{owner} has {of_owner} servers");
        assert!(servers.len() <= QUOTA, "{} servers", servers.len());
        for name in FOREIGN {
            assert!(servers.iter().any(|server| server.name == name), "{name} is gone");
        }
    }
}

/// Counts in each minute what a service was asked, or all together.
fn by_minute(requests: &[(Service, i64)], service: Option<Service>) -> Vec<usize> {
    let mut minutes = vec![0; usize::try_from(MINUTES).unwrap()];
    let wanted = requests.iter().filter(|(of, _)| service.is_none_or(|one| one == *of));
    for (_, at) in wanted {
        minutes[usize::try_from((at - START) / 60).unwrap()] += 1;
    }
    minutes
}

fn of_jenkins(owner: &Owner) -> Vec<usize> {
    let calls = owner.site.world.calls();
    let calls: Vec<(Service, i64)> = calls.iter().map(|call| (call.service, call.at)).collect();
    by_minute(&calls, None)
}

/// Requires that all jobs ran and all servers are gone.
fn all_is_done(town: &Town) {
    for owner in &town.owners {
        owner.site.world.with(|world| {
            let builds = &world.jenkins.builds;
            assert!(world.jenkins.queue.is_empty(), "{}: jobs wait", owner.name);
            assert_eq!(world.jenkins.killed(), 0, "{}", owner.name);
            assert!(builds.iter().all(|build| build.done), "{}: {builds:?}", owner.name);
        });
    }
    assert_eq!(town.servers().len(), FOREIGN.len(), "what fell idle is gone");
}

/// Prints the requests, and returns those of all owners at the cloud, and those of each at its Jenkins.
#[expect(clippy::print_stdout, reason = "the figures are for people, with --nocapture")]
fn printed_requests(town: &Town) -> (Vec<usize>, Vec<Vec<usize>>) {
    let all = by_minute(&town.requests, None);
    println!("requests a minute at the cloud: {all:?}");
    for service in [Service::Keystone, Service::Nova, Service::Glance, Service::Neutron] {
        println!("  {service:?}: {:?}", by_minute(&town.requests, Some(service)));
    }
    let jenkins: Vec<Vec<usize>> = town.owners.iter().map(of_jenkins).collect();
    let busiest = jenkins.iter().flatten().max();
    println!("requests a minute at one Jenkins, at most: {busiest:?}");
    (all, jenkins)
}

#[test]
fn forty_owners_share_a_project() {
    let mut town = Town::new();
    let mut most = 0;
    for minute in 0..MINUTES {
        for number in 0..OWNERS {
            let second = 60 * i64::try_from(number).unwrap() / i64::try_from(OWNERS).unwrap();
            let done = town.pass(number, START + 60 * minute + second);
            assert_eq!(done.code, 0, "{}\n{}", done.out, done.err);
            let refused = done.actions().iter().any(|one| one.starts_with("create refused"));
            assert!(!refused, "each reads what is left of the quota: {}", done.out);
            most = most.max(town.servers().len());
        }
    }
    assert!(most >= QUOTA - 2, "the quota was used: {most}");
    all_is_done(&town);
    let (all, jenkins) = printed_requests(&town);
    assert_eq!(
        all.last(),
        Some(&(2 * OWNERS)),
        "a login and a list each when nothing happens"
    );
    assert!(jenkins.iter().all(|minutes| minutes.last() == Some(&2)));
}

/// Two mitas at one Jenkins and one project; `labels` are those of the second one's template, `other`.
fn two_at_one_jenkins(labels: &str) -> (Site, impl Fn() -> usize) {
    let site = Site::with(NODES, "limits: {canary: 0}");
    let nodes = NODES.replace("  small:", "  other:").replace("[linux, x86_64]", labels);
    let first = fs::read_to_string(site.config()).unwrap();
    let second = first
        .replace("state.json", "second.json")
        .replace("owner: tester", "owner: second")
        .replace(NODES, &nodes);
    let path = site.path("second.yaml");
    fs::write(&path, second).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let world = site.world.clone();
    let created = move || {
        let done = run_at(world.now(), &path, &["run", "-o", "json"], Arc::default()).good();
        done.actions()
            .iter()
            .filter(|one| one.starts_with("create done"))
            .count()
    };
    (site, created)
}

#[test]
fn a_label_that_two_mitas_serve_costs_twice_the_servers() {
    let (site, second) = two_at_one_jenkins("[linux, x86_64]");
    for number in 0..6 {
        site.world.submit(job(&format!("build-{number}"), "linux").seconds(60));
    }
    assert_eq!((site.pass().actions().len(), second()), (6, 6));
}

#[test]
fn labels_that_only_one_mita_serves_cost_no_more() {
    let (site, second) = two_at_one_jenkins("[arm64]");
    for number in 0..6 {
        let label = if number < 4 { "linux" } else { "arm64" };
        site.world.submit(job(&format!("build-{number}"), label).seconds(60));
    }
    assert_eq!((site.pass().actions().len(), second()), (4, 2));
}
