//! Roles and what each may do ("Words", roles).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// What somebody is to an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Vendor: everything of the program.
    VendorAdministrator,
    /// Vendor: products, workload types and weights.
    VendorCatalog,
    /// Vendor: reads everything, to help.
    VendorSupport,
    /// Vendor: reads everything, to audit.
    VendorAuditor,
    /// Distributor: everything of the distributor.
    DistributorAdministrator,
    /// Distributor: approves and rejects monthly usages.
    DistributorApprover,
    /// Distributor: reads.
    DistributorReadOnly,
    /// Provider: everything of the provider.
    ProviderFullAccess,
    /// Provider: everything of the provider, and submits for all sites.
    ProviderPrimary,
    /// Provider: one site's licenses and its part of the monthly usage.
    ProviderLocation,
    /// Provider: reads.
    ProviderReadOnly,
    /// Company: sees its own.
    CompanyViewer,
    /// Token of scope read.
    TokenRead,
    /// Token of scope manage.
    TokenManage,
    /// Token of scope report.
    TokenReport,
}

/// Whom an organization is in the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrgKind {
    /// Publishes the products.
    Vendor,
    /// Holds agreements with providers.
    Distributor,
    /// Rents licenses.
    Provider,
}

/// What can be done. Seeing is decided by the organization first: what is not yours does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// See what belongs to the organization, or to those below it.
    View,
    /// Make and change organizations, sites and agreements; decide enrollments.
    ManageProgram,
    /// Change products, workload types and weights.
    ManageCatalog,
    /// Make and change people and tokens of the own organization.
    ManagePeople,
    /// Make and change companies of a provider.
    ManageCompanies,
    /// Create, assign, revoke, toggle, download licenses; make activation codes; retire installations.
    ManageLicenses,
    /// Ask for automatic reporting.
    RequestEnrollment,
    /// Answer, adjust, add lines of a monthly usage.
    EditUsage,
    /// Submit one site's part.
    SubmitPart,
    /// Submit the monthly usage; return a part.
    SubmitUsage,
    /// Approve or reject a monthly usage.
    DecideUsage,
    /// Close a monthly usage for the vendor, consent to lowered figures.
    OverrideUsage,
}

