//! What ureq really does with the settings of `http`, against a server that misbehaves on demand.

use std::net::TcpListener;
use std::sync::Arc;

use jiff::SignedDuration;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use ureq::http::HeaderMap;

use super::*;
use crate::endpoint::{Compress, ProxyEndpoint};
use crate::fakes::http_server::{Canned, Scripted};
use crate::secret::Secret;

fn transport() -> Transport {
    Transport {
        ca_file: None,
        ca_file_only: false,
        compress: Compress::default(),
        verify: true,
        proxy: None,
        connect_timeout: SignedDuration::from_secs(5),
        timeout: SignedDuration::from_secs(5),
        max_body: 1000,
    }
}

fn http(transport: &Transport) -> Http {
    Http::new("test", transport, Deadline::none()).unwrap()
}

fn get(http: &Http, url: &str) -> Result<Reply, HttpError> {
    send(http, Method::GET, url)
}

fn send(http: &Http, method: Method, url: &str) -> Result<Reply, HttpError> {
    http.send(&Request {
        method,
        url,
        headers: &[],
        body: None,
    })
}

#[test]
fn a_logged_url_holds_no_secret() {
    assert_eq!(shown("http://u:p@h:1/a/b?token=x&tree=y"), "http://h:1/a/b?token&tree");
    assert_eq!(shown("http://h"), "http://h");
}

#[test]
fn a_redirect_is_handed_back_with_its_body() {
    for status in [300, 301, 302, 303, 307, 308] {
        let fake = Scripted::start(vec![
            Canned::new(status, &["Location: http://127.0.0.1:1/elsewhere"], "{\"versions\":1}"),
            Canned::new(200, &[], "next"),
        ]);
        let http = http(&transport());
        let reply = get(&http, &fake.url("/v3")).unwrap();
        assert_eq!(reply.status, status);
        assert_eq!(reply.body, b"{\"versions\":1}");
        assert_eq!(reply.header("location"), Some("http://127.0.0.1:1/elsewhere"));
        assert_eq!(
            get(&http, &fake.url("/")).unwrap().body,
            b"next",
            "the connection is still good"
        );
        drop(http);
        assert_eq!(fake.requests().len(), 2);
    }
}

#[test]
fn an_error_status_keeps_its_body() {
    let fake = Scripted::start(vec![Canned::new(500, &["X-Error: no"], "why")]);
    let reply = get(&http(&transport()), &fake.url("/")).unwrap();
    assert_eq!(
        (reply.status, reply.header("x-error"), reply.excerpt()),
        (500, Some("no"), "why".to_owned())
    );
}

#[test]
fn a_body_may_be_as_large_as_the_limit_and_no_larger() {
    let fake = Scripted::start(vec![
        Canned::new(200, &[], "x".repeat(1000)),
        Canned::new(200, &[], "x".repeat(1001)),
    ]);
    let http = http(&transport());
    assert_eq!(get(&http, &fake.url("/")).unwrap().body.len(), 1000);
    assert!(matches!(
        get(&http, &fake.url("/")),
        Err(HttpError::TooLarge { limit: 1000, .. })
    ));
}

#[test]
fn a_compressed_reply_is_asked_for_where_the_setting_says_so() {
    // The server of the tests is on the loopback, where nothing is gained.
    for (compress, sent) in [
        (Compress::Auto, None),
        (Compress::Never, None),
        (Compress::Always, Some("gzip")),
    ] {
        let fake = Scripted::start(vec![Canned::new(200, &[], "{}")]);
        let chosen = Transport {
            compress,
            ..transport()
        };
        get(&http(&chosen), &fake.url("/")).unwrap();
        let head = fake.requests()[0].to_lowercase();
        let header = head.lines().find_map(|line| line.strip_prefix("accept-encoding: "));
        assert_eq!(header, sent, "{compress:?}");
    }
}

