//! Installations by the family of their product, with the license each shows.

use std::collections::BTreeMap;

use axum::{
    extract::{Path, Query, State, rejection::QueryRejection},
    response::Response,
};
use serde::Deserialize;
use serde_json::{Value, json};
use tenure_core::{InstallationId, LicenseId, Points, validity::LicenseState};
use tenure_service::{self as service, Actor, Idempotency, InstallationFilter, LicenseView, ProblemKind, ServerRow};
use uuid::Uuid;

use super::{family::Family, newest};
use crate::{
    Console, answer,
    answer::points,
    error::Refusal,
    license_file::Uploaded,
    listing::{Listing, Selected, all},
    operation::{Operations, Said},
    patch::{self, Patch},
    principal::Caller,
    pulse,
    write::{Named, Write},
};

/// What servers' rows are shown with.
pub(super) struct Around {
    licenses: BTreeMap<LicenseId, LicenseView>,
    used: BTreeMap<InstallationId, (Points, i64)>,
}

impl Around {
    pub(super) async fn of(state: &Console, actor: &Actor) -> Result<Self, Refusal> {
        let views = pulse::every(state, actor).await?;
        let licenses = views.into_iter().filter_map(|view| Some((view.license?, view))).collect();
        let mut used: BTreeMap<InstallationId, (Points, i64)> = BTreeMap::new();
        for line in newest(state, actor).await?.iter().flat_map(|month| &month.lines) {
            if let Some(server) = &line.installation {
                let sum = used.entry(server.id).or_default();
                *sum = (sum.0 + line.points, sum.1 + line.count);
            }
        }
        Ok(Self { licenses, used })
    }

    /// The license that a server shows.
    pub(super) fn license(&self, row: &ServerRow) -> Option<&LicenseView> {
        self.licenses.get(&row.license)
    }

    /// What the license is worth, in the console's word.
    pub(super) fn status(&self, row: &ServerRow) -> &'static str {
        match self.license(row).and_then(|view| view.life.as_ref()).map(|life| life.state) {
            None => "Unlicensed",
            Some(LicenseState::Valid) => "Valid",
            Some(LicenseState::Expiring { .. }) => "Warning",
            Some(LicenseState::Expired { .. } | LicenseState::Restricted) => "Expired",
        }
    }

    pub(super) fn family(&self, row: &ServerRow) -> Option<Family> {
        self.licenses.get(&row.license).map(|view| Family::of(&view.product.code))
    }
}

/// The provider's servers that are not retired, newest first.
pub(super) async fn rows(state: &Console, actor: &Actor) -> Result<Vec<ServerRow>, Refusal> {
    let filter = InstallationFilter { retired: Some(false), ..InstallationFilter::default() };
    let views = all(async |paging| service::list_installations(&state.service, actor, None, filter, &paging).await);
    Ok(views.await?.into_iter().map(|view| view.row).collect())
}

async fn list(state: Console, actor: Actor, listing: Listing, family: Family) -> Result<Response, Refusal> {
    let around = Around::of(&state, &actor).await?;
    let rows = rows(&state, &actor).await?;
    let fits = rows.iter().filter(|row| around.family(row) == Some(family));
    Ok(listing.of(fits.map(|row| shape(row, &around, family)).collect()))
}

async fn find(state: &Console, actor: &Actor, uid: &str, family: Family) -> Result<(InstallationId, Value), Refusal> {
    let id = Uuid::try_parse(uid).map(InstallationId::from_uuid).map_err(|_| ProblemKind::NotFound)?;
    let row = service::view_installation(&state.service, actor, None, id).await?.view.row;
    let around = Around::of(state, actor).await?;
    if row.retired.is_some() || around.family(&row) != Some(family) {
        return Err(ProblemKind::NotFound.into());
    }
    Ok((id, shape(&row, &around, family)))
}

