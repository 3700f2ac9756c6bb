//! Judges the script of a template.

use crate::model::{self, NodeId};
use crate::secret::Secret;

use crate::settings::key::KeySpec;
use crate::settings::section::Section;

use super::super::hints;
use super::super::script::{self, HostKeyPair, Joining, Values};
use super::super::template::{HostKey, Register, Template};
use super::agent::REGISTER;
use super::clouds::Clouds;
use super::script_source::{self, SCRIPT, ScriptSource};

/// What a script is judged against.
pub struct Placeholders<'s> {
    /// The owner.
    pub owner: &'s str,
    /// The base URL of Jenkins.
    pub jenkins_url: &'s str,
    /// The text of the configuration file, for the columns of placeholders.
    pub text: &'s str,
}

/// The hexadecimal digits of an inbound agent's secret.
const SECRET_DIGITS: usize = 64;
/// What cloud-init knows by its beginning, in lower case.
const CLOUD_INIT: [&str; 8] = [
    "#cloud-config",
    "#cloud-boothook",
    "#include",
    "#part-handler",
    "#upstart-job",
    "## template:",
    "content-type:",
    "mime-version:",
];
/// The byte order mark that some editors write before a text.
const MARK: char = '\u{feff}';
/// The bytes in which cloud-init looks for the header of a MIME message.
const MIME_HEADER: usize = 4096;
/// What cloudbase-init knows by its first word, in lower case.
const CLOUDBASE_INIT: [&str; 3] = ["#ps1", "#ps1_sysnative", "#ps1_x86"];
/// What cloudbase-init knows wherever it is, in lower case.
const CLOUDBASE_INIT_TAGS: [&str; 4] = ["<script>", "</script>", "<powershell>", "</powershell>"];

/// Checks the script of a template: its placeholders, and that the cloud takes it with these filled in.
pub fn check(
    at: &Section<'_>,
    source: &ScriptSource,
    template: &Template,
    site: &Placeholders<'_>,
    clouds: &Clouds<'_>,
) {
    let script = source.text.as_str();
    let (secret, host_key) = (Secret::new("0".repeat(SECRET_DIGITS)), HostKeyPair::stand_in());
    let joining = match template.register {
        Register::Inbound => Joining::Secret(&secret),
        Register::Ssh if template.agent.host_key == HostKey::Made => Joining::HostKey(&host_key),
        Register::Own | Register::Ssh => Joining::Nothing,
    };
    for (byte, text) in script::faults(script, &joining) {
        at.report().error(&source.place(at, byte, site.text), text);
    }
    for (byte, text) in script::hints(script) {
        at.report().warn_in_check(&source.place(at, byte, site.text), text);
    }
    if let Some((byte, text)) = script::percent(script) {
        at.report().hint(&source.place(at, byte, site.text), text);
    }
    if !source.is_in_file() && at.is_folded(&SCRIPT) {
        let text = "`>` puts lines of the script together; write `script: |`, which keeps them";
        at.hint(&SCRIPT, text);
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
            owner: site.owner,
            executors: template.executors,
            jenkins_url: site.jenkins_url,
            joining,
        },
    );
    let encoded = base64::encoded_len(rendered.len(), true).unwrap_or(usize::MAX);
    if let Some(most) = clouds.max_user_data().filter(|most| encoded > *most) {
        let most = most / 4 * 3;
        let text = format!(
            "is too long for the cloud: {} bytes with its placeholders filled in, at most {most}; let it fetch the rest",
            rendered.len()
        );
        at.error(source.key(), text);
    }
    if !is_known(script, &rendered) {
        if let Some(text) = not_a_block(at, site.text).filter(|_| !source.is_in_file()) {
            return at.warn_in_check(&SCRIPT, text);
        }
        let has_mark = script.starts_with(MARK);
        if has_mark && is_known(&script[MARK.len_utf8()..], &rendered) {
            let text = "begins with a byte order mark, behind which the first line is not seen; save it without one";
            return at.warn_in_check(source.key(), text);
        }
        let text = "is nothing that cloud-init, cloudbase-init or Ignition runs: it begins neither with #! nor with \
                    #cloud-config or the like; add its first line";
        at.warn_in_check(source.key(), text);
    }
    // In the configuration YAML makes one line end of both.
    if script.starts_with("#!")
        && script
            .lines()
            .next()
            .is_some_and(|line| script[line.len()..].starts_with("\r\n"))
    {
        let text = "has the line ends of Windows (CR LF), so that its interpreter is not found; save it with LF alone";
        at.warn_in_check(source.key(), text);
    }
}

