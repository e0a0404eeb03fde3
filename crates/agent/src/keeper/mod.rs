//! The license keeper: everything an agent does, one step at a time.
//!
//! A keeper is driven by [`LicenseKeeper::tick`], which does what is due and says when to come back. It never waits, so
//! that a daemon may sleep, a product may embed it, and a simulation may run a thousand of them in one thread.

mod activation;
mod answer;
mod by_hand;
mod continuity;
mod count;
mod exchange;
mod rekey;
mod report;

use std::{collections::HashMap, path::PathBuf, sync::Arc, time::Duration};

use tenure_core::{Clock, Period, Policy, Rng, Timestamp, overuse::Coverage, product_clock::ProductClock};
use tenure_license::{Continuity, Envelope, Hash, HostFacts, Nonce, Root, SigningKey, VerifyError};

pub use activation::Activation;
pub use by_hand::{Imported, RequestFile};
pub use exchange::CheckIn;
pub use rekey::KeyRotation;

use count::Days;

use crate::{
    collect::Collector,
    config::Config,
    error::AgentError,
    host,
    http::HttpTransport,
    journal::{FileJournal, Journal, JournalError, Loaded},
    license_file,
    record::{Created, Entry, Record, Seed},
    state::State,
    transport::Transport,
    view::{Make, MonthUsage, Plan, Status, View},
};

/// Most steps of one tick. More than any catching up needs; a mistake ends here instead of spinning.
const MAX_STEPS: usize = 500;
/// No tick asks to be called again sooner, whatever is due.
const MIN_PAUSE: Duration = Duration::from_secs(10);
/// The longest pause, so that a clock that jumps is noticed.
const MAX_PAUSE: Duration = Duration::from_hours(24);

/// What the product tells its keeper.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Product code, compiled into the product.
    pub product: String,
    /// Version of the product.
    pub product_version: String,
    /// License update servers, best first; those that the license names are asked after them.
    pub servers: Vec<String>,
    /// Whether new licenses are installed by themselves.
    pub auto_update: bool,
    /// Where the license file is written, if anywhere.
    pub license_file: Option<PathBuf>,
    /// The host.
    pub host: HostFacts,
    /// The program's numbers that a product needs.
    pub policy: Policy,
}

/// What a keeper is made of. [`LicenseKeeper::open`] puts the real parts together; simulations bring their own.
pub struct Parts {
    /// The memory.
    pub journal: Box<dyn Journal>,
    /// The way to the servers.
    pub transport: Box<dyn Transport>,
    /// Where counts come from.
    pub collectors: Vec<Box<dyn Collector>>,
    /// The machine's clocks.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub rng: Arc<dyn Rng>,
    /// What the product says.
    pub settings: Settings,
    /// The trust root that the product came with.
    pub root: Envelope,
}

/// When to call [`LicenseKeeper::tick`] again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Next {
    /// The instant, by the keeper's own clock.
    pub at: Timestamp,
    /// How long that is from now; between 10 seconds and a day.
    pub pause: Duration,
}

/// Keeps one installation's license: activates, checks in, counts, reports.
pub struct LicenseKeeper {
    journal: Box<dyn Journal>,
    transport: Box<dyn Transport>,
    collectors: Vec<Box<dyn Collector>>,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    settings: Settings,
    state: State,
    root: Root,
    key: SigningKey,
    /// How often each unanswered request was sent, as far as this process knows. What an earlier one left behind was.
    sends: HashMap<Hash, u32>,
    burst: exchange::Burst,
    /// A person asked for an update.
    update_now: bool,
    /// Why the license held does not verify any more.
    doubt: Option<VerifyError>,
    /// The continuity note held, as far as the trust root still lets it count.
    continuity: Option<Continuity>,
    /// The license that the file holds.
    written: Option<Hash>,
}

impl LicenseKeeper {
    /// Opens the installation in a data directory, with the real journal, HTTP and collectors.
    ///
    /// # Errors
    /// When another process has it open, the journal is damaged, or the trust root is not the journal's.
    pub fn open(config: &Config, clock: Arc<dyn Clock>, rng: Arc<dyn Rng>) -> Result<Self, AgentError> {
        let root = config.read_root()?;
        let pinned = Root::pinned(root.clone()).map_err(AgentError::Root)?;
        let allow_http = config.allow_http || pinned.payload().test_clock;
        let network = config.network()?;
        let collectors = config.build_collectors(&network, &clock)?;
        Self::assemble(Parts {
            journal: Box::new(FileJournal::open(&config.journal_dir())?),
            transport: Box::new(HttpTransport::new(allow_http, config.timeouts(), &network)),
            collectors,
            clock,
            rng,
            settings: Settings {
                product: config.product.clone(),
                product_version: config.product_version.clone(),
                servers: config.servers.clone(),
                auto_update: config.auto_update,
                license_file: Some(config.license_path()),
                host: host::facts(pinned.payload().aud),
                policy: Policy::default(),
            },
            root,
        })
    }

