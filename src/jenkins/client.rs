//! The connection to Jenkins: the headers of every request, what a status means, and the crumb that some POSTs need.
//!
//! The requests are in `read`, `write`, `check` and `remove`.

use std::cell::{Cell, RefCell};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ureq::http::Method;

use crate::endpoint::{JenkinsCredential, JenkinsEndpoint};
use crate::http::{Deadline, Http, HttpError, Reply, Request};
use crate::jenkins::JenkinsError;
use crate::jenkins::address::{Landing, is_login, landing, suggested_root};
use crate::jenkins::wire;
use crate::secret::Secret;
use crate::text::printable;

/// A connection to one Jenkins, kept over a pass.
#[derive(Debug)]
pub struct Client {
    http: Http,
    base: String,
    authorization: Secret,
    /// A password needs a crumb from the start; a token only before Jenkins 2.96, which answers so.
    crumb_first: bool,
    crumb: RefCell<Option<Crumb>>,
    crumb_asked: Cell<bool>,
    version: RefCell<Option<String>>,
    session: RefCell<Option<String>>,
    /// Whether the list of computers is asked which builds run there.
    pub(super) tells_builds: bool,
    /// Whether it is asked for their names, too.
    pub(super) tells_jobs: bool,
}

/// The crumb of a POST: its header, and the session it is bound to.
#[derive(Clone, Debug)]
struct Crumb {
    field: String,
    value: Secret,
    cookie: Option<Secret>,
}

impl Client {
    /// Builds a client; makes no request.
    pub fn new(endpoint: &JenkinsEndpoint, deadline: Deadline) -> Result<Self, JenkinsError> {
        let http = Http::new("jenkins", &endpoint.transport, deadline).map_err(|source| JenkinsError::Unusable {
            what: source.to_string(),
        })?;
        let (secret, crumb_first) = match &endpoint.credential {
            JenkinsCredential::Token(token) => (token, false),
            JenkinsCredential::Password(password) => (password, true),
        };
        if endpoint.user.contains(':') {
            return Err(JenkinsError::Unusable {
                what: "jenkins.user must not hold a colon".to_owned(),
            });
        }
        let pair = format!("{}:{}", endpoint.user, secret.reveal());
        Ok(Self {
            http,
            base: endpoint.url.trim_end_matches('/').to_owned(),
            authorization: Secret::new(format!("Basic {}", STANDARD.encode(pair))),
            crumb_first,
            crumb: RefCell::new(None),
            crumb_asked: Cell::new(false),
            version: RefCell::new(None),
            session: RefCell::new(None),
            tells_builds: false,
            tells_jobs: false,
        })
    }

    /// Reads the builds of each node with every view: needed only where they are counted.
    pub fn tell_builds(&mut self) {
        self.tells_builds = true;
    }

    /// Reads the names of the builds of each node with every view: needed only where somebody looks.
    pub fn tell_jobs(&mut self) {
        self.tells_jobs = true;
    }

    /// Returns how many requests were made.
    pub fn requests(&self) -> u64 {
        self.http.requests()
    }

    /// Returns the version of Jenkins, once a reply named it.
    pub fn version(&self) -> Option<String> {
        self.version.borrow().clone()
    }

    /// Returns `X-Jenkins-Session`, which differs at each start of Jenkins, once a reply named it.
    pub fn session(&self) -> Option<String> {
        self.session.borrow().clone()
    }

    /// Makes a GET that must be answered with 200 and JSON.
    pub(super) fn get_json(&self, path: &str) -> Result<Reply, JenkinsError> {
        let reply = self.get(path)?;
        if reply.status != 200 {
            return Err(self.refusal("GET", path, &reply));
        }
        Self::must_be_json(path, reply)
    }

    /// Makes a GET and takes whatever status comes.
    pub(super) fn get(&self, path: &str) -> Result<Reply, JenkinsError> {
        self.exchange(&Method::GET, path, None, None)
    }

    /// Refuses a page where JSON was asked for.
    pub(super) fn must_be_json(path: &str, reply: Reply) -> Result<Reply, JenkinsError> {
        let json = reply.header("content-type").is_some_and(|kind| kind.contains("json"));
        if json {
            return Ok(reply);
        }
        let what = what("GET", path);
        if is_jenkins(&reply) {
            // Jenkins itself names the type; a proxy may drop it. The parser has the last word.
            return match reply.header("content-type") {
                None => Ok(reply),
                Some(kind) => Err(JenkinsError::BadAnswer {
                    what,
                    reason: format!("{} instead of JSON: {}", printable(kind, 60), gist(&reply)),
                }),
            };
        }
        Err(JenkinsError::NotJenkins {
            what,
            excerpt: gist(&reply),
        })
    }

