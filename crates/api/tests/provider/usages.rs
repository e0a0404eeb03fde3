//! A month over HTTP: what was seen is named, and everything about it can be had.

use axum::http::Method;
use serde_json::{Value, json};
use tenure_license::ReportStage;
use tenure_service::{Actor, ActorKind, NewToken, TokenScope, create_token};
use tenure_testkit::{Answer, TestInstallation};

use crate::scene::Scene;

const MONTH: &str = "/api/v1/monthly-usages/2026-01";

struct Desk {
    scene: Scene,
    provider: String,
    distributor: String,
    server: TestInstallation,
}

impl Desk {
    /// On 4 February; the one server reported January.
    async fn new() -> Self {
        let scene = Scene::new().await;
        let mut server = scene.server().await;
        let app = &scene.app;
        app.clock.set("2026-02-04T09:00:00Z");
        app.run_jobs().await;
        let report = server.report("2026-01".parse().expect("a month"), 1, ReportStage::Final, &[("host", "", 9, 2)]);
        let report = server.sign_report(&report);
        server.check_in(app, vec![report]).await;
        let token = async |actor: &Actor| {
            let input = NewToken {
                name: "script".to_owned(),
                scope: TokenScope::Manage,
                site: None,
                expires: "2027-01-01T00:00:00Z".parse().expect("an instant"),
            };
            let actor = Actor { kind: ActorKind::Operator, ..actor.clone() };
            create_token(&app.service, &actor, input, None).await.expect("a token").token.to_string()
        };
        let (provider, distributor) = (token(&scene.provider).await, token(&scene.distributor).await);
        Self { scene, provider, distributor, server }
    }

    async fn get(&self, path: &str) -> Answer {
        self.scene.app.get(&self.provider, &format!("{MONTH}{path}")).await
    }

    /// The same figures stand in all four, and what can be verified verifies.
    async fn reads_its_report_in_every_format(&self) {
        let json = self.get("/report/json").await.expect(200);
        let file = tenure_report::ReportFile::read(&json.text()).expect("a report");
        assert_eq!(file.agrees(), Ok(()));
        assert_eq!(file.paper.totals.reported.to_string(), "40.5");
        assert!(file.receipt.is_some() && file.paper.submission.is_some());
        let pdf = self.get("/report/pdf").await.expect(200);
        assert_eq!(pdf.headers["content-type"], "application/pdf");
        let inside = tenure_report::read_pdf(&pdf.body).expect("the report inside");
        assert_eq!(inside.paper.lines, file.paper.lines);
        assert_eq!(tenure_report::pdf(&inside).expect("a PDF"), pdf.body, "the pages are those of the data");
        let xlsx = self.get("/report/xlsx").await.expect(200);
        assert!(xlsx.body.starts_with(b"PK"));
        assert_eq!(xlsx.headers["content-disposition"], "attachment; filename=\"license-usage-2026-01.xlsx\"");
        assert_eq!(self.get("/report/csv").await.expect(200).body, self.get("/lines.csv").await.expect(200).body);
    }

    async fn month(&self) -> Value {
        self.get("").await.expect(200).json()
    }

    async fn tag(&self) -> String {
        self.get("").await.expect(200).headers["etag"].to_str().expect("a tag").to_owned()
    }

    async fn send(&self, token: &str, method: Method, path: &str, body: Value, tag: Option<&str>) -> Answer {
        let headers: Vec<(&str, &str)> = tag.iter().map(|tag| ("if-match", *tag)).collect();
        self.scene.app.call(method, path, Some(token), Some(body), &headers).await
    }

    async fn submit(&self) {
        let tag = self.tag().await;
        let path = format!("{MONTH}/submit");
        let _ = self.send(&self.provider, Method::POST, &path, json!({}), Some(&tag)).await.expect(200);
    }

    async fn id(&self) -> String {
        self.month().await["id"].as_str().expect("an id").to_owned()
    }

    async fn decide(&self, what: &str, tag: Option<&str>) -> Answer {
        let path = format!("/api/v1/monthly-usages/{}/{what}", self.id().await);
        self.send(&self.distributor, Method::POST, &path, json!({"reason": "look again"}), tag).await
    }
}

#[tokio::test]
async fn f9_decisions_name_the_lines_and_412_says_what_changed() {
    let desk = Desk::new().await;
    let seen = desk.tag().await;
    let figure = format!("{MONTH}/adjustments/{}/host", desk.server.ins);
    desk.scene.app.clock.advance_secs(60);
    let _ = desk.send(&desk.provider, Method::PUT, &figure, json!({"count": 11}), None).await.expect(204);
    let path = format!("{MONTH}/submit");
    let refused = desk.send(&desk.provider, Method::POST, &path, json!({}), Some(&seen)).await.expect(412);
    let changes = refused.json()["changes"].clone();
    assert_eq!(changes[0]["text"], "bkp-01.contoso.example, host: 9 before, 11 now; adjusted by script");
    assert_eq!((&changes[0]["before"], &changes[0]["after"]), (&json!(9), &json!(11)));
    assert_eq!(changes[0]["installation"], desk.server.ins.to_string());
    desk.submit().await;
    for what in ["approve", "reject"] {
        assert_eq!(desk.decide(what, None).await.expect(428).problem(), "precondition-required");
        assert_eq!(desk.decide(what, Some(&seen)).await.expect(412).problem(), "changed");
    }
    let now = desk.tag().await;
    let _ = desk.decide("reject", Some(&now)).await.expect(204);
    assert_eq!(desk.month().await["state"], "rejected");
}

