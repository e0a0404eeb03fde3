//! What this process signs with, and what it verifies its own older signatures against. A rotation is taken up while it
//! runs: `tenure keys rotate` writes rows, every server looks for a newer trust root with its jobs.

use std::{collections::BTreeSet, sync::Arc};

use tenure_core::key_life::KeyLife;
use tenure_license::{Envelope, KeyId, KeyRole, Root, SigningKey};
use tenure_store::{Conn, Store, rows::deployment};

use crate::{Keyring, OnlineKey, OpenError, Result, SealingKey, Service};

/// The purpose that the deployment's secret is sealed for.
pub(crate) const SECRET_PURPOSE: &str = "deployment secret";

/// Keys and trust root of one moment.
pub(crate) struct Trust {
    /// Online keys, unsealed.
    pub(crate) keys: Arc<Keyring>,
    /// The newest trust root.
    pub(crate) root: Arc<Root>,
    /// The version that a product must hold to judge our licenses: the newest that revoked a key. An ordinary rotation
    /// asks for nothing, for the old key signs beside the new one.
    pub(crate) min_root: u64,
}

impl Trust {
    /// Reads and opens what the database holds.
    pub(crate) async fn load(conn: &mut Conn, sealing: &SealingKey) -> Result<Self, OpenError> {
        let row = deployment::find(conn).await?.ok_or(OpenError::NotInitialized)?;
        let (root, min_root) = load_root(conn).await?;
        let mut online = Vec::new();
        for row in deployment::all_keys(conn).await?.into_iter().filter(|row| row.revoked.is_none()) {
            let role = if row.role == role_word(KeyRole::License) { KeyRole::License } else { KeyRole::Receipt };
            let seed = sealing.open(&key_purpose(role, &row.key_id), &row.sealed)?;
            let seed: &[u8; 32] = seed.as_slice().try_into().map_err(|_| OpenError::Damaged("a sealed key"))?;
            let life = KeyLife { from: row.from, until: row.until, revoked: false };
            online.push(OnlineKey { role, key: SigningKey::from_seed(seed), life });
        }
        let secret = sealing.open(SECRET_PURPOSE, &row.secret)?;
        let keys = Keyring::new(online, secret).ok_or(OpenError::NoKeys)?;
        Ok(Self { keys: Arc::new(keys), root: Arc::new(root), min_root })
    }
}

/// A version of the trust root as the database holds it, the newest by default.
///
/// # Errors
/// When the database holds no deployment, not that version, or cannot be read.
pub async fn trust_root(store: &Store, version: Option<u64>) -> Result<Root, OpenError> {
    let mut read = store.read().await?;
    let (root, _) = load_root_until(&mut read, version.unwrap_or(u64::MAX)).await?;
    match version {
        Some(version) if version != root.version() => Err(OpenError::NoSuchRoot { newest: root.version() }),
        _ => Ok(root),
    }
}

/// The newest trust root, verified from the first one on, and the newest version that revoked a key.
pub(crate) async fn load_root(conn: &mut Conn) -> Result<(Root, u64), OpenError> {
    load_root_until(conn, u64::MAX).await
}

async fn load_root_until(conn: &mut Conn, last: u64) -> Result<(Root, u64), OpenError> {
    let (mut newest, mut min_root, mut revoked): (Option<Root>, u64, BTreeSet<KeyId>) = (None, 1, BTreeSet::new());
    for row in deployment::all_roots(conn).await?.into_iter().filter(|row| row.version <= last) {
        let envelope = Envelope::from_json(row.envelope.as_bytes()).map_err(|_| OpenError::Damaged("a trust root"))?;
        let root = match &newest {
            None => Root::pinned(envelope)?,
            Some(before) => before.walk(envelope)?,
        };
        let keys = root.payload().keys.iter().filter(|key| key.revoked.is_some());
        let now_revoked: BTreeSet<KeyId> = keys.map(|key| key.key.id()).collect();
        if !now_revoked.is_subset(&revoked) {
            min_root = root.version();
        }
        revoked = now_revoked;
        newest = Some(root);
    }
    Ok((newest.ok_or(OpenError::NotInitialized)?, min_root))
}

/// Takes up the keys of a newer trust root, if there is one; says whether there was.
///
/// # Errors
/// When the database cannot be read, or holds what cannot be opened: the keys held stay in use.
pub async fn take_up_keys(service: &Service) -> Result<bool, OpenError> {
    let mut read = service.store().peek().await?;
    let newest = deployment::newest_root_version(&mut read).await?;
    drop(read);
    if newest == service.root().version() {
        return Ok(false);
    }
    let mut read = service.store().read().await?;
    let trust = Trust::load(&mut read, service.sealing()).await?;
    drop(read);
    tracing::info!(root.version = trust.root.version(), "took up a newer trust root and its keys");
    service.set_trust(trust);
    Ok(true)
}

/// The purpose that a private key is sealed for.
pub(crate) fn key_purpose(role: KeyRole, key_id: &[u8; 32]) -> String {
    format!("{} key {}", role_word(role), tenure_store::hex(key_id))
}

/// A role as rows and people name it.
pub(crate) fn role_word(role: KeyRole) -> &'static str {
    match role {
        KeyRole::License => "license",
        KeyRole::Receipt => "receipt",
        KeyRole::Root => "root",
        KeyRole::Continuity => "continuity",
    }
}
