//! Every transition of a monthly usage, as one table ("The monthly cycle").

use super::{Actor, Blocker, FirstApproval, UsageEvent, UsageFacts, UsageRefusal, UsageState};

/// What must hold for a row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Guard {
    /// Nothing more.
    Always,
    /// Nothing awaited, or `auto_send_day` over.
    Collected,
    /// Nothing awaited, missing, cloned, unmapped, unconfirmed.
    Complete,
    /// Complete and unflagged.
    CompleteUnflagged,
    /// A reason is given.
    Reason,
    /// Not one's own submission, the vendor agreed where that is needed, and two people are wanted of whom none approved.
    ApprovableFirst,
    /// Not one's own submission, the vendor agreed where that is needed, and so did another person where two are wanted.
    Approvable,
    /// The vendor agreed where that is needed, one person would be enough, and nothing is flagged.
    ApprovableUnflagged,
    /// Not one's own submission, and a reason is given.
    Rejectable,
}

/// Where a row leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    /// Always this state.
    State(UsageState),
    /// PendingSiteReview with sites, else PendingProviderReview.
    Review,
    /// PendingProviderReview once all parts are in, else PendingSiteReview.
    Parts,
}

/// One transition: in these states, on this event, by these actors, under this guard.
struct Row {
    from: &'static [UsageState],
    event: UsageEvent,
    by: &'static [Actor],
    guard: Guard,
    to: Target,
}

use Actor::{Distributor, FullAccess, LocationUsageAdministrator, PrimaryLicenseAdministrator, Server, Vendor};
use UsageState::{Closed, Collecting, PendingDistributorReview, PendingProviderReview, PendingSiteReview, Rejected};

/// Every transition there is ("The monthly cycle"). Two choices where the program is silent: the primary license
/// administrator may submit a part for a site that does not, because the deadline is the provider's; and a part may be
/// returned also after the last one came in, until the submission, because only then the primary sees the whole.
const TABLE: &[Row] = &[
    Row {
        from: &[Collecting],
        event: UsageEvent::CollectingOver,
        by: &[Server],
        guard: Guard::Collected,
        to: Target::Review,
    },
    Row {
        from: &[Collecting],
        event: UsageEvent::StartReview,
        by: &[LocationUsageAdministrator, PrimaryLicenseAdministrator, FullAccess],
        guard: Guard::Always,
        to: Target::Review,
    },
    Row {
        from: &[PendingSiteReview],
        event: UsageEvent::SubmitPart,
        by: &[LocationUsageAdministrator, PrimaryLicenseAdministrator],
        guard: Guard::Always,
        to: Target::Parts,
    },
    Row {
        from: &[PendingSiteReview, PendingProviderReview, Rejected],
        event: UsageEvent::ReturnPart,
        by: &[PrimaryLicenseAdministrator],
        guard: Guard::Reason,
        to: Target::State(PendingSiteReview),
    },
    Row {
        from: &[PendingProviderReview, Rejected],
        event: UsageEvent::Submit,
        by: &[PrimaryLicenseAdministrator, FullAccess],
        guard: Guard::Complete,
        to: Target::State(PendingDistributorReview),
    },
    Row {
        from: &[PendingProviderReview],
        event: UsageEvent::AutoSubmit,
        by: &[Server],
        guard: Guard::CompleteUnflagged,
        to: Target::State(PendingDistributorReview),
    },
    Row {
        from: &[PendingDistributorReview],
        event: UsageEvent::ApproveFirst,
        by: &[Distributor],
        guard: Guard::ApprovableFirst,
        to: Target::State(PendingDistributorReview),
    },
    Row {
        from: &[PendingDistributorReview],
        event: UsageEvent::Approve,
        by: &[Distributor],
        guard: Guard::Approvable,
        to: Target::State(Closed),
    },
    Row {
        from: &[PendingDistributorReview],
        event: UsageEvent::ApproveByRule,
        by: &[Server],
        guard: Guard::ApprovableUnflagged,
        to: Target::State(Closed),
    },
    Row {
        from: &[PendingDistributorReview],
        event: UsageEvent::Reject,
        by: &[Distributor],
        guard: Guard::Rejectable,
        to: Target::State(Rejected),
    },
    Row {
        from: &[Collecting, PendingSiteReview, PendingProviderReview, PendingDistributorReview, Rejected],
        event: UsageEvent::Close,
        by: &[Vendor],
        guard: Guard::Reason,
        to: Target::State(Closed),
    },
];

