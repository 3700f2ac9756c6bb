//! The axis of values: round numbers, at most four steps.

use crate::text::age;

/// The height of a chart in its own units.
pub const HEIGHT: u64 = 1_200;

/// The most steps.
const MOST_STEPS: u64 = 4;

/// The steps of lengths of time, in seconds; from the last one on in days.
const SECONDS: [u64; 15] = [
    1, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 21_600, 43_200,
];

/// An axis from 0 to a round number.
pub struct Axis {
    step: u64,
    steps: u64,
    is_time: bool,
}

impl Axis {
    /// An axis of numbers of things.
    pub fn counts(most: u64) -> Self {
        let mut step = 1_u64;
        for factor in [2, 5, 10].into_iter().cycle().zip(0..) {
            if most <= step.saturating_mul(MOST_STEPS) {
                break;
            }
            step = scaled(factor);
        }
        Self::of(step, most, false)
    }

    /// An axis of lengths of time.
    pub fn seconds(most: u64) -> Self {
        // Less than a minute is nothing to look at.
        let most = most.max(60);
        let fits = |step: &u64| most <= step.saturating_mul(MOST_STEPS);
        let days = || most.div_ceil(86_400).div_ceil(MOST_STEPS).saturating_mul(86_400);
        let step = SECONDS.into_iter().find(fits).unwrap_or_else(days);
        Self::of(step, most, true)
    }

    fn of(step: u64, most: u64, is_time: bool) -> Self {
        Self {
            step,
            steps: most.div_ceil(step).max(1),
            is_time,
        }
    }

    /// Returns the height of a value, from above.
    pub fn place(&self, value: u64) -> u64 {
        let top = u128::from(self.step) * u128::from(self.steps);
        let up = u128::from(value).min(top) * u128::from(HEIGHT) / top;
        HEIGHT - u64::try_from(up).unwrap_or(HEIGHT)
    }

    /// Returns the values with a line and a word, from below.
    pub fn ticks(&self) -> impl Iterator<Item = (u64, String)> {
        (0..=self.steps).map(|number| {
            let value = self.step.saturating_mul(number);
            (value, self.word(value))
        })
    }

    fn word(&self, value: u64) -> String {
        if self.is_time && value == 90 {
            // The only one that is not whole in its unit.
            "90s".to_owned()
        } else if self.is_time && value > 0 {
            let word = age(i64::try_from(value).unwrap_or(i64::MAX));
            word.trim_end_matches(" 00m").trim_end_matches(" 0h").to_owned()
        } else {
            value.to_string()
        }
    }
}

/// Returns the step after so many others: 2, 5, 10, 20, ...
fn scaled((factor, number): (u64, u32)) -> u64 {
    10_u64.saturating_pow(number / 3).saturating_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(axis: &Axis) -> Vec<String> {
        axis.ticks().map(|(_, word)| word).collect()
    }

    #[test]
    fn counts_have_round_steps() {
        assert_eq!(words(&Axis::counts(0)), ["0", "1"]);
        assert_eq!(words(&Axis::counts(3)), ["0", "1", "2", "3"]);
        assert_eq!(words(&Axis::counts(5)), ["0", "2", "4", "6"]);
        assert_eq!(words(&Axis::counts(37)), ["0", "10", "20", "30", "40"]);
        assert_eq!(words(&Axis::counts(2_000)), ["0", "500", "1000", "1500", "2000"]);
        assert!(Axis::counts(u64::MAX).place(u64::MAX) <= HEIGHT);
    }

    #[test]
    fn times_have_steps_of_clocks() {
        assert_eq!(words(&Axis::seconds(0)), ["0", "15s", "30s", "45s", "1m"]);
        assert_eq!(words(&Axis::seconds(110)), ["0", "30s", "1m", "90s", "2m"]);
        assert_eq!(words(&Axis::seconds(3 * 3600)), ["0", "1h", "2h", "3h"]);
        assert_eq!(words(&Axis::seconds(86_400)), ["0", "6h", "12h", "18h", "1d"]);
        assert_eq!(words(&Axis::seconds(9 * 86_400)), ["0", "3d", "6d", "9d"]);
    }

    #[test]
    fn a_value_has_its_height() {
        let axis = Axis::counts(40);
        assert_eq!([0, 10, 40, 99].map(|value| axis.place(value)), [1200, 900, 0, 0]);
    }
}
