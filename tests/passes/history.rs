//! `history` of the whole program: what it reads, what it prints, and whether it is true.

use std::collections::BTreeMap;
use std::fs;

use mita::Io;
use serde_json::Value;

use super::fakes::{Kind, Random, Task};
use super::program::Done;
use super::site::{NODES, Site};
use super::truth::Watch;

/// Three lives: one that ended, one that was lost, one that lives; beside them what a hostile Jenkins would say.
const JOURNAL: &str = r#"
{"v":1,"at":"2026-03-01T20:00:00Z","pass":"aa","n":0,"event":"created","name":"small__0123456789ab","node":"small","provider":"openstack","zone":"az1","server_id":"11111111-aaaa","for":"team/build, \"nightly\"","label":"linux&&x86_64","because":"an item waits"}
{"v":1,"at":"2026-03-01T20:01:30Z","pass":"ab","n":0,"event":"joined","name":"small__0123456789ab","node":"small","provider":"openstack","server_id":"11111111-aaaa","seconds":90}
{"v":1,"at":"2026-03-01T20:01:30Z","pass":"ab","n":1,"event":"served","label":"linux&&x86_64","items":2,"wait_seconds":{"median":95,"longest":130}}
{"v":1,"at":"2026-03-01T22:00:00.5Z","pass":"ac","n":0,"event":"removed","name":"small__0123456789ab","node":"small","provider":"openstack","server_id":"11111111-aaaa","seconds":7200.5,"busy_seconds":3600,"idle_seconds":900,"builds":3,"because":"idle for 10m"}
{"v":1,"at":"2026-03-01T22:00:00.5Z","pass":"ac","n":1,"event":"problem","state":"begin","key":"delete-stuck/small__0123456789ab","kind":"delete-stuck","subject":"small__0123456789ab","severity":"error","sentence":"it is not gone","since":"2026-03-01T22:00:00Z","seen":"2026-03-01T22:00:00Z"}
{"v":1,"at":"2026-03-01T23:00:00Z","pass":"ad","n":0,"event":"failed","name":"gone__00112233aabb","node":"gone","provider":"openstack","error":"\u001b[2Jno\nhost \u202egnp"}
{"v":1,"at":"2026-03-02T04:00:00Z","pass":"ae","n":0,"event":"created","name":"small__fedcba987654","node":"small","provider":"openstack","server_id":"22222222-bbbb","for":"=HYPERLINK(\"x\"),\u0007","label":"linux"}
{"v":1,"at":"2026-03-02T05:00:00Z","pass":"af","n":0,"event":"pass","seconds":0.25,"queue":3,"waiting":1,"unmet":0,"servers":{"busy":1},"requests":{"jenkins":2},"exit":0}
{"v":1,"at":"2026-03-02T05:00:00Z","pass":"af"#;

const PRICED: &str = "currency: EUR\n";

fn priced() -> String {
    NODES.replace("    size: m1.small", "    size: m1.small\n    price: 0.5")
}

/// A site with that journal, before its first pass. It is 06:00.
fn site() -> Site {
    let site = Site::with(&priced(), PRICED);
    fs::write(site.path("journal.jsonl"), JOURNAL).unwrap();
    site
}

fn history(site: &Site, arguments: &[&str]) -> Done {
    site.mita(&[&["history"], arguments].concat())
}

fn rows(site: &Site, arguments: &[&str]) -> Value {
    let done = history(site, &[arguments, &["-o", "json"]].concat()).good();
    assert_eq!(done.json()["version"], 1);
    done.json()["rows"].clone()
}

/// The program on a terminal of so many columns.
fn at(site: &Site, columns: u16, arguments: &[&str]) -> String {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut io = Io::new(site.world.now(), &mut out, &mut err);
    (io.terminal, io.columns) = (true, Some(columns));
    let config = site.config().display().to_string();
    let words = ["mita", "-c", &config, "history"];
    let code = mita::run(words.iter().chain(arguments), &mut io);
    assert_eq!(code, 0, "{}", String::from_utf8_lossy(&err));
    String::from_utf8(out).unwrap()
}

fn words<'r>(rows: &'r Value, key: &str) -> Vec<&'r str> {
    rows.as_array()
        .unwrap()
        .iter()
        .map(|row| row[key].as_str().unwrap_or("-"))
        .collect()
}

