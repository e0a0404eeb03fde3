//! Manage Licenses: the list, one license, its toggle, assignment and download.

use axum::{extract::Path, http::StatusCode, response::Response};
use tenure_core::{CompanyId, InstallationId, roles::Action, validity};
use tenure_service::{
    CompanyFilter, LicenseFilter, LicenseKey, LicenseView, MAX_PAGE, Paging, ProblemKind, StateFilter, assign_license,
    download_license, list_companies, list_licenses, switch_reporting, view_enrollment, view_license,
};

use super::said;
use crate::{
    pages::{
        Choice, Notice, Said,
        license::Assign,
        licenses::{Filter, Licenses},
        problem::Refusal,
    },
    present,
    web::{Fields, Refused, Viewing, attachment, back_to, local_path, page, page_with, refusal},
};

/// Licenses on one page.
const ROWS: u32 = 100;

/// What the list can be narrowed to: word in the address, word on the button, filter.
const STATES: [(&str, &str, Option<StateFilter>); 6] = [
    ("", "All", None),
    ("valid", "Valid", Some(StateFilter::Valid)),
    ("expiring", "Expiring", Some(StateFilter::Expiring)),
    ("expired", "Expired", Some(StateFilter::Expired)),
    ("restricted", "Restricted", Some(StateFilter::Restricted)),
    ("template", "Not assigned", Some(StateFilter::Template)),
];

/// `GET /licenses`.
pub(super) async fn list(viewing: Viewing, fields: Fields) -> Result<Response, Refused> {
    show_list(&viewing, &fields, said(&fields), StatusCode::OK).await
}

async fn show_list(viewing: &Viewing, fields: &Fields, said: Said, status: StatusCode) -> Result<Response, Refused> {
    let asked = fields.get("state");
    let (word, _, state) = STATES.into_iter().find(|(word, ..)| *word == asked).unwrap_or(STATES[0]);
    let filter = LicenseFilter { state, ..LicenseFilter::default() };
    let paging = Paging { cursor: present::cursor(fields), limit: Some(ROWS) };
    let licenses = list_licenses(&viewing.service, viewing.actor(), None, filter, &paging).await?;
    let enrollment = view_enrollment(&viewing.service, viewing.actor(), None).await?.enrollment;
    let may_manage = viewing.may(Action::ManageLicenses, false);
    let here = address(word, paging.cursor.as_deref());
    let part = Licenses {
        said,
        is_filtered: state.is_some() || paging.cursor.is_some(),
        rows: licenses.items.iter().map(|view| present::licenses::row(view, &here, may_manage)).collect(),
        filters: STATES
            .into_iter()
            .map(|(each, label, _)| Filter { label, href: address(each, None), is_current: each == word })
            .collect(),
        enrollment,
        grace_days: viewing.service.policy().grace_days,
        may_manage,
        suspended: viewing.is_suspended().await?,
        next: licenses.next.map(|cursor| address(word, Some(&cursor))).unwrap_or_default(),
    };
    page_with(viewing, status, part).await
}

fn address(state: &str, after: Option<&str>) -> String {
    let pairs = [("state", state), ("after", after.unwrap_or_default())];
    let query = present::query(pairs.into_iter().filter(|(_, value)| !value.is_empty()));
    if query.is_empty() { "/licenses".to_owned() } else { format!("/licenses?{query}") }
}

/// `GET /licenses/{key}`.
pub(super) async fn show(viewing: Viewing, Path(key): Path<String>, fields: Fields) -> Result<Response, Refused> {
    let (view, installations) = find(&viewing, &key).await?;
    let may = viewing.may(Action::ManageLicenses, false);
    page(&viewing, present::licenses::license(&view, &installations, viewing.now, may, said(&fields))).await
}

async fn find(viewing: &Viewing, key: &str) -> Result<(LicenseView, Vec<tenure_service::InstallationView>), Refused> {
    Ok(view_license(&viewing.service, viewing.actor(), None, parse(key)?).await?)
}

