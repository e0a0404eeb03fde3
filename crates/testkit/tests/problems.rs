//! Every kind of refusal has its line in the catalog and is really met by somebody.

use std::collections::BTreeSet;

use axum::{
    body::Body,
    http::{Method, Request},
};
use serde_json::{Value, json};
use tenure_core::{OrgId, Points, UserId, roles::Role};
use tenure_license::{ReportStage, SigningKey};
use tenure_service::{
    Actor, ActorKind, Catalog, Init, LimitPolicy, Limits, LinesTag, MonthRef, ProblemKind, SealingKey, SubmitInput,
    approve_month, prepare_init, submit_month, view_month,
};
use tenure_store::{
    Options, Queue, StoreError,
    idempotency::{self, IdempotencyKey},
    rows::{deployment, monthly_usage},
    testing::TestStore,
};
use tenure_testkit::{Answer, Authenticator, TestApp, TestInstallation, from, wait_for_async};

/// The kinds met so far.
#[derive(Default)]
struct Met(BTreeSet<&'static str>);

impl Met {
    #[track_caller]
    fn see(&mut self, kind: ProblemKind) {
        self.0.insert(kind.slug());
    }
    /// A problem document with all its words.
    #[track_caller]
    fn expect(&mut self, answer: &Answer, kind: ProblemKind) {
        assert_eq!(answer.status.as_u16(), kind.status(), "{}: {}", kind.slug(), answer.text());
        let json = answer.json();
        assert_eq!(answer.problem(), kind.slug(), "{json}");
        assert_eq!(json["title"], kind.title());
        assert!(json["why"].as_str().is_some_and(|why| !why.is_empty()));
        assert!(json["what_to_do"].as_str().is_some_and(|todo| !todo.is_empty()));
        assert_eq!(json["operation"].as_str(), answer.headers["x-operation-id"].to_str().ok());
        self.see(kind);
    }
}

/// One provider with one license and one server.
struct Scene {
    app: TestApp,
    vendor: String,
    provider: OrgId,
    distributor: OrgId,
    session: String,
    agreement: String,
    /// An agreement that ends within the first month.
    short: String,
    company: String,
}

fn text(json: &Value, name: &str) -> String {
    json[name].as_str().unwrap_or_else(|| panic!("no {name} in {json}")).to_owned()
}

async fn sign_in(app: &TestApp, email: &str, password: &str) -> String {
    let body = json!({"email": email, "password": password});
    text(&app.post("", "/api/v1/sign-in", body).await.expect(200).json(), "token")
}

impl Scene {
    async fn new(app: TestApp) -> Self {
        let vendor = sign_in(&app, &app.admin_email, &app.admin_password).await;
        let add = async |kind: &str| {
            let body = json!({"kind": kind, "name": format!("Some {kind}")});
            text(&app.post(&vendor, "/api/v1/organizations", body).await.expect(201).json(), "id")
        };
        let (distributor, provider) = (add("distributor").await, add("provider").await);
        let agreed = async |number: &str, ends: &str| {
            let agreement = json!({
                "distributor": distributor, "provider": provider, "number": number, "kind": "volume", "commit": "0",
                "signed_at": "2026-01-01T00:00:00Z", "ends_at": ends,
            });
            text(&app.post(&vendor, "/api/v1/agreements", agreement).await.expect(201).json(), "id")
        };
        let agreement = agreed("RA-1", "2026-12-01T00:00:00Z").await;
        let short = agreed("RA-2", "2026-01-20T00:00:00Z").await;
        let person = json!({"email": "ann@north.example", "name": "Ann", "role": "provider_full_access"});
        let path = format!("/api/v1/organizations/{provider}/people");
        let password = text(&app.post(&vendor, &path, person).await.expect(201).json(), "password");
        let session = sign_in(&app, "ann@north.example", &password).await;
        let company = json!({"name": "Contoso AG"});
        let company = text(&app.post(&session, "/api/v1/companies", company).await.expect(201).json(), "id");
        let (provider, distributor) = (provider.parse().expect("an id"), distributor.parse().expect("an id"));
        Self { app, vendor, provider, distributor, session, agreement, short, company }
    }

    async fn license(&self, extra: Value) -> Answer {
        self.license_as(&self.session, extra).await
    }

    async fn license_as(&self, session: &str, extra: Value) -> Answer {
        let catalog = self.app.get(session, "/api/v1/catalog").await.expect(200).json();
        let products = catalog["products"].as_array().expect("products");
        let product = products.iter().find(|product| product["code"] == "file-backup").expect("the product");
        let mut body = json!({
            "agreement": self.agreement, "product": product["id"], "usage_type": "single_customer",
            "expires_on": "2026-11-30", "workloads": [{"workload": "host", "count": 30}],
        });
        for (name, value) in extra.as_object().expect("an object") {
            body[name] = value.clone();
        }
        self.app.post(session, "/api/v1/licenses", body).await
    }

    async fn code(&self, template: &str) -> String {
        let path = format!("/api/v1/licenses/{template}/download");
        text(&self.app.post(&self.session, &path, json!({})).await.expect(200).json(), "activation_code")
    }

    fn person(&self, org: OrgId, role: Role, id: u128) -> Actor {
        let kind = ActorKind::Person(UserId::from_uuid(uuid::Uuid::from_u128(id)));
        assert!(org == self.provider || org == self.distributor);
        Actor { kind, org, role, site: None }
    }

    async fn month_id(&self) -> MonthRef {
        let provider = self.person(self.provider, Role::ProviderFullAccess, 1);
        let month = view_month(&self.app.service, &provider, MonthRef::Own("2026-01".parse().expect("a month")));
        MonthRef::Id(month.await.expect("the month").head.id)
    }

    async fn tag(&self) -> LinesTag {
        let provider = self.person(self.provider, Role::ProviderFullAccess, 1);
        let month = view_month(&self.app.service, &provider, MonthRef::Own("2026-01".parse().expect("a month")));
        month.await.expect("the month").tag
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_of_problem_is_met_and_explained() {
    let mut met = Met::default();
    let mut scene = Scene::new(TestApp::new("2026-01-05T09:00:00Z").await).await;
    of_anybody(&mut met, &scene).await;
    let server = of_licenses(&mut met, &scene).await;
    of_months(&mut met, &scene, server).await;
    of_time(&mut met, &mut scene).await;
    of_machines(&mut met).await;
    of_two_at_once(&mut met).await;
    of_the_impatient(&mut met).await;
    let all: BTreeSet<&str> = ProblemKind::ALL.iter().map(|kind| kind.slug()).collect();
    let unmet: Vec<_> = all.difference(&met.0).collect();
    assert!(unmet.is_empty(), "no test meets {unmet:?}: trigger them here, or drop them from the catalog");
}

async fn of_anybody(met: &mut Met, scene: &Scene) {
    let app = &scene.app;
    met.expect(&app.get("nothing", "/api/v1/catalog").await, ProblemKind::Unauthenticated);
    let wrong = json!({"email": "ann@north.example", "password": "wrong"});
    met.expect(&app.post("", "/api/v1/sign-in", wrong).await, ProblemKind::SignInFailed);
    of_codes(met, scene).await;
    let token = json!({"name": "reader", "scope": "read", "expires_at": "2026-06-01T00:00:00Z"});
    let token = text(&app.post(&scene.session, "/api/v1/tokens", token).await.expect(201).json(), "token");
    let company = json!({"name": "Fabrikam"});
    met.expect(&app.post(&token, "/api/v1/companies", company).await, ProblemKind::Forbidden);
    let nameless = json!({"name": ""});
    met.expect(&app.post(&scene.session, "/api/v1/companies", nameless).await, ProblemKind::InvalidInput);
    let nobody = "/api/v1/licenses/tpl_019b8d62-7a80-7ddf-a854-0a63c149223f";
    met.expect(&app.get(&scene.session, nobody).await, ProblemKind::NotFound);
    let cut_off = Request::post("/api/v1/companies")
        .header("authorization", format!("Bearer {}", scene.session))
        .header("content-type", "application/json")
        .body(Body::from("{\"name\": \"Cont"))
        .expect("a request");
    met.expect(&app.send(cut_off).await, ProblemKind::MalformedBody);
    let other_site = Request::post("/sign-in")
        .header("sec-fetch-site", "cross-site")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from("email=a&password=b"))
        .expect("a request");
    let page = app.send(other_site).await.expect(403).text();
    assert!(page.contains(ProblemKind::CrossSite.what_to_do().split('.').next().expect("a sentence")), "{page}");
    met.see(ProblemKind::CrossSite);
    let keyed = async |name: &str| {
        let headers = [("idempotency-key", "one")];
        let body = Some(json!({"name": name}));
        app.call(Method::POST, "/api/v1/companies", Some(&scene.session), body, &headers).await
    };
    let works = text(&keyed("Adventure Works").await.expect(201).json(), "id");
    of_parties(met, scene, &works).await;
    met.expect(&keyed("Other Works").await, ProblemKind::IdempotencyMismatch);
}

/// Somebody who signs in with a second step.
async fn of_codes(met: &mut Met, scene: &Scene) {
    let app = &scene.app;
    let person = json!({"email": "eve@north.example", "name": "Eve", "role": "provider_read_only"});
    let path = format!("/api/v1/organizations/{}/people", scene.provider);
    let password = text(&app.post(&scene.vendor, &path, person).await.expect(201).json(), "password");
    let session = sign_in(app, "eve@north.example", &password).await;
    let begin = json!({"password": password});
    let begun = app.post(&session, "/api/v1/me/second-step", begin).await.expect(200).json();
    let code = Authenticator::new(&text(&begun, "secret")).code(app.service.now());
    let _ = app.post(&session, "/api/v1/me/second-step/confirm", json!({"code": code})).await.expect(200);
    let body = json!({"email": "eve@north.example", "password": password});
    met.expect(&app.post("", "/api/v1/sign-in", body).await, ProblemKind::SecondStep);
}

async fn of_parties(met: &mut Met, scene: &Scene, company: &str) {
    let app = &scene.app;
    let patch = async |token: &str, path: &str, body: Value, tag: &str| {
        app.call(Method::PATCH, path, Some(token), Some(body), &[("if-match", tag)]).await
    };
    let path = format!("/api/v1/companies/{company}");
    let close = json!({"open": false});
    met.expect(&patch(&scene.session, &path, close.clone(), "\"AAAAAAAA\"").await, ProblemKind::Stale);
    let site = format!("/api/v1/organizations/{}/sites", scene.provider);
    let site = text(&app.post(&scene.vendor, &site, json!({"name": "Rome"})).await.expect(201).json(), "id");
    let _ = patch(&scene.session, &path, json!({"site": site}), "*").await.expect(200);
    let of_site = format!("/api/v1/organizations/{}/sites/{site}", scene.provider);
    met.expect(&patch(&scene.vendor, &of_site, close.clone(), "*").await, ProblemKind::InUse);
    let _ = patch(&scene.session, &path, json!({"site": null, "open": false}), "*").await.expect(200);
    let _ = patch(&scene.vendor, &of_site, close, "*").await.expect(200);
    met.expect(&patch(&scene.session, &path, json!({"site": site}), "*").await, ProblemKind::Inactive);
    let me = text(&app.get(&scene.session, "/api/v1/me").await.expect(200).json(), "person");
    let ann = format!("/api/v1/people/{me}");
    let less = json!({"role": "provider_read_only"});
    met.expect(&patch(&scene.session, &ann, less.clone(), "*").await, ProblemKind::RoleRefused);
    met.expect(&patch(&scene.vendor, &ann, less, "*").await, ProblemKind::LastAdministrator);
}

async fn of_licenses(met: &mut Met, scene: &Scene) -> TestInstallation {
    let app = &scene.app;
    met.expect(&scene.license(json!({"automatic_reporting": true})).await, ProblemKind::ReportingFixed);
    let template = text(&scene.license(json!({})).await.expect(201).json(), "id");
    let download = format!("/api/v1/licenses/{template}/download");
    met.expect(&app.post(&scene.session, &download, json!({})).await, ProblemKind::NotAssigned);
    let assign = format!("/api/v1/licenses/{template}/assign");
    let to = json!({"company": scene.company});
    let _ = app.post(&scene.session, &assign, to.clone()).await.expect(200);
    met.expect(&app.post(&scene.session, &assign, to).await, ProblemKind::AlreadyAssigned);
    let decision = format!("/api/v1/enrollment/{}/decision", scene.provider);
    let yes = json!({"approve": true, "reason": ""});
    met.expect(&app.post(&scene.vendor, &decision, yes).await, ProblemKind::EnrollmentState);

    let code = scene.code(&template).await;
    let (key, other) = (SigningKey::generate(&*app.rng), SigningKey::generate(&*app.rng));
    let with = async |key, code, product| TestInstallation::try_activate(app, key, code, product, "h").await;
    met.expect(&with(&key, "no code at all", "file-backup").await, ProblemKind::CodeUnknown);
    met.expect(&with(&key, &code, "mail-backup").await, ProblemKind::WrongProduct);
    let mut server = TestInstallation::activate(app, &code, "file-backup", "h").await;
    met.expect(&with(&other, &code, "file-backup").await, ProblemKind::CodeUsed);
    let again = scene.code(&template).await;
    met.expect(&with(&server.key, &again, "file-backup").await, ProblemKind::KeyRefused);
    of_fleets(met, scene, &template).await;
    let late = scene.code(&template).await;
    let resolve = format!("/api/v1/installations/{}/resolve", server.ins);
    let verdict = json!({"verdict": "one_machine"});
    met.expect(&app.post(&scene.session, &resolve, verdict).await, ProblemKind::InstallationState);
    app.clock.advance_secs(5 * 86_400);
    met.expect(&with(&other, &late, "file-backup").await, ProblemKind::CodeLapsed);

    let request = server.request(&*app.rng, app.service.now(), &[]);
    let mut body = server.exchange(&request, Vec::new());
    body.request.signatures[0].sig[0] ^= 1;
    met.expect(&TestInstallation::post(app, &body).await, ProblemKind::BadSignature);
    body.request.signatures[0].keyid = other.key_id().to_string();
    met.expect(&TestInstallation::post(app, &body).await, ProblemKind::UnknownKey);
    server.seq = 0;
    let new = SigningKey::generate(&*app.rng);
    let rotation = server.rotation(&*app.rng, app.service.now(), &new);
    let answer = TestInstallation::post(app, &rotation).await.expect(200);
    server.absorb(app, &rotation, &answer);
    let request = server.request(&*app.rng, app.service.now(), &[]);
    let body = server.exchange(&request, Vec::new());
    met.expect(&TestInstallation::post(app, &body).await, ProblemKind::KeyRetired);
    server.key = new;
    server
}

/// A token of a fleet, shown from elsewhere, and when the license has enough servers.
async fn of_fleets(met: &mut Met, scene: &Scene, template: &str) {
    let app = &scene.app;
    let token = json!({
        "name": "fleet", "servers": 9, "license_limit": 1, "networks": ["10.0.0.0/8"],
        "expires_at": "2026-01-09T00:00:00Z",
    });
    let path = format!("/api/v1/licenses/{template}/enroll-tokens");
    let token = text(&app.post(&scene.session, &path, token).await.expect(201).json(), "token");
    let key = SigningKey::generate(&*app.rng);
    for (address, kind) in [("192.0.2.1", ProblemKind::EnrollRefused), ("10.0.0.1", ProblemKind::ApprovalAwaited)] {
        let asked = TestInstallation::try_activate_from(app, address, &key, &token, "file-backup", "h");
        met.expect(&asked.await, kind);
    }
}

async fn of_months(met: &mut Met, scene: &Scene, mut server: TestInstallation) {
    let app = &scene.app;
    app.clock.set("2026-02-04T09:00:00Z");
    let _ = app.run_jobs().await;
    let session = session(scene).await;
    let month = "/api/v1/monthly-usages/2026-01";
    let etag = |answer: &Answer| answer.headers["etag"].to_str().expect("a tag").to_owned();
    let submit = async |tag: Option<&str>| {
        let headers: Vec<(&str, &str)> = tag.iter().map(|tag| ("if-match", *tag)).collect();
        app.call(Method::POST, &format!("{month}/submit"), Some(&session), Some(json!({})), &headers).await
    };
    let over = scene.license_as(&session, json!({"agreement": scene.short, "expires_on": "2026-01-19"})).await;
    met.expect(&over, ProblemKind::AgreementOver);
    let before = etag(&app.get(&session, month).await.expect(200));
    met.expect(&submit(None).await, ProblemKind::PreconditionRequired);
    met.expect(&submit(Some(&before)).await, ProblemKind::MonthBlocked);
    let report = server.report("2026-01".parse().expect("a month"), 1, ReportStage::Final, &[("host", "", 50, 0)]);
    let report = server.sign_report(&report);
    let _ = server.check_in(app, vec![report]).await;
    met.expect(&submit(Some(&before)).await, ProblemKind::Changed);

    // Lowered so far that the vendor has to consent too.
    let figure = format!("{month}/adjustments/{}/host", server.ins);
    let lower = json!({"count": 5, "reason": "duplicate", "note": "Counted twice."});
    let _ = app.call(Method::PUT, &figure, Some(&session), Some(lower), &[]).await;
    let own = MonthRef::Own("2026-01".parse().expect("a month"));
    let submitter = scene.person(scene.provider, Role::ProviderFullAccess, 1);
    let input = SubmitInput { seen: scene.tag().await, purchase_order: None, comment: None };
    submit_month(&app.service, &submitter, own, input).await.expect("it is submitted");
    let lower = json!({"count": 4, "reason": "duplicate", "note": "Counted twice."});
    let submitted = app.call(Method::PUT, &figure, Some(&session), Some(lower), &[]).await;
    met.expect(&submitted, ProblemKind::MonthState);
    let (id, seen) = (scene.month_id().await, scene.tag().await);
    let approve = async |who: u128, seen| {
        let decider = scene.person(scene.distributor, Role::DistributorAdministrator, who);
        approve_month(&app.service, &decider, id, seen).await.expect_err("it is refused").problem().kind
    };
    assert_eq!(approve(1, seen).await, ProblemKind::OwnSubmission);
    met.see(ProblemKind::OwnSubmission);
    assert_eq!(approve(2, seen).await, ProblemKind::VendorConsentMissing);
    met.see(ProblemKind::VendorConsentMissing);
    let by = |id| scene.person(scene.distributor, Role::DistributorAdministrator, id);
    tenure_service::set_approval_limit(&app.service, &by(2), Some(Points::ZERO)).await.expect("two people");
    let vendor = Actor { org: app.vendor, role: Role::VendorAdministrator, ..by(4) };
    tenure_service::consent_to_month(&app.service, &vendor, id, scene.tag().await).await.expect("consent");
    let seen = scene.tag().await;
    approve_month(&app.service, &by(2), id, seen).await.expect("the first");
    assert_eq!(approve(2, seen).await, ProblemKind::SecondPersonMissing);
    met.see(ProblemKind::SecondPersonMissing);
    tenure_service::set_approval_limit(&app.service, &by(2), None).await.expect("one person again");
}

/// A fresh session: the old one ended with the clock's leap.
async fn session(scene: &Scene) -> String {
    let app = &scene.app;
    let vendor = sign_in(app, &app.admin_email, &app.admin_password).await;
    let email = format!("ben{}@north.example", app.service.now().as_secs());
    let person = json!({"email": email, "name": "Ben", "role": "provider_full_access"});
    let path = format!("/api/v1/organizations/{}/people", scene.provider);
    let password = text(&app.post(&vendor, &path, person).await.expect(201).json(), "password");
    sign_in(app, &email, &password).await
}

async fn of_time(met: &mut Met, scene: &mut Scene) {
    // February and March are not submitted: suspended.
    scene.app.clock.set("2026-04-12T00:00:00Z");
    let _ = scene.app.run_jobs().await;
    scene.session = session(scene).await;
    let company = json!({"company": scene.company});
    met.expect(&scene.license(company.clone()).await, ProblemKind::Suspended);
    // As if both had been submitted: then the server's silence since February counts.
    for period in ["2026-02", "2026-03"] {
        let (provider, period) = (scene.provider, period.parse().expect("a month"));
        let write = async move |tx: &mut tenure_store::Tx| {
            let mut row = monthly_usage::lock(tx, provider, period).await?.expect("the month is open");
            row.state = tenure_core::cycle::UsageState::PendingDistributorReview;
            row.submitted = Some(row.opened);
            row.submissions = 1;
            monthly_usage::update(tx, &row).await
        };
        scene.app.service.store().write::<_, StoreError, _>(Queue::People, write).await.expect("it is written");
    }
    scene.app.clock.set("2026-05-02T00:00:00Z");
    scene.session = session(scene).await;
    met.expect(&scene.license(company).await, ProblemKind::ObligationOpen);
}

/// What happens to machines at 3 a.m.
async fn of_machines(met: &mut Met) {
    const AT: &str = "2026-01-05T09:00:00Z";
    let company = |n: usize| json!({"name": format!("{n} {}", "x".repeat(190))});

    // A writer that is held up, and a queue of two.
    let small = TestStore::sqlite_with(Options { queue: 2, ..Options::default() }).await;
    let scene = Scene::new(TestApp::on_store(small.store.clone(), AT, Catalog::sample()).await).await;
    let (release, held) = tokio::sync::oneshot::channel::<()>();
    let held = std::sync::Arc::new(tokio::sync::Mutex::new(held));
    let store = small.store.clone();
    let holder = tokio::spawn(async move {
        let hold = async move |_: &mut tenure_store::Tx| {
            let _ = (&mut *held.lock().await).await;
            Ok::<_, StoreError>(())
        };
        store.write(Queue::Jobs, hold).await
    });
    let busy = wait_for_async("a full queue", std::time::Duration::from_mins(1), async || {
        // Those that find a place wait for the holder; dropped, they are never run.
        let post = scene.app.post(&scene.session, "/api/v1/companies", company(0));
        let answer = tokio::time::timeout(std::time::Duration::from_millis(200), post).await.ok()?;
        (answer.status == 503).then_some(answer)
    })
    .await;
    met.expect(&busy, ProblemKind::Busy);
    assert!(busy.headers.contains_key("retry-after"));
    release.send(()).expect("the holder waits");
    holder.await.expect("no panic").expect("it is written");

    // Another deployment in the same database, a stored document that is damaged, a database that is gone.
    let sealing = SealingKey::generate(&*scene.app.rng);
    let init = Init {
        vendor: "Another".to_owned(),
        email: "a@b.example".to_owned(),
        servers: Vec::new(),
        catalog: Catalog::sample(),
        test_clock: true,
    };
    let again = prepare_init(&small.store, &*scene.app.clock, &*scene.app.rng, &sealing, init).await;
    assert_eq!(again.err().map(|error| error.problem().kind), Some(ProblemKind::AlreadyInitialized));
    met.see(ProblemKind::AlreadyInitialized);
    let damage = async |tx: &mut tenure_store::Tx| deployment::insert_root(tx, 2, "not a trust root").await;
    small.store.write::<_, StoreError, _>(Queue::Jobs, damage).await.expect("it is written");
    let root = scene.app.call(Method::GET, "/product/v1/root", None, None, &[]).await;
    met.expect(&root, ProblemKind::Internal);
    small.store.close().await;
    met.expect(&scene.app.get(&scene.session, "/api/v1/catalog").await, ProblemKind::StorageFailed);

    // A clock that jumped.
    let jumped = Scene::new(TestApp::new(AT).await).await;
    for _ in 0..2 {
        tenure_service::watch_clock(&jumped.app.service).await.expect("the newest time is kept");
        jumped.app.clock.jump_secs(-3600);
    }
    met.expect(&jumped.app.post(&jumped.session, "/api/v1/companies", company(0)).await, ProblemKind::Halted);

    // A disk with little room.
    let narrow = TestStore::sqlite_with(Options { max_pages: Some(180), ..Options::default() }).await;
    let scene = Scene::new(TestApp::on_store(narrow.store.clone(), AT, Catalog::sample()).await).await;
    let mut full = None;
    for n in 0..2_000 {
        let answer = scene.app.post(&scene.session, "/api/v1/companies", company(n)).await;
        if answer.status != 201 {
            full = Some(answer);
            break;
        }
    }
    met.expect(&full.expect("the disk runs full"), ProblemKind::StorageFull);
    let _ = scene.app.get(&scene.session, "/api/v1/companies").await.expect(200);
}

/// Only PostgreSQL has two writers: the same key, while the first is still at work.
async fn of_two_at_once(met: &mut Met) {
    let postgres = TestStore::postgres().await;
    let store = postgres.store.clone();
    let scene = Scene::new(TestApp::on_store(store.clone(), "2026-01-05T09:00:00Z", Catalog::sample()).await).await;
    let token = json!({"name": "script", "scope": "manage", "expires_at": "2026-06-01T00:00:00Z"});
    let token = scene.app.post(&scene.session, "/api/v1/tokens", token).await.expect(201).json();
    let key = IdempotencyKey {
        org: scene.provider,
        principal: text(&token, "id"),
        operation: "company.create",
        key: "one".to_owned(),
    };
    let (token, now) = (text(&token, "token"), scene.app.service.now());
    let app = std::sync::Arc::new(scene.app);
    let asking = std::sync::Arc::clone(&app);
    let hold = async move |tx: &mut tenure_store::Tx| {
        idempotency::begin(tx, &key, &[0; 32], now).await?;
        let body = Some(json!({"name": "Contoso"}));
        let headers = [("idempotency-key", "one")];
        Ok::<_, StoreError>(asking.call(Method::POST, "/api/v1/companies", Some(&token), body, &headers).await)
    };
    let answer = store.write(Queue::People, hold).await.expect("the first ends");
    met.expect(&answer, ProblemKind::IdempotencyInFlight);
}

/// Who asks more often than allowed is told when to come back.
async fn of_the_impatient(met: &mut Met) {
    let app = TestApp::new("2026-01-05T09:00:00Z").await;
    let one = "1/1".parse().ok();
    let policy = LimitPolicy { address: one, ..LimitPolicy::OFF };
    app.service.limit(Limits::new(policy, app.clock.clone(), app.rng.clone()));
    let ask = async || app.send(from("203.0.113.9", Request::get("/api/v1/openapi.json"))).await;
    let _ = ask().await.expect(200);
    let refused = ask().await;
    met.expect(&refused, ProblemKind::TooManyRequests);
    assert_eq!(refused.headers["retry-after"].to_str().ok(), Some(&*refused.json()["retry_after_s"].to_string()));
}
