//! Judges the script of a template.

use crate::model::{self, NodeId};
use crate::secret::Secret;

use super::super::at::At;
use super::super::problem::{Place, Pos, Report};
use super::super::script::{self, HostKeyPair, Joining, Values};
use super::super::{HostKey, Register, Template};
use super::node::Context;

/// The most that Nova takes as user data, after base64.
const MAX_USER_DATA: usize = 65_535;
/// The hexadecimal digits of an inbound agent's secret.
const SECRET_DIGITS: usize = 64;
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
    let (secret, host_key) = (Secret::new("0".repeat(SECRET_DIGITS)), HostKeyPair::stand_in());
    let joining = match template.register {
        Register::Inbound => Joining::Secret(&secret),
        Register::Ssh if template.agent.host_key == HostKey::Made => Joining::HostKey(&host_key),
        Register::Own | Register::Ssh => Joining::Nothing,
    };
    for (byte, text) in script::faults(script, &joining) {
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
            joining,
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

/// Hints at what mita makes for a script that does not use it: nothing could join then.
pub fn unused(at: &At<'_>, template: &Template, report: &mut Report) {
    let script = template.script.as_deref().unwrap_or_default();
    let names = |names: &[&str]| script::names_one_of(script, names);
    let text = match template.register {
        Register::Inbound if !names(&["agent_secret"]) => {
            "register: inbound, and the script does not use {{ mita.agent_secret }}: no agent can join without it"
        }
        Register::Ssh
            if template.agent.host_key == HostKey::Made && !names(&["ssh_host_key", "ssh_host_key_base64"]) =>
        {
            "agent.host_key is one that mita makes for each server, and the script does not install it by \
             {{ mita.ssh_host_key }}: Jenkins will refuse to connect"
        }
        _ => return,
    };
    let key = if template.script.is_some() {
        "script"
    } else {
        "register"
    };
    report.hint(&at.place(key), text);
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
