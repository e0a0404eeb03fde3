//! The transport over HTTP: blocking, bounded in time and size, several servers in order.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tenure_license::{
    ActivationExchange, ActivationExchangeAnswer, Envelope, Exchange, ExchangeAnswer, envelope::MAX_ENVELOPE_JSON,
};
use ureq::{Agent, http::Uri};

use crate::{
    network::{Client, Network, is_loopback},
    transport::{NotReached, Refusal, Transport},
};

pub use crate::network::Timeouts;

/// The largest answer that is read: two envelopes and what JSON needs around them.
const MAX_ANSWER_BYTES: u64 = 2 * MAX_ENVELOPE_JSON as u64 + 1024;
/// The longest text of a refusal that is shown, in characters.
const MAX_TEXT: usize = 300;

/// Speaks HTTP with license update servers. Connections are kept between exchanges.
#[derive(Debug)]
pub struct HttpTransport {
    client: Client,
    allow_http: bool,
}

impl HttpTransport {
    /// A transport that leaves this machine as `network` says. Without `allow_http`, `http://` is only spoken with this
    /// machine itself.
    pub fn new(allow_http: bool, timeouts: Timeouts, network: &Network) -> Self {
        Self { client: network.client(timeouts), allow_http }
    }

    /// Asks each server until one gives an answer or a refusal of its own; a failing server passes to the next.
    fn first_of<T>(
        &self,
        servers: &[String],
        ask: impl Fn(&Agent, &str) -> Result<T, NotReached>,
    ) -> Result<T, NotReached> {
        let mut last = NotReached::Unreachable("no license update server is configured".to_owned());
        for server in servers {
            let base = server.trim_end_matches('/');
            let outcome = self.check_address(base).and_then(|uri| ask(self.client.for_uri(&uri), base));
            match outcome {
                Ok(answer) => return Ok(answer),
                Err(NotReached::Refused(refusal)) if refusal.status < 500 => {
                    return Err(NotReached::Refused(refusal));
                }
                Err(error) => {
                    tracing::debug!(server = base, %error, "server not reached");
                    last = error;
                }
            }
        }
        Err(last)
    }

    fn check_address(&self, base: &str) -> Result<Uri, NotReached> {
        let unusable = |why: &str| Err(NotReached::Unreachable(format!("{base}: {why}")));
        let Ok(uri) = base.parse::<Uri>() else { return unusable("not an address such as https://host") };
        match (uri.scheme_str(), uri.host()) {
            (Some("https"), Some(_)) => {}
            (Some("http"), Some(host)) if self.allow_http || is_loopback(host) => {}
            (Some("http"), Some(_)) => return unusable("without TLS only this machine itself is asked"),
            _ => return unusable("not an address such as https://host"),
        }
        Ok(uri)
    }
}

impl Transport for HttpTransport {
    fn activate(
        &mut self,
        servers: &[String],
        body: &ActivationExchange,
    ) -> Result<ActivationExchangeAnswer, NotReached> {
        self.first_of(servers, |agent, base| {
            let reply = post(agent, base, "/product/v1/activate", body)?;
            if reply.status == 200 { reply.read(base) } else { Err(reply.refusal()) }
        })
    }

    fn check_in(&mut self, servers: &[String], body: &Exchange) -> Result<ExchangeAnswer, NotReached> {
        self.first_of(servers, |agent, base| {
            let reply = post(agent, base, "/product/v1/check-in", body)?;
            match reply.status {
                200 => reply.read(base),
                // Signed out-of-step answers come as 409, and so do refusals of others.
                409 => reply.read(base).map_err(|_: NotReached| reply.refusal()),
                _ => Err(reply.refusal()),
            }
        })
    }

    fn root(&mut self, servers: &[String], version: u64) -> Result<Option<Envelope>, NotReached> {
        self.first_of(servers, |agent, base| {
            let response = agent.get(format!("{base}/product/v1/root/{version}")).call();
            let reply = Reply::from(response, base)?;
            match reply.status {
                200 => reply.read(base).map(Some),
                404 if reply.kind() == "not-found" => Ok(None),
                _ => Err(reply.refusal()),
            }
        })
    }
}

fn post(agent: &Agent, base: &str, path: &str, body: &impl Serialize) -> Result<Reply, NotReached> {
    Reply::from(agent.post(format!("{base}{path}")).send_json(body), base)
}

/// What came back, read whole.
struct Reply {
    status: u16,
    retry_after_secs: Option<u64>,
    body: Vec<u8>,
}

impl Reply {
    fn from(response: Result<ureq::http::Response<ureq::Body>, ureq::Error>, base: &str) -> Result<Self, NotReached> {
        let failed = |error: ureq::Error| NotReached::Unreachable(format!("{base}: {error}"));
        let mut response = response.map_err(failed)?;
        if response.status().is_redirection() {
            // It could lead to a server that nobody configured.
            return Err(NotReached::Unreachable(format!("{base}: it redirects elsewhere; redirects are not followed")));
        }
        // The date form of Retry-After would need a clock that agrees with the server's; it is taken as absent.
        let retry_after = response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
        let body = response.body_mut().with_config().limit(MAX_ANSWER_BYTES).read_to_vec().map_err(failed)?;
        Ok(Self { status: response.status().as_u16(), retry_after_secs: retry_after, body })
    }

