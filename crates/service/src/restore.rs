//! What begins a new epoch: a restore, or a database that changed behind the server's back (protocol, C6, C7, E3, E4, E8).
//!
//! Whatever was signed since the backup stays valid in the field. A new epoch says that the server knows it may have lost
//! something: products that are ahead are believed, serials go on above all that was ever given, and what products still
//! hold comes again.

use std::{collections::BTreeMap, sync::Arc};

use serde::Serialize;
use serde_json::json;
use tenure_core::{Clock, InstallationId, LicenseId, Timestamp, TokenId, UserId};
use tenure_license::{CheckpointRef, Hash, Root};
use tenure_store::{
    AuditEntry, Conn, Queue, Store, StoreError, Tx, audit, meta,
    rows::{
        chain, checkpoint, deployment, enroll,
        epoch::{self, EpochRow},
        gone_installation, revocation, second_step,
    },
};

use crate::{
    Error, HighWater, ProblemKind, Result, Revocation,
    health::{AMNESIA, AMNESIA_SINCE},
    restore_access,
};

/// For how long products may still hold documents that a restore lost: as long as they keep them.
const REMEMBER_MONTHS: i32 = 13;
/// Which PostgreSQL server the database was last served from.
const SERVER: &str = "server.identity";
/// How long a change takes at most, generously, in seconds: what is done again twice changes nothing.
const OVERLAP_SECS: i64 = 600;
/// Things to confirm that the log lists by name; the rest is counted.
const MAX_LISTED: usize = 100;

/// The earliest moment that any restore of the last 13 months went back to. The earliest, because a product that slept
/// through one restore may meet the server after the next.
pub(crate) async fn since(conn: &mut Conn, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
    let epochs = epoch::all(conn).await?;
    let recent = epochs.iter().filter(|epoch| epoch.began.plus_months(REMEMBER_MONTHS) >= now);
    Ok(recent.map(|epoch| epoch.since).min())
}

/// What is known beside the database that is restored.
#[derive(Debug, Clone, Default)]
pub struct Restore {
    /// Why, in the operator's words.
    pub why: String,
    /// How far the log had gone, from outside.
    pub known: Option<HighWater>,
    /// What was taken back, from outside.
    pub revocations: Vec<Revocation>,
}

/// What a restore did, and what a person has to look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Restored {
    /// The epoch that began.
    pub epoch: u64,
    /// The newest moment that the database knew; an earlier one where it had gone on after it lost something unseen.
    pub since: Timestamp,
    /// Entries of the log that are lost, by lane; empty when nothing is known from outside, or nothing is missing.
    pub missing: BTreeMap<u32, u64>,
    /// The newest checkpoint known from outside.
    pub last_known: Option<CheckpointRef>,
    /// Sessions ended.
    pub sessions_ended: u64,
    /// Activation codes voided that no key had shown, and enroll tokens revoked.
    pub codes_voided: u64,
    /// Links for a new password voided.
    pub links_voided: u64,
    /// Done again: tokens revoked, people disabled, licenses ended, installations retired.
    pub done_again: u64,
    /// What was taken back after the backup and could not be done again: a person has to.
    pub to_confirm: Vec<String>,
    /// How far the log goes now.
    pub high_water: HighWater,
}

/// Begins a new epoch on a restored database, in one transaction: sessions end, unspent codes and links are void, what was
/// revoked since is revoked again; the first entry of the epoch says all of this.
///
/// # Errors
/// When the database holds no deployment or cannot be written, or its trust root accepts no further epoch.
pub async fn restore_deployment(store: &Store, clock: &dyn Clock, input: Restore) -> Result<Restored> {
    let (root, _) = crate::trust::load_root(&mut *store.read().await?).await.map_err(Error::from)?;
    let server = store.server().await?.map(|server| server.identity);
    let (now, input) = (clock.now(), Arc::new(input));
    store
        .write(Queue::People, async move |tx| {
            let done = next_epoch(tx, &root, now, &input).await?;
            if let Some(server) = &server {
                meta::put(tx, SERVER, server).await?;
            }
            Ok::<_, Error>(done)
        })
        .await
}

