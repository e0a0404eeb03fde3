//! Whether this server may sign and change anything (C7, T2, E9).
//!
//! A server whose clock jumped, or whose database lacks what it once signed, does harm with every answer. It halts: reads
//! go on, nothing is signed, no job runs, `readyz` is red, until an operator has acted.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tenure_core::{
    Clock, Period, Policy, Timestamp,
    server_clock::{self, ClockFault, ClockReading},
};
use tenure_store::{
    Queue, Store, StoreError, Tx, audit, meta,
    rows::{checkpoint, deployment},
};
use tokio::time::timeout;

use crate::{ProblemKind, Result, Service, program};

/// Where the newest time that was seen is kept, in microseconds.
const HIGH_WATER: &str = "clock.high_water";
/// Where an amnesia is kept until an epoch begins.
pub(crate) const AMNESIA: &str = "amnesia";
/// Since when something may be lost, in microseconds, as far as that amnesia tells.
pub(crate) const AMNESIA_SINCE: &str = "amnesia.since";
/// What is written to see that writing works.
const HEARTBEAT: &str = "heartbeat";
/// How long the database may take to answer a look.
const LOOK: Duration = Duration::from_secs(2);
/// How often the newest time is written down.
const HIGH_WATER_SECS: i64 = 60;
/// How far this machine's clock and the database's may be apart, in microseconds (T2).
const MAX_SKEW_US: i64 = 2_000_000;

/// Why a server halts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Halt {
    /// Its clock jumped (T2).
    Clock,
    /// Its clock and the database's are apart (T2).
    Skew,
    /// A product holds an answer that the database lacks (C7).
    Amnesia,
    /// The database is another than the one it began with: a failover, or a restore behind its back (C7).
    Failover,
}

impl Halt {
    fn what_to_do(self) -> &'static str {
        match self {
            Self::Clock => "set the clock right; it goes on by itself once both clocks agree",
            Self::Skew => "synchronize this machine's clock and the database's",
            Self::Amnesia => "data was lost without a restore: stop the server and run `tenure restore`",
            Self::Failover => "the server ends; started again it begins a new epoch",
        }
    }
}

/// What this process knows of its own state.
#[derive(Default)]
pub(crate) struct Health {
    halted: AtomicBool,
    halts: RwLock<BTreeMap<Halt, String>>,
    /// The database did not answer the last look.
    lost: AtomicBool,
    watch: Mutex<Watch>,
}

#[derive(Default)]
struct Watch {
    /// The last look at which both clocks agreed.
    agreed: Option<ClockReading>,
    written: Option<Timestamp>,
}

impl Health {
    fn set(&self, halt: Halt, why: Option<String>) {
        let mut halts = self.halts.write().unwrap_or_else(PoisonError::into_inner);
        let changed = match why {
            Some(why) => halts.insert(halt, why).is_none(),
            None => halts.remove(&halt).is_some(),
        };
        self.halted.store(!halts.is_empty(), Ordering::SeqCst);
        if changed {
            if let Some(why) = halts.get(&halt) {
                tracing::error!(halt.why = why, halt.todo = halt.what_to_do(), "the server halts");
            } else {
                tracing::info!(halt = ?halt, "the server goes on");
            }
        }
    }
}

impl Service {
    /// Refuses what signs or changes anything while the server halts. One load of a flag while it does not.
    ///
    /// # Errors
    /// [`ProblemKind::Halted`].
    pub fn must_go_on(&self) -> Result<()> {
        if self.health().halted.load(Ordering::Relaxed) { Err(ProblemKind::Halted.into()) } else { Ok(()) }
    }

    /// Why this server should get no traffic now, in words for its operator; nothing when it is ready.
    pub fn not_ready(&self) -> Vec<String> {
        let halts = self.health().halts.read().unwrap_or_else(PoisonError::into_inner);
        let mut reasons: Vec<String> =
            halts.iter().map(|(halt, why)| format!("{why}: {}", halt.what_to_do())).collect();
        if self.health().lost.load(Ordering::Relaxed) {
            reasons.push("the database does not answer: see to it; the server goes on by itself".to_owned());
        }
        if self.store().is_full() {
            reasons.push("the disk is full: free space; it goes on by itself".to_owned());
        }
        reasons
    }

    /// Whether another database answers than the one this process began with: only a new start goes on (C7).
    pub fn has_failed_over(&self) -> bool {
        self.health().halts.read().unwrap_or_else(PoisonError::into_inner).contains_key(&Halt::Failover)
    }

    /// Halts.
    pub(crate) fn halt(&self, halt: Halt, why: String) {
        self.health().set(halt, Some(why));
    }
}

/// Compares wall and boot clock with the last look, and writes the newest time down now and then. Whoever runs a server
/// calls it each second.
///
/// # Errors
/// When the store fails to keep the newest time.
pub async fn watch_clock(service: &Service) -> Result<()> {
    let reading = ClockReading { wall: service.now(), boot: service.clock().boot() };
    let (fault, write) = {
        let mut watch = service.health().watch.lock().unwrap_or_else(PoisonError::into_inner);
        let fault =
            watch.agreed.and_then(|agreed| server_clock::check_running(agreed, reading, service.policy()).err());
        if fault.is_none() {
            watch.agreed = Some(reading);
        }
        let write =
            fault.is_none() && watch.written.is_none_or(|written| reading.wall >= written.plus_secs(HIGH_WATER_SECS));
        if write {
            watch.written = Some(reading.wall);
        }
        (fault, write)
    };
    service.health().set(Halt::Clock, fault.map(|fault| fault.to_string()));
    if write && service.must_go_on().is_ok() {
        keep_high_water(service.store(), reading.wall).await?;
    }
    Ok(())
}

