//! Requests with a token: the login when it is first needed, one more after a 401, patience after a 429 (or 498), and
//! one more login where the catalog of a pass before leads nowhere.
//!
//! What an answer means is left to the callers; only those are handled here that prove that the request was not
//! handled, so that repeating even a POST is safe. A request of unknown outcome is repeated only if it is a GET.

use std::collections::BTreeSet;
use std::time::Duration;

use log::{debug, warn};
use ureq::http::Method;

use super::auth::{self, Login};
use super::catalog::{self, Endpoint, Service};
use super::error::{Fault, unreachable};
use super::odd::Oddities;
use super::token_cache::TokenFile;
use crate::http::{Http, HttpError, Reply, Request};
use crate::model::{ServiceBase, ServiceBases, digest};
use crate::provider::ProviderError;
use crate::provider::openstack::endpoint::OpenStackEndpoint;
use crate::text::printable;

/// Logins in one pass: public clouds count them (OVH: 60 a minute and user).
const MAX_LOGINS: u32 = 3;
/// Tries of a request that is answered 429.
const MAX_TRIES: u32 = 3;
/// The longest wait: the next pass comes sooner than a longer one would end.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// The longest wait, and all waits of a pass together, where other clouds wait, too: what is shorter than a request may
/// take anyway. After a longer one the cloud is asked no more in this pass.
const SHARED_PAUSE: Duration = Duration::from_secs(2);
const SHARED_PAUSES: Duration = Duration::from_secs(4);

/// How a wait is made; tests do not wait.
pub(super) type Pause = Box<dyn Fn(Duration)>;

/// A request to one of the services.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub method: Method,
    pub service: Service,
    pub path: &'a str,
    pub body: Option<&'a [u8]>,
}

/// Why a call has no reply.
#[derive(Debug)]
pub(super) enum CallError {
    /// It was never made: the login failed, or the catalog lacks the service.
    NotMade(ProviderError),
    /// It was made, or tried.
    Http(HttpError),
}

/// The login and what was learned since.
pub(super) struct Session {
    http: Http,
    endpoint: OpenStackEndpoint,
    pause: Pause,
    /// All waits so far.
    paused: Duration,
    login: Option<Login>,
    /// Where a token outlives the pass.
    keeper: Option<TokenFile>,
    /// Whether the login is that of a pass before, so that its catalog may be out of date.
    is_kept: bool,
    logins: u32,
    /// Why Keystone refused the login: further tries would only lock the account.
    refused: Option<ProviderError>,
    /// Which of its bases a service has, where that is not the first.
    pub(super) service_bases: ServiceBases,
    /// The services that answered: their base is right.
    proven: BTreeSet<Service>,
    /// Ports that were handed out by this client or, by the list of servers, by an earlier one: a server that is
    /// only begun does not show on its port yet.
    pub(super) taken_ports: BTreeSet<String>,
    /// How many servers the project had when it was looked at.
    pub(super) listed: usize,
    /// What could not be read of what was answered.
    pub(super) odd: Oddities,
}

impl Session {
    pub(super) fn new(http: Http, endpoint: OpenStackEndpoint, pause: Pause) -> Self {
        let keeper = endpoint.token_cache.clone().map(TokenFile::new);
        Self {
            http,
            endpoint,
            pause,
            paused: Duration::ZERO,
            login: None,
            keeper,
            is_kept: false,
            logins: 0,
            refused: None,
            service_bases: ServiceBases::new(),
            proven: BTreeSet::new(),
            taken_ports: BTreeSet::new(),
            listed: 0,
            odd: Oddities::default(),
        }
    }

    /// Requests made so far, logins among them.
    pub(super) fn requests(&self) -> u64 {
        self.http.requests()
    }

    /// Returns whether the cloud has a service for us at all; logs in unless that is done.
    pub(super) fn has(&mut self, service: Service) -> Result<bool, ProviderError> {
        self.ensure_login()?;
        let has = |it: &Self| catalog::has(&it.endpoint, it.catalog(), service);
        Ok(has(self) || self.renewed(service) && has(self))
    }

