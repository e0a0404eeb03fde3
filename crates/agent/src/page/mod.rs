//! The product's own page: how the license stands, what was used, and the month's report, for the people who run the
//! product. The daemon serves it on loopback to whoever has a one-time address from it (`tenure agent open`).
//!
//! Pages are drawn from the journal, as the commands are, so they never wait for an exchange with the server; what a
//! person does goes the way of the commands, to the one keeper. There is no script on any page.

mod assets;
mod chart;
mod door;
mod format;
mod month;
mod overview;
mod request;
mod response;
mod save;
mod sent;
mod timed;

use std::{
    io,
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
        mpsc::{self, SyncSender},
    },
    thread,
    time::Duration,
};

use askama::Template;
use tenure_core::{Clock, Period, Rng, Timestamp};

use crate::{
    config::Config,
    control::{Asked, Command, Outcome},
    error::AgentError,
    glance::Glance,
    system::SystemClock,
};
use door::{Door, Entered, Notice, comes_from_here, was_sent_here};
use request::{Method, Request};
use response::Response;

/// Requests that are answered at once.
const MAX_CONNECTIONS: usize = 16;
/// How long a person's browser waits for what they asked for; it is done all the same.
const PATIENCE: Duration = Duration::from_mins(1);
/// The address that lets a browser in.
const OPEN: &str = "/open";

/// The page as the daemon knows it.
pub(crate) struct Page {
    address: SocketAddr,
    desk: Arc<Desk>,
}

/// Everything an answer is made of.
struct Desk {
    door: Door,
    config: Config,
    clock: Arc<dyn Clock>,
    /// The machine's own, for time-outs.
    machine: SystemClock,
    commands: SyncSender<Asked>,
    /// Drawing reads the whole journal: one at a time is enough for people.
    drawing: Mutex<()>,
    connections: AtomicUsize,
}

impl Page {
    /// Begins to serve on a loopback address; port 0 takes a free one.
    ///
    /// # Errors
    /// When the address is not of this machine alone, or is taken.
    pub(crate) fn start(
        listen: SocketAddr,
        config: Config,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
        commands: SyncSender<Asked>,
    ) -> Result<Self, AgentError> {
        if !listen.ip().is_loopback() {
            return Err(AgentError::PageNotLocal(listen));
        }
        let listening = |source: io::Error| AgentError::PageNotServed { listen, source };
        let listener = TcpListener::bind(listen).map_err(listening)?;
        let address = listener.local_addr().map_err(listening)?;
        let desk = Arc::new(Desk {
            door: Door::new(clock.clone(), rng),
            config,
            clock,
            machine: SystemClock::new()?,
            commands,
            drawing: Mutex::new(()),
            connections: AtomicUsize::new(0),
        });
        let accepting = desk.clone();
        let accept = move || listener.incoming().flatten().for_each(|stream| Desk::take(&accepting, stream));
        thread::Builder::new().name("page".to_owned()).spawn(accept).map_err(listening)?;
        Ok(Self { address, desk })
    }

    /// An address that opens the page once, in the next ten minutes.
    pub(crate) fn invite(&self) -> String {
        format!("http://{}{OPEN}?token={}", self.address, self.desk.door.invite())
    }
}

/// A connection that is counted as long as it lives, however its answer ends.
struct Served(Arc<Desk>);