/// Checks what is known from outside, and begins the epoch above all that was ever used.
async fn next_epoch(tx: &mut Tx, root: &Root, now: Timestamp, input: &Restore) -> Result<Restored> {
    let row = deployment::find(tx).await?.ok_or(ProblemKind::NotFound)?;
    if input.known.as_ref().is_some_and(|known| known.deployment != row.id) {
        return Err(ProblemKind::InvalidInput.because("the files beside the keys belong to another deployment").into());
    }
    let epoch = row.epoch.max(input.known.as_ref().map_or(0, |known| known.epoch)) + 1;
    root.check_epoch(epoch).map_err(|error| ProblemKind::InvalidInput.because(error.to_string()))?;
    let done = begin(tx, &row, epoch, now, input).await?;
    meta::delete(tx, AMNESIA).await?;
    meta::delete(tx, AMNESIA_SINCE).await?;
    Ok(done)
}

async fn begin(
    tx: &mut Tx,
    row: &deployment::DeploymentRow,
    epoch: u64,
    now: Timestamp,
    input: &Restore,
) -> Result<Restored> {
    let ends = audit::ends(tx).await?;
    let newest = checkpoint::newest(tx).await?;
    let known_here = [audit::newest_at(tx).await?, newest.as_ref().map(|newest| newest.at)];
    let lost = meta::get(tx, AMNESIA_SINCE).await?.and_then(|text| text.parse().ok()).map(Timestamp::from_micros);
    let since = known_here.into_iter().flatten().max().unwrap_or(now).min(now);
    let since = lost.map_or(since, |lost| lost.min(since));
    epoch::begin(tx, &EpochRow { epoch, deployment: row.id, began: now, since, why: input.why.clone() }).await?;
    let sessions_ended = revocation::end_sessions(tx).await?;
    let codes_voided = revocation::void_codes(tx, now).await? + enroll::revoke_all(tx, now).await?;
    let links_voided = revocation::void_links(tx, now).await?;
    second_step::delete_pending(tx).await?;
    let (done_again, to_confirm) = replay(tx, &input.revocations, since).await?;
    let mut lanes: BTreeMap<u32, u64> = ends.iter().map(|end| (end.lane, end.n)).collect();
    let missing: BTreeMap<u32, u64> = input
        .known
        .iter()
        .flat_map(|known| &known.lanes)
        .filter_map(|(lane, n)| {
            Some((*lane, n.checked_sub(lanes.get(lane).copied().unwrap_or(0))?)).filter(|(_, n)| *n > 0)
        })
        .collect();
    let last_known = input.known.as_ref().and_then(|known| known.checkpoint.clone());
    let here = newest.map(|newest| CheckpointRef { k: newest.k, hash: Hash::from_bytes(newest.hash) });
    let listed: Vec<&String> = to_confirm.iter().take(MAX_LISTED).collect();
    tx.audit(AuditEntry {
        actor: "operator".to_owned(),
        verb: "deployment.restored",
        subject: row.id.to_string(),
        org: Some(row.vendor),
        at: now,
        body: json!({
            "epoch": epoch, "why": input.why, "since": since, "last": lanes,
            "checkpoint": here, "known_outside": input.known, "missing": missing,
            "sessions_ended": sessions_ended, "codes_voided": codes_voided, "links_voided": links_voided,
            "done_again": done_again, "to_confirm": listed, "to_confirm_count": to_confirm.len(),
        }),
    });
    // Lanes that this database knows; the entry just written may be in any of them.
    lanes.retain(|_, n| *n > 0);
    let high_water = HighWater { deployment: row.id, epoch, lanes, checkpoint: here, at: now };
    Ok(Restored {
        epoch,
        since,
        missing,
        last_known,
        sessions_ended,
        codes_voided,
        links_voided,
        done_again,
        to_confirm,
        high_water,
    })
}

