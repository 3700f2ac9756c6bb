//! `cloud: NAME`: what is taken from clouds.yaml, secure.yaml and the environment, and the exact lines about what is
//! wrong there.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use mita::config::Loaded;
use mita::provider::openstack::endpoint::{KeystoneAuth, NameOrId, OpenStackEndpoint};

use super::site;

const REST: &str = "jenkins: {url: 'https://j', user: u, token: t}
nodes: {n: {image_name: i, size: s, labels: [l], provider: openstack}}
";

const CLOUDS: &str = "clouds:
  ci:
    auth:
      auth_url: https://keystone.example.com:5000/v3
      username: jenkins
      password: from clouds
      project_name: ci
      user_domain_name: Corp
      project_domain_id: corp
    region_name: RegionTwo
    interface: internal
  credential:
    auth_type: v3applicationcredential
    auth: {auth_url: 'https://k', application_credential_id: abc, application_credential_secret: shh}
";

/// A home with OpenStack's files, and the environment.
struct Site(site::Site);

impl Site {
    fn new(clouds: &str) -> Self {
        let site = site::Site::new();
        let (home, dirs) = (site.path("home"), site.path("site"));
        let site = site.with("HOME", home.to_str().unwrap());
        let site = Self(site.with("XDG_CONFIG_DIRS", dirs.to_str().unwrap()));
        if !clouds.is_empty() {
            site.write("home/.config/openstack/clouds.yaml", clouds);
        }
        site
    }

    fn with(self, name: &str, value: &str) -> Self {
        Self(self.0.with(name, value))
    }

    fn path(&self, name: &str) -> String {
        self.0.path(name).display().to_string()
    }

    fn write(&self, name: &str, text: &str) {
        self.0.write(name, text, 0o600);
    }

    /// Loads a configuration with these lines under `provider.openstack`.
    fn load(&self, keys: &str) -> Result<Loaded, Vec<String>> {
        self.load_providers(&format!("  openstack: {{{keys}}}\n"))
    }

    fn load_providers(&self, providers: &str) -> Result<Loaded, Vec<String>> {
        self.0.load(format!("provider:\n{providers}{REST}"))
    }

    fn short(&self, line: &str) -> String {
        self.0.short(line)
    }

    #[track_caller]
    fn endpoint(&self, keys: &str) -> OpenStackEndpoint {
        let loaded = self.load(keys).unwrap_or_else(|lines| panic!("{}", lines.join("\n")));
        endpoint(&loaded, "openstack")
    }

    #[track_caller]
    fn warnings(&self, keys: &str) -> Vec<String> {
        let loaded = self.load(keys).unwrap_or_else(|lines| panic!("{}", lines.join("\n")));
        loaded.warnings.iter().map(|w| self.short(&w.text)).collect()
    }

    #[track_caller]
    fn refused(&self, keys: &str) -> Vec<String> {
        self.load(keys).map(|_| "loaded").unwrap_err()
    }
}

fn endpoint(loaded: &Loaded, name: &str) -> OpenStackEndpoint {
    let settings = &loaded.config.provider(name).unwrap().settings;
    settings.downcast::<OpenStackEndpoint>().unwrap().clone()
}

/// Says who logs in, in one line: the secret is shown, for the tests.
fn who(endpoint: &OpenStackEndpoint) -> String {
    let show = |what: &NameOrId| match what {
        NameOrId::Name(name) => format!("={name}"),
        NameOrId::Id(id) => format!("#{id}"),
    };
    let secret = endpoint.auth.secret().reveal();
    match &endpoint.auth {
        KeystoneAuth::V2Password { username, tenant, .. } => format!("v2 {username} {secret} {}", show(tenant)),
        KeystoneAuth::V3Password {
            user,
            user_domain,
            project,
            project_domain,
            ..
        } => format!(
            "{} {} {secret} {} {}",
            show(user),
            show(user_domain),
            show(project),
            show(project_domain)
        ),
        KeystoneAuth::V3ApplicationCredential { id, .. } => format!("credential #{id} {secret}"),
        KeystoneAuth::V3NamedCredential {
            name,
            user,
            user_domain,
            ..
        } => format!("credential ={name} {} {} {secret}", show(user), show(user_domain)),
        KeystoneAuth::V3Token {
            project,
            project_domain,
            ..
        } => format!("token {secret} {} {}", show(project), show(project_domain)),
    }
}

/// A file with one cloud `c` of these lines.
fn one(lines: &str) -> Site {
    Site::new(&format!("clouds:\n  c:\n    {}\n", lines.replace('\n', "\n    ")))
}

