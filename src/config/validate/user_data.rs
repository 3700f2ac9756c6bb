//! Judges the script of a template.

use crate::model::{self, NodeId};

use super::super::Template;
use super::super::at::At;
use super::super::problem::{Place, Pos, Report};
use super::super::script::{self, Values};
use super::node::Context;

/// The most that Nova takes as user data, after base64.
const MAX_USER_DATA: usize = 65_535;
/// What cloud-init knows to run.
const BEGINNINGS: [&str; 8] = [
    "#!",
    "#cloud-config",
    "#include",
    "#cloud-boothook",
    "#part-handler",
    "## template:",
    "Content-Type:",
    "MIME-Version:",
];

/// Checks the script of a template: its placeholders, and that the cloud takes it with these filled in.
pub fn check(at: &At<'_>, script: &str, template: &Template, context: &Context<'_>, report: &mut Report) {
    for (byte, text) in script::faults(script) {
        report.error(&script_place(at, script, byte, context.text), text);
    }
    for (byte, text) in script::hints(script) {
        report.hint(&script_place(at, script, byte, context.text), text);
    }
    let id = NodeId::new("0".repeat(12));
    let labels: Vec<&str> = template.labels.iter().map(String::as_str).collect();
    let rendered = script::render(
        script,
        &Values {
            id: id.as_str(),
            name: &model::server_name(&template.name, &id),
            node: template.name.as_str(),
            labels: &labels.join(" "),
            owner: context.owner,
            executors: template.executors,
            jenkins_url: context.jenkins_url,
        },
    );
    let encoded = base64::encoded_len(rendered.len(), true).unwrap_or(usize::MAX);
    // An executable of the operator has no such limit that we know of.
    let openstack = |name: &str| !context.exec.contains(name);
    let limited = template
        .placements
        .iter()
        .any(|place| openstack(place.provider.as_str()));
    if encoded > MAX_USER_DATA && limited {
        let most = MAX_USER_DATA / 4 * 3;
        let text = format!(
            "is too long for the cloud: {} bytes with its placeholders filled in, at most {most}; let it fetch the rest",
            rendered.len()
        );
        report.error(&at.place("script"), text);
    }
    if !BEGINNINGS.iter().any(|begin| script.starts_with(begin)) {
        let text = "begins neither with #! nor with #cloud-config: cloud-init will not run it; add its first line";
        report.hint(&at.place("script"), text);
    }
}

/// Returns the place of a byte of the script: its own line where the script is a literal block.
fn script_place(at: &At<'_>, script: &str, byte: usize, file: &str) -> Place {
    let place = at.place("script");
    let Some(first) = at.block_line("script") else {
        return place;
    };
    let before = script.get(..byte).unwrap_or_default();
    let line = first + before.matches('\n').count();
    let written = file.lines().nth(line.saturating_sub(1)).unwrap_or_default();
    let wanted = script
        .get(byte..)
        .and_then(|rest| rest.lines().next())
        .unwrap_or_default();
    // The rest of the line stands at its end, whatever the indentation.
    let column = written.strip_suffix(wanted).map_or(1, |head| head.chars().count() + 1);
    Place {
        at: Pos {
            line,
            column,
            ..place.at
        },
        ..place
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;

    use super::*;

    #[test]
    fn the_largest_script_is_the_largest_user_data() {
        let longest = MAX_USER_DATA / 4 * 3;
        let encode = |bytes: usize| base64::engine::general_purpose::STANDARD.encode(vec![0; bytes]).len();
        assert_eq!(longest, 49_149);
        assert!(encode(longest) <= MAX_USER_DATA && encode(longest + 1) > MAX_USER_DATA);
    }
}
