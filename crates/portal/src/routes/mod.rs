//! The handlers: extract, call a use case, map the answer.

mod actions;
mod agreements;
mod approvals;
mod catalog;
mod companies;
mod enroll;
mod evidence;
mod home;
mod import;
mod installations;
mod ledger;
mod licenses;
mod month;
mod new_license;
mod organizations;
mod oversight;
mod own_company;
mod password;
mod policy;
mod providers;
mod report;
mod reporting;
mod rules;
mod settings;
mod sign_in;
mod sites;
mod submit;
mod trust;
mod vendor;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::StatusCode,
    middleware::from_fn_with_state,
    response::Response,
    routing::{get, post},
};
use tenure_service::ProblemKind;
use tower_http::csrf::CsrfLayer;

use crate::{
    assets,
    pages::{Notice, Said},
    web::{Fields, Portal, Refused, guard, refusal},
};

/// Bytes of the largest form.
const MAX_FORM: usize = 64 * 1024;
/// Bytes of a form that names many months or licenses.
const MAX_CHOICE_FORM: usize = 256 * 1024;
/// Bytes of the rows somebody pastes at once.
const MAX_IMPORT_FORM: usize = 1024 * 1024;

pub(crate) fn router(portal: Portal) -> Router {
    Router::new()
        .route("/", get(home::begin))
        .route("/home", get(home::home))
        .route("/sign-in", get(sign_in::door).post(sign_in::enter))
        .route("/sign-in/code", get(sign_in::door).post(sign_in::code))
        .route("/sign-out", post(sign_in::leave))
        .route("/password", get(password::ask).post(password::send))
        .route("/password/new", get(password::choose).post(password::set))
        .route("/vendor", get(vendor::home))
        .route("/actions", get(actions::actions))
        .route("/actions/submit", get(actions::look).post(actions::submit))
        .route(
            "/actions/approve",
            get(actions::actions).post(approvals::approve).layer(DefaultBodyLimit::max(MAX_CHOICE_FORM)),
        )
        .route("/providers", get(providers::list))
        .route("/months", get(actions::months))
        .merge(months())
        .merge(program())
        .route("/licenses", get(licenses::list))
        .route("/licenses/new", get(new_license::info).post(new_license::create))
        .route("/licenses/new/workloads", get(new_license::workloads))
        .route("/licenses/new/summary", get(new_license::summary))
        .route("/licenses/automatic", get(licenses::list).post(licenses::switch_many))
        .route("/licenses/{key}", get(licenses::show))
        .route("/licenses/{key}/automatic", post(licenses::switch))
        .route("/licenses/{key}/assign", get(licenses::assign_form).post(licenses::assign))
        .route("/licenses/{key}/download", post(licenses::download))
        .route("/licenses/{key}/enroll", get(enroll::show).post(enroll::create))
        .route("/licenses/{key}/enroll/admit", get(enroll::show).post(enroll::admit))
        .route("/licenses/{key}/enroll/refuse", get(enroll::show).post(enroll::refuse))
        .route("/licenses/{key}/enroll/revoke", get(enroll::show).post(enroll::revoke))
        .route("/licenses/{key}/update-now", get(licenses::show).post(licenses::update_now))
        .route("/licenses/{key}/shadow", get(licenses::show).post(licenses::shadow))
        .route("/licenses/{key}/copy", get(licenses::show).post(licenses::copy))
        .route("/licenses/{key}/revoke", get(licenses::show).post(licenses::revoke))
        .route("/licenses/{key}/delete", get(licenses::show).post(licenses::delete))
        .merge(installations())
        .route("/companies", get(companies::list).post(companies::create))
        .route("/companies/{id}", get(companies::one).post(companies::edit))
        .route("/own-company", get(own_company::show))
        .route("/companies/{id}/viewers", get(own_company::back).post(own_company::add))
        .route("/companies/{id}/open", get(companies::one).post(companies::open))
        .route("/automatic-reporting", get(reporting::show).post(reporting::request))
        .route("/automatic-reporting/approve", post(reporting::approve))
        .route("/automatic-reporting/decline", post(reporting::decline))
        .route("/sites", get(sites::list))
        .merge(settings::routes())
        .route("/assets/{name}", get(assets::serve))
        .fallback(async || Refused::from(ProblemKind::NotFound))
        .layer(DefaultBodyLimit::max(MAX_FORM))
        .layer(CsrfLayer::new())
        .layer(from_fn_with_state(portal.clone(), guard))
        .with_state(portal)
}