    pub(super) fn catalog(&self) -> &[Endpoint] {
        self.login.as_ref().map_or(&[], |login| &login.catalog)
    }

    /// Returns the region that the settings name.
    pub(super) fn region(&self) -> Option<String> {
        self.endpoint.region.clone()
    }

    /// The id of the project, once logged in.
    pub(super) fn project(&self) -> Option<&str> {
        self.login.as_ref()?.project.as_deref()
    }

    /// Returns what is wrong with the region, once logged in, where the catalog does not have it at all.
    pub(super) fn lost_region(&self) -> Option<String> {
        catalog::lost_region(&self.endpoint, &self.login.as_ref()?.catalog)
    }

    /// Makes the token a bad one, as if it had been revoked.
    #[cfg(test)]
    pub(super) fn spoil_token(&mut self) {
        if let Some(login) = &mut self.login {
            login.token = crate::secret::Secret::new("spoiled");
        }
    }

    /// Logs in unless that is done.
    pub(super) fn ensure_login(&mut self) -> Result<&Login, ProviderError> {
        let login = match self.login.take() {
            Some(login) => login,
            None => match self.kept() {
                Some(login) => login,
                None => self.log_in()?,
            },
        };
        Ok(self.login.insert(login))
    }

    /// Returns the login of a pass before, once: after it was refused there is no other. A catalog that has no compute
    /// for us may be older than the endpoint that is missing.
    fn kept(&mut self) -> Option<Login> {
        let login = self.keeper.as_mut()?.take(&self.endpoint)?;
        catalog::bases(&self.endpoint, &login.catalog, Service::Compute, None).ok()?;
        self.is_kept = true;
        Some(login)
    }

    /// Logs in afresh for the sake of the catalog, where that in use is of a pass before; returns whether there is a new
    /// one. Without it the pass goes on with what it has: Keystone may be down, and the token is good.
    fn renewed(&mut self, service: Service) -> bool {
        if !std::mem::take(&mut self.is_kept) {
            return false;
        }
        let what = service.kind();
        match self.log_in() {
            Ok(login) => {
                debug!("openstack: the kept catalog does not lead to the {what} service, a fresh one is taken");
                self.login = Some(login);
                true
            }
            Err(error) => {
                debug!(
                    "openstack: the kept catalog does not lead to the {what} service, and there is no other: {error}"
                );
                false
            }
        }
    }

    fn log_in(&mut self) -> Result<Login, ProviderError> {
        if let Some(error) = &self.refused {
            return Err(error.clone());
        }
        if self.logins >= MAX_LOGINS {
            let text = format!("the cloud does not take its own tokens: {MAX_LOGINS} logins in one pass are enough");
            return Err(ProviderError::Auth(text));
        }
        self.logins += 1;
        self.is_kept = false;
        let mut tries = 1;
        let reply = loop {
            self.in_time()?;
            let reply = auth::send(&self.http, &self.endpoint).map_err(|e| unreachable("login at Keystone", &e))?;
            if !Fault::is_throttle(reply.status) || !self.waited(&reply, tries) {
                break reply;
            }
            tries += 1;
        };
        let login = auth::read(&self.endpoint, &reply, &mut self.odd);
        match &login {
            Ok(login) => {
                self.warn_of_plain_http(login);
                if let Some(keeper) = &self.keeper {
                    keeper.keep(&self.endpoint, login);
                }
            }
            Err(error @ ProviderError::Auth(_)) => self.refused = Some(error.clone()),
            Err(_) => {}
        }
        login
    }

