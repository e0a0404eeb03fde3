//! A person's answer for an installation that sent nothing, is a clone, or is contested.

use std::sync::Arc;

use serde_json::json;
use tenure_core::{InstallationId, adjust::MAX_COUNT, line::Source};
use tenure_store::{
    Queue, Tx,
    rows::{
        answer::{self, AnswerFigure, AnswerRow},
        monthly_usage::UsageRow,
        product,
    },
};

use crate::{
    Actor, ProblemKind, Result, Service,
    month::{self, Expected, Figure},
    month_access::{MonthRef, changed, lock_to_edit, reaches},
};

/// Most figures of an answer.
const MAX_FIGURES: usize = 100;

/// What the installation used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Nothing.
    Zero,
    /// What its weekly figures reached.
    Suggested,
    /// These figures.
    Figures(Vec<Figure>),
}

/// Answers for an installation, in a month that is open for changes; again to change the answer.
pub async fn answer_installation(
    service: &Service,
    actor: &Actor,
    which: MonthRef,
    installation: InstallationId,
    input: Answer,
) -> Result<()> {
    let (service_, actor) = (service.clone(), actor.clone());
    service
        .store()
        .write(Queue::People, async move |tx| {
            let service = &service_;
            let mut usage = lock_to_edit(service, tx, &actor, which).await?;
            let expected = expected(service, tx, &actor, &usage, installation).await?;
            let kind = kind(tx, &usage, &expected).await?;
            let lines = figures(tx, &expected, &input).await?;
            let row =
                AnswerRow { installation, kind: kind.to_owned(), lines, by: actor.principal(), at: service.now() };
            answer::upsert(tx, usage.provider, usage.period, &row).await?;
            let body = json!({ "installation": installation, "kind": kind, "figures": row.lines });
            changed(service, tx, &actor, &mut usage, "usage.answered", body).await
        })
        .await
}

/// Takes an answer back, in a month that is open for changes.
pub async fn reset_answer(
    service: &Service,
    actor: &Actor,
    which: MonthRef,
    installation: InstallationId,
) -> Result<()> {
    let (service_, actor) = (service.clone(), actor.clone());
    service
        .store()
        .write(Queue::People, async move |tx| {
            let service = &service_;
            let mut usage = lock_to_edit(service, tx, &actor, which).await?;
            expected(service, tx, &actor, &usage, installation).await?;
            if !answer::delete(tx, usage.provider, usage.period, installation).await? {
                return Err(ProblemKind::NotFound.because("nobody answered for this server").into());
            }
            let body = json!({ "installation": installation });
            changed(service, tx, &actor, &mut usage, "usage.answer_reset", body).await
        })
        .await
}

async fn expected(
    service: &Service,
    tx: &mut Tx,
    actor: &Actor,
    usage: &UsageRow,
    installation: InstallationId,
) -> Result<Arc<Expected>> {
    let found = month::around(tx, usage, installation, service.now(), service.policy_of(usage.period)).await?;
    let (_, expected) = found.ok_or(ProblemKind::NotFound)?;
    reaches(actor, expected.license.site)?;
    Ok(expected)
}

/// What is being answered. Whose own report counts is not answered but adjusted.
async fn kind(tx: &mut Tx, usage: &UsageRow, expected: &Expected) -> Result<&'static str> {
    let before = answer::find(tx, usage.provider, usage.period, expected.id).await?;
    match (expected.source, before) {
        (Source::Clone, _) => Ok("clone"),
        (Source::Answered, Some(before)) => Ok(match before.kind.as_str() {
            "clone" => "clone",
            "contested" => "contested",
            _ => "missing",
        }),
        (Source::Automatic | Source::Preliminary, _) if expected.contested => Ok("contested"),
        (Source::Awaited | Source::Missing | Source::Answered, _) => Ok("missing"),
        (Source::Automatic | Source::Preliminary, _) => {
            Err(ProblemKind::InvalidInput.because("the server reported; adjust its figures instead").into())
        }
        _ => Err(ProblemKind::InvalidInput.because("the server needs no answer").into()),
    }
}

async fn figures(tx: &mut Tx, expected: &Expected, input: &Answer) -> Result<Vec<AnswerFigure>> {
    let refused = |words: &'static str| Err(ProblemKind::InvalidInput.because(words).into());
    let wanted = match input {
        Answer::Zero => &[],
        Answer::Suggested if expected.suggested.is_empty() => {
            return refused("the server sent no weekly figures in this month: say what it used");
        }
        Answer::Suggested => expected.suggested.as_slice(),
        Answer::Figures(figures) => figures.as_slice(),
    };
    if wanted.len() > MAX_FIGURES {
        return refused("figures must be at most 100");
    }
    let known = product::workloads(tx, expected.license.product.id).await?;
    let mut figures = Vec::with_capacity(wanted.len());
    for figure in wanted {
        if !known.iter().any(|row| row.code == figure.workload && row.variant == figure.variant) {
            return refused("figures must name workload types of the server's product");
        }
        if figure.count > MAX_COUNT {
            return refused("a count is larger than 100,000,000");
        }
        let (workload, variant) = (figure.workload.clone(), figure.variant.clone());
        figures.push(AnswerFigure { workload, variant, count: figure.count });
    }
    figures.sort_by(|a, b| (&a.workload, &a.variant).cmp(&(&b.workload, &b.variant)));
    if figures.windows(2).any(|pair| (&pair[0].workload, &pair[0].variant) == (&pair[1].workload, &pair[1].variant)) {
        return refused("figures name a workload type twice");
    }
    Ok(figures)
}
