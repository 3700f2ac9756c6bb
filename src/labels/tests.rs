//! Labels: a table of cases, and properties.

use proptest::prelude::*;

use super::{Expr, Label, Labels, parse};

fn labels(text: &str) -> Labels {
    text.split_whitespace().map(str::to_owned).collect()
}

/// Checks the strict grammar: `None` for an error.
#[track_caller]
fn strict(text: &str, node: &str, expected: Option<bool>) {
    let parsed = parse(text);
    assert_eq!(
        parsed.as_ref().ok().map(|e| e.matches(&labels(node))),
        expected,
        "{text}: {parsed:?}"
    );
}

/// Checks how Jenkins prints what it read, and whether it read it as an expression.
#[track_caller]
fn prints(text: &str, printed: &str, fallback: bool) {
    let label = Label::read(text).unwrap();
    assert_eq!(
        (label.to_string().as_str(), label.is_fallback()),
        (printed, fallback),
        "{text}"
    );
}

#[test]
fn operators_bind_as_in_jenkins() {
    strict("foo||bar&&zot", "foo", Some(true));
    strict("(foo||bar)&&zot", "foo", Some(false));
    strict("!foo&&bar", "bar", Some(true));
    strict("!foo&&bar", "foo bar", Some(false));
    strict("!(foo&&bar)", "foo", Some(true));
    strict("a <-> b <-> c", "a", Some(true));
    strict("a <-> b <-> c", "a b", Some(false));
    strict("a->b<->c", "c", Some(true));
    strict("a->b<->c", "a", Some(true));
    strict("a->b<->c", "a c", Some(false));
    strict("a||b->c", "b", Some(false));
    strict("a->b||c", "a c", Some(true));
    strict("a -> b", "", Some(true));
    strict("a -> b", "a", Some(false));
    strict("!(!x)", "x", Some(true));
    strict("(((a)))", "a", Some(true));
    strict("!a", "", Some(true));
    strict("a<->!b", "b", Some(true));
    strict("  a\t&& \t b ", "a b", Some(true));
    strict("Foo", "foo", Some(false));
}

#[test]
fn dashes_belong_to_names_unless_they_start_an_arrow() {
    strict("a-->b", "a-", Some(false));
    strict("a-->b", "a- b", Some(true));
    strict("a->-b", "a", Some(false));
    strict("a->-b", "a -b", Some(true));
    strict("a->b", "a b", Some(true));
    strict("a -> b -> c", "", None);
    strict("(a->b)->c", "a b c", Some(true));
    strict("a->(b->c)", "a b", Some(false));
    for atom in ["-", "--", "-abc-", "a-b", "a-", "x86-64"] {
        strict(atom, atom, Some(true));
    }
    for broken in [
        "->", "-<", "-!", "a <- b", "a - b", "a->", "->a", "a<-b", "a--->", "a<->", "<->b",
    ] {
        strict(broken, "", None);
    }
}

#[test]
fn names_take_nearly_everything() {
    for atom in [
        "32bit.dot",
        "ubuntu/22.04*[x]",
        "a,b=c@d#e:f;g",
        "x\ny",
        "größe",
        "日本",
        "a\\b",
        "{}~+%?",
    ] {
        assert_eq!(parse(atom), Ok(Expr::Atom(atom.to_owned())), "{atom:?}");
    }
    for broken in [
        "foo bar", "foo(bar)", "(foo)bar", "a & b", "a | b", "a > b", "a < b", "'x'", "a'b", "", " ", "()",
    ] {
        strict(broken, "", None);
    }
    for broken in [
        "!!x", "!", "! !x", "&&", "a&&", "||b", "(a", "a)", ")", "a b", "a!b", "a&&&b", "a|||b", "a!",
    ] {
        strict(broken, "", None);
    }
}

