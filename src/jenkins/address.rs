//! Paths under Jenkins' root: what is put into a URL, and where a `Location` points. No requests.

use percent_encoding::{AsciiSet, percent_decode_str, utf8_percent_encode};

use crate::http::escaped;
use crate::jenkins::JenkinsError;
use crate::model::NodeName;

/// What is escaped in a path that is escaped already; bytes beyond ASCII always are.
const UNSAFE_IN_PATH: &AsciiSet = &AsciiSet::EMPTY.add(b'"').add(b'<').add(b'>');

/// Makes the path of an agent, `computer/NAME`. A name that would leave that page or meet the built-in node is refused.
pub fn node_path(name: &NodeName) -> Result<String, JenkinsError> {
    let text = name.as_str();
    if !may_be_agent(name) {
        return Err(JenkinsError::Unusable {
            what: format!("not the name of an agent: \"{}\"", crate::text::printable(text, 80)),
        });
    }
    Ok(format!("computer/{}", escaped(text)))
}

/// Returns whether an agent may have a name.
pub fn may_be_agent(name: &NodeName) -> bool {
    let text = name.as_str();
    let refused = ["", ".", "..", "(built-in)", "(master)"].contains(&text) || text.contains(['/', '\\']);
    !refused && !text.chars().any(char::is_control)
}

/// Checks the path of a job as its URL has it (`job/a/job/b`, escaped already) and drops slashes at its ends.
pub fn job_path(path: &str) -> Result<String, JenkinsError> {
    let path = path.trim_matches('/');
    let good = path.starts_with("job/")
        && path.split('/').all(is_safe_segment)
        && !path.contains(|c: char| c.is_control() || c.is_whitespace() || matches!(c, '?' | '#' | '\\'));
    if !good {
        return Err(JenkinsError::Unusable {
            what: format!("not the path of a job: \"{}\"", crate::text::printable(path, 120)),
        });
    }
    Ok(utf8_percent_encode(path, UNSAFE_IN_PATH).to_string())
}

fn is_safe_segment(segment: &str) -> bool {
    let plain = percent_decode_str(segment).decode_utf8_lossy();
    !matches!(plain.as_ref(), "" | "." | "..") && !plain.contains(['/', '\\', '\0'])
}

/// What the target of a redirect after a POST means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Landing {
    /// To a page of Jenkins: the POST was done.
    Jenkins,
    /// To a login page: nothing was done.
    Login,
    /// To the same action at another address, or out of Jenkins: nothing was done.
    Elsewhere,
}

/// Judges the `Location` after a POST. Jenkins goes back to the node or to the list of nodes; the scheme and host in it
/// may be those of a proxy, and the context path that behind the proxy, so only the path counts.
pub fn landing(location: &str, base: &str, posted: &str) -> Landing {
    if location.is_empty() {
        return Landing::Elsewhere;
    }
    let context = path_of(base).trim_end_matches('/').to_owned();
    let action = posted.split('?').next().unwrap_or(posted);
    let here = format!("{context}/{action}");
    let target = resolve(location, &here);
    if is_login(&target) {
        return Landing::Login;
    }
    let inside = target
        .strip_prefix(&format!("{context}/"))
        .or_else(|| target.strip_prefix('/'))
        .unwrap_or("");
    let last = |path: &str| path.trim_end_matches('/').rsplit('/').next().unwrap_or("").to_owned();
    let in_jenkins = inside == "computer" || inside.starts_with("computer/");
    if in_jenkins && last(inside) != last(action) {
        Landing::Jenkins
    } else {
        Landing::Elsewhere
    }
}

/// Returns whether a path is that of a login.
pub fn is_login(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    ["login", "securityrealm", "oauth", "saml", "openid", "/sso", "signin"]
        .iter()
        .any(|word| path.contains(word))
}

/// Returns the root that a redirect of a GET suggests: its target without the path that was asked for.
pub fn suggested_root(location: &str, asked: &str) -> Option<String> {
    let target = location.split(['?', '#']).next()?;
    let asked = asked.split('?').next()?;
    let root = target.trim_end_matches('/').strip_suffix(asked)?.trim_end_matches('/');
    root.contains("://").then(|| root.to_owned())
}

