//! Templates that fail keep no server from those that do not: a failure is charged to template and placement.

use mita::model::{Headroom, Offers, Reading, ServerStatus, Unavailable, Zone};
use mita::state::{Backoff, BackoffKey, State};

use crate::broken::{Broken, EVERY, Failure, NO_HOST};
use crate::random::Random;
use crate::world::{CLOUD, World, mins, offer, place, reasons, secs, template, with};

const VOLUMES: Failure =
    Failure::Error("VolumeLimitExceeded: Maximum number of volumes allowed (1) exceeded for quota 'volumes'.");

/// Every way in which one template fails while others do not.
const WAYS: [Failure; 6] = [
    NO_HOST,
    VOLUMES,
    Failure::Refused,
    Failure::Broken,
    Failure::BrokenAndMade,
    Failure::NeverJoins,
];

/// These templates, each with a label of its own name, at one cloud.
fn site(names: &[&str]) -> Broken {
    Broken::new(with(names.iter().map(|name| template(name, &[name])).collect()))
}

#[test]
fn a_template_that_always_fails_keeps_nothing_from_the_others() {
    for way in WAYS {
        let mut site = site(&["gpu", "plain"]);
        site.fails("gpu", CLOUD, way);
        site.job("gpu", mins(60));
        for at in 0..60 {
            if at % 4 == 0 {
                let job = site.job("plain", mins(0));
                assert!(site.until_begun(job, 4) <= 3, "{way:?}: as if it were alone");
            } else {
                site.pass();
            }
        }
        assert!(site.asked_of("plain") >= 15, "{way:?}: {:?}", site.asked);
        let tries = site.asked_of("gpu");
        assert!((2..12).contains(&tries), "{way:?}: {tries} creates in an hour and more");
    }
}

#[test]
fn a_burst_beside_a_template_that_always_fails_goes_at_once() {
    for way in WAYS {
        let mut site = site(&["gpu", "plain"]);
        site.fails("gpu", CLOUD, way);
        for _ in 0..3 {
            site.job("gpu", mins(60));
        }
        for _ in 0..7 {
            site.job("plain", mins(1));
        }
        site.pass();
        assert_eq!(site.asked_of("plain"), 7, "{way:?}: {:?}", site.asked);
        site.passes(3);
        assert_eq!(site.began.len(), 7, "{way:?}");
    }
}

fn key_of_placement() -> String {
    BackoffKey::Placement(CLOUD.into(), None).to_string()
}

#[test]
fn two_templates_that_fail_hold_the_placement_back_and_the_third_probes_it() {
    for way in [NO_HOST, Failure::Refused, Failure::BrokenAndMade, Failure::Broken] {
        let mut site = site(&["gpu", "huge", "plain"]);
        site.fails("gpu", CLOUD, way);
        site.fails("huge", CLOUD, way);
        site.job("gpu", mins(60));
        site.job("huge", mins(59));
        site.passes(2);
        let held = &site.world.state.backoffs[&key_of_placement()];
        assert_eq!(held.failures, 2, "{way:?}: two templates");
        let jobs: Vec<u64> = (0..3).map(|_| site.job("plain", mins(0))).collect();
        let before = site.asked.len();
        let begun = site.until_begun(jobs[0], 10);
        assert!(begun <= 6, "{way:?}: {begun} passes");
        let asked: Vec<&(String, String)> = site.asked[before..].iter().flatten().collect();
        assert_eq!(
            asked[0].0, "plain",
            "{way:?}: the one that never failed probes first: {asked:?}"
        );
        assert!(site.until_begun(jobs[2], 10) <= 3, "{way:?}");
        // Two failures with a server that joined in between are two templates' own.
        site.passes(60);
        let job = site.job("plain", mins(0));
        assert!(site.until_begun(job, 12) <= 10, "{way:?}");
    }
}