#[test]
fn events_are_shown_without_readings_unless_somebody_asks() {
    let site = site();
    let done = history(&site, &[]).good();
    assert_eq!(
        done.err,
        format!(
            "mita: {}: 1 line passed over: cut off, no event, or of a newer mita\n",
            site.path("journal.jsonl").display()
        )
    );
    assert_eq!(done.out.lines().count(), 7, "{}", done.out);
    assert!(
        done.out
            .contains("failed   gone__00112233aabb   openstack  \\u{1b}[2Jno host \\u{202e}gnp\n"),
        "{}",
        done.out
    );
    assert!(
        done.out
            .contains("for team/build, \"nightly\" (linux&&x86_64): an item waits\n"),
        "{}",
        done.out
    );
    assert!(
        done.out
            .contains("lived 2h00m, busy 1h00m, idle 15m00s, 3 builds: idle for 10m\n"),
        "{}",
        done.out
    );
    assert!(!done.out.contains('\u{1b}') && !done.out.contains('\u{7}'));
    let kinds = |arguments: &[&str]| words(&rows(&site, arguments), "event").join(" ");
    assert_eq!(
        kinds(&["--all"]),
        "created joined served removed problem failed created pass"
    );
    assert_eq!(kinds(&["--event", "pass,served"]), "served pass");
    assert_eq!(kinds(&["--last", "2"]), "failed created");
    assert_eq!(kinds(&["--since", "8h"]), "removed problem failed created");
    assert_eq!(kinds(&["--since", "2026-03-02", "--all"]), "created pass");
    assert_eq!(kinds(&["--until", "2026-03-01T20:01:30Z"]), "created");
    assert_eq!(kinds(&["--node", "gone"]), "failed");
    site.world.assert_no_writes();
    assert!(site.world.calls().is_empty(), "it makes no request");
    let names: Vec<_> = fs::read_dir(site.folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names.len(), 2, "it writes nothing: {names:?}");
}

#[test]
fn one_server_is_shown_whole() {
    let site = site();
    for name in [
        "small__0123456789ab",
        "0123456789ab",
        "11111111-aaaa",
        "1111",
        "agent-0123456789AB",
    ] {
        let found = rows(&site, &[name]);
        assert_eq!(
            words(&found, "event"),
            ["created", "joined", "removed", "problem"],
            "{name}"
        );
        let gaps: Vec<Option<f64>> = found
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["after_seconds"].as_f64())
            .collect();
        assert_eq!(gaps, [None, Some(90.0), Some(7110.5), Some(0.0)]);
    }
    let text = history(&site, &["small__0123456789ab"]).good().out;
    let head: Vec<&str> = text.lines().take(2).collect();
    assert_eq!(
        head,
        [
            "small__0123456789ab: template small at openstack in az1, server 11111111-aaaa",
            "made for team/build, \"nightly\"; removed after 2h00m; joined after 1m30s; busy 1h00m, idle 15m00s, 3 builds; cost \
             1.00 EUR",
        ]
    );
    assert!(text.contains("2026-03-01T22:00:00Z  7110s  removed "), "{text}");
    for (name, said) in [
        (
            "small__",
            "fits several servers: small__0123456789ab (11111111-aaaa), small__fedcba987654",
        ),
        (
            "small__0123456789ac",
            "no event is of a server \"small__0123456789ac\"; did you mean small__0123456789ab?",
        ),
        ("\u{1b}x", "no event is of a server \"\\u{1b}x\"; see"),
    ] {
        let done = history(&site, &[name]);
        assert_eq!(done.code, 2, "{name}");
        assert!(done.err.contains(said), "{}", done.err);
    }
}

