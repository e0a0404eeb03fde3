//! A blocking JSON client for what a test drives from outside.

use std::time::Duration;

use serde_json::Value;
use ureq::http::request::Builder;

/// The client, with bounds.
pub struct Agent(ureq::Agent);

impl Default for Agent {
    fn default() -> Self {
        Self::new()
    }
}

impl Agent {
    /// A client.
    pub fn new() -> Self {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_mins(1)))
            .http_status_as_error(false)
            .build();
        Self(config.new_agent())
    }

    /// Sends a request with a JSON body, if any, and reads JSON.
    ///
    /// # Errors
    /// In words, when the peer cannot be reached, refuses, or answers something else.
    pub fn send(&self, request: Builder, body: Option<&Value>) -> Result<Value, String> {
        let bytes = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
        let request = request.header("content-type", "application/json").body(bytes).map_err(|e| e.to_string())?;
        let mut response = self.0.run(request).map_err(|error| error.to_string())?;
        let status = response.status();
        let text = response.body_mut().with_config().limit(64 * 1024 * 1024).read_to_string();
        let text = text.map_err(|error| error.to_string())?;
        if !status.is_success() {
            return Err(format!("{status}: {text}"));
        }
        serde_json::from_str(&text).map_err(|error| format!("{error}: {text}"))
    }
}
