//! A server that is silent for months, or unwilling, and comes back.

use tenure_agent::{Standing, Status};
use tenure_core::{Clock, Period, Policy, update::UpdateResult, validity};

use crate::{
    peer::Fate,
    world::{World, at},
};

const PLAN: &[(&str, &str, &str)] = &[("a", "2025-11-01", "2027-12-31"), ("b", "2025-12-01", "2027-12-31")];

fn silent_since_march() -> World {
    let mut world = World::new(PLAN).activated();
    world.run_to("2026-03-10T08:00:00Z");
    world.peer.server().silent = true;
    world
}

#[test]
fn states_follow_the_dates_and_the_sentence_names_the_silence() {
    let mut world = silent_since_march();
    let end = world.status().expires_at.unwrap();
    // Anchor in January, January and February reported: 10 January + 4 months + 15 days.
    assert_eq!(end, at("2026-05-25T08:00:00Z"));
    let mut at_each = |instant: tenure_core::Timestamp| -> Status {
        world.run_until(instant).unwrap();
        world.keeper().tick().unwrap();
        world.status()
    };
    let check = |status: &Status, standing, state: &str| {
        assert_eq!((status.standing, status.state.as_str()), (standing, state));
        let named = "The license update server has not answered since 2026-03-";
        assert!(status.sentence.contains(named), "{}", status.sentence);
        assert!(status.sentence.contains("(connection refused)"), "{}", status.sentence);
        assert_eq!(status.last_error.as_deref(), Some("connection refused"));
        assert!(status.next_check_in.unwrap() > status.as_of, "it keeps asking");
    };
    check(&at_each(end.plus_days(-31)), Standing::Valid, "Valid");
    check(&at_each(end.plus_days(-29)), Standing::Expiring, "Expiring");
    let expired = at_each(end.plus_secs(60));
    check(&expired, Standing::Expired, "Expired (60 days of grace remaining)");
    assert!(expired.sentence.starts_with("The license ended at 2026-05-25 08:00 UTC; everything still works. "));
    check(&at_each(end.plus_days(59).plus_secs(60)), Standing::Expired, "Expired (1 days of grace remaining)");
    let restricted = at_each(end.plus_days(60).plus_secs(1));
    check(&restricted, Standing::Restricted, "Restricted");
    assert!(restricted.sentence.contains("nothing new is protected"), "{}", restricted.sentence);
    assert_eq!(restricted.days_of_grace, Some(0));
    let unsent = restricted.unsent_documents;
    assert!(unsent >= 4 * 3 + 18, "reports, evidence and watermarks are kept: {unsent}");
}

#[test]
fn held_reports_go_out_month_by_month_and_the_license_comes_back() {
    let mut world = silent_since_march();
    world.run_to("2026-07-30T08:00:00Z");
    assert_eq!(world.status().standing, Standing::Restricted);
    // The way opens for two exchanges: the request that waited, and the first that carries a month.
    world.peer.server().silent = false;
    let before = world.peer.server().seen.len();
    let mut states = Vec::new();
    world.run_until(at("2026-07-30T10:00:00Z")).unwrap();
    let anchor = world.peer.server().installations[0].anchor;
    for exchange in &world.peer.server().seen[before..] {
        let finals = exchange.documents.iter().filter(|document| {
            tenure_license::decode_payload::<tenure_license::UsageReport>(&document.payload)
                .is_ok_and(|report| report.stage == tenure_license::ReportStage::Final)
        });
        states.push(finals.count());
    }
    assert!(states.iter().all(|finals| *finals <= 1), "one month at a time: {states:?}");
    assert_eq!(states.iter().sum::<usize>(), 4, "March to June: {states:?}");
    let status = world.status();
    assert_eq!(status.expires_at, Some(validity::expires_at(anchor, 6, None, &Policy::default())));
    assert_eq!((status.standing, status.unsent_documents), (Standing::Valid, 0));
    assert_eq!(status.reported_through, Some("2026-06".parse().unwrap()));
}

#[test]
fn after_the_first_month_that_arrives_grace_is_back() {
    let mut world = silent_since_march();
    world.run_to("2026-07-30T08:00:00Z");
    {
        let mut server = world.peer.server();
        server.silent = false;
        // One exchange arrives; then the way is shut again.
        server.fates.extend([Fate::Answered].into_iter().chain(std::iter::repeat_n(Fate::RequestLost, 50)));
    }
    world.run_until(at("2026-07-30T10:00:00Z")).unwrap();
    let status = world.status();
    let month: Period = "2026-03".parse().unwrap();
    assert_eq!(status.reported_through, Some(month), "{}", status.sentence);
    assert_eq!(status.state, "Expired (25 days of grace remaining)");
}

