//! Decimal numbers of reports: hours, shares, money. They are added as whole numbers, and rounded once.

use std::fmt;

use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::text::decimal;

/// Digits behind the point.
const DIGITS: u32 = 6;

/// A decimal number from 0 on, in millionths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Decimal(pub u128);

impl Decimal {
    /// Divides two whole numbers, rounded half up to a millionth; 0 where the second is 0.
    pub fn ratio(number: u128, by: u128) -> Self {
        if by == 0 {
            return Self(0);
        }
        let scale = 10_u128.pow(DIGITS);
        let (whole, rest) = (number / by, number % by);
        let part = (rest.saturating_mul(scale).saturating_add(by / 2)) / by;
        Self(whole.saturating_mul(scale).saturating_add(part))
    }

    /// Takes milliseconds as hours.
    pub fn hours(millis: u128) -> Self {
        Self::ratio(millis, 3_600_000)
    }

    /// Takes milliseconds as seconds.
    pub fn seconds(millis: u64) -> Self {
        Self(u128::from(millis) * 1000)
    }

    /// Writes it with so many digits behind the point, at most six, rounded half up.
    pub fn rounded(self, digits: u32) -> String {
        let digits = digits.min(DIGITS);
        let unit = 10_u128.pow(DIGITS - digits);
        let scale = 10_u128.pow(digits);
        let number = self.0.saturating_add(unit / 2) / unit;
        if digits == 0 {
            return number.to_string();
        }
        let width = usize::try_from(digits).unwrap_or(0);
        format!("{}.{:0>width$}", number / scale, number % scale)
    }
}

impl fmt::Display for Decimal {
    /// Writes all digits, without zeros at the end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&decimal(self.0))
    }
}

impl Serialize for Decimal {
    /// Writes a number of JSON with exactly these digits: no float is near it.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let number = RawValue::from_string(self.to_string()).map_err(S::Error::custom)?;
        number.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_rounded_once_and_written_short() {
        let check = |number, by, text: &str, cents: &str| {
            let decimal = Decimal::ratio(number, by);
            assert_eq!(
                (decimal.to_string().as_str(), decimal.rounded(2).as_str()),
                (text, cents)
            );
            assert_eq!(serde_json::to_string(&decimal).unwrap(), text);
        };
        check(0, 7, "0", "0.00");
        check(1, 0, "0", "0.00");
        check(1, 3, "0.333333", "0.33");
        check(2, 3, "0.666667", "0.67");
        check(1, 200, "0.005", "0.01");
        check(999_999, 1_000_000, "0.999999", "1.00");
        check(9_999_999, 10_000_000, "1", "1.00");
        check(30, 2, "15", "15.00");
        check(
            u128::MAX,
            1,
            "340282366920938463463374607431768.211455",
            "340282366920938463463374607431768.21",
        );
        assert_eq!(Decimal::hours(5_400_000).to_string(), "1.5");
        assert_eq!(Decimal::seconds(1_230).to_string(), "1.23");
        assert_eq!(Decimal(1_500_000).rounded(0), "2");
    }
}
