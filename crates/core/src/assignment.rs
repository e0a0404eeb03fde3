//! Templates and licenses: what may be done with them, and what stood at a period's end ("Template, assignment,
//! revocation").

use serde::{Deserialize, Serialize};

use crate::{Period, Timestamp, UsageType, agreement::AgreementStanding, suspension::Wish};

/// What a template is at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holding {
    /// A template: costs nothing, has no validity. Revoking makes one again; assigning that anew gives another license id,
    /// and what was used until then is still owed.
    Template,
    /// Assigned: a license with its own id, periods and serials.
    Assigned,
    /// Deleted. Nothing but its past is left.
    Deleted,
}

/// Everything that decides whether a license may be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LicenseFacts {
    /// What it is now; for [`Wish::Create`] and [`Wish::Copy`], of the original.
    pub holding: Holding,
    /// Who is served with it.
    pub usage_type: UsageType,
    /// The provider is suspended.
    pub suspended: bool,
    /// The oldest open obligation of the same company and product is too old
    /// ([`crate::obligation::blocks_new_license`]).
    pub obligation_blocks: bool,
    /// How its agreement stands.
    pub agreement: AgreementStanding,
}

/// Why a license is not changed. The text is what the page says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LicenseRefusal {
    /// Not while the provider is suspended.
    #[error("the provider is suspended until a monthly usage is submitted")]
    Suspended,
    /// Old usage is unresolved.
    #[error(
        "usage of an earlier license of this company and product is unresolved for more than two months; answer it first"
    )]
    ObligationOpen,
    /// The agreement is over.
    #[error("the rental agreement has ended")]
    AgreementOver,
    /// It is not assigned.
    #[error("a template has no license yet; assign it first")]
    NotAssigned,
    /// It is assigned already.
    #[error("it is assigned already; copy it, or revoke it first")]
    AlreadyAssigned,
    /// The provider itself holds it.
    #[error("a license of this kind is held by the provider itself; leave the company out")]
    HeldByProvider,
    /// A customer has to hold it.
    #[error("a license for one customer is assigned to a company; name it")]
    CompanyMissing,
    /// It was deleted.
    #[error("it was deleted")]
    Deleted,
    /// The company belongs to another provider.
    #[error("a license never moves to another provider")]
    ForeignCompany,
}

/// Whether a license may be changed as wished ("Template, assignment, revocation"; "The monthly cycle", Suspended).
/// [`Wish::CheckIn`], [`Wish::Report`] and [`Wish::Submit`] always may.
///
/// # Errors
/// The first reason against it.
pub fn may(wish: Wish, facts: &LicenseFacts) -> Result<(), LicenseRefusal> {
    if matches!(wish, Wish::CheckIn | Wish::Report | Wish::Submit) {
        return Ok(());
    }
    if facts.holding == Holding::Deleted && wish != Wish::Create {
        return Err(LicenseRefusal::Deleted);
    }
    if facts.suspended && wish.is_blocked_by_suspension() {
        return Err(LicenseRefusal::Suspended);
    }
    // A copy is a template, which is not a license yet; an assignment is what makes one.
    let makes_license = matches!(wish, Wish::Create | Wish::Assign);
    if facts.obligation_blocks && makes_license {
        return Err(LicenseRefusal::ObligationOpen);
    }
    if facts.agreement != AgreementStanding::Running && wish.is_blocked_by_suspension() {
        return Err(LicenseRefusal::AgreementOver);
    }
    match (wish, facts.holding) {
        (Wish::Assign, Holding::Assigned) => Err(LicenseRefusal::AlreadyAssigned),
        (Wish::Revoke | Wish::Toggle | Wish::Download, Holding::Template) => Err(LicenseRefusal::NotAssigned),
        _ => Ok(()),
    }
}

/// Whether a license of a kind may be held by whom it is meant for: one for a single customer by a company, any other by
/// the provider itself ("Template, assignment, revocation").
///
/// # Errors
/// When it is the other way round.
pub const fn may_hold(usage_type: UsageType, company_named: bool) -> Result<(), LicenseRefusal> {
    match (usage_type.held_by_provider(), company_named) {
        (true, true) => Err(LicenseRefusal::HeldByProvider),
        (false, false) => Err(LicenseRefusal::CompanyMissing),
        _ => Ok(()),
    }
}

/// Whether an assigned license may move to another company: of the same provider only, keeping its id and validity
/// ("Template, assignment, revocation").
///
/// # Errors
/// The first reason against it.
pub fn may_move(facts: &LicenseFacts, same_provider: bool) -> Result<(), LicenseRefusal> {
    match facts.holding {
        Holding::Deleted => Err(LicenseRefusal::Deleted),
        Holding::Template => Err(LicenseRefusal::NotAssigned),
        Holding::Assigned if facts.usage_type.held_by_provider() => Err(LicenseRefusal::HeldByProvider),
        Holding::Assigned if !same_provider => Err(LicenseRefusal::ForeignCompany),
        Holding::Assigned => Ok(()),
    }
}

