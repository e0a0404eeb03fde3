//! A vendor, two distributors, a provider with people, licenses and servers that sign what they send.

use std::sync::Arc;

use tenure_core::{
    AgreementId, AgreementKind, CompanyId, LicenseId, LineId, OrgId, Period, Points, ProductId, SiteId, UsageType,
    Week,
    adjust::ReasonCode,
    cycle::UsageState,
    deviation::Flag,
    line::Source,
    roles::{OrgKind, Role},
};
use tenure_license::{
    Envelope,
    payload::{CheckInAnswer, Outcome, ReportStage, UsageReport},
};
use tenure_service::{
    Actor, ActorKind, Answer, Decision, Error, FigureRef, LicenseKey, Line, Month, MonthRef, NewAgreement, NewCompany,
    NewFigure, NewLicense, NewManualLine, NewOrganization, NewPerson, ProblemKind, Service, SubmitInput,
    SubmittedMonth, WorkloadCount, add_manual_line, adjust_figure, answer_installation, approve_month,
    create_agreement, create_company, create_license, create_organization, create_person, create_site,
    decide_enrollment, download_license, list_catalog, reject_month, request_enrollment, submit_month, view_month,
};
use tenure_testkit::{TestApp, TestInstallation};

pub(crate) type Result<T = ()> = std::result::Result<T, Error>;

/// Terms of the provider's agreement.
pub(crate) struct Terms {
    pub(crate) kind: AgreementKind,
    pub(crate) commit: i64,
    pub(crate) limit: Option<i64>,
}

impl Default for Terms {
    fn default() -> Self {
        Self { kind: AgreementKind::Volume, commit: 0, limit: None }
    }
}

/// The program. Its agreement was signed and its provider joined on 10 January 2026.
pub(crate) struct World {
    pub(crate) app: Arc<TestApp>,
    pub(crate) vendor: Actor,
    pub(crate) provider: OrgId,
    pub(crate) distributor: OrgId,
    pub(crate) agreement: AgreementId,
    /// The provider's Full Access.
    pub(crate) ada: Actor,
    /// The distributor's Approver.
    pub(crate) luc: Actor,
}

pub(crate) fn period(text: &str) -> Period {
    text.parse().expect("a month")
}

pub(crate) fn points(text: &str) -> Points {
    text.parse().expect("points")
}

