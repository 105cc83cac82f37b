//! Who may read a served report.
//!
//! In: the headers of a request. Out: whether it is answered. On the loopback interface the name
//! that the browser asked for must be a name of it, which a page from elsewhere that rebinds its
//! own name cannot give. Elsewhere every request needs the token besides.

use std::net::IpAddr;

use blake3::Hash;

use crate::diag::Diagnostic;

/// Rules for requests.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    /// The name under which the report is served.
    host: String,
    token: Option<Hash>,
    /// Name of the cookie that holds the token once it was given. Browsers send a cookie to all ports of
    /// a machine, where other reports may be served.
    cookie: String,
}

/// What to do with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// Answer it.
    Open,
    /// The token is in the address: put it into a cookie and send the browser on.
    Welcome,
    /// The name is not one of ours.
    WrongHost,
    /// There is no token, or a wrong one.
    NoToken,
}

impl Guard {
    pub(super) fn new(host: &str, port: u16, token: Option<&str>) -> Self {
        let cookie = format!("veracity-token-{port}");
        Self { host: host.to_ascii_lowercase(), token: token.map(digest), cookie }
    }

    /// The cookie that lets in whoever has given a token.
    pub(super) fn cookie(&self, token: &str) -> String {
        // A strict one would not come along when a link elsewhere leads here; requests that do something
        // name their origin besides.
        format!("{}={token}; HttpOnly; SameSite=Lax; Path=/", self.cookie)
    }

    /// Decides about a request by its `Host`, its cookies and the token in its address.
    pub(super) fn entry(&self, host: Option<&str>, cookies: &str, given: Option<&str>) -> Entry {
        if !host.is_some_and(|host| self.is_ours(host)) {
            return Entry::WrongHost;
        }
        let Some(token) = self.token else { return Entry::Open };
        // Digests are compared, in a time that does not depend on where they differ.
        if given.is_some_and(|given| digest(given) == token) {
            return Entry::Welcome;
        }
        let known = cookies
            .split(';')
            .filter_map(|cookie| cookie.trim().split_once('='))
            .any(|(name, value)| name == self.cookie && digest(value) == token);
        if known { Entry::Open } else { Entry::NoToken }
    }

    fn is_ours(&self, host: &str) -> bool {
        let name = without_port(host).to_ascii_lowercase();
        let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        let is_loopback = name == "localhost" || address.as_ref().is_ok_and(IpAddr::is_loopback);
        // A rebound name is a name, never an address.
        is_loopback || self.token.is_some() && (name == self.host || address.is_ok())
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

fn digest(token: &str) -> Hash {
    blake3::hash(token.as_bytes())
}

/// A token that nobody can guess.
///
/// # Errors
/// If the system has no random numbers.
pub(super) fn new_token() -> Result<String, Diagnostic> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| {
        Diagnostic::global("token", format!("the system gives no random numbers: {error}"))
    })?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_from_elsewhere_cannot_rebind_its_name_to_ours() {
        let guard = Guard::new("127.0.0.1", 4040, None);
        for host in ["localhost:4040", "127.0.0.1:4040", "[::1]:4040", "LocalHost", "127.0.0.1"] {
            assert_eq!(guard.entry(Some(host), "", None), Entry::Open, "{host}");
        }
        for host in ["evil.example:4040", "localhost.evil.example", "10.0.0.1:4040", ""] {
            assert_eq!(guard.entry(Some(host), "", None), Entry::WrongHost, "{host}");
        }
        assert_eq!(guard.entry(None, "", None), Entry::WrongHost);
    }

    #[test]
    fn elsewhere_nothing_is_shown_without_the_token() {
        let guard = Guard::new("0.0.0.0", 4040, Some("secret"));
        let host = Some("192.168.0.7:4040");
        assert_eq!(guard.entry(host, "", None), Entry::NoToken);
        assert_eq!(guard.entry(host, "", Some("secre")), Entry::NoToken);
        assert_eq!(guard.entry(host, "", Some("secret")), Entry::Welcome);
        assert_eq!(
            guard.entry(host, "veracity-token-4041=other; veracity-token-4040=secret", None),
            Entry::Open
        );
        assert_eq!(guard.entry(host, "veracity-token-4040=other", None), Entry::NoToken);
        assert_eq!(guard.entry(host, "veracity-token-4041=secret", None), Entry::NoToken);
        assert!(guard.cookie("secret").starts_with("veracity-token-4040=secret;"));
        assert_eq!(guard.entry(Some("evil.example"), "", Some("secret")), Entry::WrongHost);
    }
}
