//! Writes samples in Prometheus' text format, with the two lines of each metric before its first sample.

use std::collections::BTreeSet;
use std::fmt::{Display, Write as _};

use crate::report::metrics::list::Metric;
use crate::text::excerpt;

/// The most characters of a label's value.
const LONGEST: usize = 300;

/// The text so far.
#[derive(Default)]
pub struct Writer {
    text: String,
    /// The metric of the last sample.
    open: &'static str,
    /// The samples of that metric: a series that is there twice makes a reader refuse the whole file.
    written: BTreeSet<String>,
}

impl Writer {
    /// Adds a sample; `values` are those of the metric's labels, in their order.
    pub fn sample(&mut self, metric: &'static Metric, values: &[&str], value: impl Display) {
        let labels = metric.labels.iter().copied().zip(values.iter().copied());
        self.add(metric, "", labels, value);
    }

    /// Adds a sample of a histogram: `_bucket` with the bound `le`, `_sum` or `_count`.
    pub fn part(
        &mut self,
        metric: &'static Metric,
        part: &str,
        values: &[&str],
        le: Option<&str>,
        value: impl Display,
    ) {
        let labels = metric.labels.iter().copied().zip(values.iter().copied());
        self.add(metric, part, labels.chain(le.map(|bound| ("le", bound))), value);
    }

    fn add<'v>(
        &mut self,
        metric: &'static Metric,
        part: &str,
        labels: impl Iterator<Item = (&'static str, &'v str)>,
        value: impl Display,
    ) {
        if self.open != metric.name {
            let Metric { name, kind, help, .. } = metric;
            let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {}", kind.word());
            self.open = name;
            self.written.clear();
        }
        let labels: Vec<String> = labels
            .map(|(name, value)| format!("{name}=\"{}\"", escaped(value)))
            .collect();
        let mut series = format!("{}{part}", metric.name);
        if !labels.is_empty() {
            let _ = write!(series, "{{{}}}", labels.join(","));
        }
        let line = format!("{series} {value}\n");
        if self.written.insert(series) {
            self.text.push_str(&line);
        }
    }

    /// Returns the text.
    pub fn finish(self) -> String {
        self.text
    }
}

/// Makes a text fit for a label's value: what cannot be seen becomes an escape that can, backslashes and quotes get a
/// backslash.
fn escaped(value: &str) -> String {
    excerpt(value, LONGEST).replace('\\', "\\\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::metrics::list;

    #[test]
    fn a_hostile_value_stays_within_its_quotes() {
        let mut writer = Writer::default();
        writer.sample(&list::SERVERS_MAX, &["a\"} 1\nevil 2\\\u{1b}[31m\u{202e}"], 3);
        let text = writer.finish();
        assert_eq!(
            text.lines().last().unwrap(),
            r#"mita_servers_max{node="a\"} 1\\nevil 2\\\\u{1b}[31m\\u{202e}"} 3"#
        );
        assert_eq!(text.lines().count(), 3);
    }

    #[test]
    fn a_series_is_written_once() {
        let mut writer = Writer::default();
        // What is cut off them is all that differs.
        for end in ["x", "y"] {
            writer.sample(&list::SERVERS_MAX, &[&format!("{}{end}", "n".repeat(400))], 1);
        }
        writer.sample(&list::GUARD_HELD, &[], 0);
        let text = writer.finish();
        assert_eq!(text.matches("mita_servers_max{").count(), 1);
        assert!(
            text.ends_with("# TYPE mita_guard_held gauge\nmita_guard_held 0\n"),
            "{text}"
        );
    }
}