/// Does again what the database may have forgotten: what was taken back after the newest moment that it knows, or shortly
/// before. What nobody can do again for a person, they are asked to confirm.
async fn replay(tx: &mut Tx, revocations: &[Revocation], since: Timestamp) -> Result<(u64, Vec<String>)> {
    let (mut done, mut to_confirm) = (0, Vec::new());
    // An entry is dated when its change begins: of two at once the later one may be in the backup without the earlier.
    let since = since.plus_secs(-OVERLAP_SECS);
    let forgotten: Vec<&Revocation> = revocations.iter().filter(|each| each.at >= since).collect();
    for (n, each) in forgotten.iter().enumerate() {
        let given_back = match each.verb.as_str() {
            "person.deactivated" => "person.activated",
            "organization.deactivated" => "organization.activated",
            // A rotation that revoked no key took nothing back.
            "keys.rotated" if each.data["revoked"].as_array().is_none_or(Vec::is_empty) => continue,
            "person.activated" | "organization.activated" => continue,
            _ => "",
        };
        let removed = ["person.second_step_removed", "person.second_step_reset"];
        let is_undone = |later: &&&Revocation| {
            later.verb == given_back || each.verb == "person.second_step_on" && removed.contains(&later.verb.as_str())
        };
        if forgotten[n..].iter().filter(is_undone).any(|later| later.subject == each.subject) {
            continue;
        }
        match again(tx, each).await? {
            Some(again) => done += u64::from(again),
            None => to_confirm.push(format!("{} {} at {}", each.verb, each.subject, each.at)),
        }
    }
    Ok((done, to_confirm))
}

/// Takes it back again; `None` where only a person can. What the database never knew was made after the backup, and is gone
/// with it; an installation might still come back by what we signed for it, and is remembered.
async fn again(tx: &mut Tx, each: &Revocation) -> Result<Option<bool>> {
    Ok(match each.verb.as_str() {
        "token.revoked" => match each.subject.parse::<TokenId>() {
            Ok(id) => Some(revocation::token(tx, id, each.at).await?),
            Err(_) => None,
        },
        "person.deactivated" => match each.subject.parse::<UserId>() {
            Ok(id) => Some(revocation::person(tx, id, each.at).await?),
            Err(_) => None,
        },
        verb if verb.starts_with("person.second_step") || verb.starts_with("person.recovery_code") => {
            match each.subject.parse::<UserId>() {
                Ok(id) => restore_access::again(tx, id, each).await?,
                Err(_) => None,
            }
        }
        "license.revoked" | "license.deleted" => match license_of(each) {
            Some(id) => {
                let how = if each.verb == "license.revoked" { "revoked" } else { "deleted" };
                Some(revocation::license(tx, id, each.at, how).await?)
            }
            None => None,
        },
        "installation.retired" | "installation.voided" | "installation.replaced" => {
            match each.subject.parse::<InstallationId>() {
                Ok(id) => {
                    let how = each.verb.trim_start_matches("installation.");
                    match chain::find(tx, id).await? {
                        Some(_) => Some(revocation::installation(tx, id, each.at, how).await?),
                        None => Some(gone_installation::insert(tx, id, each.at, how).await?),
                    }
                }
                Err(_) => None,
            }
        }
        _ => None,
    })
}

/// The license that ended: the entry's subject, or named in it where the subject is the template.
fn license_of(each: &Revocation) -> Option<LicenseId> {
    let named = each.data.get("license").and_then(serde_json::Value::as_str);
    each.subject.parse().ok().or_else(|| named?.parse().ok())
}

/// Compares the PostgreSQL server behind the database with the one it was last served from, and begins an epoch when it is
/// another: a failover or a restore may have lost commits (C7). Call it before serving.
///
/// # Errors
/// As [`restore_deployment`].
pub async fn step_after_failover(
    store: &Store,
    clock: &dyn Clock,
    known: Option<HighWater>,
    revocations: Vec<Revocation>,
) -> Result<Option<Restored>> {
    let Some(server) = store.server().await? else { return Ok(None) };
    let before = meta::get(&mut *store.read().await?, SERVER).await?;
    let Some(before) = before else {
        store.write(Queue::Jobs, async move |tx| meta::put(tx, SERVER, &server.identity).await).await?;
        return Ok(None);
    };
    if before == server.identity {
        return Ok(None);
    }
    let (root, _) = crate::trust::load_root(&mut *store.read().await?).await.map_err(Error::from)?;
    let why = format!("the database was served from {before} and is now served from {}", server.identity);
    let (now, input) = (clock.now(), Arc::new(Restore { why, known, revocations }));
    store
        .write(Queue::People, async move |tx| {
            // Of several servers that start again, the first begins the epoch; the others find it begun.
            if !meta::swap(tx, SERVER, &before, &server.identity).await? {
                return Ok(None);
            }
            next_epoch(tx, &root, now, &input).await.map(Some)
        })
        .await
}
