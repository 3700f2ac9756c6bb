//! The difference of two short texts, as `diff -u` shows it.

use std::fmt::Write as _;

/// How many lines are shown around a change.
const AROUND: usize = 3;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Side {
    Both,
    Old,
    New,
}

/// Shows what has to be taken out of the old text (`-`) and put in (`+`) to get the new one.
pub fn unified(name: &str, old: &str, new: &str) -> String {
    let lines = lines(&old.lines().collect::<Vec<_>>(), &new.lines().collect::<Vec<_>>());
    let is_near = |at: usize| {
        let window = &lines[at.saturating_sub(AROUND)..(at + AROUND + 1).min(lines.len())];
        window.iter().any(|(side, _)| *side != Side::Both)
    };
    let mut text = format!("--- {name} (accepted)\n+++ {name} (now)\n");
    let mut gap = false;
    for (at, (side, line)) in lines.iter().enumerate() {
        if !is_near(at) {
            gap = true;
            continue;
        }
        if std::mem::take(&mut gap) {
            text.push_str("@@\n");
        }
        let sign = match side {
            Side::Both => ' ',
            Side::Old => '-',
            Side::New => '+',
        };
        let _ = writeln!(text, "{sign}{line}");
    }
    text
}

/// Pairs the lines of both texts along their longest common subsequence.
fn lines<'t>(old: &[&'t str], new: &[&'t str]) -> Vec<(Side, &'t str)> {
    let mut common = vec![vec![0_usize; new.len() + 1]; old.len() + 1];
    for (i, line) in old.iter().enumerate().rev() {
        for (j, other) in new.iter().enumerate().rev() {
            common[i][j] = if line == other {
                common[i + 1][j + 1] + 1
            } else {
                common[i + 1][j].max(common[i][j + 1])
            };
        }
    }
    let (mut i, mut j, mut lines) = (0, 0, Vec::new());
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            lines.push((Side::Both, old[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == new.len() || i < old.len() && common[i + 1][j] >= common[i][j + 1] {
            lines.push((Side::Old, old[i]));
            i += 1;
        } else {
            lines.push((Side::New, new[j]));
            j += 1;
        }
    }
    lines
}

#[test]
fn a_change_is_shown_with_what_is_around_it() {
    let old = "1\n2\n3\n4\n5\n6\n7\n8\n9";
    let new = "1\n2\n3\n4\n5\nsix\n7\n8\n9\n10";
    assert_eq!(
        unified("f", old, new),
        "--- f (accepted)\n+++ f (now)\n@@\n 3\n 4\n 5\n-6\n+six\n 7\n 8\n 9\n+10\n"
    );
    assert_eq!(unified("f", "", "1"), "--- f (accepted)\n+++ f (now)\n+1\n");
    assert_eq!(unified("f", "1\n2", "2"), "--- f (accepted)\n+++ f (now)\n-1\n 2\n");
}
