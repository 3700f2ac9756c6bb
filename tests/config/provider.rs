//! The keys of a provider of type openstack.

use mita::config::Loaded;
use mita::provider::openstack::endpoint::{KeystoneAuth, NameOrId};

use super::site::{JENKINS, NODE, SEED, check, file, keystone, load, openstack, provider, refused};

#[test]
fn wrong_values_of_a_provider_are_named() {
    let one = |line: &str, wanted: &str| check(provider(line), &[&format!("mita.yaml:7:{wanted}")]);
    one(
        "type: opnstack",
        "11: provider.openstack.type: \"opnstack\" is no type of provider; did you mean openstack?",
    );
    one(
        "interface: publik",
        "16: provider.openstack.interface: \"publik\" is no interface; did you mean public?",
    );
    one(
        "proxy: socks5://h",
        "12: provider.openstack.proxy: must begin with https:// or http://; write the whole URL",
    );
    one(
        "proxy: http://u:p/q@h",
        "12: provider.openstack.proxy: holds a user or password that is not percent-encoded; write % as %25, / as %2F, \
         @ as %40, : as %3A, # as %23",
    );
    one(
        "proxy: http://:p@h",
        "12: provider.openstack.proxy: must hold a user without a colon before the password; write \
         http://USER:PASSWORD@HOST:PORT",
    );
    one(
        "proxy_password_file: x",
        "26: provider.openstack.proxy_password_file: needs proxy; write proxy: http://USER@HOST:PORT",
    );
    one(
        "ca_file_only: true",
        "19: provider.openstack.ca_file_only: needs ca_file; name the file, or remove this key",
    );
    one(
        "tenant_id: x",
        "16: provider.openstack.tenant_id: tenant_name is given, too; keep one of the two",
    );
    one(
        "project_name: y",
        "5: provider.openstack.project_name: means the same as tenant_name in line 6; keep one of the two",
    );
    one(
        "password_file: x",
        "20: provider.openstack.password_file: password is given, too; keep one of the two",
    );
    one(
        "connect_timeout: 90s",
        "22: provider.openstack.connect_timeout: must be at most timeout (1m), is 1m 30s",
    );
    for (version, reason) in [
        ("1.1", "version 1 of the login left OpenStack long ago"),
        ("2.0_apikey", "API keys were a Rackspace extension"),
        ("2.0_voms", "a login by VOMS proxy certificate is not supported"),
        ("3.x_oidc_access_token", "a login by OpenID Connect needs a browser"),
        ("kerberos", "mita knows no such login"),
    ] {
        let what = format!("\"{version}\" cannot be used, {reason}");
        one(
            &format!("auth_version: {version}"),
            &format!(
                "19: provider.openstack.auth_version: {what}; write 3.x_password, 3.x_appcred, 3.x_token or 2.0_password"
            ),
        );
    }
}

#[test]
fn the_login_is_what_libcloud_would_do() {
    let v3 = SEED
        .replace("2.0_password", "3.x_password")
        .replace(":5000", ":5000/v3/");
    let Loaded { config, .. } = load(&v3.replace("ceph-ci", "5633955729735406"));
    let KeystoneAuth::V3Password {
        user,
        user_domain,
        project,
        project_domain,
        ..
    } = keystone(&config)
    else {
        panic!("{:?}", keystone(&config));
    };
    assert_eq!(*user, NameOrId::Name("adeza".to_owned()));
    assert_eq!(*user_domain, NameOrId::Name("Default".to_owned()));
    assert_eq!(*project, NameOrId::Name("5633955729735406".to_owned()));
    assert_eq!(*project_domain, NameOrId::Id("default".to_owned()));
    let endpoint = openstack(&config);
    assert_eq!(endpoint.auth_url, "http://openstack.example.com:5000");
    assert_eq!(endpoint.region.as_deref(), Some("main"));

    let credential = file(
        "auth_version: 3.x_appcred\nusername: id\npassword: s",
        JENKINS,
        NODE,
        "",
    );
    let Loaded { config, .. } = load(&credential);
    let KeystoneAuth::V3ApplicationCredential { id, secret } = keystone(&config) else {
        panic!("{:?}", keystone(&config));
    };
    assert_eq!((id.as_str(), secret.reveal()), ("id", "s"));
    let other = "application_credential_id: id\napplication_credential_secret: s";
    let Loaded { config, .. } = load(&file(other, JENKINS, NODE, ""));
    assert!(matches!(
        keystone(&config),
        KeystoneAuth::V3ApplicationCredential { .. }
    ));

    let mismatch = load(&SEED.replace(":5000", ":5000/v3")).warnings;
    assert!(
        mismatch[0]
            .text
            .ends_with("ends in v3, auth_version says v2.0, which is used; end it before the version")
    );

    let spelled =
        "ex_force_base_url: https://h/v2.1\nex_domain_name: d\nex_tenant_domain_id: e\nex_force_service_region: r";
    let Loaded { config, .. } = load(&provider(spelled));
    let endpoint = openstack(&config);
    assert_eq!(endpoint.endpoints.compute.as_deref(), Some("https://h/v2.1"));
    for url in ["https://h/v2.1/%(project_id)s", "https://h/$(tenant_id)s", "https://h"] {
        let Loaded { config, .. } = load(&provider(&format!("compute_url: {url}")));
        let endpoint = openstack(&config);
        assert_eq!(endpoint.endpoints.compute.as_deref(), Some(url));
    }
    let unknown = refused(provider("compute_url: https://h/v2.1/%(nope)s"));
    let said = "\"%(nope)s\" is not filled in, only the project is: %(project_id)s or %(tenant_id)s";
    assert!(unknown.len() == 1 && unknown[0].ends_with(said), "{unknown:?}");
    let KeystoneAuth::V3Password {
        user_domain,
        project_domain,
        ..
    } = keystone(&config)
    else {
        panic!("{:?}", keystone(&config));
    };
    assert_eq!(*user_domain, NameOrId::Name("d".to_owned()));
    assert_eq!(*project_domain, NameOrId::Id("e".to_owned()));
}

#[test]
fn an_empty_region_is_none() {
    let region = |lines: &str| {
        let loaded = load(&provider(lines));
        let endpoint = openstack(&loaded.config);
        assert_eq!(loaded.warnings, [], "{lines}");
        endpoint.region.clone()
    };
    for line in [
        "",
        "service_region: \"\"",
        "region_name: ''",
        "region: \" \"",
        "ex_force_service_region:",
        "region_name: ~",
    ] {
        assert_eq!(region(line), None, "{line}");
    }
    assert_eq!(region("region_name: One").as_deref(), Some("One"));
    check(
        provider("region_name: ''\nservice_region: One"),
        &[
            "mita.yaml:8:5: provider.openstack.service_region: means the same as region_name in line 7; keep one of the two",
        ],
    );
}
