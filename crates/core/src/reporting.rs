//! Whether a license is extended by reported usage, and how that is switched ("Automatic reporting").

use serde::{Deserialize, Serialize};

use crate::{AgreementKind, InstallationId, LicenseSerial, Period, Timestamp, UsageType};

/// Whether a license reports automatically. The names are those of the console API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum AutomaticReporting {
    /// Usage is reported by hand; the license carries an explicit expiration date.
    Off,
    /// Asked for; not every active installation has shown the new license yet.
    SwitchingToOn,
    /// The product reports, the license is extended.
    On,
    /// Asked to stop; not every active installation has shown the new license yet.
    SwitchingToOff,
    /// Under a `no_commit` agreement it cannot be turned off and needs no enrollment.
    AlwaysOn,
    /// A `multi_customer` license cannot report automatically; this wins over `AlwaysOn`.
    AlwaysOff,
}

impl AutomaticReporting {
    /// All states.
    pub const ALL: [Self; 6] =
        [Self::Off, Self::SwitchingToOn, Self::On, Self::SwitchingToOff, Self::AlwaysOn, Self::AlwaysOff];

    /// Whether the license's validity follows from reported periods: from the switch to SwitchingToOn until the switch
    /// to SwitchingToOff.
    pub const fn extends(self) -> bool {
        matches!(self, Self::SwitchingToOn | Self::On | Self::AlwaysOn)
    }
    /// Whether its usage is reported by hand. Until a switch is complete the usage is reported as before.
    pub const fn is_by_hand(self) -> bool {
        matches!(self, Self::Off | Self::SwitchingToOn | Self::AlwaysOff)
    }
    /// Whether it waits for installations.
    pub const fn is_switching(self) -> bool {
        matches!(self, Self::SwitchingToOn | Self::SwitchingToOff)
    }
    /// The name as stored, sent and shown.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "Off",
            Self::SwitchingToOn => "SwitchingToOn",
            Self::On => "On",
            Self::SwitchingToOff => "SwitchingToOff",
            Self::AlwaysOn => "AlwaysOn",
            Self::AlwaysOff => "AlwaysOff",
        }
    }
    /// The state of a stored name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// Whether the vendor let a provider report automatically ("Automatic reporting").
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Enrollment {
    /// Never asked for.
    #[default]
    NotRequested,
    /// Asked for; the vendor has not decided.
    Requested,
    /// Approved.
    Active,
    /// Declined; it can be asked for again.
    Declined {
        /// The vendor's reason, as the provider reads it.
        reason: String,
    },
}

/// Why an enrollment was not moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EnrollmentRefusal {
    /// The requirements were not confirmed.
    #[error("the requirements must be confirmed")]
    NotConfirmed,
    /// It was asked for already.
    #[error("automatic reporting was already requested")]
    AlreadyRequested,
    /// It is active already.
    #[error("automatic reporting is already active")]
    AlreadyActive,
    /// There is no request to decide on.
    #[error("there is no open request")]
    NotRequested,
    /// Declining needs a reason.
    #[error("a reason is required")]
    ReasonMissing,
}

impl Enrollment {
    /// The provider asks, confirming the requirements ("Automatic reporting").
    ///
    /// # Errors
    /// When the requirements are not confirmed, or a request is open or granted.
    pub fn request(&self, requirements_confirmed: bool) -> Result<Self, EnrollmentRefusal> {
        match self {
            Self::Requested => Err(EnrollmentRefusal::AlreadyRequested),
            Self::Active => Err(EnrollmentRefusal::AlreadyActive),
            _ if !requirements_confirmed => Err(EnrollmentRefusal::NotConfirmed),
            Self::NotRequested | Self::Declined { .. } => Ok(Self::Requested),
        }
    }
    /// The provider takes its open request back.
    ///
    /// # Errors
    /// Without an open request.
    pub fn withdraw(&self) -> Result<Self, EnrollmentRefusal> {
        if *self == Self::Requested { Ok(Self::NotRequested) } else { Err(EnrollmentRefusal::NotRequested) }
    }
    /// The vendor approves ("Automatic reporting").
    ///
    /// # Errors
    /// Without an open request.
    pub fn approve(&self) -> Result<Self, EnrollmentRefusal> {
        if *self == Self::Requested { Ok(Self::Active) } else { Err(EnrollmentRefusal::NotRequested) }
    }
    /// The vendor declines with a reason ("Automatic reporting").
    ///
    /// # Errors
    /// Without an open request or without a reason.
    pub fn decline(&self, reason: &str) -> Result<Self, EnrollmentRefusal> {
        match self {
            Self::Requested if reason.trim().is_empty() => Err(EnrollmentRefusal::ReasonMissing),
            Self::Requested => Ok(Self::Declined { reason: reason.trim().to_owned() }),
            _ => Err(EnrollmentRefusal::NotRequested),
        }
    }
}

