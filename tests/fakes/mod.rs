//! Fakes of Jenkins and OpenStack over one simulated world, bad manners included.
//!
//! ```ignore
//! let world = World::new(7);                                     // the clock stands still but for `advance`
//! let jenkins = FakeJenkins::start(&world, "/jenkins");          // .url(), user "mita", token "11token"
//! let cloud = FakeOpenStack::start(&world, "main");              // .auth_url(), user "ci", password "ci-pass", project "ci"
//! world.kind("trusty", Kind::new(&["linux", "amd64"]).boot(90)); // what servers of a template become
//! world.submit(Task::freestyle("build").label("linux").seconds(300));
//! world.advance(60);                                             // boots, joins, builds, deletes
//! world.before(When::on(Service::Jenkins).method("POST").part("doDelete"), |w| w.begin_build("n", 60));
//! world.fault(When::on(Service::Nova).method("POST"), Fault::DropAfter);
//! // a mita.yaml: jenkins.yaml() + "provider:\n" + &cloud.yaml() + "nodes: ..."
//! world.assert_no_writes();
//! world.with(|w| assert_eq!(w.cloud("main").servers.len(), 1));
//! ```
//!
//! What they answer was held against recorded replies of Jenkins 2.544 and OpenStack Zed (`tests/fakes_behave.rs`).

#![allow(dead_code, unused_imports, reason = "each test takes the part it needs")]
#![allow(missing_docs, reason = "test support: names and the notes at the parts suffice")]
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::format_push_string,
    clippy::match_bool,
    clippy::struct_excessive_bools,
    clippy::type_complexity,
    clippy::unused_self,
    reason = "test support: threads serve, a broken fake may panic, and a world has many switches"
)]

mod cinder;
mod cloud;
mod dispatch;
#[path = "../support/http_server/mod.rs"]
pub mod http_server;
mod jenkins;
mod jenkins_pages;
mod keystone;
mod label;
mod model;
mod neutron;
mod nova;
mod openstack;
mod query;
#[path = "../support/random.rs"]
mod random;
mod script;
mod side_services;
mod tree;
mod why;
mod world;

pub use cloud::{Cloud, CloudServer, Flavor, FloatingIp, Hidden, Image, Network, Port, Quota, Volume, ZoneState};
pub use http_server::{Gate, Reply};
pub use jenkins::FakeJenkins;
pub use model::{Agent, Build, Item, Jenkins, Mark, Ssh, Stage, Task, TaskClass, User, secret_of};
pub use openstack::FakeOpenStack;
pub use random::Random;
pub use script::{Call, Fault, Service, When};
pub use world::{JoinsAs, Kind, START, State, World};
