//! The program's words for what `core` only names.

use tenure_core::UsageType;

/// Who may be served with a license.
pub fn usage_type(usage_type: UsageType) -> &'static str {
    match usage_type {
        UsageType::SingleCustomer => "One customer",
        UsageType::MultiCustomer => "Many customers",
        UsageType::Internal => "Internal",
    }
}
