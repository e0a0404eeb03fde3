//! The request and receipt chain: lost messages, machines set back, copied machines (protocol, C1 to C14).

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use tenure_core::{Clock, chain::RejoinClass, update::UpdateResult};
use tenure_license::{CheckInRequest, Hash, Outcome, UsageReport, decode_payload};

use crate::{
    peer::{Fate, Peer},
    world::{World, at},
};

const PLAN: &[(&str, &str, &str)] = &[("a", "2025-11-01", "2027-12-31"), ("b", "2026-01-15", "2027-12-31")];

pub(crate) fn requests(peer: &Peer) -> Vec<(Hash, CheckInRequest)> {
    let server = peer.server();
    server.seen.iter().map(|one| (one.request.hash(), decode_payload(&one.request.payload).unwrap())).collect()
}

/// No two requests under one number, whatever happened in between (C3).
pub(crate) fn assert_no_fork(peer: &Peer) {
    let mut numbers: BTreeMap<u64, Hash> = BTreeMap::new();
    for (hash, request) in requests(peer) {
        let first = *numbers.entry(request.seq).or_insert(hash);
        assert_eq!(first, hash, "two requests with number {}", request.seq);
    }
}

fn fates() -> impl Strategy<Value = Vec<Fate>> {
    let fate = prop_oneof![
        3 => Just(Fate::Answered),
        2 => Just(Fate::RequestLost),
        3 => Just(Fate::AnswerLost),
        1 => Just(Fate::Forged),
        1 => Just(Fate::Refused(503, Some(30))),
        1 => Just(Fate::Refused(500, None)),
        1 => Just(Fate::Problem(404, "unknown-key")),
    ];
    prop::collection::vec(fate, 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// Whatever is lost on the way, an honest machine is never out of step, every document arrives once, and the license
    /// is what the months earn.
    #[test]
    fn no_loss_on_the_way_is_a_fork_or_a_lost_document(seed in 0..1000_u64, fates in fates(), restarts in any::<u8>()) {
        let mut world = World::seeded(seed, PLAN).activated();
        let undisturbed = {
            let mut calm = World::seeded(seed, PLAN).activated();
            calm.run_to("2026-03-20T00:00:00Z");
            calm.peer.reports().into_keys().collect::<Vec<_>>()
        };
        world.peer.server().fates.extend(fates);
        for week in 0..8 {
            let until = at("2026-01-17T00:00:00Z").plus_days(week * 7);
            world.run_until(until).unwrap();
            if restarts & 1 << week != 0 {
                world.open().unwrap();
            }
        }
        world.peer.server().fates.clear();
        world.run_to("2026-03-20T00:00:00Z");
        assert_no_fork(&world.peer);
        prop_assert_eq!(world.peer.server().out_of_steps, 0);
        prop_assert_eq!(world.status().unsent_documents, 0);
        let finals = |keys: &[(tenure_core::Period, u32)]| keys.iter().map(|key| key.0).collect::<BTreeSet<_>>();
        let arrived: Vec<_> = world.peer.reports().into_keys().collect();
        prop_assert_eq!(finals(&arrived), finals(&undisturbed));
        prop_assert_eq!(world.status().reported_through, Some("2026-02".parse().unwrap()));
    }
}

#[test]
fn c1_the_same_bytes_are_sent_until_they_are_answered() {
    let mut world = World::new(PLAN).activated();
    world.run_to("2026-01-11T08:00:00Z");
    let before = requests(&world.peer).len();
    world.peer.server().fates.extend([Fate::AnswerLost, Fate::AnswerLost]);
    world.keeper().check_in_now().unwrap();
    world.run_to("2026-01-11T12:00:00Z");
    let sent = requests(&world.peer);
    let sent: Vec<Hash> = sent[before..].iter().map(|(hash, _)| *hash).collect();
    assert_eq!(sent.len(), 4, "twice in vain, answered, and a fresh one for the time: {sent:?}");
    assert!(sent[0] == sent[1] && sent[1] == sent[2] && sent[2] != sent[3]);
    assert_eq!(world.peer.server().out_of_steps, 0);
}

#[test]
fn c12_a_fresh_request_lists_those_that_wait() {
    let mut world = World::new(PLAN).activated();
    world.run_to("2026-01-30T08:00:00Z");
    world.peer.server().fates.extend(std::iter::repeat_n(Fate::AnswerLost, 200));
    world.run_to("2026-02-05T08:00:00Z");
    world.peer.server().fates.clear();
    world.run_to("2026-02-05T12:00:00Z");
    let sent = requests(&world.peer);
    let widest = sent.iter().map(|(_, request)| request.unanswered.len()).max().unwrap();
    assert!((1..=16).contains(&widest), "{widest}");
    assert_eq!(world.peer.server().out_of_steps, 0, "the server knows each of them");
    assert_eq!(world.status().unsent_documents, 0);
    assert_no_fork(&world.peer);
}

#[test]
fn unanswered_requests_stay_bounded_through_months() {
    let mut world = World::new(PLAN).activated();
    world.run_to("2026-01-30T08:00:00Z");
    world.peer.server().silent = true;
    world.run_to("2026-10-30T08:00:00Z");
    world.peer.server().silent = false;
    world.run_to("2026-10-30T12:00:00Z");
    assert_eq!(world.status().unsent_documents, 0);
    assert_eq!(world.peer.server().out_of_steps, 0);
}

#[test]
fn c5_a_machine_set_back_rejoins_and_reports_again() {
    let mut world = World::new(PLAN).activated();
    world.run_to("2026-01-25T08:00:00Z");
    let snapshot = world.journal.copy();
    world.run_to("2026-02-10T08:00:00Z");
    let reports = world.peer.reports().len();
    // The snapshot comes back, a boot later.
    world.keeper = None;
    world.journal = snapshot;
    world.machine.reboot();
    world.open().unwrap();
    world.run_to("2026-02-20T08:00:00Z");
    let server = world.peer.server();
    assert_eq!(server.rejoins, [RejoinClass::SetBack]);
    assert!(server.out_of_steps >= 1);
    drop(server);
    assert_eq!(world.status().last_result, Some(UpdateResult::UpToDate));
    assert!(world.peer.reports().len() >= reports);
    let months: BTreeSet<_> = world.peer.reports().keys().map(|(period, _)| period.to_string()).collect();
    assert_eq!(months, BTreeSet::from(["2026-01".to_owned()]));
    assert_no_number_after_the_rejoin_was_used_before(&world.peer);
}

/// The rejoin's number is above all that were used before the machine was set back.
fn assert_no_number_after_the_rejoin_was_used_before(peer: &Peer) {
    let requests = requests(peer);
    let rejoin = requests.iter().position(|(_, request)| request.rejoin.is_some()).unwrap();
    let highest = requests[..rejoin].iter().map(|(_, request)| request.seq).max().unwrap();
    assert!(requests[rejoin].1.seq > highest);
}

#[test]
fn c5_a_copied_machine_is_proven_and_both_are_told() {
    let mut world = World::new(PLAN).activated();
    world.run_to("2026-01-25T08:00:00Z");
    let copy = world.journal.copy();
    let mut twin = World::seeded(2, PLAN);
    twin.truth = world.truth.clone();
    twin.machine = crate::world::MachineClock::new(world.truth.clone());
    twin.peer = world.peer.clone();
    twin.workloads = world.workloads.clone();
    twin.journal = copy;
    twin.open().unwrap();
    world.keeper().check_in_now().unwrap();
    twin.keeper().check_in_now().unwrap();
    world.keeper().check_in_now().unwrap();
    let server = world.peer.server();
    // The copy came from an earlier point than the machine had reached, or at the same: only the second speaker of the
    // two that stood at one tip is a clone.
    assert_eq!(server.rejoins.last(), Some(&RejoinClass::Clone), "{:?}", server.rejoins);
    drop(server);
    let status = world.status();
    assert_eq!(status.last_result, Some(UpdateResult::SuspendedClone));
    assert_eq!(status.sentence, UpdateResult::SuspendedClone.sentence());
}

#[test]
fn rejoins_in_vain_become_hourly() {
    let mut world = World::new(PLAN).activated();
    world.run_to("2026-01-25T08:00:00Z");
    world.peer.server().head_moves = true;
    let before = world.peer.server().seen.len();
    world.keeper().check_in_now().unwrap();
    let at_once = world.peer.server().seen.len() - before;
    assert_eq!(at_once, 4, "the request and three rejoins");
    world.run_until(at("2026-01-25T20:00:00Z")).unwrap();
    let later = world.peer.server().seen.len() - before - at_once;
    assert!((10..=24).contains(&later), "each hour the one that waits and one more: {later}");
    assert!(world.status().last_error.unwrap().contains("out of step"));
    assert_no_fork(&world.peer);
    // Also when a document asks for a fresh request meanwhile.
    world.run_until(at("2026-02-03T20:00:00Z")).unwrap();
    assert!(world.status().unsent_documents > 0);
    // When the head stands still again, the next rejoin goes through.
    world.peer.server().head_moves = false;
    world.run_to("2026-02-03T22:00:00Z");
    assert_eq!(world.status().last_error, None);
    assert_eq!(world.peer.server().rejoins, [RejoinClass::SetBack]);
}

#[test]
fn e3_a_restored_server_is_told_all_it_lost() {
    let mut world = World::new(PLAN).activated();
    world.run_to("2026-02-10T08:00:00Z");
    let held = world.status().serial;
    {
        // Back to the day before the final report of January: epoch 2, that day's head, that day's documents.
        let mut server = world.peer.server();
        let since = at("2026-02-02T12:00:00Z");
        server.epoch = 2;
        server.since = Some(since.as_secs());
        let installation = &mut server.installations[0];
        installation.documents.retain(|_, (_, receipt)| receipt.received_at < since.as_secs());
        installation.reported.clear();
    }
    let before = world.peer.server().seen.len();
    world.run_to("2026-02-20T08:00:00Z");
    let january = "2026-01".parse().unwrap();
    assert!(world.peer.reports().contains_key(&(january, 2)), "sent again");
    let server = world.peer.server();
    let again = server.seen[before..].iter().find(|one| !one.old_receipts.is_empty()).expect("with its old receipt");
    assert!(again.license.is_some(), "and the license of the lost epoch");
    let proof =
        server.verifier().verify_held_receipt_role::<tenure_license::CheckInAnswer>(&again.old_receipts[0]).unwrap();
    assert!(proof.docs.iter().any(|doc| doc.outcome == Outcome::Accepted));
    let exchanges = server.seen.len() - before;
    drop(server);
    assert!(exchanges < 10, "asked for once, not for ever: {exchanges}");
    assert!(world.status().serial.is_some() && held.is_some());
    assert_eq!(world.status().epoch, Some(2));
}

#[test]
fn a_server_that_lost_the_key_is_shown_the_activation() {
    let mut world = World::new(PLAN).activated();
    world.run_to("2026-01-12T08:00:00Z");
    let before = world.peer.server().seen.len();
    world.peer.server().fates.push_back(Fate::Problem(404, "unknown-key"));
    world.keeper().check_in_now().unwrap();
    let server = world.peer.server();
    assert_eq!(server.seen.len(), before + 1);
    let shown = server.seen.last().unwrap();
    assert_eq!(
        shown.activation_answer.as_ref().map(tenure_license::Envelope::hash),
        Some(server.installations[0].activation.hash())
    );
    assert!(shown.license.is_some());
}

#[test]
fn a_conflict_is_said_and_not_fought_over() {
    let mut world = World::new(PLAN).activated();
    world.peer.server().outcomes.insert(<UsageReport as tenure_license::Payload>::TYPE, (Outcome::Conflict, Some(4)));
    world.run_to("2026-02-20T00:00:00Z");
    let reports = world.peer.reports();
    assert!(reports.len() <= 2, "{:?}", reports.keys());
    let status = world.status();
    assert!(status.sentence.contains("another report of 2026-01"), "{}", status.sentence);
    // A person sends the next revision above the one held there.
    world.peer.server().outcomes.clear();
    world.keeper().report_send("2026-01".parse().unwrap()).unwrap();
    world.run_to("2026-02-20T01:00:00Z");
    assert!(world.peer.reports().contains_key(&("2026-01".parse().unwrap(), 5)));
    assert!(world.truth.now() >= at("2026-02-20T01:00:00Z"));
}
