//! `min_ready` that is learned, `refresh`, `billing_period`, `rules` and `compress`.

use jiff::SignedDuration;
use mita::config::{Budget, Config, CronWindow, LearnedReady, MinReady, ReadyWindow, Refresh, Rules};
use mita::endpoint::Compress;

use super::site::{check, end, jenkins, load, node};

fn template(line: &str) -> mita::config::Template {
    load(&node(line)).config.templates.remove(0)
}

fn evenings() -> CronWindow {
    CronWindow {
        cron: "* 18 * * *".to_owned(),
        timezone: "Europe/Berlin".to_owned(),
    }
}

const EVENINGS: &str = "cron: '* 18 * * *', timezone: Europe/Berlin";

#[test]
fn a_pool_is_a_number_windows_a_word_or_a_section() {
    let learned = |auto: Option<i64>, rhythm, windows: &[ReadyWindow]| {
        MinReady::Learned(LearnedReady {
            auto: auto.map(SignedDuration::from_mins),
            rhythm,
            windows: windows.to_vec(),
        })
    };
    let ready = ReadyWindow {
        window: evenings(),
        ready: 2,
    };
    for (line, wanted) in [
        ("min_ready: 3".to_owned(), MinReady::Always(3)),
        ("min_ready: auto".to_owned(), learned(Some(40), false, &[])),
        ("min_ready: {auto: true}".to_owned(), learned(Some(40), false, &[])),
        (
            "min_ready: {auto: true, used_every: 15m}".to_owned(),
            learned(Some(15), false, &[]),
        ),
        ("min_ready: {used_every: 15m}".to_owned(), learned(None, false, &[])),
        ("min_ready: {rhythm: yes}".to_owned(), learned(None, true, &[])),
        ("min_ready: {}".to_owned(), learned(None, false, &[])),
        (
            format!("min_ready: {{auto: true, windows: [{{{EVENINGS}, ready: 2}}]}}"),
            learned(Some(40), false, std::slice::from_ref(&ready)),
        ),
        (
            format!("min_ready: [{{{EVENINGS}, ready: 2}}]"),
            MinReady::Windows(vec![ready.clone()]),
        ),
    ] {
        assert_eq!(template(&line).min_ready, wanted, "{line}");
    }
    let pool = template(&format!(
        "min_ready: {{auto: true, windows: [{{{EVENINGS}, ready: 2}}]}}"
    ))
    .min_ready;
    assert_eq!(pool.at("2026-01-05T17:30:00Z".parse().unwrap()), 2);
    assert_eq!(pool.at("2026-01-05T16:30:00Z".parse().unwrap()), 0);
    assert_eq!((pool.most(), pool.is_auto(), pool.is_rhythmic()), (2, true, false));
}

#[test]
fn a_wrong_pool_is_named() {
    check(
        node("min_ready: automatic"),
        &[
            "mita.yaml:17:16: nodes.small.min_ready: must be a whole number, auto, a list or a section, is \"automatic\"; write it like 3",
        ],
    );
    check(
        node("min_ready: {auto: 2, windows: 3, ready: 1}"),
        &[
            "mita.yaml:17:23: nodes.small.min_ready.auto: must be true or false, is \"2\"; write it like true",
            "mita.yaml:17:35: nodes.small.min_ready.windows: must be a list of mappings, is a single value; see \
             mita.yaml.example",
            "mita.yaml:17:38: nodes.small.min_ready.ready: unknown key; known here: auto, rhythm, used_every, windows",
        ],
    );
    check(
        node("min_ready: {auto: true, used_every: 0}"),
        &["mita.yaml:17:41: nodes.small.min_ready.used_every: must be more than 0; for no spare write auto: false"],
    );
    check(
        node("min_ready: {auto: true, used_every: 2d}"),
        &[
            "mita.yaml:17:41: nodes.small.min_ready.used_every: must be at most 1d, is 2d; for nodes that are always \
             ready write a number",
        ],
    );
    check(
        node("min_ready: {auto: true, windows: [{cron: '* * * * *', ready: 11}]}"),
        &[
            "mita.yaml:17:66: nodes.small.min_ready.windows[0].ready: must be at most max (10 by default), is 11; set max, too",
        ],
    );
}

