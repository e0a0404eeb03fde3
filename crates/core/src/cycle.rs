//! The monthly usage's states and who moves it ("The monthly cycle").
//!
//! One table holds every transition ([`step`]); whatever is not in it is refused. No row leaves [`UsageState::Closed`].

mod table;

use serde::{Deserialize, Serialize};

pub use table::{events_in, step};

use crate::{
    Points,
    roles::{OrgKind, Role},
};

/// Where a provider's monthly usage stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum UsageState {
    /// Reports come in.
    Collecting,
    /// Sites submit their parts.
    PendingSiteReview,
    /// The provider reviews and submits.
    PendingProviderReview,
    /// The distributor decides.
    PendingDistributorReview,
    /// The distributor sent it back, with a reason.
    Rejected,
    /// Final. Nothing leaves this state.
    Closed,
}

impl UsageState {
    /// All states, in the order a month passes them.
    pub const ALL: [Self; 6] = [
        Self::Collecting,
        Self::PendingSiteReview,
        Self::PendingProviderReview,
        Self::PendingDistributorReview,
        Self::Rejected,
        Self::Closed,
    ];

    /// Whether its figures are with the distributor or final. A rejected one is not.
    pub const fn is_submitted(self) -> bool {
        matches!(self, Self::PendingDistributorReview | Self::Closed)
    }
    /// Whether people may change its lines: from the start of the review until the submission, and again after a
    /// rejection.
    pub const fn is_editable(self) -> bool {
        matches!(self, Self::PendingSiteReview | Self::PendingProviderReview | Self::Rejected)
    }
    /// Whether arriving reports are taken into it.
    pub const fn takes_reports(self) -> bool {
        !self.is_submitted()
    }
    /// The name as stored and sent.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Collecting => "Collecting",
            Self::PendingSiteReview => "PendingSiteReview",
            Self::PendingProviderReview => "PendingProviderReview",
            Self::PendingDistributorReview => "PendingDistributorReview",
            Self::Rejected => "Rejected",
            Self::Closed => "Closed",
        }
    }
    /// The state of a stored name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// What happens to a monthly usage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UsageEvent {
    /// The server finds nothing awaited any more, or `auto_send_day` over.
    CollectingOver,
    /// A person starts the review before that.
    StartReview,
    /// A site's part is submitted to the provider.
    SubmitPart,
    /// The provider returns a site's part, with a reason.
    ReturnPart,
    /// The provider submits to the distributor.
    Submit,
    /// The server submits at noon of the deadline's day, where the provider asked for it.
    AutoSubmit,
    /// The first of two people of the distributor approves, where so many points take two.
    ApproveFirst,
    /// The distributor approves.
    Approve,
    /// The distributor's rule approves, when nothing is flagged.
    ApproveByRule,
    /// The distributor rejects, with a reason.
    Reject,
    /// The vendor closes it, with a reason.
    Close,
}

impl UsageEvent {
    /// All events.
    pub const ALL: [Self; 11] = [
        Self::CollectingOver,
        Self::StartReview,
        Self::SubmitPart,
        Self::ReturnPart,
        Self::Submit,
        Self::AutoSubmit,
        Self::ApproveFirst,
        Self::Approve,
        Self::ApproveByRule,
        Self::Reject,
        Self::Close,
    ];
}

/// Who moves a monthly usage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// The server itself, by clock or rule.
    Server,
    /// The location usage administrator of one site.
    LocationUsageAdministrator,
    /// The provider's primary license administrator.
    PrimaryLicenseAdministrator,
    /// The provider's Full Access.
    FullAccess,
    /// The distributor's Approver or Administrator.
    Distributor,
    /// The vendor's Administrator.
    Vendor,
}

impl Actor {
    /// As whom a role moves a monthly usage of the given provider; none for roles that only read. A token speaks as its
    /// organization's role does; one that is bound to a site speaks for that site.
    pub const fn of(role: Role, kind: OrgKind, bound_to_site: bool) -> Option<Self> {
        match (role, kind) {
            (Role::ProviderPrimary, _) => Some(Self::PrimaryLicenseAdministrator),
            (Role::ProviderLocation, _) => Some(Self::LocationUsageAdministrator),
            (Role::TokenManage | Role::TokenReport, OrgKind::Provider) if bound_to_site => {
                Some(Self::LocationUsageAdministrator)
            }
            (Role::ProviderFullAccess, _) | (Role::TokenManage | Role::TokenReport, OrgKind::Provider) => {
                Some(Self::FullAccess)
            }
            (Role::DistributorAdministrator | Role::DistributorApprover, _)
            | (Role::TokenManage | Role::TokenReport, OrgKind::Distributor) => Some(Self::Distributor),
            (Role::VendorAdministrator, _) | (Role::TokenManage, OrgKind::Vendor) => Some(Self::Vendor),
            _ => None,
        }
    }
}

