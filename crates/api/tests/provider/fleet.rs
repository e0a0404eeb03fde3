//! A provider with two companies, licenses of file servers, and servers that activate them.

use axum::http::Method;
use serde_json::{Value, json};
use tenure_core::{
    AgreementId, AgreementKind, CompanyId, LicenseId, Period, Points, ProductId, UsageType,
    roles::{OrgKind, Role},
};
use tenure_license::{
    Counted, Envelope, EvidenceRef, Hash, ReportStage, WorkloadEvidence, WorkloadRow, evidence_root, sign,
};
use tenure_service::{
    Actor, ActorKind, Decision, LicenseKey, Line, Month, MonthRef, NewAgreement, NewCompany, NewLicense,
    NewOrganization, NewToken, SubmitInput, TokenScope, WorkloadCount, create_agreement, create_company,
    create_license, create_organization, create_token, decide_enrollment, download_license, list_catalog,
    request_enrollment, submit_month, view_month,
};
use tenure_testkit::{Answer, TestApp, TestInstallation};

/// The application and what was made in it.
pub(crate) struct Fleet {
    pub(crate) app: TestApp,
    pub(crate) provider: Actor,
    /// A manage token of the provider.
    pub(crate) token: String,
    /// A read token of the vendor.
    pub(crate) vendor: String,
    pub(crate) agreement: AgreementId,
    pub(crate) product: ProductId,
    pub(crate) company: CompanyId,
    pub(crate) other: CompanyId,
}

pub(crate) fn period(text: &str) -> Period {
    text.parse().expect("a month")
}

impl Fleet {
    /// It stands on 5 January 2026, 09:00, under an agreement until 2029; the provider is enrolled.
    pub(crate) async fn new() -> Self {
        let app = TestApp::new("2026-01-05T09:00:00Z").await;
        let service = &app.service;
        let actor = |org, role| Actor { kind: ActorKind::Operator, org, role, site: None };
        let vendor = actor(app.vendor, Role::VendorAdministrator);
        let add = async |kind, name: &str| {
            let input = NewOrganization { kind, name: name.to_owned() };
            create_organization(service, &vendor, input, None).await.expect("an organization")
        };
        let distributor = add(OrgKind::Distributor, "Lakeside Distribution").await;
        let org = add(OrgKind::Provider, "Northlight Hosting").await;
        let terms = NewAgreement {
            distributor,
            provider: org,
            number: "RA-20117".to_owned(),
            kind: AgreementKind::Volume,
            commit: Points::whole(20),
            limit: None,
            purchase_order: String::new(),
            signed: service.now(),
            ends: "2029-01-01T00:00:00Z".parse().expect("an instant"),
        };
        let agreement = create_agreement(service, &vendor, terms, None).await.expect("an agreement").id;
        let provider = actor(org, Role::ProviderFullAccess);
        request_enrollment(service, &provider, true, None).await.expect("it is asked for");
        decide_enrollment(service, &vendor, org, Decision::Approve, None).await.expect("it is approved");
        let company = async |name: &str| {
            let input = NewCompany { name: name.to_owned(), site: None, ..NewCompany::default() };
            create_company(service, &provider, input, None).await.expect("a company").id
        };
        let (one, other) = (company("Contoso AG").await, company("Fabrikam").await);
        let catalog = list_catalog(service, &vendor).await.expect("the catalog");
        let product = catalog.products.iter().find(|view| view.product.code == "file-backup").expect("the product");
        let product = product.product.id;
        let token = async |actor: &Actor, scope| {
            let expires = "2027-12-01T00:00:00Z".parse().expect("an instant");
            let input = NewToken { name: "script".to_owned(), scope, site: None, expires };
            create_token(service, actor, input, None).await.expect("a token").token.to_string()
        };
        let (own, vendors) = (token(&provider, TokenScope::Manage).await, token(&vendor, TokenScope::Read).await);
        Self { provider, token: own, vendor: vendors, agreement, product, company: one, other, app }
    }

    /// A license of 12 hosts for a company.
    pub(crate) async fn license(&self, company: CompanyId, automatic: bool) -> LicenseId {
        let wanted = NewLicense {
            agreement: self.agreement,
            product: self.product,
            usage_type: UsageType::SingleCustomer,
            description: "Hosts".to_owned(),
            site: None,
            company: Some(company),
            automatic,
            last_day: (!automatic).then(|| "2027-12-31".parse().expect("a day")),
            workloads: vec![WorkloadCount { workload: "host".to_owned(), variant: String::new(), count: 12 }],
        };
        let created = create_license(&self.app.service, &self.provider, wanted, None).await.expect("a license");
        created.license.expect("it is assigned")
    }

    /// A one-time code of a license.
    pub(crate) async fn code(&self, license: LicenseId) -> String {
        let key = LicenseKey::License(license);
        let file = download_license(&self.app.service, &self.provider, key, None).await.expect("an activation license");
        file.activation.expect("a code").0
    }

    /// A server that activated a license.
    pub(crate) async fn server(&self, license: LicenseId, host: &str) -> TestInstallation {
        TestInstallation::activate(&self.app, &self.code(license).await, "file-backup", host).await
    }

