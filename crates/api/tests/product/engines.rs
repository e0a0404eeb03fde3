//! One month on PostgreSQL: the same statements, the same answers.

use tenure_core::Week;
use tenure_license::{Outcome, ReportStage, UpdateResult};
use tenure_service::{Catalog, MonthRef, SubmitInput, approve_month, submit_month};
use tenure_store::{audit, testing::TestStore};
use tenure_testkit::TestApp;

use crate::scene::Scene;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_month_on_postgresql() {
    let postgres = TestStore::postgres().await;
    let app = TestApp::on_store(postgres.store.clone(), "2026-01-05T09:00:00Z", Catalog::sample()).await;
    let scene = Scene::on(app).await;
    let (app, mut server, mut second) = (&scene.app, scene.server().await, scene.server().await);
    app.run_jobs().await;
    app.clock.set("2026-02-02T00:00:00Z");
    app.run_jobs().await;
    let mut week: Week = "2026-W02".parse().expect("a week");
    let mut marks = Vec::new();
    while week.end() <= app.service.now() {
        marks.push(server.watermark(week, &[("host", "", 9)]));
        week = week.next();
    }
    assert!(server.check_in(app, marks).await.docs.iter().all(|doc| doc.outcome == Outcome::Accepted));
    for each in [&mut server, &mut second] {
        let report = each.report("2026-01".parse().expect("a month"), 1, ReportStage::Final, &[("host", "", 9, 0)]);
        let report = each.sign_report(&report);
        let answer = each.check_in(app, vec![report]).await;
        assert_eq!(answer.docs[0].outcome, Outcome::Accepted);
    }
    app.clock.set("2026-02-04T09:00:00Z");
    app.run_jobs().await;
    let own = MonthRef::Own("2026-01".parse().expect("a month"));
    let month = scene.january().await;
    assert!(month.blockers.is_empty(), "{:?}", month.blockers);
    let input = SubmitInput { seen: month.tag, purchase_order: None, comment: None };
    submit_month(&app.service, &scene.provider, own, input).await.expect("it is submitted");
    app.run_jobs().await;
    let month = scene.january().await;
    let id = MonthRef::Id(month.head.id);
    approve_month(&app.service, &scene.distributor, id, month.tag).await.expect("it is approved");
    app.run_jobs().await;
    let answer = server.check_in(app, Vec::new()).await;
    assert_eq!(answer.result, UpdateResult::Updated);
    let license = server.held_license.as_ref().expect("a license");
    let end = "2026-04-20T09:00:00Z".parse::<tenure_core::Timestamp>().expect("an instant");
    assert_eq!((license.expires_at, license.reported_through), (end.as_secs(), "2026-01".parse().ok()));
    let report = audit::verify(&postgres.store).await.expect("the log can be read");
    assert!(report.is_clean(), "{:?}", report.problems().collect::<Vec<_>>());
}
