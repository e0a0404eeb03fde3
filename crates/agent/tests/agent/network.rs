//! The way to the server: private authorities, proxies with a password, and what the doctor says of each.

use std::{fs, path::PathBuf, sync::Arc};

use tenure_agent::{
    LicenseKeeper, clock_for,
    config::{Config, parse_collector},
    doctor::{Finding, Level, examine},
    http::HttpTransport,
    network::{Network, NetworkConfig},
    system::SystemRng,
    transport::Transport,
};

use crate::{
    http::{Authority, ConnectProxy, serve_tls},
    peer::Peer,
    world::{TestClock, TestRng, at},
};

const NAME: &str = "license.example.com";
/// `agent:p@ss` in base64.
const CREDENTIALS: &str = "YWdlbnQ6cEBzcw==";

/// A server of a private authority, reached through a proxy that asks for a password.
struct Site {
    dir: tempfile::TempDir,
    peer: Peer,
    proxy: ConnectProxy,
    config: Config,
}

impl Site {
    fn new() -> Self {
        Self::with(&Authority::new(NAME, 2100), Some(CREDENTIALS))
    }

    fn with(authority: &Authority, credentials: Option<&'static str>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let peer = Peer::new(TestClock::new(at("2026-01-10T08:00:00Z")), TestRng::new(5));
        let server = serve_tls(peer.clone(), Arc::clone(&authority.server));
        let proxy = ConnectProxy::new(server, credentials);
        let put = |name: &str, content: &str| -> PathBuf {
            let path = dir.path().join(name);
            fs::write(&path, content).unwrap();
            path
        };
        put("clock", "2026-01-10T08:00:00Z");
        let workloads = put("workloads.csv", "id,type,protected_at\na,vm,2026-01-10T07:00:00Z\n");
        let mut config = Config::new(&dir.path().join("agent"), "backup");
        config.servers = vec![format!("https://{NAME}")];
        config.collectors = vec![parse_collector(&format!("file:path={}", workloads.display())).unwrap()];
        config.network = NetworkConfig {
            proxy: Some(format!("http://{}", proxy.address)),
            proxy_user: Some("agent".into()),
            proxy_password_file: Some(put("password", "p@ss\n")),
            no_proxy: Vec::new(),
            ca_file: Some(put("ca.pem", &authority.pem)),
        };
        config.save(&peer.root()).unwrap();
        Self { dir, peer, proxy, config }
    }

    fn clock(&self) -> Arc<dyn tenure_core::Clock> {
        clock_for(&self.peer.root(), Some(&self.dir.path().join("clock"))).unwrap()
    }

    /// Why the server is not reached under a changed configuration.
    fn refusal(&self, change: impl FnOnce(&mut NetworkConfig)) -> String {
        let mut config = self.config.network.clone();
        change(&mut config);
        let network = Network::new(&config, |_| None).unwrap();
        let mut transport = HttpTransport::new(false, self.config.timeouts(), &network);
        transport.root(&self.config.servers, 2).unwrap_err().to_string()
    }

    fn findings(&self, change: impl FnOnce(&mut Config)) -> Vec<Finding> {
        let mut config = self.config.clone();
        change(&mut config);
        examine(&config, self.clock())
    }
}

fn finding<'a>(findings: &'a [Finding], check: &str) -> &'a Finding {
    findings.iter().find(|finding| finding.check.ends_with(check)).unwrap_or_else(|| panic!("{check}: {findings:#?}"))
}

#[test]
fn an_installation_lives_behind_a_proxy_with_a_password_and_a_private_authority() {
    let site = Site::new();
    let mut keeper = LicenseKeeper::open(&site.config, site.clock(), Arc::new(SystemRng)).unwrap();
    let code = site.peer.code();
    assert_eq!(keeper.activate(&code).unwrap(), tenure_agent::Activation::Active);
    keeper.tick().unwrap();
    assert_eq!(site.peer.server().seen.len(), 1, "the first check-in");
    let asked = site.proxy.asked();
    assert!(!asked.is_empty() && asked.iter().all(|line| *line == format!("CONNECT {NAME}:443 HTTP/1.1")), "{asked:?}");
}