#[test]
fn only_a_link_within_the_machine_is_known_as_fast() {
    let auto = http(&transport());
    for url in [
        "http://localhost:8080/x",
        "https://127.0.0.1/",
        "http://127.9.9.9:1/",
        "http://[::1]:5000/v3",
    ] {
        assert!(!auto.compresses(url), "{url}");
    }
    for url in [
        "http://localhost.example.com/",
        "http://10.0.0.1/",
        "https://jenkins.example.com/",
        "http://[fe80::1]/",
    ] {
        assert!(auto.compresses(url), "{url}");
    }
    let proxy = ProxyEndpoint {
        url: "http://127.0.0.1:3128".to_owned(),
        login: None,
    };
    let through_a_proxy = Transport {
        proxy: Some(proxy),
        ..transport()
    };
    assert!(
        http(&through_a_proxy).compresses("http://127.0.0.1/"),
        "what lies behind it is not known"
    );
}

#[test]
fn what_comes_out_of_a_packed_body_counts() {
    let packed = include_bytes!("../../tests/fixtures/http/zeros-100k.gz");
    assert!(packed.len() < 1000);
    let canned = || Canned::new(200, &["Content-Encoding: gzip"], packed);
    let fake = Scripted::start(vec![canned(), canned()]);
    let large = Transport {
        max_body: 100_000,
        ..transport()
    };
    assert_eq!(get(&http(&large), &fake.url("/")).unwrap().body, vec![0; 100_000]);
    assert!(matches!(
        get(&http(&transport()), &fake.url("/")),
        Err(HttpError::TooLarge { .. })
    ));
}

#[test]
fn half_a_body_is_no_reply() {
    let fake = Scripted::start(vec![Canned::new(200, &[], "0123456789").half()]);
    let error = get(&http(&transport()), &fake.url("/")).unwrap_err();
    assert!(
        matches!(error, HttpError::Broken { .. }) && !error.not_sent(),
        "{error}"
    );
}

#[test]
fn a_slow_drip_is_cut() {
    let fake = Scripted::start(vec![Canned::new(200, &[], "x".repeat(900)).dripping()]);
    let impatient = Transport {
        timeout: SignedDuration::from_millis(200),
        ..transport()
    };
    let began = Instant::now();
    let error = get(&http(&impatient), &fake.url("/")).unwrap_err();
    assert!(matches!(error, HttpError::Broken { .. }), "{error}");
    assert!(
        error.to_string().ends_with(": it did not come within 200ms (timeout)"),
        "{error}"
    );
    assert!(
        began.elapsed() < Duration::from_secs(3),
        "the limit is for the whole, not for each byte"
    );
}

#[test]
fn a_refused_connection_sent_nothing() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = send(&http(&transport()), Method::POST, &format!("http://{free}/")).unwrap_err();
    assert!(error.not_sent(), "{error}");
    assert!(error.to_string().contains(&free.to_string()), "{error}");
    // A label of more than 63 characters is refused before any server is asked.
    let error = get(&http(&transport()), &format!("http://{}.test/", "a".repeat(70))).unwrap_err();
    assert!(error.not_sent(), "{error}");
}

#[test]
fn a_peer_without_tls_sent_nothing() {
    let fake = Scripted::start(vec![]);
    let url = fake.url("/").replace("http:", "https:");
    let error = send(&http(&transport()), Method::POST, &url).unwrap_err();
    assert!(error.not_sent(), "{error}");
    let text = error.to_string();
    assert!(
        text.ends_with("does not speak TLS: is it http://, or another port?"),
        "{text}"
    );
    assert!(!text.contains("verify"), "{text}");
}

#[test]
fn a_post_has_a_length_and_is_never_repeated() {
    let fake = Scripted::start(vec![
        Canned::new(200, &[], ""),
        Canned::hang_up(),
        Canned::new(200, &[], ""),
    ]);
    let http = http(&transport());
    get(&http, &fake.url("/")).unwrap();
    let error = send(&http, Method::POST, &fake.url("/x")).unwrap_err();
    assert!(!error.not_sent(), "{error}");
    drop(http);
    let requests = fake.requests();
    assert_eq!(requests.len(), 2);
    assert!(
        requests[1].to_lowercase().contains("content-length: 0\r\n"),
        "{}",
        requests[1]
    );
    assert!(
        !requests[0].to_lowercase().contains("content-length"),
        "{}",
        requests[0]
    );
}

