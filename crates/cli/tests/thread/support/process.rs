//! The real binary as processes: a server and an agent that share nothing but HTTP and a test clock's file.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use serde_json::Value;
use tenure_core::Timestamp;

/// Longer than anything takes on a busy machine; a bound, not a pace.
pub(crate) const BOUND: Duration = Duration::from_secs(90);

/// The binary under test.
pub(crate) fn tenure() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenure"));
    command.stdin(Stdio::null()).env_remove("TENURE_KEY").env("TENURE_LOG", "warn");
    command
}

/// Runs a command to its end; its standard output.
#[track_caller]
pub(crate) fn run(command: &mut Command) -> String {
    let output = output(command);
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Runs a command to its end, whatever that is.
#[track_caller]
pub(crate) fn output(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

/// A process that ends with the test.
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts it; its output goes to `log`.
    pub(crate) fn start(command: &mut Command, log: &Path) -> Self {
        let file = fs::OpenOptions::new().create(true).append(true).open(log).expect("a log file");
        let child = command
            .stdout(Stdio::from(file.try_clone().expect("a second handle")))
            .stderr(Stdio::from(file))
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Self { child, log: log.to_owned() }
    }

    /// Starts it and waits for the first whole line of its standard output, which says that it is ready.
    pub(crate) fn until_line(command: &mut Command, log: &Path) -> (Self, String) {
        let (process, mut lines) = Self::until_lines(command, log, 1);
        (process, lines.remove(0))
    }

    /// As [`Process::until_line`], for so many lines.
    pub(crate) fn until_lines(command: &mut Command, log: &Path, count: usize) -> (Self, Vec<String>) {
        let file = fs::OpenOptions::new().create(true).append(true).open(log).expect("a log file");
        let spawned = command.stdout(Stdio::piped()).stderr(Stdio::from(file)).spawn();
        let mut child = spawned.unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let process = Self { child, log: log.to_owned() };
        let lines: Vec<String> = lines.take(count).map(|line| line.expect("text")).collect();
        assert_eq!(lines.len(), count, "it ended before it was ready: {}", process.log());
        (process, lines)
    }

    /// What it wrote.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Kills it without warning.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Tells it to stop, as a service manager does.
    pub(crate) fn terminate(&self) {
        run(Command::new("kill").arg("-TERM").arg(self.child.id().to_string()));
    }

    /// Its exit code, once it has ended, which it does within `bound`.
    pub(crate) fn ended(&mut self, bound: Duration) -> Option<i32> {
        let ended = || self.child.try_wait().expect("it is ours");
        tenure_testkit::wait_for("the process to end", bound, ended).code()
    }

    /// Whether it still runs.
    pub(crate) fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        if thread::panicking() {
            eprintln!("---- {} ----\n{}", self.log.display(), self.log());
        }
    }
}

/// A server process and the address it listens on.
pub(crate) struct Server {
    /// The process.
    pub(crate) process: Process,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

impl Server {
    /// Starts `tenure serve` on a free loopback port and waits until it listens.
    pub(crate) fn start(data_dir: &Path, clock: &Path, log: &Path) -> Self {
        Self::start_on(data_dir, clock, log, "127.0.0.1:0")
    }

    /// As [`Server::start`], on a given address.
    pub(crate) fn start_on(data_dir: &Path, clock: &Path, log: &Path, listen: &str) -> Self {
        // Each start writes its own log, so that its line is not mistaken for an earlier one's.
        let _ = fs::remove_file(log);
        let mut command = tenure();
        command.args(["serve", "--listen", listen]);
        command.arg("--data-dir").arg(data_dir).arg("--test-clock").arg(clock);
        Self::start_by(&mut command, log)
    }

    /// Starts a server by a command of the test's own and waits until it listens.
    pub(crate) fn start_by(command: &mut Command, log: &Path) -> Self {
        let mut process = Process::start(command, log);
        let address = tenure_testkit::wait_for("the server to listen", BOUND, || {
            let text = process.log();
            let line = text.lines().find_map(|line| line.strip_prefix("listening on http://").map(str::to_owned));
            assert!(line.is_some() || process.is_running(), "the server ended: {text}");
            line
        });
        Self { process, address: address.parse().expect("an address") }
    }