#[test]
fn quoted_names() {
    strict("\"a\" || \"b\"", "b", Some(true));
    assert_eq!(parse(r#""a b\t\"\\\'\n""#), Ok(Expr::Atom("a b\t\"\\'\n".to_owned())));
    assert_eq!(parse("\"\""), Ok(Expr::Atom(String::new())));
    assert_eq!(parse("\"\u{e9}(&&)\""), Ok(Expr::Atom("\u{e9}(&&)".to_owned())));
    for broken in [
        r#""\x""#,
        r#""\u0041""#,
        "\"a",
        "\"",
        "\"a\nb\"",
        "\"a\rb\"",
        "\"a\\",
        "\"a\"b",
        "a\"b\"",
        "a\"b",
    ] {
        strict(broken, "", None);
    }
}

#[test]
fn errors_name_the_column() {
    for (text, message) in [
        ("", "column 1: expected a label, `!` or `(`, found the end"),
        ("é && ", "column 6: expected a label, `!` or `(`, found the end"),
        ("a b", "column 3: expected an operator or the end, found \"b\""),
        ("!!x", "column 2: expected a label or `(`, found `!`"),
        ("a->b->c", "column 5: expected an operator or the end, found `->`"),
        ("(a", "column 3: expected an operator or `)`, found the end"),
        ("a & b", "column 3: expected `&&`, found `&`"),
        ("\"é", "column 3: expected a closing `\"`, found the end"),
        (
            r#""a\x""#,
            "column 4: expected one of `btnfr\"'\\` after a backslash, found `x`",
        ),
        ("'x'", "column 1: expected a label in double quotes, found `'`"),
    ] {
        assert_eq!(parse(text).unwrap_err().to_string(), message, "{text}");
    }
}

#[test]
fn absurd_texts_are_names() {
    for text in [
        "(".repeat(100_000),
        "!(".repeat(4_000),
        "(".repeat(201) + "a" + &")".repeat(201),
        "a||".repeat(2_000) + "a",
        "a<->".repeat(2_000) + "a",
        "x".repeat(9_000),
    ] {
        let label = Label::read(&text).unwrap();
        assert!(label.is_fallback());
        assert!(!label.matches(&labels("a x")));
        assert_eq!(label.to_string(), text);
    }
    let deep = "(".repeat(200) + "a" + &")".repeat(200);
    assert!(Label::read(&deep).unwrap().matches(&labels("a")));
    let long = "a&&".repeat(1_000) + "a";
    assert!(Label::read(&long).unwrap().matches(&labels("a")));
}

#[test]
fn jenkins_reads_laxly() {
    prints("foo bar", "foo bar", true);
    prints(
        "lucene.zones.apache.org (Solaris 10)",
        "lucene.zones.apache.org (Solaris 10)",
        true,
    );
    prints("'x y'", "x y", true);
    prints("'x'", "x", false);
    prints("\"foo\"", "foo", false);
    prints("\"!foo\"", "!foo", false);
    prints("\"a\" || \"b\"", "a\" || \"b", true);
    prints("\"a&&b\"", "a&&b", false);
    prints("!!x", "!!x", true);
    prints("\"a", "\"a", true);
    prints("\"", "\"", true);
    prints("\"\"", "", true);
    prints(r#""a\u0042c\ud800\u12""#, "aBc\u{fffd}u12", false);
    prints("\"a\\\"", "a", false);
    assert_eq!(Label::read(""), None);
    assert!(
        Label::read("foo bar")
            .unwrap()
            .matches(&Labels::from(["foo bar".to_owned()]))
    );
}

/// What users entered (`labelExpression` as Jenkins 2.544 told it) and what `why` printed of it.
#[test]
fn prints_as_a_real_jenkins() {
    for (told, why) in [
        ("((a&&b))||c", "((a&&b))||c"),
        ("(a)", "(a)"),
        ("!(a||b)", "!(a||b)"),
        ("\"quote\\\"d\"&&b", "quote\"d&&b"),
        ("x,y=z", "x,y=z"),
        ("!windows", "!windows"),
        ("\"a->b->c\"", "a->b->c"),
        ("\"!windows\"&&nosuch", "\"!windows\"&&nosuch"),
        ("\"'x y'\"", "x y"),
        ("\"!!x\"", "!!x"),
        ("!linux && !arm && !built-in", "!linux&&!arm&&!built-in"),
        ("\"a\" || \"b\"", "a\" || \"b"),
        ("ubuntu:22.04&&x", "\"ubuntu:22.04\"&&x"),
        ("ubuntu:22.04", "ubuntu:22.04"),
        ("\"foo bar\"", "foo bar"),
        ("\"foo bar\"||baz", "\"foo bar\"||baz"),
        ("a <-> b", "a<->b"),
        ("a -> b", "a->b"),
    ] {
        assert_eq!(Label::exported(told).unwrap().to_string(), why, "{told}");
    }
}

#[test]
fn quotes_inside_expressions() {
    for (text, printed) in [
        ("a&&\"b.\"", "a&&\"b.\""),
        ("a&&\"\"", "a&&\"\""),
        ("a&&\"x\\ty\\n\\\"\\\\\"", "a&&\"x\\ty\\n\\\"\\\\\""),
        ("a&&\"x'y\"", "a&&x'y"),
        ("! a", "!a"),
        ("a&&.", "a&&\".\""),
    ] {
        prints(text, printed, false);
    }
}

#[test]
fn printed_text_keeps_its_quotes() {
    let label = Label::printed("\"foo bar\"||\"x y\"").unwrap();
    assert!(!label.is_fallback());
    assert!(label.matches(&Labels::from(["x y".to_owned()])));
    assert_eq!(Label::printed("foo bar").unwrap().as_atom(), Some("foo bar"));
    assert_eq!(Label::printed("((a))").unwrap().as_atom(), Some("a"));
    assert_eq!(Label::printed("!a").unwrap().as_atom(), None);
    assert_eq!(Label::printed(""), None);
}

#[test]
fn built_trees_get_the_parentheses_they_need() {
    let a = || Box::new(Expr::Atom("a".to_owned()));
    let not = |e| Expr::Not(Box::new(e));
    for (tree, printed) in [
        (not(not(*a())), "!(!a)"),
        (not(Expr::And(a(), a())), "!(a&&a)"),
        (Expr::And(Box::new(Expr::Or(a(), a())), a()), "(a||a)&&a"),
        (Expr::Implies(a(), Box::new(Expr::Implies(a(), a()))), "a->(a->a)"),
        (Expr::Or(a(), Box::new(Expr::And(a(), a()))), "a||a&&a"),
    ] {
        assert_eq!(tree.to_string(), printed);
    }
}

/// A tree with its own meaning, as a table over `a b c d`, independent of [`Expr`].
#[derive(Clone, Debug)]
struct Meant {
    text: String,
    /// Bit `n` is the value for the node whose labels are the bits of `n`.
    table: u16,
    /// 0 an operand, 1 negated, 2 and, 3 or, 4 implies, 5 iff.
    level: u8,
}

impl Meant {
    fn below(&self, limit: u8) -> String {
        if self.level <= limit {
            self.text.clone()
        } else {
            format!("({})", self.text)
        }
    }
}

fn meant() -> impl Strategy<Value = Meant> {
    let leaf = prop::sample::select(vec![("a", 0xAAAA), ("\"b\"", 0xCCCC), ("c-", 0xF0F0), ("d.e", 0xFF00)]).prop_map(
        |(text, table)| Meant {
            text: text.to_owned(),
            table,
            level: 0,
        },
    );
    leaf.prop_recursive(6, 48, 2, |inner| {
        let blank = prop::sample::select(vec!["", " ", "\t "]);
        (inner.clone(), inner, 0..6u8, blank).prop_map(|(a, b, op, s)| match op {
            0 => Meant {
                text: format!("({s}{}{s})", a.text),
                table: a.table,
                level: 0,
            },
            1 => Meant {
                text: format!("!{s}{}", a.below(0)),
                table: !a.table,
                level: 1,
            },
            2 => Meant {
                text: format!("{}{s}&&{s}{}", a.below(2), b.below(1)),
                table: a.table & b.table,
                level: 2,
            },
            3 => Meant {
                text: format!("{}{s}||{s}{}", a.below(3), b.below(2)),
                table: a.table | b.table,
                level: 3,
            },
            4 => Meant {
                text: format!("{}{s}->{s}{}", a.below(3), b.below(3)),
                table: !a.table | b.table,
                level: 4,
            },
            _ => Meant {
                text: format!("{}{s}<->{s}{}", a.below(5), b.below(4)),
                table: !(a.table ^ b.table),
                level: 5,
            },
        })
    })
}

fn table(expr: &Expr) -> u16 {
    (0..16u16)
        .filter(|node| expr.matches(&node_of(*node)))
        .fold(0, |table, node| table | 1 << node)
}

fn node_of(bits: u16) -> Labels {
    let names = ["a", "b", "c-", "d.e"];
    names
        .iter()
        .enumerate()
        .filter(|(i, _)| bits & (1 << i) != 0)
        .map(|(_, name)| (*name).to_owned())
        .collect()
}

fn tree() -> impl Strategy<Value = Expr> {
    // A lone quote in a name is printed bare by Jenkins, so such a name cannot be read again.
    "[^\"']{0,6}".prop_map(Expr::Atom).prop_recursive(5, 32, 2, |inner| {
        (inner.clone(), inner, 0..6u8).prop_map(|(a, b, op)| {
            let (a, b) = (Box::new(a), Box::new(b));
            match op {
                0 => Expr::Paren(a),
                1 => Expr::Not(a),
                2 => Expr::And(a, b),
                3 => Expr::Or(a, b),
                4 => Expr::Implies(a, b),
                _ => Expr::Iff(a, b),
            }
        })
    })
}

/// Returns all names in a tree.
fn names<'a>(expr: &'a Expr, out: &mut Vec<&'a str>) {
    match expr {
        Expr::Atom(name) => out.push(name),
        Expr::Not(a) | Expr::Paren(a) => names(a, out),
        Expr::And(a, b) | Expr::Or(a, b) | Expr::Implies(a, b) | Expr::Iff(a, b) => {
            names(a, out);
            names(b, out);
        }
    }
}

proptest! {
    #[test]
    fn agrees_with_a_truth_table(meant in meant()) {
        let expr = parse(&meant.text).unwrap();
        prop_assert_eq!(table(&expr), meant.table, "{}", meant.text);
        let again = parse(&expr.to_string()).unwrap();
        prop_assert_eq!(&again, &expr);
    }

    #[test]
    fn printed_and_read_again_means_the_same(tree in tree(), seed in any::<u32>()) {
        prop_assume!(!matches!(tree, Expr::Atom(_)));
        let again = parse(&tree.to_string()).unwrap();
        let mut all = Vec::new();
        names(&tree, &mut all);
        for shift in 0..16 {
            let has = |i: &usize| seed.rotate_left(shift) & (1 << (i % 32)) != 0;
            let node: Labels = (0..all.len()).filter(has).map(|i| all[i].to_owned()).collect();
            prop_assert_eq!(again.matches(&node), tree.matches(&node));
        }
    }

    #[test]
    fn never_panics(text in "[ab()!&|<>\"'\\\\ u0-]{0,40}|\\PC{0,40}|(?s).{0,40}") {
        let _ = parse(&text);
        for label in [Label::read(&text), Label::exported(&text), Label::printed(&text)].into_iter().flatten() {
            let _ = label.matches(&labels("a b"));
            let _ = label.to_string();
        }
        if let Err(error) = parse(&text) {
            prop_assert!(error.column <= text.chars().count() + 1);
        }
    }
}