#[test]
fn nodes_are_refreshed_within_a_budget_and_windows() {
    let default = Refresh {
        outdated: false,
        budget: Budget::Percent(10),
        windows: Vec::new(),
    };
    for (line, wanted) in [
        ("max: 3", default.clone()),
        ("refresh:", default.clone()),
        (
            "refresh: {budget: 2}",
            Refresh {
                budget: Budget::Nodes(2),
                ..default.clone()
            },
        ),
        (
            "refresh: {budget: '0'}",
            Refresh {
                budget: Budget::Nodes(0),
                ..default.clone()
            },
        ),
        (
            "refresh: {budget: 25 %}",
            Refresh {
                budget: Budget::Percent(25),
                ..default.clone()
            },
        ),
    ] {
        assert_eq!(template(line).refresh, wanted, "{line}");
    }
    let line = format!("refresh: {{outdated: true, budget: 100%, windows: [{{{EVENINGS}}}]}}");
    let wanted = Refresh {
        outdated: true,
        budget: Budget::Percent(100),
        windows: vec![evenings()],
    };
    assert_eq!(template(&line).refresh, wanted);
    check(
        node("refresh: {outdated: maybe, budget: 101%, windows: [{timezone: Mars}, {cron: 8, ready: 1}], x: 1}"),
        &[
            "mita.yaml:17:25: nodes.small.refresh.outdated: must be true or false, is \"maybe\"; write it like true",
            "mita.yaml:17:40: nodes.small.refresh.budget: must be from 0% to 100%, is \"101%\"; write it like 10%",
            "mita.yaml:17:56: nodes.small.refresh.windows[0].cron: missing; write five cron fields",
            "mita.yaml:17:67: nodes.small.refresh.windows[0].timezone: there is no time zone \"Mars\"; write it like \
             Europe/Berlin",
            "mita.yaml:17:81: nodes.small.refresh.windows[1].cron: has 1 field instead of five; write minute hour day \
             month weekday, like `* 8-18 * * mon-fri`",
            "mita.yaml:17:84: nodes.small.refresh.windows[1].ready: unknown key; known here: cron, timezone",
            "mita.yaml:17:96: nodes.small.refresh.x: unknown key; known here: budget, outdated, windows",
        ],
    );
}

#[test]
fn a_share_of_nodes_is_rounded_up() {
    let of = |budget: Budget, nodes: &[u32]| nodes.iter().map(|nodes| budget.of(*nodes)).collect::<Vec<u32>>();
    assert_eq!(
        of(Budget::Percent(10), &[0, 1, 10, 11, u32::MAX]),
        [0, 1, 1, 2, 429_496_730]
    );
    assert_eq!(of(Budget::Percent(0), &[0, 100]), [0, 0]);
    assert_eq!(of(Budget::Nodes(3), &[0, 100]), [3, 3]);
}

#[test]
fn servers_are_paid_by_a_period_or_by_the_second() {
    assert_eq!(template("max: 3").billing_period, None);
    assert_eq!(template("billing_period: none").billing_period, None);
    let hour = Some(SignedDuration::from_hours(1));
    assert_eq!(template("billing_period: 1h").billing_period, hour);
    check(
        node("billing_period: 0"),
        &["mita.yaml:17:21: nodes.small.billing_period: must be more than 0; where seconds are paid write none"],
    );
}

fn whole(rest: &str) -> Config {
    load(&end(rest)).config
}

#[test]
fn each_rule_is_on_and_can_be_switched_off() {
    let all = Rules {
        evidence: true,
        late_boots: true,
        make_room: true,
        surplus: true,
    };
    assert_eq!(whole("").rules, all);
    let off = |rest: &str| whole(&format!("rules: {{{rest}: false}}\n")).rules;
    assert_eq!(off("evidence"), Rules { evidence: false, ..all });
    assert_eq!(
        off("late_boots"),
        Rules {
            late_boots: false,
            ..all
        }
    );
    assert_eq!(
        off("make_room"),
        Rules {
            make_room: false,
            ..all
        }
    );
    assert_eq!(off("surplus"), Rules { surplus: false, ..all });
}

#[test]
fn replies_are_compressed_where_it_pays_always_or_never() {
    for (line, wanted) in [
        ("", Compress::Auto),
        ("compress: auto", Compress::Auto),
        ("compress: true", Compress::Always),
        ("compress: off", Compress::Never),
    ] {
        let loaded = load(&jenkins(line));
        assert_eq!(loaded.config.jenkins.transport.compress, wanted, "{line}");
    }
}
