//! A figure: server-hours against mean wait, a curve for each rule over its knobs.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::rows::Row;

const WIDTH: f64 = 920.0;
const HEIGHT: f64 = 520.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 250.0;
const TOP: f64 = 28.0;
const BOTTOM: f64 = 56.0;

/// The least distance between two labels, in pixels.
const LINE: f64 = 18.0;

/// Colours that differ in lightness as well as in hue, each for light and for dark (after Okabe and Ito).
const COLORS: [(&str, &str); 8] = [
    ("#0072b2", "#56b4e9"),
    ("#d55e00", "#ff9e4a"),
    ("#007a59", "#2fc79a"),
    ("#a3527f", "#e79ac6"),
    ("#8a6d00", "#e6c229"),
    ("#444444", "#cccccc"),
    ("#5b3fa0", "#b39ddb"),
    ("#b00020", "#ff8a80"),
];

const STYLE: &str = "\
svg{background:#fff;font:13px system-ui,sans-serif}text{fill:#222}.axis{stroke:#888}.grid{stroke:#ddd}.lead{fill:none;opacity:.5}\
.curve{fill:none;stroke-width:2}.knob{font-size:11px;fill:#555}";
const DARK_STYLE: &str =
    "svg{background:#161616}text{fill:#eee}.axis{stroke:#999}.grid{stroke:#3a3a3a}.knob{fill:#aaa}";

/// The figure of some rows.
pub fn figure(rows: &[Row]) -> String {
    let curves = curves(rows);
    let plot = Plot::new(rows);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
         aria-label=\"Server-hours against mean wait\">\n<style>{}</style>\n",
        style(curves.len())
    );
    plot.axes(&mut svg);
    for (at, curve) in curves.iter().enumerate() {
        plot.curve(&mut svg, curve, at % COLORS.len());
    }
    plot.labels(&mut svg, &curves);
    svg + "</svg>\n"
}

fn style(curves: usize) -> String {
    let (mut light, mut dark) = (STYLE.to_owned(), DARK_STYLE.to_owned());
    for (at, colors) in COLORS.iter().enumerate().take(curves) {
        for (style, color) in [(&mut light, colors.0), (&mut dark, colors.1)] {
            let _ = write!(style, ".s{at}{{stroke:{color}}}.d{at}{{fill:{color}}}");
        }
    }
    format!("{light}@media(prefers-color-scheme:dark){{{dark}}}")
}

/// A curve: its name, and its points by hours, each with its knob.
struct Curve {
    name: String,
    points: Vec<(f64, f64, String)>,
}

fn curves(rows: &[Row]) -> Vec<Curve> {
    let mut order: Vec<String> = Vec::new();
    let mut by_name: BTreeMap<String, Vec<(f64, f64, String)>> = BTreeMap::new();
    for row in rows {
        let (wait, hours) = row.point();
        let name = row.series();
        if !order.contains(&name) {
            order.push(name.clone());
        }
        by_name.entry(name).or_default().push((hours, wait, row.knob()));
    }
    let curve = |name: String| {
        let mut points = by_name.remove(&name).unwrap_or_default();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        Curve { name, points }
    };
    order.into_iter().map(curve).collect()
}

/// Where hours and seconds lie.
struct Plot {
    hours: Scale,
    wait: Scale,
}

/// From one value to another, with a mark at each step.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Scale {
    from: f64,
    to: f64,
    step: f64,
}

impl Scale {
    /// A scale with round marks, about eight of them.
    fn new(least: f64, most: f64) -> Self {
        let span = (most - least).max(1.0);
        let power = 10_f64.powf((span / 8.0).log10().floor());
        let steps = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power);
        let step = steps
            .into_iter()
            .find(|step| span / step <= 8.0)
            .unwrap_or(power * 10.0);
        Self {
            from: (least / step).floor() * step,
            to: (most / step).ceil().max((least / step).floor() + 1.0) * step,
            step,
        }
    }

    fn share(&self, value: f64) -> f64 {
        (value - self.from) / (self.to - self.from)
    }

    fn marks(&self) -> impl Iterator<Item = f64> {
        let scale = *self;
        (0..=64_u32)
            .map(move |number| scale.from + f64::from(number) * scale.step)
            .take_while(move |mark| *mark <= scale.to + scale.step / 2.0)
    }
}

impl Plot {
    fn new(rows: &[Row]) -> Self {
        let points = || rows.iter().map(Row::point);
        let most = |of: fn((f64, f64)) -> f64| points().map(of).fold(0.0, f64::max);
        let least = points().map(|point| point.1).fold(f64::INFINITY, f64::min);
        Self {
            hours: Scale::new(if least.is_finite() { least } else { 0.0 }, most(|point| point.1)),
            wait: Scale::new(0.0, most(|point| point.0)),
        }
    }

    fn x(&self, hours: f64) -> f64 {
        LEFT + self.hours.share(hours) * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, wait: f64) -> f64 {
        HEIGHT - BOTTOM - self.wait.share(wait) * (HEIGHT - TOP - BOTTOM)
    }

