//! A deployment on a SQLite file of its own, its parties, and a product that signs.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use tempfile::TempDir;
use tenure_core::{
    AgreementId, AgreementKind, Boot, BootId, Clock, CompanyId, InstallationId, LicenseId, OrgId, Points, ProductId,
    Rng, SiteId, Timestamp, UsageType,
    roles::{OrgKind, Role},
};
use tenure_license::{
    ActivationAnswer, ActivationExchange, ActivationRequest, CheckInAnswer, CheckInRequest, ClockFacts, Exchange, Hash,
    HostFacts, License, LicenseRef, Nonce, SigningKey, Versions, sign,
};
use tenure_service::{
    Actor, ActorKind, Catalog, CheckInReply, Error, Init, LicenseKey, NewAgreement, NewCompany, NewLicense,
    NewOrganization, Paging, ProblemKind, SealingKey, Service, WorkloadCount, activate_installation, check_in,
    commit_init, create_agreement, create_company, create_license, create_organization, create_site, decide_enrollment,
    download_license, list_catalog, open_service, prepare_init, request_enrollment,
};
use tenure_store::Store;

/// A clock that stands until the test moves it.
pub(crate) struct MockClock(AtomicI64);

impl Clock for MockClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
    fn boot(&self) -> Boot {
        Boot { id: BootId(uuid::Uuid::from_u128(1)), elapsed_us: self.0.load(Ordering::SeqCst) }
    }
}

/// A deployment with its vendor.
pub(crate) struct World {
    pub(crate) service: Service,
    pub(crate) clock: Arc<MockClock>,
    pub(crate) rng: Arc<dyn Rng>,
    pub(crate) vendor: Actor,
    pub(crate) password: String,
    _dir: TempDir,
}

/// A provider with one agreement.
pub(crate) struct Provider {
    pub(crate) org: OrgId,
    pub(crate) agreement: AgreementId,
    /// Full access, as the operator would act for it.
    pub(crate) admin: Actor,
}

pub(crate) const ADMIN: &str = "admin@vendor.example";

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

/// An actor as a door would make it.
pub(crate) fn actor(org: OrgId, role: Role) -> Actor {
    Actor { kind: ActorKind::Operator, org, role, site: None }
}