/// Whether an edit of licensed workloads is upward: one of them, or their points, grows. Each item is a workload's count
/// before and after; one that is new has 0 before.
pub fn is_upward_edit(changes: impl IntoIterator<Item = (u32, u32)>) -> bool {
    changes.into_iter().any(|(before, after)| after > before)
}

/// What held at a period's end: the last change before it ("Template, assignment, revocation"; "Counting"). So the whole
/// period stands under the company that holds the license then, *Licensed* shows the workloads of then, and an
/// installation that changed its license reports the whole period under the one of then. `changes` come in any order; of
/// two at one instant the later in order holds.
pub fn at_period_end<T>(period: Period, changes: impl IntoIterator<Item = (Timestamp, T)>) -> Option<T> {
    let end = period.end();
    let before = changes.into_iter().filter(|(at, _)| *at < end);
    before.reduce(|held, next| if next.0 >= held.0 { next } else { held }).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASSIGNED: LicenseFacts = LicenseFacts {
        holding: Holding::Assigned,
        usage_type: UsageType::SingleCustomer,
        suspended: false,
        obligation_blocks: false,
        agreement: AgreementStanding::Running,
    };
    const TEMPLATE: LicenseFacts = LicenseFacts { holding: Holding::Template, ..ASSIGNED };

    #[test]
    fn templates_are_assigned_and_licenses_revoked() {
        assert_eq!(may(Wish::Assign, &TEMPLATE), Ok(()));
        assert_eq!(may(Wish::Assign, &ASSIGNED), Err(LicenseRefusal::AlreadyAssigned));
        assert_eq!(may(Wish::Revoke, &ASSIGNED), Ok(()));
        assert_eq!(may(Wish::Revoke, &TEMPLATE), Err(LicenseRefusal::NotAssigned));
        assert_eq!(may(Wish::Download, &TEMPLATE), Err(LicenseRefusal::NotAssigned));
        assert_eq!(may(Wish::Copy, &ASSIGNED), Ok(()));
        assert_eq!(may_hold(UsageType::Internal, true), Err(LicenseRefusal::HeldByProvider));
        assert_eq!(may_hold(UsageType::SingleCustomer, false), Err(LicenseRefusal::CompanyMissing));
        assert_eq!(may_hold(UsageType::MultiCustomer, false).and(may_hold(UsageType::SingleCustomer, true)), Ok(()));
        let deleted = LicenseFacts { holding: Holding::Deleted, ..ASSIGNED };
        assert_eq!(may(Wish::EditDown, &deleted), Err(LicenseRefusal::Deleted));
        assert_eq!(may(Wish::Report, &deleted), Ok(()), "what was used is still reported");
    }

    #[test]
    fn suspension_old_obligations_and_ended_agreements_stop_growth() {
        let suspended = LicenseFacts { suspended: true, ..ASSIGNED };
        assert_eq!(may(Wish::Copy, &suspended), Err(LicenseRefusal::Suspended));
        assert_eq!(may(Wish::Revoke, &suspended), Ok(()));
        assert_eq!(may(Wish::Download, &suspended), Ok(()));
        let owing = LicenseFacts { obligation_blocks: true, ..TEMPLATE };
        assert_eq!(may(Wish::Assign, &owing), Err(LicenseRefusal::ObligationOpen));
        assert_eq!(may(Wish::Create, &owing), Err(LicenseRefusal::ObligationOpen));
        assert_eq!(may(Wish::Copy, &owing), Ok(()), "a copy is a template");
        let over = LicenseFacts { agreement: AgreementStanding::Ended, ..TEMPLATE };
        assert_eq!(may(Wish::Create, &over), Err(LicenseRefusal::AgreementOver));
        assert_eq!(may(Wish::Delete, &over), Ok(()));
    }

    #[test]
    fn moves_stay_within_the_provider() {
        assert_eq!(may_move(&ASSIGNED, true), Ok(()));
        assert_eq!(may_move(&ASSIGNED, false), Err(LicenseRefusal::ForeignCompany));
        assert_eq!(may_move(&TEMPLATE, true), Err(LicenseRefusal::NotAssigned));
        let shared = LicenseFacts { usage_type: UsageType::MultiCustomer, ..ASSIGNED };
        assert_eq!(may_move(&shared, true), Err(LicenseRefusal::HeldByProvider));
    }

    #[test]
    fn the_periods_end_decides() {
        let at = |text: &str| text.parse::<Timestamp>().expect("an instant");
        let march: Period = "2026-03".parse().expect("a period");
        let changes =
            [(at("2026-04-01T00:00:00Z"), 'c'), (at("2026-01-05T00:00:00Z"), 'a'), (at("2026-03-31T23:59:59Z"), 'b')];
        assert_eq!(at_period_end(march, changes), Some('b'));
        assert_eq!(at_period_end(march.prev(), changes), Some('a'));
        assert_eq!(at_period_end(march.next(), changes), Some('c'));
        assert_eq!(at_period_end("2025-12".parse().expect("a period"), changes), None);
        assert!(is_upward_edit([(5, 4), (0, 1)]) && !is_upward_edit([(5, 4), (1, 0), (3, 3)]));
    }
}