/// Says why a script is not what its lines in the file are.
fn not_a_block(at: &Section<'_>, file: &str) -> Option<&'static str> {
    if at.block_line(&SCRIPT).is_none() {
        let is_long = at.is_plain(&SCRIPT);
        return is_long.then_some(
            "is not written as a block of lines, so that YAML takes # for a comment and puts its lines together; write \
             `script: |` and the script below it, further in",
        );
    }
    let line = at.entry(SCRIPT.name)?.at.line;
    let (_, behind) = file.lines().nth(line.checked_sub(1)?)?.split_once('|')?;
    behind.contains("#!").then_some(
        "begins behind the `|`, where YAML takes # for a comment; begin the script on the line below, further in",
    )
}

/// Returns whether what boots a server knows what to do with a script: cloud-init, cloudbase-init (Windows), Ignition.
fn is_known(script: &str, rendered: &str) -> bool {
    // The kernel reads #! at the very beginning; cloud-init itself passes over blanks.
    if script.starts_with("#!") {
        return true;
    }
    let lower = script.trim_start().to_lowercase();
    let header = lower.as_bytes();
    let header = &header[..header.len().min(MIME_HEADER)];
    let mut words = lower.split_ascii_whitespace();
    let (first, second) = (words.next().unwrap_or_default(), words.next());
    CLOUD_INIT.iter().any(|begin| lower.starts_with(begin))
        || header
            .windows(b"mime-version:".len())
            .any(|window| window == b"mime-version:")
        || CLOUDBASE_INIT.contains(&first)
        || (first == "rem" && second == Some("cmd"))
        || CLOUDBASE_INIT_TAGS.iter().any(|tag| lower.contains(tag))
        || is_ignition(rendered)
}

/// Returns whether a script with its placeholders filled in is a configuration of Ignition.
fn is_ignition(rendered: &str) -> bool {
    let json: Result<serde_json::Value, _> = serde_json::from_str(rendered);
    json.is_ok_and(|json| json.get("ignition").is_some_and(serde_json::Value::is_object))
}

/// Warns of what mita makes for a script that does not use it: nothing could join then.
pub fn unused(at: &Section<'_>, source: Option<&ScriptSource>, template: &Template, clouds: &Clouds<'_>) {
    if source.is_none() && script_source::is_given(at) {
        return;
    }
    let script = source.map_or("", |source| source.text.as_str());
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
        // What an executable starts may be an agent already.
        Register::Own if clouds.need_image() => return joins_by_itself(at, source),
        _ => return,
    };
    let key: &KeySpec = source.map_or(&REGISTER, |source| source.key());
    at.warn_in_check(key, text);
}

/// Hints at a server that nothing registers with Jenkins, or under a name that cannot be linked to it.
fn joins_by_itself(at: &Section<'_>, source: Option<&ScriptSource>) {
    let Some(source) = source else {
        let text = "register: self, and there is no script: the image itself must start an agent that joins Jenkins, or \
                    set register: inbound or ssh";
        return at.report().hint(&at.here(), text);
    };
    let script = source.text.as_str();
    if !script::names_one_of(script, &hints::OWN_PLACEHOLDERS) && !hints::asks_for_itself(script) {
        let text = "register: self, and the script uses neither {{ mita.name }} nor the server's address: the node that it \
                    makes in Jenkins must be named NAME+ADDRESS or {{ mita.name }}, or it is not known as this server's";
        at.hint(source.key(), text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_boots_a_server_knows_its_user_data() {
        let known = |script: &str| is_known(script, script);
        for script in [
            "#!/bin/sh\n",
            "#!/usr/bin/env python3\r\n",
            "#cloud-config\nruncmd: []",
            "#Cloud-Config\n",
            "\n#cloud-config-archive\n",
            "#cloud-config-jsonp\n",
            "#cloud-boothook\n",
            "#include\nhttps://h/x",
            "#include-once\n",
            "#part-handler\n",
            "## template: jinja\n#cloud-config\n",
            "Content-Type: multipart/mixed; boundary=\"b\"\nMIME-Version: 1.0\n",
            "From nobody\nMime-Version: 1.0\nContent-Type: multipart/mixed\n",
            "#ps1_sysnative\nwrite-host 1",
            "#PS1_SysNative\r\nwrite-host 1",
            "#ps1\n",
            "#ps1_x86\r\n",
            "rem cmd\necho 1",
            "REM  CMD\r\necho 1",
            "<powershell>\nwrite-host 1\n</powershell>\n<persist>true</persist>",
            "<PowerShell>\n",
            "<script>\necho 1\n</script>",
            "version: 1\n<powershell>\n",
            r#"{"ignition": {"version": "3.4.0"}, "storage": {}}"#,
            "\n  { \"storage\": {}, \"ignition\": {} }\n",
        ] {
            assert!(known(script), "{script:?}");
        }
        for script in [
            "",
            "apt-get update\n",
            "\n#!/bin/sh\n",
            " #!/bin/sh\n",
            "# cloud-config\n",
            "#ps2\n",
            "#ps1_other\n",
            "rem command\n",
            "remcmd\n",
            r#"{"storage": {}}"#,
            r#"{"ignition": "3.4.0"}"#,
            r#"{"ignition": {"#,
            "variant: fcos\nversion: 1.5.0\n",
            "H4sIAAAAAAAAA",
        ] {
            assert!(!known(script), "{script:?}");
        }
        assert!(is_known(
            r#"{"ignition": {}, "n": {{ mita.executors }}}"#,
            r#"{"ignition": {}, "n": 2}"#
        ));
    }
}
