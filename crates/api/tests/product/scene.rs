//! A provider with a license, and servers that activate it.

use tenure_core::{AgreementKind, LicenseId, Points, UsageType, roles::OrgKind, roles::Role};
use tenure_service::{
    Actor, ActorKind, Decision, LicenseKey, Month, MonthRef, NewAgreement, NewCompany, NewLicense, NewOrganization,
    WorkloadCount, create_agreement, create_company, create_license, create_organization, decide_enrollment,
    download_license, list_catalog, request_enrollment, view_license, view_month,
};
use tenure_testkit::{TestApp, TestInstallation};

/// The application and what was made in it.
pub(crate) struct Scene {
    pub(crate) app: TestApp,
    pub(crate) provider: Actor,
    pub(crate) distributor: Actor,
    license: LicenseId,
}

impl Scene {
    /// The license is assigned on 5 January 2026, 09:00; its clock stands there.
    pub(crate) async fn new() -> Self {
        Self::on(TestApp::new("2026-01-05T09:00:00Z").await).await
    }

    /// The same in an application that stands at that instant.
    pub(crate) async fn on(app: TestApp) -> Self {
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
        let company = NewCompany { name: "Contoso AG".to_owned(), site: None, ..NewCompany::default() };
        let company = create_company(service, &provider, company, None).await.expect("a company").id;
        let catalog = list_catalog(service, &vendor).await.expect("the catalog");
        let product = catalog.products.iter().find(|view| view.product.code == "file-backup").expect("the product");
        let wanted = NewLicense {
            agreement,
            product: product.product.id,
            usage_type: UsageType::SingleCustomer,
            description: String::new(),
            site: None,
            company: Some(company),
            automatic: true,
            last_day: None,
            workloads: vec![WorkloadCount { workload: "host".to_owned(), variant: String::new(), count: 12 }],
        };
        let created = create_license(service, &provider, wanted, None).await.expect("a license");
        let license = created.license.expect("it is assigned");
        // Somebody else than who submits.
        let kind = ActorKind::Person(tenure_core::UserId::generate(service.now(), service.rng()));
        let distributor = Actor { kind, ..actor(distributor, Role::DistributorAdministrator) };
        Self { app, provider, distributor, license }
    }

    /// A one-time code for the license.
    pub(crate) async fn code(&self) -> String {
        let key = LicenseKey::License(self.license);
        let file = download_license(&self.app.service, &self.provider, key, None).await.expect("an activation license");
        file.activation.expect("a code").0
    }

    /// A server that activated the license.
    pub(crate) async fn server(&self) -> TestInstallation {
        let code = self.code().await;
        TestInstallation::activate(&self.app, &code, "file-backup", "bkp-01.contoso.example").await
    }

    /// An activation license file.
    pub(crate) async fn activation_file(&self) -> String {
        let key = LicenseKey::License(self.license);
        download_license(&self.app.service, &self.provider, key, None).await.expect("an activation license").content
    }

    /// The newest bound license of the newest installation, as it was signed.
    pub(crate) async fn newest_license(&self) -> tenure_license::Envelope {
        let key = LicenseKey::License(self.license);
        let (_, installations) = view_license(&self.app.service, &self.provider, None, key).await.expect("the license");
        let installation = installations.last().expect("an installation").id;
        let file = download_license(&self.app.service, &self.provider, key, Some(installation)).await;
        tenure_license::LicenseFile::parse(&file.expect("a bound license").content).expect("a license file")
    }

    /// January as the provider sees it.
    pub(crate) async fn january(&self) -> Month {
        let own = MonthRef::Own("2026-01".parse().expect("a month"));
        view_month(&self.app.service, &self.provider, own).await.expect("the month")
    }

    /// What counts of a server in January.
    pub(crate) async fn counted(&self, server: &TestInstallation) -> Option<i64> {
        let month = self.january().await;
        let of_server = |line: &&tenure_service::Line| line.installation.as_ref().is_some_and(|at| at.id == server.ins);
        month.lines.iter().find(of_server).map(|line| line.count)
    }
}