impl World {
    /// A fresh deployment whose clock stands at `now`.
    pub(crate) async fn at(now: &str) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let clock = Arc::new(MockClock(AtomicI64::new(at(now).as_micros())));
        let rng = tenure_store::testing::rng(7);
        let url = format!("sqlite:{}", dir.path().join("tenure.db").display());
        let store = Store::open(&url, Arc::clone(&rng)).await.expect("the file opens");
        store.migrate().await.expect("the migrations run");
        let sealing = SealingKey::generate(&*rng);
        let init = Init {
            vendor: "Example Software".to_owned(),
            email: "Admin@Vendor.example".to_owned(),
            servers: vec!["http://127.0.0.1:8480".to_owned()],
            catalog: Catalog::sample(),
            test_clock: true,
        };
        let plan = prepare_init(&store, &*clock, &*rng, &sealing, init).await.expect("a plan");
        let made = commit_init(&store, &*clock, Arc::clone(&rng), plan).await.expect("a deployment");
        let for_service = Arc::clone(&clock) as Arc<dyn Clock>;
        let service = open_service(store, for_service, Arc::clone(&rng), &sealing).await.expect("it opens");
        let vendor = actor(made.vendor, Role::VendorAdministrator);
        Self { service, clock, rng, vendor, password: made.password.to_string(), _dir: dir }
    }

    pub(crate) fn set(&self, now: &str) {
        self.clock.0.store(at(now).as_micros(), Ordering::SeqCst);
    }

    pub(crate) fn advance_secs(&self, secs: i64) {
        self.clock.0.fetch_add(secs * 1_000_000, Ordering::SeqCst);
    }

    pub(crate) async fn organization(&self, kind: OrgKind, name: &str) -> OrgId {
        let input = NewOrganization { kind, name: name.to_owned() };
        create_organization(&self.service, &self.vendor, input, None).await.expect("an organization")
    }

    /// A provider that rents from a new distributor under an agreement until the end of 2028.
    pub(crate) async fn provider(&self, name: &str, kind: AgreementKind) -> Provider {
        let distributor = self.organization(OrgKind::Distributor, "Lakeside Distribution").await;
        self.provider_of(name, kind, distributor).await
    }

    pub(crate) async fn provider_of(&self, name: &str, kind: AgreementKind, distributor: OrgId) -> Provider {
        let org = self.organization(OrgKind::Provider, name).await;
        let agreement =
            create_agreement(&self.service, &self.vendor, terms(distributor, org, kind, &self.service), None);
        let agreement = agreement.await.expect("an agreement").id;
        Provider { org, agreement, admin: actor(org, Role::ProviderFullAccess) }
    }

    pub(crate) async fn site(&self, provider: &Provider, name: &str) -> SiteId {
        create_site(&self.service, &self.vendor, provider.org, name.to_owned(), None).await.expect("a site")
    }

    pub(crate) async fn company(&self, provider: &Provider, name: &str) -> CompanyId {
        let input = NewCompany { name: name.to_owned(), site: None, ..NewCompany::default() };
        create_company(&self.service, &provider.admin, input, None).await.expect("a company").id
    }

    /// Asks for automatic reporting and approves it.
    pub(crate) async fn enroll(&self, provider: &Provider) {
        request_enrollment(&self.service, &provider.admin, true, None).await.expect("it is asked for");
        let approve = tenure_service::Decision::Approve;
        decide_enrollment(&self.service, &self.vendor, provider.org, approve, None).await.expect("it is approved");
    }

    /// The product with a code in an edition.
    pub(crate) async fn product(&self, code: &str, edition: &str) -> ProductId {
        let catalog = list_catalog(&self.service, &self.vendor).await.expect("the catalog");
        let found = catalog.products.iter().find(|view| view.product.code == code && view.product.edition == edition);
        found.expect("the product").product.id
    }

    /// A license of 12 hosts, to be varied.
    pub(crate) async fn hosts(&self, provider: &Provider) -> NewLicense {
        NewLicense {
            agreement: provider.agreement,
            product: self.product("file-backup", "Core").await,
            usage_type: UsageType::SingleCustomer,
            description: "Hosts".to_owned(),
            site: None,
            company: None,
            automatic: false,
            last_day: Some("2027-12-31".parse().expect("a day")),
            workloads: vec![workload("host", "", 12)],
        }
    }

    /// A license of 12 hosts for a company.
    pub(crate) async fn assigned(&self, provider: &Provider, company: CompanyId, automatic: bool) -> LicenseId {
        let input = NewLicense { company: Some(company), automatic, ..self.hosts(provider).await };
        let created = create_license(&self.service, &provider.admin, input, None).await.expect("a license");
        created.license.expect("it is assigned")
    }

    /// Activates a license on a new server.
    pub(crate) async fn activate(&self, provider: &Provider, license: LicenseId, host: &str) -> Product {
        let key = LicenseKey::License(license);
        let file = download_license(&self.service, &provider.admin, key, None).await.expect("an activation license");
        let (code, _) = file.activation.expect("a code");
        Product::activate(self, &code, host).await
    }

    /// Activates a new server with a code, if the code lets it.
    pub(crate) async fn activate_with(&self, code: &str, host: &str) -> Result<Product, Error> {
        Product::try_activate(self, code, host).await
    }
}

pub(crate) fn terms(distributor: OrgId, provider: OrgId, kind: AgreementKind, service: &Service) -> NewAgreement {
    NewAgreement {
        distributor,
        provider,
        number: "RA-1".to_owned(),
        kind,
        commit: if kind == AgreementKind::Volume { Points::whole(200) } else { Points::ZERO },
        limit: None,
        purchase_order: String::new(),
        signed: service.now(),
        ends: at("2029-01-01T00:00:00Z"),
    }
}

pub(crate) fn workload(code: &str, variant: &str, count: u32) -> WorkloadCount {
    WorkloadCount { workload: code.to_owned(), variant: variant.to_owned(), count }
}

pub(crate) fn first_page() -> Paging {
    Paging::default()
}

/// The kind of problem a use case was refused with.
#[track_caller]
pub(crate) fn kind<T>(result: Result<T, Error>) -> ProblemKind {
    match result {
        Ok(_) => panic!("it was not refused"),
        Err(Error::Problem(problem)) => problem.kind,
        Err(other) => panic!("{other:?}"),
    }
}

