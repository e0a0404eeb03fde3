//! Licenses as their pages show them.

use tenure_core::{Weight, reporting::may_shadow_unless, roles::Action};
use tenure_service::{self as service, InstallationView, LicenseView};

use super::product;
use crate::{
    format, pages,
    pages::{
        license::{Because, InstallationRow, InstallationStatus, Life, WorkloadRow},
        licenses::{Holder, LicenseRow, Toggle, WaitingServer},
    },
    web::Viewing,
};

/// Hours of silence after which an active server is called silent: a weekly check-in and a day.
const SILENT_AFTER_HOURS: i64 = 8 * 24;

/// The address of a license's page: by its assignment where there is one.
pub(crate) fn href(view: &LicenseView) -> String {
    match view.license {
        Some(license) => format!("/licenses/{license}"),
        None => format!("/licenses/{}", view.template),
    }
}

/// Its product's name.
pub(crate) fn name(view: &LicenseView) -> String {
    product(&view.product.name, &view.product.edition)
}

/// Who holds it.
pub(crate) fn holder(view: &LicenseView) -> Holder {
    match (&view.company, view.license) {
        (Some(company), _) => Holder::Company(company.name.clone()),
        (None, Some(_)) => Holder::Own,
        (None, None) => Holder::Nobody,
    }
}

/// Points per unit.
pub(crate) fn weight(weight: Weight) -> String {
    weight.to_string()
}

/// A row of the list. `back` is the list's address as it is shown.
pub(crate) fn row(view: &LicenseView, back: &str, may: bool) -> LicenseRow {
    let cause = service::missing_period(view).map(format::month);
    let toggle = view.license.map(|_| toggle(view, back, may));
    let key = view.license.filter(|_| toggle.as_ref().is_some_and(pages::licenses::Toggle::can_be_set));
    LicenseRow {
        href: href(view),
        key: key.map(|license| license.to_string()).unwrap_or_default(),
        product: name(view),
        description: view.description.clone(),
        holder: holder(view),
        usage_type: view.usage_type,
        points: view.points,
        state: view.life.as_ref().map(|life| life.state),
        expires: view.life.as_ref().map(|life| life.expires),
        missing: cause,
        installations: view.active_installations,
        toggle,
    }
}

/// The toggle of an assigned license.
pub(crate) fn toggle(view: &LicenseView, back: &str, may: bool) -> Toggle {
    let of = match holder(view) {
        Holder::Company(company) => format!("{}, {company}", name(view)),
        Holder::Own | Holder::Nobody => name(view),
    };
    let server = |waiting: &service::WaitingServer| WaitingServer {
        name: if waiting.name.is_empty() { waiting.id.to_string() } else { waiting.name.clone() },
        updates_itself: waiting.updates_itself,
    };
    Toggle {
        action: format!("{}/automatic", href(view)),
        back: back.to_owned(),
        of,
        state: view.reporting,
        refusal: view.toggle_refusal.clone(),
        product_reports: view.product.reports,
        waiting_for: view.waiting_for.iter().map(server).collect(),
        may,
    }
}

/// Its validity.
pub(crate) fn life(life: &service::Life) -> Life {
    Life {
        state: life.state,
        expires: life.expires,
        restricted: life.restricted,
        assigned: life.assigned,
        because: match life.because {
            service::Because::Chosen { cut_by_agreement } => Because::Chosen { cut_by_agreement },
            service::Because::Ended { at } => Because::Ended { at },
            service::Because::Reported { anchor, count, through, next, gap, cut_by_agreement } => {
                Because::Reported { anchor, count, through, next, gap, cut_by_agreement }
            }
        },
        months: if life.months.is_empty() { Vec::new() } else { life.twelve.to_vec() },
    }
}

/// Its workloads.
pub(crate) fn workloads(view: &LicenseView) -> Vec<WorkloadRow> {
    let row = |each: &service::WorkloadView| WorkloadRow {
        unit: each.name.clone(),
        count: i64::from(each.count),
        weight: weight(each.weight),
        points: each.points,
    };
    view.workloads.iter().map(row).collect()
}

/// An installation of it.
pub(crate) fn installation(view: &InstallationView, now: tenure_core::Timestamp) -> InstallationRow {
    let is_silent = now >= view.seen.plus_secs(SILENT_AFTER_HOURS * 3600);
    InstallationRow {
        name: if view.name.is_empty() { view.id.to_string() } else { view.name.clone() },
        href: format!("/installations/{}", view.id),
        id: view.id.to_string(),
        version: view.product_version.clone(),
        activated: view.activated,
        seen: Some(view.seen),
        status: match (view.retired, view.status.as_str()) {
            (Some(_), _) | (None, "retired") => InstallationStatus::Retired,
            (None, "suspended_clone") => InstallationStatus::Clone,
            (None, _) if is_silent => InstallationStatus::Silent,
            (None, _) => InstallationStatus::Active,
        },
        updates_itself: view.updates_itself,
        serial: view.shown.1,
        newest_serial: view.issued.1,
        shows_newest: view.shown == view.issued,
    }
}

/// The page of one license.
pub(crate) fn license(
    viewing: &Viewing,
    view: &LicenseView,
    installations: &[InstallationView],
    applicants: usize,
    said: pages::Said,
) -> pages::license::License {
    let base = href(view);
    let may_manage = viewing.may(Action::ManageLicenses, false);
    let is_ended = matches!(view.life.as_ref().map(|life| &life.because), Some(service::Because::Ended { .. }));
    let is_assigned = view.license.is_some() && !is_ended;
    pages::license::License {
        said,
        id: view.license.map_or_else(|| view.template.to_string(), |license| license.to_string()),
        product: name(view),
        description: view.description.clone(),
        holder: holder(view),
        usage_type: view.usage_type,
        agreement: view.agreement_number.clone(),
        workloads: workloads(view),
        points: view.points,
        life: view.life.as_ref().map(life),
        toggle: view.license.map(|_| toggle(view, &base, may_manage)),
        installations: installations.iter().map(|row| installation(row, viewing.now)).collect(),
        shadow: service::shadow_text(view).unwrap_or_default(),
        active: view.active_installations,
        applicants: applicants.try_into().unwrap_or(u32::MAX),
        idempotency_key: viewing.fresh_key(),
        may: pages::license::LicenseMay {
            assign: may_manage && view.license.is_none(),
            download: may_manage && is_assigned,
            enroll: is_assigned,
            copy: may_manage && !is_ended,
            update: may_manage && is_assigned && view.active_installations > 0,
            revoke: may_manage && is_assigned,
            delete: may_manage && !is_ended,
            shadow: may_manage
                && is_assigned
                && view.shadow.is_none()
                && view.product.reports
                && may_shadow_unless(view.reporting, view.toggle_refusal.clone()).is_ok(),
            take_shadow_back: may_manage && view.shadow.is_some(),
        },
        base,
    }
}
