//! pgbouncer before a PostgreSQL that a test started.

use std::{
    fs::{self, File},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use tenure_testkit::wait_for;

use super::{
    postgres::{Postgres, free_port, give_away, unprivileged},
    process::BOUND,
};

/// pgbouncer in front of a PostgreSQL, in transaction mode: a connection of ours has another server for each transaction.
pub(crate) struct Bouncer {
    process: Child,
    port: u16,
    _dir: tempfile::TempDir,
}

impl Bouncer {
    /// Starts it: of `TENURE_PGBOUNCER`, of where `./test` puts it, or of the machine.
    pub(crate) fn start(postgres: &Postgres) -> Self {
        let fetched = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/pgbouncer/pgbouncer");
        let program =
            std::env::var_os("TENURE_PGBOUNCER").map(PathBuf::from).or_else(|| fetched.exists().then_some(fetched));
        let program = program.unwrap_or_else(|| PathBuf::from("/usr/sbin/pgbouncer"));
        let dir = tempfile::tempdir().expect("a directory");
        let program = bring(&program, dir.path());
        give_away(dir.path());
        let port = free_port();
        let settings = format!(
            "[databases]\ntenure = host=127.0.0.1 port={} dbname=tenure user=tenure\n[pgbouncer]\n\
             listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n\
             pool_mode = transaction\ndefault_pool_size = 5\nmax_client_conn = 200\n\
             ignore_startup_parameters = extra_float_digits\n",
            postgres.port()
        );
        let file = dir.path().join("pgbouncer.ini");
        std::fs::write(&file, settings).expect("a file");
        let process = spawn(&program, &file, dir.path());
        wait_for("pgbouncer", BOUND, || std::net::TcpStream::connect(("127.0.0.1", port)).ok());
        Self { process, port, _dir: dir }
    }

    pub(crate) fn url(&self) -> String {
        format!("postgres://tenure@127.0.0.1:{}/tenure?statement-cache-capacity=0", self.port)
    }
}

/// Copies the program and the libraries beside it to where PostgreSQL's user may read; its new place.
fn bring(program: &Path, to: &Path) -> PathBuf {
    let from = program.parent().expect("a program is in a directory");
    let libraries = fs::read_dir(from).into_iter().flatten().flatten().map(|entry| entry.path());
    let is_library = |path: &PathBuf| path.to_string_lossy().contains(".so.");
    for file in libraries.filter(is_library).chain([program.to_owned()]) {
        let name = file.file_name().expect("a file has a name");
        fs::copy(&file, to.join(name)).unwrap_or_else(|error| {
            panic!("{}: {error}; `./test` fetches pgbouncer, and TENURE_PGBOUNCER names another", file.display())
        });
    }
    to.join("pgbouncer")
}

fn spawn(program: &Path, settings: &Path, dir: &Path) -> Child {
    let log = File::create(dir.join("log")).expect("a log");
    let mut command = Command::new(program);
    command.env("LD_LIBRARY_PATH", dir).arg(settings).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    if let Some((user, group)) = unprivileged() {
        command.uid(user).gid(group);
    }
    command.spawn().expect("pgbouncer can be started")
}

impl Drop for Bouncer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
