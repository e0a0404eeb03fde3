//! The process dies at any write of its journal, and starts again.

use std::collections::BTreeSet;

use tenure_agent::{
    AgentError,
    journal::{Crash, JournalError},
};
use tenure_license::Hash;

use crate::{
    chain::{assert_no_fork, requests},
    peer::Peer,
    world::{World, at},
};

const PLAN: &[(&str, &str, &str)] = &[("a", "2025-11-01", "2027-12-31")];
const END: &str = "2026-02-06T00:00:00Z";

/// Identities of all documents the server holds.
fn held(peer: &Peer) -> BTreeSet<String> {
    let reports = peer.reports().into_keys().map(|(period, revision)| format!("report {period} {revision}"));
    let marks = peer.watermarks().into_keys().map(|week| format!("watermark {week}"));
    let evidence = peer.evidence().into_iter().map(|part| format!("evidence {} {}", part.period, part.part));
    reports.chain(marks).chain(evidence).collect()
}

/// Lives from the first start to the end; at each crash the process is started again.
fn live(world: &mut World) -> u32 {
    let code = world.peer.code();
    let mut crashes = 0;
    loop {
        let lived = world
            .open()
            .and_then(|()| world.keeper().activate(&code).map(|_| ()))
            .and_then(|()| world.run_until(at(END)));
        match lived {
            Ok(()) => return crashes,
            Err(AgentError::Journal(JournalError::Crashed)) => crashes += 1,
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn c3_a_crash_at_any_write_loses_nothing_and_doubles_nothing() {
    let mut whole = World::new(PLAN);
    assert_eq!(live(&mut whole), 0);
    let expected = held(&whole.peer);
    assert!(expected.contains("report 2026-01 2") && expected.contains("watermark 2026-W05"), "{expected:?}");
    let writes = whole.journal.appended();
    assert!(writes > 60, "the life is too short to say anything: {writes} writes");
    for at_write in 0..writes {
        for how in [Crash::Before, Crash::After] {
            let mut world = World::new(PLAN);
            world.journal.crash_at(at_write, how);
            assert_eq!(live(&mut world), 1, "at write {at_write}");
            let context = format!("after a crash at write {at_write}, {how:?}");
            assert_eq!(held(&world.peer), expected, "{context}");
            assert_eq!(world.peer.server().installations.len(), 1, "{context}: one installation (A2)");
            assert_eq!(world.peer.server().out_of_steps, 0, "{context}");
            assert_no_fork(&world.peer);
            let status = world.status();
            assert_eq!(status.reported_through, Some("2026-01".parse().unwrap()), "{context}");
            assert_eq!(status.unsent_documents, 0, "{context}");
        }
    }
}

#[test]
fn a_restart_brings_back_exactly_the_state() {
    let mut world = World::new(PLAN);
    live(&mut world);
    let before = world.status();
    world.open().unwrap();
    assert_eq!(world.status(), before);
    let sent: BTreeSet<Hash> = requests(&world.peer).into_iter().map(|(hash, _)| hash).collect();
    world.keeper().tick().unwrap();
    let after: BTreeSet<Hash> = requests(&world.peer).into_iter().map(|(hash, _)| hash).collect();
    assert_eq!(after, sent, "nothing is sent because of a restart");
}
