//! What the pages of tables and forms share: who may see them, and what their forms send.

use tenure_core::{Day, Timestamp};
use tenure_service::{IfMatch, ProblemKind};

use crate::{
    pages::Desk,
    web::{Fields, Refused, Viewing},
};

/// The page exists for these desks only.
pub(super) fn only(viewing: &Viewing, desks: &[Desk]) -> Result<(), Refused> {
    if desks.contains(&viewing.desk()) { Ok(()) } else { Err(ProblemKind::NotFound.into()) }
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
