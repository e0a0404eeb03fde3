//! Usage of a closed month: late data, and what a person says afterwards.

use tenure_core::{adjust::ReasonCode, cycle::UsageState, line::Source, roles::Role};
use tenure_license::payload::{Outcome, ReportStage, UsageReport};
use tenure_service::{
    Correction, CorrectionOrigin, LicenseKey, NewCorrection, NewManualLine, ProblemKind, add_correction,
    add_manual_line, close_month, consent_to_month, list_corrections, remove_correction, set_shadow_month, view_month,
};
use tenure_testkit::TestInstallation;

use crate::world::{Result, World, corrections, kind, line, own, period, points};

/// January with one server of so many hosts, submitted and approved.
async fn closed_january(hosts: u32) -> (World, TestInstallation) {
    let world = World::new().await;
    let mut server = world.licensed_server("contoso").await;
    world.at("2026-02-01T12:00:00Z").await;
    world.weeks(&mut server, "2026-01", hosts).await;
    world.hosts(&mut server, "2026-01", hosts).await;
    world.submit("2026-01").await.expect("submitted");
    world.approve("2026-01").await.expect("approved");
    (world, server)
}

async fn list(world: &World) -> Vec<Correction> {
    list_corrections(world.service(), &world.ada, None, None).await.expect("a list")
}

fn hosts(world_product: tenure_core::ProductId, server: &TestInstallation, delta: i64) -> NewCorrection {
    NewCorrection {
        product: world_product,
        workload: "host".to_owned(),
        variant: String::new(),
        delta,
        license: Some(server.license),
        company: None,
        reason: (delta < 0).then_some(ReasonCode::MeteringError),
        note: "The host list of the audit says so.".to_owned(),
    }
}

async fn by_hand(world: &World, server: &TestInstallation, delta: i64) -> Result<tenure_service::EnteredCorrection> {
    let input = hosts(world.product("file-backup").await, server, delta);
    add_correction(world.service(), &world.ada, own("2026-01"), input, None).await
}

#[tokio::test]
async fn x5_late_data_of_a_closed_month_is_a_line_of_the_next_open_one() {
    let (world, mut server) = closed_january(9).await;
    let closed = world.month("2026-01").await;
    assert_eq!(world.revise(&mut server, "2026-01", (1, 9), 12).await, Outcome::Late);
    assert_eq!(world.month("2026-01").await.tag.hash, closed.tag.hash, "closed is closed");
    let listed = list(&world).await;
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].of, listed[0].billed_in, listed[0].delta), (period("2026-01"), period("2026-02"), 3));
    assert_eq!((listed[0].state, listed[0].points), (None, points("13.5")), "February is not open yet");
    assert!(matches!(listed[0].origin, CorrectionOrigin::Report { installation, .. } if installation == server.ins));

    // The same bytes again add nothing, and a further revision only what it says more.
    assert_eq!(world.revise(&mut server, "2026-01", (1, 9), 12).await, Outcome::Repeated);
    let january =
        |revision, hosts| server.report(period("2026-01"), revision, ReportStage::Final, &[("host", "", hosts, 0)]);
    let first = server.sign_report(&january(1, 9)).hash();
    let second = UsageReport { replaces: Some(first), ..january(2, 12) };
    let third = UsageReport { replaces: Some(server.sign_report(&second).hash()), ..january(3, 10) };
    assert_eq!(world.report(&mut server, &third).await, Outcome::Late);
    let deltas: Vec<i64> = list(&world).await.iter().map(|one| one.delta).collect();
    assert_eq!(deltas.iter().sum::<i64>(), 1, "{deltas:?}");

    // February shows them beside its own lines, outside its deviation, and is signed with them.
    world.at("2026-03-01T12:00:00Z").await;
    world.weeks(&mut server, "2026-02", 9).await;
    world.hosts(&mut server, "2026-02", 9).await;
    let month = world.month("2026-02").await;
    let mut found = corrections(&month);
    found.sort();
    assert_eq!(found, [("2026-01".to_owned(), -2, "-9".to_owned()), ("2026-01".to_owned(), 3, "13.5".to_owned())]);
    assert_eq!(month.totals.reported, points("45"), "40.5 of its own and 4.5 of January");
    assert!(month.licenses.iter().all(|one| one.flags.is_empty()), "a correction is no deviation");
    world.submit("2026-02").await.expect("submitted");
    world.approve("2026-02").await.expect("approved");
    assert_eq!(world.month("2026-02").await.totals.reported, points("45"));
}

