//! The login: what is sent to Keystone, and what its answer means. One request; keeping the token is left to `kept`.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use ureq::http::Method;

use super::catalog::Endpoint;
use super::error::Fault;
use super::session::date;
use super::told::Loose;
use crate::access::{KeystoneAuth, NameOrId, OpenStackAccess};
use crate::http::{Http, HttpError, Reply, Request, printable};
use crate::provider::ProviderError;
use crate::secret::Secret;
use crate::text::quoted;

/// What a login gives.
#[derive(Debug, Clone)]
pub(super) struct Login {
    /// The token, for `X-Auth-Token`.
    pub token: Secret,
    /// The project's id.
    pub project: Option<String>,
    /// The service catalog.
    pub catalog: Vec<Endpoint>,
    /// Until when the token is good, by the cloud's clock; `None` where Keystone did not say.
    pub expires: Option<Timestamp>,
    /// Keystone's clock when it made the token: it says so, or dates its answer (behind uwsgi it does not).
    pub at: Option<Timestamp>,
}

/// Sends a login.
pub(super) fn send(http: &Http, access: &OpenStackAccess) -> Result<Reply, HttpError> {
    let path = if is_v2(access) { "v2.0/tokens" } else { "v3/auth/tokens" };
    let url = format!("{}/{path}", access.auth_url.trim_end_matches('/'));
    let body = body(&access.auth, access.auth.secret().reveal()).to_string();
    http.send(&Request {
        method: Method::POST,
        url: &url,
        headers: &[("accept", "application/json")],
        body: Some(("application/json", body.as_bytes())),
    })
}

fn is_v2(access: &OpenStackAccess) -> bool {
    matches!(access.auth, KeystoneAuth::V2Password { .. })
}

/// Says who logs in where, without the secret: two logins of the same text differ by their secret alone.
pub(super) fn identity(access: &OpenStackAccess) -> String {
    format!("{} {}", access.auth_url, body(&access.auth, ""))
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

/// A user or project: an id stands alone, a name needs its domain.
fn in_domain(what: &NameOrId, domain: &NameOrId) -> Value {
    match what {
        NameOrId::Id(id) => json!({"id": id}),
        NameOrId::Name(name) => match domain {
            NameOrId::Id(id) => json!({"name": name, "domain": {"id": id}}),
            NameOrId::Name(domain) => json!({"name": name, "domain": {"name": domain}}),
        },
    }
}

/// Reads the answer to a login.
pub(super) fn read(access: &OpenStackAccess, reply: &Reply) -> Result<Login, ProviderError> {
    match reply.status {
        200..=299 if is_v2(access) => read_v2(reply),
        200..=299 => read_v3(reply),
        _ => Err(refused(access, reply)),
    }
}

fn refused(access: &OpenStackAccess, reply: &Reply) -> ProviderError {
    let fault = Fault::of(reply);
    let said = fault.said();
    let at = printable(&access.auth_url, 100);
    match (&access.auth, reply.status) {
        (KeystoneAuth::V2Password { .. }, 300 | 404 | 410) => ProviderError::Auth(format!(
            "this cloud has Keystone v3 only; set auth_version 3.x_password (login at {at}: {said})"
        )),
        (_, 401) if reply.header("openstack-auth-receipt").is_some() => ProviderError::Auth(format!(
            "the user needs a second factor, which a program has not; use an application credential (login at {at}: {said})"
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
            "wrong password, or no such {} or domain: Keystone does not tell which (login at {at}: {said})",
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
    expires_at: Loose,
    #[serde(default)]
    issued_at: Loose,
    project: Option<ProjectRef>,
    catalog: Option<Vec<V3Service>>,
}

#[derive(Deserialize)]
struct ProjectRef {
    id: String,
}

#[derive(Deserialize)]
struct V3Service {
    #[serde(default)]
    r#type: String,
    #[serde(default)]
    endpoints: Vec<V3Endpoint>,
}

#[derive(Deserialize)]
struct V3Endpoint {
    #[serde(default)]
    interface: String,
    #[serde(default)]
    region_id: Loose,
    #[serde(default)]
    region: Loose,
    #[serde(default)]
    url: Loose,
}

fn read_v3(reply: &Reply) -> Result<Login, ProviderError> {
    let body: V3Body = parse(reply)?;
    let token = reply
        .header("x-subject-token")
        .ok_or_else(|| ProviderError::BadAnswer("login: the answer has no X-Subject-Token".to_owned()))?;
    let (Some(project), Some(catalog)) = (body.token.project, body.token.catalog) else {
        return Err(unscoped());
    };
    let endpoints = catalog.into_iter().flat_map(|service| {
        let kind = service.r#type;
        service.endpoints.into_iter().map(move |endpoint| Endpoint {
            kind: kind.clone(),
            interface: endpoint.interface.trim_end_matches("URL").to_owned(),
            regions: [endpoint.region_id.filled(), endpoint.region.filled()],
            url: endpoint.url.0.unwrap_or_default(),
        })
    });
    Ok(Login {
        token: Secret::new(token),
        project: Some(project.id),
        catalog: endpoints.collect(),
        expires: stamp(&body.token.expires_at),
        at: stamp(&body.token.issued_at).or_else(|| date(reply)),
    })
}

/// Reads the body without showing anything of it: v2.0 has the token in there.
fn parse<'a, T: Deserialize<'a>>(reply: &'a Reply) -> Result<T, ProviderError> {
    serde_json::from_slice(&reply.body).map_err(|cause| {
        let (line, column) = (cause.line(), cause.column());
        ProviderError::BadAnswer(format!(
            "login: the answer is not Keystone's (line {line}, column {column}); is auth_url right?"
        ))
    })
}

fn stamp(text: &Loose) -> Option<Timestamp> {
    text.0.as_deref()?.parse().ok()
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
    catalog: Vec<V2Service>,
}

#[derive(Deserialize)]
struct V2Token {
    id: String,
    #[serde(default)]
    expires: Loose,
    tenant: Option<ProjectRef>,
}

#[derive(Deserialize)]
struct V2Service {
    #[serde(default)]
    r#type: String,
    #[serde(default)]
    endpoints: Vec<V2Endpoint>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct V2Endpoint {
    #[serde(default)]
    region: Loose,
    #[serde(default, rename = "publicURL")]
    public: Loose,
    #[serde(default, rename = "internalURL")]
    internal: Loose,
    #[serde(default, rename = "adminURL")]
    admin: Loose,
}

fn read_v2(reply: &Reply) -> Result<Login, ProviderError> {
    let body: V2Body = parse(reply)?;
    let Some(tenant) = body.access.token.tenant else {
        return Err(unscoped());
    };
    let mut catalog = Vec::new();
    for service in body.access.catalog {
        for endpoint in service.endpoints {
            let region = endpoint.region.filled();
            let urls = [
                ("public", endpoint.public),
                ("internal", endpoint.internal),
                ("admin", endpoint.admin),
            ];
            catalog.extend(urls.into_iter().filter_map(|(interface, url)| {
                Some(Endpoint {
                    kind: service.r#type.clone(),
                    interface: interface.to_owned(),
                    regions: [region.clone(), None],
                    url: url.filled()?,
                })
            }));
        }
    }
    Ok(Login {
        token: Secret::new(body.access.token.id),
        project: Some(tenant.id),
        catalog,
        expires: stamp(&body.access.token.expires),
        at: date(reply),
    })
}
