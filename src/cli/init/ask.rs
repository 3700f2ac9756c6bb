//! Asks a cloud and a Jenkins what there is, by the clients and the settings that a pass has.

use std::path::Path;
use std::time::Duration;

use crate::config::Env;
use crate::config::{self, Config, Loaded};
use crate::error::{Error, chain};
use crate::http::Deadline;
use crate::model::{Inventory, Observed};
use crate::pass::{Live, observe};
use crate::state::State;

use super::login::CloudLogin;
use super::starter::JenkinsAnswer;
use super::wanted::Wanted;
use crate::cli::args::InitArgs;
use crate::cli::console::Console;

/// How long a cloud may be asked.
const PATIENCE: Duration = Duration::from_secs(120);
/// What a problem with what was given is said to be in.
const COMMAND_LINE: &str = "(command line)";

/// What was answered.
#[derive(Debug, Default)]
pub struct Answers {
    /// What the cloud offers.
    pub cloud: Option<Inventory>,
    /// What Jenkins said.
    pub queue: Option<JenkinsAnswer>,
    /// What could not be asked, in sentences.
    pub unread: Vec<String>,
}

/// Asks both, as far as it is known where they are. An error is about what was given, not about what was answered.
pub fn ask(login: &CloudLogin, args: &InitArgs, env: Env<'_>, console: &Console<'_, '_>) -> Result<Answers, Error> {
    let cloud = cloud_config(login, env)?;
    let jenkins = jenkins_config(args, env)?;
    let mut answers = Answers::default();
    match cloud.as_ref().map(inventory) {
        None => {}
        Some(Ok(inventory)) => {
            let unread = inventory.unread.iter().map(|sentence| format!("openstack: {sentence}"));
            answers.unread.extend(unread);
            answers.cloud = Some(inventory);
        }
        Some(Err(text)) => answers.unread.push(format!("openstack could not be asked: {text}")),
    }
    match jenkins.as_ref().map(|config| queue(config, console)) {
        None => {}
        Some(Ok(answer)) => answers.queue = Some(answer),
        Some(Err(text)) => answers.unread.push(format!("jenkins could not be asked: {text}")),
    }
    Ok(answers)
}

fn load(text: &str, env: Env<'_>) -> Result<Config, Error> {
    let loaded = config::load_text(text, Path::new(COMMAND_LINE), env);
    let Loaded { config, .. } = loaded.map_err(Error::Config)?;
    Ok(config)
}

/// A configuration with this cloud, and a Jenkins that is not asked.
fn cloud_config(login: &CloudLogin, env: Env<'_>) -> Result<Option<Config>, Error> {
    let entry = match login {
        CloudLogin::Entry(cloud) => format!("{{cloud: {}}}", quoted(cloud)),
        CloudLogin::Variables(_) => "{}".to_owned(),
        CloudLogin::Unknown => return Ok(None),
    };
    let text = format!(
        "provider: {{openstack: {entry}}}\njenkins: {{url: 'http://127.0.0.1', user: none, token: none}}\n\
         nodes: {{}}\nstate_file: none\n"
    );
    load(&text, env).map(Some)
}

/// A configuration with this Jenkins, and a cloud that is not asked; `None` where the login is not complete.
fn jenkins_config(args: &InitArgs, env: Env<'_>) -> Result<Option<Config>, Error> {
    let (Some(url), Some(user)) = (&args.jenkins, &args.user) else {
        return Ok(None);
    };
    let token = match &args.token_file {
        Some(file) => format!(", token_file: {}", quoted(&file.display().to_string())),
        None if env("MITA_JENKINS_TOKEN").is_some() => String::new(),
        None => return Ok(None),
    };
    let text = format!(
        "provider: {{openstack: {{auth_url: 'http://127.0.0.1', username: none, password: none, tenant_name: none}}}}\n\
         jenkins: {{url: {}, user: {}{token}}}\nnodes: {{}}\nstate_file: none\n",
        quoted(url),
        quoted(user)
    );
    load(&text, env).map(Some)
}

/// Writes a text for YAML, which reads JSON's.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn inventory(config: &Config) -> Result<Inventory, String> {
    let provider = config.provider("openstack").ok_or("there is none")?;
    let cloud = provider.settings.connect(Deadline::after(PATIENCE));
    let mut cloud = cloud.map_err(|error| error.to_string())?;
    cloud.inventory().map_err(|error| error.to_string())
}

/// Reads what the queue waits for, as a pass does.
fn queue(config: &Config, console: &Console<'_, '_>) -> Result<JenkinsAnswer, String> {
    let live = Live::connect(config, &console.io.stop).map_err(|error| chain(&error))?;
    let mut observed = Observed {
        jenkins: live.jenkins.view().map_err(|error| chain(&error))?,
        ..Observed::default()
    };
    let requests = observe::label_requests(&live, config, &mut observed, &mut State::default(), console.io.now);
    let computers = &observed.jenkins.computers;
    Ok(JenkinsAnswer {
        wanted: Wanted::new(&requests),
        has_agent: computers.iter().any(|computer| !computer.built_in),
    })
}