impl Role {
    /// All roles.
    pub const ALL: &'static [Self] = &[
        Self::VendorAdministrator,
        Self::VendorCatalog,
        Self::VendorSupport,
        Self::VendorAuditor,
        Self::DistributorAdministrator,
        Self::DistributorApprover,
        Self::DistributorReadOnly,
        Self::ProviderFullAccess,
        Self::ProviderPrimary,
        Self::ProviderLocation,
        Self::ProviderReadOnly,
        Self::CompanyViewer,
        Self::TokenRead,
        Self::TokenManage,
        Self::TokenReport,
    ];

    /// The stored word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::VendorAdministrator => "vendor_administrator",
            Self::VendorCatalog => "vendor_catalog",
            Self::VendorSupport => "vendor_support",
            Self::VendorAuditor => "vendor_auditor",
            Self::DistributorAdministrator => "distributor_administrator",
            Self::DistributorApprover => "distributor_approver",
            Self::DistributorReadOnly => "distributor_read_only",
            Self::ProviderFullAccess => "provider_full_access",
            Self::ProviderPrimary => "provider_primary",
            Self::ProviderLocation => "provider_location",
            Self::ProviderReadOnly => "provider_read_only",
            Self::CompanyViewer => "company_viewer",
            Self::TokenRead => "token_read",
            Self::TokenManage => "token_manage",
            Self::TokenReport => "token_report",
        }
    }

    /// As people read it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::VendorAdministrator | Self::DistributorAdministrator => "Administrator",
            Self::VendorCatalog => "Catalog",
            Self::VendorSupport => "Support",
            Self::VendorAuditor => "Auditor",
            Self::DistributorApprover => "Approver",
            Self::DistributorReadOnly | Self::ProviderReadOnly => "Read Only",
            Self::ProviderFullAccess => "Full Access",
            Self::ProviderPrimary => "Primary License Administrator",
            Self::ProviderLocation => "Location Usage Administrator",
            Self::CompanyViewer => "Viewer",
            Self::TokenRead => "Token, read",
            Self::TokenManage => "Token, manage",
            Self::TokenReport => "Token, report",
        }
    }

    /// Which kind of organization the role belongs to; none for a token's, which fit any.
    pub const fn org_kind(self) -> Option<OrgKind> {
        match self {
            Self::VendorAdministrator | Self::VendorCatalog | Self::VendorSupport | Self::VendorAuditor => {
                Some(OrgKind::Vendor)
            }
            Self::DistributorAdministrator | Self::DistributorApprover | Self::DistributorReadOnly => {
                Some(OrgKind::Distributor)
            }
            Self::ProviderFullAccess
            | Self::ProviderPrimary
            | Self::ProviderLocation
            | Self::ProviderReadOnly
            | Self::CompanyViewer => Some(OrgKind::Provider),
            Self::TokenRead | Self::TokenManage | Self::TokenReport => None,
        }
    }

    /// Whether the role is one of a person; the others are a token's.
    pub const fn is_of_a_person(self) -> bool {
        self.org_kind().is_some()
    }

    /// Whether the role manages the people of its organization. An organization keeps at least one who does.
    pub fn is_administrator(self) -> bool {
        self.org_kind().is_some_and(|kind| self.may(Action::ManagePeople, kind, false))
    }

    /// Whether somebody of this role may give `other` to somebody, or take it away: never a role that may do more. The
    /// vendor's administrator sets every organization up.
    pub fn may_grant(self, other: Self) -> bool {
        match self {
            Self::VendorAdministrator => other.is_of_a_person(),
            Self::DistributorAdministrator => other.org_kind() == Some(OrgKind::Distributor),
            Self::ProviderPrimary => other.org_kind() == Some(OrgKind::Provider),
            // With sites only the primary submits the whole, so that role is more than full access.
            Self::ProviderFullAccess => other.org_kind() == Some(OrgKind::Provider) && other != Self::ProviderPrimary,
            _ => false,
        }
    }

    /// What is left of the role where only reading was asked for.
    #[must_use]
    pub const fn reading(self) -> Self {
        match self.org_kind() {
            Some(OrgKind::Vendor) => Self::VendorSupport,
            Some(OrgKind::Distributor) => Self::DistributorReadOnly,
            // A company's viewer reads only already, and less than its provider's readers.
            Some(OrgKind::Provider) if matches!(self, Self::CompanyViewer) => self,
            Some(OrgKind::Provider) => Self::ProviderReadOnly,
            None => Self::TokenRead,
        }
    }

    /// Whether the role may do it, within what its organization may see. `kind` is the organization's; `has_sites` says
    /// whether the provider has sites: then only the primary license administrator submits ("The monthly cycle").
    pub fn may(self, action: Action, kind: OrgKind, has_sites: bool) -> bool {
        use Action as A;
        if self.org_kind().is_some_and(|own| own != kind) {
            return false;
        }
        match self {
            Self::VendorAdministrator => {
                matches!(action, A::View | A::ManageProgram | A::ManageCatalog | A::ManagePeople | A::OverrideUsage)
            }
            Self::VendorCatalog => matches!(action, A::View | A::ManageCatalog),
            Self::DistributorAdministrator => matches!(action, A::View | A::ManagePeople | A::DecideUsage),
            Self::DistributorApprover => matches!(action, A::View | A::DecideUsage),
            Self::ProviderFullAccess => match action {
                A::SubmitUsage => !has_sites,
                A::View
                | A::ManagePeople
                | A::ManageCompanies
                | A::ManageLicenses
                | A::RequestEnrollment
                | A::EditUsage
                | A::SubmitPart => true,
                _ => false,
            },
            Self::ProviderPrimary => matches!(
                action,
                A::View
                    | A::ManagePeople
                    | A::ManageCompanies
                    | A::ManageLicenses
                    | A::RequestEnrollment
                    | A::EditUsage
                    | A::SubmitPart
                    | A::SubmitUsage
            ),
            Self::ProviderLocation => {
                matches!(action, A::View | A::ManageCompanies | A::ManageLicenses | A::EditUsage | A::SubmitPart)
            }
            Self::TokenManage => token(action, kind, has_sites),
            Self::TokenReport => match kind {
                OrgKind::Provider => match action {
                    A::SubmitUsage => !has_sites,
                    A::View | A::EditUsage | A::SubmitPart => true,
                    _ => false,
                },
                OrgKind::Distributor => matches!(action, A::View | A::DecideUsage),
                OrgKind::Vendor => action == A::View,
            },
            Self::VendorSupport
            | Self::VendorAuditor
            | Self::DistributorReadOnly
            | Self::ProviderReadOnly
            | Self::CompanyViewer
            | Self::TokenRead => action == A::View,
        }
    }
}