#[track_caller]
fn cloud_is(lines: &str, wanted: &str) {
    assert_eq!(who(&one(lines).endpoint("cloud: c")), wanted, "{lines}");
}

#[test]
fn an_entry_says_all_that_a_login_needs() {
    let endpoint = Site::new(CLOUDS).endpoint("cloud: ci");
    assert_eq!(endpoint.auth_url, "https://keystone.example.com:5000");
    assert_eq!(who(&endpoint), "=jenkins =Corp from clouds =ci #corp");
    assert_eq!(endpoint.region.as_deref(), Some("RegionTwo"));
    assert_eq!(endpoint.interface, "internal");
    assert!(endpoint.transport.verify && endpoint.transport.ca_file.is_none() && endpoint.token_cache.is_none());
    assert_eq!(
        who(&Site::new(CLOUDS).endpoint("cloud: credential")),
        "credential #abc shh"
    );
}

#[test]
fn what_a_provider_says_itself_wins() {
    let site = Site::new(CLOUDS);
    let endpoint = site.endpoint("cloud: ci, service_region: Mine, tenant_id: 77, password: own, interface: public");
    assert_eq!(who(&endpoint), "=jenkins =Corp own #77 #corp");
    assert_eq!(
        (endpoint.region.as_deref(), &*endpoint.interface),
        (Some("Mine"), "public")
    );
    site.write("secret", "in a file\n");
    let endpoint = site.endpoint("cloud: ci, password_file: secret, user_id: uid, auth_url: 'https://other/v3'");
    assert_eq!(
        (who(&endpoint).as_str(), &*endpoint.auth_url),
        ("#uid =Corp in a file =ci #corp", "https://other")
    );
}

#[test]
fn a_login_of_the_providers_own_is_not_mixed_with_the_entrys() {
    let site = Site::new(CLOUDS);
    let own = |keys: &str| who(&site.endpoint(keys));
    assert_eq!(
        own("cloud: ci, application_credential_id: i, application_credential_secret: s"),
        "credential #i s"
    );
    assert_eq!(own("cloud: ci, token: tok"), "token tok =ci #corp");
    assert_eq!(
        own("cloud: credential, username: u, password: p, project_name: t"),
        "=u =Default p =t #default"
    );
    assert_eq!(own("cloud: credential, password: other"), "credential #abc other");
    assert_eq!(
        own("cloud: ci, auth_version: 3.x_appcred, username: i, password: s"),
        "credential #i s"
    );
}

#[test]
fn several_providers_may_share_a_cloud_and_differ_by_region() {
    let site = one(
        "auth: {auth_url: 'https://{region_name}.k', username: u, password: p, project_name: t}
regions:
  - One
  - {name: Two, values: {interface: admin, auth: {project_name: other}}}",
    );
    let loaded = site
        .load_providers(
            "  openstack: {cloud: c}\n  two: {type: openstack, cloud: c, service_region: Two}\n  \
             one: {type: openstack, cloud: c, region_name: One}\n",
        )
        .unwrap();
    let says = |name| {
        let endpoint = endpoint(&loaded, name);
        let region = endpoint.region.clone().unwrap();
        format!(
            "{} {region} {} {}",
            endpoint.auth_url,
            endpoint.interface,
            who(&endpoint)
        )
    };
    assert_eq!(says("openstack"), "https://One.k One public =u =Default p =t #default");
    assert_eq!(says("one"), says("openstack"));
    assert_eq!(says("two"), "https://Two.k Two admin =u =Default p =other #default");
    assert_eq!(
        site.refused("cloud: c, service_region: Tow"),
        ["mita.yaml:2:41: provider.openstack.service_region: \"Tow\" is no region of the cloud; did you mean Two?"]
    );
}

