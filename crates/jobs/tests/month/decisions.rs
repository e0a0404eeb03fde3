//! Submitting and deciding: what was seen, by whom, and what happens by rule.

use tenure_core::{Points, cycle::UsageState, roles::Role};
use tenure_service::{
    Actor, ActorKind, Approval, LinesTag, Paging, ProblemKind, SubmitInput, approve_month, close_month,
    consent_to_month, reject_month, set_approval_limit, set_approval_rule, set_auto_submit, submit_month,
    view_approval_limit, view_approval_rule, view_month,
};
use tenure_store::{Queue, StoreError};
use tenure_testkit::TestInstallation;

use crate::world::{World, kind, own, points};

/// January with one server of so many hosts, its weeks and its report.
async fn reported(hosts: u32) -> (World, TestInstallation) {
    let world = World::new().await;
    let mut server = world.licensed_server("contoso").await;
    world.at("2026-02-01T12:00:00Z").await;
    world.weeks(&mut server, "2026-01", hosts).await;
    world.hosts(&mut server, "2026-01", hosts).await;
    (world, server)
}

#[tokio::test]
async fn f9_every_decision_names_the_lines_it_means() {
    let (world, server) = reported(9).await;
    world.submit("2026-01").await.expect("submitted");
    let first = world.month("2026-01").await.tag;
    world.reject("2026-01", "One more").await.expect("rejected");
    world.adjust("2026-01", &server, 11, None).await.expect("raised");
    world.monitored("2026-01", 5).await.expect("a manual line");
    world.submit("2026-01").await.expect("again");
    let (which, service) = (world.id("2026-01").await, world.service());
    for refused in [
        approve_month(service, &world.luc, which, first).await.map(|_| ()),
        reject_month(service, &world.luc, which, first, "x".to_owned()).await,
        consent_to_month(service, &world.vendor, which, first).await,
        close_month(service, &world.vendor, which, first, "x".to_owned()).await,
    ] {
        let problem = refused.expect_err("the lines are others").problem();
        assert_eq!(problem.kind, ProblemKind::Changed);
        // The first submission's lines were kept, so both are compared line by line.
        let texts: Vec<&str> = problem.extensions[0]
            .1
            .as_array()
            .expect("changes")
            .iter()
            .filter_map(|change| change["text"].as_str())
            .collect();
        assert_eq!(texts.len(), 2, "{texts:?}");
        assert!(texts.contains(&"backup.contoso.example, host: 9 before, 11 now"), "{texts:?}");
        assert!(texts.contains(&"monitored: 5, which were not there before"), "{texts:?}");
    }
    assert_eq!(world.state("2026-01").await, UsageState::PendingDistributorReview);
    let unheard = LinesTag { hash: [7; 32], seen: service.now() };
    let problem = approve_month(service, &world.luc, which, unheard).await.expect_err("no such lines").problem();
    assert!(problem.extensions[0].1.as_array().is_some_and(|changes| changes.len() == 1), "never without a word");
    world.approve("2026-01").await.expect("with what is there now");
}

#[tokio::test]
async fn f8_nobody_approves_what_they_or_their_organization_submitted() {
    let (world, _server) = reported(9).await;
    world.submit("2026-01").await.expect("submitted");
    let which = world.id("2026-01").await;
    let seen = world.month("2026-01").await.tag;
    // The same person under another hat.
    let mut both = world.luc.clone();
    both.kind = world.ada.kind;
    let refused = approve_month(world.service(), &both, which, seen).await;
    assert_eq!(kind(refused), ProblemKind::OwnSubmission);
    let refused = reject_month(world.service(), &both, which, seen, "no".to_owned()).await;
    assert_eq!(kind(refused), ProblemKind::OwnSubmission);
    // A provider never decides, whoever submitted.
    let other = world.person(world.provider, "bea@northlight.example", Role::ProviderPrimary, None).await;
    assert_eq!(kind(approve_month(world.service(), &other, which, seen).await), ProblemKind::Forbidden);
    world.approve("2026-01").await.expect("somebody else of the distributor");
}

#[tokio::test]
async fn f8_lowered_beyond_the_threshold_needs_the_vendor_who_names_the_lines() {
    let (world, server) = reported(40).await;
    world.adjust("2026-01", &server, 36, Some("four are tests")).await.expect("18 points less");
    assert!(!world.month("2026-01").await.lowered);
    world.adjust("2026-01", &server, 35, Some("five are tests")).await.expect("22.5 points less");
    assert!(world.month("2026-01").await.lowered);
    world.submit("2026-01").await.expect("a person may submit it");
    assert_eq!(kind(world.approve("2026-01").await), ProblemKind::VendorConsentMissing);
    let which = world.id("2026-01").await;
    let seen = world.month("2026-01").await.tag;
    assert_eq!(
        kind(consent_to_month(world.service(), &world.luc, which, seen).await),
        ProblemKind::Forbidden,
        "the vendor's to give"
    );
    consent_to_month(world.service(), &world.vendor, which, seen).await.expect("consented");
    // Consent is for these lines: once they are rejected and changed, it is gone.
    world.reject("2026-01", "say more").await.expect("rejected");
    world.adjust("2026-01", &server, 34, Some("six are tests")).await.expect("27 points less");
    world.submit("2026-01").await.expect("again");
    assert_eq!(kind(world.approve("2026-01").await), ProblemKind::VendorConsentMissing);
    let seen = world.month("2026-01").await.tag;
    consent_to_month(world.service(), &world.vendor, which, seen).await.expect("consented");
    world.approve("2026-01").await.expect("approved");
}

