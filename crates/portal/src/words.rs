//! The program's words for what `core` only names.

use tenure_core::UsageType;

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
