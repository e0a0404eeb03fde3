//! What the pages of tables and forms share: who may see them, and how a refused form comes back.

use axum::{http::StatusCode, response::Response};
use tenure_core::{Day, Timestamp};
use tenure_service::{IfMatch, ProblemKind};

use crate::{
    pages::{Desk, Said},
    web::{Fields, Refused, Viewing, refusal},
};

/// The page exists for these desks only.
pub(super) fn only(viewing: &Viewing, desks: &[Desk]) -> Result<(), Refused> {
    if desks.contains(&viewing.desk()) { Ok(()) } else { Err(ProblemKind::NotFound.into()) }
}

/// What stands above a page after a refused form, with the status; a refusal that nobody can mend there is passed on.
pub(super) fn refused(refused: Refused) -> Result<(Said, StatusCode), Refused> {
    if !refused.is_for_the_form() {
        return Err(refused);
    }
    let status = refused.status();
    Ok((Said { notice: None, problem: Some(refusal(&refused.problem())) }, status))
}

/// A form's end: on to where it leads, or the page again with why not.
pub(super) async fn after<F, Fut>(done: Result<Response, Refused>, page: F) -> Result<Response, Refused>
where
    F: FnOnce(Said, StatusCode) -> Fut,
    Fut: Future<Output = Result<Response, Refused>>,
{
    match done {
        Ok(response) => Ok(response),
        Err(error) => {
            let (said, status) = refused(error)?;
            page(said, status).await
        }
    }
}

/// What the viewer saw before changing it.
pub(super) fn seen(fields: &Fields) -> Result<IfMatch, Refused> {
    let tag = fields.get("tag").parse().map_err(|_| ProblemKind::PreconditionRequired)?;
    Ok(IfMatch::Tag(tag))
}

/// The end of a day as an instant: a day somebody picks is the last one.
pub(super) fn end_of(fields: &Fields, name: &'static str) -> Result<Timestamp, Refused> {
    let day: Day = fields.read(name)?;
    Ok(day.end())
}