/// What the product sends by itself after a person was done says the same as before: nothing was decided anew.
#[tokio::test]
async fn what_was_lowered_and_approved_is_not_taken_back_by_an_unchanged_report() {
    let world = World::new().await;
    let mut server = world.licensed_server("contoso").await;
    world.at("2026-02-01T12:00:00Z").await;
    world.weeks(&mut server, "2026-01", 10).await;
    world.hosts(&mut server, "2026-01", 10).await;
    world.adjust("2026-01", &server, 8, Some("Two were test hosts.")).await.expect("lowered");
    world.submit("2026-01").await.expect("submitted");
    assert_eq!(world.revise(&mut server, "2026-01", (1, 10), 10).await, Outcome::Late);
    world.approve("2026-01").await.expect("approved");
    assert_eq!(line(&world.month("2026-01").await, &server).count, 8);
    assert!(list(&world).await.is_empty(), "{:?}", list(&world).await);

    // What it says more than then is later data.
    let january =
        |revision, hosts| server.report(period("2026-01"), revision, ReportStage::Final, &[("host", "", hosts, 0)]);
    let first = server.sign_report(&january(1, 10)).hash();
    let second = UsageReport { replaces: Some(first), ..january(2, 10) };
    let third = UsageReport { replaces: Some(server.sign_report(&second).hash()), ..january(3, 11) };
    assert_eq!(world.report(&mut server, &third).await, Outcome::Late);
    assert_eq!(list(&world).await.iter().map(|one| one.delta).collect::<Vec<_>>(), [1]);
}

#[tokio::test]
async fn what_is_collected_beside_a_manual_figure_is_not_billed_later() {
    let world = World::new().await;
    let license = world.license("contoso", false).await;
    let mut server = world.server(license, "bkp-01").await;
    let key = LicenseKey::License(license);
    set_shadow_month(world.service(), &world.ada, key, true).await.expect("a shadow month");
    world.send(&mut server, Vec::new()).await;
    world.at("2026-03-01T12:00:00Z").await;
    let line = NewManualLine { license: Some(license), ..world.manual("file-backup", "host", 4).await };
    add_manual_line(world.service(), &world.ada, own("2026-02"), line, None).await.expect("a manual line");
    world.submit("2026-02").await.expect("submitted");
    let late = server.report(period("2026-02"), 1, ReportStage::Final, &[("host", "", 7, 0)]);
    assert_eq!(world.report(&mut server, &late).await, Outcome::Late);
    world.approve("2026-02").await.expect("approved");
    assert!(list(&world).await.is_empty(), "{:?}", list(&world).await);
    let more = UsageReport {
        replaces: Some(server.sign_report(&late).hash()),
        ..server.report(period("2026-02"), 2, ReportStage::Final, &[("host", "", 9, 0)])
    };
    assert_eq!(world.report(&mut server, &more).await, Outcome::Late);
    assert!(list(&world).await.is_empty(), "the manual figure counts");
}

#[tokio::test]
async fn a_correction_skips_months_that_are_submitted() {
    let (world, mut server) = closed_january(9).await;
    world.at("2026-03-01T12:00:00Z").await;
    world.weeks(&mut server, "2026-02", 9).await;
    world.hosts(&mut server, "2026-02", 9).await;
    world.submit("2026-02").await.expect("submitted");
    assert_eq!(world.revise(&mut server, "2026-01", (1, 9), 10).await, Outcome::Late);
    assert_eq!(list(&world).await[0].billed_in, period("2026-03"));
    assert!(corrections(&world.month("2026-02").await).is_empty());
}

