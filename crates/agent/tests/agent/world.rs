//! A machine with an agent on it, under a test's control.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
};

use tenure_agent::{
    AgentError, LicenseKeeper, Parts, Settings,
    collect::{CollectError, Collector, Sighting},
    journal::MemoryJournal,
};
use tenure_core::{Boot, BootId, Clock, Day, Policy, Rng, Timestamp};
use tenure_license::{Hash, HostFacts};

use crate::peer::Peer;

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The world's true time. A machine's clocks follow it with an error of their own.
pub(crate) struct TestClock {
    now: AtomicI64,
}

impl TestClock {
    pub(crate) fn new(now: Timestamp) -> Arc<Self> {
        Arc::new(Self { now: AtomicI64::new(now.as_micros()) })
    }
    pub(crate) fn set(&self, now: Timestamp) {
        assert!(now >= self.now(), "true time only goes forward");
        self.now.store(now.as_micros(), Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.now.load(Ordering::SeqCst))
    }
    fn boot(&self) -> Boot {
        Boot { id: BootId(uuid::Uuid::from_u128(1)), elapsed_us: self.now().as_micros() }
    }
}

/// A machine's clocks: the wall is wrong by `error_us`; the boot began at some instant.
pub(crate) struct MachineClock {
    pub(crate) truth: Arc<TestClock>,
    pub(crate) error_us: AtomicI64,
    pub(crate) boot: AtomicU64,
    pub(crate) booted_at: AtomicI64,
}

impl MachineClock {
    pub(crate) fn new(truth: Arc<TestClock>) -> Arc<Self> {
        let booted_at = AtomicI64::new(truth.now().as_micros());
        Arc::new(Self { truth, error_us: AtomicI64::new(0), boot: AtomicU64::new(1), booted_at })
    }
    pub(crate) fn reboot(&self) {
        self.boot.fetch_add(1, Ordering::SeqCst);
        self.booted_at.store(self.truth.now().as_micros(), Ordering::SeqCst);
    }
    pub(crate) fn set_error_days(&self, days: i64) {
        self.error_us.store(days * 86_400_000_000, Ordering::SeqCst);
    }
}

impl Clock for MachineClock {
    fn now(&self) -> Timestamp {
        self.truth.now().plus_micros(self.error_us.load(Ordering::SeqCst))
    }
    fn boot(&self) -> Boot {
        let id = BootId(uuid::Uuid::from_u128(u128::from(self.boot.load(Ordering::SeqCst))));
        Boot { id, elapsed_us: self.truth.now().as_micros() - self.booted_at.load(Ordering::SeqCst) }
    }
}

/// Chance from a seed.
pub(crate) struct TestRng {
    seed: u64,
    drawn: AtomicU64,
}

impl TestRng {
    pub(crate) fn new(seed: u64) -> Arc<Self> {
        Arc::new(Self { seed, drawn: AtomicU64::new(0) })
    }
}

impl Rng for TestRng {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let n = self.drawn.fetch_add(1, Ordering::SeqCst);
            let block = Hash::sha256([self.seed.to_le_bytes(), n.to_le_bytes()].concat());
            chunk.copy_from_slice(&block.as_bytes()[..chunk.len()]);
        }
    }
}

/// Workloads that are protected once a day at noon, from one day to another.
#[derive(Clone)]
pub(crate) struct Workloads {
    pub(crate) truth: Arc<TestClock>,
    /// Id, first day, last day.
    pub(crate) plan: Arc<Mutex<Vec<(String, Day, Day)>>>,
    pub(crate) looks_back: bool,
    /// While set, collecting fails with this.
    pub(crate) failing: Arc<Mutex<Option<String>>>,
}

impl Workloads {
    pub(crate) fn new(truth: Arc<TestClock>, plan: &[(&str, &str, &str)]) -> Self {
        let plan = plan.iter().map(|(id, from, to)| ((*id).to_owned(), from.parse().unwrap(), to.parse().unwrap()));
        Self { truth, plan: Arc::new(Mutex::new(plan.collect())), looks_back: true, failing: Arc::default() }
    }

    /// What an honest count of a day is: every workload protected on one of the 31 days up to it, new ones apart.
    pub(crate) fn count(&self, day: Day) -> (u32, u32) {
        let plan = self.plan.lock().unwrap();
        let counts = |from: &Day, to: &Day| *from <= day && day.plus(-30) <= *to;
        let counting = plan.iter().filter(|(_, from, to)| counts(from, to));
        let ids: BTreeSet<(&str, bool)> =
            counting.map(|(id, from, _)| (id.as_str(), from.period() == day.period())).collect();
        let new = ids.iter().filter(|(_, new)| *new).count();
        ((ids.len() - new) as u32, new as u32)
    }
}

