//! Names behind what the audit log calls actors.

use std::collections::HashMap;

use tenure_core::{TokenId, UserId};
use tenure_store::{Conn, rows::month};
use uuid::Uuid;

use crate::Result;

/// The person or token that an actor is; none for `server`, `operator` and jobs.
pub(crate) fn id(actor: &str) -> Option<Uuid> {
    let user = actor.parse::<UserId>().map(UserId::uuid).ok();
    user.or_else(|| actor.parse::<TokenId>().map(TokenId::uuid).ok())
}

/// The names of the people and tokens among them.
pub(crate) async fn names(conn: &mut Conn, actors: impl Iterator<Item = &str>) -> Result<HashMap<Uuid, String>> {
    let mut ids: Vec<Uuid> = actors.filter_map(id).collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    Ok(month::names(conn, &ids).await?.into_iter().collect())
}

/// An actor as people read it.
pub(crate) fn name(names: &HashMap<Uuid, String>, actor: &str) -> String {
    match id(actor) {
        Some(id) => names.get(&id).cloned().unwrap_or_else(|| "somebody who left".to_owned()),
        None if actor == "operator" => "the operator".to_owned(),
        None => "the server".to_owned(),
    }
}