    /// Puts a keeper together from its parts. The first time, the installation's key is made and journaled.
    ///
    /// # Errors
    /// As [`LicenseKeeper::open`].
    pub fn assemble(parts: Parts) -> Result<Self, AgentError> {
        let Parts { mut journal, transport, collectors, clock, rng, settings, root } = parts;
        let pinned = Root::pinned(root.clone()).map_err(AgentError::Root)?;
        let mut state = replay(journal.load()?)?;
        // Whatever was unanswered when the last process ended may have been sent.
        let sends = state.chain.unanswered.iter().map(|sent| (sent.hash, 1)).collect();
        // The root was signed at a time that has passed.
        let issued = Timestamp::from_secs(pinned.payload().issued_at);
        state.clock.get_or_insert(ProductClock::new(issued));
        let key = match state.seed() {
            Some(seed) => seed.key()?,
            None => SigningKey::generate(&*rng),
        };
        let mut keeper = Self {
            journal,
            transport,
            collectors,
            clock,
            rng,
            settings,
            state,
            root: pinned.clone(),
            key,
            sends,
            burst: exchange::Burst::default(),
            update_now: false,
            doubt: None,
            continuity: None,
            written: None,
        };
        keeper.settle_root(pinned, root)?;
        keeper.check_license();
        keeper.check_continuity();
        keeper.keep_license_file();
        Ok(keeper)
    }

    /// Makes the installation if there is none, and finds the newest trust root between the journal's and the product's.
    fn settle_root(&mut self, pinned: Root, envelope: Envelope) -> Result<(), AgentError> {
        if self.state.created.is_none() {
            let seed = Seed::of(&self.key);
            let salt = self.rng.below(u64::MAX);
            return self.commit(vec![Record::Created(Created { seed, salt, root: envelope })]);
        }
        let held = Root::from_chain(self.state.roots.iter().cloned()).map_err(AgentError::Root)?;
        if held.payload().aud != pinned.payload().aud || held.payload().vendor.id != pinned.payload().vendor.id {
            return Err(AgentError::OtherRoot);
        }
        if pinned.version() > held.version() {
            self.commit(vec![Record::RootReplaced { root: envelope }])?;
            self.root = pinned;
            return Ok(());
        }
        self.root = held;
        if let Some(why) = contradiction(&self.state.roots, &pinned) {
            self.refuse_root(&why)?;
        }
        Ok(())
    }

    /// Keeps the trust root held and says so (R1).
    fn refuse_root(&mut self, why: &VerifyError) -> Result<(), AgentError> {
        let why = why.to_string();
        if self.state.root_refused.as_ref() == Some(&why) {
            return Ok(());
        }
        self.commit(vec![Record::RootRefused { why }])
    }

    /// Does everything that is due and says when to call again.
    ///
    /// Takes as long as the exchanges and collections that are due; without any, microseconds.
    ///
    /// # Errors
    /// When the journal cannot be written. Nothing that was to be remembered has left the host then.
    pub fn tick(&mut self) -> Result<Next, AgentError> {
        for _ in 0..MAX_STEPS {
            let now = self.observe();
            let plan = self.view().plan();
            // A clock that leapt meanwhile may have made something due that was looked at by the old time.
            let leapt = |later: Timestamp| later.micros_since(now) >= MIN_PAUSE.as_micros() as i64;
            if !self.perform(plan, now)? && !leapt(self.observe()) {
                break;
            }
        }
        self.keep_house()?;
        let now = self.observe();
        let next = self.view().plan().next().map_or(now.plus_days(1), |at| self.burst.delay(at));
        let wanted = Duration::from_micros(u64::try_from(next.micros_since(now)).unwrap_or(0));
        let pause = wanted.clamp(MIN_PAUSE, MAX_PAUSE);
        Ok(Next { at: now.plus_micros(pause.as_micros() as i64), pause })
    }

