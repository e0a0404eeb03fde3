//! New-installation laundering and obligations (protocol, F1 and F2).

use axum::http::Method;
use serde_json::json;
use tenure_core::deviation::Flag;
use tenure_license::ReportStage;

use crate::fleet::{Fleet, period};

const IDS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

/// A server that counted six hosts in January, and one that takes over on 10 February.
async fn moved(fleet: &Fleet) -> (tenure_testkit::TestInstallation, tenure_testkit::TestInstallation) {
    let license = fleet.license(fleet.company, true).await;
    let mut old = fleet.server(license, "bkp-01").await;
    fleet.app.clock.set("2026-02-02T00:00:00Z");
    let _ = fleet.app.run_jobs().await;
    fleet.report(&mut old, "2026-01", &IDS, &[]).await;
    fleet.app.clock.set("2026-02-10T00:00:00Z");
    let new = fleet.in_place_of(&old, "bkp-02").await;
    fleet.app.clock.set("2026-03-02T00:00:00Z");
    let _ = fleet.app.run_jobs().await;
    (old, new)
}

#[tokio::test]
async fn f1_what_only_moved_to_a_fresh_installation_is_charged() {
    let fleet = Fleet::new().await;
    let (_, mut new) = moved(&fleet).await;
    // A fresh repository: all is new to it, and the evidence shows the same workloads.
    fleet.report(&mut new, "2026-02", &[], &IDS).await;
    let line = fleet.line("2026-02", &new).await.expect("a line");
    assert_eq!((line.count, line.new_charged, line.new), (6, 6, 0));
}

#[tokio::test]
async fn f1_what_is_proven_unseen_costs_nothing_yet() {
    let fleet = Fleet::new().await;
    let (_, mut new) = moved(&fleet).await;
    let all_new = [IDS.as_slice(), &["g", "h"]].concat();
    fleet.report(&mut new, "2026-02", &[], &all_new).await;
    let line = fleet.line("2026-02", &new).await.expect("a line");
    assert_eq!((line.count, line.new_charged, line.new), (6, 6, 2), "two had never been seen");
}

#[tokio::test]
async fn f1_without_evidence_nothing_is_proven() {
    let fleet = Fleet::new().await;
    let (_, mut new) = moved(&fleet).await;
    let report = new.report(period("2026-02"), 1, ReportStage::Final, &[("host", "", 0, 6)]);
    new.check_in(&fleet.app, vec![new.sign_report(&report)]).await;
    let line = fleet.line("2026-02", &new).await.expect("a line");
    assert_eq!((line.count, line.new_charged), (6, 6));
}

#[tokio::test]
async fn f1_another_license_of_the_same_company_and_product_launders_nothing() {
    let fleet = Fleet::new().await;
    let license = fleet.license(fleet.company, true).await;
    let mut old = fleet.server(license, "bkp-01").await;
    fleet.app.clock.set("2026-02-02T00:00:00Z");
    let _ = fleet.app.run_jobs().await;
    fleet.report(&mut old, "2026-01", &IDS, &[]).await;
    let _ = fleet.call(Method::POST, &format!("/api/v1/licenses/{license}/revoke"), None).await.expect(200);
    let fresh = fleet.license(fleet.company, true).await;
    let mut new = fleet.server(fresh, "bkp-02").await;
    // A neighbor that nobody had before: its new ones cost nothing.
    let neighbor = fleet.license(fleet.other, true).await;
    let mut other = fleet.server(neighbor, "other").await;
    fleet.app.clock.set("2026-03-02T00:00:00Z");
    let _ = fleet.app.run_jobs().await;
    fleet.report(&mut new, "2026-02", &[], &IDS).await;
    fleet.report(&mut other, "2026-02", &["x"], &["y"]).await;
    let line = fleet.line("2026-02", &new).await.expect("a line");
    assert_eq!((line.count, line.new_charged), (6, 6));
    let line = fleet.line("2026-02", &other).await.expect("a line");
    assert_eq!((line.count, line.new_charged, line.new), (1, 0, 1));
}

#[tokio::test]
async fn f1_a_large_share_of_new_ones_on_a_young_installation_is_flagged() {
    let fleet = Fleet::new().await;
    let license = fleet.license(fleet.company, true).await;
    let mut server = fleet.server(license, "bkp-01").await;
    fleet.app.clock.set("2026-02-02T00:00:00Z");
    let _ = fleet.app.run_jobs().await;
    fleet.report(&mut server, "2026-01", &IDS[..2], &IDS[2..]).await;
    let month = fleet.month("2026-01").await;
    let flags = &month.licenses[0].flags;
    assert!(flags.contains(&Flag::NewShare { new: 4, counted: 2 }), "{flags:?}");
}

