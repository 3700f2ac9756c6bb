//! The settings of an OpenStack: its entry of `provider:`.
//!
//! | file | what it is for |
//! | --- | --- |
//! | `keys` | the keys |
//! | `login` | which login they mean, and whether it is complete |
//! | `libcloud` | other spellings of the login |
//! | `clouds` | what an entry takes from clouds.yaml and from the environment |

mod clouds;
pub mod keys;
mod libcloud;
mod login;

use std::any::Any;
use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::disk;
use crate::http::Deadline;
use crate::provider::kind::{CloudSettings, Kind, Site, keep_by_name};
use crate::provider::{Provider, ProviderError};
use crate::secret::Secret;
use crate::settings::key::{Key, KeySpec};
use crate::settings::names;
use crate::settings::problem::quoted;
use crate::settings::secrets::{Source, password_variable};
use crate::settings::section::Section;
use crate::settings::transport::transport;
use crate::settings::{url, value};

use super::OpenStack;
use super::endpoint::{EndpointOverrides, OpenStackEndpoint, PROJECT_MARKS, TokenCache};
use keys::{
    APPLICATION_CREDENTIAL_SECRET, AUTH_URL, COMPUTE_URL, IMAGE_URL, INTERFACE, NETWORK_URL, NODE, OPENSTACK, PASSWORD,
    PASSWORD_FILE, SERVICE_REGION, TOKEN, TOKEN_CACHE, VOLUME_URL,
};

/// The most that Nova takes as user data, after Base64.
const MAX_USER_DATA: usize = 65_535;

/// OpenStack.
pub static KIND: Kind = Kind {
    name: "openstack",
    offer: "openstack",
    schema: &OPENSTACK,
    without_foreign_keys: "",
    needs_image: true,
    node_keys: &NODE,
    read_node: keep_by_name,
    max_user_data: Some(MAX_USER_DATA),
    can_look_up: true,
    complete: clouds::complete,
    read,
};

impl CloudSettings for OpenStackEndpoint {
    fn connect(&self, deadline: Deadline) -> Result<Box<dyn Provider>, ProviderError> {
        Ok(Box::new(OpenStack::new(self, deadline)?))
    }

    fn secrets(&self) -> Vec<&Secret> {
        vec![self.auth.secret()]
    }

    fn files(&self) -> Vec<(&'static KeySpec, &Path)> {
        let cache = self.token_cache.iter();
        cache.map(|cache| (TOKEN_CACHE.spec(), cache.path.as_path())).collect()
    }

    fn write_tokens(&mut self) {
        if let Some(cache) = &mut self.token_cache {
            cache.writes = true;
        }
    }

    fn log_in_afresh(&mut self) {
        self.token_cache = None;
    }

    fn boxed(&self) -> Box<dyn CloudSettings> {
        Box::new(self.clone())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

fn read(at: &Section<'_>, site: &Site<'_>) -> Box<dyn CloudSettings> {
    let what =
        "write Keystone's address, like https://cloud.example.com:5000, or name an entry of clouds.yaml by cloud";
    let url = url::required(at, &AUTH_URL, what).map_or_else(String::new, |url| url.text);
    let (auth_url, in_url) = libcloud::split_auth_url(&url);
    let version = login::version(at, in_url);
    Box::new(OpenStackEndpoint {
        auth_url: auth_url.to_owned(),
        auth: login::auth(at, version, secret(at, site)),
        region: names::optional(at, &SERVICE_REGION),
        interface: at.get(&INTERFACE).to_owned(),
        endpoints: EndpointOverrides {
            compute: endpoint(at, &COMPUTE_URL),
            image: endpoint(at, &IMAGE_URL),
            network: endpoint(at, &NETWORK_URL),
            volume: endpoint(at, &VOLUME_URL),
        },
        token_cache: token_cache(at, site),
        transport: transport(at, &site.outside, site.max_body),
    })
}

/// Reads the password, the application credential's secret or the token; an empty one after a report.
fn secret(at: &Section<'_>, site: &Site<'_>) -> Secret {
    let sources = [
        Source::Inline(&PASSWORD),
        Source::File(&PASSWORD_FILE),
        Source::Inline(&APPLICATION_CREDENTIAL_SECRET),
        Source::Inline(&TOKEN),
    ];
    let variable = password_variable(at.name());
    let found = site.outside.secret(at, &sources, &[(&PASSWORD, &variable)]);
    found.map_or_else(|| Secret::new(""), |(_, secret)| secret)
}

/// Reads where a token is kept: nowhere, beside the state file, or in a file that is named.
fn token_cache(at: &Section<'_>, site: &Site<'_>) -> Option<TokenCache> {
    let text = at.get(&TOKEN_CACHE);
    let path = match value::flag(&text) {
        Some(false) => return None,
        Some(true) => {
            let end = format!(".token-{}", utf8_percent_encode(at.name(), NAMES));
            disk::beside(site.state_file, &end)
        }
        None => site.outside.folders.resolve(&text).unwrap_or_else(|text| {
            at.error(&TOKEN_CACHE, text);
            PathBuf::new()
        }),
    };
    Some(TokenCache { path, writes: false })
}

/// What stays as it is where a provider's name becomes part of a file's.
const NAMES: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

fn endpoint(at: &Section<'_>, key: &Key<Option<String>>) -> Option<String> {
    let url = url::optional(at, key)?.text;
    let left = PROJECT_MARKS
        .iter()
        .fold(url.clone(), |left, mark| left.replace(mark, ""));
    if let Some(begin) = ["%(", "$("].iter().filter_map(|begin| left.find(begin)).min() {
        let length = left[begin..].find(")s").map_or(left.len() - begin, |end| end + 2);
        let text = format!(
            "{} is not filled in, only the project is: %(project_id)s or %(tenant_id)s",
            quoted(&left[begin..begin + length])
        );
        at.error(key, text);
    }
    Some(url)
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
