//! What people ask of an installation by command, and the way to a running daemon: one line of JSON each way over a Unix
//! socket in the data directory.

use std::{
    fs,
    io::{self, BufRead, BufReader, Read, Write},
    os::{
        fd::AsRawFd,
        unix::{
            fs::PermissionsExt,
            net::{UnixListener, UnixStream},
        },
    },
    path::{Path, PathBuf},
    sync::mpsc::{self, Receiver, SyncSender},
    thread,
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tenure_core::{Period, Timestamp, update::UpdateResult};
use tenure_license::{ReportStage, offline::MAX_OFFLINE_TEXT};

use crate::{
    error::AgentError,
    keeper::{CheckIn, Imported, KeyRotation, LicenseKeeper},
};

/// The longest line either side reads, in bytes: files that are carried by hand travel through it.
const MAX_LINE: u64 = 2 * MAX_OFFLINE_TEXT as u64;
/// How long a command may take: an exchange with several servers that do not answer.
const MAX_WAIT: Duration = Duration::from_mins(10);
/// How long a peer may take to say its line.
const LINE_WAIT: Duration = Duration::from_secs(10);
/// Commands that wait while the daemon is busy.
const MAX_WAITING: usize = 8;
/// The longest path of a Unix socket.
const MAX_SOCKET_PATH: usize = 107;

/// Something a person asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum Command {
    /// Ask for the current license at once.
    UpdateNow,
    /// Hand over to a new installation key.
    RotateKey,
    /// Send the report of a month as final.
    ReportSend {
        /// The month.
        period: Period,
    },
    /// Ask about the report of a month again tomorrow.
    ReportPostpone {
        /// The month.
        period: Period,
    },
    /// Take a workload out of a month's report.
    Adjust {
        /// The month.
        period: Period,
        /// The workload.
        id: String,
        /// Its type, or `type/variant`, where the id alone does not say which.
        kind: Option<String>,
        /// Reason code.
        reason: String,
        /// The reason in a sentence.
        note: String,
    },
    /// Take all adjustments of a month's report back.
    ResetAdjustments {
        /// The month.
        period: Period,
    },
    /// Put the next request into a file.
    MakeRequestFile,
    /// Take a file that a person brought.
    Import {
        /// The file's text.
        file: String,
    },
    /// Give an address that opens the product's own page once.
    OpenPage,
}

impl Command {
    /// Its name, for logs: what else it holds is nobody's business there.
    pub fn name(&self) -> &'static str {
        match self {
            Self::UpdateNow => "update-now",
            Self::RotateKey => "rotate-key",
            Self::ReportSend { .. } => "report send",
            Self::ReportPostpone { .. } => "report postpone",
            Self::Adjust { .. } => "adjust",
            Self::ResetAdjustments { .. } => "adjust --reset",
            Self::MakeRequestFile => "request",
            Self::Import { .. } => "import",
            Self::OpenPage => "open",
        }
    }
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// It was done.
    pub done: bool,
    /// One sentence.
    pub sentence: String,
    /// What a license update came to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<UpdateResult>,
    /// Whether a newer license was installed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub installed: Option<bool>,
    /// When it is tried again, or asked again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// A file that was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<MadeFile>,
    /// An address that opens the product's own page once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

/// A file that a person carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeFile {
    /// A name for it.
    pub name: String,
    /// Its text.
    pub text: String,
}

impl Outcome {
    pub(crate) fn done(sentence: impl Into<String>) -> Self {
        Self {
            done: true,
            sentence: sentence.into(),
            result: None,
            installed: None,
            at: None,
            file: None,
            address: None,
        }
    }
    pub(crate) fn failed(sentence: impl Into<String>) -> Self {
        Self { done: false, ..Self::done(sentence) }
    }
}

