//! Submitting a month: the last look, the submission, its receipt.

use axum::{
    extract::Path,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use tenure_core::{Timestamp, cycle::UsageState, deadline::distributor_deadline, line::Source};
use tenure_license::{
    Payload,
    payload::{Receipt, ReceiptSubject},
};
use tenure_service::{Month, ProblemKind, SubmitInput, submit_month, view_receipt};

use super::month::{find, saw, which};
use crate::{
    pages::{
        problem::Refusal,
        submission::{SubmissionReceipt, Submit},
    },
    present,
    web::{Fields, Refused, Viewing, attachment, page, page_with, to},
};

/// `GET /months/{month}/submit`: what will be sent.
pub(super) async fn look(viewing: Viewing, Path(month): Path<String>, fields: Fields) -> Result<Response, Refused> {
    show(&viewing, &month, &fields, None, StatusCode::OK).await
}

/// `POST /months/{month}/submit`: on to the receipt. The same form sent twice is one submission.
pub(super) async fn submit(viewing: Viewing, Path(month): Path<String>, fields: Fields) -> Result<Response, Refused> {
    let done = async {
        let input = SubmitInput {
            seen: saw(&fields)?,
            purchase_order: Some(fields.get("purchase_order").to_owned()),
            comment: Some(fields.get("comment").to_owned()),
        };
        Ok(submit_month(&viewing.service, viewing.actor(), which(&month)?, input).await?)
    };
    match done.await {
        Ok(done) => Ok(to(&format!("/months/{month}/receipts/{}", done.number))),
        Err(refused) => {
            let (said, status) = super::refused(refused)?;
            show(&viewing, &month, &fields, said.problem, status).await
        }
    }
}

async fn show(
    viewing: &Viewing,
    which: &str,
    fields: &Fields,
    problem: Option<Refusal>,
    status: StatusCode,
) -> Result<Response, Refused> {
    let month = find(viewing, which).await?;
    if !present::month::may(viewing, &month).submit {
        // Somebody was faster, or it is not the viewer's to submit: the review says which.
        return Ok(to(&format!("/months/{which}")));
    }
    let sent = |name: &str| fields.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.trim().to_owned());
    let part = Submit {
        problem,
        period: month.head.period,
        review: format!("/months/{which}"),
        distributor: month.head.distributor.name.clone(),
        agreement: month.head.agreement.number.clone(),
        sums: present::month::sums(&month),
        lines: month.lines.len(),
        by_hand: by_hand(&month),
        flagged: month.flagged() as usize,
        lowered: month.lowered,
        decided_by: distributor_deadline(month.head.period, viewing.now, viewing.service.policy()),
        deadline: viewing.deadline(month.head.due),
        purchase_order: sent("purchase_order").unwrap_or_else(|| month.head.purchase_order.clone()),
        comment: sent("comment").unwrap_or_else(|| month.head.comment.clone()),
        saw: month.tag.to_string(),
        blockers: month.blockers,
    };
    page_with(viewing, status, part).await
}

/// Lines that a person changed or entered.
fn by_hand(month: &Month) -> usize {
    let entered =
        |line: &&tenure_service::Line| line.is_adjusted() || matches!(line.source, Source::Manual | Source::Answered);
    month.lines.iter().filter(entered).count()
}

/// `GET /months/{month}/receipts/{number}`.
pub(super) async fn receipt(viewing: Viewing, Path((month, number)): Path<(String, u32)>) -> Result<Response, Refused> {
    let signed = view_receipt(&viewing.service, viewing.actor(), which(&month)?, Some(number)).await?;
    let head = find(&viewing, &month).await?.head;
    let Receipt { subject, hash, received_at, .. } = signed.receipt;
    let ReceiptSubject::Submission { usage, period, reported, total, .. } = subject else {
        return Err(ProblemKind::NotFound.into());
    };
    let newest = head.submitted.filter(|submitted| submitted.number == number);
    let part = SubmissionReceipt {
        period,
        provider: head.provider.name,
        distributor: head.distributor.name,
        review: format!("/months/{month}"),
        number,
        id: usage.to_string(),
        hash: hash.to_string(),
        at: Timestamp::from_secs(received_at),
        by: newest.map(|submitted| submitted.by.name),
        reported,
        total,
        decided_by: head.decide_by.filter(|_| head.state == UsageState::PendingDistributorReview),
        document: format!("/months/{month}/receipts/{number}/document"),
    };
    page(&viewing, part).await
}

/// `GET /months/{month}/receipts/{number}/document`: the receipt as signed.
pub(super) async fn document(
    viewing: Viewing,
    Path((month, number)): Path<(String, u32)>,
) -> Result<Response, Refused> {
    let signed = view_receipt(&viewing.service, viewing.actor(), which(&month)?, Some(number)).await?;
    let mut file = attachment(&format!("receipt-{month}-{number}.json"), "application/json", signed.envelope.to_json());
    let kind = HeaderValue::from_static(Receipt::TYPE);
    file.headers_mut().insert(header::HeaderName::from_static("x-payload-type"), kind);
    Ok(file.into_response())
}