/// Why the toggle cannot be set. The sentence is what the page says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ToggleRefusal {
    /// The license serves many customers.
    #[error("a license for many customers cannot report automatically; submit its usage by hand")]
    MultiCustomer,
    /// The agreement has no commitment.
    #[error("under an agreement without commitment automatic reporting is always on")]
    NoCommit,
    /// The provider did not ask yet.
    #[error("automatic reporting is not requested yet; request it, and submit usage by hand until it is active")]
    NotEnrolled,
    /// The vendor has not decided.
    #[error("the vendor has not decided on your request yet; submit usage by hand until it is active")]
    EnrollmentPending,
    /// The vendor declined.
    #[error("the vendor declined automatic reporting ({reason}); submit usage by hand")]
    EnrollmentDeclined {
        /// Why.
        reason: String,
    },
    /// The provider is suspended.
    #[error("the provider is suspended until a monthly usage is submitted")]
    Suspended,
}

/// What decides the toggle besides its state.
#[derive(Debug, Clone, Copy)]
pub struct ToggleFacts<'a> {
    /// Commitment of the license's agreement.
    pub agreement: AgreementKind,
    /// Who is served with the license.
    pub usage_type: UsageType,
    /// Whether the vendor let the provider.
    pub enrollment: &'a Enrollment,
    /// The provider is suspended.
    pub suspended: bool,
}

/// Why the toggle is off and cannot be set, or on and cannot be unset; `None` when a person may set it ("Automatic
/// reporting").
pub fn toggle_refusal(facts: &ToggleFacts<'_>) -> Option<ToggleRefusal> {
    if facts.usage_type == UsageType::MultiCustomer {
        return Some(ToggleRefusal::MultiCustomer);
    }
    if facts.agreement == AgreementKind::NoCommit {
        return Some(ToggleRefusal::NoCommit);
    }
    match facts.enrollment {
        Enrollment::NotRequested => Some(ToggleRefusal::NotEnrolled),
        Enrollment::Requested => Some(ToggleRefusal::EnrollmentPending),
        Enrollment::Declined { reason } => Some(ToggleRefusal::EnrollmentDeclined { reason: reason.clone() }),
        Enrollment::Active if facts.suspended => Some(ToggleRefusal::Suspended),
        Enrollment::Active => None,
    }
}

/// The state of a newly created license ("Automatic reporting"). It has no installation, so what was asked for holds at
/// once. `wanted` is what the person set; it is ignored where the toggle is fixed.
///
/// # Errors
/// When `wanted` is on and may not be.
pub fn initial(wanted: bool, facts: &ToggleFacts<'_>) -> Result<AutomaticReporting, ToggleRefusal> {
    match toggle_refusal(facts) {
        Some(ToggleRefusal::MultiCustomer) => Ok(AutomaticReporting::AlwaysOff),
        Some(ToggleRefusal::NoCommit) => Ok(AutomaticReporting::AlwaysOn),
        Some(refusal) if wanted => Err(refusal),
        None if wanted => Ok(AutomaticReporting::On),
        Some(_) | None => Ok(AutomaticReporting::Off),
    }
}

