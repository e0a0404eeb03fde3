//! A copy of a deployment for trying things out: the same data under another identity (E8).
//!
//! It has a deployment id, keys and a trust root of its own and none of the original's, so no product ever takes it for the
//! server it knows, and it takes no product's request.

use std::sync::Arc;

use serde_json::json;
use tenure_core::{Clock, DeploymentId, Rng, Timestamp, key_life::KeyLife};
use tenure_license::{Envelope, KeyRole, Named, SigningKey, TrustRoot, sign};
use tenure_store::{
    AuditEntry, Queue, Store, Tx, audit, outbox,
    rows::{
        deployment::{self, DeploymentRow, KeyRow},
        epoch::{self, EpochRow},
        revocation, second_step,
    },
};
use zeroize::Zeroizing;

use crate::{
    Error, OfflineKey, ProblemKind, Result, SealingKey,
    setup::{self, ROOT_KEYS, ROOT_THRESHOLD},
    trust::{self, SECRET_PURPOSE},
};

/// A copy that is thought out and not written yet: its offline keys must be safe before it is.
pub struct CopyPlan {
    row: DeploymentRow,
    original: DeploymentId,
    keys: Vec<(KeyRow, [u8; 32])>,
    root: Envelope,
    offline: Vec<OfflineKey>,
    now: Timestamp,
}

impl CopyPlan {
    /// The offline keys, to be written to files before the plan is committed.
    pub fn offline_keys(&self) -> &[OfflineKey] {
        &self.offline
    }
    /// Its first trust root.
    pub fn root(&self) -> &Envelope {
        &self.root
    }
    /// Its id.
    pub fn deployment(&self) -> DeploymentId {
        self.row.id
    }
}

/// Thinks out a copy of the deployment in a database. Nothing is written, and no key of the original is needed.
///
/// # Errors
/// When the database holds no deployment.
pub async fn prepare_copy(store: &Store, clock: &dyn Clock, rng: &dyn Rng, sealing: &SealingKey) -> Result<CopyPlan> {
    let mut read = store.read().await?;
    let old = deployment::find(&mut read).await?.ok_or(ProblemKind::NotFound)?;
    let (old_root, _) = trust::load_root(&mut read).await.map_err(Error::from)?;
    drop(read);
    let (now, id, epoch) = (clock.now(), DeploymentId::generate(clock.now(), rng), old.epoch + 1);
    let (life, offline_life) = (KeyLife::online(now), setup::offline_life(now));
    let online = [KeyRole::License, KeyRole::Receipt].map(|role| (role, SigningKey::generate(rng)));
    let root_keys: Vec<SigningKey> = (0..ROOT_KEYS).map(|_| SigningKey::generate(rng)).collect();
    let mut listed: Vec<_> = root_keys.iter().map(|key| setup::root_key(key, KeyRole::Root, offline_life)).collect();
    listed.extend(online.iter().map(|(role, key)| setup::root_key(key, *role, life)));
    let payload = TrustRoot {
        v: 1,
        aud: id,
        version: 1,
        vendor: Named { id: old.vendor, name: old_root.payload().vendor.name.clone() },
        issued_at: now.as_secs(),
        renew_by: offline_life.until.as_secs(),
        keys: listed,
        root_threshold: ROOT_THRESHOLD,
        continuity_threshold: 1,
        epoch_floor: epoch,
        revoked_continuity: Vec::new(),
        test_clock: old.test_clock,
        crit: Vec::new(),
    };
    let signers: Vec<&SigningKey> = root_keys.iter().collect();
    let root = sign(&payload, &signers).into_envelope();
    let keys = online
        .iter()
        .map(|(role, key)| (setup::sealed_key(sealing, rng, *role, key, life), *key.public().as_bytes()))
        .collect();
    let offline = root_keys
        .iter()
        .enumerate()
        .map(|(n, key)| OfflineKey { file_name: format!("root-{}.key", n + 1), text: setup::seed_text(key) })
        .collect();
    let mut secret = Zeroizing::new([0; 32]);
    rng.fill(&mut *secret);
    let row = DeploymentRow { id, epoch, secret: sealing.seal(rng, SECRET_PURPOSE, &*secret), ..old.clone() };
    Ok(CopyPlan { row, original: old.id, keys, root, offline, now })
}

/// Gives the database its new identity, in one transaction: the original's keys and roots are gone from it, sessions end,
/// codes are void, and no waiting message is sent from here.
///
/// # Errors
/// When the database cannot be written.
pub async fn commit_copy(store: &Store, plan: CopyPlan, why: &str) -> Result<()> {
    let (plan, why) = (Arc::new(plan), why.to_owned());
    store
        .write(Queue::People, async move |tx: &mut Tx| {
            let now = plan.now;
            let since = audit::newest_at(tx).await?.unwrap_or(now).min(now);
            epoch::begin(
                tx,
                &EpochRow { epoch: plan.row.epoch, deployment: plan.row.id, began: now, since, why: why.clone() },
            )
            .await?;
            deployment::become_another(tx, plan.row.id, &plan.row.secret).await?;
            deployment::insert_root(tx, 1, &plan.root.to_json()).await?;
            for (row, public_key) in &plan.keys {
                deployment::insert_key(tx, row, public_key).await?;
            }
            let sessions = revocation::end_sessions(tx).await?;
            let codes = revocation::void_codes(tx, now).await?;
            // The original's sealing key does not come along, so nobody's secret opens here.
            let second_steps = second_step::delete_all(tx).await?;
            let messages = outbox::withhold(tx, now).await?;
            tx.audit(AuditEntry {
                actor: "operator".to_owned(),
                verb: "deployment.copied",
                subject: plan.row.id.to_string(),
                org: Some(plan.row.vendor),
                at: now,
                body: json!({
                    "original": plan.original, "epoch": plan.row.epoch, "why": why, "sessions_ended": sessions,
                    "codes_voided": codes, "messages_withheld": messages, "second_steps_removed": second_steps,
                }),
            });
            Ok::<_, Error>(())
        })
        .await
}
