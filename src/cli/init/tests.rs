//! Whatever a cloud and a Jenkins call their things, what is written can be read, and says the same.

use std::fs;

use proptest::prelude::*;
use serde_yaml::Value;

use super::login::cloud_login;
use super::starter::{Facts, JenkinsAnswer, JenkinsLogin, starter};
use super::wanted::Wanted;
use super::{SCRIPT, SCRIPT_FILE};
use crate::config;
use crate::model::{FlavorChoice, ImageChoice, Inventory};
use crate::queue::{LabelRequest, LabelRequests};
use crate::text::printable;

/// A name as a cloud's lists have it: on one line, without blanks around.
fn name() -> impl Strategy<Value = String> {
    let signs = "(http)?s?[-:/,#\\[\\]{}&*!|>'\"%@`? a1.~<=+$\\\\]{1,8}";
    let words = prop::sample::select(vec![
        "null",
        "NULL",
        "~",
        "true",
        "No",
        "123",
        "1e3",
        "https:",
        "http://a,b]",
    ]);
    let any = prop_oneof!["\\PC{1,20}", signs, words.prop_map(str::to_owned)];
    any.prop_map(|text| printable(&text, 255).trim().to_owned())
        .prop_filter("a name", |text| !text.is_empty())
}

fn facts(names: &[String], labels: &[String], env: config::Env<'_>) -> Facts {
    let wanted = LabelRequests {
        distinct: labels
            .iter()
            .map(|label| LabelRequest::Values(vec![label.clone()].into_iter().collect()))
            .collect(),
        of_item: (0..labels.len()).map(Some).collect(),
    };
    let image = |name: String| ImageChoice {
        name,
        created: "2026-02-13".to_owned(),
        min_ram_mb: 0,
        min_disk_gb: 0,
        remark: None,
    };
    let flavor = FlavorChoice {
        name: names[1].clone(),
        vcpus: 2,
        ram_mb: 4096,
        disk_gb: 40,
    };
    Facts {
        login: cloud_login(None, env),
        cloud: Some(Inventory {
            region: Some(names[4].clone()),
            images: vec![image(format!("ubuntu{}", names[0])), image(names[5].clone())],
            flavors: vec![flavor],
            networks: vec![names[2].clone()],
            key_pairs: vec![names[3].clone()],
            ..Inventory::default()
        }),
        jenkins: JenkinsLogin {
            url: Some("https://ci.example.com/jenkins".to_owned()),
            user: Some("ci@example.com".to_owned()),
            token_file: Some("token".to_owned()),
        },
        queue: Some(JenkinsAnswer {
            wanted: Wanted::new(&wanted),
            has_agent: true,
        }),
    }
}

fn variable(name: &str) -> Option<String> {
    let value = match name {
        "OS_AUTH_URL" => "https://k:5000/v3",
        "OS_USERNAME" => "ci@example.com",
        "OS_PASSWORD" => "p",
        "HOME" => "/nonexistent",
        "OS_PROJECT_NAME" => "null",
        _ => return None,
    };
    Some(value.to_owned())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn what_is_written_loads_and_every_value_comes_back(
        names in prop::collection::vec(name(), 6),
        labels in prop::collection::vec(name(), 1..4),
    ) {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(SCRIPT_FILE), SCRIPT).unwrap();
        fs::write(folder.path().join("token"), "t").unwrap();
        let facts = facts(&names, &labels, &variable);
        let text = starter(&facts);
        let loaded = config::load_text(&text, &folder.path().join("mita.yaml"), &variable);
        prop_assert!(loaded.is_ok(), "{}\n{text}", loaded.unwrap_err());
        let read: Value = serde_yaml::from_str(&text).unwrap();
        let defaults = &read["defaults"];
        let image = format!("ubuntu{}", names[0]);
        for (value, wanted) in [
            (&read["provider"]["openstack"]["service_region"], &names[4]),
            (&read["jenkins"]["user"], &"ci@example.com".to_owned()),
            (&defaults["image_name"], &image),
            (&defaults["size"], &names[1]),
            (&defaults["networks"][0], &names[2]),
            (&defaults["keyname"], &names[3]),
        ] {
            prop_assert_eq!(value.as_str(), Some(wanted.as_str()), "{}", text);
        }
        let templates = &facts.queue.as_ref().unwrap().wanted.templates;
        let nodes = read["nodes"].as_mapping().unwrap();
        prop_assert!(templates.is_empty() || nodes.len() == templates.len(), "{}", text);
        for template in templates {
            let labels = nodes[template.name.as_str()]["labels"].as_sequence().unwrap();
            let labels: Vec<&str> = labels.iter().map(|label| label.as_str().unwrap()).collect();
            let wanted: Vec<&str> = template.labels.iter().map(String::as_str).collect();
            prop_assert_eq!(labels, wanted, "{}", text);
        }
    }
}