#[test]
fn a_server_that_joins_in_between_leaves_the_placement_open() {
    let mut site = site(&["gpu", "huge", "plain"]);
    site.fails("gpu", CLOUD, NO_HOST);
    site.fails("huge", CLOUD, NO_HOST);
    site.job("gpu", mins(60));
    site.passes(2);
    let job = site.job("plain", mins(0));
    let gpu = BackoffKey::TemplateAt("gpu".into(), CLOUD.into(), None).to_string();
    // The one that failed is not asked again in between.
    site.world.state.backoffs.get_mut(&gpu).unwrap().until = site.world.now() + mins(30);
    site.until_begun(job, 5);
    assert!(site.world.state.backoffs[&gpu].settled);
    site.job("huge", mins(0));
    site.passes(3);
    let held = &site.world.state.backoffs;
    let huge = BackoffKey::TemplateAt("huge".into(), CLOUD.into(), None).to_string();
    assert!(
        held.contains_key(&huge) && !held.contains_key(&key_of_placement()),
        "{held:?}"
    );
}

#[test]
fn a_create_that_is_accepted_is_no_success() {
    // Both are accepted each time, and go to ERROR each time.
    let mut site = site(&["gpu", "huge"]);
    site.fails("gpu", CLOUD, NO_HOST);
    site.fails("huge", CLOUD, VOLUMES);
    site.job("gpu", mins(60));
    site.job("huge", mins(59));
    site.passes(2);
    assert!(site.world.state.backoffs.contains_key(&key_of_placement()));
}

#[test]
fn probes_go_round_among_the_templates_that_wait() {
    let names = ["a", "b", "c", "d", "plain"];
    let mut site = site(&names);
    for name in &names[..4] {
        site.fails(name, CLOUD, NO_HOST);
        site.job(name, mins(60));
    }
    // The first pass asks all of them, before the first failure is seen.
    site.passes(30);
    let before = site.asked.len();
    site.passes(240);
    let later: Vec<&str> = site.asked[before..]
        .iter()
        .flatten()
        .map(|(name, _)| name.as_str())
        .collect();
    for name in &names[..4] {
        let count = later.iter().filter(|other| *other == name).count();
        assert!((2..=12).contains(&count), "{name}: {count} of {later:?}");
    }
    let most = site.asked[before..].iter().map(Vec::len).max();
    assert_eq!(most, Some(1), "one probe at a time");
    // One that comes later does not wait until all the others had their turn.
    let job = site.job("plain", mins(0));
    let begun = site.until_begun(job, 20);
    assert!(begun <= 13, "{begun} passes");
}

#[test]
fn a_template_that_boots_in_vain_goes_on_to_where_it_did_not_fail() {
    let mut world = with(vec![template("small", &["small"])]);
    world.add_cloud("spare");
    let places = [place(CLOUD, Some("a")), place(CLOUD, Some("b")), place("spare", None)];
    world.config.templates[0].placements = places.to_vec();
    let mut site = Broken::new(world);
    site.fails("small", "openstack/a", Failure::NeverJoins);
    site.fails("small", "openstack/b", Failure::NeverJoins);
    let job = site.job("small", mins(0));
    assert!(site.until_begun(job, 60) <= 38, "each place is tried once");
    // After a success the first choice is probed again, and after that failure what is known to be good comes first.
    site.passes(60);
    let job = site.job("small", mins(0));
    assert!(site.until_begun(job, 60) <= 20);
    let asked: Vec<&str> = site.asked.iter().flatten().map(|(_, place)| place.as_str()).collect();
    assert_eq!(asked, ["openstack/a", "openstack/b", "spare", "openstack/a", "spare"]);
}