/// The words of a refusal about this very case.
#[track_caller]
pub(crate) fn words<T>(result: Result<T, Error>) -> String {
    match result {
        Ok(_) => panic!("it was not refused"),
        Err(Error::Problem(problem)) => problem.detail.into_owned(),
        Err(other) => panic!("{other:?}"),
    }
}

/// A product server as a test plays it.
pub(crate) struct Product {
    key: SigningKey,
    pub(crate) ins: InstallationId,
    seq: u64,
    prev: Hash,
    /// The license it holds.
    pub(crate) held: LicenseRef,
    /// What that license says.
    pub(crate) license: License,
    host: String,
    auto_update: bool,
}

impl Product {
    async fn activate(world: &World, code: &str, host: &str) -> Self {
        Self::try_activate(world, code, host).await.expect("it is activated")
    }

    async fn try_activate(world: &World, code: &str, host: &str) -> Result<Self, Error> {
        let key = SigningKey::generate(&*world.rng);
        let request = ActivationRequest {
            v: 1,
            aud: world.service.deployment().id,
            code: code.to_owned(),
            key: key.public(),
            product: "file-backup".to_owned(),
            nonce: Nonce::generate(&*world.rng),
            host: HostFacts { name: host.to_owned(), ..HostFacts::default() },
            versions: versions(),
            at: world.service.now().as_secs(),
            crit: Vec::new(),
        };
        let body = ActivationExchange { request: sign(&request, &[&key]).into_envelope() };
        let answer = activate_installation(&world.service, body, None).await?;
        let root = world.service.root();
        let activated = root.verify_receipt_role::<ActivationAnswer>(&answer.answer).expect("our answer verifies");
        let license = root.verify_license(&answer.license).expect("our license verifies");
        assert_eq!(activated.current.hash, license.hash);
        Ok(Self {
            key,
            ins: activated.ins,
            seq: 0,
            prev: activated.hash,
            held: activated.current.clone(),
            license: license.into_inner(),
            host: host.to_owned(),
            auto_update: true,
        })
    }

    /// Turns its automatic license update off.
    pub(crate) fn without_auto_update(mut self) -> Self {
        self.auto_update = false;
        self
    }

    /// Checks in, showing the license it holds, and installs the newer one that comes, if it updates by itself.
    pub(crate) async fn check_in(&mut self, world: &World) {
        self.seq += 1;
        let now = world.service.now().as_secs();
        let request = CheckInRequest {
            v: 1,
            aud: world.service.deployment().id,
            ins: self.ins,
            seq: self.seq,
            prev: self.prev,
            unanswered: Vec::new(),
            nonce: Nonce::generate(&*world.rng),
            docs: Vec::new(),
            lic: Some(self.held.clone()),
            root: 1,
            clock: ClockFacts { effective: now, system: now, boot: BootId(uuid::Uuid::from_u128(1)) },
            host: HostFacts { name: self.host.clone(), ..HostFacts::default() },
            daily: None,
            versions: versions(),
            auto_update: self.auto_update,
            update_now: false,
            rejoin: None,
            new_key: None,
            crit: Vec::new(),
        };
        let body = Exchange {
            request: sign(&request, &[&self.key]).into_envelope(),
            documents: Vec::new(),
            held_answer: None,
            license: None,
            old_receipts: Vec::new(),
            activation_answer: None,
            activation_key: None,
            rotation: None,
        };
        let answer = match check_in(&world.service, body).await.expect("it is taken") {
            CheckInReply::Answered(answer) => answer,
            CheckInReply::OutOfStep(_) => panic!("the product is in step"),
        };
        let root = world.service.root();
        let answered = root.verify_receipt_role::<CheckInAnswer>(&answer.answer).expect("our answer verifies");
        self.prev = answered.hash;
        if let (Some(reference), Some(envelope)) = (answered.license.clone(), &answer.license) {
            let license = root.verify_license(envelope).expect("our license verifies");
            assert_eq!(license.hash, reference.hash);
            self.held = reference;
            self.license = license.into_inner();
        }
    }
}

fn versions() -> Versions {
    Versions { agent: "0.1.0".to_owned(), product: "1".to_owned() }
}
