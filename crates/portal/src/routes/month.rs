//! One month: the review, and everything a person does on it.

use axum::{extract::Path, http::StatusCode, response::Response};
use tenure_core::{InstallationId, ProductId, SiteId};
use tenure_license::Hash;
use tenure_service::{
    Answer, Approval, Figure, FigureRef, LinesTag, Month, MonthRef, NewFigure, NewManualLine, ProblemKind,
    add_manual_line, adjust_figure, answer_installation, approve_month, close_month, consent_to_month, list_catalog,
    mark_reviewed, reject_month, remove_manual_line, reset_answer, reset_figure, return_part, set_auto_submit,
    start_review, submit_part, view_month,
};

use super::{companies::every, said};
use crate::{
    pages::{Desk, Notice, Said},
    present::{
        self,
        month::{LineKey, Offered, Wanted},
    },
    web::{Fields, Refused, Viewing, back_to, page_with, to},
};

/// `GET /months/{month}`: the review.
pub(super) async fn show(viewing: Viewing, Path(month): Path<String>, fields: Fields) -> Result<Response, Refused> {
    show_with(&viewing, &month, &fields, said(&fields), StatusCode::OK).await
}

/// `GET` of an address that only takes forms, as a reload after a refusal asks for it: back to the review.
pub(super) async fn back(Path(month): Path<String>) -> Response {
    to(&format!("/months/{month}"))
}

async fn show_with(
    viewing: &Viewing,
    month: &str,
    fields: &Fields,
    said: Said,
    status: StatusCode,
) -> Result<Response, Refused> {
    let month = find(viewing, month).await?;
    let wanted = Wanted::of(fields);
    let offered = offered(viewing, &month, &wanted).await?;
    page_with(viewing, status, present::month::page(viewing, &month, &wanted, &offered, said)).await
}

/// The month that an address names.
pub(super) fn which(month: &str) -> Result<MonthRef, Refused> {
    month.parse().map_err(|_| ProblemKind::NotFound.into())
}

/// Loads it.
pub(super) async fn find(viewing: &Viewing, month: &str) -> Result<Month, Refused> {
    Ok(view_month(&viewing.service, viewing.actor(), which(month)?).await?)
}

async fn offered(viewing: &Viewing, month: &Month, wanted: &Wanted<'_>) -> Result<Offered, Refused> {
    let may = present::month::may(viewing, month);
    let mut offered = Offered::default();
    if present::month::needs_catalog(month, may, wanted) {
        offered.catalog = Some(list_catalog(&viewing.service, viewing.actor()).await?);
    }
    if may.edit && !wanted.manual.is_empty() {
        offered.fresh_key = viewing.fresh_key();
        offered.companies = every(viewing, Some(true)).await?;
    }
    Ok(offered)
}

/// After a form: back to the review, which says what was done; or the review at once, with why it was not.
async fn after(
    viewing: &Viewing,
    month: &str,
    fields: &Fields,
    done: Result<(), Refused>,
    notice: Notice,
) -> Result<Response, Refused> {
    match done {
        Ok(()) => {
            let show = fields.get("show");
            let pairs = [("show", show), ("page", fields.get("page"))];
            let query = present::query(pairs.into_iter().filter(|(_, value)| !value.is_empty()));
            let query = if query.is_empty() { query } else { format!("?{query}") };
            Ok(back_to(&format!("/months/{month}{query}"), notice))
        }
        Err(error) => {
            let (said, status) = super::refused(error)?;
            show_with(viewing, month, fields, said, status).await
        }
    }
}

/// `POST /months/{month}/review`: starts the review.
pub(super) async fn review(viewing: Viewing, Path(month): Path<String>, fields: Fields) -> Result<Response, Refused> {
    let done = start_review(&viewing.service, viewing.actor(), which(&month)?).await;
    after(&viewing, &month, &fields, done.map_err(Refused::from), Notice::ReviewStarted).await
}

/// `POST /months/{month}/auto-submit`: asks for it, or no longer.
pub(super) async fn auto_submit(
    viewing: Viewing,
    Path(month): Path<String>,
    fields: Fields,
) -> Result<Response, Refused> {
    let on = fields.is_set("on");
    let done = set_auto_submit(&viewing.service, viewing.actor(), which(&month)?, on).await;
    let notice = if on { Notice::AutoSubmitOn } else { Notice::AutoSubmitOff };
    after(&viewing, &month, &fields, done.map_err(Refused::from), notice).await
}

