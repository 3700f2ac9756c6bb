//! The rows as a table, and as comma-separated values: the same texts in both.

use std::fmt::Write as _;

use super::rows::Row;
use super::rules::Chosen;

/// A column: its heading in the table, its name in CSV, and whether its texts end at the same place.
struct Column {
    heading: &'static str,
    name: &'static str,
    cell: fn(&Row) -> String,
}

const COLUMNS: [Column; 14] = [
    column("rule", "rule", |row| row.rule.name().text()),
    column("configuration", "configuration", |row| row.config.clone()),
    column("min_ready", "min_ready", ready),
    column("grace min", "idle_grace_minutes", |row| {
        row.grace.map(|minutes| minutes.to_string()).unwrap_or_default()
    }),
    column("mean s", "mean_wait_seconds", |row| {
        waited(row, format!("{:.1}", row.outcome.mean_wait()))
    }),
    column("median s", "median_wait_seconds", |row| {
        waited(row, row.outcome.wait(50).to_string())
    }),
    column("p95 s", "p95_wait_seconds", |row| {
        waited(row, row.outcome.wait(95).to_string())
    }),
    column("longest s", "longest_wait_seconds", |row| {
        waited(row, row.outcome.wait(100).to_string())
    }),
    column("server-hours", "server_hours", |row| {
        format!("{:.1}", row.outcome.hours())
    }),
    column("hours by the hour", "billed_hours", |row| {
        row.outcome.billed_hours().to_string()
    }),
    column("servers", "servers", |row| row.outcome.lives.len().to_string()),
    column("used %", "utilisation_percent", |row| {
        format!("{:.1}", row.outcome.utilisation())
    }),
    column("ran", "jobs_that_ran", |row| row.outcome.waits.len().to_string()),
    column("never ran", "jobs_that_never_ran", |row| {
        row.outcome.unserved.to_string()
    }),
];

/// How many columns hold names, not figures: they end on the right.
const NAMES: usize = 3;

const fn column(heading: &'static str, name: &'static str, cell: fn(&Row) -> String) -> Column {
    Column { heading, name, cell }
}

/// A figure of the jobs that ran; nothing where none did, which would else read like no wait.
fn waited(row: &Row, figure: String) -> String {
    if row.outcome.waits.is_empty() {
        String::new()
    } else {
        figure
    }
}

fn ready(row: &Row) -> String {
    match row.rule {
        Chosen::SingleUse { spares } => spares.to_string(),
        _ => row.ready.text(),
    }
}

/// The table. Columns of names that are empty throughout are left out.
pub fn table(rows: &[Row]) -> String {
    let mut lines = vec![String::new(); rows.len() + 1];
    for (at, column) in COLUMNS.iter().enumerate() {
        let cells: Vec<String> = rows.iter().map(|row| (column.cell)(row)).collect();
        if at < NAMES && cells.iter().all(String::is_empty) {
            continue;
        }
        let width = cells
            .iter()
            .map(String::len)
            .max()
            .unwrap_or(0)
            .max(column.heading.len());
        let texts = [column.heading.to_owned()].into_iter().chain(cells);
        for (line, text) in lines.iter_mut().zip(texts) {
            let gap = if line.is_empty() { "" } else { "  " };
            let _ = if at < NAMES {
                write!(line, "{gap}{text:<width$}")
            } else {
                write!(line, "{gap}{text:>width$}")
            };
        }
    }
    let lines: Vec<&str> = lines.iter().map(|line| line.trim_end()).collect();
    lines.join(
        "
",
    ) + "
"
}

/// The rows as comma-separated values, with the names of the columns in the first line.
pub fn csv(rows: &[Row]) -> String {
    let names: Vec<&str> = COLUMNS.iter().map(|column| column.name).collect();
    let mut text = names.join(",") + "\n";
    for row in rows {
        let cells: Vec<String> = COLUMNS.iter().map(|column| quoted(&(column.cell)(row))).collect();
        text += &(cells.join(",") + "\n");
    }
    text
}

/// A field of CSV: in quotes where it needs them.
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Ready;
    use crate::outcome::Outcome;

    fn rows() -> Vec<Row> {
        let outcome = Outcome {
            waits: vec![0, 30, 90],
            lives: vec![1800, 5400],
            busy_seconds: 3600,
            unserved: 1,
        };
        let row = |rule, grace| Row {
            config: "big, \"new\".yaml".to_owned(),
            ready: Ready::AsConfigured,
            grace,
            rule,
            outcome: outcome.clone(),
        };
        vec![
            row(Chosen::Mita { every: 60 }, Some(10)),
            row(Chosen::SingleUse { spares: 2 }, None),
        ]
    }

    #[test]
    fn the_table_has_a_line_for_each_row() {
        let expected = "\
rule        configuration    min_ready  grace min  mean s  median s  p95 s  longest s  server-hours  hours by the hour  servers  used %  ran  never ran
mita        big, \"new\".yaml                    10    40.0        30     90         90           2.0                  3        2    50.0    3          1
single-use  big, \"new\".yaml  2                       40.0        30     90         90           2.0                  3        2    50.0    3          1
";
        assert_eq!(table(&rows()), expected);
    }

    #[test]
    fn csv_has_the_texts_of_the_table() {
        let (table, csv) = (table(&rows()), csv(&rows()));
        let mut lines = csv.lines();
        assert!(
            lines
                .next()
                .is_some_and(|names| names.starts_with("rule,configuration,min_ready,"))
        );
        for (line, in_table) in lines.zip(table.lines().skip(1)) {
            let (before, rest) = line.split_once(",\"big, \"\"new\"\".yaml\",").unwrap_or_default();
            let cells = [before]
                .into_iter()
                .chain(rest.split(','))
                .filter(|cell| !cell.is_empty());
            let words: Vec<&str> = in_table
                .split_whitespace()
                .filter(|word| !["big,", "\"new\".yaml"].contains(word))
                .collect();
            assert_eq!(cells.collect::<Vec<_>>(), words);
        }
    }
}