    /// Does the first thing that is due; says whether there was any.
    fn perform(&mut self, plan: Plan, now: Timestamp) -> Result<bool, AgentError> {
        let due = |at: Option<Timestamp>| at.is_some_and(|at| at <= now);
        if due(plan.contact.map(|at| self.burst.delay(at))) {
            if self.state.joined.is_some() {
                self.contact()?;
            } else {
                self.ask_to_join()?;
            }
            return Ok(true);
        }
        // Nothing is counted or reported on the word of a clock that nobody vouches for (T1).
        if !self.view().time_is_proven() {
            return Ok(false);
        }
        if let Some(expires_at) = self.view().grace_to_note() {
            let allowed_milli = self.view().allowed_above().as_milli();
            self.commit(vec![Record::GraceBegan { expires_at, allowed_milli }])?;
        } else if due(plan.collect) {
            self.collect(now, Days::OnTime)?;
        } else if let Some((at, make)) = plan.document
            && at <= now
        {
            match make {
                Make::Watermark(week) => self.make_watermark(week, now)?,
                Make::Report(period, stage) => self.make_report(period, stage, now)?,
            }
        } else if due(plan.prune) {
            let (instants_before, memory) = self.view().prune_limits();
            self.commit(vec![Record::Pruned { instants_before, memory }])?;
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn keep_house(&mut self) -> Result<(), AgentError> {
        if self.journal.wants_compaction() {
            let snapshot = serde_json::to_vec(&self.state)?;
            match self.journal.compact(&snapshot) {
                Ok(()) => {}
                // The journal goes on as it is, if it can; that it is long is no reason to stop.
                Err(error @ JournalError::Io { .. }) => tracing::warn!(%error, "cannot compact the journal"),
                Err(error) => return Err(error.into()),
            }
        }
        self.keep_license_file();
        Ok(())
    }

    /// The license file follows the journal: written after each change, and at each start.
    fn keep_license_file(&mut self) {
        let (Some(path), Some(held)) = (&self.settings.license_file, &self.state.license) else { return };
        if self.written == Some(held.reference.hash) {
            return;
        }
        match license_file::write(path, &held.envelope) {
            Ok(()) => self.written = Some(held.reference.hash),
            // Tried again at the next tick; the license itself is safe in the journal.
            Err(error) => tracing::warn!(path = %path.display(), %error, "cannot write the license file"),
        }
    }

    /// How the license stands.
    pub fn status(&mut self) -> Status {
        self.observe();
        self.view().status()
    }

    /// The running month's counts.
    pub fn usage(&mut self) -> MonthUsage {
        let now = self.observe();
        self.view().usage(Period::of(now))
    }

    /// Whether a workload may be protected ("Overuse"); one that was never seen is new and may.
    pub fn allows(&mut self, workload: &str, variant: &str, id: &str) -> Coverage {
        self.observe();
        self.view().coverage(workload, variant, id)
    }

    /// Time now, as the product takes it.
    pub fn now(&mut self) -> Timestamp {
        self.observe()
    }

    fn observe(&mut self) -> Timestamp {
        let (boot, system) = (self.clock.boot(), self.clock.now());
        let clock = self.state.clock.as_mut().expect("set when the keeper was put together");
        clock.observe(boot, system, &self.settings.policy).at
    }

    fn view(&self) -> View<'_> {
        let (boot, system) = (self.clock.boot(), self.clock.now());
        let clock = self.state.clock.as_ref().expect("set when the keeper was put together");
        View {
            state: &self.state,
            policy: &self.settings.policy,
            now: clock.effective(boot, system),
            boot,
            auto_update: self.settings.auto_update,
            collects: !self.collectors.is_empty(),
            doubt: self.doubt.as_ref(),
            root: &self.root,
            continuity: self.continuity.as_ref(),
        }
    }

    /// One step: durable in the journal, then in the state.
    fn commit(&mut self, records: Vec<Record>) -> Result<(), AgentError> {
        let clock = self.state.clock.clone().expect("set when the keeper was put together");
        let entry = Entry { clock, records };
        self.journal.append(&serde_json::to_vec(&entry)?)?;
        Ok(self.state.apply(entry)?)
    }

    fn nonce(&self) -> Nonce {
        Nonce::generate(&*self.rng)
    }
}

/// The state that a journal comes to.
pub(crate) fn replay(loaded: Loaded) -> Result<State, AgentError> {
    let mut state = match loaded.snapshot {
        Some(snapshot) => serde_json::from_slice(&snapshot)?,
        None => State::default(),
    };
    for entry in loaded.entries {
        state.apply(serde_json::from_slice(&entry)?)?;
    }
    Ok(state)
}

/// The trust root that the product came with must be one that the journal's chain went through, or began after.
fn contradiction(roots: &[Envelope], pinned: &Root) -> Option<VerifyError> {
    let first = roots.first().map_or(0, |first| {
        tenure_license::decode_payload::<tenure_license::TrustRoot>(&first.payload).map_or(0, |root| root.version)
    });
    let known = roots.iter().any(|root| root.hash() == pinned.hash());
    (!known && pinned.version() >= first).then_some(VerifyError::RootOtherBytes(pinned.version()))
}