#[test]
fn every_login_of_a_program_is_read() {
    let base = "auth_url: 'https://k', password: p";
    cloud_is(
        &format!("auth: {{{base}, username: u, project_name: t}}"),
        "=u =Default p =t #default",
    );
    cloud_is(
        &format!("auth_type: v3password\nauth: {{{base}, user_id: u, username: x, project_id: t, project_name: x}}"),
        "#u =Default p #t #default",
    );
    cloud_is(
        &format!("auth: {{{base}, username: u, project_name: t, domain_name: Both}}"),
        "=u =Both p =t =Both",
    );
    cloud_is(
        &format!("auth: {{{base}, username: u, project_name: t, domain_id: both, user_domain_name: U}}"),
        "=u =U p =t #both",
    );
    cloud_is(
        &format!("auth: {{{base}, username: u, tenant_name: t, default_domain: d}}"),
        "=u #d p =t #d",
    );
    // Numbers stay as they are written; keys of the login may stand beside it.
    cloud_is(
        "auth_url: https://k\nusername: u\npassword: 0123\nproject_id: 0042",
        "=u =Default 0123 #0042 #default",
    );
    cloud_is(
        &format!("auth_type: v2password\nauth: {{{base}, username: u, tenant_name: t}}"),
        "v2 u p =t",
    );
    cloud_is(
        &format!("identity_api_version: '2.0'\nauth: {{{base}, username: u, tenant_id: t}}"),
        "v2 u p #t",
    );
    cloud_is(
        "auth: {auth_url: 'https://k/v2.0', username: u, password: p, project_name: t}",
        "v2 u p =t",
    );
    for kind in ["auth_type: token\n", "auth_type: v3token\n", ""] {
        cloud_is(
            &format!("{kind}auth: {{auth_url: 'https://k', token: tok, project_name: t, project_domain_name: D}}"),
            "token tok =t =D",
        );
    }
    let credential = "auth_url: 'https://k', application_credential_secret: s";
    cloud_is(
        &format!("auth: {{{credential}, application_credential_id: i}}"),
        "credential #i s",
    );
    cloud_is(
        &format!(
            "auth_type: v3applicationcredential\nauth: {{{credential}, application_credential_name: n, username: u, \
             user_domain_id: d}}"
        ),
        "credential =n =u #d s",
    );
}

#[test]
fn our_own_keys_know_these_logins_too() {
    let site = Site::new("");
    let own = |keys: &str| who(&site.endpoint(keys));
    assert_eq!(
        own("auth_url: 'https://k', token: tok, project_id: t"),
        "token tok #t #default"
    );
    assert_eq!(
        own("auth_url: 'https://k', auth_type: v3token, auth_token: tok, tenant_name: t"),
        "token tok =t #default"
    );
    assert_eq!(
        own(
            "auth_url: 'https://k', application_credential_name: n, username: u, user_domain_id: d, \
             application_credential_secret: s"
        ),
        "credential =n =u #d s"
    );
    let lines = site.refused("auth_url: 'https://k', username: u, password: p, tenant_name: t, auth: {}, trust_id: x");
    assert_eq!(lines.len(), 2, "{lines:#?}");
    let lines =
        site.refused("auth_url: 'https://k', auth_version: 3.x_password, token: t, tenant_name: t, username: u");
    assert!(
        lines[0].contains("token: has no use with this auth_version; write auth_version: 3.x_token"),
        "{lines:#?}"
    );
}

#[test]
fn secure_yaml_is_laid_over_clouds_yaml() {
    let site = Site::new(CLOUDS);
    site.write(
        "home/.config/openstack/secure.yaml",
        "clouds: {ci: {auth: {password: from secure}}, other: {}}",
    );
    assert_eq!(who(&site.endpoint("cloud: ci")), "=jenkins =Corp from secure =ci #corp");
    // Both files are looked for by themselves; the user's folder comes before the site's.
    let site = Site::new(CLOUDS);
    site.write(
        "site/openstack/secure.yaml",
        "clouds: {ci: {auth: {password: from site}}}",
    );
    assert_eq!(who(&site.endpoint("cloud: ci")), "=jenkins =Corp from site =ci #corp");
    site.write("elsewhere/s.yml", "clouds: {ci: {auth: {password: named}}}");
    let named = site.path("elsewhere/s.yml");
    let site = site.with("OS_CLIENT_SECURE_FILE", &named);
    assert_eq!(who(&site.endpoint("cloud: ci")), "=jenkins =Corp named =ci #corp");
    // One without a word in it is none.
    let site = Site::new(CLOUDS);
    site.write("home/.config/openstack/secure.yaml", "---\n# later\n");
    assert_eq!(who(&site.endpoint("cloud: ci")), "=jenkins =Corp from clouds =ci #corp");
}

