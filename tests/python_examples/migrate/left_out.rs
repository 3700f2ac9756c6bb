//! What cannot be carried over is named with its place, and nothing of the configuration is ever run.

use super::{Move, NODE, with_nodes};

/// Makes `mita.yaml` of nodes that are written so, which a person has to complete; returns the site and the notes.
#[track_caller]
fn incomplete(nodes: &str) -> (Move, String) {
    let site = Move::text(&with_nodes(nodes));
    let done = site.migrate(&[]);
    assert_eq!(done.code, 1, "{}\n{}", done.out, done.err);
    (site, done.err)
}

/// Requires a line that has all of these.
#[track_caller]
fn says(notes: &str, parts: &[&str]) {
    let found = notes.lines().any(|line| parts.iter().all(|part| line.contains(part)));
    assert!(found, "{parts:?} in\n{notes}");
}

#[test]
fn nothing_is_run() {
    for call in [
        "__import__('os').system('touch ran')",
        "exec('open(\"ran\", \"w\")')",
        "eval('open(\"ran\", \"w\")')",
        "open('ran', 'w').write('x')",
        "(lambda: open('ran', 'w'))()",
        "[open('ran', 'w') for _ in (1,)]",
        "().__class__.__bases__[0].__subclasses__()",
        "'{0.__class__}'.format(open)",
        "getattr(os, 'system')('touch ran')",
        "os.system('touch ran')",
        "os.environ.__class__",
        "dedent.__globals__['re']",
    ] {
        let node = NODE.replace("'i'", call);
        let text =
            format!("import os\nfrom textwrap import dedent\nx = {call}\n{call}\nnodes = {{'a': {node}, 'b': {NODE}}}");
        let (site, notes) = incomplete(&text);
        assert!(!site.path("ran").exists(), "{call}");
        says(
            &notes,
            &[
                "nodes.a.image_name: ",
                "line 5 of prod.py: ",
                "write it for 'change me'",
            ],
        );
        let config = site.config();
        assert_eq!(config["nodes"]["a"]["image_name"].as_str(), Some("change me"), "{call}");
        assert_eq!(
            config["nodes"]["b"]["image_name"].as_str(),
            Some("i"),
            "the others are carried over"
        );
    }
}

#[test]
fn what_is_not_evaluated_is_named_where_it_stands() {
    let written = format!(
        "def kind(size):\n    return {NODE}\n\
         nodes = {{'a': {NODE}}}\n\
         nodes['made'] = kind('m')\n\
         nodes.update({{n: {NODE} for n in 'xy'}})\n\
         for n in ('p', 'q'):\n    nodes[n] = {NODE}\n\
         if unknown.thing:\n    nodes['w'] = {NODE}\n\
         label = 'x' if unknown.thing else 'y'\n\
         nodes['b'] = dict(nodes['a'], labels=[label, 'l'], script=open('x.sh').read(), cpus=4)\n\
         with open('x') as f:\n    more = f.read()\n"
    );
    let (site, notes) = incomplete(&written);
    says(
        &notes,
        &["line 4 of prod.py: kind is not known", "a function is not run"],
    );
    says(&notes, &["line 5 of prod.py", "a comprehension is not evaluated"]);
    says(&notes, &["line 6 of prod.py", "a loop is not run"]);
    says(&notes, &["line 8 of prod.py", "a condition is not decided"]);
    says(&notes, &["nodes.b.script: line 11 of prod.py", "calls open()"]);
    says(
        &notes,
        &["nodes.b.labels: line 11 of prod.py: label is not known (line 10 of prod.py"],
    );
    says(&notes, &["nodes.b.cpus: "]);
    says(&notes, &["line 12 of prod.py", "a with statement"]);
    let config = site.config();
    let names: Vec<&str> = config["nodes"]
        .as_mapping()
        .unwrap()
        .keys()
        .map(|k| k.as_str().unwrap())
        .collect();
    assert_eq!(names, ["a", "b"]);
    assert_eq!(config["nodes"]["b"]["labels"].as_sequence().unwrap().len(), 1);
}

