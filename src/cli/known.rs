//! Names of templates and providers on the command line: known to the configuration, or a usage error.

use crate::config::Config;
use crate::error::Error;
use crate::model::{ProviderName, TemplateName};
use crate::text::{excerpt, nearest, shown};

/// The most characters that known names take in a sentence.
const MOST_NAMED: usize = 300;

/// Returns the template of a name.
pub fn template(name: &str, config: &Config) -> Result<TemplateName, Error> {
    match config.template(name) {
        Some(template) => Ok(template.name.clone()),
        None => Err(no_template(name, config)),
    }
}

/// Says that no template has a name.
pub fn no_template(name: &str, config: &Config) -> Error {
    let names: Vec<&str> = config.templates.iter().map(|template| template.name.as_str()).collect();
    Error::Usage(format!(
        "there is no template \"{}\"; {}",
        shown(name),
        suggest(name, &names)
    ))
}

/// Returns the provider of a name.
pub fn provider(name: &str, config: &Config) -> Result<ProviderName, Error> {
    if let Some((provider, _)) = config.providers.get_key_value(name) {
        return Ok(provider.clone());
    }
    let names: Vec<&str> = config.providers.keys().map(ProviderName::as_str).collect();
    let near = suggest(name, &names);
    Err(Error::Usage(format!(
        "there is no provider \"{}\"; {near}",
        shown(name)
    )))
}

/// Asks for the nearest name, or lists those that there are.
fn suggest(name: &str, known: &[&str]) -> String {
    match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean {}?", shown(near)),
        None if known.is_empty() => "none is configured".to_owned(),
        None => format!("configured: {}", excerpt(&known.join(", "), MOST_NAMED)),
    }
}
