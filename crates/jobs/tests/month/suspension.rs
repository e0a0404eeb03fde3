//! Who does not submit is suspended, exactly as long as the two newest months past the deadline are unsubmitted.

use tenure_core::UsageType;
use tenure_service::{NewLicense, ProblemKind, WorkloadCount, create_license, my_actions};

use crate::world::{World, kind};

async fn suspended(world: &World) -> bool {
    my_actions(world.service(), &world.ada).await.expect("actions").suspended
}

async fn create(world: &World) -> crate::world::Result {
    let input = NewLicense {
        agreement: world.agreement,
        product: world.product("file-backup").await,
        usage_type: UsageType::Internal,
        description: String::new(),
        site: None,
        company: None,
        automatic: true,
        last_day: None,
        workloads: vec![WorkloadCount { workload: "host".to_owned(), variant: String::new(), count: 1 }],
    };
    create_license(world.service(), &world.ada, input, None).await.map(|_| ())
}

#[tokio::test]
async fn x3_it_begins_at_the_second_deadline_and_reports_alone_no_longer_extend() {
    let world = World::new().await;
    let mut server = world.licensed_server("contoso").await;
    for (clock, month) in [("2026-02-01T12:00:00Z", "2026-01"), ("2026-03-01T12:00:00Z", "2026-02")] {
        world.at(clock).await;
        world.weeks(&mut server, month, 9).await;
        world.hosts(&mut server, month, 9).await;
    }
    assert_eq!(world.expires(&mut server).await, "2026-05-25T00:00:00Z", "reports alone extend at first");
    world.at("2026-03-05T23:59:59Z").await;
    assert!(!suspended(&world).await);
    world.at("2026-03-06T00:00:00Z").await;
    assert!(suspended(&world).await, "January and February are past the deadline and unsubmitted");
    assert_eq!(world.messages("provider.suspended").await.len(), 1, "audited and told once");
    assert_eq!(kind(create(&world).await), ProblemKind::Suspended);

    // Reports go on; they alone do not extend any more.
    world.at("2026-04-01T12:00:00Z").await;
    world.weeks(&mut server, "2026-03", 9).await;
    world.hosts(&mut server, "2026-03", 9).await;
    assert_eq!(world.expires(&mut server).await, "2026-05-25T00:00:00Z");

    // Submitting the older of the two lifts it, and what was reported meanwhile counts.
    world.submit("2026-02").await.expect("submission goes on");
    assert!(!suspended(&world).await);
    assert_eq!(world.messages("provider.suspension_lifted").await.len(), 1);
    world.app.run_jobs().await;
    assert_eq!(world.expires(&mut server).await, "2026-06-25T00:00:00Z", "March's own report extends now");
    create(&world).await.expect("licenses may be created again");

    // At the next deadline the pair moves on: February is submitted, so nothing is suspended.
    world.at("2026-04-06T00:00:00Z").await;
    assert!(!suspended(&world).await);
    world.at("2026-05-06T00:00:00Z").await;
    assert!(suspended(&world).await, "March and April");
}

#[tokio::test]
async fn a_rejected_month_counts_as_submitted_for_five_days() {
    let world = World::new().await;
    let mut server = world.licensed_server("contoso").await;
    world.at("2026-02-01T12:00:00Z").await;
    world.hosts(&mut server, "2026-01", 9).await;
    world.at("2026-03-01T12:00:00Z").await;
    world.hosts(&mut server, "2026-02", 9).await;
    world.submit("2026-02").await.expect("submitted");
    world.at("2026-03-04T10:00:00Z").await;
    world.reject("2026-02", "look again").await.expect("rejected");
    world.at("2026-03-06T00:00:00Z").await;
    assert!(!suspended(&world).await);
    world.at("2026-03-09T09:59:59Z").await;
    assert!(!suspended(&world).await);
    world.at("2026-03-09T10:00:00Z").await;
    assert!(suspended(&world).await);
    assert_eq!(world.messages("provider.suspended").await.len(), 1);
}