    fn axes(&self, svg: &mut String) {
        let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        for mark in self.hours.marks() {
            let x = self.x(mark);
            let _ = writeln!(svg, "<path class=\"grid\" d=\"M{x:.1} {TOP}V{bottom}\"/>");
            let _ = writeln!(
                svg,
                "<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{mark:.0}</text>",
                bottom + 20.0
            );
        }
        for mark in self.wait.marks() {
            let y = self.y(mark);
            let _ = writeln!(svg, "<path class=\"grid\" d=\"M{LEFT} {y:.1}H{right}\"/>");
            let _ = writeln!(
                svg,
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{mark:.0}</text>",
                LEFT - 8.0,
                y + 4.0
            );
        }
        let _ = writeln!(
            svg,
            "<path class=\"axis\" fill=\"none\" d=\"M{LEFT} {TOP}V{bottom}H{right}\"/>"
        );
        let middle = LEFT.midpoint(right);
        let _ = writeln!(
            svg,
            "<text x=\"{middle:.1}\" y=\"{:.1}\" text-anchor=\"middle\">server-hours</text>",
            HEIGHT - 12.0
        );
        let _ = writeln!(svg, "<text x=\"8\" y=\"{:.1}\">mean wait, seconds</text>", TOP - 12.0);
    }

    fn curve(&self, svg: &mut String, curve: &Curve, color: usize) {
        let points: Vec<String> = curve
            .points
            .iter()
            .map(|(hours, wait, _)| format!("{:.1},{:.1}", self.x(*hours), self.y(*wait)))
            .collect();
        let _ = writeln!(
            svg,
            "<polyline class=\"curve s{color}\" points=\"{}\"/>",
            points.join(" ")
        );
        for (hours, wait, knob) in &curve.points {
            let title = format!(
                "{}{}{knob}: {hours:.1} h, {wait:.1} s",
                curve.name,
                if knob.is_empty() { "" } else { ", " }
            );
            let (x, y) = (self.x(*hours), self.y(*wait));
            let _ = writeln!(
                svg,
                "<circle class=\"d{color}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\"><title>{}</title></circle>",
                escaped(&title)
            );
        }
    }

    /// The names beside the plot, in the order of the curves' ends, with a line to each end.
    fn labels(&self, svg: &mut String, curves: &[Curve]) {
        let ends = curves
            .iter()
            .enumerate()
            .filter_map(|(at, curve)| Some((at, curve, curve.points.last()?)));
        let mut ends: Vec<(usize, &Curve, f64, f64)> = ends
            .map(|(at, curve, (hours, wait, _))| (at, curve, self.x(*hours), self.y(*wait)))
            .collect();
        ends.sort_by(|a, b| a.3.total_cmp(&b.3));
        let places = spread(&ends.iter().map(|end| end.3).collect::<Vec<_>>(), LINE, HEIGHT - BOTTOM);
        for ((at, curve, x, y), place) in ends.into_iter().zip(places) {
            let color = at % COLORS.len();
            let column = WIDTH - RIGHT + 14.0;
            let _ = writeln!(
                svg,
                "<path class=\"lead s{color}\" d=\"M{:.1} {y:.1}L{:.1} {place:.1}H{column:.1}\"/>",
                x + 5.0,
                column - 8.0
            );
            let (knobs, text) = (range(curve), escaped(&curve.name));
            let _ = writeln!(
                svg,
                "<text x=\"{:.1}\" y=\"{:.1}\" class=\"d{color}\">{text}<tspan class=\"knob\" dx=\"6\">{}</tspan></text>",
                column + 4.0,
                place + 4.0,
                escaped(&knobs)
            );
        }
    }
}

/// The knobs of a curve's ends.
fn range(curve: &Curve) -> String {
    match (curve.points.first(), curve.points.last()) {
        (Some((.., first)), Some((.., last))) if first != last => format!("{first} to {last}"),
        (Some((.., only)), _) if !only.is_empty() => only.clone(),
        _ => String::new(),
    }
}

/// Moves sorted places down until they are a line apart, and up again where they would leave the figure.
fn spread(places: &[f64], line: f64, lowest: f64) -> Vec<f64> {
    let mut spread: Vec<f64> = Vec::with_capacity(places.len());
    for place in places {
        let least = spread.last().map_or(TOP, |last| last + line);
        spread.push(place.max(least));
    }
    let mut limit = lowest;
    for place in spread.iter_mut().rev() {
        *place = place.min(limit);
        limit = *place - line;
    }
    spread
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_a_line_apart_and_within_the_figure() {
        let places = spread(&[40.0, 41.0, 42.0, 460.0, 463.0], LINE, 464.0);
        assert!(
            places.windows(2).all(|pair| pair[1] - pair[0] >= LINE - 1e-9),
            "{places:?}"
        );
        assert!(places.iter().all(|place| (TOP..=464.0).contains(place)), "{places:?}");
    }

    #[test]
    fn scales_have_round_marks_around_all_values() {
        for (least, most) in [(0.0, 59.0), (823.0, 2117.0), (0.0, 0.0), (5.0, 5.0)] {
            let scale = Scale::new(least, most);
            assert!(scale.from <= least && scale.to >= most, "{scale:?}");
            assert!((2..=10).contains(&scale.marks().count()), "{scale:?}");
        }
    }
}
