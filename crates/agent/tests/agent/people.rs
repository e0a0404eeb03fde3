//! What people do with a report on the product ("The monthly cycle", "Adjustments").

use tenure_agent::AgentError;
use tenure_core::{Clock, Period};
use tenure_license::{Counted, ReportStage, UsageReport};

use crate::world::{World, at};

const PLAN: &[(&str, &str, &str)] =
    &[("a", "2025-11-01", "2027-12-31"), ("b", "2025-11-01", "2027-12-31"), ("c", "2025-11-01", "2027-12-31")];

fn january() -> Period {
    "2026-01".parse().unwrap()
}

fn in_february(hour: &str) -> World {
    let mut world = World::new(PLAN).activated();
    // Signed times are whole seconds, so a product may be a second behind.
    world.run_to(&format!("2026-02-{hour}:00:01Z"));
    world
}

#[test]
fn a_person_sends_the_report_before_its_day() {
    let mut world = in_february("01T23");
    let report = world.keeper().report(january());
    assert_eq!((report.stage, report.revision, report.lines[0].raw), (Some(ReportStage::Preliminary), 1, 3));
    assert!(report.received_at.is_some());
    let ids: Vec<_> = report.workloads.iter().map(|row| row.id.as_str()).collect();
    assert_eq!(ids, ["a", "b", "c"], "on the product, names are shown");
    world.keeper().report_send(january()).unwrap();
    world.keeper().tick().unwrap();
    let report = world.keeper().report(january());
    assert_eq!(
        (report.stage, report.revision, report.received_at),
        (Some(ReportStage::Final), 2, Some(at("2026-02-01T23:00:01Z")))
    );
    assert_eq!(world.status().reported_through, Some(january()));
    assert!(matches!(world.keeper().report_send(january()), Err(AgentError::AlreadyFinal(_))));
    world.run_to("2026-02-10T00:00:00Z");
    assert_eq!(world.peer.reports().len(), 2, "on day 3 there is nothing left to do");
}

#[test]
fn a_report_sent_at_midnight_has_its_last_day() {
    let mut world = in_february("01T00");
    world.keeper().report_send(january()).unwrap();
    world.keeper().tick().unwrap();
    let reports = world.peer.reports();
    assert_eq!(reports[&(january(), 1)].lines[0].daily[30], Some(3));
    // While the collectors fail, a person is told instead of sending half a month.
    let mut world = World::new(PLAN).activated();
    world.run_to("2026-01-30T12:00:00Z");
    *world.workloads.failing.lock().unwrap() = Some("locked".into());
    world.run_to("2026-02-01T06:00:00Z");
    let refused = world.keeper().report_send(january()).unwrap_err().to_string();
    assert_eq!(refused, "counting fails, so the report would lack days: scripted: locked");
}

#[test]
fn the_question_is_put_off_and_the_report_is_not() {
    let mut world = in_february("01T23");
    assert_eq!(world.keeper().report_postpone(january()).unwrap(), at("2026-02-02T00:00:00Z"));
    assert_eq!(world.status().reports[0].postponed_until, Some(at("2026-02-02T00:00:00Z")));
    world.run_to("2026-02-02T10:00:00Z");
    assert_eq!(world.keeper().report_postpone(january()).unwrap(), at("2026-02-03T00:00:00Z"));
    world.run_to("2026-02-03T00:00:01Z");
    assert!(matches!(world.keeper().report_postpone(january()), Err(AgentError::TooLateToPostpone { .. })));
    world.run_to("2026-02-04T00:00:00Z");
    assert_eq!(world.keeper().report(january()).stage, Some(ReportStage::Final));
    assert!(matches!(world.keeper().report_postpone(january()), Err(AgentError::AlreadyFinal(_))));
}

#[test]
fn f4_an_adjusted_report_shows_both_figures() {
    let mut world = in_february("01T23");
    let keeper = world.keeper();
    assert!(matches!(keeper.adjust(january(), "a", None, "test_machine", " "), Err(AgentError::ReasonMissing)));
    assert!(matches!(keeper.adjust(january(), "nobody", None, "x", "y"), Err(AgentError::NotInReport { .. })));
    keeper.adjust(january(), "a", None, "test_machine", "Restored for a drill.").unwrap();
    keeper.adjust(january(), "b", None, "test_machine", "Restored for a drill.").unwrap();
    assert!(
        matches!(keeper.adjust(january(), "a", None, "x", "y"), Err(AgentError::NotInReport { .. })),
        "it is out already"
    );
    keeper.report_send(january()).unwrap();
    keeper.tick().unwrap();
    let sent = |world: &World, revision| -> UsageReport { world.peer.reports()[&(january(), revision)].clone() };
    let report = sent(&world, 2);
    let line = &report.lines[0];
    assert_eq!((line.raw, line.count, line.adjustments.len(), line.adjustments[0].units), (3, 1, 1, 2));
    let rows = world.peer.evidence().remove(0).rows;
    assert_eq!(rows.iter().filter(|row| row.counted == Counted::Adjusted).count(), 2);
    // Taken back: the next revision replaces it.
    world.keeper().reset_adjustments(january()).unwrap();
    world.keeper().report_send(january()).unwrap();
    world.keeper().tick().unwrap();
    let report = sent(&world, 3);
    assert_eq!((report.lines[0].count, report.lines[0].adjustments.len()), (3, 0));
    assert!(report.replaces.is_some());
    assert!(world.truth.now() < at("2026-02-02T00:00:00Z"));
}

#[test]
fn a_month_that_is_not_over_or_was_not_counted_is_not_sent() {
    let mut world = in_february("05T00");
    let send = |world: &mut World, month: &str| world.keeper().report_send(month.parse().unwrap());
    assert!(matches!(send(&mut world, "2026-02"), Err(AgentError::NotOver(_))));
    assert!(matches!(send(&mut world, "2025-12"), Err(AgentError::NothingCounted(_))));
    let mut fresh = World::new(PLAN);
    fresh.open().unwrap();
    assert!(matches!(send(&mut fresh, "2025-12"), Err(AgentError::NotActivated)));
    assert!(matches!(fresh.keeper().check_in_now(), Err(AgentError::NotActivated)));
}
