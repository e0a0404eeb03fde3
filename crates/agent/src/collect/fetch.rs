//! Asking an HTTP server for what it lists: bounded in time and size, with a token from a file.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tenure_core::Clock;
use ureq::{Body, http::Response, http::Uri};

use crate::network::{Client, Network, NetworkError, Timeouts, is_loopback, read_secret};

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(10);
/// How much of an error's body is shown, in characters.
const MAX_SHOWN: usize = 200;

/// A way to one HTTP server.
pub(super) struct Fetcher {
    client: Client,
    timeout: Duration,
    token_file: Option<PathBuf>,
    clock: Arc<dyn Clock>,
}

/// Everything that is asked in one collection, until its time is up.
pub(super) struct Visit<'a> {
    fetcher: &'a Fetcher,
    token: Option<String>,
    began_us: i64,
}

impl Fetcher {
    pub(super) fn new(
        network: &Network,
        ca_file: Option<&Path>,
        timeout_secs: u32,
        token_file: Option<PathBuf>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, NetworkError> {
        let timeout = Duration::from_secs(u64::from(timeout_secs));
        let client = network.trusting("ca_file", ca_file)?.client(Timeouts { connect: CONNECT, whole: timeout });
        Ok(Self { client, timeout, token_file, clock })
    }

    /// Begins a collection: reads the token, starts the time.
    pub(super) fn visit(&self) -> Result<Visit<'_>, String> {
        let token = self.token_file.as_deref().map(read_secret).transpose();
        let token = token.map_err(|why| format!("`token_file`: {why}"))?;
        Ok(Visit { fetcher: self, token, began_us: self.clock.boot().elapsed_us })
    }
}

impl Visit<'_> {
    /// What an address answers with status 200.
    ///
    /// # Errors
    /// One sentence: not reached, another status (with the beginning of what came), too large, or the time is up.
    pub(super) fn get(&self, uri: &Uri, accept: &str, most_bytes: u64) -> Result<Vec<u8>, String> {
        if self.token.is_some() && uri.scheme_str() != Some("https") && !uri.host().is_some_and(is_loopback) {
            return Err(format!("{uri}: a token is only sent over https, or to this machine itself"));
        }
        let left = self.left().ok_or_else(|| format!("{uri}: {}", self.time_is_up()))?;
        let request = self.fetcher.client.for_uri(uri).get(uri.clone()).header("accept", accept);
        let mut request = request.config().timeout_global(Some(left)).build();
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let mut response = request.call().map_err(|error| self.failed(uri, &error))?;
        if response.status().as_u16() != 200 {
            return Err(refusal(uri, &mut response));
        }
        let body = response.body_mut().with_config().limit(most_bytes).read_to_vec();
        body.map_err(|error| self.failed(uri, &error))
    }

    fn failed(&self, uri: &Uri, error: &ureq::Error) -> String {
        match error {
            ureq::Error::Timeout(ureq::Timeout::Global) => format!("{uri}: {}", self.time_is_up()),
            ureq::Error::BodyExceedsLimit(limit) => format!("{uri}: the answer is larger than {limit} bytes"),
            error => format!("{uri}: {error}"),
        }
    }

    fn left(&self) -> Option<Duration> {
        let passed_us = self.fetcher.clock.boot().elapsed_us.saturating_sub(self.began_us);
        let passed = Duration::from_micros(u64::try_from(passed_us).unwrap_or(0));
        self.fetcher.timeout.checked_sub(passed).filter(|left| !left.is_zero())
    }

    fn time_is_up(&self) -> String {
        format!("not done within {} s (`timeout_secs`)", self.fetcher.timeout.as_secs())
    }
}

fn refusal(uri: &Uri, response: &mut Response<Body>) -> String {
    let status = response.status();
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    if status.is_redirection() {
        let to = header("location").unwrap_or_default();
        return format!("{uri}: it redirects to `{to}`; redirects are not followed, so give that address in `url`");
    }
    let body = response.body_mut().with_config().limit(4096).read_to_vec().unwrap_or_default();
    let body = String::from_utf8_lossy(&body);
    let shown: String = body.chars().filter(|c| !c.is_control()).take(MAX_SHOWN).collect();
    let hint = match status.as_u16() {
        401 | 403 => " (is the token in `token_file` valid, and may it read this?)",
        _ => "",
    };
    let shown = if shown.is_empty() { String::new() } else { format!(": {shown}") };
    format!("{uri}: status {}{hint}{shown}", status.as_u16())
}
