//! My Actions of a distributor: the queue, and approving several months at once.

use axum::{http::StatusCode, response::Response};
use tenure_core::{UsageId, roles::Action as Permission};
use tenure_service::{
    ActionKind, Approval as Done, LinesTag, MonthRef, MyAction, Paging, ProblemKind, approve_month, list_months,
    my_actions, view_month,
};

use super::actions::{ticket, tickets};
use crate::{
    pages::{
        Desk, Said,
        approvals::{
            Approval, Approvals, ApproveMany, ApproveRow, ApprovedMany, ApprovedRow, LateProvider, Outcome, Two,
        },
    },
    present,
    web::{Fields, Refused, Viewing, page, page_with},
};

/// What waits for the distributor: flags first, then what changed most.
pub(super) async fn queue(viewing: &Viewing, said: Said) -> Result<Response, Refused> {
    let mut rows: Vec<Approval> = waiting(viewing).await?.into_iter().map(|(_, _, row)| row).collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.change.map_or(i64::MAX, |change| change.as_milli().abs())));
    let (flagged, clean) = rows.into_iter().partition(|row| row.flagged > 0 || row.needs_consent);
    let newest = list_months(&viewing.service, viewing.actor(), &Paging { cursor: None, limit: Some(200) }).await?;
    let late = newest.items.into_iter().filter(|month| month.late).map(|month| LateProvider {
        href: present::month::href(Desk::Distributor, month.period, month.id),
        provider: month.provider.name,
        period: month.period,
        due: month.due,
    });
    let may_decide = viewing.may(Permission::DecideUsage, false);
    page(viewing, Approvals { said, flagged, clean, late: late.collect(), may_decide }).await
}

/// The months that wait, with the lines that were submitted.
async fn waiting(viewing: &Viewing) -> Result<Vec<(UsageId, LinesTag, Approval)>, Refused> {
    let actions = my_actions(&viewing.service, viewing.actor()).await?;
    let decide = actions.items.into_iter().filter(|item| item.kind == ActionKind::Decide);
    Ok(decide.filter_map(|item| approval(viewing, item)).collect())
}

fn approval(viewing: &Viewing, item: MyAction) -> Option<(UsageId, LinesTag, Approval)> {
    let submitted = item.month.submitted?;
    let row = Approval {
        period: item.month.period,
        href: present::month::href(Desk::Distributor, item.month.period, item.month.id),
        provider: item.month.provider.name,
        submitted: submitted.at,
        deadline: viewing.deadline(item.by),
        reported: submitted.reported,
        total: submitted.total,
        flagged: submitted.flagged,
        needs_consent: submitted.needs_consent,
        two: match submitted.approved_first.filter(|_| submitted.takes_two) {
            None if submitted.takes_two => Two::Both,
            None => Two::No,
            Some((_, by)) if by == viewing.person.id.uuid() => Two::Others,
            Some(_) => Two::Second,
        },
        change: item.change,
        ticket: ticket(item.month.id, submitted.tag),
    };
    Some((item.month.id, submitted.tag, row))
}

/// `POST /actions/approve`: shows once more what is chosen; sent from there, approves each month on its own, as it was
/// seen, and says what became of it.
pub(super) async fn approve(viewing: Viewing, fields: Fields) -> Result<Response, Refused> {
    if viewing.desk() != Desk::Distributor {
        return Err(ProblemKind::NotFound.into());
    }
    if !viewing.may(Permission::DecideUsage, false) {
        return Err(ProblemKind::Forbidden.into());
    }
    let chosen = tickets(&fields)?;
    if fields.is_set("sure") { decide(&viewing, &chosen).await } else { look(&viewing, &chosen).await }
}

async fn look(viewing: &Viewing, chosen: &[(UsageId, LinesTag)]) -> Result<Response, Refused> {
    let waiting = waiting(viewing).await?;
    let (mut rows, mut decided) = (Vec::new(), 0);
    for (id, seen) in chosen {
        if let Some((_, tag, row)) = waiting.iter().find(|(known, ..)| known == id) {
            let month = Approval { ticket: ticket(*id, *seen), ..row.clone() };
            rows.push(ApproveRow { month, changed: tag.hash != seen.hash });
        } else {
            // What is not the distributor's does not exist.
            view_month(&viewing.service, viewing.actor(), MonthRef::Id(*id)).await?;
            decided += 1;
        }
    }
    page(viewing, ApproveMany { rows, decided }).await
}

async fn decide(viewing: &Viewing, chosen: &[(UsageId, LinesTag)]) -> Result<Response, Refused> {
    let (mut rows, mut status) = (Vec::new(), StatusCode::OK);
    for (id, seen) in chosen {
        let which = MonthRef::Id(*id);
        let done = approve_month(&viewing.service, viewing.actor(), which, *seen).await.map_err(Refused::from);
        if let Err(why) = &done
            && !why.is_for_the_form()
        {
            return Err(done.expect_err("it was refused"));
        }
        let month = view_month(&viewing.service, viewing.actor(), which).await?;
        let outcome = match done {
            Ok(Done::Closed) => Outcome::Closed,
            Ok(Done::First) => Outcome::Waits,
            Err(why) => {
                status = why.status();
                let problem = why.problem();
                Outcome::Refused(format!("{}: {}", problem.kind.title(), problem.detail))
            }
        };
        rows.push(ApprovedRow {
            href: present::month::href(Desk::Distributor, month.head.period, *id),
            period: month.head.period,
            total: month.totals.total,
            provider: month.head.provider.name,
            outcome,
        });
    }
    rows.sort_by_key(|row| match row.outcome {
        Outcome::Refused(_) => 0,
        Outcome::Waits => 1,
        Outcome::Closed => 2,
    });
    page_with(viewing, status, ApprovedMany { rows }).await
}