#[tokio::test]
async fn x4_what_comes_while_the_distributor_decides_is_kept() {
    for approves in [true, false] {
        let world = World::new().await;
        let mut server = world.licensed_server("contoso").await;
        world.at("2026-02-01T12:00:00Z").await;
        world.weeks(&mut server, "2026-01", 9).await;
        world.hosts(&mut server, "2026-01", 9).await;
        world.submit("2026-01").await.expect("submitted");
        let submitted = world.month("2026-01").await;
        assert_eq!(world.revise(&mut server, "2026-01", (1, 9), 12).await, Outcome::Late);
        let month = world.month("2026-01").await;
        assert_eq!((month.tag.hash, line(&month, &server).count), (submitted.tag.hash, 9), "never a replacement");
        assert!(list(&world).await.is_empty());
        if approves {
            world.approve("2026-01").await.expect("approved");
            assert_eq!(list(&world).await[0].delta, 3, "closed: a line of the next month");
            assert_eq!(line(&world.month("2026-01").await, &server).count, 9);
        } else {
            world.reject("2026-01", "Look again").await.expect("rejected");
            let month = world.month("2026-01").await;
            assert_eq!(line(&month, &server).count, 12, "open again: it takes its place");
            assert!(list(&world).await.is_empty());
            assert_eq!(world.submit("2026-01").await.expect("again").reported, points("54"));
        }
    }
}

#[tokio::test]
async fn what_a_month_cannot_take_is_carried_on() {
    let (world, mut server) = closed_january(40).await;
    assert_eq!(world.revise(&mut server, "2026-01", (1, 40), 10).await, Outcome::Late);
    world.at("2026-03-01T12:00:00Z").await;
    world.weeks(&mut server, "2026-02", 9).await;
    world.hosts(&mut server, "2026-02", 9).await;
    let month = world.month("2026-02").await;
    assert_eq!((month.totals.reported, month.carried), (points("0"), points("-94.5")), "135 less than 40.5");
    world.submit("2026-02").await.expect("submitted");
    world.approve("2026-02").await.expect("approved");
    world.at("2026-04-01T12:00:00Z").await;
    world.weeks(&mut server, "2026-03", 9).await;
    world.hosts(&mut server, "2026-03", 30).await;
    let month = world.month("2026-03").await;
    assert_eq!(corrections(&month), [("2026-01".to_owned(), -1, "-94.5".to_owned())], "points alone");
    assert_eq!((month.totals.reported, month.carried), (points("40.5"), points("0")));
}

#[tokio::test]
async fn a_period_that_arrives_after_closing_still_earns() {
    let world = World::new().await;
    let mut server = world.licensed_server("contoso").await;
    world.at("2026-02-20T00:00:00Z").await;
    let which = world.id("2026-01").await;
    let seen = view_month(world.service(), &world.vendor, which).await.expect("it is there").tag;
    close_month(world.service(), &world.vendor, which, seen, "Nobody answers".to_owned()).await.expect("closed");
    assert_eq!(world.expires(&mut server).await, "2026-03-25T00:00:00Z");
    world.weeks(&mut server, "2026-01", 9).await;
    let report = server.report(period("2026-01"), 1, ReportStage::Final, &[("host", "", 9, 0)]);
    assert_eq!(world.report(&mut server, &report).await, Outcome::Late);
    assert_eq!(list(&world).await[0].delta, 9);
    assert_eq!(world.expires(&mut server).await, "2026-04-25T00:00:00Z", "the line makes January reported");
}