#[test]
fn a_get_is_repeated_once_when_a_kept_connection_is_gone() {
    let fake = Scripted::start(vec![
        Canned::new(200, &[], "a"),
        Canned::hang_up(),
        Canned::new(200, &[], "b"),
    ]);
    let http = http(&transport());
    assert_eq!(get(&http, &fake.url("/")).unwrap().body, b"a");
    assert_eq!(get(&http, &fake.url("/")).unwrap().body, b"b");
    assert_eq!(http.requests(), 3);
}

#[test]
fn one_connection_serves_many_requests() {
    let fake = Scripted::start((0..5).map(|_| Canned::new(200, &[], "x")).collect());
    let http = http(&transport());
    for _ in 0..5 {
        get(&http, &fake.url("/")).unwrap();
    }
    drop(http);
    assert_eq!(fake.connections(), 1);
}

fn proxy_at(fake: &Scripted, login: Option<(&str, &str)>) -> ProxyEndpoint {
    ProxyEndpoint {
        url: fake.url(""),
        login: login.map(|(user, password)| (user.to_owned(), Secret::new(password))),
    }
}

fn proxied(fake: &Scripted, login: Option<(&str, &str)>) -> Http {
    http(&Transport {
        proxy: Some(proxy_at(fake, login)),
        ..transport()
    })
}

#[test]
fn plain_http_is_handed_to_the_proxy_with_the_whole_url() {
    let large = "x".repeat(300_000);
    let fake = Scripted::start(vec![
        Canned::new(200, &["Set-Cookie: JSESSIONID=1; Path=/"], ""),
        Canned::new(200, &[], ""),
        Canned::new(200, &[], ""),
    ]);
    let http = proxied(&fake, None);
    get(&http, "http://jenkins.invalid/a?tree=x").unwrap();
    http.send(&Request {
        method: Method::POST,
        url: "http://jenkins.invalid:8080/b",
        headers: &[("authorization", "Basic eDp5enp6")],
        body: Some(("text/plain", large.as_bytes())),
    })
    .unwrap();
    get(&http, "http://jenkins.invalid/c").unwrap();
    drop(http);
    assert_eq!(
        fake.lines(),
        [
            "GET http://jenkins.invalid/a?tree=x",
            "POST http://jenkins.invalid:8080/b",
            "GET http://jenkins.invalid/c"
        ]
    );
    let requests = fake.requests();
    let lower = requests[1].to_lowercase();
    assert!(
        lower.contains("\r\nhost: jenkins.invalid:8080\r\n"),
        "{}",
        &lower[..300]
    );
    assert!(
        lower.contains("\r\nauthorization: basic edp5enp6\r\n"),
        "the credentials for Jenkins go along"
    );
    assert!(requests[1].ends_with(&large), "a large body is whole");
    assert!(
        !requests.join("").to_lowercase().contains("proxy-authorization"),
        "no login, no header"
    );
    assert!(!requests[2].to_lowercase().contains("cookie"), "no cookie is kept");
    // The connection for a host is kept: one for each of the two.
    assert_eq!(fake.connections(), 2);
}

#[test]
fn a_proxy_gets_its_login_and_the_service_does_not() {
    // u@x:p:/%s
    let basic = "proxy-authorization: basic dub4onatlyvz".to_owned();
    let fake = Scripted::start(vec![Canned::new(200, &[], ""), Canned::new(200, &[], "")]);
    let http = proxied(&fake, Some(("u@x", "p-/%s")));
    get(&http, "http://jenkins.invalid/a").unwrap();
    let tunnel = get(&http, "https://jenkins.invalid/b").unwrap_err();
    assert!(tunnel.not_sent(), "no TLS behind this tunnel: {tunnel}");
    drop(http);
    assert_eq!(
        fake.lines(),
        ["GET http://jenkins.invalid/a", "CONNECT jenkins.invalid:443"]
    );
    for request in fake.requests() {
        assert_eq!(request.to_lowercase().matches(&basic).count(), 1, "{request}");
    }
}

