//! Asks a cloud and a Jenkins what there is, by the clients and the settings that a pass has.

use std::path::Path;
use std::time::Duration;

use crate::config::Env;
use crate::config::{self, Config, ConfigError, ConfigProblem, Loaded};
use crate::error::{Error, chain};
use crate::http::Deadline;
use crate::model::{Inventory, Observed};
use crate::pass::{Live, observe};
use crate::state::State;

use super::lines::quoted;
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

/// What was given, by the key that it is in the configuration.
const OPTIONS: [(&str, &str); 4] = [
    ("jenkins.url", "--jenkins"),
    ("jenkins.user", "--user"),
    ("jenkins.token_file", "--token-file"),
    ("jenkins.token", "MITA_JENKINS_TOKEN"),
];

/// Asks both, as far as it is known where they are, and nobody offline. An error is about what was given, not about what
/// was answered.
pub fn ask(login: &CloudLogin, args: &InitArgs, env: Env<'_>, console: &Console<'_, '_>) -> Result<Answers, Error> {
    let jenkins = jenkins_config(args, env)?;
    if args.offline {
        return Ok(Answers::default());
    }
    let cloud = cloud_config(login, args, env)?;
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

fn load(text: &str, args: &InitArgs, env: Env<'_>) -> Result<Config, Error> {
    let loaded = config::load_text(text, Path::new(COMMAND_LINE), env);
    let Loaded { config, .. } = loaded.map_err(|error| Error::Config(by_options(&error, args)))?;
    Ok(config)
}

/// Says of each problem which option it is about: the text that was checked is in nobody's file.
fn by_options(error: &ConfigError, args: &InitArgs) -> ConfigError {
    let cloud = args.cloud.as_ref().map_or("OS_CLOUD", |_| "--cloud");
    let subject = |path: &str| match OPTIONS.iter().find(|(key, _)| *key == path) {
        Some((_, option)) => (*option).to_owned(),
        None if path == "provider.openstack.cloud" => cloud.to_owned(),
        None => path.to_owned(),
    };
    let by_option = |problem: &ConfigProblem| match &problem.path {
        Some(path) if problem.file.as_deref() == Some(COMMAND_LINE) => {
            ConfigProblem::without_place(format!("{}: {}", subject(path), problem.message))
        }
        _ => problem.clone(),
    };
    ConfigError::new(error.problems().iter().map(by_option).collect())
}

/// A configuration with this cloud, and a Jenkins that is not asked.
fn cloud_config(login: &CloudLogin, args: &InitArgs, env: Env<'_>) -> Result<Option<Config>, Error> {
    let entry = match login {
        CloudLogin::Entry(cloud) => format!("{{cloud: {}}}", quoted(cloud)),
        CloudLogin::Variables(_) => "{}".to_owned(),
        CloudLogin::Unknown => return Ok(None),
    };
    let text = format!(
        "provider: {{openstack: {entry}}}\njenkins: {{url: 'http://127.0.0.1', user: none, token: none}}\n\
         nodes: {{}}\nstate_file: none\n"
    );
    load(&text, args, env).map(Some)
}

/// A configuration with this Jenkins, and a cloud that is not asked; `None` where the login is not complete. What was given
/// of it is checked all the same: it is going to be written. Offline the file of the token may come later.
fn jenkins_config(args: &InitArgs, env: Env<'_>) -> Result<Option<Config>, Error> {
    let InitArgs {
        jenkins,
        user,
        token_file,
        ..
    } = args;
    if jenkins.is_none() && user.is_none() && token_file.is_none() {
        return Ok(None);
    }
    let has_variable = env("MITA_JENKINS_TOKEN").is_some();
    let token = match token_file {
        Some(file) if !args.offline => format!(", token_file: {}", quoted(&file.display().to_string())),
        None if has_variable && !args.offline => String::new(),
        _ => ", token: none".to_owned(),
    };
    let text = format!(
        "provider: {{openstack: {{auth_url: 'http://127.0.0.1', username: none, password: none, tenant_name: none}}}}\n\
         jenkins: {{url: {}, user: {}{token}}}\nnodes: {{}}\nstate_file: none\n",
        quoted(jenkins.as_deref().unwrap_or("http://127.0.0.1")),
        quoted(user.as_deref().unwrap_or("none"))
    );
    let config = load(&text, args, env)?;
    let is_complete = jenkins.is_some() && user.is_some() && (token_file.is_some() || has_variable);
    Ok(Some(config).filter(|_| is_complete))
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
        has_agent: computers
            .iter()
            .any(|computer| !computer.built_in && !computer.is_anchor()),
    })
}