#[test]
fn the_first_file_there_is_counts() {
    let entry = |user: &str| {
        format!("clouds: {{c: {{auth: {{auth_url: 'https://k', username: {user}, password: p, project_id: t}}}}}}")
    };
    let user = |site: &Site| who(&site.endpoint("cloud: c")).split(' ').next().unwrap().to_owned();
    let site = Site::new("");
    site.write("site/openstack/clouds.yml", &entry("site"));
    assert_eq!(user(&site), "=site");
    site.write("home/.config/openstack/clouds.json", &entry("home"));
    assert_eq!(user(&site), "=home");
    site.write("xdg/openstack/clouds.yaml", &entry("xdg"));
    let xdg = site.path("xdg");
    let site = site.with("XDG_CONFIG_HOME", &xdg);
    assert_eq!(user(&site), "=xdg");
    site.write("x/named.yaml", &entry("named"));
    site.write("x/secure.yaml", "clouds: {c: {auth: {user_id: beside}}}");
    let named = site.path("x/named.yaml");
    let site = site.with("OS_CLIENT_CONFIG_FILE", &named);
    assert_eq!(user(&site), "#beside");
    // One that is named and not there is passed over as by others, and said.
    let gone = site.path("gone.yaml");
    let site = site.with("OS_CLIENT_CONFIG_FILE", &gone);
    assert_eq!(user(&site), "=xdg");
    let warnings = site.warnings("cloud: c");
    assert!(
        warnings[0].starts_with("gone.yaml:1:1: (file): cannot be read: No such file"),
        "{warnings:#?}"
    );
}

#[test]
fn transport_and_endpoints_are_taken() {
    let auth = "auth: {auth_url: 'https://k', username: u, password: p, project_name: t}\n";
    let site = one(&format!(
        "{auth}cacert: ca.pem\ncompute_endpoint_override: https://nova/v2.1\nimage_endpoint_override: https://glance\n\
         network_endpoint_override: https://neutron\nvolumev3_endpoint_override: https://cinder/v3/x\n\
         endpoint_type: internalURL"
    ));
    let pem = "-----BEGIN CERTIFICATE-----\n";
    site.write("home/.config/openstack/ca.pem", pem);
    let endpoint = site.endpoint("cloud: c");
    let ca_file = site.0.path("home/.config/openstack/ca.pem");
    assert_eq!(endpoint.transport.ca_file.as_deref(), Some(Path::new(&ca_file)));
    assert!(!endpoint.transport.ca_file_only, "beside the machine's store");
    let alone = site.endpoint("cloud: c, ca_file_only: true").transport;
    assert_eq!(
        (alone.ca_file, alone.ca_file_only),
        (endpoint.transport.ca_file.clone(), true)
    );
    assert_eq!(endpoint.interface, "internal");
    let endpoints = &endpoint.endpoints;
    assert_eq!(endpoints.compute.as_deref(), Some("https://nova/v2.1"));
    assert_eq!(endpoints.image.as_deref(), Some("https://glance"));
    assert_eq!(endpoints.network.as_deref(), Some("https://neutron"));
    assert_eq!(endpoints.volume.as_deref(), Some("https://cinder/v3/x"));

    for line in [
        "verify: false",
        "insecure: true\ncacert: ca.pem",
        "insecure: '1'\nverify: true",
    ] {
        let site = one(&format!("{auth}{line}"));
        site.write("home/.config/openstack/ca.pem", pem);
        assert!(!site.endpoint("cloud: c").transport.verify, "{line}");
        let loaded = site.load("cloud: c").unwrap();
        let warning = loaded
            .warnings
            .iter()
            .find(|w| w.text.contains("not verified"))
            .unwrap();
        assert!(!warning.check_only, "said at each pass");
        assert!(warning.text.contains("openstack/clouds.yaml:4:"), "{warning}");
        assert!(site.endpoint("cloud: c, verify: true").transport.verify, "{line}");
    }
    let site = one(&format!("{auth}verify: false"));
    site.write("own.pem", pem);
    assert!(site.endpoint("cloud: c, ca_file: own.pem").transport.verify);
}

