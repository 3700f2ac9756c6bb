//! Judges how a provider logs in: which of the logins its keys mean, and whether they are complete.

use crate::access::{KeystoneAuth, NameOrId};
use crate::secret::Secret;

use super::super::at::{At, Given};
use super::super::libcloud::AuthVersion;
use super::super::problem::{Report, quoted};
use super::super::raw::RawProvider;
use super::text;

/// Chooses the login: as told, else by the keys that are there, else v3 with a password as libcloud does.
pub fn version(at: &At<'_>, raw: &RawProvider, in_url: Option<&str>, report: &mut Report) -> AuthVersion {
    let Some(text) = &raw.auth_version else {
        return if raw.application_credential_id.is_some() || raw.application_credential_name.is_some() {
            AuthVersion::V3ApplicationCredential
        } else if raw.token.is_some() {
            AuthVersion::V3Token
        } else if in_url == Some("v2.0") {
            AuthVersion::V2Password
        } else {
            AuthVersion::V3Password
        };
    };
    let version = AuthVersion::parse(text).unwrap_or_else(|what| {
        let (what, action) = what.split_once("; ").unwrap_or((&what, ""));
        let place = at.place("auth_version");
        report.error(&place, format!("{} cannot be used, {what}; {action}", quoted(text)));
        AuthVersion::V3Password
    });
    if in_url.is_some_and(|in_url| in_url != version.in_url()) {
        let text = format!(
            "ends in {}, auth_version says {}, which is used; end it before the version",
            in_url.unwrap_or_default(),
            version.in_url()
        );
        report.warn(&at.place("auth_url"), text);
    }
    version
}

/// Reads what is proven to Keystone.
pub fn auth(at: &At<'_>, raw: &RawProvider, version: AuthVersion, secret: Secret, report: &mut Report) -> KeystoneAuth {
    useless(at, version, report);
    match version {
        AuthVersion::V2Password => KeystoneAuth::V2Password {
            username: text::required(at, "username", raw.username.as_ref(), "write the user", report),
            password: secret,
            tenant: tenant(at, raw, report),
        },
        AuthVersion::V3Password => {
            let (user, user_domain) = user(at, raw, report);
            let (project, project_domain) = project(at, raw, report);
            KeystoneAuth::V3Password {
                user,
                user_domain,
                password: secret,
                project,
                project_domain,
            }
        }
        AuthVersion::V3ApplicationCredential => credential(at, raw, secret, report),
        AuthVersion::V3Token => {
            let (project, project_domain) = project(at, raw, report);
            KeystoneAuth::V3Token {
                token: secret,
                project,
                project_domain,
            }
        }
    }
}

/// Reports the keys of other logins than the one that is made.
fn useless(at: &At<'_>, version: AuthVersion, report: &mut Report) {
    let mut refuse = |keys: &[&str], wanted: &str| {
        for key in keys.iter().filter(|key| at.given(key) == Given::Value) {
            let text = format!("has no use with this auth_version; write auth_version: {wanted}");
            report.error(&at.place(key), text);
        }
    };
    if version != AuthVersion::V3ApplicationCredential {
        let keys = [
            "application_credential_id",
            "application_credential_name",
            "application_credential_secret",
        ];
        refuse(&keys, "3.x_appcred");
    }
    if version != AuthVersion::V3Token {
        refuse(&["token"], "3.x_token");
    }
    if version == AuthVersion::V2Password {
        for key in [
            "user_id",
            "user_domain_name",
            "user_domain_id",
            "project_domain_name",
            "project_domain_id",
        ] {
            if at.given(key) == Given::Value {
                report.hint(
                    &at.place(key),
                    "has no meaning with auth_version 2.0_password; remove it",
                );
            }
        }
    }
}

/// An application credential: by its id, which libcloud has as the username, or by its name and its user's.
fn credential(at: &At<'_>, raw: &RawProvider, secret: Secret, report: &mut Report) -> KeystoneAuth {
    if let Some(name) = &raw.application_credential_name
        && raw.application_credential_id.is_none()
    {
        let name = text::optional(at, "application_credential_name", Some(name), report).unwrap_or_default();
        let (user, user_domain) = user(at, raw, report);
        return KeystoneAuth::V3NamedCredential {
            name,
            user,
            user_domain,
            secret,
        };
    }
    let key = "application_credential_id";
    if raw.application_credential_name.is_some() {
        let text = format!("{key} is given, too; keep one of the two");
        report.error(&at.place("application_credential_name"), text);
    }
    let id = match (&raw.application_credential_id, &raw.username) {
        (Some(_), Some(_)) => {
            let text = format!("the credential's id is given by {key}, too; keep one of the two");
            report.error(&at.place("username"), text);
            String::new()
        }
        (None, Some(_)) => text::required(at, "username", raw.username.as_ref(), "", report),
        (id, None) => {
            let what = "write the id of the application credential (as username, too)";
            text::required(at, key, id.as_ref(), what, report)
        }
    };
    KeystoneAuth::V3ApplicationCredential { id, secret }
}

/// The user and its domain, which libcloud has by name.
fn user(at: &At<'_>, raw: &RawProvider, report: &mut Report) -> (NameOrId, NameOrId) {
    let name = ("username", raw.username.as_ref());
    let user = either(at, name, ("user_id", raw.user_id.as_ref()), report).unwrap_or_else(|| {
        let what = "write the user";
        NameOrId::Name(text::required(at, "username", raw.username.as_ref(), what, report))
    });
    let domain = either(
        at,
        ("user_domain_name", raw.user_domain_name.as_ref()),
        ("user_domain_id", raw.user_domain_id.as_ref()),
        report,
    );
    (user, domain.unwrap_or_else(|| NameOrId::Name("Default".to_owned())))
}

/// The project and its domain, which libcloud has by id.
fn project(at: &At<'_>, raw: &RawProvider, report: &mut Report) -> (NameOrId, NameOrId) {
    let domain = either(
        at,
        ("project_domain_name", raw.project_domain_name.as_ref()),
        ("project_domain_id", raw.project_domain_id.as_ref()),
        report,
    );
    (
        tenant(at, raw, report),
        domain.unwrap_or_else(|| NameOrId::Id("default".to_owned())),
    )
}

fn tenant(at: &At<'_>, raw: &RawProvider, report: &mut Report) -> NameOrId {
    let name = ("tenant_name", raw.tenant_name.as_ref());
    either(at, name, ("tenant_id", raw.tenant_id.as_ref()), report).unwrap_or_else(|| {
        let what = "write the project that the servers belong to (project_name is the same)";
        NameOrId::Name(text::required(
            at,
            "tenant_name",
            raw.tenant_name.as_ref(),
            what,
            report,
        ))
    })
}

/// Reads what is given either by name or by id.
fn either(
    at: &At<'_>,
    name: (&str, Option<&String>),
    id: (&str, Option<&String>),
    report: &mut Report,
) -> Option<NameOrId> {
    if name.1.is_some() && id.1.is_some() {
        let place = at.place(id.0);
        report.error(&place, format!("{} is given, too; keep one of the two", name.0));
    }
    let by_id = text::optional(at, id.0, id.1, report).map(NameOrId::Id);
    by_id.or_else(|| text::optional(at, name.0, name.1, report).map(NameOrId::Name))
}
