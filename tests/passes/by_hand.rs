//! What an operator asks for by hand: selections, and servers before anything waits for them.

use super::fakes::{Agent, CloudServer, Service, When};
use super::site::{NODES, Site, job};

const TWO: &str = "
  small:
    image_name: ubuntu-24.04
    size: m1.small
    keyname: jenkins
    networks: [private]
    labels: [linux, x86_64]
    provider: openstack
    max: 6
    script: |
      #!/bin/sh
      echo {{ mita.name }}
  large:
    image_name: ubuntu-24.04
    size: m1.small
    keyname: jenkins
    networks: [private]
    labels: [large]
    provider: openstack
";

/// A site with three servers of `small`, of which one works, and a foreign server and node.
fn fleet() -> Site {
    let site = Site::with(TWO, "timing: {idle_grace: 40m}");
    site.world.submit(job("long", "linux").seconds(3000));
    site.world.submit(job("a", "linux").seconds(30));
    site.world.submit(job("b", "linux").seconds(30));
    site.minutes(5);
    assert_eq!(site.servers(), 3);
    site.world.agent(Agent::new("permanent", &["solaris"]).online());
    site.world.with(|world| {
        let cloud = world.cloud("openstack");
        let foreign = CloudServer {
            id: "foreign".to_owned(),
            name: "small__ffffffffffff".to_owned(),
            metadata: std::collections::BTreeMap::new(),
            ..cloud.servers[0].clone()
        };
        cloud.servers.push(foreign);
    });
    site.world.forget_calls();
    site
}

fn busy(site: &Site) -> String {
    site.world.with(|world| {
        let mut agents = world.jenkins.agents.iter();
        let found = agents.find(|(name, agent)| name.starts_with("small") && !agent.idle());
        found.unwrap().0.clone()
    })
}

#[test]
fn names_or_selectors_and_never_both() {
    let site = fleet();
    for command in ["drain", "undrain", "destroy"] {
        for wrong in [
            &[][..],
            &["some", "--all"],
            &["some", "--template", "small"],
            &["--template", "smal"],
            &["--provider", "openstak"],
        ] {
            let done = site.mita(&[&[command], wrong, &["-n"]].concat());
            assert_eq!(
                (done.code, done.out.as_str()),
                (2, ""),
                "{command} {wrong:?}: {}",
                done.err
            );
        }
        let typo = site.mita(&[command, "--template", "smal", "-n"]);
        assert!(
            typo.err.contains("no template \"smal\"; did you mean small?"),
            "{}",
            typo.err
        );
        let typo = site.mita(&[command, "--provider", "openstak", "-n"]);
        assert!(typo.err.contains("did you mean openstack?"), "{}", typo.err);
    }
    site.world.assert_no_writes();
}

#[test]
fn a_selection_is_drained_and_given_back() {
    let site = fleet();
    let done = site.mita(&["drain", "--template", "small", "--reason", "new kernel", "-o", "json"]);
    assert_eq!((done.code, done.err.as_str()), (0, ""), "{}", done.out);
    assert_eq!(done.actions(), ["offline done small"; 3]);
    assert_eq!(site.mita(&["drain", "--all", "-o", "json"]).actions(), [""; 0]);
    let person = busy(&site);
    site.world.with(|world| {
        world.unmark(&person);
        world.mark(&person, "admin", "mine");
    });
    let again = site.mita(&["drain", "--all", "-o", "json"]);
    assert_eq!((again.code, again.actions().len()), (0, 0), "{}", again.err);
    assert!(
        again.json()["notes"].to_string().contains("a person took"),
        "{}",
        again.out
    );
    let back = site.mita(&["undrain", "--provider", "openstack", "-o", "json"]);
    assert_eq!((back.code, back.err.as_str()), (0, ""), "{}", back.out);
    assert_eq!(back.actions(), ["online done small"; 2]);
    assert_eq!(back.json()["notes"].to_string(), "[]", "nothing is said of others");
    let (mine, foreign) = site.world.with(|world| {
        let mine = world
            .jenkins
            .agent(&person)
            .mark
            .as_ref()
            .map(|mark| mark.message.clone());
        (mine, world.jenkins.agent("permanent").mark.is_some())
    });
    assert_eq!((mine.as_deref(), foreign), (Some("mine"), false));
}