/// Returns the path of a URL, without query.
fn path_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = rest.find('/').map_or("", |at| &rest[at..]);
    path.split(['?', '#']).next().unwrap_or(path)
}

/// Resolves a `Location` to a path, against the path that was posted to.
fn resolve(location: &str, here: &str) -> String {
    let plain = location.split(['?', '#']).next().unwrap_or(location);
    if plain.contains("://") {
        return dotless(path_of(plain));
    }
    if let Some(rest) = plain.strip_prefix("//") {
        return dotless(rest.find('/').map_or("/", |at| &rest[at..]));
    }
    if plain.starts_with('/') {
        return dotless(plain);
    }
    let folder = here.rsplit_once('/').map_or("", |(folder, _)| folder);
    dotless(&format!("{folder}/{plain}"))
}

fn dotless(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/').filter(|s| !s.is_empty()) {
        match segment {
            "." => {}
            ".." => {
                kept.pop();
            }
            other => kept.push(other),
        }
    }
    let end = if path.ends_with(['/', '.']) && !kept.is_empty() {
        "/"
    } else {
        ""
    };
    format!("/{}{end}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_name_is_one_segment() {
        let path = |name: &str| node_path(&NodeName::new(name)).ok();
        assert_eq!(path("precise+10.0.0.1"), Some("computer/precise%2B10.0.0.1".to_owned()));
        assert_eq!(path("a b,(ü)"), Some("computer/a%20b%2C%28%C3%BC%29".to_owned()));
        for bad in ["", ".", "..", "a/b", "a\\b", "a\nb", "(built-in)", "(master)"] {
            assert_eq!(path(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_job_path_stays_below_job() {
        let path = |path: &str| job_path(path).ok();
        assert_eq!(path("/job/a/job/b%2Fc/"), None, "an escaped slash hides a segment");
        assert_eq!(
            path("job/a/job/feature%252Fx/"),
            Some("job/a/job/feature%252Fx".to_owned())
        );
        assert_eq!(path("job/m/A=1,B=x%20y"), Some("job/m/A=1,B=x%20y".to_owned()));
        assert_eq!(path("job/ü"), Some("job/%C3%BC".to_owned()));
        for bad in [
            "",
            "manage",
            "job//a",
            "job/../manage",
            "job/%2e%2e/x",
            "job/a?b",
            "job/a b",
            "job/a#b",
            "job/a\\b",
        ] {
            assert_eq!(path(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_post_is_done_when_it_lands_on_a_node_page() {
        let delete = "computer/n/doDelete";
        let base = "http://h:8080/jenkins";
        let cases = [
            ("http://h:8080/jenkins/computer/", Landing::Jenkins),
            ("https://public/jenkins/computer/", Landing::Jenkins),
            ("/jenkins/computer/", Landing::Jenkins),
            ("/computer/", Landing::Jenkins),
            ("..", Landing::Jenkins),
            ("../", Landing::Jenkins),
            (".", Landing::Jenkins),
            ("https://h/jenkins/computer/n/doDelete", Landing::Elsewhere),
            ("/jenkins/computer/n/doDelete/", Landing::Elsewhere),
            (
                "http://h:8080/jenkins/login?from=%2Fjenkins%2Fcomputer%2F",
                Landing::Login,
            ),
            ("/jenkins/securityRealm/commenceLogin?from=/computer/", Landing::Login),
            ("https://elsewhere/", Landing::Elsewhere),
            ("/jenkins/", Landing::Elsewhere),
            ("", Landing::Elsewhere),
        ];
        for (location, expected) in cases {
            assert_eq!(landing(location, base, delete), expected, "{location}");
        }
    }

    #[test]
    fn a_redirect_of_a_get_names_the_root_to_use() {
        let asked = "queue/api/json?tree=items";
        assert_eq!(
            suggested_root("https://h/jenkins/queue/api/json?tree=items", asked),
            Some("https://h/jenkins".to_owned())
        );
        assert_eq!(suggested_root("https://h/login", asked), None);
        assert_eq!(suggested_root("/other/queue/api/json", asked), None);
    }
}
