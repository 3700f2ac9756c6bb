//! What is drawn in a chart: areas, lines, stacks and dots. All are paths in the chart's own units.

use std::fmt::Write as _;

use crate::state::Sample;

use super::super::html::Html;
use super::axis::{Axis, HEIGHT};
use super::day::{Day, Span};

/// A level of a stack: the class of its color, and its upper end.
pub type Level = (&'static str, fn(&Sample) -> u64);

/// Fills what is below a value.
pub fn area(html: &mut Html, day: &Day<'_>, axis: &Axis, class: &'static str, value: impl Fn(&Sample) -> u64) {
    between(html, day, class, |_| HEIGHT, |sample| axis.place(value(sample)));
}

/// Fills levels that lie upon each other; each value counts from the ground.
pub fn stack(html: &mut Html, day: &Day<'_>, axis: &Axis, levels: &[Level]) {
    for (place, (class, upper)) in levels.iter().enumerate() {
        let lower = place.checked_sub(1).map(|below| levels[below].1);
        let low = |sample: &Sample| lower.map_or(HEIGHT, |lower| axis.place(lower(sample)));
        between(html, day, class, low, |sample| axis.place(upper(sample)));
    }
}

/// Draws a value as steps.
pub fn line(html: &mut Html, day: &Day<'_>, axis: &Axis, class: &'static str, value: impl Fn(&Sample) -> u64) {
    let mut path = String::new();
    for run in day.runs() {
        forward(&mut path, run, |sample| axis.place(value(sample)));
    }
    draw(html, class, "line", &path);
}

/// Draws a dot for each sample that has a value, at the middle of its time.
pub fn dots(html: &mut Html, day: &Day<'_>, axis: &Axis, class: &'static str, value: impl Fn(&Sample) -> Option<u64>) {
    let mut path = String::new();
    for span in &day.spans {
        if let Some(value) = value(span.sample) {
            // A line without length has round ends, and those keep their shape when the chart is stretched.
            let _ = write!(path, "M{} {}h0", u64::midpoint(span.from, span.to), axis.place(value));
        }
    }
    draw(html, class, "dots", &path);
}

fn between(
    html: &mut Html,
    day: &Day<'_>,
    class: &'static str,
    lower: impl Fn(&Sample) -> u64,
    upper: impl Fn(&Sample) -> u64,
) {
    let mut path = String::new();
    // Where nothing is between the two there is nothing to draw.
    let some = |span: &Span<'_>| lower(span.sample) > upper(span.sample);
    for run in day.runs() {
        for part in run.chunk_by(|one, next| some(one) == some(next)) {
            if part.first().is_some_and(some) {
                forward(&mut path, part, &upper);
                backward(&mut path, part, &lower);
                path.push('Z');
            }
        }
    }
    draw(html, class, "area", &path);
}

/// Adds the steps of a run from left to right.
fn forward(path: &mut String, run: &[Span<'_>], place: impl Fn(&Sample) -> u64) {
    let mut at = None;
    for (span, next) in pairs(run) {
        let y = place(span.sample);
        match at {
            None => drop(write!(path, "M{} {y}", span.from)),
            Some(before) if before != y => drop(write!(path, "V{y}")),
            Some(_) => {}
        }
        at = Some(y);
        // Equal steps are one.
        if next.is_none_or(|next| place(next.sample) != y) {
            let _ = write!(path, "H{}", span.to);
        }
    }
}

/// Adds the steps of a run from right to left, to where the path is.
fn backward(path: &mut String, run: &[Span<'_>], place: impl Fn(&Sample) -> u64) {
    let mut at = None;
    for (index, span) in run.iter().enumerate().rev() {
        let y = place(span.sample);
        if at != Some(y) {
            let _ = write!(path, "V{y}");
        }
        at = Some(y);
        let before = index.checked_sub(1).map(|before| place(run[before].sample));
        if before != Some(y) {
            let _ = write!(path, "H{}", span.from);
        }
    }
}

fn pairs<'r, 's>(run: &'r [Span<'s>]) -> impl Iterator<Item = (&'r Span<'s>, Option<&'r Span<'s>>)> {
    run.iter().enumerate().map(|(place, span)| (span, run.get(place + 1)))
}

fn draw(html: &mut Html, class: &'static str, kind: &'static str, path: &str) {
    if !path.is_empty() {
        let class = format!("{kind} {class}");
        html.tag("path", &[("class", &class), ("d", path)], |_| {});
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn drawn(values: &[u64], draw: impl Fn(&mut Html, &Day<'_>, &Axis)) -> String {
        let now = 864_000_u64;
        let count = values.len() as u64;
        let sample = |(place, value): (usize, &u64)| Sample {
            at: now - 300 * (count - 1 - place as u64),
            waiting: *value,
            ..Sample::default()
        };
        let samples: Vec<Sample> = values.iter().enumerate().map(sample).collect();
        let day = Day::new(&samples, Timestamp::from_second(864_000).unwrap(), 60);
        let mut html = Html::default();
        draw(&mut html, &day, &Axis::counts(4));
        html.finish()
    }

    #[test]
    fn an_area_has_steps_and_none_where_there_is_nothing() {
        let path = drawn(&[4, 4, 2, 0, 1], |html, day, axis| {
            area(html, day, axis, "x", |sample| sample.waiting);
        });
        assert_eq!(
            path,
            "<path class=\"area x\" d=\"M8490 0H8550V600H8580V1200H8490ZM8610 900H8640V1200H8610Z\"></path>"
        );
    }

    #[test]
    fn a_stack_lies_upon_what_is_below() {
        let path = drawn(&[2, 1], |html, day, axis| {
            stack(html, day, axis, &[("a", |sample| sample.waiting), ("b", |_| 4)]);
        });
        assert!(
            path.contains("\"area b\" d=\"M8580 0H8640V900H8610V600H8580Z\""),
            "{path}"
        );
    }

    #[test]
    fn a_dot_is_in_the_middle_of_its_time() {
        let path = drawn(&[4], |html, day, axis| {
            dots(html, day, axis, "x", |sample| Some(sample.waiting));
            dots(html, day, axis, "y", |_| None);
        });
        assert_eq!(path, "<path class=\"dots x\" d=\"M8625 0h0\"></path>");
    }
}
