//! What an operator's machinery asks of the server: figures on an address of their own, and an end that loses nothing.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
    time::Duration,
};

use tenure_testkit::wait_for;

use crate::support::{
    market::Deployment,
    process::{BOUND, Process, get, run, tenure},
};

/// Longer than a stop at once takes on a busy machine, and less than the soft one waits for what is open (20 s).
const AT_ONCE: Duration = Duration::from_secs(15);

/// A server with an address for its operator.
struct Watched {
    process: Process,
    address: SocketAddr,
    operator: String,
}

impl Watched {
    fn start(deployment: &Deployment) -> Self {
        let mut command = tenure();
        command.args(["serve", "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0", "--data-dir"]);
        command.arg(deployment.data_dir()).arg("--test-clock").arg(deployment.clock_file());
        let (process, lines) = Process::until_lines(&mut command, &deployment.path("watched.log"), 2);
        let address = lines[0].strip_prefix("listening on http://").expect("where it listens");
        let operator = lines[1].strip_prefix("metrics on ").and_then(|line| line.strip_suffix("/metrics"));
        Self {
            process,
            address: address.parse().expect("an address"),
            operator: operator.expect("where the figures are").to_owned(),
        }
    }

    fn figure(&self, name: &str) -> f64 {
        let (status, text) = get(&format!("{}/metrics", self.operator));
        assert_eq!(status, 200, "{text}");
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {name} in {text}")).parse().expect("a figure")
    }

    /// Waits until it takes no more connections: it was told to stop, and heard it.
    fn refuses(&self) {
        let refused = || TcpStream::connect(self.address).is_err().then_some(());
        wait_for("no new connections", BOUND, refused);
    }
}

/// A request that is half sent: the server has its head and waits for its body.
struct HalfSent(TcpStream);

impl HalfSent {
    const BODY: &[u8] = br#"{"email":"nobody@vendor.example","password":"wrong"}"#;

    fn to(server: &Watched) -> Self {
        let mut stream = TcpStream::connect(server.address).expect("it listens");
        stream.set_read_timeout(Some(BOUND)).expect("a bound");
        let head = format!(
            "POST /api/v1/sign-in HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
             expect: 100-continue\r\ncontent-length: {}\r\n\r\n",
            Self::BODY.len()
        );
        stream.write_all(head.as_bytes()).expect("the head is sent");
        // The server says this when the handler begins to read the body: the request is being answered.
        let mut told = [0; 25];
        stream.read_exact(&mut told).expect("an interim answer");
        assert_eq!(&told, b"HTTP/1.1 100 Continue\r\n\r\n");
        Self(stream)
    }

    /// Sends the rest and reads what comes back; nothing when the server has cut it off.
    fn finish(mut self) -> String {
        let _ = self.0.write_all(Self::BODY);
        let mut answer = String::new();
        let _ = self.0.read_to_string(&mut answer);
        answer
    }
}

#[test]
fn the_first_word_to_stop_finishes_what_is_open() {
    let deployment = Deployment::new();
    let mut server = Watched::start(&deployment);
    let open = HalfSent::to(&server);
    assert!((server.figure("tenure_http_requests_in_flight") - 1.0).abs() < f64::EPSILON);
    server.process.terminate();
    server.refuses();
    assert!(server.process.is_running(), "it waits for what is open");
    let answer = open.finish();
    assert!(answer.starts_with("HTTP/1.1 401 ") && answer.contains("sign-in-failed"), "{answer}");
    assert_eq!(server.process.ended(BOUND), Some(0), "{}", server.process.log());
}

#[test]
fn the_second_word_to_stop_ends_at_once() {
    let deployment = Deployment::new();
    let mut server = Watched::start(&deployment);
    let open = HalfSent::to(&server);
    server.process.terminate();
    server.refuses();
    server.process.terminate();
    assert_eq!(server.process.ended(AT_ONCE), Some(1), "something open was cut off, and it says so");
    assert_eq!(open.finish(), "", "it was not answered");
}

#[test]
fn figures_are_on_the_operators_address_alone() {
    let deployment = Deployment::new();
    let server = Watched::start(&deployment);
    for path in ["/metrics", "/healthz", "/readyz"] {
        assert_eq!(get(&format!("{}{path}", server.operator)).0, 200, "{path}");
    }
    assert!((server.figure("tenure_ready") - 1.0).abs() < f64::EPSILON);
    assert_eq!(get(&format!("{}/api/v1/openapi.json", server.operator)).0, 404);
    let public = format!("http://{}", server.address);
    assert_eq!(get(&format!("{public}/metrics")).0, 404);
    assert_eq!(get(&format!("{public}/readyz")).0, 200);
}

/// The Debian package's settings are those of the server: a name that was mistyped would change nothing, silently.
#[test]
fn the_server_knows_every_setting_of_the_package() {
    let help = run(tenure().args(["serve", "--help"]));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging/server.env");
    let settings = std::fs::read_to_string(path).expect("the settings");
    let lines = settings.lines().map(|line| line.trim_start_matches('#'));
    let named: Vec<&str> = lines.filter_map(|line| line.split_once('=')).map(|(name, _)| name).collect();
    assert!(named.len() > 8, "{named:?}");
    for name in named {
        // The log's filter is read before there are options.
        assert!(name == "TENURE_LOG" || help.contains(&format!("[env: {name}")), "{name} is no setting:\n{help}");
    }
}