    fn read<T: DeserializeOwned>(&self, base: &str) -> Result<T, NotReached> {
        serde_json::from_slice(&self.body)
            .map_err(|error| NotReached::Unreachable(format!("{base}: what came back is not an answer: {error}")))
    }

    fn problem(&self) -> ProblemBody {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    fn kind(&self) -> String {
        self.problem().kind.rsplit('/').next().unwrap_or_default().to_owned()
    }

    fn refusal(&self) -> NotReached {
        let problem = self.problem();
        let parts = [&problem.title, &problem.detail, &problem.what_to_do];
        let text = parts.into_iter().filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>().join(": ");
        NotReached::Refused(Refusal {
            status: self.status,
            kind: self.kind(),
            text: text.chars().filter(|c| !c.is_control()).take(MAX_TEXT).collect(),
            retry_after_secs: self.retry_after_secs,
        })
    }
}

/// The members of problem+json that people are shown.
#[derive(Default, Deserialize)]
struct ProblemBody {
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    detail: String,
    #[serde(default)]
    what_to_do: String,
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::TcpListener,
        thread::JoinHandle,
        time::Duration,
    };

    use super::*;

    /// Answers one request with these bytes and closes.
    fn answering(bytes: &'static [u8]) -> (String, JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let thread = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 8 * 1024];
            assert_ne!(stream.read(&mut request).unwrap(), 0);
            stream.write_all(bytes).unwrap();
        });
        (address, thread)
    }

    fn transport() -> HttpTransport {
        let timeouts = Timeouts { connect: Duration::from_secs(2), whole: Duration::from_secs(2) };
        HttpTransport::new(false, timeouts, &Network::default())
    }

    fn root(servers: &[&str]) -> Result<Option<Envelope>, NotReached> {
        let servers: Vec<String> = servers.iter().map(|&server| server.to_owned()).collect();
        transport().root(&servers, 2)
    }

    #[test]
    fn refusals_are_read_and_shown() {
        let body =
            r#"{"type":"/problems/code-used","title":"Used","detail":"by another","what_to_do":"Make a new one"}"#;
        let response: &'static str =
            Box::leak(format!("HTTP/1.1 409 x\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_boxed_str());
        let (server, thread) = answering(response.as_bytes());
        let error = root(&[&server]).unwrap_err();
        thread.join().unwrap();
        assert_eq!(error.to_string(), "Used: by another: Make a new one");
        assert!(error.hints("code-used"));
        assert_eq!(error.failure(), tenure_core::update::Failure::Unreachable);
    }

    #[test]
    fn the_next_server_is_asked_when_one_fails() {
        let (busy, first) = answering(b"HTTP/1.1 503 x\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n");
        let body = br#"HTTP/1.1 404 x
content-length: 31

{"type": "/problems/not-found"}"#;
        let (none_yet, second) = answering(body);
        assert_eq!(root(&["http://127.0.0.1:1", &busy, &none_yet]), Ok(None));
        first.join().unwrap();
        second.join().unwrap();
        let (busy, thread) = answering(b"HTTP/1.1 503 x\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n");
        let error = root(&[&busy]).unwrap_err();
        thread.join().unwrap();
        assert_eq!(error.failure(), tenure_core::update::Failure::RetryAfter(7));
    }

    #[test]
    fn what_is_not_an_answer_is_not_reached() {
        for response in [
            b"HTTP/1.1 200 x\r\ncontent-length: 2\r\n\r\n{}".as_slice(),
            b"HTTP/1.1 200 x\r\ncontent-length: 9000000\r\n\r\n",
            b"HTTP/1.1 302 x\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n",
            b"HTTP/1.1 404 x\r\ncontent-length: 0\r\n\r\n",
            b"SSH-2.0-x\r\n",
        ] {
            let (server, thread) = answering(response);
            let outcome = root(&[&server]);
            thread.join().unwrap();
            assert!(outcome.is_err(), "{}", String::from_utf8_lossy(response));
        }
    }

    #[test]
    fn without_tls_only_loopback() {
        let address = |base: &str| transport().check_address(base).map(|_| ()).map_err(|error| error.to_string());
        for good in ["https://license.example.com", "http://127.0.0.1:8", "http://[::1]:8", "http://localhost:8"] {
            assert_eq!(address(good), Ok(()), "{good}");
        }
        for bad in ["http://license.example.com", "ftp://127.0.0.1", "license.example.com", "", "http://127.0.0.1.x"] {
            assert!(address(bad).is_err(), "{bad}");
        }
        let lenient = HttpTransport::new(true, Timeouts::default(), &Network::default());
        assert_eq!(lenient.check_address("http://license.example.com").map(|_| ()), Ok(()));
    }
}
