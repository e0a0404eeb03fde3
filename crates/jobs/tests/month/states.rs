//! Every state and every way between them.

use tenure_core::{
    cycle::{Blocker, UsageState},
    line::Source,
};
use tenure_license::payload::{Outcome, Receipt, ReceiptSubject, ReportStage};
use tenure_service::{
    ActionKind, Answer, ProblemKind, SubmitInput, approve_month, close_month, my_actions, reject_month, start_review,
    submit_month, view_month, view_receipt,
};

use crate::world::{World, kind, line, own, period, points, source};

#[tokio::test]
async fn a_month_is_opened_collected_reviewed_submitted_and_closed() {
    let world = World::new().await;
    let mut server = world.licensed_server("contoso").await;
    assert_eq!(world.expires(&mut server).await, "2026-03-25T00:00:00Z", "two months and 15 days");

    // On the 1st it is opened, and the server's report is awaited.
    world.at("2026-02-01T00:00:00Z").await;
    let month = world.month("2026-01").await;
    assert_eq!(month.head.state, UsageState::Collecting);
    assert_eq!(month.head.due.to_string(), "2026-02-06T00:00:00Z");
    assert_eq!(source(&month, &server), Source::Awaited);
    assert_eq!(month.blockers, [Blocker::Awaited(1)]);
    let actions = my_actions(world.service(), &world.ada).await.expect("actions");
    assert_eq!((actions.items[0].kind, actions.items[0].by), (ActionKind::Review, month.head.due));

    // A preliminary report fills it and earns nothing.
    world.at("2026-02-01T12:00:00Z").await;
    world.weeks(&mut server, "2026-01", 9).await;
    let preliminary = server.report(period("2026-01"), 1, ReportStage::Preliminary, &[("host", "", 9, 6)]);
    assert_eq!(world.report(&mut server, &preliminary).await, Outcome::Accepted);
    let month = world.month("2026-01").await;
    let host = line(&month, &server);
    assert_eq!((host.source, host.count, host.new, host.points), (Source::Preliminary, 9, 6, points("40.5")));
    assert_eq!((host.licensed, host.weight.map(|weight| weight.to_string())), (Some(12), Some("4.5".to_owned())));
    assert_eq!(month.blockers, []);
    assert_eq!(world.expires(&mut server).await, "2026-03-25T00:00:00Z", "preliminary earns nothing");

    // What was not sent by hand becomes final by itself, and a product's own final report earns the month.
    world.at("2026-02-04T00:00:00Z").await;
    let month = world.month("2026-01").await;
    assert_eq!((month.head.state, source(&month, &server)), (UsageState::PendingProviderReview, Source::Automatic));
    assert_eq!(world.expires(&mut server).await, "2026-04-25T00:00:00Z", "the product's own word earns one month");

    // Submitted with what was seen; signed; once.
    world.monitored("2026-01", 5).await.expect("a manual line");
    let seen = world.month("2026-01").await;
    assert_eq!((seen.totals.reported, seen.totals.total, seen.totals.free), (points("50.5"), points("0"), true));
    let submitted = world.submit("2026-01").await.expect("it is submitted");
    assert_eq!((submitted.number, submitted.lines_hash), (1, seen.tag.hash));
    let receipt = view_receipt(world.service(), &world.ada, own("2026-01"), None).await.expect("a receipt");
    let verified =
        world.app.root().verify_receipt_role::<Receipt>(&receipt.envelope).expect("it verifies").into_inner();
    assert_eq!(verified.hash.as_bytes(), &seen.tag.hash);
    let ReceiptSubject::Submission { number, reported, period, .. } = verified.subject else { panic!("a submission") };
    assert_eq!((number, reported, period.to_string()), (1, points("50.5"), "2026-01".to_owned()));
    assert_eq!(world.expires(&mut server).await, "2026-04-25T00:00:00Z", "nothing extends twice");

    // The distributor finds it in its queue and approves it.
    let queue = my_actions(world.service(), &world.luc).await.expect("a queue");
    assert_eq!(queue.items.len(), 1);
    assert_eq!(
        (queue.items[0].kind, queue.items[0].by.to_string()),
        (ActionKind::Decide, "2026-02-11T00:00:00Z".into())
    );
    world.approve("2026-01").await.expect("it is approved");
    let month = world.month("2026-01").await;
    assert_eq!((month.head.state, month.tag.hash), (UsageState::Closed, seen.tag.hash));
    assert_eq!(world.expires(&mut server).await, "2026-04-25T00:00:00Z");
    assert_eq!(my_actions(world.service(), &world.luc).await.expect("a queue").items, []);
}

