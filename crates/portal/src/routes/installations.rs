//! Installations: the list with its presets, one server, and what a person does about it.

use axum::{extract::Path, http::StatusCode, response::Response};
use tenure_core::{InstallationId, roles::Action};
use tenure_service::{
    CloneVerdict, HealthPreset, InstallationDetail, InstallationFilter, Paging, ProblemKind, list_installations,
    reidentify_installation, resolve_clone, retire_installation, update_installation_now, view_installation,
    void_installation,
};

use super::said;
use crate::{
    pages::{Desk, Notice, Said, installations::Installations, licenses::Filter},
    present,
    web::{Fields, Refused, Viewing, attachment, back_to, page, page_with},
};

/// Servers on one page.
const ROWS: u32 = 100;

/// What the list can be narrowed to: word in the address, word on the button, preset.
const PRESETS: [(&str, &str, Option<HealthPreset>); 6] = [
    ("", "All", None),
    ("troubled", "Troubled", Some(HealthPreset::Troubled)),
    ("silent", "Silent > 48 h", Some(HealthPreset::Silent)),
    ("will-miss", "Will miss the report", Some(HealthPreset::WillMissReport)),
    ("clone", "Clones", Some(HealthPreset::Clone)),
    ("set-back", "Often set back", Some(HealthPreset::RejoinsOften)),
];

/// `GET /installations`.
pub(super) async fn list(viewing: Viewing, fields: Fields) -> Result<Response, Refused> {
    if viewing.desk() != Desk::Provider {
        return Err(ProblemKind::NotFound.into());
    }
    let asked = fields.get("show");
    let (word, _, preset) = PRESETS.into_iter().find(|(word, ..)| *word == asked).unwrap_or(PRESETS[0]);
    let filter = InstallationFilter { preset, troubled_first: true, ..InstallationFilter::default() };
    let paging = Paging { cursor: present::cursor(&fields), limit: Some(ROWS) };
    let servers = list_installations(&viewing.service, viewing.actor(), None, filter, &paging).await?;
    let part = Installations {
        said: said(&fields),
        is_filtered: preset.is_some() || paging.cursor.is_some(),
        rows: servers.items.iter().map(|view| present::installations::row(&viewing, view)).collect(),
        presets: PRESETS
            .into_iter()
            .map(|(each, label, _)| Filter { label, href: address(each, None), is_current: each == word })
            .collect(),
        next: servers.next.map(|cursor| address(word, Some(&cursor))).unwrap_or_default(),
    };
    page(&viewing, part).await
}

fn address(show: &str, after: Option<&str>) -> String {
    let pairs = [("show", show), ("after", after.unwrap_or_default())];
    let query = present::query(pairs.into_iter().filter(|(_, value)| !value.is_empty()));
    if query.is_empty() { "/installations".to_owned() } else { format!("/installations?{query}") }
}

/// `GET /installations/{id}`.
pub(super) async fn show(viewing: Viewing, Path(id): Path<String>, fields: Fields) -> Result<Response, Refused> {
    show_with(&viewing, parse(&id)?, said(&fields), StatusCode::OK).await
}

async fn show_with(viewing: &Viewing, id: InstallationId, said: Said, status: StatusCode) -> Result<Response, Refused> {
    let detail = find(viewing, id).await?;
    let may = viewing.may(Action::ManageLicenses, false);
    page_with(viewing, status, present::installations::page(viewing, &detail, may, said)).await
}

async fn find(viewing: &Viewing, id: InstallationId) -> Result<InstallationDetail, Refused> {
    if viewing.desk() != Desk::Provider {
        return Err(ProblemKind::NotFound.into());
    }
    Ok(view_installation(&viewing.service, viewing.actor(), None, id).await?)
}

fn parse(id: &str) -> Result<InstallationId, Refused> {
    id.parse().map_err(|_| ProblemKind::NotFound.into())
}

/// After a form: back to the server's page, which says what was done, or why it was not.
async fn after(
    viewing: &Viewing,
    id: InstallationId,
    done: Result<(), Refused>,
    notice: Notice,
) -> Result<Response, Refused> {
    match done {
        Ok(()) => Ok(back_to(&format!("/installations/{id}"), notice)),
        Err(error) => {
            let (said, status) = super::refused(error)?;
            show_with(viewing, id, said, status).await
        }
    }
}

/// `POST /installations/{id}/update-now`.
pub(super) async fn update_now(viewing: Viewing, Path(id): Path<String>) -> Result<Response, Refused> {
    let id = parse(&id)?;
    let done = update_installation_now(&viewing.service, viewing.actor(), id).await.map_err(Refused::from);
    after(&viewing, id, done, Notice::UpdateAsked).await
}

/// `POST /installations/{id}/retire`.
pub(super) async fn retire(viewing: Viewing, Path(id): Path<String>) -> Result<Response, Refused> {
    let id = parse(&id)?;
    let done = retire_installation(&viewing.service, viewing.actor(), id, None).await.map_err(Refused::from);
    after(&viewing, id, done, Notice::ServerRetired).await
}

/// `POST /installations/{id}/void`.
pub(super) async fn void(viewing: Viewing, Path(id): Path<String>) -> Result<Response, Refused> {
    let id = parse(&id)?;
    let done = void_installation(&viewing.service, viewing.actor(), id, None).await.map_err(Refused::from);
    after(&viewing, id, done, Notice::ServerVoided).await
}

/// `POST /installations/{id}/verdict`: what a person says of a return from an earlier state.
pub(super) async fn verdict(viewing: Viewing, Path(id): Path<String>, fields: Fields) -> Result<Response, Refused> {
    let id = parse(&id)?;
    let (verdict, notice) = match fields.get("verdict") {
        "one_machine" => (CloneVerdict::OneMachine, Notice::OneMachine),
        _ => (CloneVerdict::Noted, Notice::SetBackNoted),
    };
    let done = resolve_clone(&viewing.service, viewing.actor(), id, verdict, None).await.map_err(Refused::from);
    after(&viewing, id, done, notice).await
}

/// `POST /installations/{id}/re-identify`: an activation license for the machine that takes over.
pub(super) async fn reidentify(viewing: Viewing, Path(id): Path<String>) -> Result<Response, Refused> {
    let file = reidentify_installation(&viewing.service, viewing.actor(), parse(&id)?).await?;
    Ok(attachment(&file.file_name, "application/octet-stream", file.content))
}
