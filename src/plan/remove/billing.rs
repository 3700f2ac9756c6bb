//! Where a cloud bills by the period, when the paid period of a server ends.

use jiff::SignedDuration;

use crate::plan::clock;
use crate::plan::fleet::Fleet;
use crate::plan::fleet::agent::Agent;

/// A node goes when no more than this is left of what is paid for it: the cloud takes a while to delete a server.
const LAST: SignedDuration = SignedDuration::from_mins(3);

/// What a pass may take longer than usual to come.
const LATE_PASS: SignedDuration = SignedDuration::from_mins(1);

/// The period for which a server is paid.
#[derive(Clone, Copy)]
pub struct PaidPeriod {
    /// How long it is.
    pub length: SignedDuration,
    /// What is left of it.
    pub left: SignedDuration,
}

/// Returns the period for which the server of an agent is paid now; `None` where its template has no `billing_period`.
pub fn paid_period(agent: &Agent<'_>, fleet: &Fleet<'_>) -> Option<PaidPeriod> {
    let length = agent.template(fleet.config)?.billing_period?;
    let begun = ran(agent).as_secs().checked_rem(length.as_secs())?;
    let left = length.saturating_sub(SignedDuration::from_secs(begun));
    Some(PaidPeriod { length, left })
}

/// Whether the period may be over before the next pass has removed what it finds.
pub fn ends_soon(period: PaidPeriod, fleet: &Fleet<'_>) -> bool {
    let gap = clock::usual_gap(&fleet.state).map_or(SignedDuration::ZERO, SignedDuration::from_secs);
    period.left <= LAST.max(gap.saturating_add(LATE_PASS))
}

/// Returns how long a server has run, by the clock of its cloud: since it was launched, else since it was made.
fn ran(agent: &Agent<'_>) -> SignedDuration {
    let launched = agent.server.and_then(|server| server.launched);
    let to_launch = launched
        .zip(agent.created)
        .map(|(launched, created)| launched.duration_since(created));
    let ran = to_launch.map(|to_launch| agent.age.saturating_sub(to_launch));
    // A time that is still to come is none.
    ran.filter(|ran| !ran.is_negative()).unwrap_or(agent.age)
}
