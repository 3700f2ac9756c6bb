//! The login: what is sent to Keystone, and what its answer means. One request; keeping the token is left to
//! `token_cache`.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use ureq::http::Method;

use super::catalog::Endpoint;
use super::error::Fault;
use super::odd::Oddities;
use crate::http::{Http, HttpError, Reply, Request};
use crate::lenient::{self, Lenient, LenientText, List, Object, Odd, Utc, text};
use crate::provider::ProviderError;
use crate::provider::openstack::endpoint::{KeystoneAuth, NameOrId, OpenStackEndpoint};
use crate::secret::Secret;
use crate::text::{printable, quoted};

/// What a login gives.
#[derive(Debug, Clone)]
pub(super) struct Login {
    pub token: Secret,
    pub project: Option<String>,
    pub catalog: Vec<Endpoint>,
    /// When the token expires, by the cloud's clock; `None` where Keystone did not say.
    pub expires: Option<Timestamp>,
    /// Keystone's clock when it made the token: it says so, or dates its answer (behind uwsgi it does not).
    pub at: Option<Timestamp>,
}

pub(super) fn send(http: &Http, endpoint: &OpenStackEndpoint) -> Result<Reply, HttpError> {
    let path = if is_v2(endpoint) {
        "v2.0/tokens"
    } else {
        "v3/auth/tokens"
    };
    let url = format!("{}/{path}", endpoint.auth_url.trim_end_matches('/'));
    let body = body(&endpoint.auth, endpoint.auth.secret().reveal()).to_string();
    http.send(&Request {
        method: Method::POST,
        url: &url,
        headers: &[("accept", "application/json")],
        body: Some(("application/json", body.as_bytes())),
    })
}

fn is_v2(endpoint: &OpenStackEndpoint) -> bool {
    matches!(endpoint.auth, KeystoneAuth::V2Password { .. })
}

/// Returns who logs in where, without the secret: two logins of the same text differ by their secret alone.
pub(super) fn identity(endpoint: &OpenStackEndpoint) -> String {
    format!("{} {}", endpoint.auth_url, body(&endpoint.auth, ""))
}

fn body(auth: &KeystoneAuth, secret: &str) -> Value {
    match auth {
        KeystoneAuth::V2Password { username, tenant, .. } => {
            let credentials = json!({"username": username, "password": secret});
            match tenant {
                NameOrId::Name(name) => json!({"auth": {"passwordCredentials": credentials, "tenantName": name}}),
                NameOrId::Id(id) => json!({"auth": {"passwordCredentials": credentials, "tenantId": id}}),
            }
        }
        KeystoneAuth::V3Password {
            user,
            user_domain,
            project,
            project_domain,
            ..
        } => {
            let mut user = in_domain(user, user_domain);
            user["password"] = Value::from(secret);
            json!({"auth": {
                "identity": {"methods": ["password"], "password": {"user": user}},
                "scope": {"project": in_domain(project, project_domain)},
            }})
        }
        // The project is fixed in the credential; Keystone refuses a scope beside it.
        KeystoneAuth::V3ApplicationCredential { id, .. } => json!({"auth": {"identity": {
            "methods": ["application_credential"],
            "application_credential": {"id": id, "secret": secret},
        }}}),
        KeystoneAuth::V3NamedCredential {
            name,
            user,
            user_domain,
            ..
        } => json!({"auth": {"identity": {
            "methods": ["application_credential"],
            "application_credential": {"name": name, "secret": secret, "user": in_domain(user, user_domain)},
        }}}),
        KeystoneAuth::V3Token {
            project,
            project_domain,
            ..
        } => json!({"auth": {
            "identity": {"methods": ["token"], "token": {"id": secret}},
            "scope": {"project": in_domain(project, project_domain)},
        }}),
    }
}

/// A user or project: an id is enough, a name needs its domain.
fn in_domain(what: &NameOrId, domain: &NameOrId) -> Value {
    match what {
        NameOrId::Id(id) => json!({"id": id}),
        NameOrId::Name(name) => match domain {
            NameOrId::Id(id) => json!({"name": name, "domain": {"id": id}}),
            NameOrId::Name(domain) => json!({"name": name, "domain": {"name": domain}}),
        },
    }
}

/// Reads the answer to a login; notes what of it could not be read.
pub(super) fn read(endpoint: &OpenStackEndpoint, reply: &Reply, odd: &mut Oddities) -> Result<Login, ProviderError> {
    match reply.status {
        200..=299 if is_v2(endpoint) => read_v2(reply, odd),
        200..=299 => read_v3(reply, odd),
        _ => Err(refused(endpoint, reply)),
    }
}

