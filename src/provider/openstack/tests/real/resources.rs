//! Floating IPs, volumes and consoles at a real OpenStack: the network `public` is external, `dual` has no router.

use std::collections::BTreeSet;

use super::{cloud, connect, create, offer, remove, small, wait_for};
use crate::model::{Resource, ResourceKind, ResourceMark, Server, ServerId, ServerStatus};
use crate::provider::openstack::OpenStack;
use crate::provider::{AddFloatingIp, Deleted, Provider as _, ProviderError};

fn mark_of(name: &str) -> ResourceMark {
    ResourceMark {
        owner: "osdev, 100% of it".to_owned(),
        server: name.to_owned(),
    }
}

/// Makes a server and waits until it runs.
fn running(cloud: &mut OpenStack, name: &str, network: &str) -> Server {
    let mut spec = small();
    spec.networks = vec![network.to_owned()];
    spec.storage = Some(1);
    let offer = offer(cloud, &spec);
    let id = create(cloud, name, &spec, &offer, None).unwrap();
    let server = wait_for(cloud, &id, |s| s.is_some_and(|s| s.status != ServerStatus::Build)).unwrap();
    assert_eq!(server.status, ServerStatus::Active, "{server:?}");
    server
}

/// Returns what has a mark.
fn marked(cloud: &mut OpenStack, mark: &ResourceMark) -> Vec<Resource> {
    let kinds = BTreeSet::from([ResourceKind::FloatingIp, ResourceKind::Port, ResourceKind::Volume]);
    let all = cloud.resources(&kinds).unwrap();
    println!("{} resources", all.len());
    all.into_iter().filter(|one| one.mark.as_ref() == Some(mark)).collect()
}

fn add(cloud: &mut OpenStack, pool: &str, server: &ServerId, mark: &ResourceMark) -> Result<String, ProviderError> {
    let wanted = AddFloatingIp { pool, server, mark };
    cloud.add_floating_ip(&wanted).map(|ip| ip.to_string())
}

#[test]
#[ignore = "needs the real OpenStack of tests/openstack/up"]
fn a_floating_ip_is_given_outlives_its_server_and_is_removed() {
    let mut cloud = connect(&cloud("ci"));
    let name = "osdev__0123456789fa";
    let mark = mark_of(name);
    let server = running(&mut cloud, name, "private");
    let ip = add(&mut cloud, "public", &server.id, &mark).unwrap();
    let second = add(&mut cloud, "public", &server.id, &mark).unwrap_err();
    println!("{ip}; {second}");
    assert!(matches!(second, ProviderError::Conflict(_)), "{second:?}");
    for (pool, text) in [
        ("publc", "nearest: \"public\""),
        ("private", "no network named \"private\""),
    ] {
        let error = add(&mut cloud, pool, &server.id, &mark).unwrap_err();
        println!("{error}");
        assert!(
            matches!(&error, ProviderError::Refused(said) if said.contains(text)),
            "{error:?}"
        );
    }
    let seen = marked(&mut cloud, &mark);
    assert_eq!(
        (seen.len(), seen[0].name.as_str(), seen[0].in_use),
        (1, ip.as_str(), true)
    );
    assert_eq!(seen[0].server, Some(server.id.clone()));
    let shown = wait_for(&mut cloud, &server.id, |s| s.is_some_and(|s| s.addresses.len() == 2)).unwrap();
    assert_eq!(shown.address().unwrap().to_string(), ip);
    remove(&mut cloud, &server.id);
    let left = marked(&mut cloud, &mark);
    assert_eq!((left.len(), left[0].in_use, &left[0].server), (1, false, &None));
    assert_eq!(
        cloud.remove(ResourceKind::FloatingIp, &left[0].id),
        Ok(Deleted::Accepted)
    );
    assert_eq!(
        cloud.remove(ResourceKind::FloatingIp, &left[0].id),
        Ok(Deleted::AlreadyGone)
    );
    assert_eq!(marked(&mut cloud, &mark), []);
}

#[test]
#[ignore = "needs the real OpenStack of tests/openstack/up"]
fn a_floating_ip_cannot_come_where_no_router_is() {
    let mut cloud = connect(&cloud("ci"));
    let name = "osdev__0123456789fb";
    let server = running(&mut cloud, name, "dual");
    let error = add(&mut cloud, "public", &server.id, &mark_of(name)).unwrap_err();
    println!("{error}");
    assert!(
        matches!(&error, ProviderError::Refused(said) if said.contains("not reachable")),
        "{error:?}"
    );
    remove(&mut cloud, &server.id);
    let gone = add(&mut cloud, "public", &server.id, &mark_of(name)).unwrap_err();
    assert!(matches!(gone, ProviderError::Conflict(_)), "{gone:?}");
}
