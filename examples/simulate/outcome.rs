//! How a trace went, in figures.

/// What a play left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// How long each job waited that ran, in seconds; sorted at the end.
    pub waits: Vec<i64>,
    /// How long each server lived, from its request until it was gone, in seconds.
    pub lives: Vec<i64>,
    /// How long all executors ran something.
    pub busy_seconds: i64,
    /// Jobs that never ran.
    pub unserved: usize,
}

#[expect(clippy::cast_precision_loss, reason = "figures to look at")]
impl Outcome {
    /// The mean wait, in seconds.
    pub fn mean_wait(&self) -> f64 {
        self.waits.iter().sum::<i64>() as f64 / self.waits.len().max(1) as f64
    }

    /// The wait that so many of a hundred jobs do not exceed, in seconds.
    pub fn wait(&self, percent: usize) -> i64 {
        let index = (self.waits.len() * percent / 100).min(self.waits.len().saturating_sub(1));
        self.waits.get(index).copied().unwrap_or(0)
    }

    /// Server-hours.
    pub fn hours(&self) -> f64 {
        self.lives.iter().sum::<i64>() as f64 / 3600.0
    }

    /// Hours of servers that are paid by the hour that has begun.
    pub fn billed_hours(&self) -> i64 {
        self.lives.iter().map(|seconds| ((seconds + 3599) / 3600).max(1)).sum()
    }

    /// The busy executors of a hundred server-seconds: above 100 with several executors.
    pub fn utilisation(&self) -> f64 {
        100.0 * self.busy_seconds as f64 / self.lives.iter().sum::<i64>().max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_follow_from_waits_and_lives() {
        let outcome = Outcome {
            waits: (1..=100).collect(),
            lives: vec![0, 1, 3600, 3601],
            busy_seconds: 3601,
            unserved: 0,
        };
        assert_eq!((outcome.wait(50), outcome.wait(95), outcome.wait(100)), (51, 96, 100));
        assert!((outcome.mean_wait() - 50.5).abs() < 1e-9);
        assert_eq!(outcome.billed_hours(), 5);
        assert!((outcome.hours() - 7202.0 / 3600.0).abs() < 1e-9);
        assert!((outcome.utilisation() - 50.0).abs() < 0.1);
    }

    #[test]
    fn nothing_that_ran_gives_noughts() {
        let none = Outcome::default();
        assert_eq!((none.wait(95), none.billed_hours()), (0, 0));
        assert!(none.mean_wait().abs() < 1e-9 && none.utilisation().abs() < 1e-9);
    }
}