/// Does what a person asks for.
pub fn execute(keeper: &mut LicenseKeeper, command: Command) -> Outcome {
    let outcome = match command {
        Command::UpdateNow => keeper.check_in_now().map(update_outcome),
        Command::RotateKey => keeper.rotate_key().map(rotation_outcome),
        Command::ReportSend { period } => send_report(keeper, period),
        Command::ReportPostpone { period } => keeper.report_postpone(period).map(|until| Outcome {
            at: Some(until),
            ..Outcome::done(format!("The report of {period} waits; it becomes final by itself later."))
        }),
        Command::Adjust { period, id, kind, reason, note } => keeper
            .adjust(period, &id, kind.as_deref(), &reason, &note)
            .map(|()| Outcome::done(format!("`{id}` is out of the report of {period}.{}", what_next(keeper, period)))),
        Command::ResetAdjustments { period } => keeper.reset_adjustments(period).map(|()| {
            Outcome::done(format!("The report of {period} is unadjusted again.{}", what_next(keeper, period)))
        }),
        Command::MakeRequestFile => keeper.request_file().map(|made| {
            let waiting = match made.waiting {
                0 => String::new(),
                waiting => format!(" {waiting} more wait for the next file."),
            };
            let sentence = format!(
                "The file carries {} documents.{waiting} Have the license server answer it, and import the answer here.",
                made.documents
            );
            Outcome { file: Some(MadeFile { name: made.name, text: made.text }), ..Outcome::done(sentence) }
        }),
        Command::Import { file } => keeper.import(&file).map(|imported| import_outcome(keeper, imported)),
        // The daemon that serves a page answers this itself.
        Command::OpenPage => Ok(Outcome::failed("no page is served: `tenure agent run` serves it, unless `--page off` says so")),
    };
    outcome.unwrap_or_else(|error| Outcome::failed(sentence_of(&error)))
}

fn update_outcome(update: CheckIn) -> Outcome {
    match update {
        CheckIn::Answered { result, sentence, installed } => Outcome {
            result: Some(result),
            installed: Some(installed),
            done: result.is_good(),
            ..Outcome::done(sentence)
        },
        CheckIn::NotReached { sentence, retry_at } => {
            Outcome { at: Some(retry_at), ..Outcome::failed(format!("The server was not reached: {sentence}")) }
        }
    }
}

fn rotation_outcome(rotation: KeyRotation) -> Outcome {
    match rotation {
        KeyRotation::Rotated { key } => Outcome::done(format!("This installation now speaks with the new key {key}.")),
        KeyRotation::NotReached { sentence } => Outcome::failed(format!(
            "The server was not reached: {sentence}. The new key is kept, and takes over with the next answer."
        )),
    }
}

fn send_report(keeper: &mut LicenseKeeper, period: Period) -> Result<Outcome, AgentError> {
    keeper.report_send(period)?;
    keeper.send_waiting()?;
    let report = keeper.report(period);
    let sentence = match report.received_at {
        Some(at) => format!("The report of {period} is final; the server received it at {at}."),
        None => format!("The report of {period} is final and kept; it goes out when the server answers."),
    };
    Ok(Outcome { at: report.received_at, ..Outcome::done(sentence) })
}

/// A report that went out is not changed by an adjustment alone.
fn what_next(keeper: &mut LicenseKeeper, period: Period) -> &'static str {
    match keeper.report(period).stage {
        Some(ReportStage::Final) => " The final report went out before: send it again with `tenure agent report send`.",
        Some(ReportStage::Preliminary) | None => "",
    }
}

fn import_outcome(keeper: &mut LicenseKeeper, imported: Imported) -> Outcome {
    let state = keeper.status().sentence;
    match imported {
        Imported::Activated => {
            Outcome { installed: Some(true), ..Outcome::done(format!("This installation is activated. {state}")) }
        }
        Imported::LicenseInstalled => {
            Outcome { installed: Some(true), ..Outcome::done(format!("The license is installed. {state}")) }
        }
        Imported::Answered { result, installed, receipted } => Outcome {
            result: Some(result),
            installed: Some(installed),
            done: result.is_good(),
            ..Outcome::done(format!("{} The server has receipted {receipted} documents.", result.sentence()))
        },
        Imported::AnotherFileNeeded => Outcome::failed(
            "The server and this installation are out of step. Make another file with `tenure agent request` and carry \
             that one too; it settles it.",
        ),
        Imported::Already => Outcome::done("This file was imported before; nothing changed."),
    }
}

/// An error and its causes in one line.
pub(crate) fn sentence_of(error: &dyn std::error::Error) -> String {
    let mut sentence = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !sentence.ends_with(&cause_text) {
            sentence = format!("{sentence}: {cause_text}");
        }
        source = cause.source();
    }
    sentence
}

/// A command from a connection, and the way back.
pub(crate) struct Asked {
    pub(crate) command: Command,
    pub(crate) reply: SyncSender<Outcome>,
}

/// Where commands wait for the one keeper: whoever takes them from people holds the first end, the daemon the second.
pub(crate) fn channel() -> (SyncSender<Asked>, Receiver<Asked>) {
    mpsc::sync_channel(MAX_WAITING)
}

