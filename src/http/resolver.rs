//! Resolves the name of a host once in a pass.
//!
//! ureq's own resolver is asked before each request, also where the connection is there already, and starts a thread for
//! it each time: a DNS server that is slow would slow down every request, and one that fails end a pass in its middle.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// Remembers what names resolved to. It lives as long as the client: a pass.
#[derive(Debug)]
pub(super) struct PassResolver<R = DefaultResolver> {
    resolver: R,
    /// By `host:port`.
    known: Mutex<HashMap<String, Vec<SocketAddr>>>,
}

impl<R> PassResolver<R> {
    pub(super) fn new(resolver: R) -> Self {
        Self {
            resolver,
            known: Mutex::default(),
        }
    }
}

impl<R: Resolver> PassResolver<R> {
    fn listed(&self, addresses: &[SocketAddr]) -> ResolvedSocketAddrs {
        let mut list = self.empty();
        for address in addresses {
            list.push(*address);
        }
        list
    }
}

impl<R: Resolver> Resolver for PassResolver<R> {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let parts = uri.scheme().zip(uri.authority());
        let Some(place) = parts.and_then(|(scheme, authority)| DefaultResolver::host_and_port(scheme, authority))
        else {
            return self.resolver.resolve(uri, config, timeout);
        };
        if let Ok(address) = place.parse::<SocketAddr>() {
            return Ok(self.listed(&[address]));
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(addresses) = known.get(&place) {
            return Ok(self.listed(addresses));
        }
        let found = self.resolver.resolve(uri, config, timeout)?;
        known.insert(place, found.to_vec());
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use ureq::Timeout;

    use super::*;

    /// Knows one host, after the first time.
    #[derive(Debug, Default)]
    struct OneHost(AtomicU32);

    impl Resolver for OneHost {
        fn resolve(&self, uri: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
            if self.0.fetch_add(1, Ordering::Relaxed) == 0 || uri.host() != Some("jenkins.example.com") {
                return Err(Error::HostNotFound);
            }
            let mut found = self.empty();
            found.push(([10, 0, 0, 1], 443).into());
            found.push(([10, 0, 0, 2], 443).into());
            Ok(found)
        }
    }

    fn check(resolver: &PassResolver<OneHost>, uri: &str, expected: Option<&[&str]>, asked: u32) {
        let timeout = NextTimeout {
            after: ureq::unversioned::transport::time::Duration::from_secs(1),
            reason: Timeout::Resolve,
            ..NextTimeout::default()
        };
        let found = resolver.resolve(&uri.parse().unwrap(), &Config::default(), timeout);
        let found = found
            .ok()
            .map(|found| found.iter().map(SocketAddr::to_string).collect::<Vec<_>>());
        let expected = expected.map(|all| all.iter().map(|one| (*one).to_owned()).collect());
        assert_eq!(found, expected, "{uri}");
        assert_eq!(resolver.resolver.0.load(Ordering::Relaxed), asked, "{uri}");
    }

    #[test]
    fn a_name_is_resolved_until_it_is_known_and_an_address_never() {
        let resolver = PassResolver::new(OneHost::default());
        let both = ["10.0.0.1:443", "10.0.0.2:443"];
        check(&resolver, "https://jenkins.example.com/a", None, 1);
        check(&resolver, "https://jenkins.example.com/a", Some(&both), 2);
        check(&resolver, "https://jenkins.example.com:443/b?c", Some(&both), 2);
        check(&resolver, "https://other.example.com/", None, 3);
        check(&resolver, "http://192.0.2.1/", Some(&["192.0.2.1:80"]), 3);
        check(
            &resolver,
            "https://[2001:db8::1]:8443/",
            Some(&["[2001:db8::1]:8443"]),
            3,
        );
    }
}
