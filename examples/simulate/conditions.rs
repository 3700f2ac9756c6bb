//! What the world of a play is like: how long servers boot, how many never join, what the cloud allows.

use std::str::FromStr;

use super::random::Random;

/// The longest boot, in seconds: a day.
const LONGEST_BOOT: i64 = 86_400;

/// The conditions under which all rules are played.
#[derive(Clone, Debug, PartialEq)]
pub struct Conditions {
    /// From the request for a server to its agent's first word.
    pub boot: Boot,
    /// The share of servers that never join.
    pub failing: Share,
    /// The most servers that the cloud allows; `None`: any number.
    pub quota: Option<usize>,
    /// How long the request for one server takes; one follows the other.
    pub post_seconds: f64,
    /// What chance is made of.
    pub seed: u64,
}

impl Default for Conditions {
    fn default() -> Self {
        Self {
            boot: Boot::OneOf(vec![90]),
            failing: Share(0.0),
            quota: None,
            post_seconds: 0.0,
            seed: 1,
        }
    }
}

impl Conditions {
    /// Whether a server never joins.
    #[expect(clippy::cast_precision_loss, reason = "a chance")]
    pub fn fails(&self, chance: &mut Random) -> bool {
        (chance.roll(1_000_000) as f64) < self.failing.0 * 1e6
    }
}

/// How long servers boot, in seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Boot {
    /// One of these, each as likely.
    OneOf(Vec<i64>),
    /// From the first to the second, each second as likely.
    Between(i64, i64),
}

impl Boot {
    /// How long one server boots.
    pub fn draw(&self, chance: &mut Random) -> i64 {
        match self {
            Self::OneOf(times) => chance.pick(times),
            Self::Between(shortest, longest) => shortest + chance.below(longest - shortest + 1),
        }
    }

    /// The shortest time.
    pub fn shortest(&self) -> i64 {
        match self {
            Self::OneOf(times) => times.iter().copied().min().unwrap_or(0),
            Self::Between(shortest, _) => *shortest,
        }
    }
}

impl FromStr for Boot {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let seconds = |text: &str| {
            let seconds = text
                .trim()
                .parse::<i64>()
                .ok()
                .filter(|s| (0..=LONGEST_BOOT).contains(s));
            seconds.ok_or_else(|| format!("`{text}` is no number of seconds from 0 to {LONGEST_BOOT}"))
        };
        if let Some((shortest, longest)) = text.split_once('-') {
            let (shortest, longest) = (seconds(shortest)?, seconds(longest)?);
            return if shortest <= longest {
                Ok(Self::Between(shortest, longest))
            } else {
                Err(format!("the range begins at {shortest} and ends at {longest}"))
            };
        }
        text.split(',').map(seconds).collect::<Result<_, _>>().map(Self::OneOf)
    }
}

/// A part of all, from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share(pub f64);

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (number, of) = text.strip_suffix('%').map_or((text, 1.0), |percent| (percent, 100.0));
        let share = number.trim().parse::<f64>().map(|number| number / of);
        share
            .ok()
            .filter(|share| (0.0..=1.0).contains(share))
            .map(Self)
            .ok_or_else(|| "a share is a number from 0 to 1, or from 0% to 100%".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boot_times_are_a_number_a_range_or_a_list() {
        for (text, expected) in [
            ("90", Ok(Boot::OneOf(vec![90]))),
            ("60-120", Ok(Boot::Between(60, 120))),
            ("60, 90,300", Ok(Boot::OneOf(vec![60, 90, 300]))),
            ("120-60", Err("the range begins at 120 and ends at 60".to_owned())),
            ("fast", Err("`fast` is no number of seconds from 0 to 86400".to_owned())),
        ] {
            assert_eq!(text.parse::<Boot>(), expected);
        }
    }

    #[test]
    fn a_boot_is_drawn_from_what_was_given() {
        let mut chance = Random::new(3);
        let range: Vec<i64> = (0..200).map(|_| Boot::Between(60, 62).draw(&mut chance)).collect();
        assert!((60..=62).all(|seconds| range.contains(&seconds)) && range.iter().all(|s| (60..=62).contains(s)));
        let list: Vec<i64> = (0..200).map(|_| Boot::OneOf(vec![5, 70]).draw(&mut chance)).collect();
        assert!(list.contains(&5) && list.contains(&70) && list.iter().all(|s| [5, 70].contains(s)));
    }

    #[test]
    fn a_share_is_a_part_of_one_or_of_a_hundred() {
        assert_eq!("10%".parse(), Ok(Share(0.1)));
        assert_eq!("0.1".parse(), Ok(Share(0.1)));
        for wrong in ["110%", "-1", "some", "NaN"] {
            assert!(wrong.parse::<Share>().is_err(), "{wrong}");
        }
    }
}