#[test]
fn e7_unsigned_refusals_change_nothing_but_the_time_of_the_next_try() {
    let mut world = World::new(PLAN).activated();
    world.run_to("2026-01-11T08:00:00Z");
    let before = world.status();
    for (fate, least, most) in [
        (Fate::Refused(503, Some(120)), 120, 120),
        (Fate::Refused(429, Some(1)), 60, 60),
        (Fate::Refused(503, Some(99_999_999)), 8 * 86_400, 8 * 86_400),
        (Fate::Refused(503, None), 86_400, 95_040),
        (Fate::Refused(500, None), 86_400, 95_040),
        (Fate::Problem(403, "revoked"), 3600, 3960),
        (Fate::Problem(401, ""), 3600, 3960),
        (Fate::Problem(409, "contract_terminated"), 3600, 3960),
        (Fate::Forged, 3600, 3960),
        (Fate::RequestLost, 3600, 3960),
    ] {
        world.peer.server().fates.push_back(fate);
        let outcome = world.keeper().check_in_now().unwrap();
        let tenure_agent::CheckIn::NotReached { retry_at, .. } = outcome else { panic!("{fate:?}: {outcome:?}") };
        let wait = retry_at.micros_since(world.truth.now()) / 1_000_000;
        assert!((least..=most).contains(&wait), "{fate:?}: {wait} s");
        let after = world.status();
        assert_eq!((after.serial, after.standing, after.automatic_update), (before.serial, before.standing, true));
        assert_eq!(after.last_result, before.last_result, "{fate:?}");
    }
    // A person's word goes through at once, whatever the schedule says.
    let outcome = world.keeper().check_in_now().unwrap();
    assert!(matches!(outcome, tenure_agent::CheckIn::Answered { result: UpdateResult::UpToDate, .. }), "{outcome:?}");
}

#[test]
fn an_ended_agreement_turns_automatic_update_off_and_usage_is_still_reported() {
    let mut world = World::new(PLAN).activated();
    world.run_to("2026-01-15T08:00:00Z");
    world.peer.server().facts.terminated = true;
    let outcome = world.keeper().check_in_now().unwrap();
    let tenure_agent::CheckIn::Answered { result, sentence, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(result, UpdateResult::ContractTerminated);
    assert!(sentence.contains("ended early"), "{sentence}");
    assert!(!world.status().automatic_update);
    world.run_to("2026-02-04T00:00:00Z");
    assert!(world.peer.reports().contains_key(&("2026-01".parse().unwrap(), 2)), "the last month is still owed");
    // A person's update that succeeds turns it on again.
    world.peer.server().facts.terminated = false;
    let outcome = world.keeper().check_in_now().unwrap();
    assert!(matches!(outcome, tenure_agent::CheckIn::Answered { installed: true, .. }), "{outcome:?}");
    assert!(world.status().automatic_update);
}

#[test]
fn what_the_server_says_of_the_license_is_the_sentence() {
    let mut world = World::new(PLAN).activated();
    world.run_to("2026-01-15T08:00:00Z");
    world.peer.server().facts.revoked = true;
    world.keeper().check_in_now().unwrap();
    let status = world.status();
    assert_eq!((status.standing, status.last_result), (Standing::Valid, Some(UpdateResult::Revoked)));
    assert_eq!(status.sentence, UpdateResult::Revoked.sentence());
    world.peer.server().facts.revoked = false;
    world.peer.server().extends = false;
    world.run_to("2026-02-05T00:00:00Z");
    let status = world.status();
    assert!(
        status.sentence.contains("The month 2026-01 was reported by this server at 2026-02-03"),
        "{}",
        status.sentence
    );
    assert!(status.sentence.contains("was not submitted, or waits for a review"), "{}", status.sentence);
}

#[test]
fn without_automatic_update_a_new_license_waits_for_a_person() {
    let mut world = World::new(PLAN);
    world.auto_update = false;
    let mut world = world.activated();
    world.run_to("2026-02-05T00:00:00Z");
    assert_eq!(world.status().serial, Some(1), "the report went out, the license stayed");
    assert_eq!(world.peer.server().installations[0].serial, 2);
    let outcome = world.keeper().check_in_now().unwrap();
    assert!(matches!(outcome, tenure_agent::CheckIn::Answered { installed: true, .. }), "{outcome:?}");
    assert_eq!(world.status().serial, Some(2));
    world.keeper().tick().unwrap();
    let server = world.peer.server();
    let shown: tenure_license::CheckInRequest =
        tenure_license::decode_payload(&server.seen.last().unwrap().request.payload).unwrap();
    assert_eq!(shown.lic.unwrap().serial, 2, "the new serial is shown at once");
}