    /// A server that takes over from another, by a code the provider made for it.
    pub(crate) async fn in_place_of(&self, old: &TestInstallation, host: &str) -> TestInstallation {
        let path = format!("/api/v1/installations/{}/re-identify", old.ins);
        let file = self.post(&path, json!({})).await.expect(200).json();
        let code = file["activation_code"].as_str().expect("a code");
        TestInstallation::activate(&self.app, code, "file-backup", host).await
    }

    /// Lets a server be refused out of step, and rejoin.
    pub(crate) async fn rejoined(&self, server: &mut TestInstallation) -> tenure_license::CheckInAnswer {
        let request = server.request(&*self.app.rng, self.app.service.now(), &[]);
        let body = server.exchange(&request, Vec::new());
        let refused = TestInstallation::post(&self.app, &body).await.expect(409);
        server.rejoin(&self.app, &refused).await
    }

    /// A manage token of a provider that has nothing to do with this one.
    pub(crate) async fn another_providers_token(&self) -> String {
        let as_of = |org, role| Actor { kind: ActorKind::Operator, org, role, site: None };
        let service = &self.app.service;
        let input = NewOrganization { kind: OrgKind::Provider, name: "Southgate Hosting".to_owned() };
        let vendor = as_of(self.app.vendor, Role::VendorAdministrator);
        let org = create_organization(service, &vendor, input, None).await.expect("an organization");
        let expires = "2027-12-01T00:00:00Z".parse().expect("an instant");
        let input = NewToken { name: "script".to_owned(), scope: TokenScope::Manage, site: None, expires };
        let theirs = as_of(org, Role::ProviderFullAccess);
        create_token(service, &theirs, input, None).await.expect("a token").token.to_string()
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.app.get(&self.token, path).await
    }
    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.app.post(&self.token, path, body).await
    }
    pub(crate) async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        self.app.call(method, path, Some(&self.token), body, &[]).await
    }
    /// What the provider API says of a server.
    pub(crate) async fn shown(&self, server: &TestInstallation) -> Value {
        self.get(&format!("/api/v1/installations/{}", server.ins)).await.expect(200).json()
    }
    /// The months a server owes, and what accounts for each.
    pub(crate) async fn owed(&self, server: &TestInstallation) -> Vec<(String, String)> {
        let list = self.get("/api/v1/obligations").await.expect(200).json();
        let items = list["items"].as_array().expect("items").clone();
        let of = |item: &Value| item["installation"] == json!(server.ins.to_string());
        let text = |item: &Value, name: &str| item[name].as_str().unwrap_or("nothing").to_owned();
        items.iter().filter(|item| of(item)).map(|item| (text(item, "period"), text(item, "by"))).collect()
    }

    /// A month as the provider sees it.
    pub(crate) async fn month(&self, text: &str) -> Month {
        view_month(&self.app.service, &self.provider, MonthRef::Own(period(text))).await.expect("the month")
    }
    /// A server's line of a month.
    pub(crate) async fn line(&self, month: &str, server: &TestInstallation) -> Option<Line> {
        let of = |line: &Line| line.installation.as_ref().is_some_and(|at| at.id == server.ins);
        self.month(month).await.lines.into_iter().find(of)
    }
    /// Submits a month as it is.
    pub(crate) async fn submit(&self, text: &str) {
        let input = SubmitInput { seen: self.month(text).await.tag, purchase_order: None, comment: None };
        let which = MonthRef::Own(period(text));
        submit_month(&self.app.service, &self.provider, which, input).await.expect("it is submitted");
    }

    /// Sends a final report of hosts with the ids behind it: those that count and those that are new.
    pub(crate) async fn report(&self, server: &mut TestInstallation, month: &str, old: &[&str], new: &[&str]) {
        let period = period(month);
        let row = |id: &str, counted| WorkloadRow {
            id: Hash::sha256(id).to_string(),
            company: String::new(),
            workload: "host".to_owned(),
            variant: String::new(),
            first: period.start().as_secs(),
            last: period.end().as_secs() - 1,
            counted,
        };
        let rows: Vec<WorkloadRow> =
            old.iter().map(|id| row(id, Counted::Yes)).chain(new.iter().map(|id| row(id, Counted::New))).collect();
        let root = evidence_root(&rows);
        let figures = [("host", "", old.len() as u32, new.len() as u32)];
        let mut report = server.report(period, 1, ReportStage::Final, &figures);
        report.evidence = Some(EvidenceRef { root, rows: rows.len() as u32, parts: 1 });
        let evidence =
            WorkloadEvidence { v: 1, aud: server.aud, ins: server.ins, period, root, part: 0, rows, crit: Vec::new() };
        let evidence: Envelope = sign(&evidence, &[&server.key]).into_envelope();
        let documents = vec![server.sign_report(&report), evidence];
        let answer = server.check_in(&self.app, documents).await;
        assert!(answer.docs.iter().all(|doc| doc.receipt.is_some()), "{:?}", answer.docs);
    }
}