/// Has the server take its newest license at its next check-in.
async fn update(
    state: Console,
    actor: Actor,
    uid: String,
    select: Selected,
    family: Family,
) -> Result<Response, Refusal> {
    service::console_manages_licenses(&state.service, &actor).await?;
    let (id, _) = find(&state, &actor, &uid, family).await?;
    service::update_installation_now(&state.service, &actor, id).await?;
    let (_, shown) = find(&state, &actor, &uid, family).await?;
    Ok(answer::single(shown, &select.0))
}

/// Hands the license of a file to the server that runs it.
async fn install(
    state: Console,
    actor: Actor,
    uid: String,
    select: Selected,
    file: String,
    family: Family,
) -> Result<Response, Refusal> {
    service::console_manages_licenses(&state.service, &actor).await?;
    let (id, _) = find(&state, &actor, &uid, family).await?;
    service::install_license_file(&state.service, &actor, &file, id).await?;
    let (_, shown) = find(&state, &actor, &uid, family).await?;
    Ok(answer::single(shown, &select.0))
}

/// Automatic update is a setting of the product's own, so that a patch only agrees with it.
async fn change(
    state: Console,
    actor: Actor,
    uid: String,
    select: Selected,
    patch: Patch,
    family: Family,
) -> Result<Response, Refusal> {
    service::console_manages_licenses(&state.service, &actor).await?;
    let (_, shown) = find(&state, &actor, &uid, family).await?;
    for (name, value) in patch::changes(patch, &shown)? {
        if name != "autoUpdateEnabled" {
            return Err(patch::unknown(&name));
        }
        if shown[&name] != patch::boolean(&name, &value)? {
            let words = "automatic license update is set on the server itself; change it there";
            return Err(ProblemKind::InstallationState.because(words).into());
        }
    }
    Ok(answer::single(shown, &select.0))
}

/// Retires the server: it is licensed no more from its next check-in on.
async fn retire(
    state: Console,
    actor: Actor,
    uid: String,
    name: Option<Idempotency>,
    family: Family,
) -> Result<Response, Refusal> {
    service::console_manages_licenses(&state.service, &actor).await?;
    let (id, _) = find(&state, &actor, &uid, family).await?;
    service::retire_installation(&state.service, &actor, id, name).await?;
    Ok(answer::empty())
}

/// Which part of a license is to be deleted.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Section {
    section_for_delete: Option<String>,
}

/// Takes its license from a backup server.
async fn retire_backup(
    State(state): State<Console>,
    Caller(actor): Caller,
    Path(uid): Path<String>,
    section: Result<Query<Section>, QueryRejection>,
    Named(name): Named,
) -> Result<Response, Refusal> {
    let Query(section) = section.map_err(|error| Refusal::invalid(error.body_text()))?;
    match section.section_for_delete.as_deref() {
        None | Some("All" | "Instance") => retire(state, actor, uid, name, Family::Backup).await,
        Some("Socket") => Err(Refusal::invalid("licenses here have no sockets; delete `Instance` or `All`")),
        Some(_) => Err(Refusal::invalid("`sectionForDelete` must be All, Instance or Socket")),
    }
}

/// Takes its license from a monitoring server.
async fn retire_monitoring(
    State(state): State<Console>,
    Caller(actor): Caller,
    Path(uid): Path<String>,
    Named(name): Named,
) -> Result<Response, Refusal> {
    retire(state, actor, uid, name, Family::Monitoring).await
}

