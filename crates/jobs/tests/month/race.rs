//! Closing against reporting: a report is in exactly one place, in the month or in a correction, never in neither and never
//! in both (X5). On both engines; ten thousand rounds in the long run.

use tenure_core::{Period, UserId, cycle::UsageState, roles::Role};
use tenure_license::payload::{Outcome, ReportStage, UsageReport};
use tenure_service::{
    Actor, ActorKind, Catalog, Decision, MonthRef, ProblemKind, SubmitInput, approve_month, close_month,
    decide_enrollment, request_enrollment, submit_month,
};
use tenure_store::{
    rows::{correction, submission},
    testing::TestStore,
};
use tenure_testkit::{TestApp, TestInstallation};

use crate::world::{Terms, World, period};

/// Months of one provider: each is closed once.
const MONTHS: usize = 12;

/// What a report races against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Against {
    /// The vendor closes a month without any report.
    Close,
    /// The provider submits what the first revision said.
    Submit,
    /// The distributor approves it.
    Approve,
}

/// A provider with one server and twelve open months.
struct Lane {
    world: World,
    server: TestInstallation,
}

impl Lane {
    async fn new(world: &World, n: usize) -> Self {
        let provider = world.organization(tenure_core::roles::OrgKind::Provider, &format!("provider {n}")).await;
        let agreement = world.agree(world.distributor, provider).await;
        let id = UserId::generate(world.service().now(), world.service().rng());
        let ada = Actor { kind: ActorKind::Person(id), org: provider, role: Role::ProviderFullAccess, site: None };
        request_enrollment(world.service(), &ada, true, None).await.expect("it is asked for");
        decide_enrollment(world.service(), &world.vendor, provider, Decision::Approve, None).await.expect("approved");
        let world = World {
            app: std::sync::Arc::clone(&world.app),
            vendor: world.vendor.clone(),
            provider,
            distributor: world.distributor,
            agreement,
            ada,
            luc: world.luc.clone(),
        };
        let server = world.licensed_server("contoso").await;
        Self { world, server }
    }

    fn report(&self, month: Period, revision: u32, hosts: u32) -> UsageReport {
        self.server.report(month, revision, ReportStage::Final, &[("host", "", hosts, 0)])
    }

    /// One round; `turns` shifts the report against the decision. Whether the report came first.
    async fn round(&mut self, month: Period, against: Against, turns: usize) -> bool {
        let name = month.to_string();
        let before = if against == Against::Close { 0 } else { 9 };
        let (revision, hosts) = if before == 0 { (1, 7) } else { (2, 12) };
        let mut sent = self.report(month, revision, hosts);
        if before > 0 {
            let first = self.report(month, 1, before);
            assert_eq!(self.world.report(&mut self.server, &first).await, Outcome::Accepted);
            sent.replaces = Some(self.server.sign_report(&first).hash());
        }
        if against == Against::Approve {
            self.world.submit(&name).await.expect("submitted");
        }
        let seen = self.world.month(&name).await;
        let (which, seen) = (MonthRef::Id(seen.head.id), seen.tag);
        let (world, server) = (&self.world, &mut self.server);
        let decide = async {
            let service = world.service();
            // Odd rounds give the report a head start of some reads: both win now and then.
            for _ in 0..(turns % 2) * (turns % 9) {
                world.row(month).await;
            }
            match against {
                Against::Close => close_month(service, &world.vendor, which, seen, "race".to_owned()).await,
                Against::Approve => approve_month(service, &world.luc, which, seen).await.map(|_| ()),
                Against::Submit => {
                    let input = SubmitInput { seen, purchase_order: None, comment: None };
                    submit_month(service, &world.ada, which, input).await.map(|_| ())
                }
            }
        };
        let report = async {
            for _ in 0..turns {
                tokio::task::yield_now().await;
            }
            world.report(server, &sent).await
        };
        let (decided, outcome) = if turns.is_multiple_of(2) {
            tokio::join!(decide, report)
        } else {
            let (outcome, decided) = tokio::join!(report, decide);
            (decided, outcome)
        };
        if let Err(error) = decided {
            let kind = error.problem().kind;
            assert_eq!(kind, ProblemKind::Changed, "{against:?}: the report came first, and it is told");
        }
        self.settle(month).await;
        self.is_in_one_place(month, i64::from(before), i64::from(hosts), outcome).await
    }

    /// Takes the month to its end, whoever won.
    async fn settle(&self, month: Period) {
        let name = month.to_string();
        if !self.world.row(month).await.state.is_submitted() {
            self.world.submit(&name).await.expect("submitted");
        }
        if self.world.row(month).await.state == UsageState::PendingDistributorReview {
            self.world.approve(&name).await.expect("approved");
        }
    }

    /// Whether the report is in the closed month; it panics when it is in neither or in both.
    async fn is_in_one_place(&self, month: Period, before: i64, hosts: i64, outcome: Outcome) -> bool {
        assert_eq!(self.world.row(month).await.state, UsageState::Closed);
        let mut read = self.world.service().store().read().await.expect("a snapshot");
        let signed = submission::last(&mut read, self.world.provider, month).await.expect("readable").expect("signed");
        let signed: serde_json::Value = serde_json::from_str(&signed.lines).expect("lines");
        let signed = signed.as_array().expect("lines").iter();
        let counted: i64 =
            signed.filter(|line| line["installation"].is_string()).filter_map(|line| line["count"].as_i64()).sum();
        let lines = correction::of_installation(&mut read, self.world.provider, month, self.server.ins).await;
        let corrected: i64 = lines.expect("corrections").iter().map(|row| row.delta).sum();
        match outcome {
            Outcome::Accepted => assert_eq!((counted, corrected), (hosts, 0), "{month}: in the month"),
            Outcome::Late => assert_eq!((counted, corrected), (before, hosts - before), "{month}: in a correction"),
            other => panic!("{month}: {other:?}"),
        }
        outcome == Outcome::Accepted
    }
}

/// Rounds on one fresh application; how many reports came first.
async fn races(app: TestApp, lanes: usize) -> usize {
    let world = World::on(app, &Terms::default()).await;
    let mut providers = Vec::new();
    for n in 0..lanes {
        providers.push(Lane::new(&world, n).await);
    }
    world.at("2027-01-01T12:00:00Z").await;
    let mut round = 0;
    let mut first = 0;
    for lane in &mut providers {
        for at in 0..MONTHS {
            let against = [Against::Close, Against::Submit, Against::Approve][round % 3];
            let month = period("2026-01").plus(at as i32);
            first += usize::from(lane.round(month, against, round * 7 % 41).await);
            round += 1;
        }
    }
    first
}

const START: &str = "2026-01-10T00:00:00Z";

async fn on_postgres(lanes: usize) -> usize {
    let postgres = TestStore::postgres().await;
    let app = TestApp::on_store(postgres.store.clone(), START, Catalog::sample()).await;
    let first = races(app, lanes).await;
    postgres.close().await;
    first
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn x5_a_report_is_in_one_place_when_its_month_is_closed() {
    let first = races(TestApp::new(START).await, 10).await;
    assert!(first > 0 && first < 120, "both win now and then: {first} of 120 reports came first");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn x5_a_report_is_in_one_place_on_postgresql() {
    let first = on_postgres(7).await;
    assert!(first > 0 && first < 84, "both win now and then: {first} of 84 reports came first");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn soak_x5_five_thousand_rounds_on_sqlite() {
    for _ in 0..14 {
        races(TestApp::new(START).await, 30).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn soak_x5_five_thousand_rounds_on_postgresql() {
    for _ in 0..14 {
        on_postgres(30).await;
    }
}
