//! A worker that is killed, and another that goes on: everything once (X6), and a month opened once (X10).

use std::collections::BTreeMap;

use tenure_core::{Timestamp, UsageType, cycle::UsageState};
use tenure_license::payload::{Outcome, ReportStage};
use tenure_service::{Catalog, NewLicense, Paging, WorkloadCount, create_license, month_timeline};
use tenure_store::{rows::month as rows, testing::TestStore};
use tenure_testkit::TestApp;

use crate::world::{Terms, World, own, period};

/// Licenses without a server: each is reported by submitting. More than one chunk of extensions.
const LICENSES: usize = 130;

async fn many_licenses(world: &World) {
    for _ in 0..LICENSES {
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
        create_license(world.service(), &world.ada, input, None).await.expect("a license");
    }
}

/// Works until its turns are used up, as a process that is killed then.
async fn killed_after(world: &World, turns: usize) -> bool {
    let turns = async {
        for _ in 0..turns {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        biased;
        () = turns => true,
        done = tenure_jobs::run_due(world.service()) => {
            done.expect("the jobs run");
            false
        }
    }
}

/// What a killed worker still held is done once its lease is over.
async fn quiet(world: &World) {
    for _ in 0..2 {
        world.app.clock.advance_secs(121);
        world.app.run_jobs().await;
    }
}

async fn everything_once(world: World) {
    many_licenses(&world).await;
    world.app.clock.set("2026-02-04T00:00:00Z");
    // Killed again and again; each successor waits for the lease of the one before to run out.
    let mut turns = 1;
    while killed_after(&world, turns).await {
        turns += turns / 3 + 1;
        world.app.clock.advance_secs(121);
    }
    assert!(turns > 3, "it was killed some times");
    quiet(&world).await;
    assert_eq!(world.state("2026-01").await, UsageState::PendingProviderReview);
    world.submit("2026-01").await.expect("submitted");
    turns = 1;
    let mut kills = 0;
    while killed_after(&world, turns).await {
        turns += turns / 3 + 1;
        kills += 1;
        world.app.clock.advance_secs(121);
    }
    assert!(kills > 0, "the extensions were granted by more than one worker");
    quiet(&world).await;
    let month = world.month("2026-01").await;
    assert_eq!(month.licenses.iter().filter(|one| one.extended).count(), LICENSES);
    let mut told: BTreeMap<&'static str, usize> = BTreeMap::new();
    for kind in ["usage.review_due", "usage.submitted"] {
        told.insert(kind, world.messages(kind).await.len());
    }
    assert_eq!(told, BTreeMap::from([("usage.review_due", 1), ("usage.submitted", 2)]));
    let mut read = world.service().store().read().await.expect("a snapshot");
    for one in &month.licenses {
        let subject = one.license.id.to_string();
        let entries = rows::changes(&mut read, world.provider, &subject, Timestamp::EPOCH, 50).await.expect("entries");
        let extended = entries.iter().filter(|entry| entry.verb == "license.extended").count();
        assert_eq!(extended, 1, "each license is extended, and told of, once");
    }
    drop(read);
    let opened = month_timeline(world.service(), &world.ada, own("2026-01"), &Paging::default()).await;
    let opened = opened.expect("a timeline").items.into_iter().filter(|event| event.verb == "usage.opened").count();
    assert_eq!(opened, 1);
}

#[tokio::test]
async fn x6_a_killed_worker_is_succeeded_and_everything_is_done_once() {
    everything_once(World::new().await).await;
}

#[tokio::test]
async fn x6_a_killed_worker_is_succeeded_on_postgresql() {
    let postgres = TestStore::postgres().await;
    let app = TestApp::on_store(postgres.store.clone(), "2026-01-10T00:00:00Z", Catalog::sample()).await;
    everything_once(World::on(app, &Terms::default()).await).await;
}

async fn opened_once(world: World) {
    let mut servers = Vec::new();
    for n in 0..6 {
        servers.push(world.licensed_server(&format!("company{n}")).await);
    }
    world.app.clock.set("2026-02-01T00:00:00Z");
    // The job of the 1st, twice, and six first reports, all at once.
    let reports = servers.iter_mut().map(async |server| {
        let report = server.report(period("2026-01"), 1, ReportStage::Final, &[("host", "", 9, 0)]);
        let report = server.sign_report(&report);
        server.check_in(&world.app, vec![report]).await.docs[0].outcome
    });
    let (one, two, outcomes) = tokio::join!(
        tenure_jobs::run_due(world.service()),
        tenure_jobs::run_due(world.service()),
        futures::future::join_all(reports)
    );
    one.expect("the jobs run");
    two.expect("the jobs run");
    assert_eq!(outcomes, [Outcome::Accepted; 6]);
    // Whoever lost the claim leaves the rest to whom won it.
    world.app.run_jobs().await;
    let month = world.month("2026-01").await;
    assert_eq!((month.installations.len(), month.lines.len()), (6, 6));
    let events = month_timeline(world.service(), &world.ada, own("2026-01"), &Paging::default()).await.expect("events");
    let opened = events.items.iter().filter(|event| event.verb == "usage.opened").count();
    assert_eq!(opened, 1, "by the job or by a report, whichever was first");
}

#[tokio::test]
async fn x10_a_month_is_opened_once_whoever_comes_first() {
    opened_once(World::new().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn x10_a_month_is_opened_once_on_postgresql() {
    let postgres = TestStore::postgres().await;
    let app = TestApp::on_store(postgres.store.clone(), "2026-01-10T00:00:00Z", Catalog::sample()).await;
    opened_once(World::on(app, &Terms::default()).await).await;
}