/// The kind of refusal.
pub(crate) fn kind<T>(result: Result<T>) -> ProblemKind {
    match result {
        Ok(_) => panic!("it was not refused"),
        Err(error) => error.problem().kind,
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::under(Terms::default()).await
    }

    pub(crate) async fn under(terms: Terms) -> Self {
        Self::on(TestApp::new("2026-01-10T00:00:00Z").await, &terms).await
    }

    /// The same in an application that stands at an instant of its own.
    pub(crate) async fn on(app: TestApp, terms: &Terms) -> Self {
        let vendor = Actor { kind: ActorKind::Operator, org: app.vendor, role: Role::VendorAdministrator, site: None };
        let distributor = organization(&app, &vendor, OrgKind::Distributor, "Lakeside Distribution").await;
        let luc = person(&app, &vendor, distributor, "luc@lakeside.example", Role::DistributorApprover, None).await;
        Self::joined(Arc::new(app), vendor, distributor, luc, "northlight", terms).await
    }

    /// Another provider of the same distributor, in the same application.
    pub(crate) async fn beside(&self, name: &str) -> Self {
        let (app, vendor, luc) = (Arc::clone(&self.app), self.vendor.clone(), self.luc.clone());
        Self::joined(app, vendor, self.distributor, luc, name, &Terms::default()).await
    }

    async fn joined(
        app: Arc<TestApp>,
        vendor: Actor,
        distributor: OrgId,
        luc: Actor,
        name: &str,
        terms: &Terms,
    ) -> Self {
        let provider = organization(&app, &vendor, OrgKind::Provider, name).await;
        let agreement = agree(&app, &vendor, distributor, provider, terms).await;
        let email = format!("ada@{name}.example");
        let ada = person(&app, &vendor, provider, &email, Role::ProviderFullAccess, None).await;
        let world = Self { app, vendor, provider, distributor, agreement, ada, luc };
        request_enrollment(world.service(), &world.ada, true, None).await.expect("it is asked for");
        let approve = Decision::Approve;
        decide_enrollment(world.service(), &world.vendor, provider, approve, None).await.expect("it is approved");
        world
    }

    pub(crate) fn service(&self) -> &Service {
        &self.app.service
    }

    pub(crate) async fn person(&self, org: OrgId, email: &str, role: Role, site: Option<SiteId>) -> Actor {
        person(&self.app, &self.vendor, org, email, role, site).await
    }

    pub(crate) async fn organization(&self, kind: OrgKind, name: &str) -> OrgId {
        organization(&self.app, &self.vendor, kind, name).await
    }

    pub(crate) async fn agree(&self, distributor: OrgId, provider: OrgId) -> AgreementId {
        agree(&self.app, &self.vendor, distributor, provider, &Terms::default()).await
    }

    pub(crate) async fn site(&self, name: &str) -> SiteId {
        create_site(self.service(), &self.vendor, self.provider, name.to_owned(), None).await.expect("a site")
    }

    pub(crate) async fn company(&self, name: &str) -> CompanyId {
        let input = NewCompany { name: name.to_owned(), site: None, ..NewCompany::default() };
        create_company(self.service(), &self.ada, input, None).await.expect("a company").id
    }

    pub(crate) async fn product(&self, code: &str) -> ProductId {
        let catalog = list_catalog(self.service(), &self.vendor).await.expect("the catalog");
        catalog.products.iter().find(|view| view.product.code == code).expect("the product").product.id
    }

    /// A license of 12 hosts for a company of its own.
    pub(crate) async fn license(&self, company: &str, automatic: bool) -> LicenseId {
        let company = self.company(company).await;
        self.license_of(company, automatic, None).await
    }

    pub(crate) async fn license_of(&self, company: CompanyId, automatic: bool, site: Option<SiteId>) -> LicenseId {
        let input = NewLicense {
            agreement: self.agreement,
            product: self.product("file-backup").await,
            usage_type: UsageType::SingleCustomer,
            description: String::new(),
            site,
            company: Some(company),
            automatic,
            last_day: (!automatic).then(|| "2027-12-31".parse().expect("a day")),
            workloads: vec![WorkloadCount { workload: "host".to_owned(), variant: String::new(), count: 12 }],
        };
        let created = create_license(self.service(), &self.ada, input, None).await.expect("a license");
        created.license.expect("it is assigned")
    }

    /// A server that activated a license now.
    pub(crate) async fn server(&self, license: LicenseId, host: &str) -> TestInstallation {
        let key = LicenseKey::License(license);
        let file = download_license(self.service(), &self.ada, key, None).await.expect("an activation license");
        let (code, _) = file.activation.expect("a code");
        TestInstallation::activate(&self.app, &code, "file-backup", host).await
    }

    /// A license with one server.
    pub(crate) async fn licensed_server(&self, name: &str) -> TestInstallation {
        let license = self.license(name, true).await;
        self.server(license, &format!("backup.{name}.example")).await
    }

    /// Sets the clock and does what is due then.
    pub(crate) async fn at(&self, instant: &str) {
        self.app.clock.set(instant);
        self.app.run_jobs().await;
    }

    /// Sends documents.
    pub(crate) async fn send(&self, server: &mut TestInstallation, documents: Vec<Envelope>) -> CheckInAnswer {
        server.check_in(&self.app, documents).await
    }

    /// Sends a report; gives what became of it.
    pub(crate) async fn report(&self, server: &mut TestInstallation, report: &UsageReport) -> Outcome {
        let envelope = server.sign_report(report);
        self.send(server, vec![envelope]).await.docs[0].outcome
    }

    /// Sends a final report of so many hosts, revision 1; it is accepted.
    pub(crate) async fn hosts(&self, server: &mut TestInstallation, month: &str, hosts: u32) {
        let report = server.report(period(month), 1, ReportStage::Final, &[("host", "", hosts, 0)]);
        assert_eq!(self.report(server, &report).await, Outcome::Accepted);
    }

    /// Sends a final report that replaces the one of `before` hosts; gives what became of it.
    pub(crate) async fn revise(
        &self,
        server: &mut TestInstallation,
        month: &str,
        before: (u32, u32),
        hosts: u32,
    ) -> Outcome {
        let (revision, held) = before;
        let old = server.report(period(month), revision, ReportStage::Final, &[("host", "", held, 0)]);
        let mut new = server.report(period(month), revision + 1, ReportStage::Final, &[("host", "", hosts, 0)]);
        new.replaces = Some(server.sign_report(&old).hash());
        self.report(server, &new).await
    }

    /// Sends the watermarks of all weeks of a month that are over.
    pub(crate) async fn weeks(&self, server: &mut TestInstallation, month: &str, hosts: u32) {
        let now = self.service().now();
        let mut week = Week::of(period(month).first_day());
        let mut documents = Vec::new();
        while week.first() < period(month).next().first_day() && week.end() <= now {
            documents.push(server.watermark(week, &[("host", "", hosts)]));
            week = week.next();
        }
        self.send(server, documents).await;
    }

    pub(crate) async fn month(&self, month: &str) -> Month {
        self.month_of(&self.ada, month).await
    }

    pub(crate) async fn month_of(&self, actor: &Actor, month: &str) -> Month {
        view_month(self.service(), actor, own(month)).await.expect("the month")
    }

    /// The month's row.
    pub(crate) async fn row(&self, month: Period) -> tenure_store::rows::monthly_usage::UsageRow {
        let mut read = self.service().store().read().await.expect("a snapshot");
        let row = tenure_store::rows::monthly_usage::find(&mut read, self.provider, month).await;
        row.expect("it can be read").expect("the month")
    }

    /// The month by its id, as the distributor names it.
    pub(crate) async fn id(&self, month: &str) -> MonthRef {
        MonthRef::Id(self.month(month).await.head.id)
    }

    pub(crate) async fn state(&self, month: &str) -> UsageState {
        self.month(month).await.head.state
    }

    pub(crate) async fn submit(&self, month: &str) -> Result<SubmittedMonth> {
        self.submit_as(&self.ada, month).await
    }

    pub(crate) async fn submit_as(&self, actor: &Actor, month: &str) -> Result<SubmittedMonth> {
        let seen = self.month_of(actor, month).await.tag;
        let input = SubmitInput { seen, purchase_order: None, comment: None };
        submit_month(self.service(), actor, own(month), input).await
    }

    pub(crate) async fn approve(&self, month: &str) -> Result {
        let which = self.id(month).await;
        let seen = view_month(self.service(), &self.luc, which).await?.tag;
        approve_month(self.service(), &self.luc, which, seen).await.map(|_| ())
    }

    pub(crate) async fn reject(&self, month: &str, reason: &str) -> Result {
        let which = self.id(month).await;
        let seen = view_month(self.service(), &self.luc, which).await?.tag;
        reject_month(self.service(), &self.luc, which, seen, reason.to_owned()).await
    }

    pub(crate) async fn answer(&self, month: &str, server: &TestInstallation, answer: Answer) -> Result {
        answer_installation(self.service(), &self.ada, own(month), server.ins, answer).await
    }

    pub(crate) async fn adjust(&self, month: &str, server: &TestInstallation, hosts: u32, why: Option<&str>) -> Result {
        let input = NewFigure {
            count: hosts,
            reason: why.map(|_| ReasonCode::TestDemo),
            note: why.unwrap_or_default().to_owned(),
        };
        adjust_figure(self.service(), &self.ada, own(month), figure(server), input).await
    }

    /// A manual line of a product that does not report.
    pub(crate) async fn monitored(&self, month: &str, count: u32) -> Result<LineId> {
        let line = self.manual("monitoring", "monitored", count).await;
        add_manual_line(self.service(), &self.ada, own(month), line, None).await
    }

    pub(crate) async fn manual(&self, product: &str, workload: &str, count: u32) -> NewManualLine {
        NewManualLine {
            product: self.product(product).await,
            workload: workload.to_owned(),
            variant: String::new(),
            count,
            license: None,
            company: None,
            site: None,
        }
    }

    /// The end of the license a server holds after a check-in now.
    pub(crate) async fn expires(&self, server: &mut TestInstallation) -> String {
        self.send(server, Vec::new()).await;
        let license = server.held_license.as_ref().expect("a license");
        tenure_core::Timestamp::from_secs(license.expires_at).to_string()
    }

    /// Messages of one kind in the outbox, as (to, body).
    pub(crate) async fn messages(&self, kind: &str) -> Vec<(String, serde_json::Value)> {
        let mut read = self.service().store().read().await.expect("a snapshot");
        let far = "2100-01-01T00:00:00Z".parse().expect("an instant");
        let pending = tenure_store::outbox::pending(&mut read, far, 500).await.expect("the outbox");
        pending.into_iter().filter(|message| message.kind == kind).map(|message| (message.to, message.body)).collect()
    }
}