#[tokio::test]
async fn f2_no_way_out_of_a_month_and_old_ones_block_new_licenses() {
    let fleet = Fleet::new().await;
    let license = fleet.license(fleet.company, true).await;
    let server = fleet.server(license, "bkp-01").await;
    fleet.app.clock.set("2026-02-10T00:00:00Z");
    let _ = fleet.app.run_jobs().await;
    let replaced = fleet.in_place_of(&server, "bkp-01").await;
    let retire = format!("/api/v1/installations/{}/retire", replaced.ins);
    let _ = fleet.call(Method::POST, &retire, None).await.expect(200);
    let _ = fleet.call(Method::POST, &format!("/api/v1/licenses/{license}/revoke"), None).await.expect(200);
    let list = fleet.get("/api/v1/licenses").await.expect(200).json();
    let template = list["items"][0]["id"].as_str().expect("a template").to_owned();
    let _ = fleet.call(Method::DELETE, &format!("/api/v1/licenses/{template}"), None).await.expect(204);

    fleet.app.clock.set("2026-03-11T00:00:00Z");
    let _ = fleet.app.run_jobs().await;
    let nothing = |month: &str| (month.to_owned(), "nothing".to_owned());
    assert_eq!(fleet.owed(&server).await, [nothing("2026-02"), nothing("2026-01")]);
    assert_eq!(fleet.owed(&replaced).await, [nothing("2026-02")]);
    // Nothing is submitted before January is answered for.
    let month = fleet.month("2026-01").await;
    assert!(!month.blockers.is_empty(), "January waits for an answer");
    // February has nobody but the successor, which is gone: zero is an answer.
    let answer = async |month: &str, server: &tenure_testkit::TestInstallation| {
        let path = format!("/api/v1/obligations/{month}/{}", server.ins);
        fleet.call(Method::PUT, &path, Some(json!({"figures": []}))).await
    };
    let _ = answer("2026-02", &replaced).await.expect(204);
    fleet.submit("2026-02").await;
    fleet.app.clock.set("2026-04-09T00:00:00Z");
    let _ = fleet.app.run_jobs().await;
    fleet.submit("2026-03").await;
    let wanted = json!({
        "agreement": fleet.agreement.to_string(), "product": fleet.product.to_string(), "usage_type": "single_customer",
        "company": fleet.company.to_string(), "expires_on": "2026-12-31",
        "workloads": [{"workload": "host", "count": 1}],
    });
    let refused = fleet.post("/api/v1/licenses", wanted.clone()).await.expect(409);
    assert_eq!(refused.problem(), "obligation-open");
    let list = fleet.get("/api/v1/obligations?open=true").await.expect(200).json();
    let item = &list["items"][0];
    assert_eq!((&item["period"], &item["blocks"], &item["retired"]), (&json!("2026-01"), &json!(true), &json!(true)));
    let mut elsewhere = wanted.clone();
    elsewhere["company"] = json!(fleet.other.to_string());
    let _ = fleet.post("/api/v1/licenses", elsewhere).await.expect(201);
    let _ = answer("2026-01", &server).await.expect(204);
    let _ = fleet.post("/api/v1/licenses", wanted).await.expect(201);
    // Answered is not owed any more, though no submission took it yet.
    let months = |list: serde_json::Value| {
        let items = list["items"].as_array().expect("items").clone();
        items.iter().map(|item| item["period"].as_str().expect("a month").to_owned()).collect::<Vec<_>>()
    };
    let open = months(fleet.get("/api/v1/obligations?open=true&limit=200").await.expect(200).json());
    let owed = months(fleet.get("/api/v1/obligations?owed=true&limit=200").await.expect(200).json());
    let accounted = months(fleet.get("/api/v1/obligations?owed=false&limit=200").await.expect(200).json());
    assert!(open.contains(&"2026-01".to_owned()) && !owed.contains(&"2026-01".to_owned()), "{open:?} {owed:?}");
    assert!(accounted.contains(&"2026-01".to_owned()), "{accounted:?}");
    assert_eq!(fleet.owed(&server).await.last(), Some(&("2026-01".to_owned(), "answer".to_owned())));
    let paged = fleet.get("/api/v1/obligations?limit=1").await.expect(200).json();
    let next = paged["next"].as_str().expect("a cursor");
    let rest = fleet.get(&format!("/api/v1/obligations?limit=1&cursor={next}")).await.expect(200).json();
    assert_ne!(paged["items"][0], rest["items"][0]);
}