#[test]
fn what_is_destroyed_by_a_selector_is_asked_about() {
    let site = fleet();
    let busy = busy(&site);
    let refused = site.mita(&["destroy", "--all"]);
    assert_eq!(refused.code, 2);
    assert!(
        refused.err.contains("no terminal") && refused.err.contains("--yes"),
        "{}",
        refused.err
    );
    for no in ["", "n\n", "\n", "maybe\n"] {
        let done = site.mita_typed(&["destroy", "--template", "small"], no);
        assert_eq!(done.code, 1, "{}", done.err);
        assert!(
            done.err.contains("Remove 2 nodes, none of them busy? [y/N]"),
            "{}",
            done.err
        );
        assert!(
            done.err.contains(&busy) && done.err.contains("busy (--force"),
            "{}",
            done.err
        );
        assert!(
            done.err.contains("nothing was removed: the answer was not yes"),
            "{}",
            done.err
        );
    }
    site.world.assert_no_writes();
    let forced = site.mita_typed(&["destroy", "--all", "--force"], "n\n");
    assert!(
        forced.err.contains("Remove 3 nodes, 1 of them busy? [y/N]"),
        "{}",
        forced.err
    );
    assert!(
        forced
            .err
            .contains(&format!("{busy} at openstack, busy: its builds fail")),
        "{}",
        forced.err
    );
    let done = site.mita_typed(&["destroy", "--template", "small"], "y\n");
    assert_eq!(done.code, 1, "the busy one stays: {}", done.err);
    site.world.advance(60);
    assert_eq!(site.servers(), 2, "the busy and the foreign one");
    let done = site.mita(&["destroy", "--all", "--force", "--yes", "-o", "json"]);
    assert_eq!(done.code, 0, "{}", done.err);
    site.world.advance(60);
    let (servers, nodes) = site.world.with(|world| {
        let servers: Vec<String> = world
            .cloud("openstack")
            .servers
            .iter()
            .map(|s| s.name.clone())
            .collect();
        (servers, world.jenkins.agents.keys().cloned().collect::<Vec<_>>())
    });
    assert_eq!(servers, ["small__ffffffffffff"], "what is not ours is never touched");
    assert_eq!(nodes, ["permanent"]);
}

#[test]
fn a_dry_run_of_a_selection_asks_nothing() {
    let site = fleet();
    let done = site.mita(&["destroy", "--all", "-n"]);
    assert_eq!(done.code, 1, "the busy one is refused: {}", done.err);
    assert_eq!(done.out.matches("delete_server").count(), 2, "{}", done.out);
    site.world.assert_no_writes();
}

#[test]
fn nothing_matches_and_that_is_well() {
    let site = fleet();
    for arguments in [
        &["destroy", "--template", "large"][..],
        &["drain", "--template", "large"],
        &["undrain", "--outdated"],
    ] {
        let done = site.mita_typed(arguments, "");
        assert_eq!((done.code, done.err.as_str()), (0, ""), "{arguments:?}");
        assert!(done.out.contains("nothing of ours matches --"), "{}", done.out);
    }
    let quiet = site.mita(&["destroy", "--template", "large", "--yes"]);
    assert_eq!((quiet.code, quiet.out.as_str(), quiet.err.as_str()), (0, "", ""));
    site.world.assert_no_writes();
}

#[test]
fn only_what_was_agreed_to_goes() {
    let site = fleet();
    let busy = busy(&site);
    // While the person thinks, the build ends.
    let node = busy.clone();
    let second_look = When::on(Service::Jenkins).path("/computer/api/json").skip(1);
    site.world.before(second_look, move |world| {
        let clock = world.clock;
        world.jenkins.end_builds(&node, clock);
    });
    let done = site.mita_typed(&["destroy", "--template", "small"], "yes\n");
    assert_eq!(done.code, 1, "{}", done.err);
    assert!(done.err.contains("when that was agreed to"), "{}", done.err);
    assert!(site.world.with(|world| world.jenkins.agents.contains_key(&busy)));
}

