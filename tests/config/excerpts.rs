//! The line of the file that a terminal shows below a problem, and that no secret is on it.

use mita::config::{self, ConfigError};

use super::site::{JENKINS, NODE, PROVIDER, Site, end, file, jenkins, no_env, node, provider};

fn error(text: &str) -> ConfigError {
    let site = Site::new();
    site.write("mita.yaml", text, 0o600);
    let loaded = config::load(&site.path("mita.yaml"), &no_env).map(|_| text);
    loaded.expect_err("an error")
}

/// Returns the path of each problem with the line and the caret below it.
fn shown(text: &str) -> Vec<(String, Option<String>)> {
    let error = error(text);
    let drawn = |problem: &config::ConfigProblem| {
        let excerpt = problem.excerpt.as_ref()?;
        Some(format!("{}\n{}^", excerpt.line, " ".repeat(excerpt.before)))
    };
    let problems = error.problems().iter();
    problems
        .map(|problem| (problem.path.clone().unwrap_or_default(), drawn(problem)))
        .collect()
}

#[test]
fn a_problem_is_shown_with_its_line_and_a_caret() {
    let one = |text: &str, wanted: &str| {
        let lines: Vec<String> = shown(text).into_iter().filter_map(|(_, line)| line).collect();
        assert_eq!(lines, [wanted], "{text}");
    };
    one(&node("max: -1"), "    max: -1\n         ^");
    one(&node("max: -1   # not yet"), "    max: -1\n         ^");
    one(&node("sizes: m1.small"), "    sizes: m1.small\n    ^");
    one(
        &end("limits: {canary: x, max_booting: 3}\n"),
        "limits: {canary: x, max_booting: 3}\n                 ^",
    );
    one(&jenkins("urll: https://ci"), "  urll: https://ci\n  ^");
    one(&provider("interface: outer"), "    interface: outer\n               ^");
    one(
        &jenkins("timeout: soon")
            .replace("token: t", "token_file: /nowhere/token")
            .replace("timeout: soon", ""),
        "  token_file: /nowhere/token\n              ^",
    );
}

#[test]
fn each_problem_knows_its_place() {
    let error = error(&node("max: -1"));
    let problem = &error.problems()[0];
    assert_eq!(
        (problem.at, problem.path.as_deref()),
        (Some((17, 10)), Some("nodes.small.max"))
    );
    assert_eq!(problem.message, "must not be negative, is -1; write 0 or more");
    assert!(problem.file.as_deref().unwrap().ends_with("/mita.yaml"));
    assert!(
        error
            .to_string()
            .ends_with(&format!("mita.yaml:17:10: nodes.small.max: {}", problem.message))
    );
}

