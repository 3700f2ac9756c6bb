//! Tables for people: as wide as their cells where nobody looks at a terminal, else fitted to its width.
//!
//! Cells are texts from anywhere; what is hidden in them is shown as an escape.

use std::fmt::Display;

use crate::text::{columns, cut_end, cut_front, padded, padded_left, visible, wrapped};

/// Between two columns.
const GAP: usize = 2;

/// Before what is printed below a row.
const INDENT: usize = 4;

/// How much of a terminal there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// The columns of the terminal; `None` without one: then nothing is cut, and nothing is wrapped.
    pub width: Option<usize>,
    /// Whether it takes colours.
    pub color: bool,
}

/// How a text is to be seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    #[default]
    Plain,
    /// A heading.
    Heading,
    /// Look at it when there is time.
    Warning,
    /// Look at it now.
    Error,
}

impl View {
    /// Paints a text that is ready to be printed.
    pub fn paint(self, tone: Tone, text: &str) -> String {
        let code = match tone {
            Tone::Heading => "1",
            Tone::Warning => "33",
            Tone::Error => "31",
            Tone::Plain => "",
        };
        if self.color && !code.is_empty() && !text.is_empty() {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}

/// How a column gives way when the table is too wide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// Not at all.
    Whole,
    /// Not at all; numbers, flush right.
    Number,
    /// Names are cut in front, to no less than this.
    Front(usize),
    /// Sentences are wrapped to no less than this, on so many lines. Only as the last column.
    Wrap(usize, usize),
    /// The same, but below their row where less than this is left beside it. Only as the last column.
    Below(usize, usize),
}

/// A column.
#[derive(Clone, Copy, Debug)]
pub struct Column<'h> {
    pub head: &'h str,
    pub fit: Fit,
    /// Whether it is left out where no row has anything in it.
    pub optional: bool,
}

impl<'h> Column<'h> {
    /// Makes one that is always there.
    pub const fn new(head: &'h str, fit: Fit) -> Self {
        Self {
            head,
            fit,
            optional: false,
        }
    }

    /// Makes one that is left out where no row has anything in it.
    pub const fn optional(head: &'h str, fit: Fit) -> Self {
        Self {
            optional: true,
            ..Self::new(head, fit)
        }
    }
}

/// What stands in one place of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    text: String,
    tone: Tone,
}

impl Cell {
    /// Makes one of a text from anywhere.
    pub fn new(text: impl AsRef<str>) -> Self {
        Self::toned(text, Tone::Plain)
    }

    /// The same, to be seen as the tone says.
    pub fn toned(text: impl AsRef<str>, tone: Tone) -> Self {
        Self {
            text: visible(text.as_ref()),
            tone,
        }
    }

    /// Makes one of a number.
    pub fn number(number: impl Display) -> Self {
        Self::new(format!("{number}"))
    }

    fn is_empty(&self) -> bool {
        self.text.is_empty() || self.text == "-"
    }
}

/// A table with its heading; without rows it is nothing.
pub struct Table<'h> {
    columns: Vec<Column<'h>>,
    rows: Vec<Vec<Cell>>,
}

impl<'h> Table<'h> {
    /// Makes one of rows that have a cell for each column.
    pub fn new(columns: &[Column<'h>], rows: Vec<Vec<Cell>>) -> Self {
        let kept: Vec<bool> = (0..columns.len())
            .map(|at| !columns[at].optional || rows.iter().any(|row| row.get(at).is_some_and(|cell| !cell.is_empty())))
            .collect();
        let rows = rows.into_iter().map(|row| chosen(row, &kept)).collect();
        Self {
            columns: chosen(columns.to_vec(), &kept),
            rows,
        }
    }

    /// Returns its lines, the heading first.
    pub fn lines(&self, view: View) -> Vec<String> {
        if self.rows.is_empty() {
            return Vec::new();
        }
        let layout = Layout::new(self, view);
        let heads = self
            .columns
            .iter()
            .map(|column| Cell::toned(column.head, Tone::Heading));
        let mut lines = layout.row(&heads.collect::<Vec<_>>(), view);
        for row in &self.rows {
            lines.extend(layout.row(row, view));
        }
        lines
    }

    /// Returns how many columns each column takes if nothing gives way.
    fn natural(&self) -> Vec<usize> {
        let cells = |at: usize| self.rows.iter().filter_map(move |row| row.get(at));
        let widest = |(at, column): (usize, &Column)| {
            let cells = cells(at).map(|cell| columns(&cell.text));
            cells.chain([columns(column.head)]).max().unwrap_or(0)
        };
        self.columns.iter().enumerate().map(widest).collect()
    }
}

fn chosen<T>(all: Vec<T>, kept: &[bool]) -> Vec<T> {
    all.into_iter()
        .zip(kept)
        .filter(|(_, kept)| **kept)
        .map(|(one, _)| one)
        .collect()
}

/// The widths that the columns of a table get.
struct Layout<'t> {
    columns: &'t [Column<'t>],
    widths: Vec<usize>,
    /// Whether the last column is printed below its row, and how wide a line is there.
    below: Option<usize>,
}