#[test]
fn what_cannot_be_used_is_refused_by_name() {
    let auth = "auth: {auth_url: 'https://k', username: u, password: p, project_name: t";
    let check = |lines: &str, place: &str, text: &str| {
        let refused = one(lines).refused("cloud: c");
        let wanted = format!("home/.config/openstack/clouds.yaml:{place}: {text}");
        assert!(
            refused.len() == 1 && refused[0].starts_with(&wanted),
            "{lines}\n{refused:#?}"
        );
    };
    check(
        &format!("{auth}}}\nprofile: ovh"),
        "4:14: clouds.c.profile",
        "profiles are not supported",
    );
    check(
        &format!("{auth}}}\ncloud: ovh"),
        "4:12: clouds.c.cloud",
        "profiles are not supported",
    );
    check(
        &format!("{auth}, trust_id: x}}"),
        "3:88: clouds.c.auth.trust_id",
        "a trust is not supported",
    );
    check(
        &format!("{auth}, system_scope: all}}"),
        "3:92: clouds.c.auth.system_scope",
        "a login to the whole system",
    );
    check(
        &format!("{auth}}}\ncert: /x"),
        "4:11: clouds.c.cert",
        "a client certificate is not supported",
    );
    check(
        &format!("{auth}}}\nauth_type: v3totp"),
        "4:16: clouds.c.auth_type",
        "\"v3totp\" cannot be used, a second factor needs a person; use v3applicationcredential",
    );
    check(
        &format!("{auth}}}\nauth_type: v3oidcpassword"),
        "4:16: clouds.c.auth_type",
        "\"v3oidcpassword\" cannot be used, a login at another identity provider",
    );
    for kind in ["v3kerberos", "none", "admin_token", "v2token", "what"] {
        check(
            &format!("{auth}}}\nauth_type: {kind}"),
            "4:16: clouds.c.auth_type",
            &format!("\"{kind}\" cannot be used, "),
        );
    }
}

#[test]
fn what_is_missing_or_wrong_has_its_place() {
    let auth = "auth: {auth_url: 'https://k', username: u, password: p, project_name: t";
    let check = |lines: &str, place: &str, text: &str| {
        let refused = one(lines).refused("cloud: c");
        let wanted = format!("home/.config/openstack/clouds.yaml:{place}: {text}");
        assert!(
            refused.len() == 1 && refused[0].starts_with(&wanted),
            "{lines}\n{refused:#?}"
        );
    };
    check(
        "auth: {auth_url: 'https://k', username: u, password: p}",
        "3:5: clouds.c.auth.project_name",
        "missing; without a project nothing can be done",
    );
    check(
        "auth: {username: u, password: p, project_id: t}",
        "3:5: clouds.c.auth.auth_url",
        "missing; write Keystone's address",
    );
    check(
        "auth: {auth_url: 'https://k', project_name: t, password: p}",
        "3:5: clouds.c.auth.username",
        "missing; write the user",
    );
    check(
        "auth: {auth_url: keystone, username: u, password: p, project_name: t}",
        "3:22: clouds.c.auth.auth_url",
        "must begin with https:// or http://",
    );
    check(
        "auth: {auth_url: 'https://{region_name}', username: u, password: p, project_name: t}",
        "3:22: clouds.c.auth.auth_url",
        "holds {region_name}, and no region is named",
    );
    check(
        "region_name: r\nauth: {auth_url: 'https://{cloud}', username: u, password: p, project_name: t}",
        "4:22: clouds.c.auth.auth_url",
        "holds a placeholder that is not known",
    );
    check(
        &format!("{auth}}}\ninterface: [public]"),
        "4:5: clouds.c.interface",
        "must be a text",
    );
    check(
        &format!("{auth}}}\ninterface: publik"),
        "4:16: clouds.c.interface",
        "\"publik\" is no interface; did you mean public?",
    );
    check(
        &format!("{auth}}}\nverify: /ca.pem"),
        "4:13: clouds.c.verify",
        "must be true or false",
    );
    check(
        "auth: text\nauth_url: https://k\nusername: u\npassword: p\nproject_name: t",
        "3:5: clouds.c.auth",
        "must be a mapping",
    );
}

#[test]
fn an_unknown_cloud_is_told_those_there_are() {
    assert_eq!(
        Site::new(CLOUDS).refused("cloud: CL")[0].replace("home/.config/openstack/", ""),
        "mita.yaml:2:22: provider.openstack.cloud: no cloud \"CL\" in clouds.yaml: there are \"ci\", \"credential\"; \
         did you mean ci?"
    );
    let none = Site::new("").refused("cloud: ci");
    assert_eq!(none.len(), 1, "{none:#?}");
    let wanted = "mita.yaml:2:22: provider.openstack.cloud: no clouds.yaml in the current folder, \
                  home/.config/openstack, site/openstack, /etc/openstack; write one,";
    assert!(none[0].starts_with(wanted), "{none:#?}");
    assert!(
        none[0].ends_with("write one, or name it by the variable OS_CLIENT_CONFIG_FILE"),
        "{none:#?}"
    );
}