    /// Its URL.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// What a server says of itself: 200 or 503; 0 where none listens.
pub(crate) fn readyz(url: &str) -> u16 {
    let listens = TcpStream::connect(url.trim_start_matches("http://")).is_ok();
    if listens { get(&format!("{url}/readyz")).0 } else { 0 }
}

/// A file that a deployment and its products take for their clock.
pub(crate) struct ClockFile(pub(crate) PathBuf);

impl ClockFile {
    /// Moves all who follow it.
    pub(crate) fn set(&self, at: &str) {
        self.set_to(at.parse().expect("an instant"));
    }
    /// Moves all who follow it.
    pub(crate) fn set_to(&self, at: Timestamp) {
        // Renamed into place, so that nobody reads half an instant.
        let fresh = self.0.with_extension("next");
        fs::write(&fresh, format!("{at}\n")).expect("the clock can be written");
        fs::rename(&fresh, &self.0).expect("the clock can be moved");
    }
}

/// A way between two processes that can be blocked, as a firewall does, or lose its answers, as a bad line does.
pub(crate) struct Way {
    /// The near end.
    pub(crate) address: SocketAddr,
    state: Arc<WayState>,
}

struct WayState {
    open: AtomicBool,
    loses_answers: AtomicBool,
    target: Mutex<SocketAddr>,
}

impl Way {
    /// Opens a way to `target`.
    pub(crate) fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("a bound port");
        let state = Arc::new(WayState {
            open: AtomicBool::new(true),
            loses_answers: AtomicBool::new(false),
            target: Mutex::new(target),
        });
        let gate = Arc::clone(&state);
        thread::spawn(move || {
            for near in listener.incoming().flatten() {
                let target = *gate.target.lock().expect("nobody panics while it is held");
                if gate.open.load(Ordering::SeqCst)
                    && let Ok(far) = TcpStream::connect(target)
                {
                    join(near, far, &gate);
                }
            }
        });
        Self { address, state }
    }

    /// Blocks it: connections are closed as soon as they are made.
    pub(crate) fn block(&self) {
        self.state.open.store(false, Ordering::SeqCst);
    }
    /// Opens it again.
    pub(crate) fn unblock(&self) {
        self.state.open.store(true, Ordering::SeqCst);
    }
    /// Whether answers are lost: the request arrives, and the connection breaks when the answer's first byte comes.
    pub(crate) fn lose_answers(&self, lose: bool) {
        self.state.loses_answers.store(lose, Ordering::SeqCst);
    }
    /// Its URL.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

fn join(near: TcpStream, far: TcpStream, state: &Arc<WayState>) {
    let (Ok(near_again), Ok(far_again)) = (near.try_clone(), far.try_clone()) else { return };
    thread::spawn(move || copy(near_again, far_again, || true));
    let state = Arc::clone(state);
    let passes = move || state.open.load(Ordering::SeqCst) && !state.loses_answers.load(Ordering::SeqCst);
    thread::spawn(move || copy(far, near, passes));
}

fn copy(mut from: TcpStream, mut to: TcpStream, passes: impl Fn() -> bool) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(n) = from.read(&mut buffer) {
        if n == 0 || !passes() || to.write_all(&buffer[..n]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}

/// Makes a deployment in `server` of a directory, its trust root beside it as `root.json`; gives the administrator's password.
pub(crate) fn init(dir: &Path, clock: &ClockFile) -> String {
    let mut init = tenure();
    init.args(["init", "--vendor", "Example Software", "--email", "admin@vendor.example", "--test-clock"]);
    init.arg(&clock.0).arg("--root").arg(dir.join("root.json")).arg("--data-dir").arg(dir.join("server"));
    password_of(&run(&mut init))
}

/// What `tenure init` printed for the first administrator.
pub(crate) fn password_of(init_output: &str) -> String {
    let line = BufReader::new(init_output.as_bytes())
        .lines()
        .map_while(Result::ok)
        .find(|line| line.trim_start().starts_with("password"))
        .expect("init prints a password");
    line.split_whitespace().nth(1).expect("a password").to_owned()
}

/// JSON from a command's standard output.
#[track_caller]
pub(crate) fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// An answer's status and text.
pub(crate) fn get(url: &str) -> (u16, String) {
    let config = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(BOUND)).build();
    let mut answer = config.new_agent().get(url).call().unwrap_or_else(|error| panic!("{url}: {error}"));
    let text = answer.body_mut().read_to_string().unwrap_or_else(|error| panic!("{url}: {error}"));
    (answer.status().as_u16(), text)
}
