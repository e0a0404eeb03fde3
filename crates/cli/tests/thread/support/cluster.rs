//! PostgreSQL as it is run where it must not stop: a primary and a synchronous standby under Patroni, with etcd to agree in
//! and HAProxy before them. All of Debian, on loopback.

use std::{
    fs::{self, File},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use tenure_testkit::wait_for;

use super::{
    postgres::{binaries, free_port, give_away, unprivileged},
    process::{BOUND, get, run},
};

const NODES: usize = 2;

/// The cluster and its processes.
pub(crate) struct Cluster {
    /// Where the Debian packages were unpacked.
    tools: PathBuf,
    nodes: [Node; NODES],
    others: Vec<Child>,
    /// Where HAProxy leads to the primary.
    port: u16,
    dir: tempfile::TempDir,
}

/// One PostgreSQL and the Patroni that keeps it.
struct Node {
    name: &'static str,
    api: u16,
    port: u16,
    patroni: Option<Child>,
}

impl Cluster {
    /// Makes a cluster with an empty database `tenure`, and waits until the standby follows.
    pub(crate) fn start() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        give_away(dir.path());
        let tools = std::env::var_os("TENURE_CLUSTER_TOOLS")
            .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/cluster"), PathBuf::from);
        assert!(
            tools.join("usr/bin/patroni").exists(),
            "`./test soak` fetches Patroni, etcd and HAProxy; TENURE_CLUSTER_TOOLS names other places"
        );
        let node = |name| Node { name, api: free_port(), port: free_port(), patroni: None };
        let nodes = [node("a"), node("b")];
        let mut cluster = Self { tools, nodes, others: Vec::new(), port: free_port(), dir };
        let agreed = cluster.agree();
        for at in 0..NODES {
            cluster.settle(at, agreed);
            cluster.join(at);
        }
        cluster.balance();
        wait_for("a primary and a synchronous standby", BOUND, || {
            (cluster.is("primary").is_some() && cluster.is("sync").is_some()).then_some(())
        });
        let mut create = cluster.psql("postgres", "postgres");
        run(create.args(["-c", "CREATE ROLE tenure LOGIN", "-c", "CREATE DATABASE tenure OWNER tenure"]));
        // What it begins with is on both.
        cluster
    }

    /// The URL of whoever is the primary.
    pub(crate) fn url(&self) -> String {
        format!("postgres://tenure@127.0.0.1:{}/tenure", self.port)
    }

    /// What a query to the database `tenure` prints, without frame.
    pub(crate) fn sql(&self, sql: &str) -> String {
        run(self.psql("tenure", "tenure").args(["-c", sql])).trim().to_owned()
    }

    /// Kills the primary and the Patroni that would start it again, as where its machine is lost.
    pub(crate) fn kill_primary(&mut self) {
        let at = self.is("primary").expect("there is a primary");
        let node = &mut self.nodes[at];
        let mut patroni = node.patroni.take().expect("it runs");
        let postmaster = fs::read_to_string(self.dir.path().join(node.name).join("postmaster.pid")).expect("it runs");
        let postmaster = postmaster.lines().next().expect("its number").to_owned();
        patroni.kill().expect("it can be killed");
        patroni.wait().expect("it ends");
        run(Command::new("kill").args(["-KILL", &postmaster]));
    }

    /// Which node says that it is `role`, if one does.
    fn is(&self, role: &str) -> Option<usize> {
        let alive = |node: &Node| node.patroni.is_some();
        let says = |node: &Node| {
            std::net::TcpStream::connect(("127.0.0.1", node.api)).is_ok()
                && get(&format!("http://127.0.0.1:{}/{role}", node.api)).0 == 200
        };
        self.nodes.iter().position(|node| alive(node) && says(node))
    }

    /// etcd; its port.
    fn agree(&mut self) -> u16 {
        let (client, peer) = (free_port(), free_port());
        let url = |port| format!("http://127.0.0.1:{port}");
        let mut etcd = self.command("usr/bin/etcd", "etcd");
        etcd.arg("--data-dir").arg(self.dir.path().join("etcd-data")).arg("--unsafe-no-fsync");
        etcd.args(["--listen-client-urls", &url(client), "--advertise-client-urls", &url(client)]);
        etcd.args(["--listen-peer-urls", &url(peer), "--initial-advertise-peer-urls", &url(peer)]);
        etcd.args(["--initial-cluster", &format!("default={}", url(peer))]);
        self.others.push(etcd.spawn().expect("etcd can be started"));
        wait_for("etcd", BOUND, || std::net::TcpStream::connect(("127.0.0.1", client)).ok());
        client
    }

    /// Writes down how a node is kept. A primary that is lost is given up after 20 s, the least that Patroni accepts.
    fn settle(&self, at: usize, etcd: u16) {
        let Node { name, api, port, .. } = self.nodes[at];
        let (dir, bin) = (self.dir.path().display(), binaries());
        let settings = format!(
            "scope: tenure\n\
             name: {name}\n\
             restapi: {{listen: '127.0.0.1:{api}', connect_address: '127.0.0.1:{api}'}}\n\
             etcd3: {{hosts: '127.0.0.1:{etcd}'}}\n\
             bootstrap:\n\
             \x20 dcs: {{ttl: 20, loop_wait: 1, retry_timeout: 3, synchronous_mode: true}}\n\
             \x20 initdb: [{{encoding: UTF8}}, {{locale: C}}, {{auth: trust}}, {{username: postgres}}]\n\
             postgresql:\n\
             \x20 listen: '127.0.0.1:{port}'\n\
             \x20 connect_address: '127.0.0.1:{port}'\n\
             \x20 data_dir: '{dir}/{name}'\n\
             \x20 bin_dir: '{bin}'\n\
             \x20 pgpass: '{dir}/{name}.pgpass'\n\
             \x20 pg_hba: [local all all trust, host all all 127.0.0.1/32 trust, host replication all 127.0.0.1/32 trust]\n\
             \x20 parameters: {{unix_socket_directories: '{dir}', shared_buffers: 64MB, max_connections: 200}}\n\
             \x20 authentication:\n\
             \x20   superuser: {{username: postgres, password: none}}\n\
             \x20   replication: {{username: postgres, password: none}}\n",
            bin = bin.display()
        );
        fs::write(self.dir.path().join(format!("{name}.yml")), settings).expect("a file");
    }

    /// Starts a node's Patroni, which makes or copies the database and serves it.
    fn join(&mut self, at: usize) {
        let name = self.nodes[at].name;
        // Debian's own Python, whose modules are among the packages.
        let mut patroni = self.command("/usr/bin/python3", name);
        patroni.args(["-m", "patroni"]).arg(self.dir.path().join(format!("{name}.yml")));
        self.nodes[at].patroni = Some(patroni.spawn().expect("Patroni can be started"));
    }

    /// HAProxy leads to whichever node says that it is the primary, and drops connections to one that no longer does.
    fn balance(&mut self) {
        let servers = self
            .nodes
            .iter()
            .map(|Node { name, api, port, .. }| format!("  server {name} 127.0.0.1:{port} check port {api}\n"));
        let settings = format!(
            "defaults\n  mode tcp\n  timeout connect 2s\n  timeout client 10m\n  timeout server 10m\n\
             listen primary\n  bind 127.0.0.1:{port}\n  option httpchk GET /primary\n\
             \x20 default-server inter 500ms fall 2 rise 1 on-marked-down shutdown-sessions\n{servers}",
            port = self.port,
            servers = servers.collect::<String>()
        );
        let file = self.dir.path().join("haproxy.cfg");
        fs::write(&file, settings).expect("a file");
        let mut haproxy = self.command("usr/sbin/haproxy", "haproxy");
        self.others.push(haproxy.arg("-db").arg("-f").arg(file).spawn().expect("HAProxy can be started"));
    }

    fn psql(&self, user: &str, database: &str) -> Command {
        let mut psql = Command::new(binaries().join("psql"));
        psql.args(["-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-U", user, "-d", database]);
        psql.arg("-p").arg(self.port.to_string());
        psql
    }

    /// A program of the packages, run by whom PostgreSQL accepts, writing to a log of its own.
    fn command(&self, program: &str, log: &str) -> Command {
        let log = File::create(self.dir.path().join(format!("{log}.log"))).expect("a log");
        let mut command = Command::new(self.tools.join(program));
        command.env("PYTHONPATH", self.tools.join("usr/lib/python3/dist-packages"));
        command.env("LD_LIBRARY_PATH", self.tools.join(format!("usr/lib/{}-linux-gnu", std::env::consts::ARCH)));
        command.stdin(Stdio::null()).stdout(log.try_clone().expect("a second handle")).stderr(log);
        if let Some((user, group)) = unprivileged() {
            command.uid(user).gid(group);
        }
        command.current_dir(self.dir.path());
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for node in &mut self.nodes {
            if let Some(mut patroni) = node.patroni.take() {
                let _ = patroni.kill();
                let _ = patroni.wait();
            }
            let postmaster = fs::read_to_string(self.dir.path().join(node.name).join("postmaster.pid"));
            if let Some(postmaster) = postmaster.unwrap_or_default().lines().next() {
                let _ = Command::new("kill").args(["-QUIT", postmaster]).stderr(Stdio::null()).status();
            }
        }
        for other in &mut self.others {
            let _ = other.kill();
            let _ = other.wait();
        }
        if std::thread::panicking() {
            for log in ["a", "b", "etcd", "haproxy"] {
                let text = fs::read_to_string(self.dir.path().join(format!("{log}.log"))).unwrap_or_default();
                let from = text.len().saturating_sub(4000);
                eprintln!("---- {log} ----\n{}", text.get(from..).unwrap_or(&text));
            }
        }
    }
}
