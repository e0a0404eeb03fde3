//! Changing rental agreements: their end, their commitment from a month on, their distributor, their early end.

use serde::Serialize;
use serde_json::{Value, json};
use tenure_core::{
    AgreementId, AgreementKind, LicenseId, OrgId, Period, Points, Timestamp,
    roles::{Action, OrgKind},
};
use tenure_store::{
    Conn, Queue, Tx,
    jobs::{self, Chunk, NewJob},
    rows::{
        agreement::{self, AgreementRow, DatedTerms},
        chain,
    },
};

use crate::{
    Actor, AgreementView, ContentTag, Error, IfMatch, ProblemKind, Result, Service, agreements,
    authorize::{at_home, kind_of},
    change, checks, issue,
    program::of_kind,
};

/// The job that writes an agreement's licenses anew.
pub(crate) const REISSUE: &str = "agreement.reissue";
/// Licenses written anew in one chunk.
const LICENSES: u32 = 100;

/// What is to be different about an agreement. A doubled option says: stays, is cleared, becomes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AgreementChange {
    /// Another number.
    pub number: Option<String>,
    /// Another purchase order, for months opened from now on.
    pub purchase_order: Option<String>,
    /// Another end.
    pub ends: Option<Timestamp>,
    /// Another distributor, for months opened from now on.
    pub distributor: Option<OrgId>,
    /// Another commitment, from a month on.
    pub terms: Option<NewTerms>,
    /// Takes an early end back.
    pub reinstate: bool,
}

/// A commitment from a month on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewTerms {
    /// The first month it holds for; a later one than the running month.
    pub from: Period,
    /// Minimum points per month.
    pub commit: Points,
    /// Points above this are overage.
    pub limit: Option<Points>,
}

#[derive(Serialize)]
struct Content<'a> {
    number: &'a str,
    purchase_order: &'a str,
    distributor: OrgId,
    ends_at: Timestamp,
    terminated_at: Option<Timestamp>,
    terms: Vec<(Period, String, Option<String>)>,
}

fn content<'a>(row: &'a AgreementRow, terms: &[DatedTerms]) -> Content<'a> {
    let dated = |one: &DatedTerms| (one.from, one.commit.to_string(), one.limit.map(|limit| limit.to_string()));
    Content {
        number: &row.number,
        purchase_order: &row.purchase_order,
        distributor: row.distributor,
        ends_at: row.ends,
        terminated_at: row.terminated,
        terms: terms.iter().map(dated).collect(),
    }
}

/// The tag of an agreement's content.
pub fn agreement_tag(view: &AgreementView) -> ContentTag {
    ContentTag::of(&content(&view.agreement, &view.terms))
}

/// One agreement that the actor's organization is a party of, or any for the vendor.
pub async fn find_agreement(service: &Service, actor: &Actor, id: AgreementId) -> Result<AgreementView> {
    let mut read = service.store().read().await?;
    let row = visible(&mut read, actor, id).await?;
    agreements::with_names(&mut read, row).await
}

async fn visible(conn: &mut Conn, actor: &Actor, id: AgreementId) -> Result<AgreementRow> {
    let kind = kind_of(conn, actor).await?;
    let row = agreement::find_by_id(conn, id).await?.ok_or(ProblemKind::NotFound)?;
    if kind != OrgKind::Vendor && actor.org != row.provider && actor.org != row.distributor {
        return Err(ProblemKind::NotFound.into());
    }
    at_home(conn, actor, Action::View).await?;
    Ok(row)
}

async fn managed(tx: &mut Tx, actor: &Actor, id: AgreementId) -> Result<AgreementRow> {
    let row = visible(tx, actor, id).await?;
    at_home(tx, actor, Action::ManageProgram).await?;
    agreement::lock(tx, row.provider, id).await?.ok_or(Error::Internal("an agreement that was found is gone"))
}

