//! Whose key it is, remembered: a key speaks for one installation for ever, so what was read once stays true.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
};

use tenure_store::{Store, StoreError, rows::installation};

pub(super) use tenure_store::rows::installation::KeyOwnerRow;

/// How many keys are remembered; about 10 MB. When it is full it begins anew: a fleet larger than this asks the database
/// more often, and nothing else changes.
const MAX_KEYS: usize = 1 << 16;

/// Remembers whose keys were asked for.
#[derive(Default)]
pub(crate) struct Speakers(RwLock<HashMap<[u8; 32], KeyOwnerRow>>);

impl Speakers {
    /// Whose key it is. Unknown keys are not remembered: they may be registered at any moment.
    ///
    /// Whether the key still speaks is decided where its installation's row is locked.
    pub(super) async fn find(&self, store: &Store, key_id: &[u8; 32]) -> Result<Option<KeyOwnerRow>, StoreError> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner).get(key_id).copied();
        if known.is_some() {
            return Ok(known);
        }
        let mut read = store.peek().await?;
        let Some(owner) = installation::find_key(&mut read, key_id).await? else { return Ok(None) };
        let mut keys = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if keys.len() >= MAX_KEYS {
            keys.clear();
        }
        keys.insert(*key_id, owner);
        Ok(Some(owner))
    }
}