/// The state after a person set the toggle, before anything completes; the state itself when it is already so
/// ("Automatic reporting"). Turning back halfway is allowed; it takes another license as any switch.
///
/// Turning off is refused only where the state is fixed or the provider suspended: who lost the enrollment must still
/// get out.
///
/// # Errors
/// Why the toggle cannot be set.
pub fn toggle(
    state: AutomaticReporting,
    on: bool,
    facts: &ToggleFacts<'_>,
) -> Result<AutomaticReporting, ToggleRefusal> {
    use AutomaticReporting::{AlwaysOff, AlwaysOn, Off, On, SwitchingToOff, SwitchingToOn};
    match (state, on) {
        (AlwaysOff, true) => Err(ToggleRefusal::MultiCustomer),
        (AlwaysOn, false) => Err(ToggleRefusal::NoCommit),
        (AlwaysOff | Off | SwitchingToOff, false) | (AlwaysOn | On | SwitchingToOn, true) => Ok(state),
        (Off | SwitchingToOff, true) => toggle_refusal(facts).map_or(Ok(SwitchingToOn), Err),
        (On | SwitchingToOn, false) if facts.suspended => Err(ToggleRefusal::Suspended),
        (On | SwitchingToOn, false) => Ok(SwitchingToOff),
    }
}

/// What an active installation of the license showed last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// The installation.
    pub installation: InstallationId,
    /// The newest license it has shown in a request; none before its first.
    pub serial: Option<LicenseSerial>,
    /// Whether its product installs new licenses by itself.
    pub automatic_update: bool,
}

/// How far a switch is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SwitchProgress {
    /// The state now: the final one when nothing is waited for.
    pub state: AutomaticReporting,
    /// The installations waited for, for the page to name, also those whose automatic update is off.
    pub waiting_for: Vec<Shown>,
}

/// Completes a switch when every active installation has shown the license of the switch or a newer one; with no
/// installation, at once ("Automatic reporting"). A state that is not switching is returned as it is.
pub fn progress(
    state: AutomaticReporting,
    switched_with: LicenseSerial,
    active: impl IntoIterator<Item = Shown>,
) -> SwitchProgress {
    let end = match state {
        AutomaticReporting::SwitchingToOn => AutomaticReporting::On,
        AutomaticReporting::SwitchingToOff => AutomaticReporting::Off,
        settled => return SwitchProgress { state: settled, waiting_for: Vec::new() },
    };
    let behind = |shown: &Shown| shown.serial.is_none_or(|serial| serial < switched_with);
    let waiting_for: Vec<Shown> = active.into_iter().filter(behind).collect();
    SwitchProgress { state: if waiting_for.is_empty() { end } else { state }, waiting_for }
}

/// The anchor of a license whose automatic reporting begins at `now`: its first one stays for ever, so that Off and On
/// again gains nothing ("Validity").
pub fn anchor(existing: Option<Timestamp>, now: Timestamp) -> Timestamp {
    existing.unwrap_or(now)
}

/// A month in which a product's figures are collected beside the manual one, before the switch ("Automatic reporting",
/// *Shadow month*).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShadowMonth {
    /// The whole period that is collected; the manual figure counts.
    pub period: Period,
}

/// Why a license gets no shadow month.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShadowRefusal {
    /// Its usage is not reported by hand.
    #[error("the products' own figures count already")]
    NotByHand,
    /// It could not be switched on afterwards.
    #[error(transparent)]
    Toggle(ToggleRefusal),
}

/// Whether a license may get a shadow month: its usage is reported by hand, and it could be switched on ("Automatic
/// reporting").
///
/// # Errors
/// Why not.
pub fn may_shadow(state: AutomaticReporting, facts: &ToggleFacts<'_>) -> Result<(), ShadowRefusal> {
    may_shadow_unless(state, toggle_refusal(facts))
}

