//! The way to the services: whose certificates are trusted, and a proxy.

use std::fs;
use std::path::{Path, PathBuf};

use super::fronts::{FakeProxy, TlsFront};
use super::program::Done;
use super::site::{Site, job};

/// A site whose Jenkins and whose cloud speak TLS, with a certificate of a company's own CA.
struct Sealed {
    site: Site,
    jenkins: TlsFront,
    cloud: TlsFront,
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/http")
        .join(name)
}

impl Sealed {
    fn new() -> Self {
        let site = Site::new();
        let sealed = Self {
            jenkins: TlsFront::start(site.jenkins.port()),
            cloud: TlsFront::start(site.cloud.port()),
            site,
        };
        for (front, port) in [
            (&sealed.jenkins, sealed.site.jenkins.port()),
            (&sealed.cloud, sealed.site.cloud.port()),
        ] {
            let url = format!("https://127.0.0.1:{}", front.port());
            sealed.site.change_config(&format!("http://127.0.0.1:{port}"), &url);
        }
        sealed.site.world.submit(job("build", "linux"));
        sealed
    }

    /// Adds lines to both sections.
    fn set(&self, lines: &str) {
        self.site
            .change_config("jenkins:\n", &format!("jenkins:\n{}", indented(lines, 2)));
        self.site
            .change_config("  openstack:\n", &format!("  openstack:\n{}", indented(lines, 4)));
    }

    fn run(&self, env: &[(&str, &Path)]) -> Done {
        let mut command = self.site.command(&["run", "-vv"]);
        command.env_remove("SSL_CERT_FILE").env_remove("SSL_CERT_DIR");
        command.envs(env.iter().copied());
        Done::of(command.output().unwrap())
    }

    fn servers(&self) -> usize {
        self.site.world.with(|world| world.cloud("openstack").servers.len())
    }
}

fn indented(lines: &str, by: usize) -> String {
    let line = |line: &str| [&" ".repeat(by), line, "\n"].concat();
    lines.lines().map(line).collect()
}

#[test]
fn a_ca_of_the_machines_store_needs_no_setting() {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(fixture("ca.pem"), folder.path().join("company.crt")).unwrap();
    fs::write(folder.path().join("a-damaged.crt"), "-----BEGIN CERTIFICATE-----\n!!\n").unwrap();
    for (variable, place) in [
        ("SSL_CERT_FILE", fixture("ca.pem")),
        ("SSL_CERT_DIR", folder.path().to_owned()),
    ] {
        let sealed = Sealed::new();
        let done = sealed.run(&[(variable, &place)]).good();
        assert_eq!(sealed.servers(), 1, "{}", done.err);
        assert_eq!(
            done.requests("tls: trusted: "),
            1,
            "read once, by whichever service: {}",
            done.err
        );
        assert!(
            done.requests("GET https://") > 3 && done.requests("POST https://") == 2,
            "{}",
            done.err
        );
    }
}

#[test]
fn a_ca_that_nobody_knows_is_refused_with_what_was_trusted() {
    let sealed = Sealed::new();
    let other = fixture("server.pem");
    let done = sealed.run(&[("SSL_CERT_FILE", &other)]);
    assert_eq!(done.code, 4, "{}", done.err);
    let said = format!(
        "invalid peer certificate: UnknownIssuer; trusted: SSL_CERT_FILE {} (1 certificate); add the CA of this service to \
         what SSL_CERT_FILE names, or name its file by ca_file",
        other.display()
    );
    assert!(done.err.contains(&said), "{}", done.err);
    assert_eq!(sealed.servers(), 0);
    // The machine's own store, whatever is in it, lacks this CA.
    let done = sealed.run(&[]);
    assert_eq!(done.code, 4, "{}", done.err);
    assert!(
        done.err.contains("trusted: this machine's store /") || done.err.contains("trusted: Mozilla's list"),
        "{}",
        done.err
    );
}

#[test]
fn ca_file_is_trusted_beside_the_store_or_alone() {
    let (right, other) = (fixture("ca.pem"), fixture("server.pem"));
    let named = |path: &Path, more: &str| format!("ca_file: {}\n{more}", path.display());
    for (ca_file, only, store, good) in [
        (&right, false, &other, true),
        (&other, false, &right, true),
        (&right, true, &other, true),
        (&other, true, &right, false),
    ] {
        let sealed = Sealed::new();
        sealed.set(&named(ca_file, &format!("ca_file_only: {only}")));
        let done = sealed.run(&[("SSL_CERT_FILE", store)]);
        assert_eq!(done.code, if good { 0 } else { 4 }, "{only}: {}", done.err);
        assert_eq!(
            done.requests("tls: trusted: "),
            usize::from(!only),
            "the store is not read: {}",
            done.err
        );
        let alone = format!("trusted: ca_file {} (1 certificate);", ca_file.display());
        assert_eq!(done.err.contains(&alone), !good, "{}", done.err);
    }
}

