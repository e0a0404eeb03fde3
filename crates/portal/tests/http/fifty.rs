//! A provider with fifty licenses whose October is as September was.

use tenure_core::{Day, Week};
use tenure_license::payload::ReportStage;
use tenure_service::{MonthRef, SubmitInput, submit_month, view_month};

use crate::world::World;

const LICENSES: usize = 50;

/// On 4 November: September submitted, October reported with the same figures and all its weeks.
pub(crate) async fn world() -> World {
    let world = World::new().await;
    world.enroll().await;
    let mut servers = Vec::new();
    for n in 0..LICENSES {
        let company = world.company(&format!("Company {n}")).await;
        let license = world.license(company, None).await;
        servers.push(world.server(license, &format!("bkp-{n:02}.northlight.example")).await);
    }
    world.app.clock.set("2026-10-01T06:00:00Z");
    world.app.run_jobs().await;
    for server in &mut servers {
        world.weekly(server, 7).await;
        world.report(server, "2026-09", 1, 7).await;
    }
    world.app.clock.set("2026-10-04T09:00:00Z");
    world.app.run_jobs().await;
    let which = || MonthRef::Own("2026-09".parse().expect("a month"));
    let seen = view_month(&world.app.service, &world.admin, which()).await.expect("the month").tag;
    let input = SubmitInput { seen, purchase_order: None, comment: None };
    submit_month(&world.app.service, &world.admin, which(), input).await.expect("it is submitted");

    world.app.clock.set("2026-11-01T06:00:00Z");
    world.app.run_jobs().await;
    let period = "2026-10".parse().expect("a month");
    let mondays = ["2026-09-28", "2026-10-05", "2026-10-12", "2026-10-19"];
    for server in &mut servers {
        let week = |day: &&str| Week::of(day.parse::<Day>().expect("a day"));
        let mut documents: Vec<_> = mondays.iter().map(|day| server.watermark(week(day), &[("host", "", 7)])).collect();
        documents.push(server.sign_report(&server.report(period, 1, ReportStage::Final, &[("host", "", 7, 0)])));
        server.check_in(&world.app, documents).await;
    }
    world.app.clock.set("2026-11-04T09:00:00Z");
    world.app.run_jobs().await;
    world
}