#[test]
fn a_script_that_the_original_could_not_fill_in_stays_as_it_is() {
    for (script, why) in [
        ("date +%Y; %s", "unsupported format character"),
        ("%s %s", "not enough arguments"),
        ("nothing", "not all arguments"),
        ("%99999999s", "of such a width"),
    ] {
        let node = NODE.replace(": %s", script);
        let (site, notes) = incomplete(&format!("nodes = {{'a': {node}}}"));
        says(&notes, &["nodes.a.script: ", "made no server of it", why]);
        assert!(site.mita(&["render", "a"]).out.contains(script), "{script}");
    }
}

#[test]
fn texts_do_not_grow_beyond_bounds() {
    for text in [
        "'a' * 10**9",
        "'a' * 999999999",
        "'%999999999s' % 'x'",
        "'%*s' % (999999999, 'x')",
        "'{:>999999999}'.format('x')",
        "'{:>{}}'.format('x', 999999999)",
        "f'{1:999999999}'",
        "('a' * 1000000).replace('a', 'a' * 1000)",
        "'a'.join(['a' * 1000000] * 1000)",
        "'x' + 'y' * 1048577",
        "[[0] * 9999999] * 9999999",
    ] {
        let node = NODE.replace("'i'", text);
        let (site, notes) = incomplete(&format!("nodes = {{'a': {node}}}"));
        says(&notes, &["nodes.a.image_name: "]);
        assert_eq!(
            site.config()["nodes"]["a"]["image_name"].as_str(),
            Some("change me"),
            "{text}"
        );
    }
    let deep = format!("x = {}\n", "[".repeat(5000));
    for text in [
        deep,
        "x = (\n".to_owned(),
        "print 'python 2'\n".to_owned(),
        "x = '\u{0}'".to_owned(),
    ] {
        let done = Move::text(&text).migrate(&[]);
        assert_eq!((done.code, done.out.as_str()), (2, ""), "{}", done.err);
        assert_eq!(done.err.lines().count(), 1, "{}", done.err);
    }
}

#[test]
fn one_of_several_controllers_is_carried_over_at_a_time() {
    let text = with_nodes(&format!("nodes = {{'a': {NODE}}}")).replace(
        "jenkins = {",
        "jenkins = {'old': {'url': 'http://127.0.0.1:1', 'user': 'u', 'token': 't'}, 'new': {",
    ) + "}";
    let site = Move::text(&text);
    let done = site.migrate(&[]);
    assert_eq!(done.code, 1);
    says(&done.err, &["jenkins: ", "\"old\", \"new\"", "--controller"]);
    assert_eq!(site.config()["jenkins"]["url"].as_str(), Some("http://127.0.0.1:1"));
    site.migrate(&["--controller", "new"]);
    assert_eq!(site.config()["jenkins"]["url"].as_str(), Some("http://127.0.0.1:8080"));
    let done = site.migrate(&["--controller", "newer"]);
    assert_eq!(done.code, 2, "{}", done.err);
}

#[test]
fn names_that_mita_refuses_are_changed_and_named() {
    let names = [
        "a/b",
        "a?b",
        "a+b",
        " a ",
        "x\\x1b[31mred",
        "",
        "x__0123456789ab",
        "{{",
        "é\\u202eé",
        "long-long-long-long-long-long-long-long-long-long-long",
    ];
    let entries: Vec<String> = names.iter().map(|name| format!("'{name}': {NODE}")).collect();
    let (site, notes) = incomplete(&format!("nodes = {{{}, 7: {NODE}}}", entries.join(", ")));
    let config = site.config();
    let made: Vec<&str> = config["nodes"]
        .as_mapping()
        .unwrap()
        .keys()
        .map(|k| k.as_str().unwrap())
        .collect();
    assert_eq!(made.len(), names.len() + 1, "{made:?}");
    assert!(
        made.contains(&"a_b") && made.contains(&"a_b_2") && made.contains(&"a_b_3"),
        "{made:?}"
    );
    says(&notes, &["nodes.a_b: was \"a/b\""]);
    assert!(!notes.contains(['\u{1b}', '\u{202e}']), "{notes:?}");
}

#[test]
fn a_configuration_without_its_sections_says_so() {
    let done = Move::text("provider = 7\n").migrate(&[]);
    assert_eq!(done.code, 1);
    says(&done.err, &["provider: is no dict"]);
    says(&done.err, &["jenkins", "the configuration does not set it"]);
}
