//! Figures that fit badly to what the products said: flagged on every change, before anybody submits.

use tenure_core::{Day, Week, cycle::Blocker, deviation::Flag, reported::NotReported};
use tenure_license::{
    DailyHead, Hash, Watermark, WatermarkLine,
    payload::{Outcome, ReportAdjustment, ReportStage},
    sign,
};
use tenure_service::{Answer, add_manual_line};
use tenure_testkit::TestInstallation;

use crate::world::{World, flags, line, own, period, points};

async fn reported(hosts: u32) -> (World, TestInstallation) {
    let world = World::new().await;
    let mut server = world.licensed_server("contoso").await;
    world.at("2026-02-01T12:00:00Z").await;
    world.weeks(&mut server, "2026-01", hosts).await;
    world.hosts(&mut server, "2026-01", hosts).await;
    (world, server)
}

/// Checks in with the head of a day.
async fn commit(world: &World, server: &mut TestInstallation, day: &str, head: u8) {
    let mut request = server.request(&*world.app.rng, world.service().now(), &[]);
    request.daily = Some(DailyHead { day: day.parse().expect("a day"), head: Hash::from_bytes([head; 32]) });
    let body = server.exchange(&request, Vec::new());
    let answer = TestInstallation::post(&world.app, &body).await.expect(200);
    server.absorb(&world.app, &body, &answer);
}

#[tokio::test]
async fn f3_a_figure_lowered_after_its_report_is_flagged_at_once() {
    let (world, server) = reported(40).await;
    assert_eq!(flags(&world.month("2026-01").await, &server), []);
    world.adjust("2026-01", &server, 36, Some("four are tests")).await.expect("18 points less");
    assert_eq!(flags(&world.month("2026-01").await, &server), [], "20 points pass without a word");
    world.adjust("2026-01", &server, 30, Some("ten are tests")).await.expect("45 points less");
    let month = world.month("2026-01").await;
    let Flag::Below { submitted, highest, .. } = &flags(&month, &server)[0] else { panic!("it is below") };
    assert_eq!((*submitted, *highest), (points("135"), points("180")), "both figures are told");
    // Putting it back takes the flag away.
    tenure_service::reset_figure(world.service(), &world.ada, own("2026-01"), crate::world::figure(&server))
        .await
        .expect("reset");
    assert_eq!(flags(&world.month("2026-01").await, &server), []);
    assert!(!world.month("2026-01").await.lowered);
}

#[tokio::test]
async fn f3_an_answer_against_a_report_is_compared_with_it() {
    let (world, mut server) = reported(40).await;
    // Another document claims its place, and a person answers with far less.
    let fork = server.report(period("2026-01"), 1, ReportStage::Final, &[("host", "", 41, 0)]);
    assert_eq!(world.report(&mut server, &fork).await, Outcome::Conflict);
    world.answer("2026-01", &server, Answer::Zero).await.expect("answered");
    let month = world.month("2026-01").await;
    assert!(matches!(flags(&month, &server)[0], Flag::Below { .. }), "{:?}", flags(&month, &server));
    assert!(month.lowered, "the vendor has to consent to a report that is answered away");
}

#[tokio::test]
async fn f3_a_manual_line_instead_of_a_report_is_compared_with_it() {
    let world = World::new().await;
    let license = world.license("contoso", false).await;
    let mut server = world.server(license, "hand.contoso.example").await;
    world.at("2026-02-04T00:00:00Z").await;
    world.hosts(&mut server, "2026-01", 40).await;
    let mut manual = world.manual("file-backup", "host", 10).await;
    manual.license = Some(license);
    add_manual_line(world.service(), &world.ada, own("2026-01"), manual, None).await.expect("a line");
    let month = world.month("2026-01").await;
    assert_eq!(month.totals.reported, points("45"), "the person's line counts");
    assert!(matches!(flags(&month, &server)[0], Flag::Below { .. }), "{:?}", flags(&month, &server));
    assert!(month.lowered);
}

