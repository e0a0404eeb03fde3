//! Reading one request, with a bound on everything: its size, its time, its form.

use std::{
    io::{self, Read},
    net::TcpStream,
    time::Duration,
};

use tenure_core::Clock;

use super::timed::Timed;

/// The longest head, in bytes: a cookie and what browsers say of themselves.
const MAX_HEAD: usize = 16 * 1024;
/// The longest form, in bytes: a workload's id and a sentence.
const MAX_BODY: usize = 16 * 1024;
/// Most headers.
const MAX_HEADERS: usize = 64;
/// How long a whole request may take to arrive.
const MAX_TIME: Duration = Duration::from_secs(10);

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Get,
    Post,
}

/// A request that arrived whole.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) method: Method,
    /// As it came: nothing here has a reason to be encoded.
    pub(super) path: String,
    pub(super) query: String,
    pub(super) host: String,
    pub(super) origin: Option<String>,
    /// `Sec-Fetch-Site`: where the browser says that the request began.
    pub(super) fetch_site: Option<String>,
    /// `Sec-Purpose` or `Purpose`: the browser guesses that a person will go there.
    pub(super) prefetch: bool,
    pub(super) cookies: String,
    pub(super) body: Vec<u8>,
}

/// Why there is no request. Each is answered, save for a connection that is gone.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unreadable {
    /// The other side went away, or never said anything.
    #[error("the connection ended before the request did")]
    Gone(#[source] Option<io::Error>),
    /// It took too long.
    #[error("the request did not arrive in time")]
    Slow,
    /// The head is too long.
    #[error("the request's head is too long")]
    HeadTooLong,
    /// The body is too long.
    #[error("the request's body is too long")]
    BodyTooLong,
    /// It is not a request that this page takes.
    #[error("the request is not one that this page takes")]
    Malformed,
    /// Neither GET nor POST.
    #[error("this page takes GET and POST only")]
    Method,
}

impl Unreadable {
    /// The status it is answered with; none when nobody listens.
    pub(super) fn status(&self) -> Option<u16> {
        match self {
            Self::Gone(_) => None,
            Self::Slow => Some(408),
            Self::HeadTooLong => Some(431),
            Self::BodyTooLong => Some(413),
            Self::Malformed => Some(400),
            Self::Method => Some(405),
        }
    }
}

/// Reads what there is, at most so much.
fn read_into(timed: &mut Timed<'_>, bytes: &mut Vec<u8>, most: usize) -> Result<(), Unreadable> {
    let mut chunk = [0; 4096];
    let wanted = most.min(chunk.len());
    match timed.read(&mut chunk[..wanted]) {
        Ok(0) => Err(Unreadable::Gone(None)),
        Ok(read) => {
            bytes.extend_from_slice(&chunk[..read]);
            Ok(())
        }
        Err(error) => match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Err(Unreadable::Slow),
            io::ErrorKind::Interrupted => Ok(()),
            _ => Err(Unreadable::Gone(Some(error))),
        },
    }
}

/// Reads the one request of a connection.
///
/// # Errors
/// When it does not arrive whole, in time, and within its bounds.
pub(super) fn read(stream: &TcpStream, clock: &dyn Clock) -> Result<Request, Unreadable> {
    let mut timed = Timed::new(stream, clock, MAX_TIME);
    let mut bytes = Vec::new();
    let (mut request, head, length) = loop {
        if let Some(read) = parse(&bytes)? {
            break read;
        }
        let room = MAX_HEAD - bytes.len();
        if room == 0 {
            return Err(Unreadable::HeadTooLong);
        }
        read_into(&mut timed, &mut bytes, room)?;
    };
    let mut body = bytes.split_off(head);
    while body.len() < length {
        let missing = length - body.len();
        read_into(&mut timed, &mut body, missing)?;
    }
    body.truncate(length);
    request.body = body;
    Ok(request)
}