/// What stands against a submission; each names how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "kind", content = "count", rename_all = "snake_case")]
pub enum Blocker {
    /// Installations whose report may still come.
    #[error("{}", counted(*.0, "installation is still awaited", "installations are still awaited"))]
    Awaited(u32),
    /// Installations that sent none; a person answers each, zero in one click.
    #[error("{}", counted(*.0, "installation is missing", "installations are missing"))]
    Missing(u32),
    /// Clones that nobody answered for.
    #[error("{}", counted(*.0, "cloned installation is unanswered", "cloned installations are unanswered"))]
    Cloned(u32),
    /// Lines whose code the catalog does not know.
    #[error("{}", counted(*.0, "line is unmapped", "lines are unmapped"))]
    Unmapped(u32),
    /// Adjustments made on an older revision of a report.
    #[error("{}", counted(*.0, "adjustment must be confirmed against a newer report", "adjustments must be confirmed against a newer report"))]
    Unconfirmed(u32),
    /// Flagged lines; they stop only what happens without a person.
    #[error("{}", counted(*.0, "line is flagged", "lines are flagged"))]
    Flagged(u32),
}

/// So many of something, in the words for one or for more.
pub(crate) fn counted(count: u32, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// Everything a transition depends on besides state, event and actor.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UsageFacts {
    /// The provider has sites.
    pub has_sites: bool,
    /// Sites whose part is not in, after this event.
    pub parts_outstanding: u32,
    /// `auto_send_day` is over.
    pub auto_send_day_over: bool,
    /// Expected installations whose report may still come.
    pub awaited: u32,
    /// Expected installations that sent none and were not answered.
    pub missing: u32,
    /// Clones not answered.
    pub cloned: u32,
    /// Unmapped lines.
    pub unmapped: u32,
    /// Adjustments not confirmed against the newest revision.
    pub unconfirmed: u32,
    /// Flagged lines.
    pub flagged: u32,
    /// A reason was given.
    pub reason_given: bool,
    /// The decider's user or organization is the submitter's.
    pub own_submission: bool,
    /// The total was lowered beyond the threshold and the vendor has not agreed.
    pub vendor_consent_missing: bool,
    /// The distributor has so many points approved by two different people.
    pub two_people: bool,
    /// Whether one of them did.
    pub first_approval: FirstApproval,
}

/// The first of two people's approvals, as the one who decides now sees it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum FirstApproval {
    /// Nobody approved yet.
    #[default]
    Missing,
    /// The same person did.
    Own,
    /// Another person did.
    Others,
}

/// Whether an approval takes two people: the total is above what the distributor lets one person approve.
pub fn takes_two(total: Points, above: Option<Points>) -> bool {
    above.is_some_and(|above| total > above)
}

/// What somebody's approval is: the first of two where two are wanted and nobody approved yet, otherwise the one that closes.
pub fn approval(facts: &UsageFacts) -> UsageEvent {
    if facts.two_people && facts.first_approval == FirstApproval::Missing {
        UsageEvent::ApproveFirst
    } else {
        UsageEvent::Approve
    }
}

impl UsageFacts {
    /// Everything that stands against a submission by a person, most urgent first.
    pub fn blockers(&self) -> Vec<Blocker> {
        [
            Blocker::Awaited(self.awaited),
            Blocker::Missing(self.missing),
            Blocker::Cloned(self.cloned),
            Blocker::Unmapped(self.unmapped),
            Blocker::Unconfirmed(self.unconfirmed),
        ]
        .into_iter()
        .filter(|blocker| blocker.count() > 0)
        .collect()
    }
}

impl Blocker {
    /// How many.
    pub const fn count(self) -> u32 {
        match self {
            Self::Awaited(n)
            | Self::Missing(n)
            | Self::Cloned(n)
            | Self::Unmapped(n)
            | Self::Unconfirmed(n)
            | Self::Flagged(n) => n,
        }
    }
}

/// Why a monthly usage was not moved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UsageRefusal {
    /// The event does not exist in this state.
    #[error("not possible while the monthly usage is {}", .0.name())]
    WrongState(UsageState),
    /// Somebody else has to do it.
    #[error("not for this role to do")]
    WrongActor,
    /// Something must be resolved first.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Blocked(Vec<Blocker>),
    /// A reason is required.
    #[error("a reason is required")]
    ReasonMissing,
    /// Nobody approves what their own user or organization submitted.
    #[error("nobody decides on what their own user or organization submitted")]
    OwnSubmission,
    /// The total was lowered beyond the threshold; the vendor agrees first.
    #[error("the total was lowered so far that the vendor has to agree first")]
    VendorConsentMissing,
    /// The same person approved first.
    #[error("you approved it first; another person has to approve it too")]
    SecondPersonMissing,
    /// The rule approves nothing that takes two people.
    #[error("so many points take the approval of two people")]
    TwoPeopleWanted,
}