#[tokio::test]
async fn f4_what_was_taken_out_on_the_product_is_shown_and_compared() {
    let world = World::new().await;
    let mut server = world.licensed_server("contoso").await;
    world.at("2026-02-01T12:00:00Z").await;
    world.weeks(&mut server, "2026-01", 30).await;
    let mut report = server.report(period("2026-01"), 1, ReportStage::Final, &[("host", "", 30, 0)]);
    report.lines[0].raw = 40;
    report.lines[0].adjustments =
        vec![ReportAdjustment { units: 10, reason: "test_demo".to_owned(), note: "a lab".to_owned() }];
    assert_eq!(world.report(&mut server, &report).await, Outcome::Accepted);
    let month = world.month("2026-01").await;
    let host = line(&month, &server);
    assert_eq!((host.raw, host.reported, host.count), (Some(40), Some(30), 30));
    assert_eq!((host.taken_out[0].units, host.taken_out[0].note.as_str()), (10, "a lab"));
    let Flag::Below { highest, .. } = &flags(&month, &server)[0] else { panic!("it is below") };
    assert_eq!(*highest, points("180"), "the raw figure, though its weeks say 30");
    assert!(month.lowered);
    assert_eq!(world.expires(&mut server).await, "2026-03-25T00:00:00Z", "it is not the product's own untouched word");
}

#[tokio::test]
async fn f5_missing_weeks_are_flagged_and_a_week_splits_between_two_months() {
    let world = World::new().await;
    let mut server = world.licensed_server("contoso").await;
    world.at("2026-02-01T12:00:00Z").await;
    world.hosts(&mut server, "2026-01", 9).await;
    let month = world.month("2026-01").await;
    let Flag::MissingWeeks { weeks } = &flags(&month, &server)[0] else { panic!("weeks are missing") };
    let names: Vec<String> = weeks.iter().map(ToString::to_string).collect();
    assert_eq!(names, ["2026-W02", "2026-W03"], "from the activation on; the newest may still be sent");
    assert_eq!(world.expires(&mut server).await, "2026-03-25T00:00:00Z", "flagged like a deviation");
    world.weeks(&mut server, "2026-01", 9).await;
    assert_eq!(flags(&world.month("2026-01").await, &server), []);
    assert_eq!(world.expires(&mut server).await, "2026-04-25T00:00:00Z", "the weeks were the last thing missing");

    // Week 9 has 23 to 28 February and 1 March: its high day belongs to March alone.
    world.at("2026-03-03T12:00:00Z").await;
    let mut daily = vec![Some(9); 6];
    daily.push(Some(90));
    let across: Week = "2026-W09".parse().expect("a week");
    let mark = Watermark {
        v: 1,
        aud: server.aud,
        ins: server.ins,
        license: server.license,
        week: across,
        lines: vec![WatermarkLine { workload: "host".to_owned(), variant: String::new(), daily }],
        crit: Vec::new(),
    };
    let mut marks = vec![sign(&mark, &[&server.key]).into_envelope()];
    let mut week = Week::of(period("2026-02").first_day());
    while week < across {
        marks.push(server.watermark(week, &[("host", "", 9)]));
        week = week.next();
    }
    world.send(&mut server, marks).await;
    world.hosts(&mut server, "2026-02", 9).await;
    assert_eq!(flags(&world.month("2026-02").await, &server), [], "90 hosts were on 1 March");
}