impl<'t> Layout<'t> {
    fn new(table: &'t Table<'_>, view: View) -> Self {
        let mut layout = Self {
            columns: &table.columns,
            widths: table.natural(),
            below: None,
        };
        if let Some(width) = view.width {
            layout.fit(width);
        }
        layout
    }

    fn fit(&mut self, width: usize) {
        let last = self.widths.len() - 1;
        let natural = self.widths[last];
        let before = self.total(last);
        match self.columns[last].fit {
            Fit::Below(beside, _) if before + GAP + natural.min(beside) > width => {
                self.below = Some(width.saturating_sub(INDENT));
                self.shrink(last, width);
            }
            Fit::Below(..) => self.widths[last] = natural.min(width - before - GAP),
            Fit::Wrap(narrowest, _) => {
                self.shrink(last, width.saturating_sub(GAP + natural.min(narrowest)));
                self.widths[last] = natural.min(width.saturating_sub(self.total(last) + GAP));
            }
            Fit::Whole | Fit::Number | Fit::Front(_) => self.shrink(last + 1, width),
        }
    }

    /// Returns the width of the first columns with the gaps between them.
    fn total(&self, first: usize) -> usize {
        self.widths[..first].iter().sum::<usize>() + GAP * first.saturating_sub(1)
    }

    /// Narrows the first columns until they fit, the one that can give most first.
    fn shrink(&mut self, first: usize, width: usize) {
        while self.total(first) > width {
            let give = |at: usize| match self.columns[at].fit {
                Fit::Front(least) => self.widths[at].saturating_sub(least.max(columns(self.columns[at].head))),
                _ => 0,
            };
            let most = (0..first).rev().max_by_key(|at| give(*at)).filter(|at| give(*at) > 0);
            let Some(at) = most else { return };
            self.widths[at] -= 1;
        }
    }

    /// Returns the lines of one row.
    fn row(&self, cells: &[Cell], view: View) -> Vec<String> {
        let last = self.columns.len() - 1;
        let (lines, indent) = self.last(&cells[last], view);
        let mut line = String::new();
        for (at, cell) in cells.iter().enumerate().take(last) {
            line.push_str(&self.cell(at, cell, view));
            line.push_str(&" ".repeat(GAP));
        }
        let mut lines = lines.into_iter();
        if self.below.is_none() {
            line.push_str(&lines.next().unwrap_or_default());
        }
        let more = lines.map(|more| format!("{}{more}", " ".repeat(indent)));
        std::iter::once(line.trim_end().to_owned()).chain(more).collect()
    }

    fn cell(&self, at: usize, cell: &Cell, view: View) -> String {
        let width = self.widths[at];
        let text = cut_front(&cell.text, width);
        let painted = view.paint(cell.tone, &text);
        let blanks = " ".repeat(width.saturating_sub(columns(&text)));
        match self.columns[at].fit {
            Fit::Number => format!("{blanks}{painted}"),
            _ => format!("{painted}{blanks}"),
        }
    }

