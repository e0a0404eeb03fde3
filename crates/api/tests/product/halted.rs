//! A server that cannot trust its clock signs nothing (T2).

use axum::http::Method;
use tenure_service::{check_date, watch_clock};
use tenure_testkit::{TestApp, TestInstallation};

use crate::scene::Scene;

async fn ready(app: &TestApp) -> u16 {
    watch_clock(&app.service).await.expect("the newest time is kept");
    app.call(Method::GET, "/readyz", None, None, &[]).await.status.as_u16()
}

#[tokio::test]
async fn t2_a_clock_that_jumps_halts_the_server_until_it_is_right() {
    let scene = Scene::new().await;
    let (app, mut server) = (&scene.app, scene.server().await);
    assert_eq!(ready(app).await, 200);
    for jump in [-301, 24 * 3600 + 1, 10 * 365 * 86_400] {
        app.clock.jump_secs(jump);
        assert_eq!(ready(app).await, 503, "{jump}");
        let request = server.request(&*app.rng, app.service.now(), &[]);
        let body = server.exchange(&request, Vec::new());
        assert_eq!(TestInstallation::post(app, &body).await.expect(503).problem(), "halted", "{jump}");
        tenure_service::due::run_due(&app.service).await.expect_err("no job runs");
        app.clock.jump_secs(-jump);
        app.clock.advance_secs(1);
        assert_eq!(ready(app).await, 200, "{jump}");
        let answer = TestInstallation::post(app, &body).await.expect(200);
        server.absorb(app, &body, &answer);
    }
    // Time that really passes is no jump, and small corrections are none.
    for (jump, pass) in [(-299, 1), (0, 40 * 86_400), (3600, 1)] {
        app.clock.jump_secs(jump);
        app.clock.advance_secs(pass);
        assert_eq!(ready(app).await, 200, "{jump} {pass}");
    }
}

#[tokio::test]
async fn t2_after_a_long_stop_an_operator_confirms_the_date() {
    let scene = Scene::new().await;
    let (store, policy) = (scene.app.service.store(), scene.app.service.policy());
    watch_clock(&scene.app.service).await.expect("the newest time is kept");
    let judge = async |at: &str, confirmed| {
        scene.app.clock.set(at);
        let fault = check_date(store, &*scene.app.clock, policy, confirmed).await.expect("it can be judged");
        fault.map(|fault| fault.to_string())
    };
    assert_eq!(judge("2026-02-09T08:00:00Z", false).await, None, "35 days");
    let stopped = judge("2026-02-10T10:00:00Z", false).await.expect("36 days");
    assert!(stopped.contains("36 days"), "{stopped}");
    assert!(judge("2026-01-05T08:00:00Z", false).await.expect("an hour back").contains("went back"));
    assert_eq!(judge("2026-02-10T10:00:00Z", true).await, None);
    assert_eq!(judge("2026-02-10T10:00:01Z", false).await, None, "it is written down");
}
