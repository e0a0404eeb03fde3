//! A vendor's market, as small as it may be: a distributor, an enrolled provider under an agreement, a company to serve.

use tenure_core::{
    AgreementId, AgreementKind, CompanyId, LicenseId, Points, ProductId, UsageType,
    roles::{OrgKind, Role},
};
use tenure_service::{
    Actor, ActorKind, Decision, LicenseKey, NewAgreement, NewCompany, NewLicense, NewOrganization, Service,
    WorkloadCount, create_agreement, create_company, create_license, create_organization, decide_enrollment,
    download_license, list_catalog, request_enrollment,
};

use crate::{TestApp, TestInstallation};

/// When the agreement of a [`Market`] ends.
pub const AGREEMENT_END: &str = "2029-01-01T00:00:00Z";

/// Who is in it. Actors are as an operator would act for them.
#[derive(Clone)]
pub struct Market {
    /// The vendor's administrator.
    pub vendor: Actor,
    /// The distributor's administrator.
    pub distributor: Actor,
    /// The provider's full access. The provider is enrolled in automatic reporting.
    pub provider: Actor,
    /// The provider's agreement: volume, a commit of 20 points, until [`AGREEMENT_END`].
    pub agreement: AgreementId,
    /// The product `file-backup` of the sample catalog.
    pub product: ProductId,
    /// A customer of the provider's, Contoso AG.
    pub company: CompanyId,
}

impl Market {
    /// Makes it in a fresh deployment.
    ///
    /// # Panics
    /// When something of it is refused.
    pub async fn new(service: &Service) -> Self {
        let actor = |org, role| Actor { kind: ActorKind::Operator, org, role, site: None };
        let vendor = actor(service.deployment().vendor, Role::VendorAdministrator);
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
            ends: AGREEMENT_END.parse().expect("an instant"),
        };
        let agreement = create_agreement(service, &vendor, terms, None).await.expect("an agreement").id;
        let provider = actor(org, Role::ProviderFullAccess);
        request_enrollment(service, &provider, true, None).await.expect("it is asked for");
        decide_enrollment(service, &vendor, org, Decision::Approve, None).await.expect("it is approved");
        let company = company(service, &provider, "Contoso AG").await;
        let catalog = list_catalog(service, &vendor).await.expect("the catalog");
        let product = catalog.products.iter().find(|view| view.product.code == "file-backup").expect("the product");
        let product = product.product.id;
        let distributor = actor(distributor, Role::DistributorAdministrator);
        Self { vendor, distributor, provider, agreement, product, company }
    }

    /// A session of a person of the provider's with full access, who is made for it.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn session(&self, app: &TestApp) -> String {
        let person = serde_json::json!({"email": "ann@north.example", "name": "Ann", "role": "provider_full_access"});
        let path = format!("/api/v1/organizations/{}/people", self.provider.org);
        let made = app.post(&app.admin_session().await, &path, person).await.expect(201).json();
        app.sign_in("ann@north.example", made["password"].as_str().expect("a password")).await
    }

    /// Another customer of the provider's.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn company(&self, service: &Service, name: &str) -> CompanyId {
        company(service, &self.provider, name).await
    }

    /// A license of 12 hosts for a company: extended by its reports, or until the end of 2027.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn license(&self, service: &Service, company: CompanyId, automatic: bool) -> LicenseId {
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
        let created = create_license(service, &self.provider, wanted, None).await.expect("a license");
        created.license.expect("it is assigned")
    }

    /// A one-time code of a license.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn code(&self, service: &Service, license: LicenseId) -> String {
        let key = LicenseKey::License(license);
        let file = download_license(service, &self.provider, key, None).await.expect("an activation license");
        file.activation.expect("a code").0
    }

    /// A server that activated a license.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn server(&self, app: &TestApp, license: LicenseId, host: &str) -> TestInstallation {
        TestInstallation::activate(app, &self.code(&app.service, license).await, "file-backup", host).await
    }
}

async fn company(service: &Service, provider: &Actor, name: &str) -> CompanyId {
    let input = NewCompany { name: name.to_owned(), site: None, ..NewCompany::default() };
    create_company(service, provider, input, None).await.expect("a company").id
}
