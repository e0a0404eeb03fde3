//! How connections leave this machine: through which proxy, and which certificate authorities are believed.
//!
//! What `[network]` of agent.toml says comes before the environment (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`
//! and their lower-case forms). This machine itself is never asked through a proxy.

use std::{
    fs, io,
    net::IpAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use ureq::{
    Agent, Proxy, ProxyProtocol,
    http::Uri,
    tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem},
};

/// The largest file of certificates or of a secret that is read.
const MAX_FILE: u64 = 4 * 1024 * 1024;

/// `[network]` of agent.toml.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkConfig {
    /// `http://host:port` or `https://host:port` of a proxy, or `direct` for none; by default what the environment says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy: Option<String>,
    /// User name at the proxy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy_user: Option<String>,
    /// File that holds the password at the proxy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy_password_file: Option<PathBuf>,
    /// Hosts that are reached without the proxy: names with all below them, addresses, networks as `10.0.0.0/8`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub no_proxy: Vec<String>,
    /// PEM file of certificate authorities that are believed instead of the public ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
}

impl NetworkConfig {
    /// Whether nothing is set.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// A setting that cannot be used, with its key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{key}`: {why}")]
pub struct NetworkError {
    /// The key of agent.toml, or the variable of the environment.
    pub key: String,
    /// What is wrong with it.
    pub why: String,
}

/// How connections leave this machine.
#[derive(Debug, Clone, Default)]
pub struct Network {
    /// For `https://` and for `http://`.
    https: Option<Proxy>,
    http: Option<Proxy>,
    direct: Vec<Direct>,
    authorities: Option<Vec<Certificate<'static>>>,
}

/// A host, or many, that is reached without a proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Direct {
    All,
    Name(String),
    Net(IpAddr, u8),
}

/// Time-outs of exchanges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For a connection to be made, TLS included.
    pub connect: Duration,
    /// For the whole exchange.
    pub whole: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), whole: Duration::from_mins(1) }
    }
}

/// HTTP clients of one purpose: direct, and through the proxies.
#[derive(Debug, Clone)]
pub struct Client {
    network: Network,
    direct: Agent,
    https: Option<Agent>,
    http: Option<Agent>,
}

impl Network {
    /// What the configuration and this process's environment say.
    ///
    /// # Errors
    /// Names the key whose value cannot be used.
    pub fn from_env(config: &NetworkConfig) -> Result<Self, NetworkError> {
        Self::new(config, |name| std::env::var(name).ok())
    }

