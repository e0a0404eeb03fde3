//! What must hold, whatever happened.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use tenure_core::{
    Period, Policy, Timestamp,
    update::UpdateResult,
    validity::{contiguous, expires_at},
};
use tenure_license::{Hash, RejoinClass};
use tenure_service::{LicenseFilter, Paging, list_licenses, verify_audit};
use tenure_store::testing::dump;
use tenure_testkit::{AGREEMENT_END, TestApp};

use crate::{
    RUNTIME,
    market::{ASSIGNED, BEGINNING},
    steps::World,
};

/// What happened to an installation that bears on what may be said of it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Facts {
    /// It is more than one machine.
    pub(crate) copied: bool,
    /// It was set back and brought forward again.
    pub(crate) brought_forward: bool,
    /// It was given another key: a state from before cannot speak any more.
    pub(crate) rekeyed: bool,
}

/// What the database holds, apart from counters of refusals.
pub(crate) fn rows(app: &Arc<TestApp>) -> BTreeMap<String, Vec<String>> {
    let mut rows = RUNTIME.block_on(async {
        let mut read = app.service.store().read().await.expect("a snapshot");
        dump(&mut read).await
    });
    rows.retain(|table, _| !table.contains("refusal"));
    rows
}

/// After each step: no single machine is called a clone, and no product sees an older license.
pub(crate) fn after_a_step(world: &mut World) -> Result<(), String> {
    let (told, sent) = {
        let mut wire = world.line.wire();
        (std::mem::take(&mut wire.told), std::mem::take(&mut wire.sent))
    };
    for (machine, hash) in sent {
        world.machines[machine].known.insert(hash);
    }
    for one in told {
        let machine = &mut world.machines[one.machine];
        machine.result = Some(one.result);
        let facts = world.facts[machine.ins];
        let clone = one.rejoined == Some(RejoinClass::Clone) || one.result == UpdateResult::SuspendedClone;
        if clone && !facts.copied && !facts.brought_forward {
            return Err(format!("machine {} is alone and was called a clone: {one:?}", one.machine));
        }
    }
    for machine in &mut world.machines {
        let holds = machine.holds();
        if holds < machine.mark {
            return Err(format!("machine {} held {:?} and holds {holds:?}", machine.n, machine.mark));
        }
        machine.mark = holds;
    }
    Ok(())
}

/// At the end: everybody is answered, copies are known as copies, and what was acknowledged is there.
pub(crate) fn at_the_end(world: &mut World) -> Result<(), String> {
    let app = world.line.app();
    let refused = world.line.wire().refused.clone();
    for machine in &world.machines {
        let facts = world.facts[machine.ins];
        match &refused[machine.n] {
            // A state from before the rotation cannot speak any more; a person makes it a new installation.
            Some(kind) if kind == "key-retired" && facts.rekeyed => {}
            // A restored server that lost a rotation believes it as long as nobody spoke by the old key since, as a second
            // machine does.
            Some(kind) if kind == "unknown-key" && facts.rekeyed && (facts.copied || facts.brought_forward) => {}
            Some(kind) => return Err(format!("machine {} is refused: {kind}", machine.n)),
            None if machine.result.is_none() => return Err(format!("machine {} is not answered", machine.n)),
            None => {}
        }
    }
    let speaks = |n: usize| refused[n].is_none();
    for ins in 0..world.facts.len() {
        let speaking: Vec<_> = world.machines.iter().filter(|one| one.ins == ins && speaks(one.n)).collect();
        let told = |result| speaking.iter().all(|one| one.result == Some(result));
        if speaking.len() > 1 && !told(UpdateResult::SuspendedClone) {
            let told: Vec<_> = speaking.iter().map(|one| (one.n, one.result)).collect();
            return Err(format!("installation {ins} is {} machines, and they were told {told:?}", speaking.len()));
        }
    }
    documents(world, &app, &speaks)?;
    the_end(world)?;
    let report = RUNTIME
        .block_on(async { verify_audit(app.service.store(), &[], Some((*app.root()).clone()), &mut |_| {}).await });
    let report = report.map_err(|error| error.to_string())?;
    if report.is_clean() { Ok(()) } else { Err(format!("the log: {:?}", report.findings)) }
}

/// Each document that was receipted is held: by the server's word of this life, and for those of lost lives where a
/// machine has them that still speaks.
fn documents(world: &World, app: &Arc<TestApp>, speaks: &dyn Fn(usize) -> bool) -> Result<(), String> {
    let held: BTreeSet<String> =
        rows(app)["document"].iter().filter_map(|row| Some(row.split('|').nth(1)?.to_lowercase())).collect();
    let wire = world.line.wire();
    // A loss without a new epoch shows when a machine is ahead of the database. Where a second machine, or a state of
    // before, has gone on past that point, whoever has the proof looks set back (protocol, 2.5), and nothing is asked for.
    let proves = |ins: usize| !world.lost_unseen || !(world.facts[ins].copied || world.facts[ins].brought_forward);
    let asked = world.machines.iter().filter(|machine| speaks(machine.n) && proves(machine.ins));
    let in_the_field = asked.flat_map(|machine| &machine.known);
    let promised: BTreeSet<Hash> =
        wire.held.iter().chain(in_the_field.filter(|hash| wire.receipted.contains(*hash))).copied().collect();
    for hash in promised {
        if !held.contains(&format!("x'{hash}'")) {
            let here = wire.held.contains(&hash);
            return Err(format!("document {hash} was receipted (in this life: {here}) and is not held"));
        }
    }
    Ok(())
}

/// The months that extended the license.
pub(crate) fn reported(app: &Arc<TestApp>) -> BTreeSet<Period> {
    let months = rows(app).remove("extension").into_iter().flatten();
    let index = |row: &str| row.split('|').nth(2).and_then(|index| index.parse().ok()).expect("a month");
    months.map(|row| Period::from_index(index(&row))).collect()
}

/// The license ends where its anchor and its reported months lead, whatever was lost, repeated and restored: by the
/// server's word, and in what a machine holds that is alone and was served.
fn the_end(world: &mut World) -> Result<(), String> {
    let app = world.line.app();
    let months = reported(&app);
    let anchor: Timestamp = ASSIGNED.parse().expect("an instant");
    let agreement_end: Timestamp = AGREEMENT_END.parse().expect("an instant");
    let count = contiguous(anchor, months.iter().copied()).count;
    let wanted = expires_at(anchor, count, Some(agreement_end), &Policy::default());
    let listed = RUNTIME.block_on(list_licenses(
        &app.service,
        &BEGINNING.provider,
        None,
        LicenseFilter::default(),
        &Paging::default(),
    ));
    let licenses = listed.map_err(|error| error.to_string())?.items;
    let ends: Vec<_> = licenses.iter().filter_map(|license| Some(license.life.as_ref()?.expires)).collect();
    if ends != [wanted] {
        return Err(format!("{months:?} are reported, so it ends at {wanted}; the server says {ends:?}"));
    }
    let refused = world.line.wire().refused.clone();
    for machine in &mut world.machines {
        let facts = world.facts[machine.ins];
        let served = refused[machine.n].is_none() && machine.result.is_some_and(UpdateResult::is_good);
        if !served || facts.copied || facts.brought_forward {
            continue;
        }
        let holds = machine.ends();
        if holds != Some(wanted) {
            return Err(format!(
                "{months:?} are reported, so it ends at {wanted}; machine {} holds {holds:?}",
                machine.n
            ));
        }
    }
    Ok(())
}
