//! The monthly usage's states and who moves it ("The monthly cycle").
//!
//! One [`TABLE`] holds every transition; whatever is not in it is refused. No row leaves [`UsageState::Closed`].

use serde::{Deserialize, Serialize};

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
    pub const ALL: [Self; 10] = [
        Self::CollectingOver,
        Self::StartReview,
        Self::SubmitPart,
        Self::ReturnPart,
        Self::Submit,
        Self::AutoSubmit,
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

/// What stands against a submission; each names how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "kind", content = "count", rename_all = "snake_case")]
pub enum Blocker {
    /// Installations whose report may still come.
    #[error("{0} installation(s) are still awaited")]
    Awaited(u32),
    /// Installations that sent none; a person answers each, zero in one click.
    #[error("{0} installation(s) are missing")]
    Missing(u32),
    /// Clones that nobody answered for.
    #[error("{0} cloned installation(s) are unanswered")]
    Cloned(u32),
    /// Lines whose code the catalog does not know.
    #[error("{0} line(s) are unmapped")]
    Unmapped(u32),
    /// Adjustments made on an older revision of a report.
    #[error("{0} adjustment(s) must be confirmed against a newer report")]
    Unconfirmed(u32),
    /// Flagged lines; they stop only what happens without a person.
    #[error("{0} line(s) are flagged")]
    Flagged(u32),
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
}

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
    /// Not one's own submission, and the vendor agreed where that is needed.
    Approvable,
    /// Approvable and unflagged.
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
    match guard {
        Guard::Always => Ok(()),
        Guard::Collected if facts.auto_send_day_over || facts.awaited == 0 => Ok(()),
        Guard::Collected => Err(UsageRefusal::Blocked(vec![Blocker::Awaited(facts.awaited)])),
        Guard::Complete => complete(),
        Guard::CompleteUnflagged => complete().and_then(|()| unflagged()),
        Guard::Reason => reason(),
        Guard::Approvable => foreign().and_then(|()| consent()),
        Guard::ApprovableUnflagged => consent().and_then(|()| unflagged()),
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
        assert_eq!(sentence, "1 installation(s) are still awaited; 2 installation(s) are missing");
    }
}