#[test]
fn a_quota_of_servers_holds_the_placement_back_and_the_probe_goes_round() {
    let mut world = with(vec![template("a", &["a"]), template("b", &["b"])]);
    for template in &mut world.config.templates {
        template.placements = vec![place(CLOUD, Some("x")), place(CLOUD, Some("y"))];
    }
    let mut site = Broken::new(world);
    for template in ["a", "b"] {
        site.fails(template, "openstack/x", Failure::ServerQuota);
        site.fails(template, "openstack/y", Failure::ServerQuota);
    }
    site.job("a", mins(60));
    let job = site.job("b", mins(59));
    site.pass();
    let held: Vec<&String> = site.world.state.backoffs.keys().collect();
    assert_eq!(
        held,
        ["placement openstack/x", "placement openstack/y"],
        "for all templates"
    );
    let asked = |site: &Broken| -> Vec<String> {
        let asked = site.asked.iter().flatten();
        asked.map(|(name, place)| format!("{name} {place}")).collect()
    };
    assert_eq!(asked(&site), ["a openstack/x", "a openstack/y"]);
    site.mends("b", "openstack/x");
    site.until_begun(job, 8);
    assert_eq!(asked(&site)[2], "b openstack/x", "{:?}", site.asked);
}

#[test]
fn a_server_in_error_for_want_of_a_quota_is_charged_as_a_refused_create_is() {
    for (fault, key) in [
        (
            "Quota exceeded for instances: Requested 1, but already used 2 of 2 instances",
            "placement openstack",
        ),
        (
            "Quota exceeded for cores: Requested 8, but already used 16 of 20 cores",
            "template small at openstack",
        ),
        ("No valid host was found.", "template small at openstack"),
        ("Image i is unacceptable: it is corrupt", "template small at openstack"),
        ("", "template small at openstack"),
    ] {
        let mut world = crate::world::world();
        world.items(1, "small");
        let name = world.server("small", 1, mins(1));
        let server = world.server_mut(&name);
        (server.status, server.fault) = (ServerStatus::Error, Some(fault.to_owned()));
        let held: Vec<String> = world.plan().state.backoffs.into_keys().collect();
        assert_eq!(held, [key], "{fault}");
    }
}

#[test]
fn what_a_template_does_not_find_closes_it_there_and_nothing_else() {
    let mut world = with(vec![template("odd", &["odd"]), template("good", &["good"])]);
    world.add_cloud("spare");
    for template in &mut world.config.templates {
        template.placements = vec![place(CLOUD, Some("a")), place(CLOUD, Some("b")), place("spare", None)];
    }
    for label in ["odd", "good", "good"] {
        world.items(1, label);
    }
    let missing = |names: &[&str]| {
        let reason = "security group \"web\": not allowed (status 403)".to_owned();
        let offer = |name: &str| {
            if names.contains(&name) {
                Err(Unavailable::new(reason.clone()))
            } else {
                Ok(offer(1))
            }
        };
        Some(Reading::Read(Offers {
            room: Headroom::default(),
            templates: ["odd", "good"].map(|name| (name.into(), offer(name))).into(),
        }))
    };
    world.cloud(CLOUD).offers = missing(&["odd"]);
    world.cloud("spare").offers = missing(&[]);
    let placed = |world: &World| -> Vec<String> {
        let creates = world.plan().creates;
        creates
            .iter()
            .map(|create| format!("{} {}", create.template, create.provider))
            .collect()
    };
    assert_eq!(placed(&world), ["odd spare", "good openstack", "good openstack"]);
    world.cloud("spare").offers = missing(&["odd"]);
    assert_eq!(placed(&world), ["good openstack", "good openstack"]);
    let plan = world.plan();
    assert_eq!(
        reasons(&plan),
        [
            "openstack: security group \"web\": not allowed (status 403); spare: security group \"web\": not allowed \
          (status 403)"
        ]
    );
    assert!(plan.state.backoffs.is_empty());
}

