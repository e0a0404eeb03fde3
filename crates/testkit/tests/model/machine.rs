//! One machine: the agent's real code, a disk that can be copied, and clocks of its own.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tenure_agent::{
    Activation, AgentError, LicenseKeeper, Parts, Settings,
    collect::{CollectError, Collector, Sighting},
    journal::{JournalError, MemoryJournal},
};
use tenure_core::{Boot, BootId, Clock, Day, Policy, Timestamp, update::UpdateResult};
use tenure_license::{Hash, HostFacts};
use tenure_testkit::{MockClock, SeededRng};

use crate::line::Line;

/// Boots are counted over all machines: no two are alike.
static BOOTS: AtomicU64 = AtomicU64::new(1);

/// A machine's clocks: right, and begun anew at each boot.
struct Clocks {
    truth: Arc<MockClock>,
    boot: u64,
    since_us: i64,
}

impl Clock for Clocks {
    fn now(&self) -> Timestamp {
        self.truth.now()
    }
    fn boot(&self) -> Boot {
        let id = BootId(uuid::Uuid::from_u128(u128::from(self.boot)));
        Boot { id, elapsed_us: self.truth.now().as_micros() - self.since_us }
    }
}

/// Three hosts, protected every day since long ago.
struct Hosts(Arc<MockClock>);

impl Collector for Hosts {
    fn name(&self) -> String {
        "hosts".into()
    }
    fn looks_back(&self) -> bool {
        true
    }
    fn collect(&mut self, since: Timestamp, _: Timestamp) -> Result<Vec<Sighting>, CollectError> {
        let today = Day::of(self.0.now());
        let mut day = Day::of(since).max("2025-11-01".parse().expect("a day"));
        let mut seen = Vec::new();
        while day < today {
            seen.extend((0..3).map(|n| Sighting {
                id: format!("host-{n}"),
                company: String::new(),
                workload: "host".into(),
                variant: String::new(),
                at: day.start().plus_secs(12 * 3600),
            }));
            day = day.plus(1);
        }
        Ok(seen)
    }
}

/// What a product saw of licenses: epoch and serial.
pub(crate) type Mark = Option<(u64, u64)>;

/// A state to go back to.
#[derive(Clone)]
pub(crate) struct Saved {
    pub(crate) disk: MemoryJournal,
    pub(crate) node: usize,
    pub(crate) known: BTreeSet<Hash>,
    pub(crate) mark: Mark,
}

/// A machine that is alive.
pub(crate) struct Machine {
    /// Which of the machines.
    pub(crate) n: usize,
    /// Which of the installations it speaks as.
    pub(crate) ins: usize,
    pub(crate) disk: MemoryJournal,
    /// Its place in the tree of states: who goes back to a state that is not above it is brought forward again.
    pub(crate) node: usize,
    /// Documents on its disk.
    pub(crate) known: BTreeSet<Hash>,
    /// The newest license it held.
    pub(crate) mark: Mark,
    /// What it was told last.
    pub(crate) result: Option<UpdateResult>,
    pub(crate) saved: [Option<Saved>; 2],
    keeper: Option<LicenseKeeper>,
    line: Line,
    rng: Arc<SeededRng>,
}

impl Machine {
    /// Machine `n` starts for the first time on a disk; `seed` and `n` make its chance.
    pub(crate) fn boot(n: usize, ins: usize, disk: MemoryJournal, line: &Line, seed: u64) -> Result<Self, String> {
        let mut machine = Self {
            n,
            ins,
            disk,
            node: 0,
            known: BTreeSet::new(),
            mark: None,
            result: None,
            saved: [None, None],
            keeper: None,
            line: line.of(n),
            rng: Arc::new(SeededRng::new(seed.wrapping_add(1 + n as u64))),
        };
        machine.reboot()?;
        Ok(machine)
    }

    /// Starts the agent's process on the disk as it is, a boot later.
    pub(crate) fn reboot(&mut self) -> Result<(), String> {
        self.keeper = None;
        let app = self.line.app();
        let truth = Arc::clone(&app.clock);
        let clock = Arc::new(Clocks {
            boot: BOOTS.fetch_add(1, Ordering::SeqCst),
            since_us: truth.now().as_micros(),
            truth: Arc::clone(&truth),
        });
        let keeper = LicenseKeeper::assemble(Parts {
            journal: Box::new(self.disk.clone()),
            transport: Box::new(self.line.clone()),
            collectors: vec![Box::new(Hosts(truth))],
            clock,
            rng: self.rng.clone(),
            settings: Settings {
                product: "file-backup".into(),
                product_version: "1.0".into(),
                servers: vec!["http://127.0.0.1:1".into()],
                auto_update: true,
                license_file: None,
                host: HostFacts { name: format!("bkp-{}", self.ins), ..HostFacts::default() },
                policy: Policy::default(),
            },
            root: self.line.trust_root(),
        });
        self.keeper = Some(keeper.map_err(|error| format!("machine {} does not start: {error}", self.n))?);
        Ok(())
    }

    /// Its agent does something; where the process dies of it, it comes back.
    pub(crate) fn run<T>(
        &mut self,
        act: impl FnOnce(&mut LicenseKeeper) -> Result<T, AgentError>,
    ) -> Result<Option<T>, String> {
        let outcome = act(self.keeper.as_mut().expect("it runs"));
        match outcome {
            Ok(done) => Ok(Some(done)),
            Err(AgentError::Journal(JournalError::Crashed)) => self.reboot().map(|()| None),
            Err(error) => Err(format!("machine {}: {error}", self.n)),
        }
    }

    pub(crate) fn activate(&mut self, code: &str) {
        let outcome = self.run(|keeper| keeper.activate(code)).expect("it runs");
        assert_eq!(outcome, Some(Activation::Active));
    }

    /// Epoch and serial of the license held.
    pub(crate) fn holds(&mut self) -> Mark {
        let status = self.keeper.as_mut().expect("it runs").status();
        status.epoch.zip(status.serial)
    }

    /// When the license held ends.
    pub(crate) fn ends(&mut self) -> Option<Timestamp> {
        self.keeper.as_mut().expect("it runs").status().expires_at
    }

    /// Its whole state, to be gone back to.
    pub(crate) fn save(&self) -> Saved {
        Saved { disk: self.disk.copy(), node: self.node, known: self.known.clone(), mark: self.mark }
    }

    /// Goes to a state that was saved; the saved one stays as it is.
    pub(crate) fn become_(&mut self, saved: &Saved) -> Result<(), String> {
        self.disk = saved.disk.copy();
        self.known.clone_from(&saved.known);
        self.mark = saved.mark;
        self.reboot()
    }
}