/// Looks whether the database answers and takes a write, still is the one this process began with, and agrees about the
/// time (C7, T2). Whoever runs a server calls it every second or two: so `readyz` is red within five of a full disk or a
/// lost database (E9).
///
/// # Errors
/// When the database does not answer.
pub async fn watch_database(service: &Service) -> Result<()> {
    let looked = timeout(LOOK, look(service)).await.unwrap_or_else(|_| {
        let words = format!("no answer within {} s", LOOK.as_secs());
        Err(ProblemKind::StorageFailed.because(words).into())
    });
    // Full or busy is an answer; either has its own word.
    let lost = looked.as_ref().is_err_and(|error| error.problem().kind == ProblemKind::StorageFailed);
    if service.health().lost.swap(lost, Ordering::Relaxed) != lost {
        match &looked {
            Err(error) if lost => tracing::error!(error = ?error, "the database does not answer"),
            _ => tracing::info!("the database answers again"),
        }
    }
    looked
}

async fn look(service: &Service) -> Result<()> {
    let store = service.store();
    if service.must_go_on().is_ok() {
        // A write of its own: idle, nobody else would find out; and once there is room again, nobody else may come to try.
        let beat = service.clock().boot().elapsed_us.to_string();
        store.write(Queue::Jobs, async move |tx: &mut Tx| meta::put(tx, HEARTBEAT, &beat).await).await?;
    } else {
        store.answers().await?;
    }
    let Some(now) = store.server().await? else { return Ok(()) };
    if service.deployment().server.as_ref().is_some_and(|began| *began != now.identity) {
        service.halt(Halt::Failover, format!("the database is now {}", now.identity));
    }
    if !service.deployment().test_clock {
        let apart = now.clock.micros_since(service.now());
        let how = if apart > 0 { "ahead of" } else { "behind" };
        let seconds = apart.abs() / 1_000_000;
        let why = (apart.abs() > MAX_SKEW_US).then(|| format!("the database's clock is {seconds} s {how} ours"));
        service.health().set(Halt::Skew, why);
    }
    Ok(())
}

async fn keep_high_water(store: &Store, at: Timestamp) -> Result<()> {
    let write = async move |tx: &mut Tx| {
        let held = high_water(tx).await?;
        if held.is_none_or(|held| held < at) {
            meta::put(tx, HIGH_WATER, &at.as_micros().to_string()).await?;
        }
        Ok::<_, StoreError>(())
    };
    Ok(store.write(Queue::Jobs, write).await?)
}

async fn high_water(conn: &mut tenure_store::Conn) -> Result<Option<Timestamp>, StoreError> {
    let text = meta::get(conn, HIGH_WATER).await?;
    Ok(text.and_then(|text| text.parse().ok()).map(Timestamp::from_micros))
}

/// The policy in force now; none in a database without a deployment.
///
/// # Errors
/// When the database cannot be read.
pub async fn policy_now(store: &Store, clock: &dyn Clock) -> Result<Option<Policy>> {
    let mut read = store.read().await?;
    if deployment::find(&mut read).await?.is_none() {
        return Ok(None);
    }
    Ok(Some(program::policy_at(&mut read, Period::of(clock.now())).await?))
}

/// Judges this machine's date before a server starts, by the newest time that its database knows (T2).
///
/// # Errors
/// The fault, unless `confirmed`: an operator says that the date is right. Then the new date is written down.
pub async fn check_date(
    store: &Store,
    clock: &dyn Clock,
    policy: &Policy,
    confirmed: bool,
) -> Result<Option<ClockFault>> {
    let mut read = store.read().await?;
    let known = [
        high_water(&mut read).await?,
        checkpoint::newest(&mut read).await?.map(|newest| newest.at),
        audit::newest_at(&mut read).await?,
    ];
    drop(read);
    let Some(newest) = known.into_iter().flatten().max() else { return Ok(None) };
    let now = clock.now();
    let Err(fault) = server_clock::check_start(newest, now, policy) else { return Ok(None) };
    if !confirmed {
        return Ok(Some(fault));
    }
    let write = async move |tx: &mut Tx| {
        tx.audit(tenure_store::AuditEntry {
            actor: "operator".to_owned(),
            verb: "deployment.date_confirmed",
            subject: now.to_string(),
            org: None,
            at: now,
            body: serde_json::json!({ "newest_known": newest, "fault": fault.to_string() }),
        });
        meta::put(tx, HIGH_WATER, &now.as_micros().to_string()).await
    };
    store.write(Queue::People, write).await?;
    Ok(None)
}

/// Keeps in the database that it lost data, so that a restart changes nothing; and halts. What it lost came after `since`:
/// it may have gone on from there for long, so that its newest entry says nothing of the loss.
pub(crate) async fn amnesia(service: &Service, why: String, since: Timestamp) {
    service.halt(Halt::Amnesia, why.clone());
    let keep = async move |tx: &mut Tx| {
        meta::put(tx, AMNESIA, &why).await?;
        meta::put(tx, AMNESIA_SINCE, &since.as_micros().to_string()).await
    };
    let kept = service.store().write(Queue::Jobs, keep).await;
    if let Err(error) = kept {
        tracing::error!(error = &error as &dyn std::error::Error, "the loss cannot be written down");
    }
}

/// Takes up a loss that was found before a restart.
pub(crate) async fn remember(service: &Service) -> Result<(), StoreError> {
    let mut read = service.store().peek().await?;
    if let Some(why) = meta::get(&mut read, AMNESIA).await? {
        service.halt(Halt::Amnesia, why);
    }
    Ok(())
}
