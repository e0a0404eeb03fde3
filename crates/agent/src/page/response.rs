//! What goes back: one answer a connection, under a policy that lets nothing in from elsewhere and nothing run.

use std::{
    borrow::Cow,
    fmt::Write as _,
    io::{self, Read, Write},
    net::{Shutdown, TcpStream},
    time::Duration,
};

/// How long the other side may take to read.
const WRITE_TIME: Duration = Duration::from_secs(10);
/// How long, and how much, is still read from a request that was refused before its end: a connection closed with unread
/// bytes loses the answer.
const DRAIN_TIME: Duration = Duration::from_millis(500);
const DRAIN_CHUNKS: usize = 256;

/// There is no script at all, so none is allowed; a page of elsewhere can neither frame this one nor send it forms.
const POLICY: &str = "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self'; form-action 'self'; \
                      base-uri 'none'; frame-ancestors 'none'";

/// An answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Response {
    status: u16,
    media_type: &'static str,
    headers: Vec<(&'static str, String)>,
    body: Cow<'static, [u8]>,
}

impl Response {
    /// A page.
    pub(super) fn html(status: u16, page: String) -> Self {
        let body = Cow::Owned(page.into_bytes());
        Self { status, media_type: "text/html; charset=utf-8", headers: Vec::new(), body }
    }

    /// Another address of this page, asked with GET.
    pub(super) fn see(address: &str) -> Self {
        Self::html(303, String::new()).with("Location", address.to_owned())
    }

    /// A file that the browser saves under a name.
    pub(super) fn file(name: &str, media_type: &'static str, body: Vec<u8>) -> Self {
        let response = Self { status: 200, media_type, headers: Vec::new(), body: Cow::Owned(body) };
        response.with("Content-Disposition", format!("attachment; filename=\"{name}\""))
    }

    /// Something that pages load; it is no secret, and its address changes with what it holds.
    pub(super) fn asset(media_type: &'static str, body: &'static [u8]) -> Self {
        let response = Self { status: 200, media_type, headers: Vec::new(), body: Cow::Borrowed(body) };
        response.with("Cache-Control", "public, max-age=31536000, immutable".to_owned())
    }

    /// The same with a header.
    #[must_use]
    pub(super) fn with(mut self, name: &'static str, value: String) -> Self {
        // A line break in a value would begin another header.
        debug_assert!(!value.contains(['\r', '\n']), "{name}: {value:?}");
        self.headers.push((name, value));
        self
    }

    /// Writes it and ends the connection.
    pub(super) fn write(&self, stream: &TcpStream) -> io::Result<()> {
        stream.set_write_timeout(Some(WRITE_TIME))?;
        let mut out = stream;
        out.write_all(self.head().as_bytes())?;
        out.write_all(&self.body)?;
        out.flush()?;
        stream.shutdown(Shutdown::Write)?;
        stream.set_read_timeout(Some(DRAIN_TIME))?;
        let mut rest = [0; 4096];
        for _ in 0..DRAIN_CHUNKS {
            match out.read(&mut rest) {
                Ok(0) | Err(_) => break,
                Ok(_) => {}
            }
        }
        Ok(())
    }

    fn head(&self) -> String {
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, words(self.status));
        let mut line = |name: &str, value: &str| {
            let _ = write!(head, "{name}: {value}\r\n");
        };
        line("Content-Type", self.media_type);
        line("Content-Length", &self.body.len().to_string());
        line("Connection", "close");
        line("Content-Security-Policy", POLICY);
        line("X-Content-Type-Options", "nosniff");
        line("X-Frame-Options", "DENY");
        // Not `no-referrer`: under that browsers send forms with `Origin: null`.
        line("Referrer-Policy", "same-origin");
        line("Cross-Origin-Opener-Policy", "same-origin");
        line("Cross-Origin-Resource-Policy", "same-origin");
        if !self.headers.iter().any(|(name, _)| *name == "Cache-Control") {
            line("Cache-Control", "no-store");
        }
        for (name, value) in &self.headers {
            line(name, value);
        }
        head.push_str("\r\n");
        head
    }
}

fn words(status: u16) -> &'static str {
    match status {
        200 => "OK",
        303 => "See Other",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        413 => "Content Too Large",
        431 => "Request Header Fields Too Large",
        503 => "Service Unavailable",
        _ => "Error",
    }
}
