//! Hides the request's own secrets in replies that echo them (refusals, a proxy's pages): messages quote such bodies.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::message::Request;
use crate::secret::Secret;

/// Shorter secrets are not searched for: ordinary words contain them.
const SHORTEST: usize = 4;

/// Replaces the credentials of the request's headers and body, and those for the proxy, by `***`.
pub(super) fn hide(request: &Request<'_>, proxy: Option<&Secret>, body: Vec<u8>) -> Vec<u8> {
    let mut body = body;
    for secret in secrets(request, proxy) {
        if secret.len() >= SHORTEST {
            body = replaced(body, secret.as_bytes());
        }
    }
    body
}

fn secrets(request: &Request<'_>, proxy: Option<&Secret>) -> Vec<String> {
    let mut found = proxy.map_or_else(Vec::new, |login| in_basic(login.reveal()));
    for (name, value) in request.headers {
        let name = name.to_ascii_lowercase();
        if name == "authorization" {
            found.extend(in_basic(value));
        } else if name == "x-auth-token" || name == "cookie" || name.contains("crumb") {
            found.push((*value).to_owned());
        }
    }
    if let Some((_, sent)) = request.body
        && let Ok(sent) = serde_json::from_slice(sent)
    {
        in_json(&sent, &mut found);
    }
    // What is quoted inside of JSON has its quotes and backslashes escaped.
    let escaped = found.iter().map(|secret| Value::from(secret.as_str()).to_string());
    let escaped: Vec<_> = escaped.map(|text| text[1..text.len() - 1].to_owned()).collect();
    found.extend(escaped);
    found
}

/// Finds the encoded pair and the password.
fn in_basic(value: &str) -> Vec<String> {
    let encoded = value.rsplit(' ').next().unwrap_or(value);
    let pair = STANDARD.decode(encoded).ok();
    let pair = pair.and_then(|pair| String::from_utf8(pair).ok());
    let password = pair.and_then(|pair| Some(pair.split_once(':')?.1.to_owned()));
    std::iter::once(encoded.to_owned()).chain(password).collect()
}

fn in_json(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                match value {
                    Value::String(text) if matches!(key.as_str(), "password" | "secret") => found.push(text.clone()),
                    Value::Object(token) if key == "token" => {
                        let id = token.get("id").and_then(Value::as_str);
                        found.extend(id.map(str::to_owned));
                    }
                    other => in_json(other, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| in_json(item, found)),
        _ => {}
    }
}

fn replaced(body: Vec<u8>, secret: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = body.as_slice();
    while let Some(at) = rest.windows(secret.len()).position(|window| window == secret) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(b"***");
        rest = &rest[at + secret.len()..];
    }
    if out.is_empty() && rest.len() == body.len() {
        return body;
    }
    out.extend_from_slice(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use ureq::http::Method;

    fn hidden(headers: &[(&str, &str)], sent: &str, body: &str) -> String {
        let request = Request {
            method: Method::POST,
            url: "http://h/",
            headers,
            body: Some(("application/json", sent.as_bytes())),
        };
        let proxy = Secret::new("Basic cDpwcm94eS1wYXNz");
        String::from_utf8(hide(&request, Some(&proxy), body.as_bytes().to_vec())).unwrap()
    }

    #[test]
    fn what_is_echoed_of_the_credentials_is_hidden() {
        // user:secret
        let basic = [("authorization", "Basic dXNlcjpzZWNyZXQ=")];
        assert_eq!(
            hidden(&basic, "", "a Basic dXNlcjpzZWNyZXQ= user:secret b"),
            "a Basic *** user:*** b"
        );
        assert_eq!(hidden(&[("X-Auth-Token", "gAAAA")], "", "no gAAAA"), "no ***");
        let login = r#"{"auth":{"user":{"name":"name","password":"p\"ss"}}}"#;
        assert_eq!(
            hidden(&[], login, r#"name p"ss {\"x\":"p\"ss"}"#),
            r#"name *** {\"x\":"***"}"#
        );
        let login = r#"{"auth":{"identity":{"token":{"id":"gAAAA"}}}}"#;
        assert_eq!(hidden(&[], login, "no gAAAA"), "no ***");
        assert_eq!(hidden(&basic, "", "nothing of it"), "nothing of it");
        assert_eq!(hidden(&[], "", "p:proxy-pass cDpwcm94eS1wYXNz"), "p:*** ***");
    }
}