#[test]
fn plain_http_and_verify_false_read_no_store() {
    let site = Site::new();
    let done = Done::of(site.command(&["run", "-vv"]).output().unwrap()).good();
    assert!(
        done.err.contains("GET http://") && !done.err.contains("tls: "),
        "{}",
        done.err
    );
    let sealed = Sealed::new();
    sealed.set("verify: false");
    let done = sealed.run(&[]).good();
    assert!(
        done.err.contains("GET https://") && !done.err.contains("tls: "),
        "{}",
        done.err
    );
}

/// A pass by a proxy with a login: `ci@x` and `p%/:`. Returns the first lines of the requests that it got.
fn pass_by_proxy(site: &Site, hosts: &[(&str, u16)]) -> Vec<String> {
    let proxy = FakeProxy::start(hosts, Some("Basic Y2lAeDpwJS86"));
    let line = format!("proxy: http://ci%40x:p%25%2F%3A@{}\n", proxy.address);
    site.change_config("jenkins:\n", &format!("jenkins:\n  {line}"));
    site.change_config("  openstack:\n", &format!("  openstack:\n    {line}"));
    let mut command = site.command(&["run", "-vv"]);
    let done = Done::of(command.env("SSL_CERT_FILE", fixture("ca.pem")).output().unwrap()).good();
    assert_eq!(site.world.with(|world| world.cloud("openstack").servers.len()), 1);
    for secret in ["p%/:", "p%25%2F%3A", "Y2lAeDpwJS86"] {
        assert!(!done.err.contains(secret), "{secret}: {}", done.err);
    }
    let config = Done::of(site.command(&["config"]).output().unwrap()).good();
    assert!(
        config.out.contains("proxy: http://ci%40x:***@127.0.0.1:"),
        "{}",
        config.out
    );
    assert!(!config.out.contains("p%25"), "{}", config.out);
    proxy.lines()
}

#[test]
fn plain_http_is_handed_to_the_proxy() {
    let site = Site::new();
    site.world.submit(job("build", "linux"));
    let (jenkins, cloud) = (site.jenkins.port(), site.cloud.port());
    site.change_config(&format!("http://127.0.0.1:{jenkins}"), "http://jenkins.test:8080");
    site.change_config(&format!("http://127.0.0.1:{cloud}"), "http://cloud.test");
    let lines = pass_by_proxy(&site, &[("jenkins.test:8080", jenkins), ("cloud.test:80", cloud)]);
    assert!(
        lines[0].starts_with("GET http://jenkins.test:8080/jenkins/"),
        "{lines:?}"
    );
    assert!(
        lines.contains(&"POST http://cloud.test/compute/v2.1/servers".to_owned()),
        "{lines:?}"
    );
    assert!(!lines.iter().any(|line| line.starts_with("CONNECT")), "{lines:?}");
}

#[test]
fn https_goes_through_a_tunnel_of_the_proxy() {
    let sealed = Sealed::new();
    let (jenkins, cloud) = (sealed.jenkins.port(), sealed.cloud.port());
    let hosts = [jenkins, cloud].map(|port| (format!("127.0.0.1:{port}"), port));
    let hosts = [(hosts[0].0.as_str(), jenkins), (hosts[1].0.as_str(), cloud)];
    let lines = pass_by_proxy(&sealed.site, &hosts);
    let tunnels = hosts.map(|(host, _)| format!("CONNECT {host}"));
    assert_eq!(lines, tunnels, "one for each service, and nothing else");
}

#[test]
fn a_proxy_that_refuses_the_login_is_said() {
    let site = Site::new();
    let proxy = FakeProxy::start(&[], Some("Basic Og=="));
    let password = site.path("proxy-password");
    fs::write(&password, "from-the-file\n").unwrap();
    let lines = format!(
        "proxy: http://ci@{}\n  proxy_password_file: proxy-password\n",
        proxy.address
    );
    site.change_config("jenkins:\n", &format!("jenkins:\n  {lines}"));
    let done = Done::of(site.command(&["run"]).output().unwrap());
    assert_eq!(done.code, 4, "{}", done.err);
    let said = format!(
        "the proxy {} refuses the login (status 407); the proxy wants a login",
        proxy.address
    );
    assert!(done.err.contains(&said), "{}", done.err);
    assert!(!done.err.contains("from-the-file"), "{}", done.err);
}