impl Served {
    fn begin(desk: Arc<Desk>) -> Self {
        desk.connections.fetch_add(1, Ordering::SeqCst);
        Self(desk)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Desk {
    /// Answers a connection in a thread of its own, unless there are too many.
    fn take(self: &Arc<Self>, stream: TcpStream) {
        let served = Served::begin(self.clone());
        if self.connections.load(Ordering::SeqCst) > MAX_CONNECTIONS {
            return;
        }
        let answer = move || {
            if let Err(error) = served.0.answer(&stream) {
                tracing::debug!(%error, "a page was not sent");
            }
        };
        if let Err(error) = thread::Builder::new().name("page request".to_owned()).spawn(answer) {
            tracing::warn!(%error, "a page is not answered");
        }
    }

    fn answer(&self, stream: &TcpStream) -> io::Result<()> {
        match request::read(stream, &self.machine) {
            Ok(request) => self.respond(&request).write(stream, &self.machine),
            Err(unreadable) => match unreadable.status() {
                Some(status) => {
                    let refused = refusal(status, &format!("{}.", sentence(&unreadable.to_string())));
                    refused.write(stream, &self.machine)
                }
                None => Ok(()),
            },
        }
    }

    fn respond(&self, request: &Request) -> Response {
        if !comes_from_here(request) {
            return refusal(403, "This page answers on this machine only, to requests that begin here.");
        }
        if request.method == Method::Get {
            if let Some(asset) = assets::serve(&request.path) {
                return asset;
            }
            if request.path == OPEN {
                return self.open(request);
            }
        }
        let (session, rest) = request.path[1..].split_once('/').unwrap_or((&request.path[1..], ""));
        if !self.door.admits(session, request) {
            return refusal(403, "This browser was not let in, or a while ago.");
        }
        match request.method {
            Method::Get => self.show(session, rest, request),
            Method::Post if was_sent_here(request) => self.act(session, rest, request),
            Method::Post => refusal(403, "The form was not sent by this page."),
        }
    }

    fn open(&self, request: &Request) -> Response {
        // A browser that only guesses must not use the address up.
        if request.prefetch {
            return refusal(503, "Open this address yourself.");
        }
        match self.door.enter(&request.parameter("token")) {
            Some(Entered { path, cookie }) => Response::see(&format!("/{path}/")).with("Set-Cookie", cookie),
            None => refusal(403, "This address was used already, or is older than ten minutes."),
        }
    }

    fn show(&self, session: &str, path: &str, request: &Request) -> Response {
        let _one = self.drawing.lock().unwrap_or_else(PoisonError::into_inner);
        let glance = match Glance::read(&self.config, self.clock.clone()) {
            Ok(glance) => glance,
            Err(error) => return refusal(503, &format!("The journal cannot be read: {error}.")),
        };
        let frame = self.frame(session, &glance);
        let shown = match path {
            "" => Some(overview::show(frame, &glance)),
            "sent" => Some(sent::show(frame, &glance)),
            "sent.json" => Some(save::sent(&glance.last_sent())),
            _ => match of_month(path) {
                Some((period, "")) => Some(month::show(frame, &glance, period, request)),
                Some((period, name)) => month::file(&glance, period, name),
                None => None,
            },
        };
        shown.unwrap_or_else(|| refusal(404, "There is no such page."))
    }

    fn act(&self, session: &str, path: &str, request: &Request) -> Response {
        let command = match (path, of_month(path)) {
            ("update-now", _) => Command::UpdateNow,
            (_, Some((period, "send"))) => Command::ReportSend { period },
            (_, Some((period, "postpone"))) => Command::ReportPostpone { period },
            (_, Some((period, "reset"))) => Command::ResetAdjustments { period },
            (_, Some((period, "adjust"))) => Command::Adjust {
                period,
                id: request.field("id"),
                kind: Some(request.field("kind")),
                reason: request.field("reason"),
                note: request.field("note"),
            },
            _ => return refusal(404, "There is no such action."),
        };
        let outcome = self.ask(command);
        self.door.tell(session, Notice { good: outcome.done, sentence: sentence(&outcome.sentence) });
        let back = of_month(path).map_or_else(String::new, |(period, _)| format!("month/{period}"));
        Response::see(&format!("/{session}/{back}"))
    }

    /// Lets the keeper do it, and waits a while for what comes of it.
    fn ask(&self, command: Command) -> Outcome {
        let (reply, answer) = mpsc::sync_channel(1);
        match self.commands.try_send(Asked { command, reply }) {
            Ok(()) => answer.recv_timeout(PATIENCE).unwrap_or_else(|_| {
                Outcome::failed("It takes longer than a minute, and goes on meanwhile. Look at this page again later.")
            }),
            Err(_) => Outcome::failed("The agent is busy with what was asked before. Try again in a moment."),
        }
    }

    fn frame(&self, session: &str, glance: &Glance) -> Frame {
        Frame {
            base: format!("/{session}"),
            product: glance.product().unwrap_or_else(|| self.config.product.clone()),
            now: glance.now(),
            notice: self.door.told(session),
        }
    }
}

/// The month of an address as `month/2026-01/send`, and what follows it.
fn of_month(path: &str) -> Option<(Period, &str)> {
    let (period, rest) = path.strip_prefix("month/")?.split_once('/').unwrap_or((path.strip_prefix("month/")?, ""));
    Some((period.parse().ok()?, rest))
}

/// What stands around each page.
struct Frame {
    /// The session's path, with its first slash.
    base: String,
    product: String,
    now: Timestamp,
    notice: Option<Notice>,
}

#[derive(Template)]
#[template(path = "refusal.html")]
struct Refusal<'a> {
    status: u16,
    heading: &'static str,
    sentence: &'a str,
}

fn refusal(status: u16, sentence: &str) -> Response {
    let heading = match status {
        403 => "Not let in",
        404 => "Not here",
        408 => "Not in time",
        503 => "Not now",
        _ => "Not understood",
    };
    page(status, &Refusal { status, heading, sentence })
}

fn page(status: u16, template: &impl Template) -> Response {
    let drawn = template.render();
    // Templates write into memory, and their values are written by `Display` alone.
    Response::html(status, drawn.expect("a template writes into memory"))
}

/// A message as a sentence: a capital letter first.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