    /// Makes a POST without a body. Success is a 200, or a redirect to a page of Jenkins, which is not followed.
    pub(super) fn post(&self, path: &str) -> Result<(), JenkinsError> {
        let reply = self.post_form(path, None)?;
        self.accepted(path, &reply)
    }

    /// Judges the reply to a POST.
    pub(super) fn accepted(&self, path: &str, reply: &Reply) -> Result<(), JenkinsError> {
        match reply.status {
            200 if is_jenkins(reply) => Ok(()),
            302 | 303 => match landing(reply.header("location").unwrap_or(""), &self.base, path) {
                Landing::Jenkins => Ok(()),
                Landing::Login | Landing::Elsewhere => Err(self.refusal("POST", path, reply)),
            },
            _ => Err(self.refusal("POST", path, reply)),
        }
    }

    /// Makes a POST, with an encoded form if there is one, and takes whatever status comes.
    pub(super) fn post_form(&self, path: &str, form: Option<&str>) -> Result<Reply, JenkinsError> {
        self.be_ready_to_post()?;
        let crumb = self.crumb.borrow().clone();
        let mut reply = self.exchange(&Method::POST, path, form, crumb.as_ref())?;
        if wants_crumb(&reply) {
            // An old Jenkins wants a crumb for a token, too; or the session of ours has ended.
            self.fetch_crumb()?;
            let crumb = self.crumb.borrow().clone();
            if crumb.is_some() {
                reply = self.exchange(&Method::POST, path, form, crumb.as_ref())?;
            }
        }
        Ok(reply)
    }

    /// Fetches the crumb that a password needs, so that a later POST is one request and no more.
    pub(super) fn be_ready_to_post(&self) -> Result<(), JenkinsError> {
        if self.crumb_first && !self.crumb_asked.get() {
            self.fetch_crumb()?;
        }
        Ok(())
    }

    fn fetch_crumb(&self) -> Result<(), JenkinsError> {
        const PATH: &str = "crumbIssuer/api/json";
        let reply = self.get(PATH)?;
        let crumb = match reply.status {
            // The protection is off.
            404 => None,
            200 => {
                let (field, value) = wire::crumb(&reply.body).map_err(|reason| bad_answer("GET", PATH, &reason))?;
                Some(Crumb {
                    field,
                    value: Secret::new(value),
                    cookie: session_cookie(&reply),
                })
            }
            _ => return Err(self.refusal("GET", PATH, &reply)),
        };
        self.crumb_asked.set(true);
        self.crumb.replace(crumb);
        Ok(())
    }

    fn exchange(
        &self,
        method: &Method,
        path: &str,
        form: Option<&str>,
        crumb: Option<&Crumb>,
    ) -> Result<Reply, JenkinsError> {
        let url = format!("{}/{path}", self.base);
        let mut headers = vec![
            ("authorization", self.authorization.reveal()),
            // Without it Jenkins answers in the language of its JVM.
            ("accept-language", "en"),
            ("accept", "application/json"),
        ];
        if let Some(crumb) = crumb {
            headers.push((&crumb.field, crumb.value.reveal()));
            headers.extend(crumb.cookie.as_ref().map(|cookie| ("cookie", cookie.reveal())));
        }
        let request = Request {
            method: method.clone(),
            url: &url,
            headers: &headers,
            body: form.map(|form| ("application/x-www-form-urlencoded", form.as_bytes())),
        };
        let reply = self
            .http
            .send(&request)
            .map_err(|source| unreachable(method, path, source))?;
        if let Some(version) = reply.header("x-jenkins") {
            self.version.replace(Some(printable(version, 40)));
        }
        if let Some(session) = reply.header("x-jenkins-session") {
            self.session.replace(Some(printable(session, 40)));
        }
        Ok(reply)
    }

    /// Returns the error for an unexpected status.
    pub(super) fn refusal(&self, method: &str, path: &str, reply: &Reply) -> JenkinsError {
        let what = what(method, path);
        match reply.status {
            300..=399 => self.moved(what, path, reply),
            401 => JenkinsError::Auth {
                what,
                hint: "jenkins.user or its token (or password) is wrong, or Jenkins is just starting, or a proxy before \
                       it wants a login of its own",
            },
            403 => forbidden(what, reply),
            404 => JenkinsError::NotFound { what },
            503 => JenkinsError::Starting {
                what,
                detail: gist(reply),
            },
            200 => JenkinsError::NotJenkins {
                what,
                excerpt: gist(reply),
            },
            status => JenkinsError::Failed {
                what,
                status,
                detail: gist(reply),
            },
        }
    }

