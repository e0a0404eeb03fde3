//! The way to one license update server, step by step.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream, ToSocketAddrs},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use tenure_core::{Clock, Timestamp};
use tenure_license::{Envelope, Root, TrustRoot, decode_payload};
use ureq::{Proxy, ProxyProtocol, http::Uri};

use super::{Findings, tls};
use crate::{config::Config, network::Network};

/// How far the system clock may be off without a word.
const SKEW_WARN_SECS: i64 = 300;
/// A certificate that ends within this is worth a word.
const CERTIFICATE_WARN_DAYS: i64 = 14;
/// The largest head of a proxy's answer.
const MAX_HEAD: usize = 16 * 1024;
/// The largest trust root that is read.
const MAX_ROOT: u64 = 256 * 1024;

struct Examined<'a> {
    config: &'a Config,
    network: &'a Network,
    uri: Uri,
    host: String,
    port: u16,
    timeout: Duration,
}

/// Walks to a server and stops at the first step that fails.
pub(super) fn examine(
    config: &Config,
    network: &Network,
    address: &str,
    held_root: Option<u64>,
    clock: &dyn Clock,
    findings: &mut Findings,
) {
    let usable = address.trim_end_matches('/').parse::<Uri>().ok().filter(|uri| uri.host().is_some());
    let Some(uri) = usable.filter(|uri| matches!(uri.scheme_str(), Some("http" | "https"))) else {
        let advice = "Correct `servers` in agent.toml; an address is such as https://license.example.com.";
        return findings.fail(address, "this is not an address", advice);
    };
    let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
    let secure = uri.scheme_str() == Some("https");
    let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
    let examined = Examined { config, network, host, port, timeout: config.timeouts().connect, uri };
    let proxy = network.proxy_for(&examined.uri).cloned();
    let Some(mut stream) = examined.connect(proxy.as_ref(), findings) else { return };
    if let Some(proxy) = &proxy
        && !examined.ask_proxy(proxy, secure, &mut stream, findings)
    {
        return;
    }
    if secure && !examined.shake_hands(proxy.as_ref(), &mut stream, clock.now(), findings) {
        return;
    }
    drop(stream);
    examined.ask_for_root(address, held_root, clock, findings);
}

