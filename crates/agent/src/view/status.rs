//! How the license stands, in a word that follows the dates and a sentence that names the cause ("Validity", states).

use serde::Serialize;
use tenure_core::{
    Day, InstallationId, LicenseId, Period, Timestamp,
    update::UpdateResult,
    validity::{LicenseState, state_at},
};
use tenure_license::{KeyRole, Outcome, ReportStage, RootWarning};

use super::{MonthUsage, View};
use crate::{documents::Document, state::LogWitness};

/// A server that has been silent for longer than the longest pause between check-ins is worth a word.
const SILENCE_DAYS: i64 = 8;

/// How an installation stands. As JSON its fields are stable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    /// The word: `Valid`, `Expiring`, `Expired (N days of grace remaining)`, `Restricted` or `NotActivated`.
    pub state: String,
    /// The same without its number.
    pub standing: Standing,
    /// Whole days of grace left, rounded up; only after the license's end.
    pub days_of_grace: Option<u32>,
    /// Why it is so and what to do, in one sentence.
    pub sentence: String,
    /// End of validity.
    pub expires_at: Option<Timestamp>,
    /// When it becomes restricted.
    pub restricted_at: Option<Timestamp>,
    /// The license.
    pub license: Option<LicenseId>,
    /// Epoch of the license file.
    pub epoch: Option<u64>,
    /// Serial of the license file.
    pub serial: Option<u64>,
    /// This installation.
    pub installation: Option<InstallationId>,
    /// The trust root that signatures are judged by.
    pub trust_root: TrustRootStatus,
    /// Until when a continuity note lets the license run, while it acts.
    pub continued_until: Option<Timestamp>,
    /// Company or provider that holds the license.
    pub holder: Option<String>,
    /// Product, edition and version.
    pub product: Option<String>,
    /// Whether reported usage extends the license.
    pub automatic_reporting: Option<bool>,
    /// Whether new licenses are installed by themselves.
    pub automatic_update: bool,
    /// Last month of the unbroken run of reported ones, as the license says.
    pub reported_through: Option<Period>,
    /// When the server last gave an answer that proves itself.
    pub last_contact: Option<Timestamp>,
    /// What its license update came to.
    pub last_result: Option<UpdateResult>,
    /// Why the server was not reached, or what else went wrong last.
    pub last_error: Option<String>,
    /// Why counting does not go on.
    pub collector_error: Option<String>,
    /// When the server is asked next.
    pub next_check_in: Option<Timestamp>,
    /// When the agent does anything next. Later than `as_of` once everything due has been done.
    pub next_wake: Option<Timestamp>,
    /// The time this was judged at.
    pub as_of: Timestamp,
    /// That time rests on an answer of the server, not on the machine's clock.
    pub time_is_authenticated: bool,
    /// Documents that wait for their receipt.
    pub unsent_documents: u32,
    /// The newest counted day.
    pub counted_through: Option<Day>,
    /// The newest checkpoint of the server's log that it named; `tenure audit verify --checkpoint` takes this as a witness.
    pub checkpoint: Option<LogWitness>,
    /// The reports of the last months, newest first.
    pub reports: Vec<ReportStatus>,
    /// The running month.
    pub current_month: Option<MonthUsage>,
}

/// The trust root held. Nothing here stops the product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TrustRootStatus {
    /// Its version.
    pub version: u64,
    /// What the vendor should attend to.
    pub warnings: Vec<String>,
    /// Why the one offered last was refused; the one held was kept.
    pub refused: Option<String>,
}

/// The status word without its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// There is no license yet.
    NotActivated,
    /// More than 30 days are left.
    Valid,
    /// The end is near.
    Expiring,
    /// Past its end, with full function.
    Expired,
    /// Nothing new is protected.
    Restricted,
}

/// How far the report of a month is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReportStatus {
    /// The month.
    pub period: Period,
    /// Newest revision.
    pub revision: u32,
    /// Preliminary or final.
    pub stage: ReportStage,
    /// When the server received it.
    pub received_at: Option<Timestamp>,
    /// What the server made of it.
    pub outcome: Option<Outcome>,
    /// When it becomes final by itself, while it is preliminary.
    pub final_at: Option<Timestamp>,
    /// A person put the question off until then.
    pub postponed_until: Option<Timestamp>,
}