    fn moved(&self, what: String, path: &str, reply: &Reply) -> JenkinsError {
        let location = reply.header("location").unwrap_or("");
        let target = location.split(['?', '#']).next().unwrap_or("");
        if is_login(target) {
            return JenkinsError::Auth {
                what,
                hint: "it leads to a login page; a proxy before Jenkins must let API requests through",
            };
        }
        let hint = match suggested_root(location, path) {
            Some(root) if root != self.base => format!("use {} as jenkins.url", printable(&root, 200)),
            _ => "is jenkins.url right?".to_owned(),
        };
        JenkinsError::Moved {
            what,
            location: if target.is_empty() {
                "nowhere".to_owned()
            } else {
                printable(target, 200)
            },
            hint,
        }
    }
}

/// Returns a request for a message: without its query.
fn what(method: &str, path: &str) -> String {
    format!("{method} {}", printable(path.split('?').next().unwrap_or(path), 200))
}

/// Returns the error for a reply of another shape than the API's.
pub(super) fn bad_answer(method: &str, path: &str, reason: &str) -> JenkinsError {
    JenkinsError::BadAnswer {
        what: what(method, path),
        reason: printable(reason, 200),
    }
}

fn unreachable(method: &Method, path: &str, source: HttpError) -> JenkinsError {
    JenkinsError::Unreachable {
        what: what(method.as_str(), path),
        source,
    }
}

/// Returns whether a reply comes from Jenkins: it has one of its headers.
pub(super) fn is_jenkins(reply: &Reply) -> bool {
    reply.header("x-jenkins").is_some() || reply.header("x-hudson").is_some()
}

fn forbidden(what: String, reply: &Reply) -> JenkinsError {
    let Some(user) = reply.header_text("x-you-are-authenticated-as") else {
        let page = String::from_utf8_lossy(&reply.body);
        if page.contains("Authentication required") || page.contains("/login?from=") {
            return JenkinsError::Auth {
                what,
                hint: "they did not arrive; does a proxy drop the Authorization header?",
            };
        }
        return JenkinsError::Forbidden {
            what,
            user: "of this request".to_owned(),
            permission: format!("something: {}", gist(reply)),
        };
    };
    let permission = reply.header("x-required-permission");
    JenkinsError::Forbidden {
        what,
        user: printable(&user, 80),
        permission: permission.map_or_else(|| "a permission that it does not name".to_owned(), permission_name),
    }
}

/// Names a permission as the pages of Jenkins do: `hudson.model.Computer.Delete` is `Agent/Delete`.
fn permission_name(id: &str) -> String {
    let short = id.rsplit_once('.').map(|(group, name)| {
        let group = match group.rsplit('.').next().unwrap_or(group) {
            "Hudson" | "Jenkins" => "Overall",
            "Computer" => "Agent",
            "Item" => "Job",
            other => other,
        };
        format!("{group}/{name}")
    });
    printable(&short.unwrap_or_else(|| id.to_owned()), 80)
}

fn wants_crumb(reply: &Reply) -> bool {
    reply.status == 403
        && reply.header("x-required-permission").is_none()
        && String::from_utf8_lossy(&reply.body).contains("No valid crumb")
}

/// Takes the cookies of the session that a crumb is bound to: their names and values, without attributes. A cookie that
/// is set to nothing is being deleted.
fn session_cookie(reply: &Reply) -> Option<Secret> {
    let set = reply.headers.get_all("set-cookie").iter();
    let pairs: Vec<&str> = set
        .filter_map(|value| value.to_str().ok()?.split(';').next())
        .map(str::trim)
        .filter(|pair| pair.split_once('=').is_some_and(|(_, value)| !value.is_empty()))
        .collect();
    (!pairs.is_empty()).then(|| Secret::new(pairs.join("; ")))
}

/// Summarizes a reply in a line: Jenkins' own error header, the title of a page, or the beginning of the body.
pub(super) fn gist(reply: &Reply) -> String {
    if let Some(error) = reply.header_text("x-error") {
        return printable(&error, 200);
    }
    let head = String::from_utf8_lossy(&reply.body[..reply.body.len().min(8192)]);
    let title = head
        .split_once("<title>")
        .and_then(|(_, rest)| rest.split_once("</title>"))
        .map(|(title, _)| printable(title, 200));
    match title {
        Some(title) if !title.is_empty() => title,
        _ if reply.body.is_empty() => "an empty page".to_owned(),
        _ => reply.excerpt(),
    }
}