#[test]
fn what_stands_in_the_way_is_named() {
    let site = Site::new();
    for (said, needle) in [
        (site.refusal(|network| network.ca_file = None), "UnknownIssuer"),
        (
            site.refusal(|network| {
                network.proxy_user = None;
                network.proxy_password_file = None;
            }),
            "407",
        ),
        (site.refusal(|network| network.proxy = Some("http://127.0.0.1:1".into())), "refused"),
        (site.refusal(|network| network.no_proxy = vec!["example.com".into()]), NAME),
    ] {
        assert!(said.contains(NAME) && said.contains(needle), "{said} should say {needle}");
        assert!(!said.contains("p@ss"), "{said}");
    }
}

#[test]
fn the_environment_is_heeded_where_the_configuration_says_nothing() {
    let site = Site::new();
    let ca_file = site.config.network.ca_file.clone();
    let config = NetworkConfig { ca_file, ..NetworkConfig::default() };
    let address = format!("http://agent:p%40ss@{}", site.proxy.address);
    let network = Network::new(&config, |name| (name == "https_proxy").then(|| address.clone())).unwrap();
    let mut transport = HttpTransport::new(false, site.config.timeouts(), &network);
    assert_eq!(transport.root(&site.config.servers, 9), Ok(None), "the server was asked");
    assert_eq!(site.proxy.asked().len(), 1);
}

#[test]
fn the_doctor_walks_the_whole_way() {
    let site = Site::new();
    let mut keeper = LicenseKeeper::open(&site.config, site.clock(), Arc::new(SystemRng)).unwrap();
    keeper.activate(&site.peer.code()).unwrap();
    drop(keeper);
    let findings = site.findings(|_| {});
    let fails: Vec<_> = findings.iter().filter(|finding| finding.level == Level::Fail).collect();
    assert!(fails.is_empty(), "{fails:#?}");
    let says = |check: &str| finding(&findings, check).says.clone();
    assert!(says(":443 name").contains("proxy `127.0.0.1`"));
    assert!(says(":443 proxy").contains(&format!("lets through to {NAME}:443")));
    let tls = says(":443 tls");
    assert!(tls.contains("TLSv1") && tls.contains("until 2100-06-30T00:00:00Z"), "{tls}");
    let firewall = says(":443 firewall");
    assert!(
        firewall.contains("CONNECT to license.example.com:443") && firewall.contains("nothing incoming"),
        "{firewall}"
    );
    assert_eq!(says(":443 trust root"), "version 1 here and there");
    assert!(says("collector 1").contains("1 workloads, the newest protected at 2026-01-10T07:00:00Z"));
    assert!(says("license").starts_with("Valid: "));
    assert_eq!(finding(&findings, "daemon").level, Level::Warn);
    assert_eq!(finding(&findings, "data directory").level, Level::Ok);
    let secret = findings.iter().find(|finding| finding.check.starts_with("secret")).unwrap();
    assert_eq!((secret.level, secret.what_to_do.is_some()), (Level::Warn, true), "the password was written as 0644");
    assert_eq!(site.peer.server().seen.len(), 0, "looking sends no request of the chain");
}

/// What is changed before the doctor looks.
type Change = Box<dyn FnOnce(&mut Config)>;

