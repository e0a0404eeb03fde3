//! A small real HTTP server for tests of collectors.

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
};

use tenure_core::{Boot, BootId, Clock, Timestamp};

/// What a request asked for.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// Path and query.
    pub(super) target: String,
    pub(super) authorization: Option<String>,
}

/// Serves whatever `answer` writes for each request, one request a connection.
pub(super) struct Scripted {
    pub(super) base: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Scripted {
    pub(super) fn new(answer: impl Fn(&Asked, &mut TcpStream) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&asked);
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let Some(asked) = read_request(&stream) else { continue };
                seen.lock().unwrap().push(asked.clone());
                answer(&asked, &mut stream);
            }
        });
        Self { base, asked }
    }

    /// Serves a JSON or text body for each target.
    pub(super) fn pages(pages: &[(&str, &str)]) -> Self {
        let pages: Vec<(String, String)> =
            pages.iter().map(|(target, body)| ((*target).to_owned(), (*body).to_owned())).collect();
        Self::new(move |asked, stream| match pages.iter().find(|(target, _)| *target == asked.target) {
            Some((_, body)) => respond(stream, "200 OK", body),
            None => respond(stream, "404 Not Found", "no such page"),
        })
    }

    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn read_request(stream: &TcpStream) -> Option<Asked> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next()?.ok()?;
    let target = first.split(' ').nth(1)?.to_owned();
    let mut authorization = None;
    for line in lines {
        let line = line.ok()?;
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(": ")
            && name.eq_ignore_ascii_case("authorization")
        {
            authorization = Some(value.to_owned());
        }
    }
    Some(Asked { target, authorization })
}

/// A whole response. Whoever asked may have gone.
pub(super) fn respond(stream: &mut TcpStream, status: &str, body: &str) {
    let _ = write!(stream, "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len());
}

/// A clock that stands still.
pub(super) struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::EPOCH
    }
    fn boot(&self) -> Boot {
        Boot { id: BootId(uuid::Uuid::nil()), elapsed_us: 0 }
    }
}
