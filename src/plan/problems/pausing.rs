//! Problems of pauses: one without an end that is old, and a file of them that cannot be read.

use jiff::SignedDuration;

use crate::model::ProblemKind;
use crate::plan::clock::since;
use crate::plan::fleet::Fleet;
use crate::plan::problems::finding::{Evidence, Finding};
use crate::text::shown;

/// A pause without an end that is older was forgotten, or should have one.
const OLD: SignedDuration = SignedDuration::from_hours(24);

/// Finds what is paused for long, or may be paused.
pub fn find(fleet: &Fleet<'_>, evidence: &mut Evidence) {
    let (pauses, now) = (&fleet.observed.pauses, fleet.context.now);
    if let Some(reason) = &pauses.unreadable {
        let sentence = "what is paused cannot be read: nothing is created; mend the file, or lift all pauses with \
                        `mita resume --all`";
        evidence.add(Finding::new(ProblemKind::PausesUnreadable, "", sentence).fact("reason", shown(reason)));
    }
    for pause in pauses.open(now).filter(|pause| pause.until.is_none()) {
        if since(now, pause.since) >= OLD {
            let template = pause
                .template
                .iter()
                .map(|name| format!(" --template {}", shown(name.as_str())));
            let provider = pause
                .provider
                .iter()
                .map(|name| format!(" --provider {}", shown(name.as_str())));
            let selector: String = template.chain(provider).collect();
            let sentence = format!(
                "{}, for a day or longer; end it with `mita resume{selector}`",
                pause.sentence()
            );
            evidence.add(Finding::new(ProblemKind::PausedForLong, pause.what(), sentence));
        }
    }
}