fn parse(key: &str) -> Result<LicenseKey, Refused> {
    key.parse().map_err(|_| ProblemKind::NotFound.into())
}

/// `POST /licenses/{key}/automatic`: sets the toggle, and back to the page it was set on.
pub(super) async fn switch(viewing: Viewing, Path(key): Path<String>, fields: Fields) -> Result<Response, Refused> {
    let on = fields.is_set("on");
    let switched = switch_reporting(&viewing.service, viewing.actor(), parse(&key)?, on, None).await;
    match switched.map_err(Refused::from) {
        Ok(_) => {
            let back = local_path(fields.get("back")).filter(|back| back.starts_with("/licenses"));
            let notice = if on { Notice::ReportingOn } else { Notice::ReportingOff };
            Ok(back_to(back.unwrap_or("/licenses"), notice))
        }
        Err(refused) if refused.is_for_the_form() => {
            let said = Said { notice: None, problem: Some(refusal(&refused.problem())) };
            let (view, installations) = find(&viewing, &key).await?;
            let may = viewing.may(Action::ManageLicenses, false);
            let part = present::licenses::license(&view, &installations, viewing.now, may, said);
            page_with(&viewing, refused.status(), part).await
        }
        Err(refused) => Err(refused),
    }
}

/// `GET /licenses/{key}/assign`.
pub(super) async fn assign_form(viewing: Viewing, Path(key): Path<String>) -> Result<Response, Refused> {
    show_assign(&viewing, &key, "", None, StatusCode::OK).await
}

/// `POST /licenses/{key}/assign`.
pub(super) async fn assign(viewing: Viewing, Path(key): Path<String>, fields: Fields) -> Result<Response, Refused> {
    let (view, _) = find(&viewing, &key).await?;
    let assigned = async {
        let company: CompanyId = fields.read("company")?;
        Ok(assign_license(&viewing.service, viewing.actor(), view.template, Some(company), None).await?)
    };
    match assigned.await {
        Ok(license) => Ok(back_to(&format!("/licenses/{license}"), Notice::LicenseAssigned)),
        Err(refused) => {
            let refused: Refused = refused;
            if !refused.is_for_the_form() {
                return Err(refused);
            }
            let words = refusal(&refused.problem());
            show_assign(&viewing, &key, fields.get("company"), Some(words), refused.status()).await
        }
    }
}

async fn show_assign(
    viewing: &Viewing,
    key: &str,
    wanted: &str,
    problem: Option<Refusal>,
    status: StatusCode,
) -> Result<Response, Refused> {
    let (view, _) = find(viewing, key).await?;
    let companies = companies(viewing).await?;
    let policy = viewing.service.policy();
    let automatic = view.reporting.extends();
    let part = Assign {
        problem,
        base: present::licenses::href(&view),
        product: present::licenses::name(&view),
        companies: companies.into_iter().map(|(id, name)| Choice::new(id, name, wanted)).collect(),
        first_expiry: automatic.then(|| validity::expires_at(viewing.now, 0, None, policy)),
    };
    page_with(viewing, status, part).await
}

/// Ids and names of the companies a license can be assigned to, at most [`MAX_PAGE`].
pub(super) async fn companies(viewing: &Viewing) -> Result<Vec<(String, String)>, Refused> {
    let paging = Paging { cursor: None, limit: Some(MAX_PAGE) };
    let companies = list_companies(&viewing.service, viewing.actor(), None, CompanyFilter::default(), &paging).await?;
    Ok(companies.items.into_iter().map(|row| (row.id.to_string(), row.name)).collect())
}

/// `POST /licenses/{key}/download`: a license file; it changes something, because each makes a one-time code.
pub(super) async fn download(viewing: Viewing, Path(key): Path<String>, fields: Fields) -> Result<Response, Refused> {
    let installation: Option<InstallationId> = fields.read_or_none("installation")?;
    let file = download_license(&viewing.service, viewing.actor(), parse(&key)?, installation).await?;
    Ok(attachment(&file.file_name, "application/octet-stream", file.content))
}
