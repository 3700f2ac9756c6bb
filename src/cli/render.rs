//! `render`: prints the user data of a template as a server would get it.

use crate::config::script::Joining;
use crate::config::{Config, HostKey, Register, Template};
use crate::endpoint::JenkinsCredential;
use crate::error::{EXIT_DONE, Error};
use crate::model::{self, NodeId};
use crate::secret::Secret;
use crate::text::{did_you_mean, visible};

use super::args::{Cli, RenderArgs};
use super::console::Console;
use super::setup;

/// The id of a server that is none.
const EXAMPLE_ID: &str = "0123456789ab";
/// What a secret is shown as.
const HIDDEN: &str = "***";
/// Shorter secrets are not searched for: ordinary words contain them.
const SHORTEST: usize = 6;

/// Prints the user data.
pub fn render(cli: &Cli, args: &RenderArgs, console: &mut Console<'_, '_>) -> Result<u8, Error> {
    let config = setup::config(cli, console)?;
    let template = template_of(&config, &args.template)?;
    let name = model::server_name(&template.name, &NodeId::new(EXAMPLE_ID));
    match config.user_data(template, EXAMPLE_ID, &name, joining(template)) {
        Some(text) => {
            console.note(&format!("an example: the server {name}; secrets are shown as {HIDDEN}"));
            // What stdout could not take is known to `main`.
            let _ = write!(console.io.out, "{}", without_secrets(text, &config));
        }
        None => console.note(&format!(
            "{} has no script: its servers get no user data",
            visible(template.name.as_str())
        )),
    }
    Ok(EXIT_DONE)
}

fn template_of<'c>(config: &'c Config, name: &str) -> Result<&'c Template, Error> {
    config.template(name).ok_or_else(|| {
        let names = config.templates.iter().map(|template| template.name.as_str());
        let hint = did_you_mean(name, names);
        Error::Usage(format!("there is no node template {}{hint}", visible(name)))
    })
}

/// What the server would be given to join Jenkins with.
fn joining(template: &Template) -> Joining<'static> {
    match template.register {
        Register::Inbound => Joining::Shown(&[("agent_secret", HIDDEN)]),
        Register::Ssh if template.agent.host_key == HostKey::Made => Joining::Shown(&[
            ("ssh_host_key", HIDDEN),
            ("ssh_host_key_base64", HIDDEN),
            ("ssh_host_public_key", "ssh-ed25519 AAAA..."),
        ]),
        Register::Own | Register::Ssh => Joining::Nothing,
    }
}

/// Hides the secrets of the configuration, should a script have one.
fn without_secrets(text: String, config: &Config) -> String {
    let (JenkinsCredential::Token(jenkins) | JenkinsCredential::Password(jenkins)) = &config.jenkins.credential;
    let clouds = config
        .providers
        .values()
        .flat_map(|provider| provider.settings.secrets());
    let secrets = clouds.chain([jenkins]).map(Secret::reveal);
    secrets
        .filter(|secret| secret.len() >= SHORTEST)
        .fold(text, |text, secret| text.replace(secret, HIDDEN))
}