impl Collector for Workloads {
    fn name(&self) -> String {
        "scripted".into()
    }
    fn looks_back(&self) -> bool {
        self.looks_back
    }
    fn collect(&mut self, since: Timestamp, _: Timestamp) -> Result<Vec<Sighting>, CollectError> {
        if let Some(problem) = self.failing.lock().unwrap().clone() {
            return Err(CollectError::Unavailable(problem));
        }
        let now = self.truth.now();
        let mut sightings = Vec::new();
        for (id, from, to) in self.plan.lock().unwrap().iter() {
            let mut day = (*from).max(Day::of(since));
            while day <= *to && day.start().plus_secs(12 * 3600) <= now {
                sightings.push(Sighting {
                    id: id.clone(),
                    company: "Contoso".into(),
                    workload: "vm".into(),
                    variant: String::new(),
                    at: day.start().plus_secs(12 * 3600),
                });
                day = day.plus(1);
            }
        }
        Ok(sightings)
    }
}

/// One machine, its disk, its agent, and the server it speaks with.
pub(crate) struct World {
    pub(crate) truth: Arc<TestClock>,
    pub(crate) machine: Arc<MachineClock>,
    pub(crate) rng: Arc<TestRng>,
    pub(crate) peer: Peer,
    pub(crate) journal: MemoryJournal,
    pub(crate) workloads: Workloads,
    pub(crate) auto_update: bool,
    pub(crate) product: &'static str,
    pub(crate) license_file: Option<std::path::PathBuf>,
    pub(crate) keeper: Option<LicenseKeeper>,
    /// Ticks so far.
    pub(crate) ticks: u64,
}

impl World {
    /// A fresh machine on 2026-01-10, not activated.
    pub(crate) fn new(plan: &[(&str, &str, &str)]) -> Self {
        Self::seeded(1, plan)
    }

    pub(crate) fn seeded(seed: u64, plan: &[(&str, &str, &str)]) -> Self {
        let truth = TestClock::new(at("2026-01-10T08:00:00Z"));
        let rng = TestRng::new(seed);
        Self {
            machine: MachineClock::new(truth.clone()),
            peer: Peer::new(truth.clone(), rng.clone()),
            journal: MemoryJournal::new(),
            workloads: Workloads::new(truth.clone(), plan),
            auto_update: true,
            product: "backup",
            license_file: None,
            keeper: None,
            ticks: 0,
            truth,
            rng,
        }
    }

    /// Starts the agent's process.
    pub(crate) fn open(&mut self) -> Result<(), AgentError> {
        self.keeper = None;
        self.keeper = Some(LicenseKeeper::assemble(Parts {
            journal: Box::new(self.journal.clone()),
            transport: Box::new(self.peer.clone()),
            collectors: vec![Box::new(self.workloads.clone())],
            clock: self.machine.clone(),
            rng: self.rng.clone(),
            settings: Settings {
                product: self.product.into(),
                product_version: "12.1".into(),
                servers: vec!["https://license.example.com".into()],
                auto_update: self.auto_update,
                license_file: self.license_file.clone(),
                host: HostFacts::default(),
                policy: Policy::default(),
            },
            root: self.peer.root(),
        })?);
        Ok(())
    }

    pub(crate) fn keeper(&mut self) -> &mut LicenseKeeper {
        self.keeper.as_mut().expect("the agent runs")
    }

    /// Starts the agent and activates it.
    pub(crate) fn activated(mut self) -> Self {
        self.open().unwrap();
        let code = self.peer.code();
        assert_eq!(self.keeper().activate(&code).unwrap(), tenure_agent::Activation::Active);
        self
    }

    /// Lets time pass until an instant, waking the agent whenever it asked to be woken.
    pub(crate) fn run_until(&mut self, until: Timestamp) -> Result<(), AgentError> {
        loop {
            let next = self.keeper().tick()?;
            self.ticks += 1;
            let wake = self.truth.now().plus_micros(next.pause.as_micros() as i64);
            if wake > until {
                self.truth.set(until);
                return Ok(());
            }
            self.truth.set(wake);
        }
    }

    pub(crate) fn run_to(&mut self, until: &str) {
        self.run_until(at(until)).unwrap();
        self.keeper().tick().unwrap();
    }

    pub(crate) fn status(&mut self) -> tenure_agent::Status {
        self.keeper().status()
    }
}
