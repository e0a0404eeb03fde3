//! The real agent and the real server: a key that rotates through lost answers and crashes, and a server that forgot it.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tenure_agent::{
    Activation, KeyRotation, LicenseKeeper, Parts, Settings, Standing,
    http::{HttpTransport, Timeouts},
    journal::{Crash, MemoryJournal},
    transport::{NotReached, Transport},
};
use tenure_core::Policy;
use tenure_license::{ActivationExchange, ActivationExchangeAnswer, Envelope, Exchange, ExchangeAnswer, HostFacts};
use tenure_testkit::{Market, SeededRng, TestApp};

/// The way to the server: it can lead elsewhere, and lose answers.
#[derive(Clone)]
struct Line {
    to: Arc<Mutex<SocketAddr>>,
    loses_answers: Arc<AtomicBool>,
}

struct LineTransport {
    line: Line,
    http: HttpTransport,
}

impl LineTransport {
    fn servers(&self) -> Vec<String> {
        vec![format!("http://{}", self.line.to.lock().expect("nobody panics"))]
    }
    fn arrive<T>(&self, answer: Result<T, NotReached>) -> Result<T, NotReached> {
        if self.line.loses_answers.load(Ordering::SeqCst) {
            return Err(NotReached::Unreachable("the answer was lost".into()));
        }
        answer
    }
}

impl Transport for LineTransport {
    fn activate(&mut self, _: &[String], body: &ActivationExchange) -> Result<ActivationExchangeAnswer, NotReached> {
        let servers = self.servers();
        let answer = self.http.activate(&servers, body);
        self.arrive(answer)
    }
    fn check_in(&mut self, _: &[String], body: &Exchange) -> Result<ExchangeAnswer, NotReached> {
        let servers = self.servers();
        let answer = self.http.check_in(&servers, body);
        self.arrive(answer)
    }
    fn root(&mut self, _: &[String], version: u64) -> Result<Option<Envelope>, NotReached> {
        let servers = self.servers();
        self.http.root(&servers, version)
    }
}

/// A machine with an agent.
struct Machine {
    app: Arc<TestApp>,
    rng: Arc<SeededRng>,
    journal: MemoryJournal,
    line: Line,
}

impl Machine {
    fn open(&self) -> LicenseKeeper {
        let timeouts = Timeouts { connect: Duration::from_secs(5), whole: Duration::from_secs(30) };
        LicenseKeeper::assemble(Parts {
            journal: Box::new(self.journal.clone()),
            transport: Box::new(LineTransport {
                line: self.line.clone(),
                http: HttpTransport::new(true, timeouts, &tenure_agent::network::Network::default()),
            }),
            collectors: Vec::new(),
            clock: self.app.clock.clone(),
            rng: self.rng.clone(),
            settings: Settings {
                product: "file-backup".into(),
                product_version: "1.0".into(),
                servers: vec!["http://127.0.0.1:1".into()],
                auto_update: true,
                license_file: None,
                host: HostFacts { name: "bkp-01".into(), ..HostFacts::default() },
                policy: Policy::default(),
            },
            root: self.app.root().envelope().clone(),
        })
        .expect("a keeper")
    }

    /// Everything that is due, until nothing is.
    fn settle(&self, keeper: &mut LicenseKeeper) {
        self.app.clock.advance_secs(2 * 3600);
        keeper.tick().expect("the journal is written");
    }
}

/// A market with one license; its one-time code.
async fn market(app: &TestApp) -> String {
    let market = Market::new(&app.service).await;
    let license = market.license(&app.service, market.company, false).await;
    market.code(&app.service, license).await
}

async fn machine() -> Machine {
    let app = Arc::new(TestApp::new("2026-01-05T09:00:00Z").await);
    let to = Arc::new(Mutex::new(app.serve().await));
    let line = Line { to, loses_answers: Arc::new(AtomicBool::new(false)) };
    Machine { app, rng: Arc::new(SeededRng::new(99)), journal: MemoryJournal::new(), line }
}

