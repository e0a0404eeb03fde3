//! One transaction for a whole batch of check-ins: rows locked in one statement, decided in memory, moved in one
//! statement, one leaf each.

use std::{collections::HashMap, sync::Arc};

use tenure_core::{
    Day, InstallationId, LicenseSerial, OrgId, Timestamp,
    chain::{self, Decision, Digest, Head, Rejoin, RejoinClass},
};
use tenure_license::{CheckInRequest, Hash, LicenseRef, OutOfStep, encode_payload};
use tenure_store::{
    Tx, audit,
    rows::{
        chain::{ChainRow, Move, Tip},
        installation::HeadParam,
        receipted::ReceiptedRow,
    },
};

use super::{
    answer::{self, Answered, Shows, Step},
    documents, rekey, take_up,
    verify::Message,
};
use crate::{Error, ProblemKind, Result, Service, month_ingest, reporting_switch};

/// What became of one message.
#[derive(Debug)]
pub(super) enum Taken {
    /// The answer's payload, now or of the first time, and the newest license.
    Answered { payload: Vec<u8>, provider: OrgId, installation: InstallationId, license: Option<LicenseRef> },
    /// Nothing changed.
    OutOfStep { payload: Vec<u8> },
    /// We lost data, and all of it is younger than when we heard from this installation last: nothing changed, and nothing
    /// may be signed.
    Amnesia { seen: Timestamp },
}

/// A message that moves its head.
struct Moving {
    at: usize,
    row: ChainRow,
    answered: Answered,
    rejoin: Option<(RejoinClass, bool)>,
}

/// Decides a batch. The results stand in the order of the messages.
pub(super) async fn decide(service: &Service, tx: &mut Tx, messages: &[Arc<Message>]) -> Result<Vec<Result<Taken>>> {
    let ids: Vec<InstallationId> = messages.iter().map(|message| message.request.ins).collect();
    let rows = tenure_store::rows::chain::lock_many(tx, &ids).await?;
    let mut rows: HashMap<InstallationId, ChainRow> = rows.into_iter().map(|row| (row.installation, row)).collect();

    let mut results: Vec<Option<Result<Taken>>> = messages.iter().map(|_| None).collect();
    let mut moving = Vec::with_capacity(messages.len());
    for (at, message) in messages.iter().enumerate() {
        let Some(row) = rows.remove(&message.request.ins) else {
            results[at] = Some(Err(ProblemKind::UnknownKey.into()));
            continue;
        };
        let decision = place(service, &row, message);
        if row.key_id != message.key_id && decision != Decision::Repeat {
            // A key that was replaced only verifies older documents, and repeats the request that replaced it.
            results[at] = Some(Err(ProblemKind::KeyRetired.into()));
            continue;
        }
        let moves = matches!(decision, Decision::Extend { .. } | Decision::Rejoin { .. });
        let row = match &message.new_key {
            Some(new) if moves => {
                let Some(row) = rekey::take_over(service, tx, row, new, message.received).await? else {
                    results[at] = Some(Err(ProblemKind::KeyRefused.into()));
                    continue;
                };
                row
            }
            _ => row,
        };
        match decision {
            Decision::Repeat => results[at] = Some(Ok(repeat(&row))),
            Decision::OutOfStep => results[at] = Some(Ok(out_of_step(service, &row, message))),
            Decision::Amnesia => results[at] = Some(Ok(Taken::Amnesia { seen: row.seen })),
            Decision::Extend { branch } => {
                let answered = take(service, tx, &row, message, branch, None).await?;
                moving.push(Moving { at, row, answered, rejoin: None });
            }
            Decision::Rejoin { class, branch, leaves_tip } => {
                let answered = take(service, tx, &row, message, branch, Some(class)).await?;
                moving.push(Moving { at, row, answered, rejoin: Some((class, leaves_tip)) });
            }
        }
    }

    let moves: Vec<Move> = moving.iter().map(|each| step(each, &messages[each.at])).collect();
    if !moves.is_empty() {
        let moved = tenure_store::rows::chain::move_many(tx, &moves).await?;
        if moved != moves.len() as u64 {
            // The rows are locked, so this cannot be; nothing of the batch may stand.
            return Err(Error::Internal("a locked chain did not move"));
        }
    }
    heads(tx, &moving, messages).await?;
    receipted(tx, &moving, messages).await?;
    for each in moving {
        let at = each.at;
        results[at] = Some(settle(service, tx, each, &messages[at]).await);
    }
    Ok(results
        .into_iter()
        .map(|result| result.unwrap_or(Err(Error::Internal("a check-in was left undecided"))))
        .collect())
}