impl Examined<'_> {
    fn named(&self, what: &str) -> String {
        format!("{}:{} {what}", self.host, self.port)
    }

    /// Name and port, of the server or of the proxy before it; and what a firewall must let through.
    fn connect(&self, proxy: Option<&Proxy>, findings: &mut Findings) -> Option<TcpStream> {
        let (host, port) = proxy.map_or((self.host.as_str(), self.port), |proxy| (proxy.host(), proxy.port()));
        let whose = if proxy.is_some() { "proxy" } else { "server" };
        let resolved = (host, port).to_socket_addrs().map(Iterator::collect::<Vec<SocketAddr>>);
        let addresses = match resolved {
            Ok(addresses) if !addresses.is_empty() => addresses,
            outcome => {
                let why = outcome.err().map_or_else(|| "it has no address".to_owned(), |error| error.to_string());
                let advice = "Correct the name, or let the name server of this machine know it.";
                findings.fail(self.named("name"), format!("{whose} `{host}`: {why}"), advice);
                return None;
            }
        };
        let list = addresses.iter().map(|address| address.ip().to_string()).collect::<Vec<_>>().join(", ");
        findings.ok(self.named("name"), format!("{whose} `{host}` is {list}"));
        let mut failures = Vec::new();
        for address in &addresses {
            match TcpStream::connect_timeout(address, self.timeout) {
                Ok(stream) => {
                    let bounded = stream.set_read_timeout(Some(self.timeout));
                    if bounded.and_then(|()| stream.set_write_timeout(Some(self.timeout))).is_ok() {
                        findings.ok(self.named("port"), format!("{address} answers"));
                        findings.ok(self.named("firewall"), self.firewall(proxy, &list, port));
                        return Some(stream);
                    }
                }
                Err(error) => failures.push(format!("{address}: {error}")),
            }
        }
        let advice = format!("{} Or set `proxy` under [network] in agent.toml.", self.firewall(proxy, &list, port));
        findings.fail(self.named("port"), failures.join("; "), advice);
        None
    }

    fn firewall(&self, proxy: Option<&Proxy>, addresses: &str, port: u16) -> String {
        match proxy {
            None => format!(
                "A firewall must allow outgoing TCP to port {port} of {} ({addresses}); nothing incoming.",
                self.host
            ),
            Some(proxy) => format!(
                "A firewall must allow outgoing TCP to port {port} of the proxy {} ({addresses}), and the proxy must allow \
                 CONNECT to {}:{}; nothing incoming.",
                proxy.host(),
                self.host,
                self.port
            ),
        }
    }

    /// Asks the proxy for the way on, with the words an exchange would use.
    fn ask_proxy(&self, proxy: &Proxy, secure: bool, stream: &mut TcpStream, findings: &mut Findings) -> bool {
        let check = self.named("proxy");
        if proxy.protocol() == ProxyProtocol::Https || !secure {
            // The request for the trust root below goes through it and says more.
            findings.ok(check, format!("{}:{} is used", proxy.host(), proxy.port()));
            return !secure;
        }
        let target = if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        };
        let credentials = proxy.username().map(|user| {
            let pair = format!("{user}:{}", proxy.password().unwrap_or_default());
            format!("Proxy-Authorization: Basic {}\r\n", STANDARD.encode(pair))
        });
        let ask = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{}\r\n", credentials.unwrap_or_default());
        let status = stream.write_all(ask.as_bytes()).map_err(|error| error.to_string());
        match status.and_then(|()| read_status(stream)) {
            Ok(200..=299) => {
                findings.ok(check, format!("{}:{} lets through to {target}", proxy.host(), proxy.port()));
                true
            }
            Ok(407) => {
                let advice = "Set `proxy_user` and `proxy_password_file` under [network] in agent.toml.";
                findings.fail(check, "the proxy asks for another user and password", advice);
                false
            }
            Ok(status) => {
                let advice =
                    format!("Let the proxy's operator allow CONNECT to {target}, or name the host in `no_proxy`.");
                findings.fail(check, format!("the proxy refuses with status {status}"), advice);
                false
            }
            Err(why) => {
                findings.fail(
                    check,
                    format!("the proxy does not answer: {why}"),
                    "Is this an HTTP proxy, and its port right?",
                );
                false
            }
        }
    }

    fn shake_hands(
        &self,
        proxy: Option<&Proxy>,
        stream: &mut TcpStream,
        now: Timestamp,
        findings: &mut Findings,
    ) -> bool {
        let check = self.named("tls");
        match tls::shake(self.network, &self.host, stream) {
            Ok(done) => {
                let through = if proxy.is_some() { " through the proxy" } else { "" };
                let says = format!("{}{through}, and the certificate is for {}", done.version, self.host);
                match done.until {
                    Some(until) if until.micros_since(now) < CERTIFICATE_WARN_DAYS * 86_400_000_000 => findings.warn(
                        check,
                        format!("{says}, and ends soon, at {until}"),
                        "Let the server's operator renew it.",
                    ),
                    Some(until) => findings.ok(check, format!("{says}, until {until}")),
                    None => findings.ok(check, says),
                }
                true
            }
            Err(refused) => {
                findings.fail(check, refused.says, refused.what_to_do);
                false
            }
        }
    }

    /// The server's word on the trust root, and its clock.
    fn ask_for_root(&self, address: &str, held: Option<u64>, clock: &dyn Clock, findings: &mut Findings) {
        let check = self.named("server");
        let advice = "Is this the address of a license update server? Ask the vendor.";
        let client = self.network.client(self.config.timeouts());
        let url = format!("{}/product/v1/root", address.trim_end_matches('/'));
        let mut response = match client.for_uri(&self.uri).get(url).call() {
            Ok(response) => response,
            Err(error) => return findings.fail(check, error.to_string(), "See the lines above, and try again."),
        };
        let asked_at = clock.now();
        let date = response.headers().get("date").and_then(|value| value.to_str().ok()).and_then(http_date);
        let status = response.status().as_u16();
        let body = response.body_mut().with_config().limit(MAX_ROOT).read_to_vec().unwrap_or_default();
        let newest =
            Envelope::from_json(&body).ok().and_then(|envelope| decode_payload::<TrustRoot>(&envelope.payload).ok());
        let Some(newest) = newest.filter(|_| status == 200) else {
            return findings.fail(check, format!("status {status}, and no trust root"), advice);
        };
        let Some(pinned) = self.config.read_root().ok().and_then(|root| Root::pinned(root).ok()) else {
            let advice = "Put the vendor's root.json there again.";
            return findings.fail(
                "trust root",
                format!("{} cannot be used", self.config.root_path().display()),
                advice,
            );
        };
        if newest.aud != pinned.payload().aud {
            return findings.fail(check, "it is the server of another deployment", "Correct `servers` in agent.toml.");
        }
        findings.ok(check, "it answers, and is this deployment's");
        let held = held.unwrap_or(pinned.version());
        let (check, newest_version) = (self.named("trust root"), newest.version);
        match newest_version.cmp(&held) {
            std::cmp::Ordering::Equal => findings.ok(check, format!("version {held} here and there")),
            std::cmp::Ordering::Greater => {
                findings
                    .ok(check, format!("version {held} here, {newest_version} there; it is fetched when it is needed"));
            }
            std::cmp::Ordering::Less => findings.warn(
                check,
                format!("version {held} here, and only {newest_version} there"),
                "The server was set back: its operator must restore the newer trust root.",
            ),
        }
        if pinned.payload().test_clock {
            return findings.ok(self.named("clock"), "a test deployment: clocks are not compared");
        }
        self.compare_clocks(date, asked_at, findings);
    }

    fn compare_clocks(&self, date: Option<Timestamp>, system: Timestamp, findings: &mut Findings) {
        let check = self.named("clock");
        let Some(date) = date else { return findings.ok(check, "the server does not say its time") };
        let skew = system.micros_since(date) / 1_000_000;
        if skew.abs() > SKEW_WARN_SECS {
            findings.warn(
                check,
                format!(
                    "this machine's clock is {} s {} the server's",
                    skew.abs(),
                    if skew > 0 { "ahead of" } else { "behind" }
                ),
                "Set it, with NTP for instance. While the server answers, the agent goes by the server's time.",
            );
        } else {
            findings.ok(check, format!("{} s apart", skew.abs()));
        }
    }
}

/// The status of a proxy's answer; its head is read to the end and no further.
fn read_status(stream: &mut TcpStream) -> Result<u16, String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) if head.len() < MAX_HEAD => head.push(byte[0]),
            Ok(1) => return Err("its answer has no end".to_owned()),
            Ok(_) => return Err("it closed the connection".to_owned()),
            Err(error) => return Err(error.to_string()),
        }
    }
    let head = String::from_utf8_lossy(&head);
    let status = head.strip_prefix("HTTP/1.").and_then(|rest| rest.split(' ').nth(1)?.parse().ok());
    status.ok_or_else(|| "it does not speak HTTP".to_owned())
}

/// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, 5.6.7).
fn http_date(text: &str) -> Option<Timestamp> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut parts = text.split(' ').skip(1);
    let (day, month, year, time) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    format!("{year}-{month:02}-{day}T{time}Z").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_as_the_standard_says() {
        assert_eq!(http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap().to_string(), "1994-11-06T08:49:37Z");
        assert_eq!(http_date("yesterday"), None);
    }
}