fn shape(row: &ServerRow, around: &Around, family: Family) -> Value {
    let license = around.license(row);
    let life = license.and_then(|view| view.life.as_ref());
    let (used, count) = around.used.get(&row.id).copied().unwrap_or_default();
    let licensed: u32 = license.map_or(0, |view| view.workloads.iter().map(|each| each.count).sum());
    let mut shown = json!({
        "autoUpdateEnabled": row.auto_update,
        "company": row.company_name.clone().unwrap_or_default(),
        "email": "",
        "expirationDate": life.map(|life| life.expires),
        "supportExpirationDate": life.map(|life| life.expires),
        "status": around.status(row),
        "type": "Rental",
    });
    let id = row.id.uuid();
    let own = match family {
        Family::Mail => json!({
            "vb365ServerUid": id, "licenseId": row.license.uuid(), "supportId": "",
            "licensedUsers": licensed, "protectedUsers": count,
        }),
        Family::Monitoring => json!({
            "vOneServerUid": id, "licenseId": row.license.uuid(), "supportId": "", "statusMessage": "",
            "units": license.map_or(0.0, |view| points(view.points)), "usedUnits": points(used), "unitType": "Points",
        }),
        Family::Backup | Family::CloudConnect | Family::Console => json!({
            (if family == Family::Backup { "backupServerUid" } else { "siteUid" }): id,
            "edition": license.map(|view| view.product.edition.as_str()),
            "monitoring": false, "packages": [], "contactPerson": "", "licenseIds": [row.license.uuid()],
            "supportIds": [], "sectionTypes": ["Instance"],
            "cloudConnect": if family == Family::Backup { "No" } else { "Yes" },
            "units": license.map_or(0.0, |view| points(view.points)), "usedUnits": points(used), "unitType": "Points",
        }),
    };
    let mut own = own;
    if family == Family::Backup {
        for name in ["sockets", "usedSockets", "capacity", "usedCapacity"] {
            own[name] = Value::Null;
        }
    }
    if let (Value::Object(shown), Value::Object(own)) = (&mut shown, own) {
        shown.extend(own);
    }
    shown
}

/// The list, one, its update, and its license and setting, of a family.
fn family(all: Operations, family: Family, path: &str, shape: &'static str) -> Operations {
    let one = format!("{path}/{{server_uid}}");
    let said = |summary| Said::one(summary, shape);
    all.get(
        path,
        Said::list("Servers of a family with their licenses", shape),
        async move |State(state): State<Console>, Caller(actor): Caller, listing: Listing| {
            list(state, actor, listing, family).await
        },
    )
    .get(
        &one,
        said("One server"),
        async move |State(state): State<Console>, Caller(actor): Caller, Path(uid): Path<String>, select: Selected| {
            let (_, shown) = find(&state, &actor, &uid, family).await?;
            Ok::<_, Refusal>(answer::single(shown, &select.0))
        },
    )
    .post(
        &format!("{one}/update"),
        said("Have the server take its newest license"),
        async move |State(state): State<Console>, Caller(actor): Caller, Path(uid): Path<String>, select: Selected| {
            update(state, actor, uid, select, family).await
        },
    )
    .put(
        &one,
        said("Install a license on the server that runs it").file(),
        async move |State(state): State<Console>,
                    Caller(actor): Caller,
                    Path(uid): Path<String>,
                    select: Selected,
                    Uploaded(file): Uploaded| { install(state, actor, uid, select, file, family).await },
    )
    .patch(
        &one,
        said("Agree with the server's own setting").patch(),
        async move |State(state): State<Console>,
                    Caller(actor): Caller,
                    Path(uid): Path<String>,
                    select: Selected,
                    write: Write<Patch>| { change(state, actor, uid, select, write.body, family).await },
    )
}

/// Adds the operations of servers.
pub(super) fn operations(all: Operations) -> Operations {
    let all = family(all, Family::Backup, "/licensing/backupServers", "@BackupServerLicense");
    let all = family(all, Family::Monitoring, "/licensing/voneServers", "@MonitoringServerLicense");
    let all = family(all, Family::Mail, "/licensing/vb365Servers", "@MailServerLicense");
    let all = family(all, Family::CloudConnect, "/licensing/sites", "@SiteLicense");
    let retired = Said::done("Take the license from a server").named();
    all.delete(
        "/licensing/backupServers/{server_uid}",
        retired.query(&[("sectionForDelete", "All|Instance|Socket")]),
        retire_backup,
    )
    .delete("/licensing/voneServers/{server_uid}", retired, retire_monitoring)
}
