//! Judges how a provider logs in: which of the logins its keys mean, and whether they are complete.

use crate::secret::Secret;
use crate::settings::key::{Key, KeySpec};
use crate::settings::names;
use crate::settings::section::{Given, Section};

use super::super::endpoint::{KeystoneAuth, NameOrId};
use super::keys::{
    APPLICATION_CREDENTIAL_ID, APPLICATION_CREDENTIAL_NAME, APPLICATION_CREDENTIAL_SECRET, AUTH_URL, AUTH_VERSION,
    PROJECT_DOMAIN_ID, PROJECT_DOMAIN_NAME, TENANT_ID, TENANT_NAME, TOKEN, USER_DOMAIN_ID, USER_DOMAIN_NAME, USER_ID,
    USERNAME,
};
use super::libcloud::{AuthVersion, unusable};

/// Chooses the login: by `auth_version`, else by the keys that are there, else v3 with a password as libcloud does.
pub fn version(at: &Section<'_>, in_url: Option<&str>) -> AuthVersion {
    let Some(text) = at.get(&AUTH_VERSION) else {
        return if at.has(&APPLICATION_CREDENTIAL_ID) || at.has(&APPLICATION_CREDENTIAL_NAME) {
            AuthVersion::V3ApplicationCredential
        } else if at.has(&TOKEN) {
            AuthVersion::V3Token
        } else if in_url == Some("v2.0") {
            AuthVersion::V2Password
        } else {
            AuthVersion::V3Password
        };
    };
    let version = AuthVersion::parse(&text).unwrap_or_else(|why| {
        at.error(&AUTH_VERSION, unusable(&text, why));
        AuthVersion::V3Password
    });
    if in_url.is_some_and(|in_url| in_url != version.in_url()) {
        let text = format!(
            "ends in {}, auth_version says {}, which is used; end it before the version",
            in_url.unwrap_or_default(),
            version.in_url()
        );
        at.warn_in_check(&AUTH_URL, text);
    }
    version
}

/// Reads what is proven to Keystone.
pub fn auth(at: &Section<'_>, version: AuthVersion, secret: Secret) -> KeystoneAuth {
    useless(at, version);
    match version {
        AuthVersion::V2Password => KeystoneAuth::V2Password {
            username: names::required(at, &USERNAME, "write the user"),
            password: secret,
            tenant: tenant(at),
        },
        AuthVersion::V3Password => {
            let (user, user_domain) = user(at);
            let (project, project_domain) = project(at);
            KeystoneAuth::V3Password {
                user,
                user_domain,
                password: secret,
                project,
                project_domain,
            }
        }
        AuthVersion::V3ApplicationCredential => credential(at, secret),
        AuthVersion::V3Token => {
            let (project, project_domain) = project(at);
            KeystoneAuth::V3Token {
                token: secret,
                project,
                project_domain,
            }
        }
    }
}

/// Reports the keys of other logins than the one that is made.
fn useless(at: &Section<'_>, version: AuthVersion) {
    // Of a cloud that was not found the login is not known.
    if at.is_bad(&AUTH_VERSION) {
        return;
    }
    let refuse = |keys: &[&KeySpec], wanted: &str| {
        for key in keys.iter().filter(|key| at.given(key) == Given::Value) {
            let text = format!("has no use with this auth_version; write auth_version: {wanted}");
            at.error(key, text);
        }
    };
    if version != AuthVersion::V3ApplicationCredential {
        let keys: [&KeySpec; 3] = [
            &APPLICATION_CREDENTIAL_ID,
            &APPLICATION_CREDENTIAL_NAME,
            &APPLICATION_CREDENTIAL_SECRET,
        ];
        refuse(&keys, "3.x_appcred");
    }
    if version != AuthVersion::V3Token {
        refuse(&[&TOKEN], "3.x_token");
    }
    if version == AuthVersion::V2Password {
        let keys = [
            &USER_ID,
            &USER_DOMAIN_NAME,
            &USER_DOMAIN_ID,
            &PROJECT_DOMAIN_NAME,
            &PROJECT_DOMAIN_ID,
        ];
        for key in keys.into_iter().filter(|key| at.given(key) == Given::Value) {
            at.hint(key, "has no meaning with auth_version 2.0_password; remove it");
        }
    }
}

/// An application credential: by its id, which libcloud has as the username, or by its name and its user's.
fn credential(at: &Section<'_>, secret: Secret) -> KeystoneAuth {
    let key = &APPLICATION_CREDENTIAL_ID;
    if at.has(&APPLICATION_CREDENTIAL_NAME) {
        if !at.has(key) {
            let name = names::optional(at, &APPLICATION_CREDENTIAL_NAME).unwrap_or_default();
            let (user, user_domain) = user(at);
            return KeystoneAuth::V3NamedCredential {
                name,
                user,
                user_domain,
                secret,
            };
        }
        let text = format!("{} is given, too; keep one of the two", key.name);
        at.error(&APPLICATION_CREDENTIAL_NAME, text);
    }
    let id = match (at.has(key), at.has(&USERNAME)) {
        (true, true) => {
            let text = format!("the credential's id is given by {}, too; keep one of the two", key.name);
            at.error(&USERNAME, text);
            String::new()
        }
        (false, true) => names::required(at, &USERNAME, ""),
        (_, false) => {
            let what = "write the id of the application credential (as username, too)";
            names::required(at, key, what)
        }
    };
    KeystoneAuth::V3ApplicationCredential { id, secret }
}

/// The user and its domain, which libcloud has by name.
fn user(at: &Section<'_>) -> (NameOrId, NameOrId) {
    let user = either(at, &USERNAME, &USER_ID)
        .unwrap_or_else(|| NameOrId::Name(names::required(at, &USERNAME, "write the user")));
    let domain = either(at, &USER_DOMAIN_NAME, &USER_DOMAIN_ID);
    (user, domain.unwrap_or_else(|| NameOrId::Name("Default".to_owned())))
}

/// The project and its domain, which libcloud has by id.
fn project(at: &Section<'_>) -> (NameOrId, NameOrId) {
    let domain = either(at, &PROJECT_DOMAIN_NAME, &PROJECT_DOMAIN_ID);
    (tenant(at), domain.unwrap_or_else(|| NameOrId::Id("default".to_owned())))
}

fn tenant(at: &Section<'_>) -> NameOrId {
    either(at, &TENANT_NAME, &TENANT_ID).unwrap_or_else(|| {
        let what = "write the project that the servers belong to (project_name is the same)";
        NameOrId::Name(names::required(at, &TENANT_NAME, what))
    })
}

/// Reads what is given either by name or by id.
fn either(at: &Section<'_>, name: &Key<Option<String>>, id: &Key<Option<String>>) -> Option<NameOrId> {
    if at.has(name) && at.has(id) {
        at.error(id, format!("{} is given, too; keep one of the two", name.name));
    }
    let by_id = names::optional(at, id).map(NameOrId::Id);
    by_id.or_else(|| names::optional(at, name).map(NameOrId::Name))
}
