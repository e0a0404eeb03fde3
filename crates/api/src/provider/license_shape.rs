//! Licenses as they are sent.

use tenure_core::{UsageType, reporting::AutomaticReporting, validity::LicenseState};
use tenure_service as service;
use tenure_service::{Because, HolderFilter, InstallationView, LicenseView, MonthMark, ProblemKind, StateFilter};
use tenure_wire as wire;

use crate::ApiProblem;

/// A license without its servers.
pub(super) fn shape(view: &LicenseView) -> wire::License {
    let workloads = view.workloads.iter().map(|each| wire::LicensedWorkload {
        workload: each.workload.clone(),
        variant: each.variant.clone(),
        count: each.count,
        weight: each.weight,
        points: each.points,
    });
    let (state, state_text) = state(view);
    wire::License {
        id: view.template,
        license: view.license,
        agreement: view.agreement,
        product: view.product.id,
        product_name: format!("{} {}", view.product.name, view.product.edition).trim_end().to_owned(),
        usage_type: match view.usage_type {
            UsageType::SingleCustomer => wire::UsageType::SingleCustomer,
            UsageType::MultiCustomer => wire::UsageType::MultiCustomer,
            UsageType::Internal => wire::UsageType::Internal,
        },
        description: view.description.clone(),
        site: view.site,
        company: view.company.clone().map(|company| wire::CompanyRef { id: company.id, name: company.name }),
        workloads: workloads.collect(),
        points: view.points.ceil(),
        state,
        state_text,
        automatic_reporting: reporting(view.reporting),
        automatic_reporting_text: service::reporting_text(view),
        expires_at: view.life.as_ref().map(|life| life.expires),
        expires_text: service::expiry_text(view),
        reported_through: service::reported_through(view),
        missing_period: service::missing_period(view),
        months: view.life.iter().flat_map(|life| life.twelve).map(cell).collect(),
        shadow_month: view.shadow,
        assigned_at: view.life.as_ref().map(|life| life.assigned),
        installations: Vec::new(),
    }
}

/// A license with its servers that are not retired.
pub(super) fn with_installations(view: &LicenseView, installations: Vec<InstallationView>) -> wire::License {
    let active = installations.into_iter().filter(|one| one.retired.is_none());
    let installations = active.map(|one| wire::Installation {
        id: one.id,
        name: one.name,
        auto_update: one.updates_itself,
        seen_at: one.seen,
        awaited: view.waiting_for.iter().any(|waiting| waiting.id == one.id),
    });
    wire::License { installations: installations.collect(), ..shape(view) }
}

fn cell((period, mark): service::MonthCell) -> wire::LicenseMonthCell {
    let state = match mark {
        MonthMark::NotCounted => wire::LicenseMonthState::NotCounted,
        MonthMark::Reported => wire::LicenseMonthState::Reported,
        MonthMark::Due => wire::LicenseMonthState::Due,
        MonthMark::Missing => wire::LicenseMonthState::Missing,
        MonthMark::Running => wire::LicenseMonthState::Running,
    };
    wire::LicenseMonthCell { period, state }
}

pub(super) fn state(view: &LicenseView) -> (wire::LicenseState, String) {
    let Some(life) = &view.life else { return (wire::LicenseState::Template, "Template".to_owned()) };
    if matches!(life.because, Because::Ended { .. }) {
        return (wire::LicenseState::Ended, "Ended".to_owned());
    }
    let state = match life.state {
        LicenseState::Valid => wire::LicenseState::Valid,
        LicenseState::Expiring { .. } => wire::LicenseState::Expiring,
        LicenseState::Expired { .. } => wire::LicenseState::Expired,
        LicenseState::Restricted => wire::LicenseState::Restricted,
    };
    (state, life.state.to_string())
}

const fn reporting(state: AutomaticReporting) -> wire::AutomaticReporting {
    match state {
        AutomaticReporting::Off => wire::AutomaticReporting::Off,
        AutomaticReporting::SwitchingToOn => wire::AutomaticReporting::SwitchingToOn,
        AutomaticReporting::On => wire::AutomaticReporting::On,
        AutomaticReporting::SwitchingToOff => wire::AutomaticReporting::SwitchingToOff,
        AutomaticReporting::AlwaysOn => wire::AutomaticReporting::AlwaysOn,
        AutomaticReporting::AlwaysOff => wire::AutomaticReporting::AlwaysOff,
    }
}

/// A state of automatic reporting as it was sent.
pub(super) const fn reporting_state(sent: wire::AutomaticReporting) -> AutomaticReporting {
    match sent {
        wire::AutomaticReporting::Off => AutomaticReporting::Off,
        wire::AutomaticReporting::SwitchingToOn => AutomaticReporting::SwitchingToOn,
        wire::AutomaticReporting::On => AutomaticReporting::On,
        wire::AutomaticReporting::SwitchingToOff => AutomaticReporting::SwitchingToOff,
        wire::AutomaticReporting::AlwaysOn => AutomaticReporting::AlwaysOn,
        wire::AutomaticReporting::AlwaysOff => AutomaticReporting::AlwaysOff,
    }
}

/// A kind of holder, as it was sent.
pub(super) fn holder_filter(text: &str) -> Result<HolderFilter, ApiProblem> {
    match text {
        "company" => Ok(HolderFilter::Company),
        "provider" => Ok(HolderFilter::Provider),
        _ => Err(ProblemKind::InvalidInput.because("`company_type` is company or provider").into()),
    }
}

/// A usage type as it was sent.
pub(super) const fn usage_type(sent: wire::UsageType) -> UsageType {
    match sent {
        wire::UsageType::SingleCustomer => UsageType::SingleCustomer,
        wire::UsageType::MultiCustomer => UsageType::MultiCustomer,
        wire::UsageType::Internal => UsageType::Internal,
    }
}

/// A state to look for, as it was sent.
pub(super) fn state_filter(text: &str) -> Result<StateFilter, ApiProblem> {
    Ok(match text {
        "template" => StateFilter::Template,
        "valid" => StateFilter::Valid,
        "expiring" => StateFilter::Expiring,
        "expired" => StateFilter::Expired,
        "restricted" => StateFilter::Restricted,
        _ => {
            let words = "`state` is template, valid, expiring, expired or restricted";
            return Err(ProblemKind::InvalidInput.because(words).into());
        }
    })
}
