//! The fake OpenStack over HTTP: which service a path belongs to, tokens, headers, faults. The services are in
//! `keystone`, `nova` and `side_services`.

use serde_json::{Value, json};

use super::cloud::Cloud;
use super::http_server::{Delivery, Reply, Request, Server};
use super::jenkins_pages::http_date;
use super::script::{Call, Service, run_acts};
use super::world::{State, World};
use super::{keystone, nova, side_services};

/// One cloud, all services on one port: `/identity`, `/compute/v2.1`, `/image`, `/network`, `/volume/v3/PROJECT`.
/// Keystone also answers at the root of the port, as on a port of its own.
pub struct FakeOpenStack {
    server: Server,
    /// The name of its cloud in the world.
    pub cloud: String,
}

impl FakeOpenStack {
    /// Starts a cloud of that name, made with [`Cloud::new`] if the world has none yet.
    pub fn start(world: &World, cloud: &str) -> Self {
        world.with(|state| {
            let made = Cloud::new(cloud, &mut state.random);
            state.clouds.entry(cloud.to_owned()).or_insert(made);
        });
        let (world, name) = (world.clone(), cloud.to_owned());
        let server = Server::start(move |request| respond(&world, &name, request));
        Self {
            server,
            cloud: cloud.to_owned(),
        }
    }

    /// As libcloud users write it: without a version.
    pub fn auth_url(&self) -> String {
        format!("http://{}/identity", self.server.address)
    }

    /// Its entry under `provider:` of a configuration, named as the cloud.
    pub fn yaml(&self) -> String {
        format!(
            "  {}:\n    type: openstack\n    auth_url: {}\n    auth_version: 3.x_password\n    username: ci\n    \
             password: ci-pass\n    tenant_name: ci\n    service_region: RegionOne\n",
            self.cloud,
            self.auth_url()
        )
    }

    pub fn port(&self) -> u16 {
        self.server.address.port()
    }

    /// From now on nobody is there.
    pub fn stop(&self) {
        self.server.stop();
    }
}

/// A request to a service of a cloud.
pub struct Asked<'a> {
    pub call: &'a Call,
    pub cloud: &'a str,
    /// `http://127.0.0.1:PORT`.
    pub root: String,
}

impl Asked<'_> {
    pub fn steps(&self) -> Vec<&str> {
        self.call.path.split('/').filter(|s| !s.is_empty()).collect()
    }

    pub fn limit(&self) -> Option<String> {
        self.call.parameter("limit")
    }
}

fn place(path: &str) -> (Service, &str) {
    for (prefix, service) in [
        ("/compute", Service::Nova),
        ("/image", Service::Glance),
        ("/network", Service::Neutron),
        ("/volume", Service::Cinder),
        ("/identity", Service::Keystone),
    ] {
        if let Some(rest) = path.strip_prefix(prefix) {
            let rest = match service {
                Service::Nova => rest
                    .strip_prefix("/v2.1")
                    .filter(|r| r.starts_with('/'))
                    .unwrap_or(rest),
                _ => rest,
            };
            return (service, rest);
        }
    }
    (Service::Keystone, path)
}

fn respond(world: &World, cloud: &str, request: Request) -> (Reply, Delivery) {
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    let (service, rest) = place(path);
    let mut state = world.lock();
    let host = request.headers.get("host").cloned().unwrap_or_default();
    let mut call = Call {
        service,
        cloud: cloud.to_owned(),
        method: request.method,
        path: rest.to_owned(),
        query: query.to_owned(),
        headers: request.headers,
        body: request.body,
        at: state.clock,
        status: 0,
    };
    run_acts(&mut state, &call, false);
    let fault = state.script.fault_for(&call);
    let (reply, delivery) = match fault {
        None => (carry_out(&mut state, &call, &host), Delivery::Whole),
        Some(fault) => {
            let good = fault.does().then(|| carry_out(&mut state, &call, &host));
            fault.spoil(good)
        }
    };
    call.status = if matches!(delivery, Delivery::Drop) {
        0
    } else {
        reply.status
    };
    state.calls.push(call.clone());
    run_acts(&mut state, &call, true);
    (reply, delivery)
}

fn carry_out(state: &mut State, call: &Call, host: &str) -> Reply {
    state.settle();
    let asked = Asked {
        call,
        cloud: &call.cloud,
        root: format!("http://{host}"),
    };
    let id = format!("req-{}", state.random.uuid());
    let reply = if call.service == Service::Keystone {
        keystone::answer(state, &asked)
    } else if needs_token(call) && !has_token(state, call) {
        unauthorized(call.service, &asked.root)
    } else {
        match call.service {
            Service::Nova => nova::answer(state, &asked).header("x-compute-request-id", &id),
            service => side_services::answer(state, &asked, service),
        }
    };
    state.settle();
    reply
        .header("x-openstack-request-id", id)
        .header("Date", http_date(state.clock))
}

/// Root documents are open to all.
fn needs_token(call: &Call) -> bool {
    !matches!(call.path.trim_end_matches('/'), "" | "/v2.1" | "/v2" | "/v2.0" | "/v3")
}

fn has_token(state: &mut State, call: &Call) -> bool {
    let clock = state.clock;
    let token = call.headers.get("x-auth-token").map_or("", String::as_str);
    state
        .cloud(&call.cloud)
        .tokens
        .get(token)
        .is_some_and(|&until| clock < until)
}

fn unauthorized(service: Service, root: &str) -> Reply {
    let reply = if service == Service::Glance {
        page(
            401,
            "Unauthorized",
            "This server could not verify that you are authorized to access the document you \
            requested. Either you supplied the wrong credentials (e.g., bad password), or your browser does not \
            understand how to supply the credentials required.",
        )
    } else {
        let body = json!({"error": {"code": 401, "title": "Unauthorized",
            "message": "The request you have made requires authentication."}});
        Reply::json(401, &body)
    };
    reply.header("WWW-Authenticate", format!("Keystone uri=\"{root}/identity\""))
}

/// A WSGI error page.
pub fn page(status: u16, title: &str, text: &str) -> Reply {
    let head = format!("{status} {title}");
    Reply::html(
        status,
        format!(
            "<html>\n <head>\n  <title>{head}</title>\n </head>\n <body>\n  <h1>{head}</h1>\n  {text}<br /><br />\n\n\n\n </body>\n</html>"
        ),
    )
}

/// `2026-11-22T09:53:05Z`.
pub fn stamp(clock: i64) -> String {
    jiff::Timestamp::from_second(clock).unwrap_or_default().to_string()
}

/// `2026-11-22T09:53:07.000000`, without a zone.
pub fn micro_stamp(clock: i64) -> String {
    format!("{}.000000", stamp(clock).trim_end_matches('Z'))
}

/// One page of a list by limit and marker: the entries, and the id to go on from.
pub fn paged<'a>(all: &[&'a Value], limit: usize, marker: Option<&str>) -> Result<(Vec<&'a Value>, bool), String> {
    let start = match marker {
        None => 0,
        Some(id) => all.iter().position(|v| v["id"] == id).map(|at| at + 1).ok_or(id)?,
    };
    let page: Vec<&Value> = all.iter().skip(start).take(limit).copied().collect();
    let full = page.len() == limit && limit > 0;
    Ok((page, full))
}