    /// The configuration shows only Keystone's URL; the token also goes to the URLs of the catalog.
    fn warn_of_plain_http(&self, login: &Login) {
        if !self.endpoint.auth_url.starts_with("https://") {
            return;
        }
        for service in [Service::Compute, Service::Image, Service::Network, Service::Volume] {
            let bases = catalog::bases(&self.endpoint, &login.catalog, service, None);
            let base = bases.ok().and_then(|bases| bases.into_iter().next());
            if let Some(base) = base.filter(|base| base.starts_with("http://")) {
                let url = printable(&base, 100);
                warn!("openstack: {url} of the catalog is plain http, the token goes there unprotected");
            }
        }
    }

    /// A request that cannot be answered in time any more is not begun: half a create is worse than none.
    fn in_time(&self) -> Result<(), ProviderError> {
        match self.http.time_left() {
            Some(Duration::ZERO) => Err(ProviderError::Unavailable("the time of this pass is over".to_owned())),
            _ => Ok(()),
        }
    }

    /// Makes a GET.
    pub(super) fn get(&mut self, what: &str, service: Service, path: &str) -> Result<Reply, ProviderError> {
        let call = Call {
            method: Method::GET,
            service,
            path,
            body: None,
        };
        self.call(&call).map_err(|error| match error {
            CallError::NotMade(error) => error,
            CallError::Http(error) => unreachable(what, &error),
        })
    }

    /// Makes a request. After a 401 it logs in again and repeats it once; after a 429 it waits.
    pub(super) fn call(&mut self, call: &Call<'_>) -> Result<Reply, CallError> {
        self.call_in(call, None)
    }

    /// Makes a request to compute in a microversion, as `2.67`.
    pub(super) fn call_in(&mut self, call: &Call<'_>, version: Option<&str>) -> Result<Reply, CallError> {
        let reply = self.patiently(call, version)?;
        if reply.status != 401 {
            return Ok(reply);
        }
        debug!("openstack: the token is refused, logging in again");
        self.login = None;
        let reply = self.patiently(call, version)?;
        match self.login.as_ref().and_then(|login| login.expires).zip(reply.date()) {
            Some((expires, now)) if reply.status == 401 && expires <= now => {
                let text = format!(
                    "the token of a fresh login has expired already ({expires}, the cloud's clock says {now}): the \
                     clocks of the cloud's machines differ"
                );
                Err(CallError::NotMade(ProviderError::Auth(text)))
            }
            _ => Ok(reply),
        }
    }

    fn patiently(&mut self, call: &Call<'_>, version: Option<&str>) -> Result<Reply, CallError> {
        let mut tries = 1;
        loop {
            let reply = self.once(call, version)?;
            if !Fault::is_throttle(reply.status) || !self.waited(&reply, tries) {
                return Ok(reply);
            }
            tries += 1;
        }
    }

    /// Makes a request; where it leads nowhere by a kept catalog, and a fresh one leads elsewhere, once more.
    fn once(&mut self, call: &Call<'_>, version: Option<&str>) -> Result<Reply, CallError> {
        self.ensure_login().map_err(CallError::NotMade)?;
        let bases = match self.bases(call.service) {
            Err(_) if self.renewed(call.service) => self.bases(call.service),
            bases => bases,
        };
        let bases = bases.map_err(CallError::NotMade)?;
        let outcome = self.at_bases(call, version, &bases);
        let is_known = self.proven.contains(&call.service) || catalog::is_given(&self.endpoint, call.service);
        if is_known || !self.is_kept || !leads_nowhere(call, &outcome) || !self.renewed(call.service) {
            return outcome;
        }
        match self.bases(call.service) {
            Ok(fresh) if fresh != bases => self.at_bases(call, version, &fresh),
            _ => outcome,
        }
    }