/// `POST /months/{month}/answers`: what an installation used that sent nothing.
pub(super) async fn answer(viewing: Viewing, Path(month): Path<String>, fields: Fields) -> Result<Response, Refused> {
    let done = async {
        let installation: InstallationId = fields.read("installation")?;
        let answer = match fields.get("answer") {
            "zero" => Answer::Zero,
            "suggested" => Answer::Suggested,
            _ => Answer::Figures(
                fields
                    .counts()?
                    .into_iter()
                    .map(|(workload, variant, count)| Figure { workload, variant, count })
                    .collect(),
            ),
        };
        Ok(answer_installation(&viewing.service, viewing.actor(), which(&month)?, installation, answer).await?)
    };
    let done = done.await;
    after(&viewing, &month, &fields, done, Notice::Answered).await
}

/// `POST /months/{month}/answers/reset`.
pub(super) async fn unanswer(viewing: Viewing, Path(month): Path<String>, fields: Fields) -> Result<Response, Refused> {
    let done = async {
        let figure = figure(&fields)?;
        Ok(reset_answer(&viewing.service, viewing.actor(), which(&month)?, figure.installation).await?)
    };
    let done = done.await;
    after(&viewing, &month, &fields, done, Notice::AnswerReset).await
}

/// `POST /months/{month}/adjustments`: another figure than the product's.
pub(super) async fn adjust(viewing: Viewing, Path(month): Path<String>, fields: Fields) -> Result<Response, Refused> {
    let done = async {
        let input = NewFigure {
            count: fields.read("count")?,
            reason: fields.read_or_none("reason")?,
            note: fields.get("note").to_owned(),
        };
        Ok(adjust_figure(&viewing.service, viewing.actor(), which(&month)?, figure(&fields)?, input).await?)
    };
    let done = done.await;
    // After a refusal the form is open again, with what was typed.
    let mut again = fields;
    again.0.push(("adjust".to_owned(), again.get("line").to_owned()));
    after(&viewing, &month, &again, done, Notice::Adjusted).await
}

/// `POST /months/{month}/adjustments/reset`: the product's figure counts again.
pub(super) async fn reset(viewing: Viewing, Path(month): Path<String>, fields: Fields) -> Result<Response, Refused> {
    let done = async { Ok(reset_figure(&viewing.service, viewing.actor(), which(&month)?, figure(&fields)?).await?) };
    let done = done.await;
    after(&viewing, &month, &fields, done, Notice::Reset).await
}

fn figure(fields: &Fields) -> Result<FigureRef, Refused> {
    match fields.get("line").parse() {
        Ok(LineKey::Figure(figure)) => Ok(figure),
        _ => Err(ProblemKind::NotFound.into()),
    }
}

/// `POST /months/{month}/reviewed`: marks a line as looked at, or takes the mark away.
pub(super) async fn mark(viewing: Viewing, Path(month): Path<String>, fields: Fields) -> Result<Response, Refused> {
    let (reviewed, name) = if fields.get("unmark").is_empty() { (true, "mark") } else { (false, "unmark") };
    let done = async {
        let tag: Hash = fields.read(name)?;
        let tags = vec![*tag.as_bytes()];
        mark_reviewed(&viewing.service, viewing.actor(), which(&month)?, tags, reviewed).await?;
        Ok(())
    };
    let done = done.await;
    let notice = if reviewed { Notice::LineReviewed } else { Notice::LineUnmarked };
    after(&viewing, &month, &fields, done, notice).await
}

/// `POST /months/{month}/manual`: usage that no product reports.
pub(super) async fn add(viewing: Viewing, Path(month): Path<String>, fields: Fields) -> Result<Response, Refused> {
    let done = async {
        let unit = fields.get("unit");
        let mut parts = unit.splitn(3, '.');
        let product: ProductId = match parts.next().and_then(|id| id.parse().ok()) {
            Some(product) => product,
            None => return Err(ProblemKind::InvalidInput.because("choose a product and unit").into()),
        };
        let input = NewManualLine {
            product,
            workload: parts.next().unwrap_or_default().to_owned(),
            variant: parts.next().unwrap_or_default().to_owned(),
            count: fields.read("count")?,
            license: fields.read_or_none("license")?,
            company: fields.read_or_none("company")?,
            site: None,
        };
        let once = Some(fields.idempotency()?);
        add_manual_line(&viewing.service, viewing.actor(), which(&month)?, input, once).await?;
        Ok(())
    };
    let done: Result<(), Refused> = done.await;
    let mut again = fields;
    again.0.push(("manual".to_owned(), "1".to_owned()));
    after(&viewing, &month, &again, done, Notice::ManualAdded).await
}