    /// What the configuration and an environment say.
    ///
    /// # Errors
    /// As [`Network::from_env`].
    pub fn new(config: &NetworkConfig, env: impl Fn(&str) -> Option<String>) -> Result<Self, NetworkError> {
        let mut network = Self::default();
        match config.proxy.as_deref() {
            Some("direct") => {}
            Some(given) => {
                let proxy = configured_proxy(config, given)?;
                (network.https, network.http) = (Some(proxy.clone()), Some(proxy));
            }
            None => {
                if let Some(unused) =
                    [config.proxy_user.is_some(), config.proxy_password_file.is_some()].iter().position(|set| *set)
                {
                    let key = ["network.proxy_user", "network.proxy_password_file"][unused];
                    return Err(wrong(key, "it needs `network.proxy` beside it"));
                }
                network.https = proxy_from(&env, &["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])?;
                network.http = proxy_from(&env, &["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])?;
            }
        }
        for host in &config.no_proxy {
            network.direct.push(Direct::parse(host).ok_or_else(|| {
                wrong("network.no_proxy", &format!("`{host}` is neither a host nor a network such as 10.0.0.0/8"))
            })?);
        }
        let listed = ["NO_PROXY", "no_proxy"].iter().find_map(|name| env(name)).unwrap_or_default();
        // What others wrote for other programs is taken as far as it is understood.
        network.direct.extend(listed.split(',').filter_map(Direct::parse));
        if let Some(path) = &config.ca_file {
            network.authorities = Some(read_authorities("network.ca_file", path)?);
        }
        Ok(network)
    }

    /// The same with other authorities believed.
    ///
    /// # Errors
    /// When the file holds none.
    pub fn trusting(&self, key: &str, ca_file: Option<&Path>) -> Result<Self, NetworkError> {
        let mut network = self.clone();
        if let Some(path) = ca_file {
            network.authorities = Some(read_authorities(key, path)?);
        }
        Ok(network)
    }

    /// The proxy through which an address is reached; none when it is reached directly.
    pub fn proxy_for(&self, uri: &Uri) -> Option<&Proxy> {
        let host = uri.host()?.trim_start_matches('[').trim_end_matches(']');
        if is_loopback(host) || self.direct.iter().any(|direct| direct.covers(host)) {
            return None;
        }
        if uri.scheme_str() == Some("http") { self.http.as_ref() } else { self.https.as_ref() }
    }

    /// The authorities that are believed; none means the public ones.
    pub fn authorities(&self) -> Option<&[Certificate<'static>]> {
        self.authorities.as_deref()
    }

    /// Clients for a purpose. They follow no redirect: one could lead signed requests, or a token, to a server that nobody
    /// configured.
    pub fn client(&self, timeouts: Timeouts) -> Client {
        let certificates = self.authorities.clone();
        let roots = certificates.map_or(RootCerts::WebPki, RootCerts::from);
        let agent = |proxy: Option<&Proxy>| {
            Agent::config_builder()
                .timeout_connect(Some(timeouts.connect))
                .timeout_global(Some(timeouts.whole))
                .http_status_as_error(false)
                .max_redirects(0)
                .max_redirects_will_error(false)
                .proxy(proxy.cloned())
                .tls_config(TlsConfig::builder().root_certs(roots.clone()).build())
                .user_agent(concat!("tenure-agent/", env!("CARGO_PKG_VERSION")))
                .build()
                .new_agent()
        };
        let through = |proxy: &Option<Proxy>| proxy.as_ref().map(|proxy| agent(Some(proxy)));
        Client { direct: agent(None), https: through(&self.https), http: through(&self.http), network: self.clone() }
    }
}

impl Client {
    /// The client that reaches an address.
    pub fn for_uri(&self, uri: &Uri) -> &Agent {
        let through = if uri.scheme_str() == Some("http") { &self.http } else { &self.https };
        match (self.network.proxy_for(uri), through) {
            (Some(_), Some(agent)) => agent,
            _ => &self.direct,
        }
    }
}

impl Direct {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        if text == "*" {
            return Some(Self::All);
        }
        if let Some((address, bits)) = text.split_once('/') {
            let (address, bits) = (address.parse::<IpAddr>().ok()?, bits.parse::<u8>().ok()?);
            let most = if address.is_ipv4() { 32 } else { 128 };
            return (bits <= most).then_some(Self::Net(address, bits));
        }
        let name = text.trim_start_matches("*.").trim_start_matches('.').trim_end_matches('.');
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
        (!name.is_empty() && name.chars().all(plain)).then(|| Self::Name(name.to_owned()))
    }

    fn covers(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        match self {
            Self::All => true,
            Self::Name(name) => {
                host == *name || host.strip_suffix(name.as_str()).is_some_and(|before| before.ends_with('.'))
            }
            Self::Net(net, bits) => host.parse().is_ok_and(|address| same_net(*net, address, *bits)),
        }
    }
}

fn same_net(net: IpAddr, address: IpAddr, bits: u8) -> bool {
    let (net, address, width) = match (net, address) {
        (IpAddr::V4(net), IpAddr::V4(address)) => (u128::from(net.to_bits()), u128::from(address.to_bits()), 32),
        (IpAddr::V6(net), IpAddr::V6(address)) => (net.to_bits(), address.to_bits(), 128),
        _ => return false,
    };
    let rest = width - u32::from(bits);
    net.checked_shr(rest).unwrap_or(0) == address.checked_shr(rest).unwrap_or(0)
}

/// Whether a host is this machine itself.
pub(crate) fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// The first line of a file that holds a secret.
pub(crate) fn read_secret(path: &Path) -> Result<String, String> {
    let text = read_small(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let text = String::from_utf8(text).map_err(|_| format!("{} is not text", path.display()))?;
    let secret = text.lines().next().unwrap_or_default().trim().to_owned();
    if secret.is_empty() {
        return Err(format!("{} is empty", path.display()));
    }
    if !secret.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
        return Err(format!("{} holds characters that cannot be sent", path.display()));
    }
    Ok(secret)
}

fn read_small(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    io::Read::read_to_end(&mut io::Read::take(fs::File::open(path)?, MAX_FILE), &mut bytes)?;
    Ok(bytes)
}

fn read_authorities(key: &str, path: &Path) -> Result<Vec<Certificate<'static>>, NetworkError> {
    let pem = read_small(path).map_err(|error| wrong(key, &format!("cannot read {}: {error}", path.display())))?;
    let mut certificates = Vec::new();
    for item in parse_pem(&pem) {
        let item = item.map_err(|error| wrong(key, &format!("{} is not PEM: {error}", path.display())))?;
        if let PemItem::Certificate(certificate) = item {
            certificates.push(certificate);
        }
    }
    if certificates.is_empty() {
        return Err(wrong(key, &format!("{} holds no certificate", path.display())));
    }
    Ok(certificates)
}

fn configured_proxy(config: &NetworkConfig, given: &str) -> Result<Proxy, NetworkError> {
    const KEY: &str = "network.proxy";
    let proxy = parse_proxy(KEY, given)?;
    let Some(user) = &config.proxy_user else {
        return match &config.proxy_password_file {
            Some(_) => Err(wrong("network.proxy_password_file", "it needs `network.proxy_user` beside it")),
            None => Ok(proxy),
        };
    };
    let mut builder = Proxy::builder(proxy.protocol()).host(proxy.host()).port(proxy.port()).username(user);
    if let Some(path) = &config.proxy_password_file {
        builder = builder.password(&read_secret(path).map_err(|why| wrong("network.proxy_password_file", &why))?);
    }
    builder.build().map_err(|_| wrong(KEY, "user and password cannot be sent"))
}

fn proxy_from(env: &impl Fn(&str) -> Option<String>, names: &[&str]) -> Result<Option<Proxy>, NetworkError> {
    let set = names.iter().find_map(|name| Some((name, env(name)?)));
    match set {
        Some((name, value)) if !value.trim().is_empty() => parse_proxy(name, value.trim()).map(Some),
        _ => Ok(None),
    }
}

/// The value may hold a password, so an error does not repeat it.
fn parse_proxy(key: &str, given: &str) -> Result<Proxy, NetworkError> {
    let unusable = || wrong(key, "not the address of a proxy, as http://proxy.example.com:3128");
    let proxy = Proxy::new(given).map_err(|_| unusable())?;
    match proxy.protocol() {
        ProxyProtocol::Http | ProxyProtocol::Https => Ok(proxy),
        other => Err(wrong(key, &format!("{other} proxies are not spoken with, only http:// and https://"))),
    }
}

fn wrong(key: &str, why: &str) -> NetworkError {
    NetworkError { key: key.to_owned(), why: why.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(config: &NetworkConfig, env: &[(&str, &str)]) -> Result<Network, NetworkError> {
        Network::new(config, |name| env.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
    }

    fn through(network: &Network, address: &str) -> Option<String> {
        let proxy = network.proxy_for(&address.parse().unwrap())?;
        Some(format!("{}:{}", proxy.host(), proxy.port()))
    }

    #[test]
    fn the_environment_names_proxies_and_exceptions() {
        let env = [
            ("https_proxy", "http://one:3128"),
            ("ALL_PROXY", "two:8080"),
            ("NO_PROXY", "example.org, .internal,10.0.0.0/8 ,192.0.2.7,fd00::/8"),
        ];
        let network = network(&NetworkConfig::default(), &env).unwrap();
        assert_eq!(through(&network, "https://license.example.com").as_deref(), Some("one:3128"));
        assert_eq!(through(&network, "http://license.example.com").as_deref(), Some("two:8080"));
        for direct in [
            "https://example.org",
            "https://license.example.org:8443",
            "https://LICENSE.internal",
            "https://10.2.3.4",
            "https://192.0.2.7",
            "https://[fd00::7]",
            "http://localhost:80",
            "http://127.0.0.1:80",
            "http://[::1]:80",
        ] {
            assert_eq!(through(&network, direct), None, "{direct}");
        }
        for proxied in ["https://myexample.org", "https://11.0.0.1", "https://192.0.2.70", "https://[fe00::7]"] {
            assert!(through(&network, proxied).is_some(), "{proxied}");
        }
    }

    #[test]
    fn the_configuration_comes_before_the_environment() {
        let env = [("HTTPS_PROXY", "http://one:3128"), ("NO_PROXY", "*")];
        let direct = NetworkConfig { proxy: Some("direct".into()), ..NetworkConfig::default() };
        assert_eq!(through(&network(&direct, &env).unwrap(), "https://a.example"), None);
        let dir = tempfile::tempdir().unwrap();
        let password = dir.path().join("password");
        fs::write(&password, "p@ss:word\n").unwrap();
        let config = NetworkConfig {
            proxy: Some("http://proxy.example.com:3128".into()),
            proxy_user: Some("agent".into()),
            proxy_password_file: Some(password),
            no_proxy: vec!["b.example".into()],
            ca_file: None,
        };
        let network = network(&config, &env[..1]).unwrap();
        let proxy = network.proxy_for(&"https://a.example".parse().unwrap()).unwrap();
        assert_eq!((proxy.host(), proxy.port()), ("proxy.example.com", 3128));
        assert_eq!((proxy.username(), proxy.password()), (Some("agent"), Some("p@ss:word")));
        assert_eq!(through(&network, "https://b.example"), None);
    }

    #[test]
    fn what_cannot_be_used_is_named_without_its_secret() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("x");
        fs::write(&file, "").unwrap();
        let config = |change: &dyn Fn(&mut NetworkConfig)| {
            let mut config = NetworkConfig { proxy: Some("http://proxy:1".into()), ..NetworkConfig::default() };
            change(&mut config);
            network(&config, &[]).unwrap_err().to_string()
        };
        let cases = [
            (config(&|c| c.proxy = Some("socks5://u:secret@p:1".into())), "`network.proxy`: SOCKS5 proxies are not"),
            (config(&|c| c.proxy = Some("http://u:secret@".into())), "`network.proxy`: not the address"),
            (config(&|c| c.proxy_password_file = Some(file.clone())), "needs `network.proxy_user`"),
            (
                config(&|c| {
                    c.proxy_user = Some("u".into());
                    c.proxy_password_file = Some(file.clone());
                }),
                "`network.proxy_password_file`: ",
            ),
            (config(&|c| c.no_proxy = vec!["10.0.0.0/40".into()]), "`network.no_proxy`: `10.0.0.0/40`"),
            (config(&|c| c.ca_file = Some(file.clone())), "holds no certificate"),
            (config(&|c| c.ca_file = Some("/nonexistent".into())), "`network.ca_file`: cannot read /nonexistent"),
            (
                config(&|c| {
                    c.proxy = None;
                    c.proxy_user = Some("u".into());
                }),
                "needs `network.proxy`",
            ),
            (
                network(&NetworkConfig::default(), &[("HTTPS_PROXY", "ftp://u:secret@p")]).unwrap_err().to_string(),
                "`HTTPS_PROXY`: ",
            ),
        ];
        for (said, needle) in cases {
            assert!(said.contains(needle) && !said.contains("secret"), "{said} should say {needle}");
        }
    }
}
