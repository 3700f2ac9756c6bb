//! Tables of at most so many rows.

use crate::text::plural;

use super::html::Html;

/// The most rows of a table.
pub const MOST_ROWS: usize = 200;

/// A column: its heading, and the class of its cells.
pub type Column = (&'static str, &'static str);

/// So many rows are shown at once; what is below a table is to be found without much scrolling.
const SHOWN_ROWS: usize = 30;

/// Writes a table of a class, with a caption for those who do not see it; the first cell of a row heads it. Rows beyond the
/// first ones are folded, those beyond the bound counted.
pub fn table<T>(
    html: &mut Html,
    (class, caption): (&'static str, &'static str),
    columns: &[Column],
    rows: &[T],
    cell: impl Fn(&mut Html, &T, usize),
) {
    let listed = &rows[..rows.len().min(MOST_ROWS)];
    let (shown, folded) = listed.split_at(listed.len().min(SHOWN_ROWS));
    part(html, (class, caption), columns, shown, &cell);
    if !folded.is_empty() {
        html.tag("details", &[], |html| {
            html.leaf("summary", &[], &format!("{} more", folded.len()));
            part(html, (class, caption), columns, folded, &cell);
        });
    }
    let more = rows.len() - listed.len();
    if more > 0 {
        html.leaf("p", &[("class", "more")], &format!("and {more} more"));
    }
}

fn part<T>(
    html: &mut Html,
    (class, caption): (&'static str, &'static str),
    columns: &[Column],
    rows: &[T],
    cell: &impl Fn(&mut Html, &T, usize),
) {
    html.tag("table", &[("role", "table"), ("class", class)], |html| {
        html.leaf("caption", &[], caption);
        html.tag("thead", &[("role", "rowgroup")], |html| heads(html, columns));
        html.tag("tbody", &[("role", "rowgroup")], |html| {
            for row in rows {
                html.tag("tr", &[("role", "row")], |html| {
                    for (place, (_, class)) in columns.iter().enumerate() {
                        one(html, place, class, |html| cell(html, row, place));
                    }
                });
                html.line();
            }
        });
    });
}

fn heads(html: &mut Html, columns: &[Column]) {
    html.tag("tr", &[("role", "row")], |html| {
        for (title, class) in columns {
            let attributes = [("scope", "col"), ("role", "columnheader"), ("class", *class)];
            html.leaf("th", &attributes, title);
        }
    });
}

fn one(html: &mut Html, place: usize, class: &'static str, inside: impl FnOnce(&mut Html)) {
    if place == 0 {
        html.tag(
            "th",
            &[("scope", "row"), ("role", "rowheader"), ("class", class)],
            inside,
        );
    } else {
        html.tag("td", &[("role", "cell"), ("class", class)], inside);
    }
}

/// Writes a section with its heading and a count beside it.
pub fn section(
    html: &mut Html,
    (id, title): (&'static str, &'static str),
    count: Option<(usize, &'static str)>,
    inside: impl FnOnce(&mut Html),
) {
    html.tag("section", &[("aria-labelledby", id)], |html| {
        html.tag("h2", &[("id", id)], |html| {
            html.text(title);
            if let Some((count, noun)) = count {
                html.leaf("small", &[], &format!(" {}", plural(count, noun)));
            }
        });
        inside(html);
    });
    html.line();
}