#[tokio::test]
async fn a_person_corrects_a_closed_month_and_only_that() {
    let (world, server) = closed_january(9).await;
    let entered = by_hand(&world, &server, 2).await.expect("two were forgotten");
    assert_eq!(entered.billed_in, period("2026-02"));
    let listed = list(&world).await;
    let CorrectionOrigin::ByHand { by, reason, note } = &listed[0].origin else { panic!("by hand") };
    assert_eq!((by.name.as_str(), *reason, listed[0].points), ("ada@northlight.example", None, points("9")));
    assert!(note.starts_with("The host list"));

    // What it may not be.
    assert_eq!(kind(by_hand(&world, &server, 0).await), ProblemKind::InvalidInput);
    assert_eq!(kind(by_hand(&world, &server, -12).await), ProblemKind::InvalidInput, "more than there was");
    let product = world.product("file-backup").await;
    let refused = async |change: fn(&mut NewCorrection)| {
        let mut input = hosts(product, &server, -1);
        change(&mut input);
        kind(add_correction(world.service(), &world.ada, own("2026-01"), input, None).await)
    };
    assert_eq!(refused(|input| input.reason = None).await, ProblemKind::InvalidInput);
    assert_eq!(refused(|input| input.note.clear()).await, ProblemKind::InvalidInput);
    assert_eq!(refused(|input| input.license = None).await, ProblemKind::InvalidInput, "automatic licenses name one");
    assert_eq!(refused(|input| input.workload = "nothing".to_owned()).await, ProblemKind::InvalidInput);

    // Who may not enter one.
    let reader = world.person(world.provider, "rea@northlight.example", Role::ProviderReadOnly, None).await;
    for (actor, month, expected) in [
        (&reader, own("2026-01"), ProblemKind::Forbidden),
        (&world.luc, world.id("2026-01").await, ProblemKind::Forbidden),
    ] {
        let input = hosts(product, &server, 1);
        assert_eq!(kind(add_correction(world.service(), actor, month, input, None).await), expected);
    }
    let stranger = world.beside("southlight").await;
    let input = hosts(product, &server, 1);
    let january = world.id("2026-01").await;
    assert_eq!(kind(add_correction(world.service(), &stranger.ada, january, input, None).await), ProblemKind::NotFound);

    // An open month is changed itself.
    world.at("2026-03-01T12:00:00Z").await;
    let input = hosts(product, &server, 1);
    let open = add_correction(world.service(), &world.ada, own("2026-02"), input, None).await;
    assert_eq!(kind(open), ProblemKind::MonthState);
    let month = world.month("2026-02").await;
    let by_hand = month.lines.iter().find(|line| line.source == Source::Correction).expect("its line");
    assert_eq!((by_hand.count, by_hand.points), (2, points("9")));
    assert!(by_hand.said.is_some() && by_hand.by.is_some());

    // It can be taken back until the month it is billed in is submitted.
    remove_correction(world.service(), &world.ada, own("2026-01"), entered.id).await.expect("taken back");
    assert!(list(&world).await.is_empty());
    let again = remove_correction(world.service(), &world.ada, own("2026-01"), entered.id).await;
    assert_eq!(kind(again), ProblemKind::NotFound);
}

#[tokio::test]
async fn f8_taking_much_back_by_hand_needs_the_vendor_as_well() {
    let (world, mut server) = closed_january(40).await;
    by_hand(&world, &server, -5).await.expect("22.5 of 180 points");
    world.at("2026-03-01T12:00:00Z").await;
    world.weeks(&mut server, "2026-02", 40).await;
    world.hosts(&mut server, "2026-02", 40).await;
    let month = world.month("2026-02").await;
    assert!(month.lowered, "more than 20 points below what January was closed with");
    world.submit("2026-02").await.expect("submitted");
    assert_eq!(kind(world.approve("2026-02").await), ProblemKind::VendorConsentMissing);
    let which = world.id("2026-02").await;
    let seen = view_month(world.service(), &world.vendor, which).await.expect("it is there").tag;
    consent_to_month(world.service(), &world.vendor, which, seen).await.expect("the vendor consents");
    world.approve("2026-02").await.expect("approved");
    let month = world.month("2026-02").await;
    assert_eq!((month.head.state, month.totals.reported), (UsageState::Closed, points("157.5")));
    let listed = list(&world).await;
    let again = remove_correction(world.service(), &world.ada, own("2026-01"), listed[0].id).await;
    assert_eq!(kind(again), ProblemKind::MonthState, "what is approved stays");
}