#[test]
fn servers_waits_and_cost_are_counted() {
    let site = site();
    let text = history(&site, &["--by", "node"]).good().out;
    assert_eq!(
        text,
        "\
NODE   MADE  FAIL  HOURS  BUSY   BOOT    95%  ITEMS   WAIT    95%  COST EUR
small     2     0    4.0   25%  1m30s  1m30s      2  1m35s  2m10s      2.00
gone      0     1    0.0     -      -      -      -      -      -         -
total     2     1    4.0   25%  1m30s  1m30s      2  1m35s  2m10s      2.00
"
    );
    let done = history(&site, &["--by", "made_for", "-o", "csv"]).good();
    assert_eq!(
        done.out,
        "by,key,servers,failures,lost,server_hours,busy_share,boots,boot_seconds_median,boot_seconds_p95,items,\
         wait_seconds_median,wait_seconds_p95,cost,currency,unpriced_hours\r\n\
         made_for,\"team/build, \"\"nightly\"\"\",1,0,0,2.000139,0.499965,1,90,90,,,,1.000069,EUR,0\r\n\
         made_for,\"=HYPERLINK(\"\"x\"\"),\\u{7}\",1,0,0,2,0,0,,,,,,1,EUR,0\r\n\
         made_for,,0,1,0,0,,0,,,,,,,,0\r\n\
         total,,2,1,0,4.000139,0.249991,1,90,90,2,95,130,2.000069,EUR,0\r\n"
    );
    let days = rows(&site, &["--by", "day"]);
    assert_eq!(words(&days, "key"), ["2026-03-01", "2026-03-02", "-"]);
    let text = history(&site, &["--trace"]).good().out;
    let jobs: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(jobs, ["0 1200 linux&&x86_64", "35 1200 linux&&x86_64"]);
}

#[test]
fn tables_fit_the_terminal() {
    let site = site();
    for arguments in [
        &[][..],
        &["small__0123456789ab"],
        &["--by", "node"],
        &["--by", "made_for"],
        &["--by", "day"],
    ] {
        for columns in [80, 120, 200] {
            let text = at(&site, columns, arguments);
            for line in text.lines() {
                let width = line.chars().count();
                assert!(
                    width <= usize::from(columns),
                    "{arguments:?} {columns}: {width}\n{text}"
                );
            }
        }
    }
}

#[test]
fn without_a_journal_the_state_is_shown() {
    let site = Site::with(&priced(), PRICED);
    let done = history(&site, &[]).good();
    assert_eq!(done.out, "no event\n");
    assert!(done.err.contains("journal.jsonl: no journal yet"), "{}", done.err);
    assert_eq!(
        history(&site, &["-o", "json"]).good().out,
        "{\"version\":1,\"rows\":[]}\n"
    );
    site.configure(&priced(), "journal: false\n");
    site.world.submit(Task::freestyle("job").label("linux").seconds(6_000));
    site.minutes(4);
    let done = history(&site, &[]).good();
    assert!(done.err.contains("journal: false: no journal is kept"), "{}", done.err);
    assert_eq!(words(&rows(&site, &[]), "event"), ["created", "joined"]);
    let total = &rows(&site, &["--by", "provider"])[1];
    assert_eq!((&total["by"], &total["servers"]), (&"total".into(), &1.into()));
    let hours = total["server_hours"].as_f64().unwrap();
    assert!((0.04..=0.07).contains(&hours), "{hours}");
}

