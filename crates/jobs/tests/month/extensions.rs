//! One more month for a reported one: by whichever way comes first, once, and never taken back.

use tenure_core::{cycle::UsageState, deviation::Flag, reported::NotReported};
use tenure_license::payload::{Outcome, ReportStage};
use tenure_service::Answer;

use crate::world::{World, flags, line, period};

#[tokio::test]
async fn a_flagged_license_waits_for_closed_and_its_neighbor_does_not() {
    let world = World::new().await;
    let mut clean = world.licensed_server("contoso").await;
    let mut odd = world.licensed_server("fabrikam").await;
    world.at("2026-02-01T12:00:00Z").await;
    for server in [&mut clean, &mut odd] {
        world.weeks(server, "2026-01", 40).await;
    }
    world.hosts(&mut clean, "2026-01", 40).await;
    world.hosts(&mut odd, "2026-01", 30).await;
    let month = world.month("2026-01").await;
    assert_eq!(flags(&month, &clean), []);
    let words = flags(&month, &odd)[0].to_string();
    assert_eq!(
        words,
        "135 points against 180 that the product itself counted: 45 below, more than the 20 that pass without a word"
    );
    assert_eq!(world.expires(&mut clean).await, "2026-04-25T00:00:00Z");
    assert_eq!(world.expires(&mut odd).await, "2026-03-25T00:00:00Z");
    world.submit("2026-01").await.expect("a flag does not block a person");
    assert_eq!(world.expires(&mut odd).await, "2026-03-25T00:00:00Z", "it waits for Closed");
    let month = world.month("2026-01").await;
    let waits = month.licenses.iter().find(|one| one.license.id == odd.license).and_then(|one| one.waits_for);
    assert_eq!(waits, Some(NotReported::Flagged));
    world.approve("2026-01").await.expect("approved");
    assert_eq!(world.expires(&mut odd).await, "2026-04-25T00:00:00Z");
    assert_eq!(world.expires(&mut clean).await, "2026-04-25T00:00:00Z", "not twice");
}

#[tokio::test]
async fn f6_a_late_watermark_flags_and_takes_no_extension_back() {
    let world = World::new().await;
    let mut server = world.licensed_server("contoso").await;
    world.at("2026-02-01T12:00:00Z").await;
    world.weeks(&mut server, "2026-01", 9).await;
    world.hosts(&mut server, "2026-01", 9).await;
    assert_eq!(world.expires(&mut server).await, "2026-04-25T00:00:00Z");
    // The last week of January comes now and shows far more: flagged, and extended all the same.
    world.at("2026-02-02T12:00:00Z").await;
    let week = tenure_core::Week::of(period("2026-01").next().first_day().plus(-1));
    let mark = server.watermark(week, &[("host", "", 400)]);
    world.send(&mut server, vec![mark]).await;
    let month = world.month("2026-01").await;
    assert!(matches!(flags(&month, &server)[0], Flag::Below { .. }));
    assert!(month.licenses[0].extended);
    assert_eq!(world.expires(&mut server).await, "2026-04-25T00:00:00Z");
}

#[tokio::test]
async fn a_late_period_still_earns_and_a_gap_stops_the_count() {
    let world = World::new().await;
    let mut server = world.licensed_server("contoso").await;
    world.at("2026-03-01T12:00:00Z").await;
    world.weeks(&mut server, "2026-01", 9).await;
    world.weeks(&mut server, "2026-02", 9).await;
    world.hosts(&mut server, "2026-02", 9).await;
    assert_eq!(world.expires(&mut server).await, "2026-03-25T00:00:00Z", "January is missing");
    world.hosts(&mut server, "2026-01", 9).await;
    assert_eq!(world.expires(&mut server).await, "2026-05-25T00:00:00Z", "filling the gap catches up");
}

#[tokio::test]
async fn an_answer_earns_by_submission_only() {
    let world = World::new().await;
    let mut server = world.licensed_server("contoso").await;
    world.at("2026-02-04T00:00:00Z").await;
    world.weeks(&mut server, "2026-01", 9).await;
    world.answer("2026-01", &server, Answer::Suggested).await.expect("what the weeks reached");
    assert_eq!(line(&world.month("2026-01").await, &server).count, 9);
    assert_eq!(world.expires(&mut server).await, "2026-03-25T00:00:00Z");
    world.submit("2026-01").await.expect("submitted");
    assert_eq!(world.expires(&mut server).await, "2026-04-25T00:00:00Z");
}

#[tokio::test]
async fn a_license_without_a_server_is_reported_by_submitting() {
    let world = World::new().await;
    let license = world.license("contoso", true).await;
    world.at("2026-02-04T00:00:00Z").await;
    let month = world.month("2026-01").await;
    assert_eq!((month.lines.len(), month.lines[0].source), (1, tenure_core::line::Source::NotInstalled));
    assert_eq!(month.licenses[0].waits_for, Some(NotReported::NotInstalled));
    world.submit("2026-01").await.expect("submitted");
    assert!(world.month("2026-01").await.licenses[0].extended);
    let mut server = world.server(license, "late.contoso.example").await;
    assert_eq!(world.expires(&mut server).await, "2026-04-25T00:00:00Z");
}

#[tokio::test]
async fn a_shared_license_waits_for_all_its_servers() {
    let world = World::new().await;
    let license = world.license("contoso", true).await;
    let mut one = world.server(license, "one.contoso.example").await;
    let mut two = world.server(license, "two.contoso.example").await;
    world.at("2026-02-01T12:00:00Z").await;
    for server in [&mut one, &mut two] {
        world.weeks(server, "2026-01", 9).await;
    }
    world.hosts(&mut one, "2026-01", 9).await;
    assert_eq!(world.expires(&mut one).await, "2026-03-25T00:00:00Z");
    world.hosts(&mut two, "2026-01", 4).await;
    let month = world.month("2026-01").await;
    let shared = &month.licenses[0];
    assert_eq!((shared.shared, shared.points.to_string()), (true, "58.5".to_owned()), "13 hosts are summed");
    assert!(flags(&month, &one).iter().all(|flag| matches!(flag, Flag::Below { .. })), "4 against 9 is told");
    assert_eq!(world.state("2026-01").await, UsageState::Collecting);
}

#[tokio::test]
async fn a_month_undecided_for_too_long_counts_as_closed_for_extensions_only() {
    let world = World::new().await;
    let mut server = world.licensed_server("contoso").await;
    world.at("2026-02-01T12:00:00Z").await;
    world.weeks(&mut server, "2026-01", 9).await;
    let report = server.report(period("2026-01"), 1, ReportStage::Final, &[("host", "", 9, 0)]);
    assert_eq!(world.report(&mut server, &report).await, Outcome::Accepted);
    world.submit("2026-01").await.expect("submitted");
    // The week that reaches into February is complete now; a missing one would be a flag, and flagged months wait.
    world.at("2026-02-03T00:00:00Z").await;
    world.weeks(&mut server, "2026-01", 9).await;
    world.at("2026-02-15T23:59:59Z").await;
    assert_eq!(world.messages("usage.presumed_closed").await.len(), 0);
    world.at("2026-02-16T00:00:00Z").await;
    assert_eq!(world.messages("usage.presumed_closed").await.len(), 1);
    assert_eq!(world.messages("usage.decision_overdue").await.len(), 2, "both are told once");
    assert_eq!(world.state("2026-01").await, UsageState::PendingDistributorReview, "it is still not billed");
    world.approve("2026-01").await.expect("it may still be approved");
    assert_eq!(world.expires(&mut server).await, "2026-04-25T00:00:00Z");
}
