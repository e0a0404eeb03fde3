//! An installation hands over to a new key (protocol, 2.7, "Rotation").

use serde_json::json;
use tenure_core::Timestamp;
use tenure_license::PublicKey;
use tenure_store::{
    Tx,
    rows::{
        chain::{self, ChainRow},
        installation::{self, KeyOwnerRow},
    },
};

use crate::{Error, Result, Service, change, issue};

/// The row with the new key, the old key retired, and a license bound to the new one; `None` when any installation ever
/// had that key (C11). The caller has verified that both keys signed, and holds the chain's lock.
pub(super) async fn take_over(
    service: &Service,
    tx: &mut Tx,
    row: ChainRow,
    new: &PublicKey,
    now: Timestamp,
) -> Result<Option<ChainRow>> {
    let key_id = *new.id().as_bytes();
    let owner = KeyOwnerRow {
        key_id,
        public_key: *new.as_bytes(),
        provider: row.provider,
        installation: row.installation,
        retired: None,
    };
    if !installation::insert_key(tx, &owner, now).await? {
        return Ok(None);
    }
    installation::retire_key(tx, &row.key_id, now).await?;
    chain::set_key(tx, row.installation, &row.key_id, &key_id).await?;
    issue::issue(service, tx, row.provider, row.license).await?;
    let id = row.installation.to_string();
    let body = json!({ "key": new.id(), "before": tenure_store::hex(&row.key_id) });
    change::record(tx, &id, row.provider, "installation.key_rotated", id.clone(), now, body);
    let found = chain::find(tx, row.installation).await?;
    Ok(Some(found.ok_or(Error::Internal("a locked chain is gone"))?))
}
