//! Merging companies that are one: what they hold goes to one of them, and the others are closed.

use std::collections::{BTreeMap, BTreeSet};

use tenure_core::{
    CompanyId, LicenseId, Timestamp,
    company::{Namesakes, namesakes},
    roles::Action,
};
use tenure_store::{
    Conn, Queue, Tx,
    rows::{
        company::{self, CompanyKind, CompanyRow},
        issued_license, license,
    },
};

use crate::{
    Actor, Error, Idempotency, LicenseKey, LicenseMove, ProblemKind, Result, Service,
    authorize::{at_provider, sees_site},
    change,
    companies::serves_nobody,
    idempotent::{self, Begun},
    license_move,
};

/// Most companies merged at once.
pub const MAX_MERGED: usize = 50;
/// Licenses that move in one transaction, each signed anew; more of them move in several.
const SLICE: u32 = 100;
/// Most companies that are compared by name.
const MAX_COMPARED: u32 = 50_000;

/// A company in the preview of a merge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergeSide {
    /// The company.
    pub company: CompanyRow,
    /// How many licenses it holds.
    pub licenses: u64,
}

/// What merging by name would do, before anybody does it: open companies of one kind, site and name. The one that holds the
/// most licenses is kept. Only those of its site for who is confined to one.
pub async fn preview_merges(service: &Service, actor: &Actor) -> Result<Vec<Namesakes<MergeSide>>> {
    let mut read = service.store().read().await?;
    at_provider(&mut read, actor, actor.org, Action::View).await?;
    let filter = company::Filter { site: actor.site, open: Some(true), ..company::Filter::default() };
    let rows = company::page(&mut read, actor.org, &filter, None, MAX_COMPARED).await?;
    let held = company::licenses_held(&mut read, actor.org).await?;
    drop(read);
    let mut alike: BTreeMap<_, Vec<&CompanyRow>> = BTreeMap::new();
    for row in &rows {
        alike.entry((row.kind == CompanyKind::Reseller, row.site, row.reseller)).or_default().push(row);
    }
    let side = |row: &CompanyRow| MergeSide { company: row.clone(), licenses: licenses(&held, row.id) };
    let of = |rows: Vec<&CompanyRow>| {
        namesakes(rows.into_iter().map(|row| (side(row), row.name.as_str(), licenses(&held, row.id))))
    };
    Ok(alike.into_values().flat_map(of).collect())
}

fn licenses(held: &BTreeMap<CompanyId, u64>, company: CompanyId) -> u64 {
    held.get(&company).copied().unwrap_or(0)
}

/// Merges companies of the actor's organization into one: their licenses move to it, keeping id and validity, and they are
/// closed. Opening one again takes it out; its licenses stay where they went.
///
/// Licenses move a hundred at a time, so that products are never kept waiting; a company is closed with its last one. What
/// was interrupted goes on when it is asked for again.
pub async fn merge_companies(
    service: &Service,
    actor: &Actor,
    into: CompanyId,
    merged: BTreeSet<CompanyId>,
    idempotency: Option<Idempotency>,
) -> Result<()> {
    if merged.is_empty() {
        return Err(ProblemKind::InvalidInput.because("name the companies that are merged").into());
    }
    if merged.len() > MAX_MERGED {
        return Err(ProblemKind::InvalidInput
            .because(format!("at most {MAX_MERGED} companies are merged at once"))
            .into());
    }
    let mut moved = BTreeMap::new();
    loop {
        let done;
        (done, moved) = slice(service, actor, into, merged.clone(), idempotency.clone(), moved).await?;
        if done {
            return Ok(());
        }
    }
}

