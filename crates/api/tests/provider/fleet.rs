//! A provider with two companies, licenses of file servers, and servers that activate them.

use axum::http::Method;
use serde_json::{Value, json};
use tenure_core::{
    AgreementId, CompanyId, LicenseId, Period, ProductId,
    roles::{OrgKind, Role},
};
use tenure_license::{
    Counted, Envelope, EvidenceRef, Hash, ReportStage, WorkloadEvidence, WorkloadRow, evidence_root, sign,
};
use tenure_service::{
    Actor, ActorKind, Line, Month, MonthRef, NewOrganization, NewToken, SubmitInput, TokenScope, create_organization,
    create_token, submit_month, view_month,
};
use tenure_testkit::{Answer, Market, TestApp, TestInstallation};

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
    market: Market,
}

pub(crate) fn period(text: &str) -> Period {
    text.parse().expect("a month")
}

impl Fleet {
    /// It stands on 5 January 2026, 09:00, under an agreement until 2029; the provider is enrolled.
    pub(crate) async fn new() -> Self {
        let app = TestApp::new("2026-01-05T09:00:00Z").await;
        let service = &app.service;
        let market = Market::new(service).await;
        let other = market.company(service, "Fabrikam").await;
        let token = async |actor: &Actor, scope| {
            let expires = "2027-12-01T00:00:00Z".parse().expect("an instant");
            let input = NewToken { name: "script".to_owned(), scope, site: None, expires };
            create_token(service, actor, input, None).await.expect("a token").token.to_string()
        };
        let own = token(&market.provider, TokenScope::Manage).await;
        let vendor = token(&market.vendor, TokenScope::Read).await;
        let Market { provider, agreement, product, company, .. } = market.clone();
        Self { provider, token: own, vendor, agreement, product, company, other, market, app }
    }

    /// A license of 12 hosts for a company.
    pub(crate) async fn license(&self, company: CompanyId, automatic: bool) -> LicenseId {
        self.market.license(&self.app.service, company, automatic).await
    }

    /// A one-time code of a license.
    pub(crate) async fn code(&self, license: LicenseId) -> String {
        self.market.code(&self.app.service, license).await
    }

    /// A server that activated a license.
    pub(crate) async fn server(&self, license: LicenseId, host: &str) -> TestInstallation {
        self.market.server(&self.app, license, host).await
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