#[tokio::test]
async fn x1_the_same_submission_again_changes_nothing() {
    let world = World::new().await;
    let mut server = world.licensed_server("contoso").await;
    world.at("2026-02-01T12:00:00Z").await;
    world.hosts(&mut server, "2026-01", 9).await;
    let input = SubmitInput { seen: world.month("2026-01").await.tag, purchase_order: None, comment: None };
    let once = submit_month(world.service(), &world.ada, own("2026-01"), input.clone()).await.expect("submitted");
    world.app.clock.advance_secs(60);
    let twice = submit_month(world.service(), &world.ada, own("2026-01"), input).await.expect("the same answer");
    assert_eq!(once, twice);
    world.approve("2026-01").await.expect("it is approved");
    let closed = world.month("2026-01").await;
    world.app.clock.advance_secs(60);
    let again = approve_month(world.service(), &world.luc, world.id("2026-01").await, closed.tag).await;
    assert!(again.is_ok(), "who approved it may say so again");
    assert_eq!(world.month("2026-01").await.head.closed, closed.head.closed);
}

#[tokio::test]
async fn nothing_is_submitted_while_something_is_open() {
    let world = World::new().await;
    let mut first = world.licensed_server("contoso").await;
    let second = world.licensed_server("fabrikam").await;
    world.at("2026-02-01T12:00:00Z").await;
    world.hosts(&mut first, "2026-01", 9).await;
    assert_eq!(kind(world.submit("2026-01").await), ProblemKind::MonthBlocked, "one is awaited");
    world.at("2026-02-04T00:00:00Z").await;
    let month = world.month("2026-01").await;
    assert_eq!((source(&month, &second), month.blockers.as_slice()), (Source::Missing, &[Blocker::Missing(1)][..]));
    let refused = world.submit("2026-01").await.expect_err("one is missing").problem();
    assert_eq!(refused.detail, "1 installation is missing");
    assert_eq!(refused.extensions[0].1, serde_json::json!([{"kind": "missing", "count": 1}]));

    // Missing is never zero by itself: a person says it.
    world.answer("2026-01", &second, Answer::Zero).await.expect("an answer");
    let month = world.month("2026-01").await;
    assert_eq!((source(&month, &second), line(&month, &second).count), (Source::Answered, 0));
    assert_eq!(line(&month, &second).by.as_ref().map(|(_, who)| who.name.as_str()), Some("ada@northlight.example"));
    world.submit("2026-01").await.expect("it is submitted");
}

#[tokio::test]
async fn f9_what_changed_is_told_line_by_line_and_not_submitted() {
    let world = World::new().await;
    let mut server = world.licensed_server("contoso").await;
    world.at("2026-02-01T12:00:00Z").await;
    world.hosts(&mut server, "2026-01", 9).await;
    let seen = world.month("2026-01").await.tag;
    world.app.clock.advance_secs(60);
    world.monitored("2026-01", 5).await.expect("a manual line");
    let mut newer = server.report(period("2026-01"), 2, ReportStage::Final, &[("host", "", 10, 0)]);
    newer.replaces = Some(first_hash(&server));
    assert_eq!(world.report(&mut server, &newer).await, Outcome::Accepted);
    let input = SubmitInput { seen, purchase_order: None, comment: None };
    let refused =
        submit_month(world.service(), &world.ada, own("2026-01"), input).await.expect_err("changed").problem();
    assert_eq!(refused.kind, ProblemKind::Changed);
    let changes = &refused.extensions[0].1;
    let text = |at: usize| changes[at]["text"].as_str().unwrap_or_default().to_owned();
    assert_eq!(text(0), "monitored: 5, which were not there before; added by hand by ada@northlight.example");
    assert_eq!(text(1), "backup.contoso.example, host: 9 before, 10 now; revision 2 of its report arrived");
    let host = (&changes[1]["installation"], &changes[1]["before"], &changes[1]["after"]);
    assert_eq!(host, (&serde_json::json!(server.ins), &serde_json::json!(9), &serde_json::json!(10)));
    assert_eq!(world.state("2026-01").await, UsageState::PendingProviderReview);
    world.submit("2026-01").await.expect("with what is there now");
}

fn first_hash(server: &tenure_testkit::TestInstallation) -> tenure_license::Hash {
    let first = server.report(period("2026-01"), 1, ReportStage::Final, &[("host", "", 9, 0)]);
    server.sign_report(&first).hash()
}