    /// Returns the lines of the last cell of a row, and where all but the first begin.
    fn last(&self, cell: &Cell, view: View) -> (Vec<String>, usize) {
        let last = self.columns.len() - 1;
        let (indent, width) = match self.below {
            Some(width) => (INDENT, width),
            None => (self.total(last) + if last > 0 { GAP } else { 0 }, self.widths[last]),
        };
        let lines = match self.columns[last].fit {
            // The heading of what stands below is said by what stands there.
            Fit::Below(..) if self.below.is_some() && cell.tone == Tone::Heading => Vec::new(),
            Fit::Wrap(_, most) | Fit::Below(_, most) if view.width.is_some() => some_lines(&cell.text, width, most),
            Fit::Number => vec![padded_left(&cell.text, width)],
            _ => vec![padded(&cut_front(&cell.text, width), width).trim_end().to_owned()],
        };
        (lines.iter().map(|line| view.paint(cell.tone, line)).collect(), indent)
    }
}

/// Wraps a text to at most so many lines.
fn some_lines(text: &str, width: usize, most: usize) -> Vec<String> {
    let mut lines = wrapped(text, width);
    if lines.len() > most {
        let rest = lines.split_off(most.saturating_sub(1)).join(" ");
        lines.push(cut_end(&rest, width));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column<'static>; 4] = [
        Column::new("NAME", Fit::Front(6)),
        Column::new("N", Fit::Number),
        Column::optional("EXTRA", Fit::Whole),
        Column::new("WHY", Fit::Wrap(8, 2)),
    ];

    fn table(rows: &[[&str; 4]]) -> Table<'static> {
        let rows = rows.iter().map(|row| row.iter().map(Cell::new).collect());
        Table::new(&COLUMNS, rows.collect())
    }

    fn at(width: Option<usize>, rows: &[[&str; 4]]) -> Vec<String> {
        table(rows).lines(View { width, color: false })
    }

    #[test]
    fn without_a_terminal_nothing_is_cut() {
        let why = "a sentence that goes on ".repeat(20);
        let lines = at(None, &[["a-very-long-name", "7", "-", &why], ["b", "10", "", ""]]);
        assert_eq!(lines[0], "NAME               N  WHY");
        assert_eq!(lines[1], format!("a-very-long-name   7  {}", why.trim_end()));
        assert_eq!(lines[2], "b                 10");
    }

    #[test]
    fn a_name_gives_way_before_a_sentence_is_too_narrow() {
        let lines = at(Some(20), &[["a-very-long-name", "7", "", "one two three four five"]]);
        assert_eq!(
            lines,
            ["NAME     N  WHY", "…g-name  7  one two", "            three f…",]
        );
    }

    #[test]
    fn a_column_that_somebody_fills_stays() {
        assert_eq!(
            at(None, &[["a", "1", "x", "y"], ["b", "2", "", "z"]])[2],
            "b     2         z"
        );
        assert!(at(None, &[]).is_empty(), "no row, no heading");
    }

    #[test]
    fn what_does_not_fit_beside_a_row_comes_below() {
        let columns = [
            Column::new("NAME", Fit::Front(6)),
            Column::new("WHY", Fit::Below(12, 1)),
        ];
        let rows = || {
            vec![
                vec![Cell::new("0123456789"), Cell::new("no host was found")],
                vec![Cell::new("b"), Cell::new("")],
            ]
        };
        let lines = |width| {
            Table::new(&columns, rows()).lines(View {
                width: Some(width),
                color: false,
            })
        };
        assert_eq!(lines(30), ["NAME        WHY", "0123456789  no host was found", "b"]);
        assert_eq!(lines(24), ["NAME        WHY", "0123456789  no host was…", "b"]);
        assert_eq!(lines(20), ["NAME", "0123456789", "    no host was fou…", "b"]);
    }

    #[test]
    fn hidden_characters_are_escaped_and_colors_are_ours_alone() {
        let rows = vec![vec![Cell::toned("a\u{1b}[31m", Tone::Error)]];
        let table = Table::new(&[Column::new("NAME", Fit::Front(4))], rows);
        let view = |color| View { width: Some(80), color };
        assert_eq!(table.lines(view(false)), ["NAME", "a\\u{1b}[31m"]);
        assert_eq!(table.lines(view(true))[1], "\u{1b}[31ma\\u{1b}[31m\u{1b}[0m");
        assert_eq!(table.lines(view(true))[0], "\u{1b}[1mNAME\u{1b}[0m");
    }
}