#[test]
fn servers_of_a_template_that_is_configured_no_more_are_ours() {
    let site = fleet();
    site.configure(&NODES.replace("  small:", "  other:"), "");
    let done = site.mita(&["drain", "--template", "small", "-n", "-o", "json"]);
    assert_eq!((done.code, done.actions().len()), (0, 3), "{}", done.err);
    assert_eq!(
        site.mita(&["drain", "--outdated", "-n", "-o", "json"]).actions().len(),
        3
    );
}

#[test]
fn servers_are_made_because_an_operator_asks() {
    let site = Site::with(TWO, "limits: {canary: 0}\ntiming: {idle_grace: 5m}");
    site.world.submit(job("waits", "large"));
    let dry = site.mita(&["provision", "--template", "small", "--count", "2", "-n", "-o", "json"]);
    assert_eq!(dry.actions(), ["create planned small"; 2], "{}", dry.err);
    site.world.assert_no_writes();
    let done = site.mita(&["provision", "--template", "small", "--count", "2", "-o", "json"]);
    assert_eq!((done.code, done.err.as_str()), (0, ""));
    assert_eq!(
        done.actions(),
        ["create done small"; 2],
        "nothing of large, though a job waits"
    );
    let because = done.json()["actions"][0]["because"].clone();
    assert!(because.to_string().contains("operator"), "{because}");
    let one = site.mita(&["provision", "--template", "small", "--wait", "1s"]);
    assert_eq!((one.code, one.out.as_str(), one.err.as_str()), (0, "", ""));
    assert_eq!(site.servers(), 3);
    // They serve, count and go as all others.
    site.minutes(4);
    assert!(site.servers() >= 3);
    site.minutes(8);
    let left = site.world.with(|world| {
        let servers = world.cloud("openstack").servers.iter();
        servers.filter(|server| server.name.starts_with("small__")).count()
    });
    assert_eq!(left, 0, "idle_grace");
}

#[test]
fn what_cannot_be_made_is_said_and_is_exit_1() {
    let site = Site::with(TWO, "limits: {canary: 0}");
    let done = site.mita(&["provision", "--template", "small", "--count", "8", "-o", "json"]);
    assert_eq!((done.code, done.actions().len()), (1, 6), "{}", done.err);
    let reason = "2 servers of \"small\" are not made: template \"small\" is at its max of 6 servers";
    assert!(done.err.contains(reason), "{}", done.err);
    assert!(done.json()["notes"][0] == reason, "{}", done.out);
    assert_eq!(done.json()["exit"], 1);
    let canary = Site::with(TWO, "limits: {canary: 2}");
    let done = canary.mita(&["provision", "--template", "small", "--count", "3"]);
    assert_eq!((done.code, canary.servers()), (1, 2));
    assert!(
        done.err.contains("1 server of \"small\" is not made: canary"),
        "{}",
        done.err
    );
    for wrong in [
        &["--count", "2"][..],
        &["--template", "small", "--count", "0"],
        &["--template", "smal"],
    ] {
        let done = site.mita(&[&["provision"], wrong].concat());
        assert_eq!(done.code, 2, "{}", done.err);
    }
}

#[test]
fn a_refused_server_is_not_made_up_for_with_others() {
    let site = Site::with(TWO, "limits: {canary: 0}");
    site.world.submit(job("waits", "large"));
    site.world.with(|world| world.cloud("openstack").quota.instances = 2);
    let done = site.mita(&["provision", "--template", "small", "--count", "4", "-o", "json"]);
    assert_eq!(done.code, 1, "{}", done.err);
    assert_eq!(done.actions(), ["create done small"; 2], "{}", done.out);
    assert!(done.err.contains("2 servers of \"small\" are not made"), "{}", done.err);
}
