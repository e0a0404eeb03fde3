//! A PostgreSQL server for the tests of one run: made by the first test that needs it, ended when the run ends.

use std::{
    fs::{self, File},
    os::unix::{fs::chown, process::CommandExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use sqlx::{AssertSqlSafe, Connection, Executor as _, PgConnection};
use tokio::sync::OnceCell;

use super::rng;
use crate::Store;

const TEMPLATE: &str = "tenure_template";
const START: Duration = Duration::from_mins(1);

pub(super) struct Server {
    /// Holds the data and the socket.
    directory: PathBuf,
}

/// The run's server. Under nextest, where each test is a process, all of them share it; whoever comes first makes it.
pub(super) async fn server() -> &'static Server {
    static SERVER: OnceCell<Server> = OnceCell::const_new();
    SERVER.get_or_init(Server::find_or_start).await
}

/// Where Debian and others put the server's programs; the newest version found.
pub(super) fn binaries() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<_> = versions
        .map(|entry| entry.path().join("bin"))
        .filter(|bin| bin.join("initdb").exists() && bin.join("postgres").exists())
        .collect();
    found.sort();
    found.pop().expect("the contract tests need PostgreSQL's server programs (Debian: postgresql)")
}

impl Server {
    async fn find_or_start() -> Self {
        // The run: nextest's, or this process. Its process id tells when the server is no longer needed.
        let (run, owner) = match std::env::var("NEXTEST_RUN_ID") {
            Ok(run) => (run, std::os::unix::process::parent_id()),
            Err(_) => (std::process::id().to_string(), std::process::id()),
        };
        let directory = std::env::temp_dir().join(format!("tenure-pg-{}", &run[..run.len().min(13)]));
        let server = Self { directory };
        let lock_path = server.directory.with_extension("lock");
        let lock = File::create(&lock_path).expect("a lock file can be made");
        // The watchdog removes it with the rest.
        Unprivileged::find().own(&lock_path);
        let lock = tokio::task::spawn_blocking(move || lock.lock().map(|()| lock)).await;
        let _held = lock.expect("nobody cancels it").expect("the lock can be had");
        let ready = server.directory.join("ready");
        if !ready.exists() {
            server.start(owner);
            server.make_template().await;
            fs::write(ready, "").expect("the directory can be written");
        }
        server
    }

    /// Makes a cluster and starts a server that a watchdog ends together with the run.
    #[expect(clippy::zombie_processes, reason = "the watchdog outlives this process, whose end it waits for")]
    fn start(&self, owner: u32) {
        fs::create_dir_all(&self.directory).expect("a directory can be made");
        let user = Unprivileged::find();
        user.own(&self.directory);
        let bin = binaries();
        let data = self.directory.join("data");
        let mut initdb = Command::new(bin.join("initdb"));
        initdb
            .args(["--no-sync", "--auth=trust", "--username=tenure", "--encoding=UTF8", "--locale=C", "-D"])
            .arg(&data);
        let output = user.become_for(&mut initdb, &self.directory).output().expect("initdb can be run");
        assert!(output.status.success(), "initdb: {}", String::from_utf8_lossy(&output.stderr));
        // Without fsync: these servers die with their tests, and no test cuts the power.
        let script = "\"$1\" -D \"$2/data\" -k \"$2\" -c listen_addresses= -c fsync=off -c full_page_writes=off \
            -c max_connections=300 -c shared_buffers=64MB > \"$2/log\" 2>&1 &
            server=$!
            while [ -d \"/proc/$3\" ] && kill -0 $server 2> /dev/null; do sleep 0.2; done
            kill -QUIT $server 2> /dev/null; wait $server; rm -rf \"$2\" \"$2.lock\"";
        let mut watchdog = Command::new("sh");
        watchdog
            .args(["-c", script, "tenure-pg"])
            .arg(bin.join("postgres"))
            .arg(&self.directory)
            .arg(owner.to_string());
        watchdog.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // A process group of its own: a test that is killed with its group leaves the server to the others.
        user.become_for(&mut watchdog, &self.directory).process_group(0).spawn().expect("sh can be run");
    }

    async fn make_template(&self) {
        let mut conn = self.connect_patiently().await;
        conn.execute(AssertSqlSafe(format!("CREATE DATABASE {TEMPLATE}"))).await.expect("a database can be made");
        conn.close().await.expect("the connection closes");
        let store = Store::open(&self.url(TEMPLATE), rng(0)).await.expect("the template can be opened");
        store.migrate().await.expect("the migrations run");
        store.close().await;
    }

    async fn connect_patiently(&self) -> PgConnection {
        let mut waited = Duration::ZERO;
        loop {
            match PgConnection::connect(&self.url("postgres")).await {
                Ok(conn) => return conn,
                Err(error) if waited > START => {
                    let log = fs::read_to_string(self.directory.join("log")).unwrap_or_default();
                    panic!("PostgreSQL did not start: {error}\n{log}");
                }
                Err(_) => {
                    let pause = Duration::from_millis(20);
                    patience(pause).await;
                    waited += pause;
                }
            }
        }
    }

    pub(super) fn url(&self, database: &str) -> String {
        format!("postgres://tenure@localhost/{database}?host={}", self.directory.display())
    }

    /// A fresh, migrated database; its name.
    pub(super) async fn create_database(&self) -> String {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let name = format!("t_{}_{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        self.execute(format!("CREATE DATABASE {name} TEMPLATE {TEMPLATE}")).await;
        name
    }

    pub(super) async fn drop_database(&self, name: &str) {
        self.execute(format!("DROP DATABASE {name} WITH (FORCE)")).await;
    }

    async fn execute(&self, sql: String) {
        let mut conn = PgConnection::connect(&self.url("postgres")).await.expect("the server answers");
        conn.execute(AssertSqlSafe(sql)).await.expect("the database can be made or dropped");
        conn.close().await.expect("the connection closes");
    }
}

#[expect(clippy::disallowed_methods, reason = "a starting server tells nobody that it is ready")]
async fn patience(pause: Duration) {
    tokio::time::sleep(pause).await;
}

/// Whom the server runs as: PostgreSQL refuses to run as root.
struct Unprivileged(Option<(u32, u32)>);

impl Unprivileged {
    fn find() -> Self {
        let is_root = fs::metadata("/proc/self").is_ok_and(|me| std::os::unix::fs::MetadataExt::uid(&me) == 0);
        if !is_root {
            return Self(None);
        }
        let users = fs::read_to_string("/etc/passwd").expect("there is a list of users");
        let line = users.lines().find_map(|line| line.strip_prefix("postgres:")).expect("root needs a user postgres");
        let mut fields = line.split(':').skip(1).map(|id| id.parse().expect("an id is a number"));
        Self(fields.next().zip(fields.next()))
    }

    fn own(&self, path: &Path) {
        if let Some((user, group)) = self.0 {
            chown(path, Some(user), Some(group)).expect("root may give a directory away");
        }
    }

    fn become_for<'a>(&self, command: &'a mut Command, directory: &Path) -> &'a mut Command {
        if let Some((user, group)) = self.0 {
            command.uid(user).gid(group);
        }
        command.current_dir(directory)
    }
}
