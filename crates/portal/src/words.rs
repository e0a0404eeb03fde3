//! The program's words for what `core` only names.

use tenure_core::UsageType;

/// The first choice of a company: none yet.
pub(crate) const ASSIGN_LATER: &str = "Assign later";

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
