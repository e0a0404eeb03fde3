//! A new trust root, and the online keys that it introduces or revokes (protocol, R1, E5, E6; design, "Keys and
//! bootstrap").
//!
//! The operator's machine does this with the offline root keys in hand; `serve` never reads them. New keys begin at once;
//! an old license key goes on signing beside the new one for the overlap, so that a product that cannot fetch the new
//! root meanwhile still finds a signature it knows.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::json;
use tenure_core::{
    Clock, OrgId, Rng, Timestamp,
    key_life::{KeyLife, KeyState},
};
use tenure_license::{
    Envelope, KeyId, KeyRole, PublicKey, Root, RootKey, SigningKey, TrustRoot, VerifyError, root::MAX_ROOT_KEYS, sign,
};
use tenure_store::{
    Queue, Store, StoreError,
    jobs::{self, NewJob},
    rows::deployment::{self, KeyRow},
};
use zeroize::Zeroizing;

use crate::{
    OfflineKey, OpenError, SealingKey, change, due,
    setup::{offline_life, root_key, sealed_key, seed_text},
    trust::{load_root, role_word},
};

/// What a rotation does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rotation {
    /// Online roles that get a new key. A role whose last key in use is revoked gets one anyway.
    pub roles: Vec<KeyRole>,
    /// Keys whose signatures count no more, of any role.
    pub revoke: Vec<KeyId>,
    /// How many new offline root keys are made.
    pub new_root_keys: usize,
    /// Continuity notes that count no more, by id.
    pub revoke_continuity: Vec<String>,
}