#[tokio::test]
async fn the_distributors_rule_approves_what_is_not_flagged() {
    let (world, _server) = reported(9).await;
    let actor = &world.luc;
    assert_eq!(kind(set_approval_rule(world.service(), &world.ada, true).await), ProblemKind::Forbidden);
    assert_eq!(view_approval_rule(world.service(), actor).await.expect("a rule").on, None);
    set_approval_rule(world.service(), actor, true).await.expect("turned on");
    let rule = view_approval_rule(world.service(), actor).await.expect("a rule").on.expect("it is on");
    assert_eq!(rule.1.name, "luc@lakeside.example");
    world.submit("2026-01").await.expect("submitted");
    assert_eq!(world.state("2026-01").await, UsageState::PendingDistributorReview, "the rule has its own turn");
    world.app.run_jobs().await;
    let month = world.month("2026-01").await;
    assert_eq!(month.head.state, UsageState::Closed);
    assert_eq!(month.head.decided.as_ref().map(|(_, who)| who.name.as_str()), Some("the server"));
    assert!(!world.messages("usage.approved").await.is_empty(), "both are told");
}

#[tokio::test]
async fn many_points_take_two_different_people_and_never_the_rule() {
    let (world, _server) = reported(9).await;
    let service = world.service();
    let admin = world.person(world.distributor, "ida@lakeside.example", Role::DistributorAdministrator, None).await;
    let above = |text: &str| Some(text.parse::<Points>().expect("points"));
    assert_eq!(kind(set_approval_limit(service, &world.luc, above("40")).await), ProblemKind::Forbidden);
    assert_eq!(kind(set_approval_limit(service, &world.ada, above("40")).await), ProblemKind::Forbidden);
    set_approval_limit(service, &admin, above("40")).await.expect("an administrator sets it");
    let limit = view_approval_limit(service, &world.luc).await.expect("it is seen");
    assert_eq!(
        (limit.above, limit.set.map(|(_, who)| who.name)),
        (above("40"), Some("ida@lakeside.example".to_owned()))
    );
    set_approval_rule(service, &world.luc, true).await.expect("turned on");
    world.submit("2026-01").await.expect("submitted");
    world.app.run_jobs().await;
    assert_eq!(world.state("2026-01").await, UsageState::PendingDistributorReview, "40.5 points are above 40");
    let dry = tenure_service::dry_run_rule(service, &world.luc).await.expect("a dry run");
    assert!(dry[0].left.is_some(), "so says the dry run");

    let (which, seen) = (world.id("2026-01").await, world.month("2026-01").await.tag);
    let machine = Actor { kind: ActorKind::Operator, ..world.luc.clone() };
    assert_eq!(kind(approve_month(service, &machine, which, seen).await), ProblemKind::SecondPersonMissing);
    assert_eq!(approve_month(service, &world.luc, which, seen).await.expect("the first"), Approval::First);
    let month = world.month("2026-01").await;
    assert_eq!(month.head.approved_first.map(|(_, who)| who.name), Some("luc@lakeside.example".to_owned()));
    assert_eq!(kind(approve_month(service, &world.luc, which, seen).await), ProblemKind::SecondPersonMissing);
    assert_eq!(world.state("2026-01").await, UsageState::PendingDistributorReview);
    // A rejection takes one person, and the first approval is gone with it.
    world.reject("2026-01", "One more look").await.expect("rejected");
    world.submit("2026-01").await.expect("again");
    let seen = world.month("2026-01").await.tag;
    assert_eq!(approve_month(service, &admin, which, seen).await.expect("the first again"), Approval::First);
    assert_eq!(approve_month(service, &world.luc, which, seen).await.expect("the second"), Approval::Closed);
    assert_eq!(world.state("2026-01").await, UsageState::Closed);
    set_approval_limit(service, &admin, None).await.expect("taken away");
    assert_eq!(view_approval_limit(service, &world.luc).await.expect("it is seen").above, None);
}

#[tokio::test]
async fn the_rule_leaves_flagged_and_lowered_months_to_people() {
    let world = World::new().await;
    let mut server = world.licensed_server("contoso").await;
    set_approval_rule(world.service(), &world.luc, true).await.expect("turned on");
    world.at("2026-02-01T12:00:00Z").await;
    // The weeks are missing.
    world.hosts(&mut server, "2026-01", 9).await;
    world.submit("2026-01").await.expect("submitted");
    world.app.run_jobs().await;
    assert_eq!(world.state("2026-01").await, UsageState::PendingDistributorReview);
    world.approve("2026-01").await.expect("a person may");

    // Turned off, it decides nothing more.
    set_approval_rule(world.service(), &world.luc, false).await.expect("turned off");
    world.at("2026-03-01T12:00:00Z").await;
    world.weeks(&mut server, "2026-02", 9).await;
    world.hosts(&mut server, "2026-02", 9).await;
    world.submit("2026-02").await.expect("submitted");
    world.app.run_jobs().await;
    assert_eq!(world.state("2026-02").await, UsageState::PendingDistributorReview);
}