/// Product servers.
fn installations() -> Router<Portal> {
    let form = || get(installations::show);
    Router::new()
        .route("/installations", get(installations::list))
        .route("/installations/{id}", get(installations::show))
        .route("/installations/{id}/update-now", form().post(installations::update_now))
        .route("/installations/{id}/retire", form().post(installations::retire))
        .route("/installations/{id}/void", form().post(installations::void))
        .route("/installations/{id}/verdict", form().post(installations::verdict))
        .route("/installations/{id}/re-identify", form().post(installations::reidentify))
}

/// What vendor and distributor look things up on and change the program with.
fn program() -> Router<Portal> {
    Router::new()
        .route("/agreements", get(agreements::list).post(agreements::create))
        .route("/agreements/{id}", get(agreements::show).post(agreements::change))
        .route("/agreements/{id}/end", get(agreements::show).post(agreements::end))
        .route("/audit", get(trust::audit))
        .route("/audit/verify", get(trust::audit).post(trust::verify))
        .route("/catalog", get(catalog::list))
        .route("/catalog/{id}", get(catalog::show).post(catalog::change))
        .route("/deviations", get(oversight::deviations))
        .route("/fleet", get(oversight::fleet))
        .route("/keys", get(trust::keys))
        .route("/missed-deadlines", get(oversight::missed))
        .route("/obligations", get(oversight::obligations))
        .route("/organizations", get(organizations::list).post(organizations::create))
        .route("/organizations/{id}", get(organizations::show).post(organizations::change))
        .route("/policy", get(policy::show).post(policy::change))
        .route("/rules", get(rules::show).post(rules::set))
        .route("/rules/two-people", get(rules::show).post(rules::set_limit))
}

/// One month. An address that takes forms answers a `GET`, as a reload after a refusal sends it, with the review.
fn months() -> Router<Portal> {
    let form = || get(month::back);
    Router::new()
        .route("/months/{month}", get(month::show))
        .route("/months/{month}/review", form().post(month::review))
        .route("/months/{month}/auto-submit", form().post(month::auto_submit))
        .route("/months/{month}/answers", form().post(month::answer))
        .route("/months/{month}/answers/reset", form().post(month::unanswer))
        .route("/months/{month}/adjustments", form().post(month::adjust))
        .route("/months/{month}/adjustments/reset", form().post(month::reset))
        .route("/months/{month}/reviewed", form().post(month::mark))
        .route("/months/{month}/manual", form().post(month::add))
        .route(
            "/months/{month}/import",
            get(import::show).post(import::import).layer(DefaultBodyLimit::max(MAX_IMPORT_FORM)),
        )
        .route("/months/{month}/manual/remove", form().post(month::remove))
        .route("/months/{month}/parts/submit", form().post(month::part_in))
        .route("/months/{month}/parts/return", form().post(month::part_back))
        .route("/months/{month}/approve", form().post(month::approve))
        .route("/months/{month}/reject", form().post(month::reject))
        .route("/months/{month}/consent", form().post(month::consent))
        .route("/months/{month}/close", form().post(month::close))
        .route("/months/{month}/report/{format}", get(report::usage))
        .route("/months/{month}/invoice.csv", get(report::invoice))
        .route("/months/{month}/submit", get(submit::look).post(submit::submit))
        .route("/months/{month}/timeline", get(evidence::timeline))
        .route("/months/{month}/evidence/{installation}", get(evidence::workloads))
        .route("/months/{month}/receipts/{number}", get(submit::receipt))
        .route("/months/{month}/receipts/{number}/document", get(submit::document))
}

/// What was just done, as the address says.
fn said(fields: &Fields) -> Said {
    Said { notice: Notice::from_slug(fields.get("said")), problem: None }
}

/// What stands above a page after a refused form, with the status; a refusal that nobody can mend there is passed on.
fn refused(refused: Refused) -> Result<(Said, StatusCode), Refused> {
    if !refused.is_for_the_form() {
        return Err(refused);
    }
    let status = refused.status();
    Ok((Said { notice: None, problem: Some(refusal(&refused.problem())) }, status))
}

/// A form's end: on to where it leads, or the page again with why not.
async fn after<F, Fut>(done: Result<Response, Refused>, page: F) -> Result<Response, Refused>
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
