//! A deployment from nothing, and a service from a deployment.

use std::sync::{Arc, OnceLock, RwLock};

use tenure_core::{
    Clock, DeploymentId, OrgId, Period, Policy, Rng, Timestamp,
    key_life::{KeyLife, OFFLINE_DAYS},
    roles::Role,
};
use tenure_license::{Envelope, Hash, KeyRole, Named, RootKey, SigningKey, TrustRoot, VerifyError, sign};
use tenure_store::{
    Queue, Store, StoreError,
    rows::{
        deployment::{self, DeploymentRow, KeyRow},
        policy,
    },
};
use zeroize::Zeroizing;

use crate::{
    Actor, ActorKind, Catalog, Deployment, Error, ProblemKind, Result, SealingKey, SealingKeyError, Service,
    ServiceParts,
    check_in::{Ingest, Speakers},
    checkpoint, health,
    policies::Policies,
    program, restore,
    trust::{Trust, key_purpose, role_word},
};

pub(crate) const ROOT_KEYS: u32 = 3;
pub(crate) const ROOT_THRESHOLD: u32 = 2;

/// What a deployment is made of.
#[derive(Debug, Clone)]
pub struct Init {
    /// The vendor's name.
    pub vendor: String,
    /// The first administrator's e-mail address.
    pub email: String,
    /// License update servers, best first.
    pub servers: Vec<String>,
    /// Products and their workload types.
    pub catalog: Catalog,
    /// For tests: it follows a file's clock and licenses nothing real.
    pub test_clock: bool,
}

/// A deployment that is thought out and not written yet: the offline keys must be safe before it is.
pub struct InitPlan {
    init: Init,
    row: DeploymentRow,
    keys: Vec<(KeyRow, [u8; 32])>,
    root: Envelope,
    offline: Vec<OfflineKey>,
    password: Zeroizing<String>,
    now: Timestamp,
}

/// A private key that the server never sees again.
pub struct OfflineKey {
    /// What to call the file.
    pub file_name: String,
    /// The seed as hexadecimal text.
    pub text: Zeroizing<String>,
}

/// A deployment that was made.
pub struct Initialized {
    /// The new deployment.
    pub deployment: DeploymentId,
    /// Its vendor's organization.
    pub vendor: OrgId,
    /// The first administrator's e-mail address.
    pub email: String,
    /// The first administrator's password; it exists nowhere else in clear.
    pub password: Zeroizing<String>,
}

impl InitPlan {
    /// The offline keys, to be written to files before the plan is committed.
    pub fn offline_keys(&self) -> &[OfflineKey] {
        &self.offline
    }
    /// The first trust root.
    pub fn root(&self) -> &Envelope {
        &self.root
    }
}