async fn blocking<T: Send + 'static>(act: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(act).await.expect("it does not panic")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rotation_of_a_real_agent_survives_lost_answers_and_crashes() {
    let machine = machine().await;
    let code = market(&machine.app).await;
    blocking(move || {
        let mut keeper = machine.open();
        assert_eq!(keeper.activate(&code).expect("a journal"), Activation::Active);
        machine.settle(&mut keeper);
        let first = keeper.key_id();

        // The server takes it, and its answer is lost: the old key still speaks here, the new one there.
        machine.line.loses_answers.store(true, Ordering::SeqCst);
        let outcome = keeper.rotate_key().expect("a journal");
        assert!(matches!(outcome, KeyRotation::NotReached { .. }), "{outcome:?}");
        assert_eq!(keeper.key_id(), first);
        drop(keeper);
        let mut keeper = machine.open();
        machine.line.loses_answers.store(false, Ordering::SeqCst);
        machine.settle(&mut keeper);
        let second = keeper.key_id();
        assert_ne!(second, first, "the same bytes again complete it");
        let status = keeper.status();
        assert_eq!((status.standing, status.last_error), (Standing::Valid, None));

        // The process dies at each of the three steps of a rotation: key, request, answer. Each time it comes back and the keys agree.
        let mut now = second;
        for (n, how) in (0..3).flat_map(|n| [(n, Crash::Before), (n, Crash::After)]) {
            machine.journal.crash_at(machine.journal.appended() + n, how);
            let _ = keeper.rotate_key();
            drop(keeper);
            keeper = machine.open();
            machine.settle(&mut keeper);
            let outcome = keeper.rotate_key().expect("a journal");
            let KeyRotation::Rotated { key } = outcome else { panic!("{n} {how:?}: {outcome:?}") };
            assert_ne!(key, now);
            now = key;
            machine.settle(&mut keeper);
            let status = keeper.status();
            assert_eq!((status.standing, status.last_error), (Standing::Valid, None), "{n} {how:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rotation_lost_by_the_server_is_shown_again_key_by_key() {
    let machine = machine().await;
    let code = market(&machine.app).await;
    let empty = machine.app.backup();
    let Machine { app, rng, journal, line } = machine;
    let again = |app: &Arc<TestApp>| Machine {
        app: Arc::clone(app),
        rng: Arc::clone(&rng),
        journal: journal.clone(),
        line: line.clone(),
    };
    let machine = again(&app);
    let backup_after_first = blocking(move || {
        let mut keeper = machine.open();
        assert_eq!(keeper.activate(&code).expect("a journal"), Activation::Active);
        machine.settle(&mut keeper);
        let backup = machine.app.backup();
        for _ in 0..2 {
            assert!(matches!(keeper.rotate_key().expect("a journal"), KeyRotation::Rotated { .. }));
            machine.settle(&mut keeper);
        }
        backup
    })
    .await;

    // From a backup that knows the first key only, and then from one that does not know the installation at all.
    for (epoch, backup) in [(2, backup_after_first), (2, empty)] {
        let restored = Arc::new(app.restored(backup).await);
        *line.to.lock().expect("nobody panics") = restored.serve().await;
        let copy = journal.copy();
        let machine = Machine { journal: copy, ..again(&app) };
        blocking(move || {
            let mut keeper = machine.open();
            let key = keeper.key_id();
            let outcome = keeper.check_in_now().expect("a journal");
            let tenure_agent::CheckIn::Answered { result, .. } = outcome else { panic!("{epoch}: {outcome:?}") };
            assert!(result.is_good(), "{result:?}");
            machine.settle(&mut keeper);
            let status = keeper.status();
            assert_eq!((status.standing, status.last_error, status.epoch), (Standing::Valid, None, Some(epoch)));
            assert_eq!(keeper.key_id(), key, "no key is made for it");
            assert!(matches!(keeper.rotate_key().expect("a journal"), KeyRotation::Rotated { .. }));
        })
        .await;
    }
}
