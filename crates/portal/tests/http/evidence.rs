//! From a total to the workloads behind it, and who did what to a month.

use axum::http::StatusCode;
use tenure_license::{
    evidence_root,
    payload::{Counted, EvidenceRef, ReportStage, WorkloadEvidence, WorkloadRow},
    sign,
};
use tenure_testkit::TestInstallation;

use crate::{browser::Reached, installations::stranger, month, world::World};

/// Sends a report of two hosts that names its three rows, and the rows.
async fn evidenced(world: &World, server: &mut TestInstallation) {
    let row = |id: &str, counted| WorkloadRow {
        id: id.to_owned(),
        company: "Contoso AG".to_owned(),
        workload: "host".to_owned(),
        variant: String::new(),
        first: 1_767_312_000,
        last: 1_790_000_000,
        counted,
    };
    let rows = vec![row("h-1", Counted::Yes), row("h-2", Counted::Yes), row("h-3", Counted::New)];
    let (period, root) = ("2026-09".parse().expect("a month"), evidence_root(&rows));
    let mut report = server.report(period, 1, ReportStage::Final, &[("host", "", 2, 1)]);
    report.evidence = Some(EvidenceRef { root, rows: 3, parts: 1 });
    let (aud, ins) = (server.aud, server.ins);
    let evidence = WorkloadEvidence { v: 1, aud, ins, period, root, part: 0, rows, crit: Vec::new() };
    let sent = server.sign_report(&report);
    server.check_in(&world.app, vec![sent]).await;
    let evidence = sign(&evidence, &[&server.key]).into_envelope();
    server.check_in(&world.app, vec![evidence]).await;
}

fn link(page: &Reached, begin: &str) -> String {
    let mut links = page.html.split("href=\"").filter_map(|rest| rest.split('"').next());
    let found = links.find(|href| href.starts_with(begin)).unwrap_or_else(|| panic!("no {begin} in {}", page.html));
    found.replace("&#38;", "&").replace("&amp;", "&")
}

#[tokio::test]
async fn from_a_total_to_the_workloads_behind_it_in_two_clicks() {
    let world = World::new().await;
    world.enroll().await;
    let company = world.company("Contoso AG").await;
    let license = world.license(company, None).await;
    let mut server = world.server(license, "bkp-main.contoso.example").await;
    world.app.clock.set("2026-10-01T06:00:00Z");
    world.app.run_jobs().await;
    evidenced(&world, &mut server).await;
    world.app.clock.set("2026-10-04T09:00:00Z");
    world.app.run_jobs().await;

    let mut browser = world.provider().await;
    // Home shows the month; its figure leads to the workloads.
    let month = browser.get("/months/2026-09").await;
    let workloads = browser.get(&link(&month, "/months/2026-09/evidence/ins_")).await;
    assert_eq!(workloads.status, StatusCode::OK);
    workloads.assert_says("names 3 workloads; all arrived, signed by the server");
    workloads.assert_says("h-1");
    workloads.assert_says("New, free this month");
    let new = workloads.html.split("href=\"").filter_map(|rest| rest.split('"').next());
    let new = new.filter(|href| href.contains("why=new")).last().expect("a filter").replace("&#38;", "&");
    let new = browser.get(&new).await;
    new.assert_says("h-3");
    new.assert_silent_about("h-1");

    let timeline = browser.get("/months/2026-09/timeline").await;
    timeline.assert_says("The month was opened");
    timeline.assert_says("bkp-main.contoso.example Sent revision 1 of its report");

    let mut stranger = stranger(&world).await;
    let path = format!("/months/2026-09/evidence/{}", server.ins);
    assert_eq!(stranger.get(&path).await.status, StatusCode::NOT_FOUND);
    assert_eq!(stranger.get("/months/2026-09/timeline").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_server_that_sent_nothing_has_nothing_behind_it() {
    let (world, server) = {
        let (world, server) = month::clean_world().await;
        (world, server.ins)
    };
    let mut browser = world.provider().await;
    let page = browser.get(&format!("/months/2026-09/evidence/{server}")).await;
    page.assert_says("names no workloads: the program asks for none");
    let nobody = browser.get("/months/2026-09/evidence/ins_0191f3c4-7e2a-7cc3-98c4-dc0c0c07398f").await;
    assert_eq!(nobody.status, StatusCode::NOT_FOUND);
}