    /// Makes a request at the base that the service has. While that is not proven, a 404 that the service does not say
    /// itself makes it another base's turn: nothing was done there.
    fn at_bases(&mut self, call: &Call<'_>, version: Option<&str>, bases: &[String]) -> Result<Reply, CallError> {
        let key = call.service.kind();
        let endpoint = digest(bases.join(" ").as_bytes());
        let known = self.service_bases.get(key).filter(|known| known.endpoint == endpoint);
        let first = known.map_or(0, |known| known.base).min(bases.len() - 1);
        let reply = self.send(call, version, &bases[first])?;
        if self.proven.contains(&call.service) {
            return Ok(reply);
        }
        // Only then the body is parsed: that of a list is large.
        let unrouted = |reply: &Reply| reply.status == 404 && Fault::read(reply).is_unrouted();
        if !unrouted(&reply) {
            self.prove(call.service, &reply);
            return Ok(reply);
        }
        for (at, base) in bases.iter().enumerate().filter(|(at, _)| *at != first) {
            let other = self.send(call, version, base)?;
            if unrouted(&other) {
                continue;
            }
            if self.prove(call.service, &other) {
                debug!("openstack: the {key} service answers at {}", printable(base, 100));
                self.service_bases.remove(key);
                if at > 0 {
                    let base = ServiceBase { endpoint, base: at };
                    self.service_bases.insert(key.to_owned(), base);
                }
            }
            return Ok(other);
        }
        self.service_bases.remove(key);
        Ok(reply)
    }

    /// Remembers that a service has the right base, if its reply proves it: a success, or a 404 of its own.
    fn prove(&mut self, service: Service, reply: &Reply) -> bool {
        let proves = matches!(reply.status, 200..=299 | 404);
        if proves {
            self.proven.insert(service);
        }
        proves
    }

    fn bases(&self, service: Service) -> Result<Vec<String>, ProviderError> {
        catalog::bases(&self.endpoint, self.catalog(), service, self.project())
    }

    fn send(&self, call: &Call<'_>, version: Option<&str>, base: &str) -> Result<Reply, CallError> {
        self.in_time().map_err(CallError::NotMade)?;
        let token = self.login.as_ref().map_or("", |login| login.token.reveal());
        let url = format!("{base}{}", call.path);
        let version = version.map(|version| format!("compute {version}"));
        let mut headers = vec![("x-auth-token", token), ("accept", "application/json")];
        headers.extend(
            version
                .iter()
                .map(|version| ("openstack-api-version", version.as_str())),
        );
        let request = Request {
            method: call.method.clone(),
            url: &url,
            headers: &headers,
            body: call.body.map(|body| ("application/json", body)),
        };
        self.http.send(&request).map_err(CallError::Http)
    }

    /// Waits before another try; `false` when there is none.
    fn waited(&mut self, reply: &Reply, tries: u32) -> bool {
        let asked = reply.retry_after().map(|seconds| Duration::from_secs(seconds.max(1)));
        let span = asked.unwrap_or(Duration::from_secs(1 << (tries - 1)));
        let in_time = self.http.time_left().is_none_or(|left| span < left);
        let paused = self.paused.saturating_add(span);
        let too_long = if self.http.is_shared() {
            span > SHARED_PAUSE || paused > SHARED_PAUSES
        } else {
            span > LONGEST_PAUSE
        };
        if tries >= MAX_TRIES || too_long || !in_time {
            return false;
        }
        debug!("openstack: too many requests, waiting {} s", span.as_secs());
        (self.pause)(span);
        self.paused = paused;
        true
    }
}

/// Returns whether a request came to nobody who knows of it, or may have: the service has moved. One that is no GET must
/// not have been handled for certain.
fn leads_nowhere(call: &Call<'_>, outcome: &Result<Reply, CallError>) -> bool {
    let is_get = call.method == Method::GET;
    match outcome {
        Err(CallError::NotMade(_)) => false,
        Err(CallError::Http(error)) => error.not_sent() || is_get && matches!(error, HttpError::Broken { .. }),
        Ok(reply) => match reply.status {
            300..=399 | 410 => true,
            404 => Fault::read(reply).is_unrouted(),
            // What speaks there is no OpenStack: a gateway without a service behind it, another port's web server.
            400 | 403 | 405 | 500..=599 => is_get && !Fault::read(reply).json,
            _ => false,
        },
    }
}
