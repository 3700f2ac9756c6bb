//! Server-hours against mean wait: the curve that a rule draws over its knobs.

/// The best that some rows reach: points of mean wait (seconds) and server-hours of which none is worse than another in both.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve(Vec<(f64, f64)>);

impl Curve {
    /// The curve of these points, in any order.
    pub fn new(points: impl IntoIterator<Item = (f64, f64)>) -> Self {
        let mut points: Vec<(f64, f64)> = points.into_iter().collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let mut best: Vec<(f64, f64)> = Vec::new();
        for point in points {
            if best.last().is_none_or(|last| point.1 < last.1) {
                best.push(point);
            }
        }
        Self(best)
    }

    /// The hours at a mean wait, between the points on a straight line; who may wait longer than the last point needs no more
    /// than there. `None`: no point waits so little.
    pub fn hours_at(&self, wait: f64) -> Option<f64> {
        let after = self.0.iter().position(|point| point.0 > wait).unwrap_or(self.0.len());
        let before = self.0.get(after.checked_sub(1)?)?;
        let Some(next) = self.0.get(after) else {
            return Some(before.1);
        };
        let share = (wait - before.0) / (next.0 - before.0);
        Some(before.1 + share * (next.1 - before.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_keeps_the_best_points_and_joins_them() {
        let curve = Curve::new([(20.0, 100.0), (10.0, 200.0), (15.0, 250.0), (40.0, 120.0)]);
        for (wait, expected) in [
            (5.0, None),
            (10.0, Some(200.0)),
            (15.0, Some(150.0)),
            (20.0, Some(100.0)),
            (90.0, Some(100.0)),
        ] {
            assert_eq!(curve.hours_at(wait), expected, "{wait}");
        }
    }
}