#[test]
fn the_doctor_says_what_to_do() {
    let site = Site::new();
    let mut keeper = LicenseKeeper::open(&site.config, site.clock(), Arc::new(SystemRng)).unwrap();
    keeper.activate(&site.peer.code()).unwrap();
    drop(keeper);
    let changes: [(Change, &str, Level, &str, &str); 8] = [
        (
            Box::new(|c| c.network.ca_file = None),
            ":443 tls",
            Level::Fail,
            "authority that is not believed",
            "set `ca_file`",
        ),
        (
            Box::new(|c| (c.network.proxy_user, c.network.proxy_password_file) = (None, None)),
            ":443 proxy",
            Level::Fail,
            "another user and password",
            "`proxy_password_file`",
        ),
        (
            Box::new(|c| c.network.proxy = Some("http://127.0.0.1:1".into())),
            ":443 port",
            Level::Fail,
            "refused",
            "A firewall must allow",
        ),
        (Box::new(|c| c.servers = vec!["no-address".into()]), "no-address", Level::Fail, "not an address", "https://"),
        (
            Box::new(|c| c.network.proxy = Some("socks5://x".into())),
            "network",
            Level::Fail,
            "`network.proxy`",
            "agent.toml",
        ),
        (
            Box::new(|c| c.collectors = vec![parse_collector("file:path=/nonexistent/w.csv").unwrap()]),
            "collector 1",
            Level::Fail,
            "cannot read /nonexistent/w.csv",
            "look again",
        ),
        (
            Box::new(|c| c.collectors = vec![parse_collector("command:program=/bin/sh,arguments=-c exit").unwrap()]),
            "collector 1",
            Level::Fail,
            "not an array of workloads",
            "look again",
        ),
        (Box::new(|c| c.collectors.clear()), "collectors", Level::Warn, "nothing is counted", "[[collector]]"),
    ];
    for (change, check, level, says, advice) in changes {
        let findings = site.findings(change);
        let found = finding(&findings, check);
        assert_eq!(found.level, level, "{found:?}");
        let told = found.what_to_do.clone().unwrap_or_default();
        assert!(found.says.contains(says) && told.contains(advice), "{found:?} should say {says}, {advice}");
    }
    // A workload type that the license does not list.
    fs::write(site.dir.path().join("workloads.csv"), "id,type,protected_at\na,vmx,2026-01-10T07:00:00Z\n").unwrap();
    let findings = site.findings(|_| {});
    let found = finding(&findings, "collector 1");
    assert!(found.level == Level::Warn && found.says.contains("the license does not list `vmx`"), "{found:?}");
}

#[test]
fn the_doctor_reads_certificates() {
    for (authority, says, advice) in [
        (Authority::new(NAME, 2021), "the certificate has ended", "renew it"),
        (Authority::new("other.example.com", 2100), "the certificate is not for `license.example.com`", "Use the name"),
    ] {
        let site = Site::with(&authority, None);
        let findings = site.findings(|_| {});
        let found = finding(&findings, ":443 tls");
        let told = found.what_to_do.clone().unwrap_or_default();
        assert!(found.says.contains(says) && told.contains(advice), "{found:?}");
    }
    // What answers in plain text does not speak TLS.
    let site = Site::new();
    let findings = site.findings(|config| {
        config.servers = vec![format!("https://{}", site.proxy.address)];
    });
    assert_eq!(finding(&findings, " tls").level, Level::Fail, "{findings:#?}");
}

#[test]
fn a_damaged_journal_is_found() {
    let site = Site::new();
    let mut keeper = LicenseKeeper::open(&site.config, site.clock(), Arc::new(SystemRng)).unwrap();
    keeper.activate(&site.peer.code()).unwrap();
    drop(keeper);
    let journal = fs::read_dir(site.config.journal_dir())
        .unwrap()
        .flatten()
        .find(|entry| entry.file_name().to_string_lossy().ends_with(".log"));
    let path = journal.unwrap().path();
    let mut bytes = fs::read(&path).unwrap();
    bytes[40] ^= 1;
    fs::write(&path, bytes).unwrap();
    let findings = site.findings(|_| {});
    let found = finding(&findings, "journal");
    assert!(found.level == Level::Fail && found.says.contains("is damaged at byte"), "{found:?}");
}