#[test]
fn a_cloud_without_a_name_is_one_problem() {
    let site = Site::new(CLOUDS);
    assert_eq!(
        site.refused("cloud: "),
        ["mita.yaml:2:15: provider.openstack.cloud: is empty; write the name of an entry of clouds.yaml, or remove it"]
    );
    assert_eq!(
        site.refused("cloud: [ci]"),
        ["mita.yaml:2:22: provider.openstack.cloud: must be a text, is a list; see mita.yaml.example"]
    );
}

#[test]
fn a_broken_file_is_named_with_the_place() {
    let refused = |text: &str| {
        let lines = Site::new(text).refused("cloud: c");
        assert_eq!(lines.len(), 1, "{lines:#?}");
        lines[0].replace("home/.config/openstack/", "")
    };
    assert!(refused("clouds:\n  c: [\n").starts_with("clouds.yaml:3:1: (file): not YAML: "));
    assert!(refused("# nothing\n").starts_with("clouds.yaml:1:1: (file): the file is empty; write clouds:"));
    assert!(refused("- x\n").starts_with("clouds.yaml:1:1: (file): must hold the key clouds"));
    assert!(refused("cloud: {}\n").contains("clouds: missing; write clouds: with an entry for each cloud"));
    assert_eq!(
        refused("clouds:\n  c: {}\n  c: {}\n"),
        "clouds.yaml:3:3: clouds.c: set twice, first in line 2; keep one of the two"
    );
    assert!(refused("clouds:\n  c: text\n").starts_with("clouds.yaml:2:3: clouds.c: must be a mapping of keys"));
}

/// What a cloud that is not there would have brought is not missing, and what is there beside it is not one too many.
#[test]
fn a_cloud_that_is_not_there_is_one_error() {
    let site = Site::new(CLOUDS);
    site.write("secret", "p");
    for beside in [
        "",
        ", password: p",
        ", password_file: secret",
        ", token: t",
        ", application_credential_id: i, application_credential_secret: s",
        ", application_credential_secret: s",
        ", username: u",
        ", user_id: u",
        ", tenant_id: t",
        ", auth_url: 'https://k', username: u, tenant_id: t, password_file: secret",
    ] {
        let lines = site.refused(&format!("cloud: nosuch{beside}"));
        assert!(
            lines.len() == 1 && lines[0].contains(".cloud: no cloud \"nosuch\" in "),
            "{beside}: {lines:#?}"
        );
    }
}

#[test]
fn an_entry_that_says_nothing_takes_the_environment() {
    let site = Site::new(CLOUDS).with("OS_CLOUD", "credential");
    assert_eq!(who(&site.endpoint("")), "credential #abc shh");
    assert_eq!(
        who(&site.endpoint("cloud: ci")),
        "=jenkins =Corp from clouds =ci #corp",
        "the key wins"
    );
    assert!(
        site.load("")
            .unwrap()
            .hints
            .iter()
            .any(|hint| hint.contains("the cloud \"credential\" of the environment"))
    );
    let own = "auth_url: 'https://own', username: u, password: p, tenant_name: t";
    assert_eq!(who(&site.endpoint(own)), "=u =Default p =t #default");
    assert_eq!(
        site.with("OS_CLOUD", "cj").refused("")[0].replace("home/.config/openstack/", ""),
        "mita.yaml:2:3: provider.openstack: no cloud \"cj\" in clouds.yaml (OS_CLOUD): there are \"ci\", \"credential\"; \
         did you mean ci?"
    );

    let openrc = |site: Site| {
        site.with("OS_AUTH_URL", "https://k:5000/v3")
            .with("OS_USERNAME", "env")
            .with("OS_PASSWORD", "secret")
            .with("OS_PROJECT_ID", "pid")
            .with("OS_PROJECT_NAME", "pname")
            .with("OS_USER_DOMAIN_NAME", "Default")
            .with("OS_PROJECT_DOMAIN_ID", "")
            .with("OS_REGION_NAME", "RegionX")
            .with("OS_INTERFACE", "internal")
            .with("OS_IDENTITY_API_VERSION", "3")
    };
    let site = openrc(Site::new(""));
    let endpoint = site.endpoint("");
    assert_eq!(who(&endpoint), "=env =Default secret #pid #default");
    assert_eq!(
        (endpoint.region.as_deref(), &*endpoint.interface),
        (Some("RegionX"), "internal")
    );
    assert_eq!(site.endpoint("service_region: Own").region.as_deref(), Some("Own"));
    assert_eq!(who(&site.endpoint("cloud: envvars")), who(&endpoint));
    // Its own login is never mixed with it.
    let lines = site.refused("username: u");
    assert!(
        lines.iter().any(|line| line.contains("openstack.auth_url: missing")),
        "{lines:#?}"
    );
    assert!(
        lines.iter().any(|line| line.contains("openstack.password: missing")),
        "{lines:#?}"
    );
    let lines = openrc(Site::new("")).with("OS_USERNAME", "").refused("");
    assert_eq!(
        lines,
        ["mita.yaml:2:3: provider.openstack: the environment has no OS_USERNAME; set it, or the provider's own keys"]
    );
    let lines = openrc(Site::new("")).with("OS_AUTH_URL", "k").refused("");
    assert!(
        lines[0].starts_with("mita.yaml:2:3: OS_AUTH_URL: must begin with"),
        "{lines:#?}"
    );

    let site = Site::new("")
        .with("OS_AUTH_URL", "https://k/v3")
        .with("OS_AUTH_TYPE", "v3applicationcredential")
        .with("OS_APPLICATION_CREDENTIAL_ID", "id")
        .with("OS_APPLICATION_CREDENTIAL_SECRET", "s");
    assert_eq!(who(&site.endpoint("")), "credential #id s");
}

