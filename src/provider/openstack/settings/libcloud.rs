//! What libcloud and openrc users write for Keystone: the spellings of `auth_version`, and an `auth_url` with or without
//! a version.

use crate::settings::complaint::Complaint;
use crate::settings::problem::quoted;

/// How mita logs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthVersion {
    /// v2.0 with a password.
    V2Password,
    /// v3 with a password.
    V3Password,
    /// v3 with an application credential.
    V3ApplicationCredential,
    /// v3 with a token.
    V3Token,
}

/// The spellings of each login, in lower case.
pub static V2_PASSWORD: [&str; 6] = ["2.0_password", "2", "2.0", "v2", "v2.0", "v2password"];
/// As [`V2_PASSWORD`].
pub static V3_PASSWORD: [&str; 8] = [
    "3.x_password",
    "3",
    "3.0",
    "3.x",
    "v3",
    "3.0_password",
    "password",
    "v3password",
];
/// As [`V2_PASSWORD`].
pub static APPLICATION_CREDENTIAL: [&str; 4] = [
    "3.x_appcred",
    "v3applicationcredential",
    "appcred",
    "application_credential",
];
/// As [`V2_PASSWORD`].
pub static TOKEN: [&str; 3] = ["3.x_token", "v3token", "token"];

impl AuthVersion {
    /// Reads a spelling. The error has the reason why the login cannot be used.
    pub fn parse(text: &str) -> Result<Self, Complaint> {
        let lower = text.trim().to_ascii_lowercase();
        for (spellings, version) in [
            (&V2_PASSWORD[..], Self::V2Password),
            (&V3_PASSWORD, Self::V3Password),
            (&APPLICATION_CREDENTIAL, Self::V3ApplicationCredential),
            (&TOKEN, Self::V3Token),
        ] {
            if spellings.contains(&lower.as_str()) {
                return Ok(version);
            }
        }
        let reason = if lower.starts_with("1.") || lower == "1" {
            "version 1 of the login left OpenStack long ago"
        } else if lower.contains("apikey") {
            "API keys were a Rackspace extension"
        } else if lower.contains("voms") {
            "a login by VOMS proxy certificate is not supported"
        } else if lower.contains("oidc") {
            "a login by OpenID Connect needs a browser"
        } else {
            "mita knows no such login"
        };
        Err(Complaint::new(
            reason,
            "write 3.x_password, 3.x_appcred, 3.x_token or 2.0_password",
        ))
    }

    /// Returns the version of the login, as it is written in URLs.
    pub fn in_url(self) -> &'static str {
        match self {
            Self::V2Password => "v2.0",
            Self::V3Password | Self::V3ApplicationCredential | Self::V3Token => "v3",
        }
    }
}

/// Splits an `auth_url` into Keystone's base URL and the version that it ended in.
pub fn split_auth_url(url: &str) -> (&str, Option<&'static str>) {
    let url = url.trim_end_matches('/');
    let tails = [
        ("/v3/auth/tokens", "v3"),
        ("/v2.0/tokens", "v2.0"),
        ("/v3", "v3"),
        ("/v2.0", "v2.0"),
    ];
    tails
        .iter()
        .find_map(|(tail, version)| Some((url.strip_suffix(tail)?.trim_end_matches('/'), Some(*version))))
        .unwrap_or((url, None))
}

/// Returns why a login of keystoneauth that mita does not have is none for it, and what to do.
pub fn refused_auth_type(text: &str) -> Complaint {
    let lower = text.trim().to_ascii_lowercase();
    let has = |any: &[&str]| any.iter().any(|part| lower.contains(part));
    let reason = if has(&["totp", "multifactor"]) {
        "a second factor needs a person"
    } else if has(&["oidc", "websso", "saml", "adfs", "openid"]) {
        "a login at another identity provider needs a browser or that provider's client"
    } else if has(&["kerberos"]) {
        "a login by Kerberos needs its libraries"
    } else if has(&["oauth"]) {
        "a login by OAuth is not supported"
    } else if matches!(lower.as_str(), "none" | "noauth" | "http_basic") {
        "a service without Keystone is not supported"
    } else if has(&["admin_token", "token_endpoint"]) {
        "a token without a catalog is not supported"
    } else if lower.starts_with("v1") || lower == "v2token" {
        "this login left OpenStack long ago"
    } else {
        "mita knows no such login"
    };
    Complaint::new(
        reason,
        "use v3applicationcredential (openstack application credential create), v3password, v3token or v2password",
    )
}

/// Says that a login cannot be used, and why.
pub fn unusable(login: &str, why: Complaint) -> String {
    format!("{} cannot be used, {why}", quoted(login))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_the_auth_version_are_read() {
        let check = |text, wanted| assert_eq!(AuthVersion::parse(text).ok(), wanted, "{text}");
        check("2.0_password", Some(AuthVersion::V2Password));
        check("2.0", Some(AuthVersion::V2Password));
        check("3.x_password", Some(AuthVersion::V3Password));
        check("V3", Some(AuthVersion::V3Password));
        check("3.x_appcred", Some(AuthVersion::V3ApplicationCredential));
        check("v3applicationcredential", Some(AuthVersion::V3ApplicationCredential));
        for refused in [
            "1.0",
            "1.1",
            "2.0_apikey",
            "2.0_voms",
            "3.x_oidc_access_token",
            "kerberos",
            "",
        ] {
            check(refused, None);
        }
    }

    #[test]
    fn the_version_is_cut_off_the_auth_url() {
        let check = |url, base, version| assert_eq!(split_auth_url(url), (base, version), "{url}");
        check("http://h:5000", "http://h:5000", None);
        check("http://h:5000/", "http://h:5000", None);
        check("http://h:5000/v3", "http://h:5000", Some("v3"));
        check("http://h:5000/v3/", "http://h:5000", Some("v3"));
        check("http://h/identity/v2.0/", "http://h/identity", Some("v2.0"));
        check("http://h/identity/v3/auth/tokens", "http://h/identity", Some("v3"));
        check("http://h/v2.0/tokens", "http://h", Some("v2.0"));
    }
}