/// One transaction of a merge: whether it was the last, and how many licenses of each company have moved so far.
async fn slice(
    service: &Service,
    actor: &Actor,
    into: CompanyId,
    merged: BTreeSet<CompanyId>,
    idempotency: Option<Idempotency>,
    before: BTreeMap<CompanyId, u64>,
) -> Result<(bool, BTreeMap<CompanyId, u64>)> {
    let (service_, actor) = (service.clone(), actor.clone());
    service
        .store()
        .write(Queue::People, async move |tx| {
            let (now, mut moved) = (service_.now(), before.clone());
            at_provider(tx, &actor, actor.org, Action::ManageCompanies).await?;
            // Their licenses move.
            at_provider(tx, &actor, actor.org, Action::ManageLicenses).await?;
            let begun: Begun<()> = idempotent::begin(tx, &actor, "company.merge", idempotency.as_ref(), now).await?;
            let Begun::Do(remember) = begun else { return Ok((true, moved)) };
            let target = reachable(tx, &actor, into).await?;
            if target.closed.is_some() {
                return Err(ProblemKind::Inactive.because("the company that is to stay is closed; open it first").into());
            }
            if merged.contains(&into) {
                return Err(ProblemKind::InvalidInput.because("a company is not merged into itself").into());
            }
            let mut closing = Vec::new();
            for id in &merged {
                let row = reachable(tx, &actor, *id).await?;
                if row.merged_into != Some(into) {
                    may_merge(tx, &row, &target).await?;
                    closing.push(row);
                }
            }
            let (held, emptied) = held(tx, &actor, &closing).await?;
            move_licenses(&service_, tx, &actor, &held, into, now).await?;
            for (from, _) in held {
                *moved.entry(from).or_default() += 1;
            }
            let is_last = emptied.len() == closing.len();
            for row in closing.into_iter().filter(|row| emptied.contains(&row.id)) {
                let licenses = licenses(&moved, row.id);
                let row = CompanyRow { closed: row.closed.or(Some(now)), merged_into: Some(into), ..row };
                company::update(tx, &row).await?;
                let body = serde_json::json!({ "name": row.name, "into": into, "into_name": target.name, "licenses": licenses });
                change::by(tx, &actor, actor.org, "company.merged", row.id.to_string(), now, body);
            }
            if is_last {
                idempotent::remember(tx, remember, &()).await?;
            }
            Ok::<_, Error>((is_last, moved))
        })
        .await
}

async fn reachable(conn: &mut Conn, actor: &Actor, id: CompanyId) -> Result<CompanyRow> {
    let found = company::find(conn, actor.org, id).await?.filter(|row| sees_site(actor, row.site));
    found.ok_or_else(|| ProblemKind::NotFound.because("there is no such company").into())
}

/// Both are customers or both are resellers, and nobody depends on the one that goes.
async fn may_merge(conn: &mut Conn, row: &CompanyRow, target: &CompanyRow) -> Result<()> {
    if row.kind != target.kind {
        let words = "a reseller and a customer are not merged; make them the same kind first";
        return Err(ProblemKind::InvalidInput.because(words).into());
    }
    let (_, served) = company::in_use(conn, row.provider, row.id).await?;
    serves_nobody(served)?;
    if company::has_merged(conn, row.provider, row.id).await? {
        let words = "other companies were merged into it; open them, or merge it the other way round";
        return Err(ProblemKind::InUse.because(words).into());
    }
    Ok(())
}

/// What some companies hold, as much as moves in one transaction, with whose it is; and which of them hold no more.
async fn held(
    conn: &mut Conn,
    actor: &Actor,
    from: &[CompanyRow],
) -> Result<(Vec<(CompanyId, LicenseId)>, BTreeSet<CompanyId>)> {
    let (mut held, mut emptied) = (Vec::new(), BTreeSet::new());
    for row in from {
        let room = SLICE as usize - held.len();
        let mut ids = license::held_by(conn, row.provider, row.id, room as u32 + 1).await?;
        if ids.len() <= room {
            emptied.insert(row.id);
        }
        ids.truncate(room);
        held.extend(ids.into_iter().map(|id| (row.id, id)));
    }
    // Whether all of them are of one's site is known only when all of them are seen.
    if actor.site.is_some() && emptied.len() < from.len() {
        let words = format!("they hold more than {SLICE} licenses; somebody who sees all sites has to merge them");
        return Err(ProblemKind::InUse.because(words).into());
    }
    Ok((held, emptied))
}

/// Moves licenses, as each is moved alone.
async fn move_licenses(
    service: &Service,
    tx: &mut Tx,
    actor: &Actor,
    held: &[(CompanyId, LicenseId)],
    into: CompanyId,
    now: Timestamp,
) -> Result<()> {
    let mut ids: Vec<LicenseId> = held.iter().map(|(_, id)| *id).collect();
    ids.sort_unstable();
    // All chains before all licenses: the one lock order (X8).
    issued_license::lock_active(tx, actor.org, &ids).await?;
    let rows = license::lock_many(tx, actor.org, &ids).await?;
    if rows.iter().any(|row| !sees_site(actor, row.site)) {
        let words = "they hold licenses of other sites; somebody who sees all sites has to merge them";
        return Err(ProblemKind::Forbidden.because(words).into());
    }
    for id in ids {
        let to = LicenseMove { company: Some(into), site: None };
        license_move::go(service, tx, actor, LicenseKey::License(id), to, now).await?;
    }
    Ok(())
}