/// `POST /months/{month}/manual/remove`.
pub(super) async fn remove(viewing: Viewing, Path(month): Path<String>, fields: Fields) -> Result<Response, Refused> {
    let done = async {
        let Ok(LineKey::Own(line)) = fields.get("line").parse() else { return Err(ProblemKind::NotFound.into()) };
        Ok(remove_manual_line(&viewing.service, viewing.actor(), which(&month)?, line).await?)
    };
    let done: Result<(), Refused> = done.await;
    after(&viewing, &month, &fields, done, Notice::ManualRemoved).await
}

/// `POST /months/{month}/parts/submit`: a site's part.
pub(super) async fn part_in(viewing: Viewing, Path(month): Path<String>, fields: Fields) -> Result<Response, Refused> {
    let done = async {
        let site: SiteId = fields.read("site")?;
        Ok(submit_part(&viewing.service, viewing.actor(), which(&month)?, site).await?)
    };
    let done = done.await;
    after(&viewing, &month, &fields, done, Notice::PartSubmitted).await
}

/// `POST /months/{month}/parts/return`: back to the site, with a reason.
pub(super) async fn part_back(
    viewing: Viewing,
    Path(month): Path<String>,
    fields: Fields,
) -> Result<Response, Refused> {
    let done = async {
        let (site, reason): (SiteId, _) = (fields.read("site")?, fields.get("reason").to_owned());
        Ok(return_part(&viewing.service, viewing.actor(), which(&month)?, site, reason).await?)
    };
    let done = done.await;
    after(&viewing, &month, &fields, done, Notice::PartReturned).await
}

/// `POST /months/{month}/approve`: the distributor closes it.
pub(super) async fn approve(viewing: Viewing, Path(month): Path<String>, fields: Fields) -> Result<Response, Refused> {
    let done = async { Ok(approve_month(&viewing.service, viewing.actor(), which(&month)?, saw(&fields)?).await?) };
    let done: Result<Approval, Refused> = done.await;
    let notice = if matches!(done, Ok(Approval::First)) { Notice::ApprovedFirst } else { Notice::Approved };
    decided(&viewing, &month, &fields, done.map(|_| ()), notice).await
}

/// `POST /months/{month}/reject`: the distributor sends it back.
pub(super) async fn reject(viewing: Viewing, Path(month): Path<String>, fields: Fields) -> Result<Response, Refused> {
    let done = async {
        let reason = fields.get("reason").to_owned();
        Ok(reject_month(&viewing.service, viewing.actor(), which(&month)?, saw(&fields)?, reason).await?)
    };
    let done = done.await;
    decided(&viewing, &month, &fields, done, Notice::Rejected).await
}

/// A distributor goes on with the next month that waits.
async fn decided(
    viewing: &Viewing,
    month: &str,
    fields: &Fields,
    done: Result<(), Refused>,
    notice: Notice,
) -> Result<Response, Refused> {
    if done.is_ok() && viewing.desk() == Desk::Distributor {
        return Ok(back_to("/actions", notice));
    }
    after(viewing, month, fields, done, notice).await
}

/// `POST /months/{month}/consent`: the vendor's, to lowered figures.
pub(super) async fn consent(viewing: Viewing, Path(month): Path<String>, fields: Fields) -> Result<Response, Refused> {
    let done = async { Ok(consent_to_month(&viewing.service, viewing.actor(), which(&month)?, saw(&fields)?).await?) };
    let done = done.await;
    after(&viewing, &month, &fields, done, Notice::Consented).await
}

/// `POST /months/{month}/close`: the vendor's.
pub(super) async fn close(viewing: Viewing, Path(month): Path<String>, fields: Fields) -> Result<Response, Refused> {
    let done = async {
        let reason = fields.get("reason").to_owned();
        Ok(close_month(&viewing.service, viewing.actor(), which(&month)?, saw(&fields)?, reason).await?)
    };
    let done = done.await;
    after(&viewing, &month, &fields, done, Notice::Closed).await
}

/// The lines that were seen when the form was sent.
pub(super) fn saw(fields: &Fields) -> Result<LinesTag, Refused> {
    fields.get("saw").parse().map_err(|_| ProblemKind::PreconditionRequired.into())
}
