//! The provider API as a script uses it.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::{Serialize, de::DeserializeOwned};
use ureq::http::{Method, Request};

/// A server by its URL. Blocking.
#[derive(Clone)]
pub struct Api {
    agent: ureq::Agent,
    base: String,
}

/// An answer with its entity tag.
#[derive(Debug)]
pub struct Tagged<T> {
    /// The body.
    pub body: T,
    /// The `ETag` header, if any.
    pub etag: Option<String>,
}

impl Api {
    /// A client of the server at `base`, as `http://127.0.0.1:8480`.
    pub fn new(base: &str) -> Self {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_mins(1)))
            .http_status_as_error(false)
            .build();
        Self { agent: config.new_agent(), base: base.trim_end_matches('/').to_owned() }
    }

    /// The server's URL.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// `GET`.
    pub fn get<T: DeserializeOwned>(&self, token: &str, path: &str) -> Result<T> {
        Ok(self.send::<(), T>(Method::GET, token, path, None, &[])?.body)
    }

    /// `GET` with the entity tag.
    pub fn get_tagged<T: DeserializeOwned>(&self, token: &str, path: &str) -> Result<Tagged<T>> {
        self.send::<(), T>(Method::GET, token, path, None, &[])
    }

    /// `POST` of JSON.
    pub fn post<B: Serialize, T: DeserializeOwned>(&self, token: &str, path: &str, body: &B) -> Result<T> {
        Ok(self.send(Method::POST, token, path, Some(body), &[])?.body)
    }

    /// `PUT` of JSON.
    pub fn put<B: Serialize, T: DeserializeOwned>(&self, token: &str, path: &str, body: &B) -> Result<T> {
        Ok(self.send(Method::PUT, token, path, Some(body), &[])?.body)
    }

    /// Any request; the answer must be 2xx.
    ///
    /// # Errors
    /// When the server cannot be reached, refuses (its own words are the message), or answers another shape.
    pub fn send<B: Serialize, T: DeserializeOwned>(
        &self,
        method: Method,
        token: &str,
        path: &str,
        body: Option<&B>,
        headers: &[(&str, &str)],
    ) -> Result<Tagged<T>> {
        let mut request = Request::builder().method(method.clone()).uri(format!("{}{path}", self.base));
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let bytes = match body {
            Some(body) => {
                request = request.header("content-type", "application/json");
                serde_json::to_vec(body)?
            }
            None => Vec::new(),
        };
        let mut response = self.agent.run(request.body(bytes)?).with_context(|| format!("{method} {path}"))?;
        let status = response.status();
        let etag = response.headers().get("etag").and_then(|tag| tag.to_str().ok()).map(str::to_owned);
        let text = response.body_mut().with_config().limit(64 * 1024 * 1024).read_to_string()?;
        if !status.is_success() {
            bail!("{method} {path}: {status}: {text}");
        }
        // An empty answer reads as null, so that callers may ask for `()` or a value.
        let json = if text.is_empty() { "null" } else { &text };
        let body = serde_json::from_str(json).with_context(|| format!("{method} {path} answered {text}"))?;
        Ok(Tagged { body, etag })
    }
}