/// Where a message stands in its installation's chain.
pub(super) fn place(service: &Service, row: &ChainRow, message: &Message) -> Decision {
    let request = &message.request;
    let head = Head {
        epoch: row.epoch,
        branch: row.branch,
        seq: row.seq,
        head: row.head,
        req: row.req,
        superseded: row.superseded.iter().filter_map(tip).collect(),
    };
    let unanswered: Vec<Digest> = request.unanswered.iter().map(|hash| *hash.as_bytes()).collect();
    let step = chain::Step {
        hash: *request.hash.as_bytes(),
        seq: request.seq,
        prev: *request.prev.as_bytes(),
        unanswered: &unanswered,
        rejoin: request.rejoin.as_ref().map(|rejoin| Rejoin {
            challenge_is_valid: rejoin.challenge
                == service.keys().challenge(row.installation, row.epoch, Hash::from_bytes(row.head)),
            held: *rejoin.held.as_bytes(),
        }),
        held: message.held,
    };
    chain::decide(&head, service.deployment().epoch, &step)
}

fn tip(tip: &Tip) -> Option<chain::Tip> {
    let digest = |text: &str| text.parse::<Hash>().ok().map(|hash| *hash.as_bytes());
    Some(chain::Tip { branch: tip.branch, seq: tip.seq, head: digest(&tip.head)?, req: digest(&tip.req)? })
}

fn newest_license(row: &ChainRow) -> Option<LicenseRef> {
    (row.issued.1 > 0).then(|| LicenseRef {
        id: row.license,
        epoch: row.issued.0,
        serial: row.issued.1,
        hash: Hash::from_bytes(row.license_hash),
    })
}

fn repeat(row: &ChainRow) -> Taken {
    Taken::Answered {
        payload: row.answer.clone(),
        provider: row.provider,
        installation: row.installation,
        license: answer::hands_over(row).then(|| newest_license(row)).flatten(),
    }
}

fn out_of_step(service: &Service, row: &ChainRow, message: &Message) -> Taken {
    let payload = OutOfStep {
        v: 1,
        aud: service.deployment().id,
        ins: row.installation,
        req: message.request.hash,
        epoch: row.epoch,
        seq: row.seq,
        challenge: service.keys().challenge(row.installation, row.epoch, Hash::from_bytes(row.head)),
        crit: Vec::new(),
    };
    Taken::OutOfStep { payload: encode_payload(&payload) }
}

/// Takes the documents and makes the answer. A document may earn an extension, so the license is read again after.
async fn take(
    service: &Service,
    tx: &mut Tx,
    row: &ChainRow,
    message: &Message,
    branch: u64,
    rejoined: Option<RejoinClass>,
) -> Result<Answered> {
    let recovered;
    let row = if take_up::take_up(service, tx, row, message).await? {
        recovered = reread(tx, row).await?;
        &recovered
    } else {
        row
    };
    let suspended = answer::is_suspended(row, rejoined);
    let outcomes = documents::take_all(service, tx, row, message, !suspended).await?;
    let now_row;
    let row = if outcomes.is_empty() {
        row
    } else {
        now_row = reread(tx, row).await?;
        &now_row
    };
    let shows = Shows::of(tx, row, &message.request).await?;
    let step = Step { branch, rejoined, shows };
    Ok(answer::make(service, row, message, step, outcomes, newest_license(row)))
}

async fn reread(tx: &mut Tx, row: &ChainRow) -> Result<ChainRow> {
    let found = tenure_store::rows::chain::find(tx, row.installation).await?;
    found.ok_or(Error::Internal("a locked chain is gone"))
}

