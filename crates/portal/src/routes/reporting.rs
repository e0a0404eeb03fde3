//! Automatic reporting: the provider's request, the vendor's decision.

use axum::{http::StatusCode, response::Response};
use tenure_core::{OrgId, reporting::Enrollment, roles::Action};
use tenure_service::{
    Decision, decide_enrollment, list_enrollment_requests, request_enrollment, view_coverage, view_enrollment,
};

use super::said;
use crate::{
    pages::{
        Desk, Notice, Said,
        reporting::{EnrollmentRow, Enrollments, Reporting},
    },
    web::{Fields, Refused, Viewing, back_to, page_with},
};

const HERE: &str = "/automatic-reporting";

/// `GET /automatic-reporting`.
pub(super) async fn show(viewing: Viewing, fields: Fields) -> Result<Response, Refused> {
    show_page(&viewing, said(&fields), StatusCode::OK).await
}

/// `POST /automatic-reporting`: the provider asks.
pub(super) async fn request(viewing: Viewing, fields: Fields) -> Result<Response, Refused> {
    let asked = request_enrollment(&viewing.service, viewing.actor(), fields.is_set("confirmed"), None).await;
    after(&viewing, asked.map_err(Refused::from).map(|_| Notice::ReportingRequested)).await
}

/// `POST /automatic-reporting/approve`: the vendor approves.
pub(super) async fn approve(viewing: Viewing, fields: Fields) -> Result<Response, Refused> {
    let provider: OrgId = fields.read("provider")?;
    let decided = decide_enrollment(&viewing.service, viewing.actor(), provider, Decision::Approve, None).await;
    after(&viewing, decided.map_err(Refused::from).map(|_| Notice::EnrollmentApproved)).await
}

/// `POST /automatic-reporting/decline`: the vendor declines, with a reason.
pub(super) async fn decline(viewing: Viewing, fields: Fields) -> Result<Response, Refused> {
    let provider: OrgId = fields.read("provider")?;
    let decision = Decision::Decline(fields.get("reason").to_owned());
    let decided = decide_enrollment(&viewing.service, viewing.actor(), provider, decision, None).await;
    after(&viewing, decided.map_err(Refused::from).map(|_| Notice::EnrollmentDeclined)).await
}

async fn after(viewing: &Viewing, done: Result<Notice, Refused>) -> Result<Response, Refused> {
    match done {
        Ok(notice) => Ok(back_to(HERE, notice)),
        Err(error) => {
            let (said, status) = super::refused(error)?;
            show_page(viewing, said, status).await
        }
    }
}

async fn show_page(viewing: &Viewing, said: Said, status: StatusCode) -> Result<Response, Refused> {
    if viewing.desk() == Desk::Vendor {
        return page_with(viewing, status, requests(viewing, said).await?).await;
    }
    let view = view_enrollment(&viewing.service, viewing.actor(), None).await?;
    let coverage = view_coverage(&viewing.service, viewing.actor(), None).await?;
    let part = Reporting {
        said,
        enrollment: view.enrollment,
        changed: view.changed,
        vendor: viewing.service.deployment().vendor_name.clone(),
        coverage: coverage.text(),
        licenses: coverage.licenses,
        on: coverage.automatic + coverage.switching,
        switching: coverage.switching,
        by_hand: coverage.licenses - coverage.automatic - coverage.switching,
        never: coverage.never,
        may_request: viewing.may(Action::RequestEnrollment, false),
    };
    page_with(viewing, status, part).await
}

async fn requests(viewing: &Viewing, said: Said) -> Result<Enrollments, Refused> {
    let requests = list_enrollment_requests(&viewing.service, viewing.actor()).await?;
    let open = requests
        .into_iter()
        .filter(|view| view.enrollment == Enrollment::Requested)
        .map(|view| EnrollmentRow {
            id: view.provider.to_string(),
            provider: view.provider_name,
            asked: view.changed.unwrap_or(viewing.now),
        })
        .collect();
    Ok(Enrollments { said, open, may_decide: viewing.may(Action::ManageProgram, false) })
}