/// A deployment cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The database holds no deployment.
    #[error("this database holds no deployment; run `tenure init` first")]
    NotInitialized,
    /// The sealing key does not open the keys.
    #[error(transparent)]
    Sealed(#[from] SealingKeyError),
    /// The trust root in the database is not sound.
    #[error("the trust root in the database is not sound")]
    Root(#[from] VerifyError),
    /// Every license key or every receipt key is revoked.
    #[error("no license key or no receipt key is left; rotate the keys")]
    NoKeys,
    /// There is no such version of the trust root.
    #[error("there is no such trust root; the newest is version {newest}")]
    NoSuchRoot {
        /// The newest version.
        newest: u64,
    },
    /// The database failed.
    #[error("the database cannot be read")]
    Store(#[from] StoreError),
    /// Something stored is damaged.
    #[error("the database holds {0} that cannot be read")]
    Damaged(&'static str),
}

/// Thinks out a deployment. Nothing is written.
pub async fn prepare_init(
    store: &Store,
    clock: &dyn Clock,
    rng: &dyn Rng,
    sealing: &SealingKey,
    init: Init,
) -> Result<InitPlan> {
    let mut read = store.read().await?;
    if deployment::find(&mut read).await?.is_some() {
        return Err(ProblemKind::AlreadyInitialized.into());
    }
    drop(read);
    let now = clock.now();
    let vendor = OrgId::generate(now, rng);
    let id = DeploymentId::generate(now, rng);
    let life = KeyLife::online(now);
    let online = [KeyRole::License, KeyRole::Receipt].map(|role| (role, SigningKey::generate(rng)));
    let root_keys: Vec<SigningKey> = (0..ROOT_KEYS).map(|_| SigningKey::generate(rng)).collect();
    let continuity = SigningKey::generate(rng);

    let mut keys = Vec::new();
    for key in &root_keys {
        keys.push(root_key(key, KeyRole::Root, offline_life(now)));
    }
    keys.push(root_key(&continuity, KeyRole::Continuity, offline_life(now)));
    keys.extend(online.iter().map(|(role, key)| root_key(key, *role, life)));
    let payload = TrustRoot {
        v: 1,
        aud: id,
        version: 1,
        vendor: Named { id: vendor, name: init.vendor.clone() },
        issued_at: now.as_secs(),
        renew_by: now.plus_days(OFFLINE_DAYS).as_secs(),
        keys,
        root_threshold: ROOT_THRESHOLD,
        continuity_threshold: 1,
        epoch_floor: 1,
        revoked_continuity: Vec::new(),
        test_clock: init.test_clock,
        crit: Vec::new(),
    };
    let signers: Vec<&SigningKey> = root_keys.iter().collect();
    let root = sign(&payload, &signers).into_envelope();

    let mut secret = Zeroizing::new([0; 32]);
    rng.fill(&mut *secret);
    let row = DeploymentRow {
        id,
        vendor,
        epoch: 1,
        test_clock: init.test_clock,
        servers: init.servers.clone(),
        secret: sealing.seal(rng, crate::trust::SECRET_PURPOSE, &*secret),
    };
    let keys = online
        .iter()
        .map(|(role, key)| (sealed_key(sealing, rng, *role, key, life), *key.public().as_bytes()))
        .collect();
    let mut offline: Vec<OfflineKey> = root_keys
        .iter()
        .enumerate()
        .map(|(n, key)| OfflineKey { file_name: format!("root-{}.key", n + 1), text: seed_text(key) })
        .collect();
    offline.push(OfflineKey { file_name: "continuity-1.key".to_owned(), text: seed_text(&continuity) });
    Ok(InitPlan { init, row, keys, root, offline, password: program::new_password(rng), now })
}

/// How long a key signs that is used by hand.
pub(crate) fn offline_life(now: Timestamp) -> KeyLife {
    KeyLife { until: now.plus_days(OFFLINE_DAYS).floor_to_second(), ..KeyLife::online(now) }
}

/// A key as a trust root lists it.
pub(crate) fn root_key(key: &SigningKey, role: KeyRole, life: KeyLife) -> RootKey {
    RootKey {
        key: key.public(),
        alg: "ed25519".to_owned(),
        role,
        from: life.from.as_secs(),
        until: life.until.as_secs(),
        revoked: None,
    }
}

/// An online key as the database keeps it.
pub(crate) fn sealed_key(
    sealing: &SealingKey,
    rng: &dyn Rng,
    role: KeyRole,
    key: &SigningKey,
    life: KeyLife,
) -> KeyRow {
    let purpose = key_purpose(role, key.key_id().as_bytes());
    KeyRow {
        key_id: *key.key_id().as_bytes(),
        role: role_word(role).to_owned(),
        sealed: sealing.seal(rng, &purpose, &*key.seed()),
        from: life.from,
        until: life.until,
        revoked: None,
    }
}

/// The text of an offline key's file.
pub(crate) fn seed_text(key: &SigningKey) -> Zeroizing<String> {
    Zeroizing::new(format!("{}\n", Hash::from_bytes(*key.seed())))
}

/// Writes a deployment: vendor, policy, catalog, first administrator, keys, trust root, in one transaction.
pub async fn commit_init(store: &Store, clock: &dyn Clock, rng: Arc<dyn Rng>, plan: InitPlan) -> Result<Initialized> {
    let password_hash = program::hash_password(&plan.password, &*rng).await?;
    let plan = Arc::new(plan);
    let (for_write, now) = (Arc::clone(&plan), clock.now());
    store
        .write(Queue::People, async move |tx| {
            let plan = &*for_write;
            let operator =
                Actor { kind: ActorKind::Operator, org: plan.row.vendor, role: Role::VendorAdministrator, site: None };
            deployment::insert(tx, &plan.row, now).await?;
            deployment::insert_root(tx, 1, &plan.root.to_json()).await?;
            for (row, public_key) in &plan.keys {
                deployment::insert_key(tx, row, public_key).await?;
            }
            program::write_vendor(
                tx,
                &*rng,
                &operator,
                &program::FirstVendor {
                    id: plan.row.vendor,
                    name: &plan.init.vendor,
                    email: &plan.init.email,
                    password_hash: &password_hash,
                    catalog: &plan.init.catalog,
                    policy: &plan.init.catalog.program(),
                    period: Period::of(now),
                    now: plan.now,
                },
            )
            .await
        })
        .await?;
    Ok(Initialized {
        deployment: plan.row.id,
        vendor: plan.row.vendor,
        email: plan.init.email.clone(),
        password: plan.password.clone(),
    })
}

/// Opens the deployment of a migrated database.
pub async fn open_service(
    store: Store,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    sealing: &SealingKey,
) -> Result<Service, OpenError> {
    let mut read = store.read().await?;
    let row = deployment::find(&mut read).await?.ok_or(OpenError::NotInitialized)?;
    let trust = Trust::load(&mut read, sealing).await?;
    let since = restore::since(&mut read, clock.now()).await?;
    let versions = match policy::all(&mut read).await? {
        stored if stored.is_empty() => vec![(Period::of(clock.now()), Policy::default())],
        stored => stored,
    };
    let policies = Policies::new(versions).ok_or(OpenError::Damaged("a policy"))?;
    drop(read);
    let server = store.server().await?.map(|server| server.identity);
    let vendor_name = trust.root.payload().vendor.name.clone();
    let shards = match store.engine() {
        tenure_store::Engine::Sqlite => 1,
        tenure_store::Engine::Postgres => 4,
    };
    let (ingest, workers) = Ingest::new(shards);
    let parts = Arc::new(ServiceParts {
        store,
        clock,
        rng,
        trust: RwLock::new(Arc::new(trust)),
        sealing: sealing.clone(),
        policies,
        ingest,
        speakers: Speakers::default(),
        checkpoint: checkpoint::Newest::default(),
        health: health::Health::default(),
        outside: OnceLock::new(),
        limits: OnceLock::new(),
        verifying: tokio::sync::Mutex::default(),
        deployment: Deployment {
            id: row.id,
            vendor: row.vendor,
            vendor_name,
            epoch: row.epoch,
            since,
            server,
            servers: row.servers,
            test_clock: row.test_clock,
        },
    });
    workers.start(&parts);
    let service = Service::from_parts(parts);
    health::remember(&service).await?;
    checkpoint::remember(&service).await?;
    Ok(service)
}

impl From<OpenError> for Error {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Store(error) => Self::Store(error),
            _ => Self::Internal("the deployment cannot be opened"),
        }
    }
}
