//! How long the tests wait for what: all their limits in one place, made for a machine that is much slower than this one.

use std::time::{Duration, Instant};

/// How long something may take that takes a second or two as a rule.
const PATIENCE: Duration = Duration::from_secs(180);
/// From one question to the next: answering costs the cloud work, too.
const PAUSE: Duration = Duration::from_millis(400);
/// How long one request of a test may take.
pub const REQUEST: Duration = Duration::from_secs(90);
/// How often a request that may be repeated is made when the service is away or fails.
pub const REQUEST_TRIES: u32 = 5;
/// From the moment at which tokens are ended until new ones hold.
pub const TOKENS_VOID: Duration = Duration::from_millis(1100);

/// Until what is made next is newer by a clock of whole seconds.
pub const NEXT_SECOND: Duration = Duration::from_millis(1100);

/// Asks until there is an answer.
pub fn poll<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < end, "waited {} s in vain: {what}", PATIENCE.as_secs());
        pause();
    }
}

/// Waits a little.
pub fn pause() {
    std::thread::sleep(PAUSE);
}