/// Changes an agreement; for the vendor's administrator. Its kind and provider never change: that is another agreement.
///
/// What is past stays: another commitment holds from a future month on, another distributor decides the months that are
/// opened from now on, while those it has go on with the one before. Another end is written into the licenses by a job.
pub async fn edit_agreement(
    service: &Service,
    actor: &Actor,
    id: AgreementId,
    seen: IfMatch,
    input: AgreementChange,
) -> Result<AgreementView> {
    if let Some(number) = &input.number {
        checks::name("number", number)?;
    }
    if let Some(order) = &input.purchase_order {
        checks::text("purchase_order", order, 200)?;
    }
    let (now, actor) = (service.now(), actor.clone());
    service
        .store()
        .write(Queue::People, async move |tx| {
            let before = managed(tx, &actor, id).await?;
            let terms = agreement::terms(tx, before.provider, id).await?;
            seen.check(&content(&before, &terms))?;
            let row = changed(tx, &before, &input, now).await?;
            if row != before {
                agreement::update(tx, &row).await?;
            }
            if let Some(new) = input.terms {
                terms_fit(&row, new, Period::of(now))?;
                let dated = DatedTerms { from: new.from, commit: new.commit, limit: new.limit };
                agreement::put_terms(tx, row.provider, id, dated).await?;
            }
            if row.end() != before.end() {
                reissue(tx, &row, now, now).await?;
            }
            record(tx, &actor, &before, &row, input.terms, now);
            agreements::with_names(tx, row).await
        })
        .await
}

async fn changed(tx: &mut Tx, before: &AgreementRow, input: &AgreementChange, now: Timestamp) -> Result<AgreementRow> {
    let refused = |words: &'static str| Err(ProblemKind::InvalidInput.because(words).into());
    let mut row = before.clone();
    if let Some(number) = &input.number {
        row.number = number.trim().to_owned();
    }
    if let Some(order) = &input.purchase_order {
        row.purchase_order = order.trim().to_owned();
    }
    if let Some(distributor) = input.distributor.filter(|wanted| *wanted != row.distributor) {
        of_kind(tx, distributor, OrgKind::Distributor).await?;
        row.distributor = distributor;
    }
    if input.reinstate {
        row.terminated = None;
    }
    if let Some(ends) = input.ends.filter(|ends| *ends != row.ends) {
        if row.terminated.is_some() {
            return refused("the agreement was ended early; take that back first");
        }
        if ends <= row.signed || ends <= now {
            return refused("ends_at must be in the future and after signed_at; to end it now, terminate it");
        }
        row.ends = ends;
    }
    Ok(row)
}

fn terms_fit(row: &AgreementRow, new: NewTerms, now: Period) -> Result<()> {
    let refused = |words: String| Err(ProblemKind::InvalidInput.because(words).into());
    if new.from <= now {
        return refused(format!("`from` must be a month after {now}: what was committed to is never changed"));
    }
    if new.commit < Points::ZERO || new.limit.is_some_and(|limit| limit < new.commit) {
        return refused("commit must not be negative, and limit not below it".to_owned());
    }
    if row.kind == AgreementKind::NoCommit && new.commit != Points::ZERO {
        return refused("a no_commit agreement commits to nothing: commit must be 0".to_owned());
    }
    Ok(())
}

/// Ends an agreement early, now or at a later instant before its end, with a reason that its parties read; for the vendor's
/// administrator. Its last month is still submitted and closed.
pub async fn terminate_agreement(
    service: &Service,
    actor: &Actor,
    id: AgreementId,
    at: Option<Timestamp>,
    reason: String,
) -> Result<AgreementView> {
    checks::text("reason", &reason, 1_000)?;
    if reason.trim().is_empty() {
        return Err(ProblemKind::InvalidInput.because("reason must say why").into());
    }
    let (now, actor) = (service.now(), actor.clone());
    service
        .store()
        .write(Queue::People, async move |tx| {
            let mut row = managed(tx, &actor, id).await?;
            let at = at.unwrap_or(now);
            if row.terminated.is_some() || now >= row.ends {
                return Err(ProblemKind::AgreementOver.because("it ends already").into());
            }
            if at < now || at >= row.ends {
                return Err(ProblemKind::InvalidInput
                    .because("at must be from now on and before the agreement's end")
                    .into());
            }
            row.terminated = Some(at);
            agreement::update(tx, &row).await?;
            reissue(tx, &row, now, now).await?;
            if at > now {
                reissue(tx, &row, now, at).await?;
            }
            let body = json!({ "number": row.number, "at": at, "reason": reason.trim() });
            tell_both(tx, &actor, &row, row.distributor, "agreement.terminated", now, &body);
            agreements::with_names(tx, row).await
        })
        .await
}

