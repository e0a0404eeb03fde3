//! A PostgreSQL server that a test may stop and start: its own cluster, on a loopback port, durable as in production.

use std::{
    fs::{self, File},
    io::Write,
    net::TcpListener,
    os::unix::{
        fs::{MetadataExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use tenure_testkit::wait_for;

use super::process::{BOUND, output, run};

/// The cluster and the process that serves it.
pub(crate) struct Postgres {
    port: u16,
    bin: PathBuf,
    server: Option<Child>,
    dir: tempfile::TempDir,
}

impl Postgres {
    /// Makes a cluster with an empty database `tenure` and serves it.
    pub(crate) fn start() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        give_away(dir.path());
        let bin = binaries();
        let mut postgres = Self { port: free_port(), bin, server: None, dir };
        let mut initdb = postgres.command("initdb");
        initdb.args(["--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "-D"]);
        run(initdb.arg(postgres.data()));
        postgres.resume();
        // As an operator makes it: the role owns the database and is nobody else.
        let mut create = postgres.psql("postgres", "postgres");
        run(create.args(["-c", "CREATE ROLE tenure LOGIN", "-c", "CREATE DATABASE tenure OWNER tenure"]));
        postgres
    }

    /// Its URL over TCP.
    pub(crate) fn url(&self) -> String {
        format!("postgres://tenure@127.0.0.1:{}/tenure", self.port)
    }

    /// Its port on the loopback address.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Stops it as a power cut does: connections break, nothing is written any more.
    pub(crate) fn cut(&mut self) {
        let mut server = self.server.take().expect("it runs");
        run(Command::new("kill").arg("-QUIT").arg(server.id().to_string()));
        server.wait().expect("it ends");
    }

    /// Serves it again, and waits until it answers.
    pub(crate) fn resume(&mut self) {
        let log = File::options().create(true).append(true).open(self.dir.path().join("log")).expect("a log");
        let mut command = self.command("postgres");
        command.arg("-D").arg(self.data()).arg("-k").arg(self.dir.path());
        command.args(["-c", "listen_addresses=127.0.0.1", "-c", "max_connections=200", "-c", "shared_buffers=64MB"]);
        command.args(["-c", &format!("port={}", self.port)]).stdin(Stdio::null());
        command.stdout(log.try_clone().expect("a second handle")).stderr(log);
        self.server = Some(command.spawn().expect("PostgreSQL can be started"));
        wait_for("PostgreSQL to answer", BOUND, || {
            let mut ready = self.command("pg_isready");
            let ready = output(ready.args(["-h", "127.0.0.1", "-p"]).arg(self.port.to_string()));
            ready.status.success().then_some(())
        });
    }

    /// What a query to the database `tenure` prints, without frame.
    pub(crate) fn sql(&self, sql: &str) -> String {
        run(self.psql("tenure", "tenure").args(["-c", sql])).trim().to_owned()
    }

    /// Holds a table of the database `tenure`: whoever touches it waits, until this is dropped.
    pub(crate) fn hold(&self, table: &str) -> Held {
        let mut psql = self.psql("tenure", "tenure");
        let mut session = psql.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("psql can be started");
        let lock = format!("BEGIN;\nLOCK TABLE {table} IN ACCESS EXCLUSIVE MODE;\n");
        session.stdin.as_mut().expect("a pipe").write_all(lock.as_bytes()).expect("it listens");
        let held = format!("SELECT count(*) FROM pg_locks WHERE relation = '{table}'::regclass AND granted");
        wait_for("the table to be held", BOUND, || (self.sql(&held) == "1").then_some(()));
        Held(session)
    }

    fn psql(&self, user: &str, database: &str) -> Command {
        let mut psql = self.command("psql");
        psql.args(["-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-U", user, "-d", database]);
        psql.arg("-p").arg(self.port.to_string());
        psql
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// One of its programs, run by whom PostgreSQL accepts.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.bin.join(program));
        if let Some((user, group)) = unprivileged() {
            command.uid(user).gid(group);
        }
        command.current_dir(self.dir.path());
        command
    }
}

/// A session that holds a table.
pub(crate) struct Held(Child);

impl Drop for Held {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Some(mut server) = self.server.take() {
            let _ = Command::new("kill").arg("-QUIT").arg(server.id().to_string()).status();
            let _ = server.wait();
        }
        if std::thread::panicking() {
            eprintln!("---- PostgreSQL ----\n{}", fs::read_to_string(self.dir.path().join("log")).unwrap_or_default());
        }
    }
}

/// A loopback port, taken and given back: the next to ask for a free one gets another.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|bound| bound.local_addr()).expect("a free port").port()
}

/// Where Debian and others put the server's programs; the newest version found.
pub(crate) fn binaries() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<_> =
        versions.map(|entry| entry.path().join("bin")).filter(|bin| bin.join("initdb").exists()).collect();
    found.sort();
    found.pop().expect("the tests need PostgreSQL's server programs (Debian: postgresql)")
}

/// PostgreSQL refuses to run as root.
pub(crate) fn unprivileged() -> Option<(u32, u32)> {
    if fs::metadata("/proc/self").is_ok_and(|me| me.uid() != 0) {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").expect("there is a list of users");
    let line = users.lines().find_map(|line| line.strip_prefix("postgres:")).expect("root needs a user postgres");
    let mut fields = line.split(':').skip(1).map(|id| id.parse().expect("an id is a number"));
    fields.next().zip(fields.next())
}

/// Gives a directory to whom PostgreSQL runs as.
pub(crate) fn give_away(dir: &Path) {
    if let Some((user, group)) = unprivileged() {
        chown(dir, Some(user), Some(group)).expect("root may give a directory away");
    }
}
