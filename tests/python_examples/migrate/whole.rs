//! A configuration of the original's full shape: two dozen templates, several files, everything that people write.

use std::path::Path;

use serde_json::Value as Json;

use super::Move;

const ID: &str = "0123456789ab";

fn site() -> Move {
    let files: [(&str, &[u8]); 5] = [
        ("prod.py", include_bytes!("site/prod.py")),
        ("prod_jenkins.py", include_bytes!("site/prod_jenkins.py")),
        ("prod_provider.py", include_bytes!("site/prod_provider.py")),
        ("prod_nodes.py", include_bytes!("site/prod_nodes.py")),
        ("common.py", include_bytes!("site/common.py")),
    ];
    Move::of(&files)
        .with("JENKINS_TOKEN", "11aa")
        .with("REGISTRAR_TOKEN", "t'k & \"more\"")
        .with("OS_PASSWORD", "")
}

/// What Python says that the configuration means.
fn meaning(site: &Move) -> Json {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python_examples/migrate/meaning.py");
    let folder = site.path("");
    site.python(&script, &[folder.to_str().unwrap()]).good().json()
}

fn texts(value: &Json) -> Vec<&str> {
    let mut texts: Vec<&str> = value
        .as_array()
        .unwrap()
        .iter()
        .map(|text| text.as_str().unwrap())
        .collect();
    texts.sort_unstable();
    texts
}

#[test]
fn it_means_what_python_says_that_it_means() {
    let site = site();
    let meant = meaning(&site);
    let done = site.migrate(&["--environment"]);
    assert_eq!(done.code, 0, "{}", done.err);
    let config: Json = serde_json::to_value(site.config()).unwrap();

    let nodes = meant["nodes"].as_object().unwrap();
    assert_eq!(nodes.len(), 24);
    assert_eq!(config["nodes"].as_object().unwrap().len(), 24);
    for (name, node) in nodes {
        let made = &config["nodes"][name];
        for key in ["image_name", "size", "keyname"] {
            assert_eq!(made[key], node[key], "{name}.{key}");
        }
        assert_eq!(made["provider"], serde_json::json!(["openstack"]), "{name}");
        assert_eq!(texts(&made["labels"]), texts(&node["labels"]), "{name}");
        let storage = node.get("storage").cloned().unwrap_or(0.into());
        assert_eq!(made["storage"], storage, "{name}");
        assert_eq!((&made["adopt"], &made["max"]), (&true.into(), &10.into()), "{name}");
        let script = made["script"].as_str().unwrap();
        let script = script.replace("{{ mita.name }}", &format!("{name}__{ID}"));
        assert_eq!(
            script.replace("{{ mita.id }}", ID),
            node["script"].as_str().unwrap(),
            "{name}"
        );
    }
    assert_eq!(config["timing"]["idle_grace"], "40m");
    let (made, provider) = (&config["provider"]["openstack"], &meant["provider"]["openstack"]);
    for key in ["username", "auth_url", "auth_version", "service_region", "tenant_name"] {
        assert_eq!(made[key], provider[key], "{key}");
    }
    for key in ["url", "user"] {
        assert_eq!(config["jenkins"][key], meant["jenkins"][key], "{key}");
    }
}

#[test]
fn a_server_gets_what_the_original_gave_it() {
    let site = site();
    let meant = meaning(&site);
    site.migrate(&["--environment"]).good();
    for (name, node) in meant["nodes"].as_object().unwrap() {
        let done = site.mita(&["render", name]).good();
        assert_eq!(done.out, node["script"].as_str().unwrap(), "{name}");
    }
}

#[test]
fn secrets_arrive_as_they_are() {
    let site = site();
    let meant = meaning(&site);
    site.migrate(&["--environment"]).good();
    let yaml: Json = serde_yaml::from_str(&std::fs::read_to_string(site.path("mita.yaml")).unwrap()).unwrap();
    let password = &meant["provider"]["openstack"]["password"];
    assert!(password.as_str().unwrap().contains("\"word\""));
    assert_eq!(&yaml["provider"]["openstack"]["password"], password);
    assert_eq!(yaml["jenkins"]["token"], meant["jenkins"]["token"]);
}

#[test]
fn without_the_environment_a_person_writes_what_came_from_it() {
    let site = site();
    let done = site.migrate(&[]);
    assert_eq!(done.code, 1, "{}", done.err);
    let config = site.config();
    assert_eq!(
        config["jenkins"]["user"].as_str(),
        Some("ci-robot"),
        "a default is taken"
    );
    for (path, variable) in [
        ("jenkins.token", "JENKINS_TOKEN"),
        ("jenkins.user", "JENKINS_USER"),
        ("nodes.bionic_huge.script", "REGISTRAR_TOKEN"),
    ] {
        let line = done
            .err
            .lines()
            .find(|line| line.contains(path) && line.contains(variable));
        assert!(line.is_some_and(|line| line.contains(".py: ")), "{path}: {}", done.err);
    }
    let script = config["nodes"]["bionic_huge"]["script"].as_str().unwrap();
    assert!(
        script.contains("admin:change me -L \"https://registrar.example.org/"),
        "{script}"
    );
    assert!(
        !done.err.contains("MITA_DEBUG"),
        "what mita does not need is not mentioned"
    );
}

#[test]
fn the_example_of_the_original_is_carried_over() {
    let text = r##"
from textwrap import dedent
provider = {'openstack': {'username': 'adeza', 'password': '3ebYzVIQEIZv3sj1==', 'service_region': 'main',
            'auth_url': 'http://openstack.example.com:5000', 'auth_version': '2.0_password', 'tenant_name': 'ceph-ci'}}
jenkins = {'url': 'http://jenkins.ceph.com', 'user': 'alfredodeza', 'token': 'API_TOKEN'}
nodes = {'precise-slave': {'script': dedent("""#!/bin/bash
            sudo apt-get update
            """), 'keyname': 'jenkins-slave', 'image_name': 'Ubuntu Trusty (2014.04) cloudimg', 'size': 'm3.xlarge',
            'labels': ['amd64', 'x86_64', 'precise', 'trusty', 'wheezy', 'jessie'], 'provider': 'openstack', 'storage': 10}}
"##;
    let site = Move::text(text);
    let done = site.migrate(&[]);
    assert_eq!(done.code, 1, "its script has no %s: {}", done.err);
    let config = site.config();
    let node = &config["nodes"]["precise-slave"];
    assert_eq!(node["image_name"].as_str(), Some("Ubuntu Trusty (2014.04) cloudimg"));
    assert_eq!(node["labels"].as_sequence().unwrap().len(), 6);
    assert_eq!(node["storage"].as_u64(), Some(10));
    assert!(node["script"].as_str().unwrap().starts_with("#!/bin/bash\n"));
    assert_eq!(
        config["provider"]["openstack"]["auth_version"].as_str(),
        Some("2.0_password")
    );
    assert_eq!(config["owner"].as_str(), Some("jenkins.ceph.com"));
}