fn refused(endpoint: &OpenStackEndpoint, reply: &Reply) -> ProviderError {
    let fault = Fault::read(reply);
    let said = fault.text();
    let at = printable(&endpoint.auth_url, 100);
    match (&endpoint.auth, reply.status) {
        (KeystoneAuth::V2Password { .. }, 300 | 404 | 410) => ProviderError::Auth(format!(
            "this cloud has Keystone v3 only; set auth_version 3.x_password (login at {at}: {said})"
        )),
        (_, 401) if reply.header("openstack-auth-receipt").is_some() => ProviderError::Auth(format!(
            "the user requires MFA; use an application credential (login at {at}: {said})"
        )),
        (KeystoneAuth::V3ApplicationCredential { .. } | KeystoneAuth::V3NamedCredential { .. }, 404) if fault.json => {
            ProviderError::Auth(format!(
                "there is no such application credential, or it was deleted or has expired (login at {at}: {said})"
            ))
        }
        (KeystoneAuth::V3ApplicationCredential { .. }, 401) => ProviderError::Auth(format!(
            "the application credential is refused: wrong secret, or expired (login at {at}: {said})"
        )),
        (KeystoneAuth::V3NamedCredential { .. }, 401) => ProviderError::Auth(format!(
            "the application credential is refused: wrong name, user or secret, or expired (login at {at}: {said})"
        )),
        (KeystoneAuth::V3Token { .. }, 401 | 403 | 404) if fault.json => ProviderError::Auth(format!(
            "the token is refused: it has expired or was revoked, or is not for this project; a token lives for hours, \
             an application credential stays (login at {at}: {said})"
        )),
        (auth, 401) => ProviderError::Auth(format!(
            "wrong password, or no such {} or domain: Keystone does not say which (login at {at}: {said})",
            who(auth)
        )),
        (_, 300..=399 | 404 | 405) => ProviderError::NotFound(format!(
            "no Keystone v3 at {at}: {said}; auth_url is the base, as http://host:5000"
        )),
        _ => fault.of_reading(&format!("login at {at}")),
    }
}

fn who(auth: &KeystoneAuth) -> String {
    let (user, project) = match auth {
        KeystoneAuth::V2Password { username, tenant, .. } => (username.as_str(), shown(tenant)),
        KeystoneAuth::V3Password { user, project, .. } => (shown(user), shown(project)),
        KeystoneAuth::V3ApplicationCredential { id, .. } => (id.as_str(), ""),
        KeystoneAuth::V3NamedCredential { user, .. } => (shown(user), ""),
        KeystoneAuth::V3Token { project, .. } => ("", shown(project)),
    };
    format!("user {}, project {}", quoted(user, 60), quoted(project, 60))
}

fn shown(what: &NameOrId) -> &str {
    match what {
        NameOrId::Name(text) | NameOrId::Id(text) => text,
    }
}

#[derive(Deserialize)]
struct V3Body {
    token: V3Token,
}

#[derive(Deserialize)]
struct V3Token {
    #[serde(default)]
    expires_at: Lenient<Utc>,
    #[serde(default)]
    issued_at: Lenient<Utc>,
    #[serde(default)]
    project: Object<ProjectRef>,
    #[serde(default)]
    catalog: List<V3Service>,
}

#[derive(Deserialize)]
struct ProjectRef {
    #[serde(default)]
    id: LenientText,
}

impl ProjectRef {
    /// Returns its id; with none, nothing can be done.
    fn required_id(project: Object<Self>) -> Result<String, ProviderError> {
        project.0.and_then(|project| project.id.filled()).ok_or_else(unscoped)
    }
}

#[derive(Deserialize)]
struct V3Service {
    #[serde(default)]
    r#type: LenientText,
    #[serde(default)]
    name: LenientText,
    #[serde(default)]
    endpoints: List<V3Endpoint>,
}

#[derive(Deserialize)]
struct V3Endpoint {
    #[serde(default, deserialize_with = "text")]
    interface: String,
    #[serde(default)]
    region_id: LenientText,
    #[serde(default)]
    region: LenientText,
    #[serde(default)]
    url: LenientText,
}

