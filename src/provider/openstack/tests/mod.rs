//! Tests of the client: on recorded replies, against a scripted server on the loopback, and, where they are asked for,
//! against a real OpenStack.

mod client;
mod create;
mod inventory;
mod login;
mod odd;
mod outdated;
mod ports;
mod real;
mod replies;
mod resources;
mod server;
mod stock;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use jiff::SignedDuration;
use ureq::http::{HeaderMap, HeaderName, HeaderValue};

use super::OpenStack;
use crate::endpoint::Transport;
use crate::http::{Deadline, Reply};
use crate::model::{ImageRef, Offer, ResourceMark, ServerSpec, SizeRef};
use crate::provider::openstack::endpoint::{EndpointOverrides, KeystoneAuth, NameOrId, OpenStackEndpoint};
use crate::secret::Secret;

/// How to get into the project `ci` of the cloud at a URL.
fn endpoint_of(auth_url: &str) -> OpenStackEndpoint {
    OpenStackEndpoint {
        auth_url: auth_url.to_owned(),
        auth: KeystoneAuth::V3Password {
            user: NameOrId::Name("ci".to_owned()),
            user_domain: NameOrId::Name("Default".to_owned()),
            password: Secret::new("ci-pass"),
            project: NameOrId::Name("ci".to_owned()),
            project_domain: NameOrId::Id("default".to_owned()),
        },
        region: Some("RegionOne".to_owned()),
        interface: "public".to_owned(),
        endpoints: EndpointOverrides::default(),
        token_cache: None,
        transport: Transport {
            ca_file: None,
            ca_file_only: false,
            compress: crate::endpoint::Compress::default(),
            verify: true,
            proxy: None,
            connect_timeout: SignedDuration::from_secs(5),
            timeout: SignedDuration::from_secs(60),
            max_body: 1 << 28,
        },
    }
}

pub(super) fn spec(image: &str, size: &str) -> ServerSpec {
    ServerSpec {
        image: ImageRef::Name(image.to_owned()),
        size: SizeRef::Named(size.to_owned()),
        key_pair: None,
        storage: None,
        boot_volume: None,
        volume_type: None,
        ports: Vec::new(),
        floating_ip_pool: None,
        networks: Vec::new(),
        security_groups: Vec::new(),
        config_drive: None,
        metadata: BTreeMap::new(),
        scheduler_hints: BTreeMap::new(),
        options: BTreeMap::new(),
        more: BTreeMap::new(),
    }
}

fn offer() -> Offer {
    Offer {
        older_images: Vec::new(),
        server_group: None,
        ports: Vec::new(),
        flavor: "2".to_owned(),
        image: "b1ac72ae-6500-4b36-a105-0998670e021a".to_owned(),
        networks: Vec::new(),
        vcpus: 1,
        ram_mb: 2048,
    }
}

/// A client of a scripted server, and the waits it made instead of sleeping.
fn client(endpoint: &OpenStackEndpoint) -> (OpenStack, Rc<RefCell<Vec<u64>>>) {
    let waits = Rc::new(RefCell::new(Vec::new()));
    let kept = Rc::clone(&waits);
    let pause = Box::new(move |span: Duration| kept.borrow_mut().push(span.as_secs()));
    let cloud = OpenStack::with_pause(endpoint, Deadline::none(), pause).unwrap();
    (cloud, waits)
}

/// A recorded reply.
macro_rules! recorded {
    ($name:literal) => {
        crate::provider::openstack::tests::read_recorded(include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/fixtures/openstack/",
            $name,
            ".txt"
        )))
    };
}
use recorded;

/// Reads a recorded reply; see the README beside the files.
fn read_recorded(text: &str) -> Reply {
    let mut status = 0;
    let mut headers = HeaderMap::new();
    let mut body = String::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("< ").filter(|_| body.is_empty()) {
            match rest.split_once(": ") {
                Some((name, value)) if status > 0 => {
                    let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
                    headers.insert(name, HeaderValue::from_str(value).unwrap());
                }
                _ => status = rest[..3].parse().unwrap(),
            }
        } else if status > 0 {
            body.push_str(line);
            body.push('\n');
        }
    }
    assert!(status > 0);
    Reply {
        status,
        headers,
        body: body.into_bytes(),
    }
}

/// Our mark on what is made beside a server.
fn mark() -> ResourceMark {
    ResourceMark {
        owner: "ci".to_owned(),
        server: "linux__0123456789ab".to_owned(),
    }
}
