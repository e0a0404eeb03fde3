//! What may happen, and the world it happens to.

use std::{collections::BTreeSet, sync::Arc};

use proptest::prelude::*;
use tempfile::TempDir;
use tenure_agent::{AgentError, journal::Crash};
use tenure_license::{Hash, KeyRole, OfflineAsk, OfflineFile, armor};
use tenure_service::{HighWater, Restore, Rotation};

use crate::{
    RUNTIME,
    judge::{self, Facts, rows},
    line::{Line, Loss},
    machine::Machine,
    market::{BEGINNING, MACHINES},
};

/// Most machines at once, copies included.
const MOST: usize = 4;

/// Something that happens. Machines and other things are named by a number, modulo how many there are.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// The agent does what is due.
    Tick(usize),
    /// A person asks for an update.
    Speak(usize),
    /// The next exchanges are lost, on one way or the other.
    Lose(Vec<Loss>),
    /// The process dies at one of its next writes to the journal, while it does what a person asked for.
    Die(usize, u64, Crash),
    /// A state is saved, in one of two places.
    Save(usize, usize),
    /// The machine is set to a saved state.
    SetBack(usize, usize),
    /// A second machine is made of the first.
    Copy(usize),
    /// A request goes into a file.
    File(usize),
    /// A file reaches the server, which answers into another.
    Bring(usize),
    /// An answer's file reaches the machine that made the request, or is lost with it.
    Import(usize),
    /// The server is saved.
    Backup,
    /// The server comes back from the backup, in the next epoch.
    Restore,
    /// The database goes back to the backup unseen, as in a failover that loses commits: no epoch begins.
    FailOver,
    /// The server's key of a role is succeeded by another.
    Rotate(KeyRole),
    /// The machine gets a new key.
    Rekey(usize),
    /// So many hours pass.
    Wait(u8),
    /// Something that was sent before is sent again by somebody.
    Replay(usize),
}

pub(crate) fn step() -> impl Strategy<Value = Step> {
    let m = || 0..12_usize;
    let loss = prop_oneof![Just(Loss::Request), Just(Loss::Answer)];
    let crash = prop_oneof![Just(Crash::Before), Just(Crash::After)];
    let role = prop_oneof![Just(KeyRole::License), Just(KeyRole::Receipt)];
    prop_oneof![
        6 => m().prop_map(Step::Tick),
        8 => m().prop_map(Step::Speak),
        4 => prop::collection::vec(loss, 1..4).prop_map(Step::Lose),
        3 => (m(), 0..6_u64, crash).prop_map(|(m, n, how)| Step::Die(m, n, how)),
        4 => (m(), 0..2_usize).prop_map(|(m, slot)| Step::Save(m, slot)),
        4 => (m(), 0..2_usize).prop_map(|(m, slot)| Step::SetBack(m, slot)),
        1 => m().prop_map(Step::Copy),
        2 => m().prop_map(Step::File),
        2 => m().prop_map(Step::Bring),
        2 => m().prop_map(Step::Import),
        2 => Just(Step::Backup),
        2 => Just(Step::Restore),
        1 => Just(Step::FailOver),
        1 => role.prop_map(Step::Rotate),
        1 => m().prop_map(Step::Rekey),
        6 => prop_oneof![1..4_u8, 20..30_u8, 100..200_u8].prop_map(Step::Wait),
        3 => (0..200_usize).prop_map(Step::Replay),
    ]
}

/// A backup, and what the server had by its own word when it was made.
struct Kept {
    dir: TempDir,
    held: BTreeSet<Hash>,
}