#[tokio::test]
async fn f7_a_history_that_lacks_a_committed_day_differs() {
    let world = World::new().await;
    let mut server = world.licensed_server("contoso").await;
    commit(&world, &mut server, "2026-01-10", 1).await;
    world.at("2026-01-20T12:00:00Z").await;
    commit(&world, &mut server, "2026-01-19", 2).await;
    world.at("2026-02-01T12:00:00Z").await;
    world.weeks(&mut server, "2026-01", 9).await;
    let head =
        |day: &str, head: u8| DailyHead { day: day.parse::<Day>().expect("a day"), head: Hash::from_bytes([head; 32]) };
    let mut report = server.report(period("2026-01"), 1, ReportStage::Final, &[("host", "", 9, 0)]);
    report.heads = vec![head("2026-01-10", 1), head("2026-01-19", 3)];
    assert_eq!(world.report(&mut server, &report).await, Outcome::Accepted, "it is taken, and flagged");
    let month = world.month("2026-01").await;
    assert_eq!(flags(&month, &server), [Flag::HistoryDiffers]);
    let words = flags(&month, &server)[0].to_string();
    assert_eq!(words, "the report's daily history is not the one its check-ins committed to");
    assert_eq!(month.licenses[0].waits_for, Some(NotReported::Flagged));
    assert_eq!(world.expires(&mut server).await, "2026-03-25T00:00:00Z");

    // The next revision tells the history that was committed.
    let mut honest = server.report(period("2026-01"), 2, ReportStage::Final, &[("host", "", 9, 0)]);
    honest.heads = vec![head("2026-01-10", 1), head("2026-01-19", 2)];
    honest.replaces = Some(server.sign_report(&report).hash());
    assert_eq!(world.report(&mut server, &honest).await, Outcome::Accepted);
    assert_eq!(flags(&world.month("2026-01").await, &server), []);
    assert_eq!(world.expires(&mut server).await, "2026-04-25T00:00:00Z");

    // A check-in that commits to another past afterwards: a machine that was set back.
    commit(&world, &mut server, "2026-01-31", 9).await;
    let month = world.month("2026-01").await;
    assert_eq!(flags(&month, &server), [Flag::HistoryDiffers], "the report does not hold that day");
    assert!(month.licenses[0].extended, "what was earned stays");
}

#[tokio::test]
async fn x2_a_contest_before_the_grant_blocks_it_and_after_it_takes_nothing() {
    let world = World::new().await;
    let mut before = world.licensed_server("contoso").await;
    let mut after = world.licensed_server("fabrikam").await;
    world.at("2026-02-01T12:00:00Z").await;
    for server in [&mut before, &mut after] {
        world.weeks(server, "2026-01", 9).await;
    }
    // Preliminary, so that nothing is earned yet; then another document under the same identity.
    let first = before.report(period("2026-01"), 1, ReportStage::Preliminary, &[("host", "", 9, 0)]);
    assert_eq!(world.report(&mut before, &first).await, Outcome::Accepted);
    let fork = before.report(period("2026-01"), 1, ReportStage::Final, &[("host", "", 9, 0)]);
    assert_eq!(world.report(&mut before, &fork).await, Outcome::Conflict);
    world.hosts(&mut after, "2026-01", 9).await;
    let fork = after.report(period("2026-01"), 1, ReportStage::Final, &[("host", "", 8, 0)]);
    assert_eq!(world.report(&mut after, &fork).await, Outcome::Conflict);
    world.at("2026-02-04T00:00:00Z").await;
    assert_eq!(world.expires(&mut before).await, "2026-03-25T00:00:00Z", "contested before the grant");
    assert_eq!(world.expires(&mut after).await, "2026-04-25T00:00:00Z", "granted before the contest");
    let month = world.month("2026-01").await;
    assert!(month.licenses.iter().all(|one| one.contested));
    assert_eq!(month.blockers, Vec::<Blocker>::new(), "a person may submit it");
}

#[tokio::test]
async fn x9_conflicts_of_one_identity_are_bounded() {
    let (world, mut server) = reported(9).await;
    let mut outcomes = Vec::new();
    for hosts in 10..20 {
        let fork = server.report(period("2026-01"), 1, ReportStage::Final, &[("host", "", hosts, 0)]);
        outcomes.push(world.report(&mut server, &fork).await);
    }
    let kept = outcomes.iter().filter(|outcome| **outcome == Outcome::Conflict).count();
    assert_eq!((kept, outcomes[7..].to_vec()), (7, vec![Outcome::Invalid; 3]), "the first and seven others");
    assert_eq!(line(&world.month("2026-01").await, &server).count, 9, "the first one counts");
}