/// The head of a request, its length and its body's; none while it is not whole.
fn parse(bytes: &[u8]) -> Result<Option<(Request, usize, usize)>, Unreadable> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut parsed = httparse::Request::new(&mut headers);
    let head = match parsed.parse(bytes) {
        Ok(httparse::Status::Complete(head)) => head,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => return Err(Unreadable::HeadTooLong),
        Err(_) => return Err(Unreadable::Malformed),
    };
    let method = match parsed.method {
        Some("GET") => Method::Get,
        Some("POST") => Method::Post,
        _ => return Err(Unreadable::Method),
    };
    // What is said twice may be understood in two ways, so it is not understood at all.
    let once = |name: &str| -> Result<Option<String>, Unreadable> {
        let mut found = parsed.headers.iter().filter(|header| header.name.eq_ignore_ascii_case(name));
        let Some(first) = found.next() else { return Ok(None) };
        let text = std::str::from_utf8(first.value).map_err(|_| Unreadable::Malformed)?;
        if found.next().is_some() { Err(Unreadable::Malformed) } else { Ok(Some(text.trim().to_owned())) }
    };
    let target = parsed.path.filter(|path| path.starts_with('/')).ok_or(Unreadable::Malformed)?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    if once("transfer-encoding")?.is_some() {
        return Err(Unreadable::Malformed);
    }
    let length = match once("content-length")? {
        None => 0,
        Some(text) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => {
            // More digits than a number has is more than is taken, too.
            text.parse::<usize>().ok().filter(|length| *length <= MAX_BODY).ok_or(Unreadable::BodyTooLong)?
        }
        Some(_) => return Err(Unreadable::Malformed),
    };
    let request = Request {
        method,
        path: path.to_owned(),
        query: query.to_owned(),
        host: once("host")?.ok_or(Unreadable::Malformed)?,
        origin: once("origin")?,
        fetch_site: once("sec-fetch-site")?,
        prefetch: once("sec-purpose")?.is_some() || once("purpose")?.is_some(),
        cookies: once("cookie")?.unwrap_or_default(),
        body: Vec::new(),
    };
    Ok(Some((request, head, length)))
}

impl Request {
    /// A field of the form that was sent, or an empty text.
    pub(super) fn field(&self, name: &str) -> String {
        value(&self.body, name)
    }
    /// A parameter of the address, or an empty text.
    pub(super) fn parameter(&self, name: &str) -> String {
        value(self.query.as_bytes(), name)
    }
    /// The values of a cookie: a browser may send one name more than once, for several paths.
    pub(super) fn cookie<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.cookies
            .split(';')
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(move |(n, _)| *n == name)
            .map(|(_, v)| v)
    }
}

fn value(form: &[u8], name: &str) -> String {
    form_urlencoded::parse(form).find(|(key, _)| key == name).map_or_else(String::new, |(_, value)| value.into_owned())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::{
        super::timed::tests::{Stepping, connection},
        *,
    };

    #[test]
    fn a_request_that_trickles_in_is_given_up() {
        let (near, mut far) = connection();
        let head = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 16384\r\n\r\n";
        far.write_all(head.as_bytes()).unwrap();
        far.write_all(&[b'x'; 16_000]).unwrap();
        // Each read takes four seconds and gives something, and the body never ends.
        let slow = read(&near, &Stepping::by(Duration::from_secs(4))).unwrap_err();
        assert!(matches!(slow, Unreadable::Slow) && slow.status() == Some(408), "{slow:?}");
    }

    fn parsed(text: &str) -> Result<Option<(Request, usize, usize)>, Unreadable> {
        parse(text.as_bytes())
    }

    #[test]
    fn a_request_is_read_and_what_is_ambiguous_is_not() {
        let (request, head, length) = parsed(
            "POST /x/send?a=1 HTTP/1.1\r\nHost: localhost:1\r\nCookie: a=1; tenure=x; tenure=y\r\nContent-Length: 3\r\n\r\nb=2",
        )
        .unwrap()
        .unwrap();
        assert_eq!(
            (request.method, request.path.as_str(), request.parameter("a").as_str()),
            (Method::Post, "/x/send", "1")
        );
        assert_eq!((request.cookie("tenure").collect::<Vec<_>>(), length), (vec!["x", "y"], 3));
        assert!(head > 0 && parsed("GET / HTTP/1.1\r\nHo").unwrap().is_none());
        for (text, status) in [
            ("GET / HTTP/1.1\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
            ("GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
            ("POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
            ("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
            ("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", 400),
            ("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 16385\r\n\r\n", 413),
            ("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999999\r\n\r\n", 413),
            ("OPTIONS / HTTP/1.1\r\nHost: localhost\r\n\r\n", 405),
            ("\u{16}\u{3}\u{1}", 400),
        ] {
            assert_eq!(parsed(text).unwrap_err().status(), Some(status), "{text:?}");
        }
    }
}