fn read_v3(reply: &Reply, odd: &mut Oddities) -> Result<Login, ProviderError> {
    let body: V3Body = parse(reply)?;
    let token = reply
        .header("x-subject-token")
        .ok_or_else(|| ProviderError::BadAnswer("login: the answer has no X-Subject-Token".to_owned()))?;
    let project = ProjectRef::required_id(body.token.project)?;
    if !body.token.catalog.listed {
        return Err(unscoped());
    }
    note(odd, "catalog", body.token.catalog.odd);
    let mut catalog = Vec::new();
    for service in body.token.catalog.all {
        let Some(kind) = kind(service.r#type, service.name, service.endpoints.odd, odd) else {
            continue;
        };
        catalog.extend(service.endpoints.all.into_iter().map(|endpoint| Endpoint {
            kind: kind.clone(),
            interface: endpoint.interface.trim_end_matches("URL").to_owned(),
            regions: [endpoint.region_id.filled(), endpoint.region.filled()],
            url: endpoint.url.value.unwrap_or_default(),
        }));
    }
    Ok(Login {
        token: Secret::new(token),
        project: Some(project),
        catalog,
        expires: stamp(body.token.expires_at),
        at: stamp(body.token.issued_at).or_else(|| reply.date()),
    })
}

/// Returns the type of a service; one that has none is passed over, since nobody knows what it is.
fn kind(text: LenientText, name: LenientText, endpoints: Odd, odd: &mut Oddities) -> Option<String> {
    let name = name.filled().unwrap_or_default();
    if endpoints.is_some() {
        let wrong = "its endpoints are not a list of objects";
        odd.note("service of the catalog", &name, wrong);
    }
    let kind = text.filled();
    if kind.is_none() {
        odd.note(
            "service of the catalog",
            &name,
            "it has no readable type and is passed over",
        );
    }
    kind
}

fn note(odd: &mut Oddities, field: &str, wrong: Odd) {
    if let Some(wrong) = wrong {
        odd.note("login", "", &format!("{field} is {wrong}"));
    }
}

/// Reads the body without showing anything of it: v2.0 has the token in there.
fn parse<'a, T: Deserialize<'a>>(reply: &'a Reply) -> Result<T, ProviderError> {
    lenient::read(&reply.body).map_err(|cause| {
        let (line, column) = (cause.line(), cause.column());
        ProviderError::BadAnswer(format!(
            "login: the answer is not Keystone's (line {line}, column {column}); is auth_url right?"
        ))
    })
}

fn stamp(time: Lenient<Utc>) -> Option<Timestamp> {
    time.value.map(|at| at.0)
}

fn unscoped() -> ProviderError {
    ProviderError::Auth(
        "the login succeeded, but without a project, so nothing can be done; set tenant_name".to_owned(),
    )
}

#[derive(Deserialize)]
struct V2Body {
    access: V2Access,
}

#[derive(Deserialize)]
struct V2Access {
    token: V2Token,
    #[serde(rename = "serviceCatalog", default)]
    catalog: List<V2Service>,
}

#[derive(Deserialize)]
struct V2Token {
    id: String,
    #[serde(default)]
    expires: Lenient<Utc>,
    #[serde(default)]
    tenant: Object<ProjectRef>,
}

#[derive(Deserialize)]
struct V2Service {
    #[serde(default)]
    r#type: LenientText,
    #[serde(default)]
    name: LenientText,
    #[serde(default)]
    endpoints: List<V2Endpoint>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct V2Endpoint {
    #[serde(default)]
    region: LenientText,
    #[serde(default, rename = "publicURL")]
    public: LenientText,
    #[serde(default, rename = "internalURL")]
    internal: LenientText,
    #[serde(default, rename = "adminURL")]
    admin: LenientText,
}

fn read_v2(reply: &Reply, odd: &mut Oddities) -> Result<Login, ProviderError> {
    let body: V2Body = parse(reply)?;
    let tenant = ProjectRef::required_id(body.access.token.tenant)?;
    note(odd, "serviceCatalog", body.access.catalog.odd);
    let mut catalog = Vec::new();
    for service in body.access.catalog.all {
        let Some(kind) = kind(service.r#type, service.name, service.endpoints.odd, odd) else {
            continue;
        };
        for endpoint in service.endpoints.all {
            let region = endpoint.region.filled();
            let urls = [
                ("public", endpoint.public),
                ("internal", endpoint.internal),
                ("admin", endpoint.admin),
            ];
            catalog.extend(urls.into_iter().filter_map(|(interface, url)| {
                Some(Endpoint {
                    kind: kind.clone(),
                    interface: interface.to_owned(),
                    regions: [region.clone(), None],
                    url: url.filled()?,
                })
            }));
        }
    }
    Ok(Login {
        token: Secret::new(body.access.token.id),
        project: Some(tenant),
        catalog,
        expires: stamp(body.access.token.expires),
        at: reply.date(),
    })
}
