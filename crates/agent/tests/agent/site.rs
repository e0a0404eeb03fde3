//! A data directory on a real disk, with a real daemon over it, and the scripted server over real HTTP.

use std::{fs, sync::Arc, time::Duration};

use tenure_agent::{
    Glance, LicenseKeeper, clock_for,
    config::{Config, parse_collector},
    daemon::Daemon,
    system::SystemRng,
};
use tenure_core::{Clock, Timestamp};

use crate::{
    http::serve,
    peer::Peer,
    world::{TestClock, TestRng, at},
};

/// A data directory with a file collector, served by the scripted server.
pub(crate) struct Site {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) truth: Arc<TestClock>,
    pub(crate) peer: Peer,
    pub(crate) config: Config,
    /// One more row of the product's list, all but its instant.
    pub(crate) more: Option<&'static str>,
}

impl Site {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let truth = TestClock::new(at("2026-01-10T08:00:00Z"));
        let peer = Peer::new(truth.clone(), TestRng::new(5));
        let workloads = dir.path().join("workloads.csv");
        let mut config = Config::new(&dir.path().join("agent"), "backup");
        config.servers = vec![serve(peer.clone())];
        config.collectors = vec![parse_collector(&format!("file:path={}", workloads.display())).unwrap()];
        config.save(&peer.root()).unwrap();
        let site = Self { dir, truth, peer, config, more: None };
        site.set(at("2026-01-10T08:00:00Z"));
        site
    }

    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }

    /// Moves the time, and the product writes its workloads of then: three machines, protected an hour ago.
    pub(crate) fn set(&self, now: Timestamp) {
        self.truth.set(now);
        let row = |what: &str| format!("{what},{}\n", now.plus_secs(-3600));
        let all = ["a,Contoso,vm,", "b,Contoso,vm,", "c,Contoso,vm,"].into_iter().chain(self.more);
        let rows: String = all.map(row).collect();
        fs::write(self.path("workloads.csv"), format!("id,company,type,variant,protected_at\n{rows}")).unwrap();
        fs::write(self.path("clock"), now.to_string()).unwrap();
    }

    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        clock_for(&self.peer.root(), Some(&self.path("clock"))).unwrap()
    }

    pub(crate) fn glance(&self) -> Glance {
        Glance::read(&self.config, self.clock()).unwrap()
    }

    /// Waits until the daemon has done all that is due.
    pub(crate) fn settle(&self) {
        for _ in 0..2000 {
            let status = self.glance().status();
            if status.next_wake.is_some_and(|wake| wake > status.as_of) {
                return;
            }
            std::thread::park_timeout(Duration::from_millis(5));
        }
        panic!("the daemon did not get to it: {:?}", self.glance().status());
    }

    /// Activates with the server's file.
    pub(crate) fn activate(&self) {
        let mut keeper = LicenseKeeper::open(&self.config, self.clock(), Arc::new(SystemRng)).unwrap();
        let file = self.peer.server().activation_file();
        keeper.activate_with_file(&file).unwrap();
    }

    /// Starts a daemon with its page, and waits until it has done what is due.
    pub(crate) fn run(&self) {
        self.start();
        self.settle();
    }

    /// Starts a daemon with its page.
    pub(crate) fn start(&self) {
        let (clock, rng) = (self.clock(), Arc::new(SystemRng));
        let mut daemon = Daemon::open(&self.config, clock.clone(), rng.clone(), true).unwrap();
        daemon.serve_page("127.0.0.1:0".parse().unwrap(), &self.config, clock, rng).unwrap();
        std::thread::spawn(move || daemon.run());
    }

    /// Starts a daemon whose page cannot be served, as its address is taken, and waits until it has done what is due.
    pub(crate) fn run_with_taken_page(&self, taken: std::net::SocketAddr) {
        let (clock, rng) = (self.clock(), Arc::new(SystemRng));
        let mut daemon = Daemon::open(&self.config, clock.clone(), rng.clone(), true).unwrap();
        daemon.serve_page(taken, &self.config, clock, rng).unwrap_err();
        std::thread::spawn(move || daemon.run());
        self.settle();
    }

    /// Lives through the days until an instant.
    pub(crate) fn live_until(&self, from: &str, until: &str) {
        let mut now = at(from);
        while now < at(until) {
            self.set(now);
            self.settle();
            now = now.plus_days(1);
        }
        self.set(at(until));
        self.settle();
    }
}
