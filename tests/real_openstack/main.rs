//! End to end: the program against a real Keystone, Nova, Glance, Neutron and Cinder, with a simulated Jenkins.
//!
//! `tests/openstack/up` starts that OpenStack, then: `cargo test --features real-openstack --test real_openstack`. Tests
//! run beside each other; those that stop services or make them misbehave run alone. Each touches only what carries its
//! own mark, and removes it when it ends. As this is a real cloud, tests wait, by asking again: for how long at most
//! stands in `patience.rs`.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests may panic, wait, start processes, read files"
)]
#![allow(missing_docs, reason = "test names are the documentation")]

#[path = "../support/bare_site.rs"]
mod bare_site;
#[path = "../fakes/mod.rs"]
mod fakes;
#[path = "../support/program.rs"]
mod program;

mod adoption;
mod asked;
mod cloud;
mod clouds;
mod failures;
mod images;
mod life;
mod logins;
mod names;
mod outages;
mod patience;
mod quota;
mod register;
mod replaced;
mod resources;
mod services;
mod site;