fn record(
    tx: &mut Tx,
    actor: &Actor,
    before: &AgreementRow,
    row: &AgreementRow,
    terms: Option<NewTerms>,
    now: Timestamp,
) {
    let mut body = json!({ "number": row.number });
    let mut put = |name: &str, from: Value, to: Value| {
        if from != to {
            body[name] = json!({ "from": from, "to": to });
        }
    };
    put("renumbered", json!(before.number), json!(row.number));
    put("purchase_order", json!(before.purchase_order), json!(row.purchase_order));
    put("ends", json!(before.ends), json!(row.ends));
    put("terminated", json!(before.terminated), json!(row.terminated));
    put("distributor", json!(before.distributor), json!(row.distributor));
    if let Some(new) = terms {
        let limit = new.limit.map(|limit| limit.to_string());
        body["terms"] = json!({ "from": new.from, "commit": new.commit.to_string(), "limit": limit });
    }
    if body.as_object().is_some_and(|fields| fields.len() > 1) {
        tell_both(tx, actor, row, before.distributor, "agreement.changed", now, &body);
    }
}

fn tell_both(
    tx: &mut Tx,
    actor: &Actor,
    row: &AgreementRow,
    distributor_before: OrgId,
    verb: &'static str,
    now: Timestamp,
    body: &Value,
) {
    change::by(tx, actor, row.provider, verb, row.id.to_string(), now, body.clone());
    change::tell(tx, row.distributor, verb, row.id.to_string(), now, body.clone());
    if distributor_before != row.distributor {
        change::tell(tx, distributor_before, verb, row.id.to_string(), now, body.clone());
    }
}

/// Leaves a job that writes the agreement's licenses anew at `due`.
async fn reissue(tx: &mut Tx, row: &AgreementRow, now: Timestamp, due: Timestamp) -> Result<()> {
    let key = format!("{}/{}/{}", row.id, now.as_micros(), due.as_micros());
    let payload = json!({ "provider": row.provider, "agreement": row.id });
    jobs::enqueue(tx, NewJob { kind: REISSUE, key, payload, at: now, due_at: due }).await?;
    Ok(())
}

/// What the job is about.
#[derive(Debug, Clone, Copy, serde::Deserialize)]
pub(crate) struct OfAgreement {
    provider: OrgId,
    agreement: AgreementId,
}

/// Writes some of an agreement's licenses anew, with its end, and says in their chains whether it was ended early.
pub(crate) async fn chunk(service: &Service, tx: &mut Tx, job: OfAgreement, cursor: Option<&str>) -> Result<Chunk> {
    let unreadable = |_| Error::Internal("a job's cursor cannot be read");
    let after: Option<LicenseId> = cursor.map(str::parse).transpose().map_err(unreadable)?;
    let row = agreement::find(tx, job.provider, job.agreement).await?;
    let row = row.ok_or(Error::Internal("a job about no agreement"))?;
    let licenses = agreement::licenses(tx, job.provider, job.agreement, after, LICENSES).await?;
    issue::issue_many(service, tx, job.provider, &licenses).await?;
    let standing = agreements::terms(&row).standing(service.now());
    let terminated = standing == tenure_core::agreement::AgreementStanding::Terminated;
    chain::set_terminated(tx, job.provider, &licenses, terminated).await?;
    Ok(match licenses.last().filter(|_| licenses.len() == LICENSES as usize) {
        Some(last) => Chunk::More { cursor: last.to_string() },
        None => Chunk::Done,
    })
}