#[test]
fn an_empty_region_is_none_wherever_it_is_written() {
    let login = "auth: {auth_url: 'https://k', username: u, password: p, project_name: t}";
    let region = |site: &Site, provider: &str| {
        let region = site.endpoint(provider).region;
        assert_eq!(site.warnings(provider), [""; 0], "{provider}");
        region
    };
    for empty in ["region_name: ''", "region_name:", "region_name: ' '"] {
        let site = one(&format!("{login}\n{empty}"));
        assert_eq!(region(&site, "cloud: c"), None, "{empty}");
        assert_eq!(region(&site, "cloud: c, region_name: ''"), None, "{empty}");
        assert_eq!(
            region(&site, "cloud: c, region_name: Own").as_deref(),
            Some("Own"),
            "{empty}"
        );
    }
    // What is empty hides nothing of what is below it.
    let site = one(&format!("{login}\nregion_name: R"))
        .with("OS_REGION_NAME", "")
        .with("OS_INTERFACE", "");
    for own in ["cloud: c", "cloud: c, service_region: ''", "cloud: c, region: ~"] {
        assert_eq!(region(&site, own).as_deref(), Some("R"), "{own}");
    }
    let site = one(&format!("{login}\nregion_name: R")).with("OS_REGION_NAME", "  ");
    assert_eq!(region(&site, "cloud: c").as_deref(), Some("R"));
    let site = one(&format!("{login}\nregions: [One, Two]\nregion_name: ''")).with("OS_REGION_NAME", "");
    assert_eq!(region(&site, "cloud: c, region_name: ''").as_deref(), Some("One"));
}

#[test]
fn a_byte_order_mark_begins_a_clouds_yaml() {
    let site = Site::new(&format!("\u{feff}{CLOUDS}"));
    assert_eq!(site.endpoint("cloud: ci").region.as_deref(), Some("RegionTwo"));
}

#[test]
fn region_and_interface_of_the_environment_reach_a_named_cloud_and_are_said() {
    let site = Site::new(CLOUDS)
        .with("OS_REGION_NAME", "Env")
        .with("OS_INTERFACE", "public");
    let endpoint = site.endpoint("cloud: ci");
    assert_eq!(
        (endpoint.region.as_deref(), &*endpoint.interface),
        (Some("Env"), "public")
    );
    assert_eq!(
        site.warnings("cloud: ci"),
        [
            "mita.yaml:2:22: OS_REGION_NAME: is taken for the region, not region_name of the cloud; unset it, or write \
          service_region"
        ]
    );
    assert_eq!(site.endpoint("cloud: ci, region: Own").region.as_deref(), Some("Own"));
    assert_eq!(site.warnings("cloud: ci, region: Own"), [""; 0]);
}

#[test]
fn no_message_shows_a_secret_and_a_readable_file_is_hinted_at() {
    let site = Site::new(&CLOUDS.replace("from clouds", "Geheim1"));
    assert_eq!(site.warnings("cloud: ci"), [""; 0]);
    let file = site.0.path("home/.config/openstack/clouds.yaml");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(
        site.warnings("cloud: ci"),
        ["home/.config/openstack/clouds.yaml:1:1: (file): holds a secret and can be read by others; chmod 600 it"]
    );
    // The configuration itself holds the secret of Jenkins in these tests; without one it may be read.
    let debug = format!("{:?}", site.endpoint("cloud: ci"));
    assert!(!debug.contains("Geheim1"), "{debug}");
    for text in [
        "password: [Geheim1]",
        "password: {Geheim1: x}",
        "password: !Geheim1 x",
        "password: \"Geheim1\\n\"",
    ] {
        let site = one(&format!(
            "auth:\n  auth_url: https://k\n  username: u\n  project_id: t\n  {text}"
        ));
        let lines = site.refused("cloud: c").join("\n");
        assert!(
            !lines.contains("Geheim1") && lines.contains("clouds.yaml:7:"),
            "{lines}"
        );
    }
}