/// The state after an event ("The monthly cycle").
///
/// # Errors
/// Why it does not happen. The state is checked first, then the actor, then what must hold.
pub fn step(
    state: UsageState,
    event: UsageEvent,
    actor: Actor,
    facts: &UsageFacts,
) -> Result<UsageState, UsageRefusal> {
    let row = TABLE
        .iter()
        .find(|row| row.event == event && row.from.contains(&state))
        .ok_or(UsageRefusal::WrongState(state))?;
    // With sites only the primary license administrator speaks for the whole, and without sites there are no parts.
    let for_the_whole = event == UsageEvent::Submit && facts.has_sites && actor == FullAccess;
    let parts = matches!(event, UsageEvent::SubmitPart | UsageEvent::ReturnPart);
    if !row.by.contains(&actor) || for_the_whole {
        return Err(UsageRefusal::WrongActor);
    }
    if parts && !facts.has_sites {
        return Err(UsageRefusal::WrongState(state));
    }
    check(row.guard, facts)?;
    Ok(match row.to {
        Target::State(to) => to,
        Target::Review if facts.has_sites => PendingSiteReview,
        Target::Parts if facts.parts_outstanding > 0 => PendingSiteReview,
        Target::Review | Target::Parts => PendingProviderReview,
    })
}

fn check(guard: Guard, facts: &UsageFacts) -> Result<(), UsageRefusal> {
    let unflagged = || match facts.flagged {
        0 => Ok(()),
        flagged => Err(UsageRefusal::Blocked(vec![Blocker::Flagged(flagged)])),
    };
    let complete = || match facts.blockers() {
        blockers if blockers.is_empty() => Ok(()),
        blockers => Err(UsageRefusal::Blocked(blockers)),
    };
    let reason = || if facts.reason_given { Ok(()) } else { Err(UsageRefusal::ReasonMissing) };
    let foreign = || if facts.own_submission { Err(UsageRefusal::OwnSubmission) } else { Ok(()) };
    let consent = || if facts.vendor_consent_missing { Err(UsageRefusal::VendorConsentMissing) } else { Ok(()) };
    let first = || match (facts.two_people, facts.first_approval) {
        (true, FirstApproval::Missing) => Ok(()),
        (true, _) => Err(UsageRefusal::SecondPersonMissing),
        (false, _) => Err(UsageRefusal::WrongState(PendingDistributorReview)),
    };
    let second = || match (facts.two_people, facts.first_approval) {
        (false, _) | (true, FirstApproval::Others) => Ok(()),
        (true, FirstApproval::Own) => Err(UsageRefusal::SecondPersonMissing),
        (true, FirstApproval::Missing) => Err(UsageRefusal::TwoPeopleWanted),
    };
    let alone = || if facts.two_people { Err(UsageRefusal::TwoPeopleWanted) } else { Ok(()) };
    match guard {
        Guard::Always => Ok(()),
        Guard::Collected if facts.auto_send_day_over || facts.awaited == 0 => Ok(()),
        Guard::Collected => Err(UsageRefusal::Blocked(vec![Blocker::Awaited(facts.awaited)])),
        Guard::Complete => complete(),
        Guard::CompleteUnflagged => complete().and_then(|()| unflagged()),
        Guard::Reason => reason(),
        Guard::ApprovableFirst => foreign().and_then(|()| consent()).and_then(|()| first()),
        Guard::Approvable => foreign().and_then(|()| consent()).and_then(|()| second()),
        Guard::ApprovableUnflagged => consent().and_then(|()| alone()).and_then(|()| unflagged()),
        Guard::Rejectable => foreign().and_then(|()| reason()),
    }
}

