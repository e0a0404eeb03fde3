//! A provider with sites: each submits its part, and the primary license administrator the whole.

use tenure_core::{SiteId, cycle::UsageState, roles::Role};
use tenure_service::{
    ActionKind, Actor, Answer, Paging, ProblemKind, answer_installation, my_actions, return_part, submit_part,
};
use tenure_testkit::TestInstallation;

use crate::world::{World, kind, own, points};

struct Sited {
    world: World,
    north: SiteId,
    south: SiteId,
    nora: Actor,
    sam: Actor,
    primary: Actor,
    in_north: TestInstallation,
    in_south: TestInstallation,
}

/// Two sites with a server each; on 4 February both reported January.
async fn sited() -> Sited {
    let world = World::new().await;
    let (north, south) = (world.site("North").await, world.site("South").await);
    let nora = world.person(world.provider, "nora@northlight.example", Role::ProviderLocation, Some(north)).await;
    let sam = world.person(world.provider, "sam@northlight.example", Role::ProviderLocation, Some(south)).await;
    let primary = world.person(world.provider, "pia@northlight.example", Role::ProviderPrimary, None).await;
    let mut servers = Vec::new();
    for (site, name) in [(north, "contoso"), (south, "fabrikam")] {
        let company = world.company(name).await;
        let license = world.license_of(company, true, Some(site)).await;
        servers.push(world.server(license, &format!("backup.{name}.example")).await);
    }
    let (mut in_south, mut in_north) = (servers.remove(1), servers.remove(0));
    world.at("2026-02-01T12:00:00Z").await;
    world.weeks(&mut in_north, "2026-01", 9).await;
    world.hosts(&mut in_north, "2026-01", 9).await;
    world.weeks(&mut in_south, "2026-01", 4).await;
    world.hosts(&mut in_south, "2026-01", 4).await;
    world.at("2026-02-04T00:00:00Z").await;
    Sited { world, north, south, nora, sam, primary, in_north, in_south }
}

#[tokio::test]
async fn parts_come_in_and_the_primary_submits_the_whole() {
    let Sited { world, north, south, nora, sam, primary, .. } = sited().await;
    assert_eq!(world.state("2026-01").await, UsageState::PendingSiteReview);
    let month = world.month_of(&nora, "2026-01").await;
    assert_eq!((month.lines.len(), month.totals.reported), (1, points("40.5")), "a site sees its own part");
    let actions = my_actions(world.service(), &nora).await.expect("actions");
    assert_eq!(actions.items[0].kind, ActionKind::SubmitPart);
    let waiting = my_actions(world.service(), &primary).await.expect("actions");
    assert_eq!(waiting.items[0].what, "Waiting for the part of North and of South.");

    let other = submit_part(world.service(), &nora, own("2026-01"), south).await;
    assert_eq!(kind(other), ProblemKind::NotFound, "another site's part");
    assert_eq!(kind(world.submit_as(&primary, "2026-01").await), ProblemKind::MonthState, "parts are outstanding");
    submit_part(world.service(), &nora, own("2026-01"), north).await.expect("the part is in");
    let again = submit_part(world.service(), &nora, own("2026-01"), north).await;
    assert_eq!(kind(again), ProblemKind::MonthState);
    assert_eq!(world.state("2026-01").await, UsageState::PendingSiteReview);
    submit_part(world.service(), &sam, own("2026-01"), south).await.expect("the part is in");
    assert_eq!(world.state("2026-01").await, UsageState::PendingProviderReview, "all parts are in");

    assert_eq!(kind(world.submit_as(&world.ada, "2026-01").await), ProblemKind::Forbidden, "with sites, the primary");
    let submitted = world.submit_as(&primary, "2026-01").await.expect("submitted");
    assert_eq!(submitted.reported, points("58.5"), "one monthly usage for all sites");
    world.approve("2026-01").await.expect("approved");
}

#[tokio::test]
async fn a_part_that_is_in_is_changed_only_after_it_is_returned() {
    let Sited { world, north, south, nora, sam, primary, in_north, in_south } = sited().await;
    submit_part(world.service(), &nora, own("2026-01"), north).await.expect("in");
    submit_part(world.service(), &sam, own("2026-01"), south).await.expect("in");
    let line = async |actor: &Actor, site: Option<SiteId>| {
        let mut line = world.manual("monitoring", "monitored", 2).await;
        line.site = site;
        tenure_service::add_manual_line(world.service(), actor, own("2026-01"), line, None).await
    };
    assert_eq!(kind(line(&nora, None).await), ProblemKind::MonthState);
    let foreign = answer_installation(world.service(), &nora, own("2026-01"), in_south.ins, Answer::Zero).await;
    assert!(matches!(kind(foreign), ProblemKind::MonthState | ProblemKind::NotFound));

    let returned = async |actor: &Actor, reason: &str| {
        return_part(world.service(), actor, own("2026-01"), north, reason.to_owned()).await
    };
    assert_eq!(kind(returned(&primary, " ").await), ProblemKind::InvalidInput, "with a reason");
    assert_eq!(kind(returned(&sam, "no").await), ProblemKind::Forbidden);
    returned(&primary, "The monitoring is missing").await.expect("returned");
    assert_eq!(world.state("2026-01").await, UsageState::PendingSiteReview);
    let month = world.month_of(&nora, "2026-01").await;
    assert_eq!(month.parts[0].returned_reason, "The monitoring is missing");
    line(&nora, None).await.expect("it is hers to change again");
    assert_eq!(kind(line(&nora, Some(south)).await), ProblemKind::NotFound);
    submit_part(world.service(), &nora, own("2026-01"), north).await.expect("in again");
    let month = world.month_of(&primary, "2026-01").await;
    let part = month.parts.iter().find(|part| part.site.id == north).expect("its part");
    assert_eq!((part.points, part.returned_reason.as_str()), (points("44.5"), ""));
    assert!(month.lines.iter().any(|line| line.installation.as_ref().is_some_and(|one| one.id == in_north.ins)));
    world.submit_as(&primary, "2026-01").await.expect("submitted");
}

#[tokio::test]
async fn a_site_sees_only_its_own_records() {
    let Sited { world, nora, primary, in_north, in_south, north, south, sam } = sited().await;
    submit_part(world.service(), &nora, own("2026-01"), north).await.expect("in");
    submit_part(world.service(), &sam, own("2026-01"), south).await.expect("in");
    world.submit_as(&primary, "2026-01").await.expect("submitted");
    let (service, january) = (world.service(), own("2026-01"));
    let receipts = tenure_service::list_receipts(service, &nora, january).await.expect("receipts");
    assert_eq!(receipts.len(), 1, "the report of its own server, no submission");
    assert_eq!(tenure_service::list_receipts(service, &primary, january).await.expect("receipts").len(), 3);
    let report = async |server: &TestInstallation| {
        tenure_service::save_report(service, &nora, january, server.ins, None).await.map(|_| ())
    };
    report(&in_north).await.expect("its own");
    assert_eq!(kind(report(&in_south).await), ProblemKind::NotFound);
    assert_eq!(kind(tenure_service::view_invoice(service, &nora, january).await), ProblemKind::Forbidden);
    let submission = tenure_service::save_submission(service, &nora, january, None).await;
    assert_eq!(kind(submission), ProblemKind::Forbidden);
    let timeline =
        tenure_service::month_timeline(service, &nora, january, &Paging::default()).await.expect("a timeline");
    let parts = timeline.items.iter().filter(|event| event.verb == "usage.part_submitted").count();
    assert_eq!(parts, 1, "its own part");
    assert!(timeline.items.iter().all(|event| event.verb != "report.received"));
}