#[tokio::test]
async fn a_rejected_month_is_corrected_and_submitted_again() {
    let world = World::new().await;
    let mut server = world.licensed_server("contoso").await;
    world.at("2026-02-01T12:00:00Z").await;
    world.hosts(&mut server, "2026-01", 9).await;
    world.submit("2026-01").await.expect("submitted");
    assert_eq!(kind(world.monitored("2026-01", 1).await), ProblemKind::MonthState, "it is with the distributor");
    assert_eq!(kind(world.reject("2026-01", "  ").await), ProblemKind::InvalidInput, "a reason is required");
    world.reject("2026-01", "Where is the monitoring?").await.expect("rejected");
    let month = world.month("2026-01").await;
    assert_eq!((month.head.state, month.head.reason.as_str()), (UsageState::Rejected, "Where is the monitoring?"));
    let actions = my_actions(world.service(), &world.ada).await.expect("actions");
    assert_eq!(
        (actions.items[0].kind, actions.items[0].by.to_string()),
        (ActionKind::Resubmit, "2026-02-06T12:00:00Z".into())
    );
    world.monitored("2026-01", 5).await.expect("it is open again");
    assert_eq!(world.submit("2026-01").await.expect("again").number, 2);
    let first = view_receipt(world.service(), &world.ada, own("2026-01"), Some(1)).await.expect("kept for ever");
    assert_ne!(first.receipt.hash.as_bytes(), &world.month("2026-01").await.tag.hash);
    world.approve("2026-01").await.expect("approved");
    assert_eq!(world.state("2026-01").await, UsageState::Closed);
}

#[tokio::test]
async fn nothing_leaves_closed_and_no_step_skips_another() {
    let world = World::new().await;
    let mut server = world.licensed_server("contoso").await;
    world.at("2026-02-01T12:00:00Z").await;
    world.hosts(&mut server, "2026-01", 9).await;
    let which = world.id("2026-01").await;
    let seen = world.month("2026-01").await.tag;
    assert_eq!(kind(approve_month(world.service(), &world.luc, which, seen).await), ProblemKind::MonthState);
    assert_eq!(kind(world.reject("2026-01", "no").await), ProblemKind::MonthState, "it is not submitted");
    start_review(world.service(), &world.ada, own("2026-01")).await.expect("a person starts the review");
    assert_eq!(kind(start_review(world.service(), &world.ada, own("2026-01")).await), ProblemKind::MonthState);
    world.submit("2026-01").await.expect("submitted");
    world.approve("2026-01").await.expect("approved");
    for refused in [
        world.monitored("2026-01", 1).await.map(|_| ()),
        world.answer("2026-01", &server, Answer::Zero).await,
        world.adjust("2026-01", &server, 20, None).await,
        world.submit("2026-01").await.map(|_| ()),
        reject_month(world.service(), &world.luc, which, seen, "late".to_owned()).await,
        close_month(world.service(), &world.vendor, which, seen, "again".to_owned()).await,
    ] {
        assert_eq!(kind(refused), ProblemKind::MonthState);
    }
    assert_eq!(world.state("2026-01").await, UsageState::Closed);
}

#[tokio::test]
async fn the_vendor_closes_what_nobody_submits() {
    let world = World::new().await;
    let mut server = world.licensed_server("contoso").await;
    let silent = world.licensed_server("fabrikam").await;
    world.at("2026-02-01T12:00:00Z").await;
    world.weeks(&mut server, "2026-01", 9).await;
    world.hosts(&mut server, "2026-01", 9).await;
    world.at("2026-02-20T00:00:00Z").await;
    let which = world.id("2026-01").await;
    let close =
        async |seen, reason: &str| close_month(world.service(), &world.vendor, which, seen, reason.to_owned()).await;
    let seen = view_month(world.service(), &world.vendor, which).await.expect("the vendor sees it").tag;
    assert_eq!(kind(close(seen, "").await), ProblemKind::InvalidInput, "a reason is required");
    let other = tenure_service::LinesTag { hash: [7; 32], seen: seen.seen };
    assert_eq!(kind(close(other, "The provider is gone").await), ProblemKind::Changed);
    close(seen, "The provider is gone").await.expect("closed");
    let month = world.month("2026-01").await;
    assert_eq!((month.head.state, month.head.reason.as_str()), (UsageState::Closed, "The provider is gone"));
    assert_eq!(month.head.submitted.as_ref().map(|one| (one.number, one.org)), Some((1, world.app.vendor)));
    let silent = month.licenses.iter().find(|one| one.license.id == silent.license).expect("the silent license");
    assert!(!silent.extended, "who is not accounted for earns nothing by closing");
}
