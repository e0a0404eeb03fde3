//! One license: its toggle, assignment, download, and how it ends. The list is in `list`, switching
//! several at once in `switch`.

mod list;
mod switch;

pub(super) use list::list;
pub(super) use switch::switch_many;

use axum::{extract::Path, http::StatusCode, response::Response};
use tenure_core::{CompanyId, InstallationId, validity};
use tenure_service::{
    LicenseKey, LicenseView, ProblemKind, assign_license, copy_license, delete_license, download_license,
    list_enroll_tokens, revoke_license, set_shadow_month, switch_reporting, update_license_now, view_license,
};

use super::{companies::every, said};
use crate::{
    pages::{Choice, Notice, license::Assign, problem::Refusal},
    present,
    web::{Fields, Refused, Viewing, attachment, back_to, local_path, page, page_with},
};

/// `GET /licenses/{key}`.
pub(super) async fn show(viewing: Viewing, Path(key): Path<String>, fields: Fields) -> Result<Response, Refused> {
    let (view, installations) = find(&viewing, &key).await?;
    let waiting = waiting(&viewing, &view).await?;
    page(&viewing, present::licenses::license(&viewing, &view, &installations, waiting, said(&fields))).await
}

/// The license's page again, with why a form on it was refused.
async fn show_refused(viewing: &Viewing, key: &str, refused: Refused) -> Result<Response, Refused> {
    let (said, status) = super::refused(refused)?;
    let (view, installations) = find(viewing, key).await?;
    let waiting = waiting(viewing, &view).await?;
    page_with(viewing, status, present::licenses::license(viewing, &view, &installations, waiting, said)).await
}

/// How many servers wait for approval.
async fn waiting(viewing: &Viewing, view: &LicenseView) -> Result<usize, Refused> {
    let Some(license) = view.license else { return Ok(0) };
    let found = list_enroll_tokens(&viewing.service, viewing.actor(), None, LicenseKey::License(license)).await?;
    Ok(found.applicants.len())
}

/// `POST /licenses/{key}/update-now`: its servers fetch the newest license at their next check-in.
pub(super) async fn update_now(viewing: Viewing, Path(key): Path<String>) -> Result<Response, Refused> {
    match update_license_now(&viewing.service, viewing.actor(), parse(&key)?).await.map_err(Refused::from) {
        Ok(_) => Ok(back_to(&format!("/licenses/{key}"), Notice::UpdateAsked)),
        Err(refused) => show_refused(&viewing, &key, refused).await,
    }
}

/// `POST /licenses/{key}/shadow`: gives it a shadow month, or takes it back.
pub(super) async fn shadow(viewing: Viewing, Path(key): Path<String>, fields: Fields) -> Result<Response, Refused> {
    let wanted = fields.is_set("on");
    let notice = if wanted { Notice::ShadowOn } else { Notice::ShadowOff };
    match set_shadow_month(&viewing.service, viewing.actor(), parse(&key)?, wanted).await.map_err(Refused::from) {
        Ok(_) => Ok(back_to(&format!("/licenses/{key}"), notice)),
        Err(refused) => show_refused(&viewing, &key, refused).await,
    }
}

/// `POST /licenses/{key}/copy`: on to the copy.
pub(super) async fn copy(viewing: Viewing, Path(key): Path<String>, fields: Fields) -> Result<Response, Refused> {
    let once = Some(fields.idempotency()?);
    match copy_license(&viewing.service, viewing.actor(), parse(&key)?, once).await.map_err(Refused::from) {
        Ok(template) => Ok(back_to(&format!("/licenses/{template}"), Notice::LicenseCopied)),
        Err(refused) => show_refused(&viewing, &key, refused).await,
    }
}

/// `POST /licenses/{key}/revoke`: back to what is left of it, the template.
pub(super) async fn revoke(viewing: Viewing, Path(key): Path<String>) -> Result<Response, Refused> {
    let key_ = parse(&key)?;
    let (view, _) = find(&viewing, &key).await?;
    match revoke_license(&viewing.service, viewing.actor(), key_, None).await.map_err(Refused::from) {
        Ok(()) => Ok(back_to(&format!("/licenses/{}", view.template), Notice::LicenseRevoked)),
        Err(refused) => show_refused(&viewing, &key, refused).await,
    }
}

/// `POST /licenses/{key}/delete`: back to the list.
pub(super) async fn delete(viewing: Viewing, Path(key): Path<String>) -> Result<Response, Refused> {
    match delete_license(&viewing.service, viewing.actor(), parse(&key)?, None).await.map_err(Refused::from) {
        Ok(()) => Ok(back_to("/licenses", Notice::LicenseDeleted)),
        Err(refused) => show_refused(&viewing, &key, refused).await,
    }
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
        Err(refused) => show_refused(&viewing, &key, refused).await,
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
            let (said, status) = super::refused(refused)?;
            show_assign(&viewing, &key, fields.get("company"), said.problem, status).await
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
    let companies = companies(viewing, Some(true)).await?;
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

/// Ids and names of the provider's companies: of all, or of those that get new licenses.
pub(super) async fn companies(viewing: &Viewing, open: Option<bool>) -> Result<Vec<(String, String)>, Refused> {
    Ok(every(viewing, open).await?.into_iter().map(|row| (row.id.to_string(), row.name)).collect())
}

/// `POST /licenses/{key}/download`: a license file; it changes something, because each makes a one-time code.
pub(super) async fn download(viewing: Viewing, Path(key): Path<String>, fields: Fields) -> Result<Response, Refused> {
    let installation: Option<InstallationId> = fields.read_or_none("installation")?;
    let file = download_license(&viewing.service, viewing.actor(), parse(&key)?, installation).await?;
    Ok(attachment(&file.file_name, "application/octet-stream", file.content))
}