#[test]
fn a_typing_error_under_auth_is_hinted_at() {
    let site = one("auth: {auth_url: 'https://k', username: u, password: p, project_name: t, project_domain_nam: D}");
    assert_eq!(
        site.warnings("cloud: c"),
        [
            "home/.config/openstack/clouds.yaml:3:78: clouds.c.auth.project_domain_nam: is not known here and not used; did \
          you mean project_domain_name?"
        ]
    );
}

#[test]
fn a_typing_error_under_auth_stands_beside_what_it_makes_missing() {
    let site = one("auth: {auth_url: 'https://k', usrname: u, pasword: p, project_name: t}");
    assert_eq!(
        site.refused("cloud: c"),
        [
            "mita.yaml:2:3: provider.openstack.password: missing; set it, or password_file, or the variable \
             MITA_OPENSTACK_PASSWORD",
            "home/.config/openstack/clouds.yaml:3:5: clouds.c.auth.username: missing; write the user",
            "home/.config/openstack/clouds.yaml:3:35: clouds.c.auth.usrname: is not known here and not used; did you mean \
             username?",
            "home/.config/openstack/clouds.yaml:3:47: clouds.c.auth.pasword: is not known here and not used; did you mean \
             password?",
        ]
    );
}

#[test]
fn a_token_may_be_kept() {
    let site = Site::new("").with("XDG_STATE_HOME", "/state");
    let login = "auth_url: 'https://k', username: u, password: p, tenant_name: t";
    let path = |keys: &str| {
        site.endpoint(&format!("{login}{keys}"))
            .token_cache
            .map(|c| c.path.display().to_string())
    };
    assert_eq!(path(""), None);
    assert_eq!(path(", token_cache: false"), None);
    assert_eq!(
        path(", token_cache: true").unwrap(),
        "/state/mita/state.json.token-openstack"
    );
    assert_eq!(path(", token_cache: tokens/a").unwrap(), site.path("tokens/a"));
    let two =
        format!("  openstack: {{{login}, token_cache: x}}\n  'b/c': {{type: openstack, {login}, token_cache: x}}\n");
    let lines = site.load_providers(&two).map(|_| "loaded").unwrap_err();
    assert!(lines[0].contains("token_cache: is the file of b/c, too"), "{lines:#?}");
    let loaded = site
        .load_providers(&two.replace("token_cache: x", "token_cache: yes"))
        .unwrap();
    let path = endpoint(&loaded, "b/c").token_cache.unwrap().path;
    assert_eq!(path, Path::new("/state/mita/state.json.token-b%2Fc"));
}

#[test]
fn a_file_of_the_current_folder_is_used_and_said() {
    let site = Site::new("");
    site.write("here/clouds.yaml", CLOUDS);
    site.write(
        "mita.yaml",
        &format!("provider: {{openstack: {{cloud: credential}}}}\n{REST}"),
    );
    let check = |config: &str, folder: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mita"));
        command.args(["-c", &site.path(config), "config"]).env_clear();
        let done = command
            .envs(site.0.env())
            .current_dir(site.path(folder))
            .output()
            .unwrap();
        let err = String::from_utf8(done.stderr).unwrap();
        (done.status.code(), err)
    };
    let (code, err) = check("mita.yaml", "here");
    assert_eq!(code, Some(0), "{err}");
    assert!(
        err.contains("clouds.yaml:1:1: (file): found in the current folder: whoever may write there"),
        "{err}"
    );
    // Who may write the configuration needs no clouds.yaml.
    site.write(
        "here/mita.yaml",
        &format!("provider: {{openstack: {{cloud: credential}}}}\n{REST}"),
    );
    assert_eq!(check("here/mita.yaml", "here"), (Some(0), String::new()));
    let (code, err) = check("mita.yaml", ".");
    assert!(
        code == Some(3) && err.contains("no clouds.yaml in the current folder, "),
        "{err}"
    );
}
