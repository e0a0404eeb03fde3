//! Installations by the family of their product, with the license each shows.

use std::collections::BTreeMap;

use axum::{
    extract::{Path, State},
    response::Response,
};
use serde_json::{Value, json};
use tenure_core::{InstallationId, LicenseId, Points, validity::LicenseState};
use tenure_service::{self as service, Actor, InstallationFilter, LicenseView, ProblemKind, ServerRow};
use uuid::Uuid;

use super::{family::Family, newest};
use crate::{
    Console, answer,
    answer::points,
    error::Refusal,
    listing::{Listing, Selected, all},
    principal::Caller,
    pulse,
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

/// The list, one and its update, of each family.
macro_rules! families {
    ($($family:ident: $list:ident $one:ident $update:ident;)*) => {$(
        pub(crate) async fn $list(
            State(state): State<Console>,
            Caller(actor): Caller,
            listing: Listing,
        ) -> Result<Response, Refusal> {
            list(state, actor, listing, Family::$family).await
        }
        pub(crate) async fn $one(
            State(state): State<Console>,
            Caller(actor): Caller,
            Path(uid): Path<String>,
            Selected(select): Selected,
        ) -> Result<Response, Refusal> {
            let (_, shown) = find(&state, &actor, &uid, Family::$family).await?;
            Ok(answer::single(shown, &select))
        }
        pub(crate) async fn $update(
            State(state): State<Console>,
            Caller(actor): Caller,
            Path(uid): Path<String>,
            select: Selected,
        ) -> Result<Response, Refusal> {
            update(state, actor, uid, select, Family::$family).await
        }
    )*};
}

families! {
    Backup: backup one_backup update_backup;
    Monitoring: monitoring one_monitoring update_monitoring;
    Mail: mail one_mail update_mail;
    CloudConnect: sites one_site update_site;
}
