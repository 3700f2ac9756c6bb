//! The frame of a chart: title, legend, axes, gaps, and what a pointer shows.
//!
//! The plot is stretched to the width of the page, texts are not: those of the time axis stand at percentages of the width,
//! those of the values beside the plot.

use jiff::Timestamp;

use crate::state::{DAY, Sample};

use super::super::html::Html;
use super::axis::{Axis, HEIGHT};
use super::day::{Day, Gap, WIDTH};

/// What a color stands for.
pub struct Key {
    class: &'static str,
    word: &'static str,
}

impl Key {
    /// A color by its class, and its word.
    pub const fn new(class: &'static str, word: &'static str) -> Self {
        Self { class, word }
    }
}

/// A chart without what is drawn in it.
pub struct Figure<'a> {
    /// Its id in the page.
    pub id: &'static str,
    /// What it shows.
    pub title: &'static str,
    /// Its colors, if there are several.
    pub keys: &'a [Key],
    /// Its values in a few words.
    pub summary: String,
    /// Its values.
    pub axis: &'a Axis,
}

/// The place of the plot in its picture, in pixels: above it the uppermost word needs room, below it the times.
const TOP: u64 = 10;
const PLOT: u64 = 120;
const TOTAL: u64 = 152;

/// Writes a chart; `draw` fills the plot, `words` says what a sample is.
pub fn figure(
    html: &mut Html,
    figure: &Figure<'_>,
    day: &Day<'_>,
    draw: impl FnOnce(&mut Html),
    words: impl Fn(&Sample) -> String,
) {
    html.tag("figure", &[], |html| {
        caption(html, figure);
        html.class("div", "plot", |html| {
            values(html, figure.axis);
            let height = TOTAL.to_string();
            let label = format!("{} of the last 24 hours: {}", figure.title, figure.summary);
            let attributes = [
                ("width", "100%"),
                ("height", &*height),
                ("role", "img"),
                ("aria-label", &label),
            ];
            html.tag("svg", &attributes, |html| {
                html.leaf("title", &[], figure.title);
                html.leaf("desc", &[], &label);
                plot(html, figure, day, draw, words);
                times(html, day);
            });
        });
    });
    html.line();
}

fn caption(html: &mut Html, figure: &Figure<'_>) {
    html.tag("figcaption", &[], |html| {
        html.leaf("h3", &[("id", figure.id)], figure.title);
        html.leaf("span", &[("class", "muted")], &figure.summary);
        if !figure.keys.is_empty() {
            html.class("ul", "legend", |html| {
                for key in figure.keys {
                    html.tag("li", &[], |html| {
                        html.tag("i", &[("class", key.class)], |_| {});
                        html.text(key.word);
                    });
                }
            });
        }
    });
}

/// Writes the words of the values, beside the plot.
fn values(html: &mut Html, axis: &Axis) {
    let height = TOTAL.to_string();
    let attributes = [
        ("class", "values"),
        ("width", "44"),
        ("height", &*height),
        ("aria-hidden", "true"),
    ];
    html.tag("svg", &attributes, |html| {
        for (value, word) in axis.ticks() {
            // A third of the letters' height, so that their middle is at the line.
            let y = (TOP + axis.place(value) * PLOT / HEIGHT + 4).to_string();
            html.leaf("text", &[("x", "40"), ("y", &y), ("text-anchor", "end")], &word);
        }
    });
}

fn plot(
    html: &mut Html,
    figure: &Figure<'_>,
    day: &Day<'_>,
    draw: impl FnOnce(&mut Html),
    words: impl Fn(&Sample) -> String,
) {
    let (y, height) = (TOP.to_string(), PLOT.to_string());
    let view = format!("0 0 {WIDTH} {HEIGHT}");
    let attributes = [
        ("y", &*y),
        ("width", "100%"),
        ("height", &height),
        ("viewBox", &view),
        ("preserveAspectRatio", "none"),
    ];
    html.tag("svg", &attributes, |html| {
        for gap in &day.gaps {
            missing(html, gap, day);
        }
        let lines = figure
            .axis
            .ticks()
            .map(|(value, _)| format!("M0 {}H{WIDTH}", figure.axis.place(value)));
        let lines: String = lines.collect();
        html.tag("path", &[("class", "grid"), ("d", &lines)], |_| {});
        draw(html);
        tips(html, day, words);
    });
}

fn missing(html: &mut Html, gap: &Gap, day: &Day<'_>) {
    let (class, what) = if gap.is_within {
        ("gap", "no pass saw anything")
    } else {
        ("tip", "nothing recorded")
    };
    let text = format!("{}: {what}", between(day, gap.from, gap.to));
    strip(html, class, (gap.from, gap.to), &text);
}

/// Writes what a pointer shows: a strip for each run of equal samples.
fn tips(html: &mut Html, day: &Day<'_>, words: impl Fn(&Sample) -> String) {
    let mut open: Option<(u64, u64, String)> = None;
    for span in &day.spans {
        let text = words(span.sample);
        match &mut open {
            Some((_, to, known)) if *to == span.from && *known == text => *to = span.to,
            _ => {
                let next = open.replace((span.from, span.to, text));
                tip(html, day, next);
            }
        }
    }
    tip(html, day, open);
}

fn tip(html: &mut Html, day: &Day<'_>, tip: Option<(u64, u64, String)>) {
    if let Some((from, to, text)) = tip {
        strip(html, "tip", (from, to), &format!("{}: {text}", between(day, from, to)));
    }
}

fn strip(html: &mut Html, class: &'static str, (from, to): (u64, u64), text: &str) {
    let (x, width) = (from.to_string(), (to - from).to_string());
    let attributes = [("class", class), ("x", &*x), ("width", &width), ("height", "1200")];
    html.tag("rect", &attributes, |html| html.leaf("title", &[], text));
}

fn between(day: &Day<'_>, from: u64, to: u64) -> String {
    format!("{}–{} UTC", clock(day.time(from)), clock(day.time(to)))
}

fn clock(seconds: u64) -> String {
    let at = i64::try_from(seconds)
        .ok()
        .and_then(|seconds| Timestamp::from_second(seconds).ok());
    at.map_or_else(String::new, |at| at.strftime("%H:%M").to_string())
}

/// So many seconds are between two words of the time axis.
const TIME_STEP: u64 = 4 * 60 * 60;

/// Writes the words of the time axis: full hours of UTC.
fn times(html: &mut Html, day: &Day<'_>) {
    let begin = day.end.saturating_sub(DAY);
    let first = begin.div_ceil(TIME_STEP) * TIME_STEP;
    let (tick, y) = ((TOP + PLOT + 4).to_string(), (TOTAL - 4).to_string());
    let mut at = first;
    while at <= day.end {
        let place = day.place(at);
        let x = percent(place);
        let line = [
            ("class", "tick"),
            ("x1", &*x),
            ("x2", &*x),
            ("y1", "130"),
            ("y2", &*tick),
        ];
        html.tag("line", &line, |_| {});
        // A word at an edge would be cut off.
        let anchor = match place {
            0..=250 => "start",
            _ if place >= WIDTH - 250 => "end",
            _ => "middle",
        };
        html.leaf("text", &[("x", &*x), ("y", &*y), ("text-anchor", anchor)], &clock(at));
        at += TIME_STEP;
    }
}

/// Writes a place as a percentage of the width, with two digits.
fn percent(place: u64) -> String {
    let hundredths = place * 10_000 / WIDTH;
    format!("{}.{:02}%", hundredths / 100, hundredths % 100)
}