/// A rotation that is thought out, signed, and not written yet: new offline keys must be safe before it is.
pub struct RotationPlan {
    before: u64,
    root: Root,
    made: Vec<(KeyRow, PublicKey)>,
    revoked: Vec<KeyId>,
    resigns: bool,
    offline: Vec<OfflineKey>,
    now: Timestamp,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotated {
    /// The new version of the trust root.
    pub version: u64,
    /// The new online keys.
    pub made: Vec<(KeyRole, KeyId)>,
    /// The keys that were revoked.
    pub revoked: Vec<KeyId>,
    /// Every license is written and signed anew; products take theirs at their next check-in.
    pub resigns: bool,
}

/// Why nothing was rotated.
#[derive(Debug, thiserror::Error)]
pub enum RotateError {
    /// The deployment cannot be read.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The rotation changes nothing.
    #[error("the rotation changes nothing: name a role, a key to revoke, or a new root key")]
    Nothing,
    /// Only online keys rotate by role.
    #[error("only license and receipt keys are made by a rotation, not {0} keys")]
    OfflineRole(&'static str),
    /// The key is not of this deployment.
    #[error("the trust root lists no key {0}")]
    UnknownKey(KeyId),
    /// The key was revoked before.
    #[error("the key {0} is revoked already")]
    RevokedAlready(KeyId),
    /// A key that was given to sign is no root key.
    #[error("the key {0} that was given is not an unrevoked root key of this deployment")]
    NotARootKey(KeyId),
    /// Nobody could sign the root after this one.
    #[error("only {left} root keys would be left, and {need} must sign the next trust root: add new ones")]
    TooFewRootKeys {
        /// Unrevoked root keys left.
        left: usize,
        /// Signatures needed.
        need: u32,
    },
    /// The trust root is full.
    #[error("the trust root would list more than {MAX_ROOT_KEYS} keys")]
    Full,
    /// Not enough root keys signed.
    #[error("the new trust root is not accepted: {0}")]
    NotAccepted(#[from] VerifyError),
    /// Somebody else was faster.
    #[error("another rotation was made meanwhile: look at `tenure keys status` and begin again")]
    Raced,
    /// The database failed.
    #[error("the database failed")]
    Store(#[from] StoreError),
}

impl RotationPlan {
    /// The new offline keys, to be written to files before the plan is committed.
    pub fn offline_keys(&self) -> &[OfflineKey] {
        &self.offline
    }
    /// The new trust root.
    pub fn root(&self) -> &Envelope {
        self.root.envelope()
    }
    /// Its version.
    pub fn version(&self) -> u64 {
        self.root.version()
    }
}

/// Thinks out a rotation and signs its trust root with the offline keys given. Nothing is written.
///
/// # Errors
/// When it makes no sense, or the keys given are not enough for the thresholds of the present and the new root.
pub async fn prepare_rotation(
    store: &Store,
    clock: &dyn Clock,
    rng: &dyn Rng,
    sealing: &SealingKey,
    signers: &[SigningKey],
    wanted: &Rotation,
) -> Result<RotationPlan, RotateError> {
    let mut read = store.read().await.map_err(OpenError::from)?;
    let row = deployment::find(&mut read).await.map_err(OpenError::from)?.ok_or(OpenError::NotInitialized)?;
    // The sealing key must be the deployment's own: what it seals now, `serve` opens later.
    sealing.open(crate::trust::SECRET_PURPOSE, &row.secret).map_err(OpenError::from)?;
    let (root, _) = load_root(&mut read).await?;
    drop(read);
    let now = clock.now();
    let mut next = TrustRoot {
        version: root.version() + 1,
        issued_at: now.as_secs(),
        renew_by: offline_life(now).until.as_secs(),
        ..root.payload().clone()
    };
    let license_key_in_use = in_use(&next, KeyRole::License, now);
    revoke(&mut next, &wanted.revoke, now)?;
    let roles = roles(wanted, &next, now)?;
    if roles.is_empty() && wanted.revoke.is_empty() && wanted.new_root_keys == 0 && wanted.revoke_continuity.is_empty()
    {
        return Err(RotateError::Nothing);
    }
    next.revoked_continuity.extend(wanted.revoke_continuity.iter().cloned());
    let mut made = Vec::new();
    for role in roles {
        let (key, life) = (SigningKey::generate(rng), KeyLife::online(now));
        for old in next.keys.iter_mut().filter(|old| old.role == role && old.revoked.is_none()) {
            old.until = life_of(old).until_beside_successor(now).as_secs();
        }
        next.keys.push(root_key(&key, role, life));
        made.push((sealed_key(sealing, rng, role, &key, life), key.public()));
    }
    let new_root_keys: Vec<SigningKey> = (0..wanted.new_root_keys).map(|_| SigningKey::generate(rng)).collect();
    next.keys.extend(new_root_keys.iter().map(|key| root_key(key, KeyRole::Root, offline_life(now))));
    let root = sign_root(&root, next, signers, &new_root_keys, now)?;
    let revokes_license_key =
        wanted.revoke.iter().any(|id| root.key(id).is_some_and(|key| key.role == KeyRole::License));
    let file = |n: usize| format!("root-v{}-{n}.key", root.version());
    let offline =
        new_root_keys.iter().zip(1..).map(|(key, n)| OfflineKey { file_name: file(n), text: seed_text(key) }).collect();
    Ok(RotationPlan {
        before: root.version() - 1,
        made,
        revoked: wanted.revoke.clone(),
        // What was signed by a revoked key, or by one that had run out, no product accepts.
        resigns: revokes_license_key || !license_key_in_use,
        offline,
        now,
        root,
    })
}

fn life_of(key: &RootKey) -> KeyLife {
    let at = Timestamp::from_secs;
    KeyLife { from: at(key.from), until: at(key.until), revoked: key.revoked.is_some() }
}

fn in_use(root: &TrustRoot, role: KeyRole, now: Timestamp) -> bool {
    root.keys.iter().any(|key| key.role == role && life_of(key).state(now) == KeyState::InUse)
}

fn revoke(next: &mut TrustRoot, ids: &[KeyId], now: Timestamp) -> Result<(), RotateError> {
    for id in ids {
        let key = next.keys.iter_mut().find(|key| key.key.id() == *id).ok_or(RotateError::UnknownKey(*id))?;
        if key.revoked.is_some() {
            return Err(RotateError::RevokedAlready(*id));
        }
        key.revoked = Some(now.as_secs());
    }
    Ok(())
}

/// The roles that get a new key: those asked for, and those that a revocation leaves without one in use.
fn roles(wanted: &Rotation, next: &TrustRoot, now: Timestamp) -> Result<BTreeSet<KeyRole>, RotateError> {
    let mut roles = BTreeSet::new();
    for role in &wanted.roles {
        if !matches!(role, KeyRole::License | KeyRole::Receipt) {
            return Err(RotateError::OfflineRole(role_word(*role)));
        }
        roles.insert(*role);
    }
    let bereft = [KeyRole::License, KeyRole::Receipt].into_iter().filter(|role| {
        let revoked = next.keys.iter().any(|key| key.role == *role && wanted.revoke.contains(&key.key.id()));
        revoked && !in_use(next, *role, now)
    });
    roles.extend(bereft);
    Ok(roles)
}

/// Signs with everything given and holds the result to the rules that every product holds it to.
fn sign_root(
    present: &Root,
    mut next: TrustRoot,
    signers: &[SigningKey],
    new: &[SigningKey],
    now: Timestamp,
) -> Result<Root, RotateError> {
    if next.keys.len() > MAX_ROOT_KEYS {
        return Err(RotateError::Full);
    }
    let usable = |key: &&RootKey| key.role == KeyRole::Root && key.revoked.is_none();
    let left = next.keys.iter().filter(usable).count();
    if left < next.root_threshold as usize {
        return Err(RotateError::TooFewRootKeys { left, need: next.root_threshold });
    }
    for signer in signers {
        let id = signer.key_id();
        // One that is being revoked may still sign for the present root.
        if !present.key(&id).is_some_and(|key| usable(&key)) {
            return Err(RotateError::NotARootKey(id));
        }
        // It signed, so it exists: its age need not worry anybody for a while.
        for key in next.keys.iter_mut().filter(|key| key.key.id() == id && key.revoked.is_none()) {
            key.until = offline_life(now).until.as_secs().max(key.until);
        }
    }
    let keys: Vec<&SigningKey> = signers.iter().chain(new).collect();
    Ok(present.walk(sign(&next, &keys).into_envelope())?)
}

/// Writes a rotation: trust root, keys, and the signing of every license anew where a license key was revoked, in one
/// transaction. Running servers take it up by themselves.
///
/// # Errors
/// When another rotation was written meanwhile, or the database fails.
pub async fn commit_rotation(store: &Store, plan: RotationPlan) -> Result<Rotated, RotateError> {
    let plan = Arc::new(plan);
    let for_write = Arc::clone(&plan);
    store
        .write(Queue::People, async move |tx| {
            let (plan, now) = (&*for_write, for_write.now);
            if deployment::newest_root_version(tx).await? != plan.before {
                return Err(RotateError::Raced);
            }
            let version = plan.root.version();
            deployment::insert_root(tx, version, &plan.root.envelope().to_json()).await?;
            for key in &plan.root.payload().keys {
                deployment::end_key(tx, key.key.id().as_bytes(), Timestamp::from_secs(key.until)).await?;
            }
            for id in &plan.revoked {
                deployment::revoke_key(tx, id.as_bytes(), now).await?;
            }
            for (row, public) in &plan.made {
                deployment::insert_key(tx, row, public.as_bytes()).await?;
            }
            if plan.resigns {
                let job =
                    NewJob { kind: due::RESIGN, key: version.to_string(), payload: json!({}), at: now, due_at: now };
                jobs::enqueue(tx, job).await?;
            }
            let vendor: OrgId = plan.root.payload().vendor.id;
            let made: Vec<KeyId> = plan.made.iter().map(|(_, public)| public.id()).collect();
            let body = json!({ "version": version, "made": made, "revoked": plan.revoked, "resigns": plan.resigns });
            change::record(tx, "operator", vendor, "keys.rotated", format!("root/{version}"), now, body);
            Ok(())
        })
        .await?;
    let role = |public: &PublicKey| plan.root.key(&public.id()).map(|key| key.role);
    Ok(Rotated {
        version: plan.root.version(),
        made: plan.made.iter().filter_map(|(_, public)| Some((role(public)?, public.id()))).collect(),
        revoked: plan.revoked.clone(),
        resigns: plan.resigns,
    })
}

/// Reads the text of an offline key's file: 64 hexadecimal digits and white space around them.
///
/// # Errors
/// When it is something else.
pub fn read_offline_key(text: &str) -> Result<SigningKey, crate::SealingKeyError> {
    let seed: tenure_license::Hash = text.trim().parse().map_err(|_| crate::SealingKeyError::NotAKey)?;
    let seed = Zeroizing::new(*seed.as_bytes());
    Ok(SigningKey::from_seed(&seed))
}