/// The events that exist in a state, for a page's buttons.
pub fn events_in(state: UsageState) -> impl Iterator<Item = UsageEvent> {
    TABLE.iter().filter(move |row| row.from.contains(&state)).map(|row| row.event)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Points,
        cycle::{approval, takes_two},
        roles::{Action, OrgKind, Role},
    };

    const NONE: UsageFacts = UsageFacts {
        has_sites: false,
        parts_outstanding: 0,
        auto_send_day_over: false,
        awaited: 0,
        missing: 0,
        cloned: 0,
        unmapped: 0,
        unconfirmed: 0,
        flagged: 0,
        reason_given: false,
        own_submission: false,
        vendor_consent_missing: false,
        two_people: false,
        first_approval: FirstApproval::Missing,
    };
    const REASON: UsageFacts = UsageFacts { reason_given: true, ..NONE };
    const SITES: UsageFacts = UsageFacts { has_sites: true, ..NONE };

    type Case = (UsageState, UsageEvent, Actor, UsageFacts, Result<UsageState, UsageRefusal>);

    #[test]
    fn the_table_of_the_program() {
        use UsageEvent as E;
        let blocked = |blocker| Err(UsageRefusal::Blocked(vec![blocker]));
        let one_awaited = UsageFacts { awaited: 1, ..NONE };
        let table: [Case; 30] = [
            (Collecting, E::CollectingOver, Server, NONE, Ok(PendingProviderReview)),
            (Collecting, E::CollectingOver, Server, SITES, Ok(PendingSiteReview)),
            (Collecting, E::CollectingOver, Server, one_awaited, blocked(Blocker::Awaited(1))),
            (
                Collecting,
                E::CollectingOver,
                Server,
                UsageFacts { auto_send_day_over: true, ..one_awaited },
                Ok(PendingProviderReview),
            ),
            (Collecting, E::StartReview, FullAccess, one_awaited, Ok(PendingProviderReview)),
            (Collecting, E::StartReview, Distributor, NONE, Err(UsageRefusal::WrongActor)),
            (Collecting, E::Submit, FullAccess, NONE, Err(UsageRefusal::WrongState(Collecting))),
            (
                PendingSiteReview,
                E::SubmitPart,
                LocationUsageAdministrator,
                UsageFacts { parts_outstanding: 1, ..SITES },
                Ok(PendingSiteReview),
            ),
            (PendingSiteReview, E::SubmitPart, LocationUsageAdministrator, SITES, Ok(PendingProviderReview)),
            (
                PendingSiteReview,
                E::Submit,
                PrimaryLicenseAdministrator,
                SITES,
                Err(UsageRefusal::WrongState(PendingSiteReview)),
            ),
            (PendingSiteReview, E::ReturnPart, PrimaryLicenseAdministrator, SITES, Err(UsageRefusal::ReasonMissing)),
            (
                PendingProviderReview,
                E::ReturnPart,
                PrimaryLicenseAdministrator,
                UsageFacts { has_sites: true, ..REASON },
                Ok(PendingSiteReview),
            ),
            (PendingProviderReview, E::Submit, FullAccess, NONE, Ok(PendingDistributorReview)),
            (PendingProviderReview, E::Submit, PrimaryLicenseAdministrator, NONE, Ok(PendingDistributorReview)),
            (PendingProviderReview, E::Submit, FullAccess, SITES, Err(UsageRefusal::WrongActor)),
            (PendingProviderReview, E::Submit, PrimaryLicenseAdministrator, SITES, Ok(PendingDistributorReview)),
            (PendingProviderReview, E::Submit, LocationUsageAdministrator, SITES, Err(UsageRefusal::WrongActor)),
            (PendingProviderReview, E::Submit, FullAccess, one_awaited, blocked(Blocker::Awaited(1))),
            (
                PendingProviderReview,
                E::Submit,
                FullAccess,
                UsageFacts { missing: 2, ..NONE },
                blocked(Blocker::Missing(2)),
            ),
            (
                PendingProviderReview,
                E::Submit,
                FullAccess,
                UsageFacts { cloned: 1, ..NONE },
                blocked(Blocker::Cloned(1)),
            ),
            (
                PendingProviderReview,
                E::Submit,
                FullAccess,
                UsageFacts { unmapped: 1, ..NONE },
                blocked(Blocker::Unmapped(1)),
            ),
            (
                PendingProviderReview,
                E::Submit,
                FullAccess,
                UsageFacts { flagged: 1, ..NONE },
                Ok(PendingDistributorReview),
            ),
            (
                PendingProviderReview,
                E::AutoSubmit,
                Server,
                UsageFacts { flagged: 1, ..NONE },
                blocked(Blocker::Flagged(1)),
            ),
            (PendingDistributorReview, E::Approve, Distributor, NONE, Ok(Closed)),
            (
                PendingDistributorReview,
                E::Approve,
                Distributor,
                UsageFacts { own_submission: true, ..NONE },
                Err(UsageRefusal::OwnSubmission),
            ),
            (
                PendingDistributorReview,
                E::ApproveByRule,
                Server,
                UsageFacts { flagged: 1, ..NONE },
                blocked(Blocker::Flagged(1)),
            ),
            (PendingDistributorReview, E::Reject, Distributor, NONE, Err(UsageRefusal::ReasonMissing)),
            (PendingDistributorReview, E::Reject, Distributor, REASON, Ok(Rejected)),
            (Rejected, E::Submit, FullAccess, NONE, Ok(PendingDistributorReview)),
            (Rejected, E::AutoSubmit, Server, NONE, Err(UsageRefusal::WrongState(Rejected))),
        ];
        for (from, event, actor, facts, expected) in table {
            assert_eq!(step(from, event, actor, &facts), expected, "{from:?} {event:?} {actor:?} {facts:?}");
        }
    }

    #[test]
    fn the_vendor_closes_any_but_closed() {
        for state in UsageState::ALL {
            let expected = if state == Closed { Err(UsageRefusal::WrongState(Closed)) } else { Ok(Closed) };
            assert_eq!(step(state, UsageEvent::Close, Vendor, &REASON), expected);
        }
        let silent = step(Collecting, UsageEvent::Close, Vendor, &NONE);
        assert_eq!(silent, Err(UsageRefusal::ReasonMissing));
        assert_eq!(step(Collecting, UsageEvent::Close, Distributor, &REASON), Err(UsageRefusal::WrongActor));
    }

    #[test]
    fn a_lowered_total_waits_for_the_vendor() {
        let facts = UsageFacts { vendor_consent_missing: true, ..NONE };
        for (event, actor) in [(UsageEvent::Approve, Distributor), (UsageEvent::ApproveByRule, Server)] {
            let refused = step(PendingDistributorReview, event, actor, &facts);
            assert_eq!(refused, Err(UsageRefusal::VendorConsentMissing));
        }
        let sentence = UsageRefusal::Blocked(UsageFacts { awaited: 1, missing: 2, ..NONE }.blockers()).to_string();
        assert_eq!(sentence, "1 installation is still awaited; 2 installations are missing");
    }

    #[test]
    fn many_points_take_two_different_people_and_never_the_rule() {
        use FirstApproval::{Missing, Others, Own};
        let facts = |first_approval| UsageFacts { two_people: true, first_approval, ..NONE };
        let by = |event, actor, first| step(PendingDistributorReview, event, actor, &facts(first));
        let (first, last) = (UsageEvent::ApproveFirst, UsageEvent::Approve);
        for (event, approved, expected) in [
            (first, Missing, Ok(PendingDistributorReview)),
            (last, Missing, Err(UsageRefusal::TwoPeopleWanted)),
            (first, Own, Err(UsageRefusal::SecondPersonMissing)),
            (last, Own, Err(UsageRefusal::SecondPersonMissing)),
            (last, Others, Ok(Closed)),
        ] {
            assert_eq!(by(event, Distributor, approved), expected, "{event:?} after {approved:?}");
        }
        for approved in [Missing, Own, Others] {
            assert_eq!(by(UsageEvent::ApproveByRule, Server, approved), Err(UsageRefusal::TwoPeopleWanted));
        }
        assert_eq!([Missing, Own, Others].map(|one| approval(&facts(one))), [first, last, last]);
        assert_eq!(approval(&NONE), last);
        let wrong = step(PendingDistributorReview, first, Distributor, &NONE);
        assert_eq!(wrong, Err(UsageRefusal::WrongState(PendingDistributorReview)), "one person is enough");
        let above = Some(Points::whole(500));
        assert!(takes_two(Points::from_milli(500_001), above) && !takes_two(Points::whole(500), above));
        assert!(!takes_two(Points::whole(500), None));
    }

    #[test]
    fn who_moves_it_agrees_with_what_roles_may() {
        for role in Role::ALL.iter().copied() {
            for (kind, has_sites) in [OrgKind::Vendor, OrgKind::Distributor, OrgKind::Provider]
                .into_iter()
                .flat_map(|kind| [(kind, false), (kind, true)])
            {
                if role.org_kind().is_some_and(|own| own != kind) {
                    continue;
                }
                let facts = UsageFacts { has_sites, reason_given: true, ..NONE };
                let moves = |state, event| {
                    Actor::of(role, kind, false).is_some_and(|actor| step(state, event, actor, &facts).is_ok())
                };
                let table = [
                    (Action::SubmitUsage, PendingProviderReview, UsageEvent::Submit),
                    (Action::DecideUsage, PendingDistributorReview, UsageEvent::Approve),
                    (Action::DecideUsage, PendingDistributorReview, UsageEvent::Reject),
                    (Action::OverrideUsage, PendingDistributorReview, UsageEvent::Close),
                ];
                for (action, state, event) in table {
                    assert_eq!(moves(state, event), role.may(action, kind, has_sites), "{role:?} {kind:?} {event:?}");
                }
            }
        }
    }
}