/// Listens for commands. Whoever calls this holds the journal's lock, so a socket that is there already is a leftover.
pub(crate) fn listen(path: &Path, sender: SyncSender<Asked>) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let (short, _directory) = short_path(path)?;
    let listener = UnixListener::bind(short)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    thread::Builder::new().name("commands".to_owned()).spawn(move || {
        for connection in listener.incoming().flatten() {
            // One at a time: a person's commands are few, and each has its time-outs.
            if let Err(error) = serve(&connection, &sender) {
                tracing::debug!(%error, "a command was not answered");
            }
        }
    })?;
    Ok(())
}

fn serve(connection: &UnixStream, sender: &SyncSender<Asked>) -> io::Result<()> {
    connection.set_read_timeout(Some(LINE_WAIT))?;
    connection.set_write_timeout(Some(LINE_WAIT))?;
    let (reply, answer) = mpsc::sync_channel(1);
    let outcome = match read_line::<Command>(connection) {
        Ok(command) => match sender.try_send(Asked { command, reply }) {
            Ok(()) => answer
                .recv_timeout(MAX_WAIT)
                .unwrap_or_else(|_| Outcome::failed("the daemon did not get to it in time; it may still do it")),
            Err(_) => Outcome::failed("the daemon is busy; try again"),
        },
        Err(error) => Outcome::failed(format!("the command is not understood: {error}")),
    };
    write_line(connection, &outcome)
}

/// Asks the running daemon. `None` when none listens.
///
/// # Errors
/// When one listens and does not answer in time, or not in words we know.
pub fn ask_daemon(path: &Path, command: &Command) -> io::Result<Option<Outcome>> {
    let (short, _directory) = short_path(path)?;
    let connection = match UnixStream::connect(short) {
        Ok(connection) => connection,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    connection.set_read_timeout(Some(MAX_WAIT + LINE_WAIT))?;
    connection.set_write_timeout(Some(LINE_WAIT))?;
    write_line(&connection, command)?;
    read_line(&connection).map(Some)
}

/// A path that fits into a socket address: the directory is opened and named by its descriptor when the path is long.
fn short_path(path: &Path) -> io::Result<(PathBuf, Option<fs::File>)> {
    if path.as_os_str().len() <= MAX_SOCKET_PATH {
        return Ok((path.to_owned(), None));
    }
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let directory = fs::File::open(parent)?;
    let short = Path::new("/proc/self/fd").join(directory.as_raw_fd().to_string()).join(name);
    Ok((short, Some(directory)))
}

fn read_line<T: for<'de> Deserialize<'de>>(connection: &UnixStream) -> io::Result<T> {
    let mut line = String::new();
    BufReader::new(connection.take(MAX_LINE)).read_line(&mut line)?;
    serde_json::from_str(&line).map_err(io::Error::from)
}

fn write_line(mut connection: &UnixStream, value: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    connection.write_all(&line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answering(receiver: Receiver<Asked>) -> thread::JoinHandle<Vec<Command>> {
        thread::spawn(move || {
            let mut seen = Vec::new();
            while let Ok(asked) = receiver.recv_timeout(Duration::from_secs(5)) {
                let last = asked.command == Command::UpdateNow;
                seen.push(asked.command);
                asked.reply.send(Outcome::done("yes")).unwrap();
                if last {
                    break;
                }
            }
            seen
        })
    }

    #[test]
    fn commands_reach_the_daemon_also_in_a_deep_directory() {
        let dir = tempfile::tempdir().unwrap();
        let deep = dir.path().join("a".repeat(60)).join("b".repeat(60));
        fs::create_dir_all(&deep).unwrap();
        for path in [dir.path().join("agent.sock"), deep.join("agent.sock")] {
            assert_eq!(ask_daemon(&path, &Command::UpdateNow).unwrap(), None, "nobody listens");
            let (sender, receiver) = channel();
            listen(&path, sender).unwrap();
            let daemon = answering(receiver);
            let send = Command::ReportSend { period: "2026-01".parse().unwrap() };
            assert_eq!(ask_daemon(&path, &send).unwrap(), Some(Outcome::done("yes")));
            let mut nonsense = UnixStream::connect(short_path(&path).unwrap().0);
            // The short path dies with its directory handle; keep one for this direct connection.
            let (short, _directory) = short_path(&path).unwrap();
            if nonsense.is_err() {
                nonsense = UnixStream::connect(short);
            }
            let nonsense = nonsense.unwrap();
            (&nonsense).write_all(b"{\"command\":\"dance\"}\n").unwrap();
            let refused: Outcome = read_line(&nonsense).unwrap();
            assert!(!refused.done && refused.sentence.contains("dance"), "{refused:?}");
            assert!(ask_daemon(&path, &Command::UpdateNow).unwrap().unwrap().done);
            assert_eq!(daemon.join().unwrap(), [send, Command::UpdateNow]);
        }
    }
}