#[tokio::test]
async fn by_itself_and_by_rule_a_clean_month_needs_nobody() {
    let (world, mut server) = reported(9).await;
    set_approval_rule(world.service(), &world.luc, true).await.expect("turned on");
    set_auto_submit(world.service(), &world.ada, own("2026-01"), true).await.expect("asked for");
    world.at("2026-02-03T00:00:00Z").await;
    world.weeks(&mut server, "2026-01", 9).await;
    world.at("2026-02-05T11:59:59Z").await;
    assert_eq!(world.state("2026-01").await, UsageState::PendingProviderReview);
    world.at("2026-02-05T12:00:00Z").await;
    assert_eq!(world.state("2026-01").await, UsageState::Closed);
    assert_eq!(world.expires(&mut server).await, "2026-04-25T00:00:00Z");
}

#[tokio::test]
async fn t3_on_time_is_what_arrived_in_time() {
    let (world, _server) = reported(9).await;
    let seen = world.month("2026-01").await.tag;
    world.app.clock.set("2026-02-05T23:59:59.900Z");
    // Somebody's transaction is under way while the submission arrives; it commits after midnight.
    let (go, wait) = tokio::sync::oneshot::channel::<()>();
    let (begun, is_begun) = tokio::sync::oneshot::channel::<()>();
    let signals = std::sync::Mutex::new(Some((begun, wait)));
    let slow = world.service().store().write::<_, StoreError, _>(Queue::People, async move |_| {
        let signals = signals.lock().expect("nobody panics").take();
        if let Some((begun, wait)) = signals {
            let _ = begun.send(());
            let _ = wait.await;
        }
        Ok(())
    });
    let input = SubmitInput { seen, purchase_order: None, comment: None };
    let submits = async {
        is_begun.await.expect("it is under way");
        let submit = submit_month(world.service(), &world.ada, own("2026-01"), input);
        let midnight = async {
            tokio::task::yield_now().await;
            world.app.clock.set("2026-02-06T00:00:00.100Z");
            go.send(()).expect("it waits");
        };
        tokio::join!(submit, midnight).0
    };
    let (slow, submitted) = tokio::join!(slow, submits);
    slow.expect("it commits");
    let submitted = submitted.expect("submitted");
    assert_eq!(submitted.at.to_string(), "2026-02-05T23:59:59.9Z");
    world.app.run_jobs().await;
    assert_eq!(world.messages("usage.late").await.len(), 0);
    let missed = tenure_service::list_missed_deadlines(world.service(), &world.luc, &Paging::default()).await;
    assert_eq!(missed.expect("a list").items, [], "it was in time");
}

#[tokio::test]
async fn missed_deadlines_are_listed_until_and_after_they_are_made_up_for() {
    let (world, _server) = reported(9).await;
    let missed = async || {
        let page = tenure_service::list_missed_deadlines(world.service(), &world.luc, &Paging::default()).await;
        page.expect("a list").items
    };
    world.at("2026-02-05T23:59:59Z").await;
    assert_eq!(missed().await, []);
    world.at("2026-02-06T00:00:00Z").await;
    let found = missed().await;
    assert_eq!((found.len(), found[0].submitted, found[0].days_late), (1, None, 1));
    world.at("2026-02-07T10:00:00Z").await;
    world.submit("2026-01").await.expect("late, and taken");
    world.at("2026-02-20T00:00:00Z").await;
    let found = missed().await;
    assert_eq!(
        (found[0].submitted.map(|at| at.to_string()), found[0].days_late),
        (Some("2026-02-07T10:00:00Z".into()), 2)
    );
    assert_eq!(found[0].month.submitted.map(|one| one.reported), Some(points("40.5")));
    let refused = tenure_service::list_missed_deadlines(world.service(), &world.ada, &Paging::default()).await;
    assert_eq!(kind(refused), ProblemKind::Forbidden, "the distributor's list");
    let which = world.id("2026-01").await;
    let stranger = tenure_service::Actor { kind: ActorKind::Operator, ..world.luc.clone() };
    let other = world.organization(tenure_core::roles::OrgKind::Distributor, "Hillside Distribution").await;
    let stranger = tenure_service::Actor { org: other, ..stranger };
    let page = tenure_service::list_missed_deadlines(world.service(), &stranger, &Paging::default()).await;
    assert_eq!(page.expect("a list").items, [], "another distributor's providers do not exist");
    assert_eq!(kind(view_month(world.service(), &stranger, which).await), ProblemKind::NotFound);
}
