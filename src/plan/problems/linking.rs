//! Problems of knowing what is what: which node is whose, and which labels nodes have.

use crate::model::{ProblemKind, TemplateName};
use crate::plan::fleet::Fleet;
use crate::plan::problems::finding::{Evidence, Finding};
use crate::plan::problems::grounds::Grounds;
use crate::plan::report::drift;
use crate::state::ProblemMemory;
use crate::text::shown;

/// Finds nodes that fit twice, and nodes whose labels are not those of their template.
pub fn find(grounds: &Grounds<'_, '_>, evidence: &mut Evidence) {
    let fleet = grounds.fleet;
    for contradiction in &fleet.contradictions {
        let finding = Finding::new(
            ProblemKind::LinkUnsure,
            contradiction.subject.clone(),
            contradiction.sentence.clone(),
        );
        evidence.add(Finding {
            provider: contradiction.provider.clone(),
            ..finding
        });
    }
    for drifted in drift::drifted(fleet, grounds.demand) {
        for (label, sentence) in drifted.by_label() {
            let subject = subject(&drifted.template.name, &shown(label));
            evidence.add(Finding::new(ProblemKind::LabelDrift, subject, sentence));
        }
    }
}

fn subject(template: &TemplateName, label: &str) -> String {
    format!("{template}: {label}")
}

/// Whether the nodes of a template have by now the labels that it promises, or it promises others.
pub fn has_labels(problem: &ProblemMemory, fleet: &Fleet<'_>) -> bool {
    !fleet.state.drifts.iter().any(|(template, drift)| {
        let mut labels = drift.lacks.keys().chain(drift.adds.keys());
        labels.any(|label| subject(template, &shown(label)) == problem.subject)
    })
}
