//! The deployment that every life begins with: a license by reports, and two machines that activated it.

use std::sync::{Arc, LazyLock};

use tenure_agent::journal::MemoryJournal;
use tenure_service::Actor;
use tenure_testkit::{Market, TestApp};

use crate::{RUNTIME, line::Line, machine::Machine};

/// Machines that are there from the start, each an installation of its own.
pub(crate) const MACHINES: usize = 2;

/// When the license is assigned: the anchor of its validity.
pub(crate) const ASSIGNED: &str = "2026-01-22T09:00:00Z";

/// What every life begins with.
pub(crate) struct Beginning {
    pub(crate) app: TestApp,
    /// Whoever carries files for the provider.
    pub(crate) provider: Actor,
    /// The disks of the machines.
    pub(crate) disks: Vec<MemoryJournal>,
}

/// Made once, copied for each life.
pub(crate) static BEGINNING: LazyLock<Beginning> = LazyLock::new(|| {
    let app = RUNTIME.block_on(TestApp::new(ASSIGNED));
    let (provider, codes) = RUNTIME.block_on(rent(&app));
    let life = Arc::new(RUNTIME.block_on(app.apart(1)));
    let line = Line::to(life);
    let machines: Vec<MemoryJournal> = (0..codes.len())
        .map(|n| {
            let disk = MemoryJournal::new();
            let mut machine = Machine::boot(n, n, disk.clone(), &line, 100).expect("it starts");
            machine.activate(&codes[n]);
            disk
        })
        .collect();
    let app = RUNTIME.block_on(line.app().apart(2));
    Beginning { app, provider, disks: machines }
});

/// A provider with a license that reports extend; one code for each machine.
async fn rent(app: &TestApp) -> (Actor, Vec<String>) {
    let market = Market::new(&app.service).await;
    let license = market.license(&app.service, market.company, true).await;
    let mut codes = Vec::new();
    for _ in 0..MACHINES {
        codes.push(market.code(&app.service, license).await);
    }
    (market.provider, codes)
}