#[tokio::test]
async fn everything_about_a_month_can_be_had() {
    let desk = Desk::new().await;
    let app = &desk.scene.app;
    let line = desk.month().await["lines"][0].clone();
    let mark = json!({"lines": [line["tag"]], "reviewed": true});
    let marked = desk.send(&desk.provider, Method::PUT, &format!("{MONTH}/reviewed"), mark, None).await.expect(200);
    assert_eq!(marked.json()["changed"], 1);
    assert_eq!(desk.month().await["lines"][0]["reviewed"]["by"], "script");

    let evidence = desk.get(&format!("/evidence/{}", desk.server.ins)).await.expect(200).json();
    assert_eq!((&evidence["whole"], &evidence["root"], &evidence["items"]), (&json!(false), &Value::Null, &json!([])));
    let timeline = desk.get("/timeline?limit=2").await.expect(200).json();
    assert_eq!(timeline["items"].as_array().map(Vec::len), Some(2));
    let next = format!("/timeline?cursor={}", timeline["next"].as_str().expect("a cursor"));
    assert!(desk.get(&next).await.expect(200).json()["items"].as_array().is_some_and(|rest| !rest.is_empty()));
    assert_eq!(desk.get("/difference").await.expect(404).problem(), "not-found");
    let csv = desk.get("/lines.csv").await.expect(200);
    assert_eq!(csv.headers["content-type"], "text/csv; charset=utf-8");
    let text = csv.text();
    assert!(
        text.lines()
            .nth(1)
            .is_some_and(|row| row.contains(",bkp-01.contoso.example,host,,automatic,12,2,9,9,,4.5,40.5,")),
        "{text}"
    );
    assert_eq!(desk.get("/invoice").await.expect(409).problem(), "month-state");

    let draft = desk.get("/report/json").await.expect(200).json();
    assert_eq!((&draft["paper"]["submission"], &draft["receipt"]), (&Value::Null, &Value::Null), "{draft}");
    let unknown = desk.get("/report/docx").await.expect(404).problem();
    assert_eq!(unknown, "not-found");

    desk.submit().await;
    desk.reads_its_report_in_every_format().await;
    let receipts = desk.get("/receipts").await.expect(200).json();
    let kinds: Vec<&Value> = receipts["items"].as_array().expect("items").iter().map(|one| &one["kind"]).collect();
    assert_eq!(kinds, ["submission", "report"]);
    let saved = desk.get(&format!("/reports/{}", desk.server.ins)).await.expect(200).json();
    assert_eq!(saved["key"], desk.server.key.public().to_string());
    assert_eq!(saved["report"]["payloadType"], "application/vnd.tenure.usage-report.v1+json");
    let saved = desk.get("/submissions/1").await.expect(200).json();
    assert!(saved["lines"].as_str().is_some_and(|lines| lines.starts_with("[{\"product\":")));
    assert_eq!(desk.get("/submissions/2").await.expect(404).problem(), "not-found");

    let tag = desk.tag().await;
    let _ = desk.decide("approve", Some(&tag)).await.expect(204);
    let invoice = desk.get("/invoice").await.expect(200).json();
    assert_eq!((&invoice["items"][0]["count"], &invoice["items"][0]["points"]), (&json!(9), &json!("40.5")));
    let csv = desk.get("/invoice.csv").await.expect(200).text();
    assert!(csv.contains("Lakeside Distribution,Northlight Hosting,RA-20117,,2026-01,,"), "{csv}");

    // A closed month is corrected by hand, once per key.
    let correction = json!({
        "product": line["product"]["id"], "workload": "host", "delta": 2, "license": line["license"],
        "note": "Two were forgotten.",
    });
    let path = format!("{MONTH}/corrections");
    let add = async || {
        let headers = [("idempotency-key", "k1")];
        let body = Some(correction.clone());
        app.call(Method::POST, &path, Some(&desk.provider), body, &headers).await.expect(201).json()
    };
    let added = add().await;
    assert_eq!(added["billed_in"], "2026-02");
    assert_eq!(add().await, added, "done once");
    let list = app.get(&desk.provider, "/api/v1/corrections?of=2026-01").await.expect(200).json();
    assert_eq!(list["items"].as_array().map(Vec::len), Some(1));
    assert_eq!((&list["items"][0]["points"], &list["items"][0]["origin"]), (&json!("9"), &json!("by_hand")));
    let remove = format!("{path}/{}", added["id"].as_str().expect("an id"));
    let removed = app.call(Method::DELETE, &remove, Some(&desk.provider), None, &[]).await;
    let _ = removed.expect(204);

    let _ = app.get(&desk.provider, "/api/v1/missed-deadlines").await.expect(403);
    let missed = app.get(&desk.distributor, "/api/v1/missed-deadlines").await.expect(200).json();
    assert_eq!(missed["items"], json!([]));
    let rule = "/api/v1/approval-rule";
    assert_eq!(app.get(&desk.distributor, rule).await.expect(200).json(), json!({"on": false, "since": null}));
    let _ = desk.send(&desk.distributor, Method::PUT, rule, json!({"on": true}), None).await.expect(204);
    let on = app.get(&desk.distributor, rule).await.expect(200).json();
    assert_eq!((&on["on"], &on["since"]["by"]), (&json!(true), &json!("script")));
}
