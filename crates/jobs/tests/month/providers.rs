//! Two providers at once: what one does or leaves undone is nothing to the other.

use tenure_core::cycle::UsageState;
use tenure_service::{Paging, ProblemKind, list_months, my_actions, submit_month, view_month};

use crate::world::{World, kind, own};

#[tokio::test]
async fn each_has_its_own_month_deadline_and_suspension() {
    let world = World::new().await;
    let other = world.beside("southlight").await;
    let mut first = world.licensed_server("contoso").await;
    let mut second = other.licensed_server("fabrikam").await;
    for (clock, month) in [("2026-02-01T12:00:00Z", "2026-01"), ("2026-03-01T12:00:00Z", "2026-02")] {
        world.at(clock).await;
        world.weeks(&mut first, month, 9).await;
        world.hosts(&mut first, month, 9).await;
        other.weeks(&mut second, month, 9).await;
        other.hosts(&mut second, month, 9).await;
        // One of them submits, the other never does.
        world.submit(month).await.expect("submitted");
    }
    world.at("2026-03-06T00:00:00Z").await;
    let suspended = async |world: &World| my_actions(world.service(), &world.ada).await.expect("actions").suspended;
    assert!(!suspended(&world).await);
    assert!(suspended(&other).await);
    let late = world.messages("usage.late").await;
    assert_eq!(late.len(), 4, "each of its two months is told to it and its distributor");
    assert!(late.iter().all(|(to, _)| *to != world.provider.to_string()));
    let reminded = world.messages("usage.reminder").await;
    let of = |provider: tenure_core::OrgId| reminded.iter().filter(|(to, _)| *to == provider.to_string()).count();
    assert_eq!((of(world.provider), of(other.provider)), (2, 6), "who submitted on the 1st is left alone after that");

    // The distributor sees both, each of them only its own.
    let months = list_months(world.service(), &world.luc, &Paging::default()).await.expect("a list");
    assert_eq!(months.items.len(), 4);
    let own_months = list_months(world.service(), &other.ada, &Paging::default()).await.expect("a list");
    assert_eq!(own_months.items.len(), 2);
    assert!(own_months.items.iter().all(|month| month.provider.id == other.provider));
    let foreign = world.id("2026-01").await;
    assert_eq!(kind(view_month(world.service(), &other.ada, foreign).await), ProblemKind::NotFound);

    // One's submission lifts its own suspension and touches nothing of the other.
    let before = world.month("2026-02").await;
    other.submit("2026-02").await.expect("submitted");
    assert!(!suspended(&other).await);
    let after = world.month("2026-02").await;
    assert_eq!((after.tag, after.head), (before.tag, before.head));
}

#[tokio::test]
async fn months_are_reviewed_and_decided_at_the_same_time() {
    let world = World::new().await;
    let other = world.beside("southlight").await;
    let mut first = world.licensed_server("contoso").await;
    let mut second = other.licensed_server("fabrikam").await;
    world.at("2026-02-01T12:00:00Z").await;
    for (each, server) in [(&world, &mut first), (&other, &mut second)] {
        each.weeks(server, "2026-01", 9).await;
        each.hosts(server, "2026-01", 9).await;
    }
    let (one, two) = tokio::join!(world.submit("2026-01"), other.submit("2026-01"));
    assert_eq!((one.expect("submitted").number, two.expect("submitted").number), (1, 1));
    // Both at once by the same person of the distributor, and one of them by mistake with the other's lines.
    let (id, seen) = (world.id("2026-01").await, other.month("2026-01").await.tag);
    let wrong = tenure_service::approve_month(world.service(), &world.luc, id, seen).await;
    assert_eq!(kind(wrong), ProblemKind::Changed, "a tag names the lines of one provider's month");
    let (one, two) = tokio::join!(world.approve("2026-01"), other.approve("2026-01"));
    one.expect("approved");
    two.expect("approved");
    assert_eq!(world.state("2026-01").await, UsageState::Closed);
    assert_eq!(other.state("2026-01").await, UsageState::Closed);
    let again = submit_month(
        world.service(),
        &other.ada,
        own("2026-01"),
        tenure_service::SubmitInput { seen, purchase_order: None, comment: None },
    );
    assert_eq!(kind(again.await), ProblemKind::MonthState);
}
