//! End to end: the program against a real Keystone, Nova, Glance, Neutron and Cinder, with a simulated Jenkins.
//!
//! `tests/openstack/up` starts that OpenStack, then: `cargo test --features real-openstack --test real_openstack`. The
//! tests take turns by themselves. Each touches only servers that carry its own mark, and removes them when it ends. As
//! this is a real cloud, tests wait: by asking again, so many times at most.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests may panic, wait, start processes, read files"
)]
#![allow(missing_docs, reason = "test names are the documentation")]

#[path = "../fakes/mod.rs"]
mod fakes;

mod adoption;
mod cloud;
mod failures;
mod life;
mod logins;
mod names;
mod outages;
mod quota;
mod site;
