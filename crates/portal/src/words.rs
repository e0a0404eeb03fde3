//! The program's words for what `core` only names.

use tenure_core::{UsageType, roles::Role};

/// The first choice of a company: none yet.
pub(crate) const ASSIGN_LATER: &str = "Assign later";

/// The first choice of a reason: raising a figure needs none.
pub(crate) const NO_REASON: &str = "None: it is raised";

/// The first choice of a license: none.
pub(crate) const NO_LICENSE: &str = "None";

/// Usage types as the wizard offers them.
pub(crate) const USAGE_TYPES: [(UsageType, &str); 3] = [
    (UsageType::SingleCustomer, "One customer"),
    (UsageType::MultiCustomer, "Many customers on one server"),
    (UsageType::Internal, "Your own organization"),
];

/// Who may be served with a license.
pub(crate) fn usage_type(usage_type: UsageType) -> &'static str {
    match usage_type {
        UsageType::SingleCustomer => "One customer",
        UsageType::MultiCustomer => "Many customers",
        UsageType::Internal => "Internal",
    }
}

/// What a role may do, after its name.
pub(crate) fn role(role: Role) -> &'static str {
    match role {
        Role::VendorAdministrator => "does everything of the program.",
        Role::VendorCatalog => "changes products, workload types and weights.",
        Role::VendorSupport => "reads everything, to help.",
        Role::VendorAuditor => "reads everything, to audit.",
        Role::DistributorAdministrator => "does everything of the distributor.",
        Role::DistributorApprover => "approves and rejects monthly usages.",
        Role::DistributorReadOnly | Role::ProviderReadOnly => "sees everything and changes nothing.",
        Role::ProviderFullAccess => "does everything, and submits the month where there are no sites.",
        Role::ProviderPrimary => "does everything, and submits the month for all sites.",
        Role::ProviderLocation => "has one site: its licenses and its part of the month.",
        Role::CompanyViewer => "sees its own company.",
        Role::TokenRead | Role::TokenManage | Role::TokenReport => "is a program's.",
    }
}