impl View<'_> {
    /// How the installation stands.
    pub(crate) fn status(&self) -> Status {
        let state = self.license_state();
        let held = self.state.license.as_ref();
        let contact = &self.state.contact;
        let plan = self.plan();
        let end = self.license_end().map(Timestamp::from_secs);
        let failure = contact.failure.as_ref().map(|failure| failure.sentence.clone());
        Status {
            state: state.map_or_else(|| "NotActivated".to_owned(), |state| state.to_string()),
            standing: standing(state),
            days_of_grace: match state {
                Some(LicenseState::Expired { grace_days_remaining }) => Some(grace_days_remaining),
                Some(LicenseState::Restricted) => Some(0),
                _ => None,
            },
            sentence: self.sentence(state),
            expires_at: end,
            restricted_at: held.zip(end).map(|(held, end)| end.plus_days(i64::from(held.license.grace_days))),
            license: held.map(|held| held.reference.id),
            epoch: held.map(|held| held.reference.epoch),
            serial: held.map(|held| held.reference.serial),
            installation: self.state.joined.as_ref().map(|joined| joined.ins),
            trust_root: self.trust_root(),
            continued_until: self.continued_until(),
            holder: held.map(|held| {
                held.license.company.as_ref().map_or(&held.license.provider.name, |company| &company.name).clone()
            }),
            product: held.map(|held| {
                let product = &held.license.product;
                [&product.name, &product.edition, &product.version].map(String::as_str).join(" ").trim().to_owned()
            }),
            automatic_reporting: held.map(|held| held.license.automatic_reporting),
            automatic_update: self.updates_itself(),
            reported_through: held.and_then(|held| held.license.reported_through),
            last_contact: contact.last_answer_at,
            last_result: contact.last_result,
            last_error: failure.or_else(|| contact.license_refused.clone()),
            collector_error: self.state.collect_failure.as_ref().map(|failure| failure.sentence.clone()),
            next_check_in: plan.contact.map(|at| at.max(self.now.at)),
            next_wake: plan.next(),
            as_of: self.now.at,
            time_is_authenticated: self.now.authenticated,
            unsent_documents: self.state.documents.iter().filter(|document| document.unsent()).count() as u32,
            counted_through: self.state.ledger.head.as_ref().map(|head| head.day),
            checkpoint: self.state.chain.witness.clone(),
            reports: self.reports(),
            current_month: self.state.joined.as_ref().map(|_| self.usage(Period::of(self.now.at))),
        }
    }

    /// The license's state at the instant it is judged at.
    pub(crate) fn license_state(&self) -> Option<LicenseState> {
        let license = &self.state.license.as_ref()?.license;
        let end = Timestamp::from_secs(self.license_end()?);
        Some(state_at(self.judged_at(), end, license.grace_days, self.policy))
    }

    fn trust_root(&self) -> TrustRootStatus {
        let warning = |warning| match warning {
            RootWarning::RenewBy(at) => {
                format!("the trust root was to be renewed by {}", when(Timestamp::from_secs(at)))
            }
            RootWarning::NoKeyInUse(KeyRole::License) => "no license key is in use any more".to_owned(),
            RootWarning::NoKeyInUse(KeyRole::Receipt) => "no receipt key is in use any more".to_owned(),
            RootWarning::NoKeyInUse(_) => "no root key is in use any more".to_owned(),
        };
        TrustRootStatus {
            version: self.root.version(),
            warnings: self.root.warnings(self.now.at.as_secs()).into_iter().map(warning).collect(),
            refused: self.state.root_refused.clone(),
        }
    }

    fn reports(&self) -> Vec<ReportStatus> {
        let newest_first = self.state.documents.reported().rev().take(13);
        newest_first
            .map(|(period, report)| {
                let receipt = self.state.documents.get(&report.hash).and_then(|document| document.receipt.as_ref());
                let decisions = self.state.documents.decisions(period);
                ReportStatus {
                    period,
                    revision: report.revision,
                    stage: report.stage,
                    received_at: receipt.map(|receipt| Timestamp::from_secs(receipt.received_at)),
                    outcome: receipt.map(|receipt| receipt.outcome),
                    final_at: (report.stage == ReportStage::Preliminary).then(|| self.final_at(period)),
                    postponed_until: decisions.and_then(|decisions| decisions.postponed_until),
                }
            })
            .collect()
    }

    /// The most telling cause, worst first. What the server said of the license comes before its silence, silence before
    /// a month that is missing.
    fn sentence(&self, state: Option<LicenseState>) -> String {
        let Some(state) = state else { return self.sentence_before_activation() };
        let cause = self
            .continued()
            .or_else(|| self.doubted())
            .or_else(|| self.said_by_the_server())
            .or_else(|| self.silence(state))
            .or_else(|| self.refused_license())
            .or_else(|| self.refused_root())
            .or_else(|| self.refused_report())
            .or_else(|| self.missing_month())
            .or_else(|| self.failing_collector());
        match cause {
            Some(cause) => format!("{}{cause}", self.consequence(state)),
            None => self.all_is_well(state),
        }
    }

    fn sentence_before_activation(&self) -> String {
        match (&self.state.activation_request, &self.state.contact.failure) {
            (None, _) => "There is no license yet: activate with a code or an activation file.".to_owned(),
            (Some(_), None) => "The activation is under way.".to_owned(),
            (Some(_), Some(failure)) => {
                format!("The activation was not answered at {}: {}.", when(failure.at), trimmed(&failure.sentence))
            }
        }
    }

    /// What the state means, when it already limits something.
    fn consequence(&self, state: LicenseState) -> String {
        let end = self.license_end().map(Timestamp::from_secs);
        match (state, end) {
            (LicenseState::Restricted, Some(end)) => {
                format!(
                    "The license ended at {} and its grace is over: existing data stays readable, nothing new is protected. ",
                    when(end)
                )
            }
            (LicenseState::Expired { .. }, Some(end)) => {
                format!("The license ended at {}; everything still works. ", when(end))
            }
            _ => String::new(),
        }
    }

    fn all_is_well(&self, state: LicenseState) -> String {
        let held = self.state.license.as_ref();
        let end = self.license_end().map_or_else(String::new, |end| when(Timestamp::from_secs(end)));
        let by_itself = held.is_some_and(|held| held.license.automatic_reporting);
        match (state, by_itself) {
            (LicenseState::Valid, _) => format!("The license is valid until {end}."),
            (LicenseState::Expiring { .. }, true) => {
                format!("The license ends at {end}; the next reported month extends it.")
            }
            (LicenseState::Expiring { .. }, false) => {
                format!(
                    "The license ends at {end} and is not extended by itself: ask your license administrator for a new file."
                )
            }
            _ => format!("{}Ask your license administrator for a new one.", self.consequence(state)),
        }
    }

    fn continued(&self) -> Option<String> {
        let until = self.continued_until()?;
        let since = self.state.contact.last_answer_at?;
        Some(format!(
            "The vendor's continuity note keeps the license in force until {}, because its server has not answered since {}.",
            when(until),
            when(since)
        ))
    }

    /// Two trust roots of one version, or one that nobody signed: somebody should look, and the one held stands (R1).
    fn refused_root(&self) -> Option<String> {
        let why = self.state.root_refused.as_ref()?;
        Some(format!("A trust root that was offered is not accepted: {}. The one held stays.", trimmed(why)))
    }

    fn doubted(&self) -> Option<String> {
        let doubt = self.doubt?;
        Some(format!("The license held does not prove itself any more ({doubt}); the server is asked for another one."))
    }

    fn said_by_the_server(&self) -> Option<String> {
        let result = self.state.contact.last_result?;
        (!result.is_good()).then(|| result.sentence().to_owned())
    }

    fn silence(&self, state: LicenseState) -> Option<String> {
        let contact = &self.state.contact;
        let failure = contact.failure.as_ref()?;
        let since = contact.last_answer_at?;
        let days = if state == LicenseState::Valid { SILENCE_DAYS } else { 1 };
        (failure.at.micros_since(since) > days * 86_400_000_000).then(|| {
            format!(
                "The license update server has not answered since {} ({}). Usage is counted and its reports are kept; \
                 they go out when it answers.",
                when(since),
                trimmed(&failure.sentence)
            )
        })
    }

    fn refused_license(&self) -> Option<String> {
        let why = self.state.contact.license_refused.as_ref()?;
        Some(format!("The newest license was not installed: {}.", trimmed(why)))
    }

    /// A report that the server holds and does not count, or does not hold and never will.
    fn refused_report(&self) -> Option<String> {
        let (period, document) = self.state.documents.reported().rev().find_map(|(period, report)| {
            let document = self.state.documents.get(&report.hash)?;
            (period >= self.missing_from()?).then_some((period, document))
        })?;
        let outcome = document.refused.or(document.receipt.as_ref().map(|receipt| receipt.outcome))?;
        match outcome {
            Outcome::Conflict => Some(format!(
                "The server holds another report of {period} from this installation; a person has to settle it in the portal."
            )),
            Outcome::NotCounted => Some(format!(
                "The report of {period} is held and not counted, because two machines speak as this installation."
            )),
            Outcome::TooOld | Outcome::Invalid => {
                Some(format!("The server refused the report of {period}; answer its line in the portal."))
            }
            _ => None,
        }
    }

    /// The first month that stops the license's run of reported ones.
    fn missing_from(&self) -> Option<Period> {
        let license = &self.state.license.as_ref()?.license;
        let anchor = license.anchor.filter(|_| license.automatic_reporting)?;
        Some(license.reported_through.map_or(Period::of(Timestamp::from_secs(anchor)), Period::next))
    }

    /// A month that should have been reported by now and does not count yet.
    fn missing_month(&self) -> Option<String> {
        let month = self.missing_from()?;
        let due = month.deadline(self.policy.auto_send_day);
        if self.now.at < due {
            return None;
        }
        let made = self.state.documents.report(month).filter(|report| report.stage == ReportStage::Final);
        let document: Option<&Document> = made.and_then(|report| self.state.documents.get(&report.hash));
        let receipt = document.and_then(|document| document.receipt.as_ref());
        Some(match (receipt, document) {
            (Some(receipt), _) => format!(
                "The month {month} was reported by this server at {} and does not count yet: \
                 it was not submitted, or waits for a review in the portal.",
                when(Timestamp::from_secs(receipt.received_at))
            ),
            (None, Some(_)) => {
                format!("The month {month} was not reported: its report has not reached the server yet.")
            }
            (None, None) if self.state.ledger.observed(month) => {
                format!("The month {month} was not reported yet.")
            }
            (None, None) => format!(
                "The month {month} does not count yet: no day of it was counted here. It counts once the provider submits it \
                 in the portal, with an answer for this server if it was in use then."
            ),
        })
    }

    fn failing_collector(&self) -> Option<String> {
        let failure = self.state.collect_failure.as_ref()?;
        Some(format!("Counting has failed since {}: {}.", when(failure.since), trimmed(&failure.sentence)))
    }
}

fn standing(state: Option<LicenseState>) -> Standing {
    match state {
        None => Standing::NotActivated,
        Some(LicenseState::Valid) => Standing::Valid,
        Some(LicenseState::Expiring { .. }) => Standing::Expiring,
        Some(LicenseState::Expired { .. }) => Standing::Expired,
        Some(LicenseState::Restricted) => Standing::Restricted,
    }
}

/// An instant as people read it.
fn when(at: Timestamp) -> String {
    let text = at.to_string();
    match text.split_once('T') {
        Some((date, time)) => format!("{date} {} UTC", &time[..time.len().min(5)]),
        None => text,
    }
}

/// A sentence that goes into another one.
fn trimmed(sentence: &str) -> &str {
    sentence.trim_end_matches(['.', ' '])
}