#[test]
fn a_proxy_that_wants_a_login_is_named() {
    for (url, login) in [
        ("http://jenkins.invalid/", None),
        ("https://jenkins.invalid/", None),
        ("http://jenkins.invalid/", Some(("u", "wrong-pass"))),
        ("https://jenkins.invalid/", Some(("u", "wrong-pass"))),
    ] {
        let refusal = ["Proxy-Authenticate: Basic realm=\"proxy\""];
        let fake = Scripted::start(vec![Canned::new(407, &refusal, "u:wrong-pass is not known")]);
        let error = send(&proxied(&fake, login), Method::POST, url).unwrap_err();
        let text = error.to_string();
        assert!(error.not_sent(), "{text}");
        let host = fake.url("").replace("http://", "");
        assert!(
            text.contains(&format!("the proxy {host} refuses the login (status 407); "))
                && text.contains("setting proxy"),
            "{text}"
        );
        assert!(!text.contains("wrong-pass"), "{text}");
    }
}

#[test]
fn a_proxy_that_is_not_there_is_named() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let down = http(&Transport {
        proxy: Some(ProxyEndpoint {
            url: format!("http://{free}"),
            login: Some(("u".to_owned(), Secret::new("some-pass"))),
        }),
        ..transport()
    });
    for url in ["http://jenkins.invalid/", "https://jenkins.invalid/"] {
        let error = send(&down, Method::POST, url).unwrap_err();
        let text = error.to_string();
        assert!(
            error.not_sent() && text.contains("jenkins.invalid by the proxy 127.0.0.1:"),
            "{text}"
        );
        assert!(text.ends_with("; see the setting proxy"), "{text}");
        assert!(!format!("{text}{down:?}").contains("some-pass"), "{text}");
    }
}

#[test]
fn what_a_proxy_echoes_of_its_login_is_hidden() {
    let fake = Scripted::start(vec![Canned::new(502, &[], "denied to u:some-pass dTpzb21lLXBhc3M=")]);
    let reply = get(&proxied(&fake, Some(("u", "some-pass"))), "http://jenkins.invalid/").unwrap();
    assert_eq!((reply.status, reply.excerpt()), (502, "denied to u:*** ***".to_owned()));
}

#[test]
fn after_the_deadline_nothing_is_sent() {
    let http = Http::new("test", &transport(), Deadline::after(Duration::ZERO)).unwrap();
    let error = get(&http, "http://127.0.0.1:1/").unwrap_err();
    assert!(
        error.not_sent() && error.to_string().contains("pass_deadline"),
        "{error}"
    );
    assert_eq!(http.requests(), 0);
}

#[test]
fn a_bad_setting_names_itself() {
    let setting = |transport: Transport| Http::new("test", &transport, Deadline::none()).unwrap_err().to_string();
    let missing = Transport {
        ca_file: Some("/nonexistent/ca.pem".into()),
        ..transport()
    };
    assert!(setting(missing).starts_with("ca_file /nonexistent/ca.pem: "));
    let empty = Transport {
        ca_file: Some("/dev/null".into()),
        ..transport()
    };
    assert!(setting(empty).contains("no PEM certificate"));
    let only = Transport {
        ca_file: Some("/dev/null".into()),
        ca_file_only: true,
        ..transport()
    };
    assert!(setting(only).contains("no PEM certificate"));
    let proxy = Transport {
        proxy: Some(ProxyEndpoint {
            url: "::".to_owned(),
            login: None,
        }),
        ..transport()
    };
    assert!(setting(proxy).starts_with("proxy: "));
    assert!(matches!(
        get(&http(&transport()), "http://[::"),
        Err(HttpError::Setting { .. })
    ));
}