#[test]
fn back_offs_of_an_older_state_file_are_understood_or_fade() {
    let mut world = crate::world::world();
    let text = r#"{"failures": 5, "until": "2026-11-22T12:20:00Z", "reason": "No valid host"}"#;
    let old: Backoff = serde_json::from_str(text).unwrap();
    for (key, creates) in [
        ("template small", 0),
        ("template small at openstack", 0),
        ("placement openstack", 0),
        ("provider openstack", 0),
        ("placement openstack/a", 1),
        ("template gone at openstack", 1),
    ] {
        let mut world = world.clone();
        world.items(1, "small");
        world.state.backoffs = [(key.to_owned(), old.clone())].into();
        let plan = world.pass(mins(21));
        assert_eq!(plan.creates.len(), creates, "{key}");
        assert_eq!(world.plan().creates.len(), 1, "{key}: its time is over");
        world.later(mins(180));
        assert!(world.plan().state.backoffs.is_empty(), "{key}: forgotten");
    }
    // A file written now is read again.
    world.state.backoffs = [(
        key_of_placement(),
        Backoff {
            settled: true,
            probed: vec!["small".into()],
            ..old
        },
    )]
    .into();
    let again: State = serde_json::from_str(&serde_json::to_string(&world.state).unwrap()).unwrap();
    assert_eq!(again, world.state);
}

/// In how many passes a job of a good template has begun, whatever `others` templates do at its placements: each of them
/// probes once before it, with the pause of as many templates as failed by then, and its own template fails once at each
/// other placement. A probe takes as long as a server may take to join.
fn bound(others: u32, places: usize, slow: bool) -> usize {
    let probe = if slow { mins(15) } else { mins(2) } + secs(2 * EVERY);
    let pauses: i64 = (1..others)
        .map(|further| (60 << (further - 1)).min(1800) * 12 / 10 + EVERY)
        .sum();
    let probes = i64::from(others) + i64::try_from(places).unwrap();
    usize::try_from((probe.as_secs() * probes + pauses) / EVERY).unwrap() + 4
}

#[test]
fn a_template_that_can_be_served_is_served_whatever_the_others_do() {
    let all = [(CLOUD, None), (CLOUD, Some("a")), (CLOUD, Some("b")), ("spare", None)];
    let mut longest = (0, 0);
    for seed in 0..60 {
        let mut random = Random::new(seed);
        let broken = 1 + u32::try_from(random.roll(4)).unwrap();
        let good = 1 + u32::try_from(random.roll(2)).unwrap();
        let names: Vec<String> = (0..broken)
            .map(|at| format!("bad{at}"))
            .chain((0..good).map(|at| format!("good{at}")))
            .collect();
        let mut world = with(names.iter().map(|name| template(name, &[name])).collect());
        world.add_cloud("spare");
        for template in &mut world.config.templates {
            let mut places: Vec<_> = all.iter().filter(|_| random.roll(2) == 0).collect();
            if places.is_empty() {
                places.push(&all[0]);
            }
            template.placements = places.into_iter().map(|(name, zone)| place(name, *zone)).collect();
        }
        world.config.limits.canary = if random.roll(2) == 0 { 0 } else { 3 };
        let templates = world.config.templates.clone();
        let mut site = Broken::new(world);
        let mut slow = false;
        for template in &templates {
            let is_good = template.name.as_str().starts_with("good");
            // A good one works at its last placement, and may fail at the others.
            let count = template.placements.len() - usize::from(is_good);
            for placement in &template.placements[..count] {
                if is_good && random.roll(2) == 0 {
                    continue;
                }
                let zone = placement.zone.as_ref().map(Zone::as_str);
                let name = zone.map_or(placement.provider.to_string(), |z| {
                    format!("{}/{z}", placement.provider)
                });
                let way = random.pick(&WAYS);
                slow |= way == Failure::NeverJoins;
                site.fails(template.name.as_str(), &name, way);
            }
        }
        for at in 0..broken {
            for _ in 0..=random.roll(3) {
                site.job(&format!("bad{at}"), mins(60));
            }
        }
        for _ in 0..4 {
            site.passes(usize::try_from(random.roll(60)).unwrap());
            let which = usize::try_from(random.roll(u64::from(good))).unwrap();
            let places = templates[broken as usize + which].placements.len();
            let most = bound(broken + good - 1, places, slow);
            let job = site.job(&format!("good{which}"), mins(0));
            let begun = site.until_begun(job, most);
            longest = longest.max((begun, most));
        }
    }
    assert!(longest.0 > 3, "the worlds were dull: {longest:?}");
}