/// A file is wrong in the very place where its secret is, in many ways.
#[test]
fn no_excerpt_shows_a_secret() {
    let of_provider = |lines: &str| file(lines, JENKINS, NODE, "");
    let of_jenkins = |lines: &str| file(PROVIDER, lines, NODE, "");
    for text in [
        of_provider("username: u\ntenant_name: t\npasswort: hunter2"),
        of_provider("username: u\ntenant_name: t\npw: hunter2"),
        of_provider("username: u\ntenant_name: t\nkey: hunter2"),
        of_provider("username: u\ntenant_name: t\nauth:\n  any: hunter2"),
        of_provider("username: u\ntenant_name: t\npassword: [hunter2]"),
        of_provider("username: u\ntenant_name: t\npassword: {a: hunter2}"),
        of_provider("username: u\ntenant_name: t\npassword: hunter2\npassword: hunter2"),
        of_provider("username: u\ntenant_name: t\npassword: \"hunter2\\n\""),
        of_provider("username: u\ntenant_name: t\npassword: >-\n  hunter2\n\n  more"),
        of_provider("username: u\ntenant_name: t\npassword:\n    hunter2\ninterface: x"),
        of_provider("{username: u, tenant_name: t, password: hunter2, max_servers: -1}")
            .replace("    auth_url: https://cloud:5000\n", ""),
        of_provider("username: u\ntenant_name: t\npassword: @hunter2"),
        of_provider("username: u\ntenant_name: t\npassword: hunter2: more"),
        of_provider("username: u\ntenant_name: t\npassword: \"hunter2"),
        of_provider("username: u\ntenant_name: t\npassword:hunter2"),
        of_provider("username: u\ntenant_name: t\npassword: 'hunter2' more"),
        of_provider("username: u\ntenant_name: t\npassword: *hunter2"),
        of_provider("username: u\ntenant_name: t\npassword: !hunter2"),
        of_provider("username: u\ntenant_name: t\npassword: &hunter2"),
        of_provider("username: u\ntenant_name: t\npassword: %hunter2"),
        of_provider("username: u\ntenant_name: t\npassword: {hunter2"),
        of_provider("username: u\ntenant_name: t\npassword: hun\n  ter2: hunter2"),
        of_provider("username: u\ntenant_name: t\n\tpassword: hunter2"),
        of_jenkins("user: u:hunter2\ntoken: t"),
        of_jenkins("user: u\ntoken: t\nproxy: http://u:hunter2@proxy/path"),
        of_jenkins("user: u\ntoken: t\nproxy: u:hunter2@proxy:3128"),
        of_jenkins("user: u\ntokn: hunter2"),
        of_jenkins("user: u\napi: hunter2"),
        of_jenkins("{user: u, token: hunter2, timeout: soon, url: https://ci}")
            .replace("  url: https://ci/jenkins/\n", ""),
        end("x-secrets: [&pw hunter2]\nlimits: {canary: x}\n").replace("token: t", "token: *pw"),
        end("x-secrets: &pw hunter2\n").replace("token: t", "token: *pw\n  token: *pw"),
        node("script: |\n  #!/bin/sh\n  echo hunter2 | {{ mita.nmae }}"),
        node("script: \"echo hunter2 | {{ mita.nmae }}\""),
        node("script: |\n  #!/bin/sh\n echo hunter2 | sudo"),
        node("script: |\n  #!/bin/sh\necho hunter2: | sudo"),
        node("max: x   # password was hunter2"),
        node("max: x   # hunter2"),
        node("metadata: {mita-token: hunter2}"),
        node("max: x\nmetadata:\n  mita-password:\n    hunter2"),
        end("").replace(
            "openstack:",
            "e: {type: exec, command: [/nowhere, --pass, x], environment: {\"=\": hunter2, B: hunter2}}\n  openstack:",
        ),
        end("").replace(
            "openstack:",
            "e:\n    type: exec\n    command: [/bin/sh]\n    environment:\n      \"=\": hunter2\n  openstack:",
        ),
        end("token: hunter2\n"),
        "hunter2\n".to_owned(),
        "- hunter2\n".to_owned(),
        "@hunter2\n".to_owned(),
        "\"hunter2\n".to_owned(),
        end("x-pw: &pw hunter2\nx-pw: &pw hunter2\n"),
        end("x-pw:hunter2\n"),
        end("x-all:\n  a: hunter2: x\n"),
        of_jenkins("user: u\ntoken: t").replace("https://ci/jenkins/", "https://j/#hunter2"),
        of_jenkins("user: u\ntoken: t").replace("https://ci/jenkins/", "https://j/?x=hunter2"),
        of_jenkins("usr: mita:hunter2\ntoken: t"),
        of_jenkins("usr: mita hunter2\ntoken: t"),
        of_jenkins("user: 'm'#hunter2\ntoken: t"),
        of_jenkins("user: 'm' hunter2\ntoken: t"),
        end("notify: ./n hunter2\n"),
        end("notify: {command: [/nowhere/n, hunter2]}\n"),
        node("metadata: {mita-x: hunter2}"),
        node("metadata:\n  mita-x: hunter2"),
        node("").replace("labels: [", "labels: [\"a\\nhunter2\", "),
    ] {
        let error = error(&text);
        for problem in error.problems() {
            let excerpt = problem.excerpt.as_ref().map_or("", |excerpt| &excerpt.line);
            let printed = format!("{problem}\n{excerpt}");
            assert!(!printed.contains("ter2"), "{printed}\nof\n{text}");
        }
    }
}