pub(crate) fn own(month: &str) -> MonthRef {
    MonthRef::Own(period(month))
}

pub(crate) fn figure(server: &TestInstallation) -> FigureRef {
    FigureRef { installation: server.ins, workload: "host".to_owned(), variant: String::new() }
}

/// The correction lines of a month: the month each is about, units, and points.
pub(crate) fn corrections(month: &Month) -> Vec<(String, i64, String)> {
    let of = |line: &Line| Some((line.of_period?.to_string(), line.count, line.points.to_string()));
    month.lines.iter().filter_map(of).collect()
}

/// The one line of a server.
pub(crate) fn line<'a>(month: &'a Month, server: &TestInstallation) -> &'a Line {
    let mut lines =
        month.lines.iter().filter(|line| line.installation.as_ref().is_some_and(|one| one.id == server.ins));
    let line = lines.next().expect("a line of the server");
    assert!(lines.next().is_none(), "one line of the server");
    line
}

pub(crate) fn source(month: &Month, server: &TestInstallation) -> Source {
    line(month, server).source
}

pub(crate) fn flags<'a>(month: &'a Month, server: &TestInstallation) -> &'a [Flag] {
    month.flags_of(server.license)
}

async fn organization(app: &TestApp, vendor: &Actor, kind: OrgKind, name: &str) -> OrgId {
    let input = NewOrganization { kind, name: name.to_owned() };
    create_organization(&app.service, vendor, input, None).await.expect("an organization")
}

async fn agree(app: &TestApp, vendor: &Actor, distributor: OrgId, provider: OrgId, terms: &Terms) -> AgreementId {
    let terms = NewAgreement {
        distributor,
        provider,
        number: "RA-1".to_owned(),
        kind: terms.kind,
        commit: Points::whole(terms.commit),
        limit: terms.limit.map(Points::whole),
        purchase_order: "PO-1".to_owned(),
        signed: app.service.now(),
        ends: "2029-01-01T00:00:00Z".parse().expect("an instant"),
    };
    create_agreement(&app.service, vendor, terms, None).await.expect("an agreement").id
}

async fn person(app: &TestApp, vendor: &Actor, org: OrgId, email: &str, role: Role, site: Option<SiteId>) -> Actor {
    let input = NewPerson { org, email: email.to_owned(), name: email.to_owned(), role, site };
    let made = create_person(&app.service, vendor, input, None).await.expect("a person");
    Actor { kind: ActorKind::Person(made.id), org, role, site }
}