#[test]
fn it_needs_a_configuration_alone() {
    let site = site();
    for arguments in [
        &["--by", "node", "--last", "3"][..],
        &["--by", "planet"],
        &["--trace", "-o", "json"],
        &["--since", "soon"],
        &["--event", "exploded"],
        &["--last", "0"],
        &["x", "--node", "small"],
    ] {
        assert_eq!(history(&site, arguments).code, 2, "{arguments:?}");
    }
    let done = site.mita(&["status", "-o", "csv"]);
    assert_eq!(done.code, 2);
    assert!(
        done.err.contains("`-o csv` is for `mita history` alone"),
        "{}",
        done.err
    );
    // A pass holds the lock, the state is damaged, the journal cannot be read.
    let lock = fs::File::create(site.path("state.json.lock")).unwrap();
    fs2::FileExt::lock_exclusive(&lock).unwrap();
    history(&site, &[]).good();
    fs::write(site.state_file(), "{").unwrap();
    assert!(history(&site, &[]).good().err.contains("damaged"));
    fs::write(site.state_file(), r#"{"version": 999}"#).unwrap();
    assert_eq!(history(&site, &[]).code, 3);
    fs::remove_file(site.state_file()).unwrap();
    fs::remove_file(site.path("journal.jsonl")).unwrap();
    fs::create_dir(site.path("journal.jsonl")).unwrap();
    let done = history(&site, &[]);
    assert_eq!(done.code, 3, "{}", done.err);
    assert!(done.err.contains("it is a folder"), "{}", done.err);
    fs::write(site.config(), "nodes: 7").unwrap();
    assert_eq!(history(&site, &[]).code, 3);
}

/// Two templates, of which one has two executors and no price.
const TWO: &str = "
  small:
    image_name: ubuntu-24.04
    size: m1.small
    keyname: jenkins
    networks: [private]
    labels: [linux, x86_64]
    provider: openstack
    price: 0.085
    max: 8
    script: echo {{ mita.name }}
  large:
    image_name: ubuntu-24.04
    size: m1.small
    keyname: jenkins
    networks: [private]
    labels: [linux, docker]
    provider: openstack
    executors: 2
    script: echo {{ mita.name }}
";

/// Seconds between two passes.
const EVERY: i64 = 180;

/// Jobs of a day: bursts, single ones, and long ones over midnight.
fn submit_a_day(site: &Site) {
    let mut random = Random::new(5);
    site.world.with(|world| {
        let start = world.clock;
        for minute in (5..1_380).step_by(23) {
            let count = if minute % 5 == 0 { 6 } else { 1 };
            for n in 0..count {
                let label = ["linux", "linux && x86_64", "docker", "x86_64 || docker"]
                    [usize::try_from(random.below(4)).unwrap()];
                let seconds = if n == 5 { 7_000 } else { 100 + random.below(1_500) };
                let task = Task::freestyle(&format!("job-{n}")).label(label).seconds(seconds);
                let at = start + minute * 60 + random.below(240);
                world.at(at, move |w| {
                    w.submit(task);
                });
            }
        }
    });
}

#[test]
fn a_day_is_told_as_it_was() {
    let site = Site::with(TWO, "currency: EUR\ntiming: {idle_grace: 10m}\n");
    let world = &site.world;
    world.kind("small", Kind::new(&["linux", "x86_64"]).boot(50).jitter(60));
    world.kind(
        "large",
        Kind::new(&["linux", "docker"]).executors(2).boot(100).jitter(90),
    );
    submit_a_day(&site);
    let mut watch = Watch::new(EVERY);
    for _ in 0..24 * 3600 / EVERY {
        world.advance(EVERY);
        watch.pass(world);
        site.run();
    }
    let prices = BTreeMap::from([("small", 0.085)]);
    let history = |arguments: &[&str]| {
        let done = history(&site, &[arguments, &["-o", "json"]].concat()).good();
        assert_eq!(done.err, "");
        done.json()
    };
    let found = watch.compare(world, &prices, &history);
    let wrong = found.wrong.join("\n");
    assert!(wrong.is_empty(), "of {} figures differ:\n{wrong}", found.compared);
    assert!(
        found.compared > 40 && found.largest <= 1.0,
        "{} {}",
        found.compared,
        found.largest
    );
    // A journal that was rotated lacks the beginnings of lives that it has the ends of.
    let total = |rows: &Value| {
        rows["rows"].as_array().unwrap().last().unwrap()["server_hours"]
            .as_f64()
            .unwrap()
    };
    let before = total(&history(&["--by", "node"]));
    let path = site.path("journal.jsonl");
    let whole = fs::read_to_string(&path).unwrap();
    let without: String = whole
        .lines()
        .filter(|line| !line.contains("\"event\":\"created\""))
        .flat_map(|line| [line, "\n"])
        .collect();
    fs::write(&path, without).unwrap();
    let after = total(&history(&["--by", "node"]));
    assert!((before - after).abs() < 0.5, "{before} and {after}");
    // It would be seen if something were wrong.
    let lied = whole.replace("\"event\":\"joined\"", "\"event\":\"rollback\"");
    let lied = lied.replace("\"busy_seconds\":", "\"lazy_seconds\":");
    fs::write(&path, lied).unwrap();
    let wrong = watch.compare(world, &prices, &history).wrong.join("\n");
    assert!(
        wrong.contains("small: boots: 0") && wrong.contains("small: busy seconds: "),
        "{wrong}"
    );
}
