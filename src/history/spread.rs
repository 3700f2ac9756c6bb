//! Medians and other percentiles, by nearest rank: of n sorted values the p-th is the one at ⌈n·p/100⌉, a value that
//! occurred, never one between two.

/// The most steps between the median and the longest wait of one batch.
const STEPS: u64 = 16;

/// Values, each with how often it occurred.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spread {
    values: Vec<(u64, u64)>,
    count: u128,
}

impl Spread {
    /// Adds a value that occurred so often.
    pub fn add(&mut self, value: u64, times: u64) {
        if times > 0 {
            self.values.push((value, times));
            self.count += u128::from(times);
        }
    }

    /// Adds a batch of values of which only the number, the median and the largest are known; see [`batch`].
    pub fn add_batch(&mut self, items: u64, median: u64, longest: u64) {
        for (value, times) in batch(items, median, longest) {
            self.add(value, times);
        }
    }

    /// Returns how many values there are.
    pub fn count(&self) -> u128 {
        self.count
    }

    /// Returns percentiles, each of 1 to 100; `None` where there is no value.
    pub fn percentiles<const N: usize>(&self, percents: [u8; N]) -> [Option<u64>; N] {
        let mut sorted = self.values.clone();
        sorted.sort_unstable();
        percents.map(|percent| {
            let rank = (self.count * u128::from(percent)).div_ceil(100).max(1);
            let mut passed = 0_u128;
            let is_there = |(_, times): &&(u64, u64)| {
                passed += u128::from(*times);
                passed >= rank
            };
            sorted.iter().find(is_there).map(|(value, _)| *value)
        })
    }
}

/// Returns values that fit what is known of a batch: the lower half counts as the median, the upper half rises evenly to
/// the longest. For one or two values this is exact; of more, values below the median are taken for it, so that
/// percentiles over batches are a little too high rather than too low.
pub fn batch(items: u64, median: u64, longest: u64) -> impl Iterator<Item = (u64, u64)> {
    let longest = longest.max(median);
    let upper = items / 2;
    let steps = upper.min(STEPS);
    let rise = move |step: u64| {
        let rise = u128::from(longest - median) * u128::from(step + 1) / u128::from(steps.max(1));
        median.saturating_add(u64::try_from(rise).unwrap_or(u64::MAX))
    };
    // What does not divide evenly is in the first steps.
    let times = move |step: u64| upper / steps.max(1) + u64::from(step < upper % steps.max(1));
    let lower = std::iter::once((median, items - upper)).filter(|(_, times)| *times > 0);
    lower.chain((0..steps).map(move |step| (rise(step), times(step))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_value_that_occurred() {
        let check = |values: &[u64], wanted: [Option<u64>; 3]| {
            let mut spread = Spread::default();
            for value in values {
                spread.add(*value, 1);
            }
            assert_eq!(spread.percentiles([50, 95, 100]), wanted, "{values:?}");
        };
        check(&[], [None; 3]);
        check(&[7], [Some(7); 3]);
        check(&[9, 1], [Some(1), Some(9), Some(9)]);
        check(&[3, 1, 2], [Some(2), Some(3), Some(3)]);
        let hundred: Vec<u64> = (1..=100).collect();
        check(&hundred, [Some(50), Some(95), Some(100)]);
        let twenty: Vec<u64> = (1..=20).collect();
        check(&twenty, [Some(10), Some(19), Some(20)]);
    }

    #[test]
    fn values_count_as_often_as_they_occurred() {
        let mut spread = Spread::default();
        spread.add(1, 94);
        spread.add(100, 6);
        spread.add(50, 0);
        assert_eq!(spread.percentiles([50, 94, 95]), [Some(1), Some(1), Some(100)]);
        assert_eq!(spread.count(), 100);
        spread.add(2, u64::MAX);
        spread.add(2, u64::MAX);
        assert_eq!(spread.percentiles([50, 100]), [Some(2), Some(100)], "nothing overflows");
    }

    #[test]
    fn a_batch_has_its_number_its_median_and_its_longest() {
        let of = |items, median, longest| batch(items, median, longest).collect::<Vec<_>>();
        assert_eq!(of(0, 5, 9), []);
        assert_eq!(of(1, 5, 5), [(5, 1)]);
        assert_eq!(of(2, 5, 9), [(5, 1), (9, 1)]);
        assert_eq!(of(3, 5, 9), [(5, 2), (9, 1)]);
        assert_eq!(of(5, 5, 9), [(5, 3), (7, 1), (9, 1)]);
        assert_eq!(of(2, 9, 5), [(9, 1), (9, 1)], "a longest below the median is none");
        for items in [1, 2, 3, 31, 32, 33, 35, 1_000, u64::MAX] {
            let mut spread = Spread::default();
            spread.add_batch(items, 60, 600);
            assert_eq!(spread.count(), u128::from(items));
            assert!(spread.values.len() <= 17, "{items}");
            let [median, longest] = spread.percentiles([50, 100]);
            assert_eq!(
                (median, longest),
                (Some(60), Some(if items == 1 { 60 } else { 600 })),
                "{items}"
            );
        }
    }
}