/// A server's half of TLS, with the certificate of `tests/fixtures/http`.
fn tls_config() -> Arc<ServerConfig> {
    let certificate = CertificateDer::from_pem_slice(include_bytes!("../../tests/fixtures/http/server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("../../tests/fixtures/http/server.key")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = builder
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key);
    Arc::new(config.unwrap())
}

/// Asks a service whose certificate a CA of its own has signed.
fn get_sealed(transport: &Transport) -> Result<Vec<u8>, HttpError> {
    let config = tls_config();
    let wrap = move |stream| StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), stream);
    let fake = Scripted::start_over(
        wrap,
        vec![Canned::new(200, &[], "sealed"), Canned::new(200, &[], "again")],
    );
    let http = http(transport);
    let body = get(&http, &fake.url("/").replace("http:", "https:")).map(|reply| reply.body)?;
    assert_eq!(
        get(&http, &fake.url("/").replace("http:", "https:")).unwrap().body,
        b"again"
    );
    Ok(body)
}

#[test]
fn a_private_ca_is_trusted_when_it_is_named() {
    let ca_file = Some(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/http/ca.pem").into());
    for ca_file_only in [false, true] {
        let named = Transport {
            ca_file: ca_file.clone(),
            ca_file_only,
            ..transport()
        };
        assert_eq!(get_sealed(&named).unwrap(), b"sealed");
    }
    let unverified = Transport {
        verify: false,
        ..transport()
    };
    assert_eq!(get_sealed(&unverified).unwrap(), b"sealed");
    let error = get_sealed(&transport()).unwrap_err();
    let text = error.to_string();
    assert!(error.not_sent() && text.contains("UnknownIssuer; trusted: "), "{text}");
    assert!(text.ends_with(", or name its file by ca_file"), "{text}");
    let other = Some(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/http/server.pem").into());
    for (ca_file_only, advice) in [
        (false, "; add the CA of this service to the file of ca_file"),
        (
            true,
            "; add the CA of this service to the file of ca_file, or remove ca_file_only",
        ),
    ] {
        let named = Transport {
            ca_file: other.clone(),
            ca_file_only,
            ..transport()
        };
        let text = get_sealed(&named).unwrap_err().to_string();
        assert!(text.ends_with(advice), "{text}");
    }
}

#[test]
fn plain_http_spoken_to_a_port_of_tls_is_asked_about() {
    let config = tls_config();
    let wrap = move |stream| StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), stream);
    let sealed = Scripted::start_over(wrap, vec![Canned::new(200, &[], "sealed")]);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = format!("http://{}/", listener.local_addr().unwrap());
    let other = std::thread::spawn(move || drop(listener.accept()));
    // What answers has bytes that are no HTTP, or closes the connection.
    for url in [sealed.url("/"), closed] {
        let text = get(&http(&transport()), &url).unwrap_err().to_string();
        assert!(text.ends_with("; is it https://, or another port?"), "{text}");
    }
    other.join().unwrap();
}

#[test]
fn a_header_is_bytes() {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("x-ascii", &b"mita"[..]),
        ("x-latin", b"jos\xe9"),
        ("x-utf", "jos\u{e9}".as_bytes()),
    ] {
        headers.insert(name, ureq::http::HeaderValue::from_bytes(value).unwrap());
    }
    let reply = Reply {
        status: 200,
        headers,
        body: Vec::new(),
    };
    let text = |name: &str| reply.header_text(name);
    assert_eq!(text("x-ascii").as_deref(), Some("mita"));
    assert_eq!(text("x-latin").as_deref(), Some("jos\u{e9}"));
    assert_eq!(text("x-utf").as_deref(), Some("jos\u{e9}"));
    assert_eq!(text("x-none"), None);
    assert_eq!(reply.header("x-latin"), None);
}
