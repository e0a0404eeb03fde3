//! What goes back: one answer a connection, under a policy that lets nothing in from elsewhere and nothing run.

use std::{
    borrow::Cow,
    fmt::Write as _,
    io::{self, Read, Write},
    net::{Shutdown, TcpStream},
    time::Duration,
};

use tenure_core::Clock;

use super::timed::Timed;

/// How long the other side may take to read, and to end the connection then.
const MAX_TIME: Duration = Duration::from_secs(10);
/// How long of it, and how much, is still read from a request that was refused before its end: a connection closed with unread
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

    /// Writes it and ends the connection. `clock` is the machine's.
    pub(super) fn write(&self, stream: &TcpStream, clock: &dyn Clock) -> io::Result<()> {
        let mut timed = Timed::new(stream, clock, MAX_TIME);
        timed.write_all(self.head().as_bytes())?;
        timed.write_all(&self.body)?;
        stream.shutdown(Shutdown::Write)?;
        let mut timed = timed.at_most(DRAIN_TIME);
        let mut rest = [0; 4096];
        for _ in 0..DRAIN_CHUNKS {
            match timed.read(&mut rest) {
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

#[cfg(test)]
mod tests {
    use super::{
        super::timed::tests::{Stepping, connection},
        *,
    };

    #[test]
    fn who_does_not_read_the_answer_is_left() {
        let (near, far) = connection();
        // More than the machine keeps for a peer that does not read. A tenth of a second is left for the body.
        let answer = Response::file("a", "text/plain", vec![b'x'; 64 << 20]);
        let clock = Stepping::by(Duration::from_millis(4950));
        let error = answer.write(&near, &clock).unwrap_err();
        assert!(matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock), "{error}");
        drop(far);
    }

    #[test]
    fn what_is_still_sent_after_the_answer_is_read_for_half_a_second_in_all() {
        let (near, mut far) = connection();
        far.write_all(&vec![0; 12 * 4096]).unwrap();
        let answer = Response::html(413, "Too long.".to_owned());
        answer.write(&near, &Stepping::by(Duration::from_millis(100))).unwrap();
        let mut left = Vec::new();
        near.set_nonblocking(true).unwrap();
        let _ = (&near).take(12 * 4096).read_to_end(&mut left);
        assert!(!left.is_empty(), "all of it was read");
    }
}