/// The same where it is known already why the license could not be switched on.
///
/// # Errors
/// Why not.
pub fn may_shadow_unless(state: AutomaticReporting, toggle: Option<ToggleRefusal>) -> Result<(), ShadowRefusal> {
    match state {
        AutomaticReporting::Off => toggle.map_or(Ok(()), |refusal| Err(ShadowRefusal::Toggle(refusal))),
        AutomaticReporting::AlwaysOff => Err(ShadowRefusal::Toggle(ToggleRefusal::MultiCustomer)),
        _ => Err(ShadowRefusal::NotByHand),
    }
}

/// Where a shadow month stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShadowPhase {
    /// It has not begun.
    Ahead,
    /// Its figures are collected.
    Collecting,
    /// It is over: the license switches to SwitchingToOn now.
    Over,
}

impl ShadowMonth {
    /// The next whole period after the wish.
    pub fn after(wanted_at: Timestamp) -> Self {
        Self { period: Period::of(wanted_at).next() }
    }
    /// The 1st on which the license switches.
    pub fn switches_at(self) -> Timestamp {
        self.period.end()
    }
    /// Where it stands.
    pub fn phase(self, now: Timestamp) -> ShadowPhase {
        if now < self.period.start() {
            ShadowPhase::Ahead
        } else if now < self.switches_at() {
            ShadowPhase::Collecting
        } else {
            ShadowPhase::Over
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use AutomaticReporting::{AlwaysOff, AlwaysOn, Off, On, SwitchingToOff, SwitchingToOn};

    fn facts(enrollment: &Enrollment) -> ToggleFacts<'_> {
        ToggleFacts {
            agreement: AgreementKind::Volume,
            usage_type: UsageType::SingleCustomer,
            enrollment,
            suspended: false,
        }
    }

    #[test]
    fn the_toggle_says_why_it_cannot_be_set() {
        let declined = Enrollment::Declined { reason: "no agent".into() };
        let table = [
            (Enrollment::NotRequested, Some(ToggleRefusal::NotEnrolled)),
            (Enrollment::Requested, Some(ToggleRefusal::EnrollmentPending)),
            (declined, Some(ToggleRefusal::EnrollmentDeclined { reason: "no agent".into() })),
            (Enrollment::Active, None),
        ];
        for (enrollment, refusal) in table {
            assert_eq!(toggle_refusal(&facts(&enrollment)), refusal, "{enrollment:?}");
            assert_eq!(initial(false, &facts(&enrollment)), Ok(Off));
            assert_eq!(initial(true, &facts(&enrollment)), refusal.clone().map_or(Ok(On), Err));
            assert_eq!(toggle(Off, true, &facts(&enrollment)), refusal.map_or(Ok(SwitchingToOn), Err));
            assert_eq!(toggle(On, false, &facts(&enrollment)), Ok(SwitchingToOff), "the way out stays open");
        }
        let suspended = ToggleFacts { suspended: true, ..facts(&Enrollment::Active) };
        assert_eq!(toggle(Off, true, &suspended), Err(ToggleRefusal::Suspended));
        assert_eq!(toggle(On, false, &suspended), Err(ToggleRefusal::Suspended));
    }

    #[test]
    fn fixed_states_need_no_enrollment_and_multi_customer_wins() {
        let no_commit = ToggleFacts { agreement: AgreementKind::NoCommit, ..facts(&Enrollment::NotRequested) };
        assert_eq!(initial(false, &no_commit), Ok(AlwaysOn));
        assert_eq!(initial(true, &no_commit), Ok(AlwaysOn));
        assert_eq!(toggle(AlwaysOn, false, &no_commit), Err(ToggleRefusal::NoCommit));
        let many = ToggleFacts { usage_type: UsageType::MultiCustomer, ..no_commit };
        assert_eq!(initial(true, &many), Ok(AlwaysOff));
        assert_eq!(toggle(AlwaysOff, true, &many), Err(ToggleRefusal::MultiCustomer));
    }

    #[test]
    fn a_switch_waits_for_every_active_installation() {
        let serial = |serial| LicenseSerial { epoch: 1, serial };
        let shown = |n: u128, held, automatic_update| Shown {
            installation: InstallationId::from_uuid(uuid::Uuid::from_u128(n)),
            serial: held,
            automatic_update,
        };
        let (new, stale, silent) =
            (shown(1, Some(serial(5)), true), shown(2, Some(serial(4)), false), shown(3, None, true));
        let waiting = progress(SwitchingToOn, serial(5), [new, stale, silent]);
        assert_eq!(waiting, SwitchProgress { state: SwitchingToOn, waiting_for: vec![stale, silent] });
        let newer = shown(2, Some(LicenseSerial { epoch: 2, serial: 1 }), false);
        assert_eq!(progress(SwitchingToOn, serial(5), [new, newer]).state, On);
        assert_eq!(progress(SwitchingToOff, serial(5), [new]).state, Off);
        assert_eq!(progress(SwitchingToOn, serial(5), []).state, On, "with no installation, at once");
        assert_eq!(progress(Off, serial(5), [stale]), SwitchProgress { state: Off, waiting_for: vec![] });
        assert_eq!(toggle(SwitchingToOn, false, &facts(&Enrollment::Active)), Ok(SwitchingToOff));
        assert_eq!(toggle(SwitchingToOff, true, &facts(&Enrollment::Active)), Ok(SwitchingToOn));
    }

    #[test]
    fn enrollment_is_asked_for_and_decided() {
        let asked = Enrollment::NotRequested.request(true);
        assert_eq!(asked, Ok(Enrollment::Requested));
        assert_eq!(Enrollment::NotRequested.request(false), Err(EnrollmentRefusal::NotConfirmed));
        assert_eq!(Enrollment::Requested.request(true), Err(EnrollmentRefusal::AlreadyRequested));
        assert_eq!(Enrollment::Requested.withdraw(), Ok(Enrollment::NotRequested));
        assert_eq!(Enrollment::Active.withdraw(), Err(EnrollmentRefusal::NotRequested));
        assert_eq!(Enrollment::Requested.decline("  "), Err(EnrollmentRefusal::ReasonMissing));
        let declined = Enrollment::Requested.decline(" no agent ").expect("declined");
        assert_eq!(declined, Enrollment::Declined { reason: "no agent".into() });
        assert_eq!(declined.request(true), Ok(Enrollment::Requested));
        assert_eq!(declined.approve(), Err(EnrollmentRefusal::NotRequested));
        assert_eq!(Enrollment::Requested.approve(), Ok(Enrollment::Active));
    }

    #[test]
    fn a_shadow_month_is_a_whole_period() {
        let at = |text: &str| text.parse::<Timestamp>().expect("an instant");
        let shadow = ShadowMonth::after(at("2026-03-01T00:00:00Z"));
        assert_eq!(shadow.period.to_string(), "2026-04");
        assert_eq!(shadow.phase(at("2026-03-31T23:59:59Z")), ShadowPhase::Ahead);
        assert_eq!(shadow.phase(at("2026-04-01T00:00:00Z")), ShadowPhase::Collecting);
        assert_eq!(shadow.phase(at("2026-05-01T00:00:00Z")), ShadowPhase::Over);
        assert_eq!(anchor(Some(at("2026-01-05T00:00:00Z")), shadow.switches_at()), at("2026-01-05T00:00:00Z"));
        assert_eq!(anchor(None, shadow.switches_at()), at("2026-05-01T00:00:00Z"));
        let active = Enrollment::Active;
        assert_eq!(may_shadow(Off, &facts(&active)), Ok(()));
        assert_eq!(may_shadow(On, &facts(&active)), Err(ShadowRefusal::NotByHand));
        let refused = Err(ShadowRefusal::Toggle(ToggleRefusal::NotEnrolled));
        assert_eq!(may_shadow(Off, &facts(&Enrollment::NotRequested)), refused);
    }

    #[test]
    fn names_round_trip() {
        for state in AutomaticReporting::ALL {
            assert_eq!(AutomaticReporting::from_name(state.name()), Some(state));
            assert_eq!(serde_json::to_string(&state).expect("text"), format!("\"{}\"", state.name()));
        }
    }
}
