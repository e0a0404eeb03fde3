//! Files of a month: the License Usage Report, and what is invoiced.

use axum::{extract::Path, response::Response};
use tenure_report::Format;
use tenure_service::{Error, ProblemKind, view_invoice, view_usage_report};

use super::month::which;
use crate::web::{Refused, Viewing, attachment};

/// `GET /months/{month}/report/{format}`.
pub(super) async fn usage(
    viewing: Viewing,
    Path((month, format)): Path<(String, String)>,
) -> Result<Response, Refused> {
    let format = Format::of_ending(&format).ok_or(ProblemKind::NotFound)?;
    let report = view_usage_report(&viewing.service, viewing.actor(), which(&month)?).await?;
    // Laying out a month of thousands of lines takes a while.
    let written = tokio::task::spawn_blocking(move || tenure_report::write(&report, format)).await;
    let (name, bytes) =
        written.unwrap_or_else(|lost| std::panic::resume_unwind(lost.into_panic())).map_err(|error| {
            tracing::error!(error = ?error, "a report could not be written");
            Error::Internal("a report could not be written")
        })?;
    Ok(attachment(&name, format.media_type(), bytes))
}

/// `GET /months/{month}/invoice.csv`.
pub(super) async fn invoice(viewing: Viewing, Path(month): Path<String>) -> Result<Response, Refused> {
    let invoice = view_invoice(&viewing.service, viewing.actor(), which(&month)?).await?;
    let name = format!("invoice-{}-{}.csv", invoice.period, invoice.provider.name);
    Ok(attachment(&name, Format::Csv.media_type(), tenure_report::csv::invoice(&invoice)))
}
