//! A person's figure in place of a product's; the product's stays in the report.

use serde_json::json;
use tenure_core::{
    InstallationId,
    adjust::{MAX_NOTE_CHARS, ReasonCode, check_adjustment},
};
use tenure_store::{
    Queue, Tx,
    rows::{
        adjustment::{self, AdjustmentRow},
        monthly_usage::UsageRow,
    },
};

use crate::{
    Actor, ProblemKind, Result, Service, checks,
    month::{self, Line},
    month_access::{MonthRef, changed, lock_to_edit, reaches},
};

/// Which figure of a month is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FigureRef {
    /// The installation that reported it.
    pub installation: InstallationId,
    /// Workload type code.
    pub workload: String,
    /// Variant code; empty where the type has none.
    pub variant: String,
}

/// Another figure for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFigure {
    /// Units.
    pub count: u32,
    /// Why; required when the product's figure is lowered.
    pub reason: Option<ReasonCode>,
    /// One sentence; required when the product's figure is lowered.
    pub note: String,
}

/// Puts a figure in place of a product's, in a month that is open for changes. Doing it again against a newer report
/// confirms it.
pub async fn adjust_figure(
    service: &Service,
    actor: &Actor,
    which: MonthRef,
    figure: FigureRef,
    input: NewFigure,
) -> Result<()> {
    checks::text("note", &input.note, MAX_NOTE_CHARS)?;
    let (service_, actor) = (service.clone(), actor.clone());
    service
        .store()
        .write(Queue::People, async move |tx| {
            let service = &service_;
            let mut usage = lock_to_edit(service, tx, &actor, which).await?;
            let line = line(service, tx, &actor, &usage, &figure).await?;
            let (products, revision) = products_figure(&line)?;
            check_adjustment(products, input.count, input.reason, &input.note)
                .map_err(|refusal| ProblemKind::InvalidInput.because(refusal.to_string()))?;
            let row = AdjustmentRow {
                installation: figure.installation,
                workload: figure.workload.clone(),
                variant: figure.variant.clone(),
                count: input.count,
                was: products,
                revision,
                reason: input.reason.map_or("", ReasonCode::word).to_owned(),
                note: input.note.trim().to_owned(),
                by: actor.principal(),
                at: service.now(),
            };
            adjustment::upsert(tx, usage.provider, usage.period, &row).await?;
            let body = json!({
                "installation": row.installation, "workload": row.workload, "variant": row.variant, "was": products,
                "count": row.count, "reason": row.reason, "note": row.note, "revision": revision,
            });
            changed(service, tx, &actor, &mut usage, "usage.adjusted", body).await
        })
        .await
}

/// Gives a figure back to the product, in a month that is open for changes.
pub async fn reset_figure(service: &Service, actor: &Actor, which: MonthRef, figure: FigureRef) -> Result<()> {
    let (service_, actor) = (service.clone(), actor.clone());
    service
        .store()
        .write(Queue::People, async move |tx| {
            let service = &service_;
            let mut usage = lock_to_edit(service, tx, &actor, which).await?;
            let line = line(service, tx, &actor, &usage, &figure).await?;
            let (provider, period) = (usage.provider, usage.period);
            let (workload, variant) = (figure.workload.as_str(), figure.variant.as_str());
            if !adjustment::delete(tx, provider, period, figure.installation, workload, variant).await? {
                return Err(ProblemKind::NotFound.because("the figure is the product's own already").into());
            }
            let body = json!({
                "installation": figure.installation, "workload": workload, "variant": variant, "was": line.count,
                "count": line.reported,
            });
            changed(service, tx, &actor, &mut usage, "usage.reset", body).await
        })
        .await
}

async fn line(service: &Service, tx: &mut Tx, actor: &Actor, usage: &UsageRow, figure: &FigureRef) -> Result<Line> {
    let found = month::around(tx, usage, figure.installation, service.now(), service.policy_of(usage.period)).await?;
    let (lines, _) = found.ok_or(ProblemKind::NotFound)?;
    let of_figure = |line: &Line| {
        line.installation.as_ref().is_some_and(|one| one.id == figure.installation)
            && line.workload.code == figure.workload
            && line.workload.variant == figure.variant
    };
    let line = lines.into_iter().find(of_figure).ok_or(ProblemKind::NotFound)?;
    reaches(actor, line.site)?;
    Ok(line)
}

/// The product's figure and the revision it is of. Only a report that counts can be adjusted; an answer is given anew.
fn products_figure(line: &Line) -> Result<(u32, u32)> {
    let report = line.installation.as_ref().and_then(|installation| installation.report.as_ref());
    match (line.reported, report) {
        (Some(products), Some(report)) => Ok((products, report.revision)),
        _ => {
            Err(ProblemKind::InvalidInput.because("the line has no figure of a product; answer for the server").into())
        }
    }
}
