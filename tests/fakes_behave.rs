//! The fakes against recorded replies of the real servers: the same state, the same request, the same reply. What
//! stands in `tests/fixtures/recorded` was recorded from Jenkins 2.544 and OpenStack Zed, secrets masked.

#![allow(
    clippy::disallowed_methods,
    clippy::semicolon_if_nothing_returned,
    clippy::unused_self,
    clippy::assigning_clones,
    clippy::format_push_string,
    reason = "a test: reads its fixtures"
)]

#[path = "fakes/mod.rs"]
mod fakes;
#[path = "fakes_behave/jenkins.rs"]
mod jenkins;
#[path = "fakes_behave/nodes.rs"]
mod nodes;
#[path = "fakes_behave/openstack.rs"]
mod openstack;
#[path = "fakes_behave/recorded.rs"]
mod recorded;
#[path = "fakes_behave/resources.rs"]
mod resources;
#[path = "fakes_behave/world.rs"]
mod world;
