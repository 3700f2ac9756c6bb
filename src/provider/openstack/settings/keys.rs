//! The keys of an entry of `provider:` of type `openstack`.

use crate::provider::kind::COMMON;
use crate::secret::Secret;
use crate::settings::key::{Key, KeySpec, Need, Words};
use crate::settings::keys;
use crate::settings::transport::TRANSPORT;

use super::libcloud;

keys! {
    /// An OpenStack.
    pub OPENSTACK {
        include: &[&COMMON, &TRANSPORT],
        refused: &[
            ("auth", "not supported here; write its keys one level up, or name an entry of clouds.yaml by cloud"),
            ("regions", "not supported here; write one provider entry for each region, with service_region"),
            ("profile", "not supported; write the auth_url of that cloud, and its service_region"),
            ("trust_id", "not supported; use an application credential, which acts for its user"),
            ("system_scope", "not supported; servers belong to a project, so name it by tenant_name"),
            ("cert", NO_CERTIFICATE),
            ("key", NO_CERTIFICATE),
            ("microversion", NO_NEED),
            ("service_type", NO_NEED),
            ("service_name", NO_NEED),
            ("api_version", NO_NEED),
            ("token_scope", "not supported; remove it, the scope is always the project"),
            ("auth_cache", "not supported; write token_cache: true"),
            ("insecure", "not supported; write verify: false"),
        ],
        prefixes: &["ex_force_", "ex_"],
        needs: &NEEDS,
    };
    /// The user.
    pub USERNAME: Option<String> = Key::text("username").also(&["user"]);
    /// The user's id, instead of the name and its domain.
    pub USER_ID: Option<String> = Key::text("user_id");
    /// The password.
    pub PASSWORD: Option<Secret> = Key::secret("password");
    /// The file that holds the password.
    pub PASSWORD_FILE: Option<String> = Key::path("password_file");
    /// The id of an application credential.
    pub APPLICATION_CREDENTIAL_ID: Option<String> = Key::text("application_credential_id");
    /// The name of an application credential, together with its user.
    pub APPLICATION_CREDENTIAL_NAME: Option<String> = Key::text("application_credential_name");
    /// The secret of an application credential.
    pub APPLICATION_CREDENTIAL_SECRET: Option<Secret> = Key::secret("application_credential_secret");
    /// A token that was made elsewhere.
    pub TOKEN: Option<Secret> = Key::secret("token").also(&["auth_token"]);
    /// An entry of clouds.yaml that completes this one.
    pub CLOUD: Option<String> = Key::source("cloud");
    /// The address of Keystone.
    pub AUTH_URL: Option<String> = Key::text("auth_url");
    /// How to log in.
    pub AUTH_VERSION: Option<String> = Key::text("auth_version")
        .also(&["auth_type"])
        .among(&[&libcloud::V3_PASSWORD, &libcloud::APPLICATION_CREDENTIAL, &libcloud::TOKEN, &libcloud::V2_PASSWORD])
        .depends("the other keys");
    /// The region; without it the cloud must have just one.
    pub SERVICE_REGION: Option<String> = Key::text_or_none("service_region").also(&["region_name", "region"]);
    /// The project.
    pub TENANT_NAME: Option<String> = Key::text("tenant_name").also(&["project_name", "tenant", "project"]);
    /// The project's id, instead of its name and domain.
    pub TENANT_ID: Option<String> = Key::text("tenant_id").also(&["project_id"]);
    /// The domain of the user.
    pub USER_DOMAIN_NAME: Option<String> = Key::text("user_domain_name").also(&["domain_name"]).depends("Default");
    /// The id of the user's domain.
    pub USER_DOMAIN_ID: Option<String> = Key::text("user_domain_id");
    /// The domain of the project.
    pub PROJECT_DOMAIN_NAME: Option<String> = Key::text("project_domain_name").also(&["tenant_domain_name"]);
    /// The id of the project's domain.
    pub PROJECT_DOMAIN_ID: Option<String> = Key::text("project_domain_id").also(&["tenant_domain_id"]).depends("default");
    /// Which endpoints of the catalog are used.
    pub INTERFACE: &'static str = Key::word("interface", &INTERFACES).also(&["endpoint_type"]).or("public");
    /// The endpoint of compute, instead of the catalog's.
    pub COMPUTE_URL: Option<String> = Key::text("compute_url").also(&["base_url"]);
    /// The endpoint of images.
    pub IMAGE_URL: Option<String> = Key::text("image_url");
    /// The endpoint of networks.
    pub NETWORK_URL: Option<String> = Key::text("network_url");
    /// The endpoint of block storage.
    pub VOLUME_URL: Option<String> = Key::text("volume_url");
    /// Whether the login is kept for the next passes, or the file in which it is.
    pub TOKEN_CACHE: String = Key::flag_or_path("token_cache").or("false");
}

keys! {
    /// The keys of a template that are for an OpenStack alone. Their values are in `ServerSpec::more`, for `create`
    /// (`KEY.value_in(&spec.more)`, which knows the defaults); the keys that every kind gets are in `config::node::server`.
    pub NODE;
}

/// A provider with one of these logs in by its own keys; one without takes its login from the environment.
pub static OWN_LOGIN: [&KeySpec; 6] = [
    AUTH_URL.spec(),
    USERNAME.spec(),
    USER_ID.spec(),
    APPLICATION_CREDENTIAL_ID.spec(),
    APPLICATION_CREDENTIAL_NAME.spec(),
    TOKEN.spec(),
];

/// What a login by its own keys needs. The secret may come from the environment.
static NEEDS: [Need; 3] = [
    Need {
        when: &OWN_LOGIN,
        unless: &[CLOUD.spec()],
        ..Need::of(&[AUTH_URL.spec()])
    },
    Need {
        when: &OWN_LOGIN,
        unless: &[
            CLOUD.spec(),
            APPLICATION_CREDENTIAL_ID.spec(),
            APPLICATION_CREDENTIAL_NAME.spec(),
            TOKEN.spec(),
        ],
        unless_text: Some((
            AUTH_VERSION.spec(),
            &[&libcloud::APPLICATION_CREDENTIAL, &libcloud::TOKEN],
        )),
        ..Need::of(&[USERNAME.spec(), USER_ID.spec()])
    },
    Need {
        when: &OWN_LOGIN,
        unless: &[
            CLOUD.spec(),
            APPLICATION_CREDENTIAL_ID.spec(),
            APPLICATION_CREDENTIAL_NAME.spec(),
        ],
        unless_text: Some((AUTH_VERSION.spec(), &[&libcloud::APPLICATION_CREDENTIAL])),
        ..Need::of(&[TENANT_NAME.spec(), TENANT_ID.spec()])
    },
];

const NO_NEED: &str = "not supported; remove it, mita finds what it needs in the catalog";

const NO_CERTIFICATE: &str = "a client certificate is not supported; use an address that needs none";

static INTERFACES: Words = Words {
    words: &["public", "internal", "admin"],
    spellings: &[
        ("publicURL", "public"),
        ("internalURL", "internal"),
        ("adminURL", "admin"),
    ],
    any_case: false,
    what: "interface",
};
