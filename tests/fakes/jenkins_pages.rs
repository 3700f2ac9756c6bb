//! The headers and pages around the fake Jenkins' answers: security headers, errors, redirects, dates.

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use serde_json::Value;

use super::http_server::Reply;
use super::model::{Jenkins, User};

/// A `Date` header from the simulated clock.
pub fn http_date(clock: i64) -> String {
    let moment = Timestamp::from_second(clock).unwrap_or_default();
    DateTimePrinter::new()
        .timestamp_to_rfc9110_string(&moment)
        .unwrap_or_default()
}

impl Jenkins {
    fn marks(&self, reply: Reply) -> Reply {
        reply
            .header("X-Jenkins", &self.version)
            .header("X-Jenkins-Session", &self.session)
    }

    /// An API reply.
    pub fn api(&self, root: &str, body: &Value) -> Reply {
        let policy = format!("{root}content-security-policy-reporting-endpoint/SIG");
        let mut body = body.clone();
        if !self.at_least(7) {
            without_classes(&mut body);
        }
        let reply = Reply::typed(200, "application/json;charset=utf-8", body.to_string())
            .header("X-Content-Type-Options", "nosniff")
            .header("Reporting-Endpoints", format!("content-security-policy: {policy}"))
            .header(
                "Content-Security-Policy-Report-Only",
                format!("base-uri 'none'; default-src 'self'; form-action 'self'; frame-ancestors 'self'; img-src 'self' data:; script-src 'report-sample' 'self' usage.jenkins.io; style-src 'report-sample' 'self' 'unsafe-inline'; report-to content-security-policy; report-uri {policy}"),
            );
        let reply = self.marks(reply).header("X-Frame-Options", "deny");
        match &self.language {
            Some(language) => reply.header("X-Jenkins-Language", language),
            None => reply,
        }
    }

    /// A page of Jenkins' own.
    pub fn page(&self, status: u16, title: &str) -> Reply {
        let reply = Reply::typed(
            status,
            "text/html;charset=utf-8",
            format!(
                "\n\n  <!DOCTYPE html><html><head data-version=\"{0}\">\n    <title>{title} - Jenkins</title></head>\
                 <body class=\"jenkins-{0}\"><div id=\"main-panel\"><h1>{title}</h1></div></body></html>",
                self.version
            ),
        );
        let reply = reply
            .header("Cache-Control", "no-cache,no-store,must-revalidate")
            .header("Expires", "0");
        self.marks(reply)
    }

    /// What is not there, or may not be seen.
    pub fn missing(&self) -> Reply {
        self.page(404, "Not Found")
    }

    pub fn forbidden(&self, user: &User, permission: &str) -> Reply {
        let mut page = self
            .page(403, "Access Denied")
            .header("X-You-Are-Authenticated-As", &user.name);
        page = page.header("X-Required-Permission", permission);
        if permission.ends_with("Delete") {
            page = page.header("X-Permission-Implied-By", "hudson.security.Permission.GenericDelete");
            page = page.header("X-Permission-Implied-By", "hudson.security.Permission.GenericWrite");
        }
        page.header("X-Permission-Implied-By", "hudson.model.Hudson.Administer")
    }

    /// Nobody logged in, and it is needed.
    pub fn login_first(&self, path: &str) -> Reply {
        let from = path.replace('/', "%2F");
        let body = format!(
            "<html><head><meta http-equiv='refresh' content='1;url=/login?from={from}'/></head><body \
             style='background-color:white; color:white;'>\nAuthentication required\n<!--\n-->\n\n</body></html>"
        );
        self.marks(Reply::typed(403, "text/html;charset=utf-8", body))
    }

    pub fn starting_page(&self, german: bool) -> Reply {
        let (lang, text) = if german {
            ("de-DE", "Jenkins wird gestartet")
        } else {
            ("en", "Jenkins is getting ready to work")
        };
        let body = format!(
            "\n    <!DOCTYPE html><html lang=\"{lang}\"><head><title>Starting Jenkins</title></head><body><h1 \
             class=\"loading\"><p class=\"jenkins-spinner\">{text}</h1></body></html>"
        );
        Reply::typed(503, "text/html;charset=utf-8", body)
            .header("Expires", "0")
            .header("Cache-Control", "no-cache,no-store,must-revalidate")
    }
}

/// Jenkins told no classes before its Stapler 1.241.
fn without_classes(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(without_classes),
        Value::Object(object) => {
            object.remove("_class");
            object.values_mut().for_each(without_classes);
        }
        _ => {}
    }
}

/// A bare error page of the servlet container.
pub fn bare(status: u16, message: &str, path: &str) -> Reply {
    let body = format!(
        "<html>\n<head>\n<meta http-equiv=\"Content-Type\" content=\"text/html;charset=ISO-8859-1\"/>\n<title>Error \
         {status} {message}</title>\n</head>\n<body><h2>HTTP ERROR {status} {message}</h2>\n<table>\n<tr><th>URI:</th><td>\
         {path}</td></tr>\n<tr><th>STATUS:</th><td>{status}</td></tr>\n<tr><th>MESSAGE:</th><td>{message}</td></tr>\n\
         </table>\n</body>\n</html>\n"
    );
    Reply::typed(status, "text/html;charset=iso-8859-1", body)
        .header("Cache-Control", "must-revalidate,no-cache,no-store")
}

pub fn unauthorized(path: &str) -> Reply {
    bare(401, "Unauthorized", path)
        .header(
            "Set-Cookie",
            "remember-me=; Path=/; Expires=Thu, 01-Jan-1970 00:00:00 GMT; Max-Age=0",
        )
        .header("WWW-Authenticate", "Basic realm=\"Jenkins\"")
}

pub fn no_crumb(path: &str) -> Reply {
    bare(403, "No valid crumb was included in the request", path)
}

/// Escapes as `hudson.Util.escape` does, which is how an offline reason comes out.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('"', "&quot;")
        .replace('\'', "&#039;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
