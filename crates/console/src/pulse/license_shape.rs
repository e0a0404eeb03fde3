//! A license as consoles show it.

use serde_json::{Value, json};
use tenure_core::UsageType;
use tenure_service::{LicenseView, WorkloadView};

use super::{catalog::workload_id, licenses::Around};
use crate::answer::{points, weight};

/// A template or license; `around` knows what else its row names.
pub(super) fn shape(view: &LicenseView, around: &Around) -> Value {
    // Its names are the console's; what an agreement or usage type forces is in it already.
    let reporting = view.reporting.name();
    let company = view.company.as_ref().map(|company| company.id);
    let reseller = company.filter(|id| around.resellers.have(*id));
    json!({
        "instanceUid": view.template.uuid(),
        "licenseId": view.license.map(tenure_core::LicenseId::uuid),
        "type": if view.usage_type == UsageType::Internal { "Internal" } else { "Rental" },
        "usageType": match view.usage_type {
            UsageType::SingleCustomer => "SingleCustomerUse",
            UsageType::MultiCustomer => "MultiCustomerUse",
            UsageType::Internal => "InternalUse",
        },
        "assignStatus": if view.license.is_some() { "Assigned" } else { "NotAssigned" },
        "createdBy": around.provider,
        "contractId": view.agreement_number,
        "productId": view.product.id.uuid(),
        "description": view.description,
        "expirationDate": view.life.as_ref().map(|life| life.expires),
        "points": points(view.points),
        "automaticReportingStatus": reporting,
        "automaticExtensionStatus": reporting,
        "assignedCompanyUid": company.filter(|_| reseller.is_none()).map(tenure_core::CompanyId::uuid),
        "assignedResellerUid": reseller.map(tenure_core::CompanyId::uuid),
        "workloads": view.workloads.iter().map(workload).collect::<Vec<_>>(),
    })
}

fn workload(view: &WorkloadView) -> Value {
    json!({
        "workloadId": workload_id(&view.workload, &view.variant),
        "name": view.name,
        "multiplier": weight(view.weight),
        "count": view.count,
    })
}
