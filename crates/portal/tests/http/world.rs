//! A vendor, a distributor and a provider with people who sign in, and a product server.

use tenure_core::{
    AgreementKind, CompanyId, Day, LicenseId, OrgId, Points, ProductId, SiteId, UsageType, Week,
    roles::{OrgKind, Role},
};
use tenure_license::payload::ReportStage;
use tenure_service::{
    Actor, ActorKind, Decision, LicenseKey, NewAgreement, NewCompany, NewLicense, NewOrganization, NewPerson,
    WorkloadCount, create_agreement, create_company, create_license, create_organization, create_person, create_site,
    decide_enrollment, download_license, list_catalog, request_enrollment,
};
use tenure_testkit::{TestApp, TestInstallation};

use crate::browser::Browser;

/// An application with an organization of each kind.
pub(crate) struct World {
    pub(crate) app: TestApp,
    pub(crate) vendor: Actor,
    pub(crate) distributor: OrgId,
    pub(crate) provider: OrgId,
    pub(crate) admin: Actor,
    pub(crate) agreement: tenure_core::AgreementId,
}

pub(crate) const PROVIDER: &str = "ada@northlight.example";
pub(crate) const DISTRIBUTOR: &str = "luc@lakeside.example";

impl World {
    /// Its clock stands in the middle of September 2026; the agreement was signed in January.
    pub(crate) async fn new() -> Self {
        let app = TestApp::new("2026-01-10T00:00:00Z").await;
        let actor = |org, role| Actor { kind: ActorKind::Operator, org, role, site: None };
        let vendor = actor(app.vendor, Role::VendorAdministrator);
        let org = async |kind, name: &str| {
            let input = NewOrganization { kind, name: name.to_owned() };
            create_organization(&app.service, &vendor, input, None).await.expect("an organization")
        };
        let distributor = org(OrgKind::Distributor, "Lakeside Distribution").await;
        let provider = org(OrgKind::Provider, "Northlight Hosting").await;
        let terms = NewAgreement {
            distributor,
            provider,
            number: "RA-20117".to_owned(),
            kind: AgreementKind::Volume,
            commit: Points::whole(20),
            limit: None,
            purchase_order: "PO-1".to_owned(),
            signed: app.service.now(),
            ends: "2029-01-01T00:00:00Z".parse().expect("an instant"),
        };
        let agreement = create_agreement(&app.service, &vendor, terms, None).await.expect("an agreement").id;
        app.clock.set("2026-09-15T10:00:00Z");
        let admin = actor(provider, Role::ProviderFullAccess);
        Self { app, vendor, distributor, provider, admin, agreement }
    }

    /// A person, by the password that was made.
    pub(crate) async fn person(&self, org: OrgId, email: &str, name: &str, role: Role, site: Option<SiteId>) -> String {
        let input = NewPerson { org, email: email.to_owned(), name: name.to_owned(), role, site };
        let made = create_person(&self.app.service, &self.vendor, input, None).await.expect("a person");
        made.password.to_string()
    }

    /// The provider's Full Access, signed in.
    pub(crate) async fn provider(&self) -> Browser<'_> {
        let password = self.provider_password().await;
        Browser::signed_in(&self.app, PROVIDER, &password).await
    }

    /// Another Full Access of the provider, signed in: sessions end when the clock leaps.
    pub(crate) async fn provider_again(&self) -> Browser<'_> {
        let email = "ben@northlight.example";
        let password = self.person(self.provider, email, "Ben Okoro", Role::ProviderFullAccess, None).await;
        Browser::signed_in(&self.app, email, &password).await
    }

    /// The password of the provider's Full Access, made now.
    pub(crate) async fn provider_password(&self) -> String {
        self.person(self.provider, PROVIDER, "Ada Brandt", Role::ProviderFullAccess, None).await
    }

    /// The distributor's approver, signed in.
    pub(crate) async fn approver(&self) -> Browser<'_> {
        let password = self.person(self.distributor, DISTRIBUTOR, "Luc Moreau", Role::DistributorApprover, None).await;
        Browser::signed_in(&self.app, DISTRIBUTOR, &password).await
    }

    /// The vendor's administrator, signed in.
    pub(crate) async fn vendor(&self) -> Browser<'_> {
        Browser::signed_in(&self.app, &self.app.admin_email, &self.app.admin_password).await
    }

    pub(crate) async fn site(&self, name: &str) -> SiteId {
        create_site(&self.app.service, &self.vendor, self.provider, name.to_owned(), None).await.expect("a site")
    }

    pub(crate) async fn company(&self, name: &str) -> CompanyId {
        let input = NewCompany { name: name.to_owned(), site: None, ..NewCompany::default() };
        create_company(&self.app.service, &self.admin, input, None).await.expect("a company").id
    }

    pub(crate) async fn enroll(&self) {
        let service = &self.app.service;
        request_enrollment(service, &self.admin, true, None).await.expect("it is asked for");
        decide_enrollment(service, &self.vendor, self.provider, Decision::Approve, None).await.expect("it is approved");
    }

    pub(crate) async fn product(&self, code: &str) -> ProductId {
        let catalog = list_catalog(&self.app.service, &self.vendor).await.expect("the catalog");
        catalog.products.iter().find(|view| view.product.code == code).expect("the product").product.id
    }

    /// An automatically reported license of 12 hosts.
    pub(crate) async fn license(&self, company: CompanyId, site: Option<SiteId>) -> LicenseId {
        let input = NewLicense {
            agreement: self.agreement,
            product: self.product("file-backup").await,
            usage_type: UsageType::SingleCustomer,
            description: "Hosts".to_owned(),
            site,
            company: Some(company),
            automatic: true,
            last_day: None,
            workloads: vec![WorkloadCount { workload: "host".to_owned(), variant: String::new(), count: 12 }],
        };
        let created = create_license(&self.app.service, &self.admin, input, None).await.expect("a license");
        created.license.expect("it is assigned")
    }

    /// A server that activated a license.
    pub(crate) async fn server(&self, license: LicenseId, host: &str) -> TestInstallation {
        let key = LicenseKey::License(license);
        let file = download_license(&self.app.service, &self.admin, key, None).await.expect("an activation license");
        let (code, _) = file.activation.expect("a code");
        TestInstallation::activate(&self.app, &code, "file-backup", host).await
    }

    /// Sends the weekly figures of the two weeks before October.
    pub(crate) async fn weekly(&self, server: &mut TestInstallation, hosts: u32) {
        let weeks = ["2026-09-14T00:00:00Z", "2026-09-21T00:00:00Z"].map(|at| at.parse().expect("an instant"));
        let marks = weeks.map(|at| server.watermark(Week::of(Day::of(at)), &[("host", "", hosts)]));
        server.check_in(&self.app, marks.to_vec()).await;
    }

    /// Sends a final report of so many hosts.
    pub(crate) async fn report(&self, server: &mut TestInstallation, period: &str, revision: u32, hosts: u32) {
        let period = period.parse().expect("a month");
        let report = server.report(period, revision, ReportStage::Final, &[("host", "", hosts, 0)]);
        let document = server.sign_report(&report);
        server.check_in(&self.app, vec![document]).await;
    }
}