/// A life.
pub(crate) struct World {
    pub(crate) line: Line,
    pub(crate) machines: Vec<Machine>,
    /// What happened to each installation.
    pub(crate) facts: Vec<Facts>,
    /// The database lost something, and no epoch began with that.
    pub(crate) lost_unseen: bool,
    /// Each state's parent in the tree of states.
    parents: Vec<usize>,
    backup: Option<Kept>,
    /// Request files on their way, each with its machine.
    files: Vec<(usize, String)>,
    /// Answer files on theirs.
    answers: Vec<(usize, String)>,
    seed: u64,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let beginning = &*BEGINNING;
        let line = Line::to(Arc::new(RUNTIME.block_on(beginning.app.apart(seed))));
        let machines = (0..MACHINES).map(|n| {
            let disk = beginning.disks[n].copy();
            Machine::boot(n, n, disk, &line, seed).expect("it starts")
        });
        Self {
            machines: machines.collect(),
            facts: vec![Facts::default(); MACHINES],
            lost_unseen: false,
            parents: vec![0],
            backup: None,
            files: Vec::new(),
            answers: Vec::new(),
            line,
            seed,
        }
    }

    fn machine(&mut self, n: usize) -> &mut Machine {
        let count = self.machines.len();
        &mut self.machines[n % count]
    }

    /// Lets it happen, and judges what came of it.
    pub(crate) fn take(&mut self, step: &Step) -> Result<(), String> {
        self.happen(step)?;
        judge::after_a_step(self)?;
        self.see_to_the_server();
        Ok(())
    }

    /// What an operator does where the server halts for what it lost: begins an epoch on the database as it is (C7).
    fn see_to_the_server(&mut self) {
        let app = self.line.app();
        if app.service.must_go_on().is_err() {
            let held = self.line.wire().held.clone();
            self.begin_an_epoch(app.backup(), held);
        }
    }

    fn happen(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Tick(n) => drop(self.machine(*n).run(tenure_agent::LicenseKeeper::tick)?),
            Step::Speak(n) => drop(self.machine(*n).run(tenure_agent::LicenseKeeper::check_in_now)?),
            Step::Lose(losses) => self.line.wire().losses.clone_from(losses),
            Step::Die(n, later, how) => {
                let machine = self.machine(*n);
                machine.disk.crash_at(machine.disk.appended() + later, *how);
                machine.run(tenure_agent::LicenseKeeper::check_in_now)?;
                machine.run(tenure_agent::LicenseKeeper::tick)?;
            }
            Step::Save(n, slot) => {
                let node = self.parents.len();
                let machine = self.machine(*n);
                let saved = machine.save();
                let parent = std::mem::replace(&mut machine.node, node);
                machine.saved[*slot] = Some(saved);
                self.parents.push(parent);
            }
            Step::SetBack(n, slot) => self.set_back(*n, *slot)?,
            Step::Copy(n) => self.copy(*n)?,
            Step::File(n) => {
                let machine = self.machine(*n);
                let Some(file) = machine.run(tenure_agent::LicenseKeeper::request_file)? else { return Ok(()) };
                let read = OfflineFile::parse(armor::OFFLINE_REQUEST, &file.text).map_err(|error| error.to_string())?;
                let ask: OfflineAsk = read.read().map_err(|error| error.to_string())?;
                let OfflineAsk::CheckIn(body) = ask else { return Err("it was activated".into()) };
                machine.known.extend(body.documents.iter().map(tenure_license::Envelope::hash));
                let n = machine.n;
                self.files.push((n, file.text));
            }
            Step::Bring(n) if !self.files.is_empty() => {
                let (machine, file) = self.files.remove(n % self.files.len());
                self.answers.extend(self.line.of(machine).carry(&file).map(|answer| (machine, answer)));
            }
            Step::Import(n) if !self.answers.is_empty() => {
                let (machine, answer) = self.answers.remove(n % self.answers.len());
                self.machine(machine).run(|keeper| match keeper.import(&answer) {
                    Err(AgentError::NotImported(_)) => Ok(None),
                    imported => imported.map(Some),
                })?;
            }
            Step::Backup => {
                let dir = self.line.app().backup();
                let held = self.line.wire().held.clone();
                self.backup = Some(Kept { dir, held });
            }
            Step::Restore => {
                if let Some(Kept { dir, held }) = self.backup.take() {
                    self.begin_an_epoch(dir, held);
                }
            }
            Step::FailOver => {
                if let Some(Kept { dir, held }) = self.backup.take() {
                    let app = self.line.app();
                    self.line.lead_to(RUNTIME.block_on(app.put_back(dir)));
                    self.forget(held);
                    self.lost_unseen = true;
                }
            }
            Step::Rotate(role) => {
                let app = self.line.app();
                RUNTIME.block_on(app.rotate(&Rotation { roles: vec![*role], ..Rotation::default() }));
                // A rotation ends with a backup: one without the new keys cannot speak to who has seen them.
                self.backup = None;
            }
            Step::Rekey(n) => {
                let machine = self.machine(*n);
                machine.run(tenure_agent::LicenseKeeper::rotate_key)?;
                let ins = machine.ins;
                self.facts[ins].rekeyed = true;
            }
            Step::Wait(hours) => self.wait(i64::from(*hours) * 3600),
            Step::Replay(n) => self.replay(*n)?,
            Step::Bring(_) | Step::Import(_) => {}
        }
        Ok(())
    }

    fn wait(&self, secs: i64) {
        let app = self.line.app();
        app.clock.advance_secs(secs);
        RUNTIME.block_on(app.run_jobs());
    }

    fn set_back(&mut self, n: usize, slot: usize) -> Result<(), String> {
        let node = self.parents.len();
        let machine = self.machine(n);
        let Some(saved) = machine.saved[slot].take() else { return Ok(()) };
        machine.become_(&saved)?;
        let (left, ins) = (std::mem::replace(&mut machine.node, node), machine.ins);
        machine.saved[slot] = Some(saved.clone());
        self.parents.push(saved.node);
        // The one false alarm that is allowed: back, and then forward again (protocol, 2, "Residual").
        let mut above = left;
        while above != saved.node && above != 0 {
            above = self.parents[above];
        }
        if above != saved.node {
            self.facts[ins].brought_forward = true;
        }
        Ok(())
    }

    fn copy(&mut self, n: usize) -> Result<(), String> {
        if self.machines.len() >= MOST {
            return Ok(());
        }
        let saved = self.machine(n).save();
        let ins = self.machine(n).ins;
        let n = self.machines.len();
        let mut second = Machine::boot(n, ins, saved.disk.clone(), &self.line, self.seed)?;
        second.become_(&saved)?;
        self.machines.push(second);
        self.facts[ins].copied = true;
        Ok(())
    }

    /// The server goes on from a state of its database, in the next epoch.
    fn begin_an_epoch(&mut self, dir: TempDir, held: BTreeSet<Hash>) {
        let app = self.line.app();
        let deployment = app.service.deployment();
        // The files beside the keys know how far the lost database had come.
        let known = HighWater {
            deployment: deployment.id,
            epoch: deployment.epoch,
            lanes: std::collections::BTreeMap::new(),
            checkpoint: None,
            at: app.service.now(),
        };
        let restore = Restore { why: "the model".to_owned(), known: Some(known), revocations: Vec::new() };
        let restored = RUNTIME.block_on(app.restored_as(dir, restore));
        self.line.lead_to(restored);
        self.forget(held);
    }

    /// The server's word is that of another database.
    fn forget(&self, held: BTreeSet<Hash>) {
        let mut wire = self.line.wire();
        wire.held = held;
        // What the lost database had taken is news to this one.
        wire.recorded.clear();
    }

    fn replay(&self, n: usize) -> Result<(), String> {
        let body = {
            let wire = self.line.wire();
            if wire.recorded.is_empty() {
                return Ok(());
            }
            wire.recorded[n % wire.recorded.len()].clone()
        };
        let app = self.line.app();
        // What is committed and not signed yet is signed by whoever asks first; here the jobs do it.
        RUNTIME.block_on(app.run_jobs());
        let before = rows(&app);
        let answer = self.line.deliver(&body);
        self.line.wire().recorded.pop();
        self.line.wire().told.pop_if(|_| answer.status.as_u16() == 200);
        let after = rows(&app);
        for (table, held) in &before {
            if after.get(table) != Some(held) {
                return Err(format!("{table} changed by a replay ({}): {body}", answer.status));
            }
        }
        Ok(())
    }

    /// Peace: nothing is lost any more, every machine speaks in its turn, and the promises are counted.
    pub(crate) fn settle(&mut self) -> Result<(), String> {
        self.line.wire().losses.clear();
        // What fell due in the last of those rounds reaches everybody in two more, in which no time passes.
        for hours in [2, 2, 2, 2, 2, 0, 0] {
            for n in 0..self.machines.len() {
                self.machines[n].result = None;
                self.wait(hours * 3600);
                self.take(&Step::Speak(n))?;
                self.take(&Step::Tick(n))?;
            }
        }
        judge::at_the_end(self)
    }
}