/// A manage token does what an administrator of its organization does, except for people: a leaked token must not be able
/// to make itself another way in.
fn token(action: Action, kind: OrgKind, has_sites: bool) -> bool {
    let role = match kind {
        OrgKind::Vendor => Role::VendorAdministrator,
        OrgKind::Distributor => Role::DistributorAdministrator,
        OrgKind::Provider => Role::ProviderFullAccess,
    };
    action != Action::ManagePeople && role.may(action, kind, has_sites)
}

/// Nobody approves what their own user or organization submitted.
pub fn may_decide(
    submitted_by: uuid::Uuid,
    submitted_org: crate::OrgId,
    principal: uuid::Uuid,
    org: crate::OrgId,
) -> bool {
    submitted_by != principal && submitted_org != org
}

/// The word is no role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a role")]
pub struct ParseRoleError;

impl FromStr for Role {
    type Err = ParseRoleError;
    fn from_str(word: &str) -> Result<Self, ParseRoleError> {
        Self::ALL.iter().copied().find(|role| role.word() == word).ok_or(ParseRoleError)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.title())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_only_read_and_nobody_acts_for_another_kind() {
        let kinds = [OrgKind::Vendor, OrgKind::Distributor, OrgKind::Provider];
        let writes = [
            Action::ManageProgram,
            Action::ManageCatalog,
            Action::ManagePeople,
            Action::ManageCompanies,
            Action::ManageLicenses,
            Action::RequestEnrollment,
            Action::EditUsage,
            Action::SubmitPart,
            Action::SubmitUsage,
            Action::DecideUsage,
            Action::OverrideUsage,
        ];
        for role in Role::ALL.iter().copied() {
            assert_eq!(role.word().parse(), Ok(role));
            for kind in kinds {
                let reader = matches!(
                    role,
                    Role::VendorSupport
                        | Role::VendorAuditor
                        | Role::DistributorReadOnly
                        | Role::ProviderReadOnly
                        | Role::CompanyViewer
                        | Role::TokenRead
                );
                let foreign = role.org_kind().is_some_and(|own| own != kind);
                for action in writes {
                    if reader || foreign {
                        assert!(!role.may(action, kind, false), "{role:?} {action:?} {kind:?}");
                    }
                }
                assert_eq!(role.may(Action::View, kind, false), !foreign);
            }
        }
    }

    #[test]
    fn nobody_gives_more_than_they_have() {
        for role in Role::ALL.iter().copied() {
            for other in Role::ALL.iter().copied() {
                if !role.may_grant(other) {
                    continue;
                }
                assert!(role.is_administrator() && other.is_of_a_person());
                // Within one organization, whatever the given role may do the giver may do, but for submitting a part.
                if let Some(kind) = role.org_kind().filter(|kind| Some(*kind) == other.org_kind()) {
                    for action in
                        [Action::ManagePeople, Action::SubmitUsage, Action::DecideUsage, Action::ManageCatalog]
                    {
                        assert!(!other.may(action, kind, true) || role.may(action, kind, true), "{role:?} {other:?}");
                    }
                }
            }
        }
        assert!(!Role::ProviderFullAccess.may_grant(Role::ProviderPrimary));
        assert!(!Role::TokenManage.may_grant(Role::ProviderReadOnly));
    }

    #[test]
    fn with_sites_only_the_primary_submits_and_providers_never_decide() {
        let provider = OrgKind::Provider;
        for role in Role::ALL.iter().copied() {
            assert_eq!(role.may(Action::SubmitUsage, provider, true), role == Role::ProviderPrimary, "{role:?}");
            assert!(!role.may(Action::DecideUsage, provider, false), "{role:?}");
        }
        assert!(Role::ProviderFullAccess.may(Action::SubmitUsage, provider, false));
        assert!(!Role::TokenManage.may(Action::ManagePeople, provider, false));
    }
}