fn step(moving: &Moving, message: &Message) -> Move {
    let Moving { row, answered, .. } = moving;
    let request: &CheckInRequest = &message.request;
    // A product that shows nothing has not shown anything new.
    let shown = request.lic.as_ref().map_or(row.shown, |held| (held.epoch, held.serial));
    Move {
        id: row.installation,
        epoch: answered.epoch,
        branch: answered.branch,
        seq: request.seq,
        head: *answered.hash.as_bytes(),
        req: *message.request.hash.as_bytes(),
        answer: answered.payload.clone(),
        seen: message.received,
        facts: facts(request),
        skew_us: request.clock.effective.saturating_mul(1_000_000).saturating_sub(message.received.as_micros()),
        shown,
        was_epoch: row.epoch,
        was_seq: row.seq,
        was_head: row.head,
    }
}

/// What of a request the cold row repeats; a changed value is written there.
fn facts(request: &CheckInRequest) -> [u8; 32] {
    let told = serde_json::to_vec(&(&request.host, &request.versions, request.auto_update)).unwrap_or_default();
    *Hash::sha256(told).as_bytes()
}

async fn heads(tx: &mut Tx, moving: &[Moving], messages: &[Arc<Message>]) -> Result<()> {
    let heads: Vec<HeadParam> = moving
        .iter()
        .filter_map(|each| {
            let message = &messages[each.at];
            // A day that has not come is counted again when it comes (T4).
            let daily = message.request.daily.as_ref().filter(|daily| daily.day <= Day::of(message.received))?;
            Some(HeadParam {
                i: each.row.installation.uuid().simple().to_string(),
                d: daily.day.number(),
                h: daily.head.to_string(),
            })
        })
        .collect();
    if !heads.is_empty() {
        tenure_store::rows::installation::insert_heads(tx, &heads).await?;
    }
    for each in moving {
        let message = &messages[each.at];
        // A day of a month that is over may be reported already.
        let day = message.request.daily.as_ref().map(|daily| daily.day);
        if let Some(day) = day.filter(|day| day.period() < tenure_core::Period::of(message.received)) {
            month_ingest::recheck_history(tx, each.row.provider, each.row.installation, day).await?;
        }
    }
    Ok(())
}

/// What the leaves of requests with documents are made of, so that a document can be held against its leaf.
async fn receipted(tx: &mut Tx, moving: &[Moving], messages: &[Arc<Message>]) -> Result<()> {
    let rows: Vec<ReceiptedRow> = moving
        .iter()
        .filter(|each| !each.answered.kept.is_empty())
        .map(|each| ReceiptedRow {
            n: 0,
            installation: each.row.installation,
            seq: messages[each.at].request.seq,
            received: messages[each.at].received,
            request: *messages[each.at].request.hash.as_bytes(),
            answer: *each.answered.hash.as_bytes(),
            documents: each.answered.kept.iter().map(|hash| *hash.as_bytes()).collect(),
        })
        .collect();
    if !rows.is_empty() {
        tenure_store::rows::receipted::insert_many(tx, &rows).await?;
    }
    Ok(())
}

/// What follows a moved head: the leaf, what a rejoin leaves behind, changed facts, a completed switch.
async fn settle(service: &Service, tx: &mut Tx, moving: Moving, message: &Message) -> Result<Taken> {
    let Moving { row, answered, rejoin, .. } = moving;
    let request = &message.request;
    let documents: Vec<audit::Hash> = answered.kept.iter().map(|hash| *hash.as_bytes()).collect();
    let leaf =
        audit::leaf(row.installation, request.seq, request.hash.as_bytes(), answered.hash.as_bytes(), &documents);
    tx.ingest_leaf(leaf, message.received);
    if let Some((class, leaves_tip)) = rejoin {
        super::documents::note_rejoin(service, tx, &row, message, class, leaves_tip).await?;
    }
    if row.split.is_some() {
        super::documents::clear_split(tx, &row, message.received).await?;
    }
    if facts(request) != row.facts {
        super::documents::note_facts(tx, &row, message).await?;
    }
    let shown = request.lic.as_ref().map(|held| LicenseSerial { epoch: held.epoch, serial: held.serial });
    if shown.is_some_and(|shown| (shown.epoch, shown.serial) != row.shown) {
        reporting_switch::complete_if_shown(service, tx, row.provider, row.license).await?;
    }
    Ok(Taken::Answered {
        payload: answered.payload,
        provider: row.provider,
        installation: row.installation,
        license: answered.license,
    })
}
