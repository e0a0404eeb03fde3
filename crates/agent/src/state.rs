//! What the journal comes to: the state of one installation, changed by records alone.

use serde::{Deserialize, Serialize};
use tenure_core::{
    InstallationId, LicenseId, LicenseSerial, OrgId, Period, Timestamp, product_clock::ProductClock,
    update::UpdateResult,
};
use tenure_license::{
    ActivationAnswer, CheckInAnswer, Envelope, Hash, KeyId, License, LicenseRef, PayloadError, decode_payload,
};

use crate::{
    documents::{Documents, Subject},
    ledger::Ledger,
    record::{Answered, CollectFailure, Created, Entry, Failure, Install, Record, Seed, Sent},
};

/// How many requests may be unanswered (protocol, 2.2).
pub(crate) const MAX_UNANSWERED: usize = 16;

/// Everything an installation knows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) clock: Option<ProductClock>,
    pub(crate) created: Option<Created>,
    /// The trust root, every version since the first one trusted.
    pub(crate) roots: Vec<Envelope>,
    /// Why the trust root offered last was refused.
    #[serde(default)]
    pub(crate) root_refused: Option<String>,
    /// The key that speaks now; none while it is the first one.
    #[serde(default)]
    pub(crate) key: Option<Seed>,
    /// The key that is to take over, from before a request names it until one of those is answered.
    #[serde(default)]
    pub(crate) next_key: Option<Seed>,
    /// The requests that handed over to each later key, signed by both; kept for ever (protocol, 2.7).
    #[serde(default)]
    pub(crate) rotations: Vec<Envelope>,
    /// A continuity note, verified when it was taken. Any signed answer ends it (R2).
    #[serde(default)]
    pub(crate) continuity: Option<Envelope>,
    pub(crate) activation_request: Option<Envelope>,
    pub(crate) joined: Option<Joined>,
    pub(crate) chain: Chain,
    pub(crate) license: Option<Held>,
    /// Which license was held from when on; the last entry is the present one.
    pub(crate) license_history: Vec<(Timestamp, LicenseId)>,
    /// First period that is reported automatically; none while reporting is by hand.
    pub(crate) reporting_since: Option<Period>,
    /// In grace: the license's end, and what overuse was allowed then.
    pub(crate) grace: Option<(i64, i64)>,
    pub(crate) contact: Contact,
    pub(crate) collect_failure: Option<CollectFailure>,
    pub(crate) pruned_at: Option<Timestamp>,
    pub(crate) documents: Documents,
    pub(crate) ledger: Ledger,
}

/// Membership in a deployment; kept for ever (protocol, 2.7).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Joined {
    pub(crate) answer: Envelope,
    pub(crate) ins: InstallationId,
    pub(crate) provider: OrgId,
    pub(crate) at: Timestamp,
}

/// Our end of the receipt chain.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Chain {
    /// The last sequence number used.
    pub(crate) seq: u64,
    /// `H` of the last answer held.
    pub(crate) prev: Option<Hash>,
    /// That answer; none while it is the activation answer.
    pub(crate) last_answer: Option<Envelope>,
    /// Epoch of the last answer.
    pub(crate) epoch: u64,
    /// Own requests since, oldest first.
    pub(crate) unanswered: Vec<Sent>,
    /// Rejoins since the last answer.
    pub(crate) rejoins: u32,
    /// The newest checkpoint of the server's log that an answer named: outside of the server, a witness against a log that
    /// was cut off or rewritten (protocol, 3.4).
    #[serde(default)]
    pub(crate) witness: Option<LogWitness>,
    /// The request made last, answered or not: people may see what leaves their machine.
    #[serde(default)]
    pub(crate) last_made: Option<Made>,
    /// The one before it that carried documents, if that one carries none.
    #[serde(default)]
    pub(crate) last_carrying: Option<Made>,
}

/// A request and what it carried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Made {
    pub(crate) request: Envelope,
    pub(crate) docs: Vec<Hash>,
    pub(crate) at: Timestamp,
}

/// A checkpoint of the server's audit log, as an answer named it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogWitness {
    /// Its number.
    pub k: u64,
    /// Its hash.
    pub hash: Hash,
    /// The server's epoch then.
    pub epoch: u64,
    /// When the answer was made.
    pub seen_at: Timestamp,
}

/// The license held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Held {
    pub(crate) envelope: Envelope,
    pub(crate) license: License,
    pub(crate) reference: LicenseRef,
    /// The keys that signed it: they set the high-water mark, and it dies with them (E2).
    pub(crate) keys: Vec<KeyId>,
    pub(crate) installed_at: Timestamp,
}

/// What is known of the server, and when it is asked again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Contact {
    pub(crate) last_answer_at: Option<Timestamp>,
    pub(crate) last_result: Option<UpdateResult>,
    pub(crate) next_check_in: Option<Timestamp>,
    pub(crate) report_at: Option<(Period, Timestamp)>,
    pub(crate) follow_up: bool,
    /// The last attempt failed.
    pub(crate) failure: Option<Failure>,
    pub(crate) retry_at: Option<Timestamp>,
    /// Why the license that rode along last was refused.
    pub(crate) license_refused: Option<String>,
    /// The agreement was ended early, so automatic update is off until a person's update succeeds.
    pub(crate) update_off: bool,
    /// The last `since` that was heeded, with its epoch.
    pub(crate) heeded_since: Option<(u64, i64)>,
}

impl Chain {
    /// Keeps the newest. One of the same number never takes the place of the first: if they differ, the first is the proof.
    fn bear_witness(&mut self, seen: LogWitness) {
        if self.witness.as_ref().is_none_or(|held| (held.epoch, held.k) < (seen.epoch, seen.k)) {
            self.witness = Some(seen);
        }
    }
}

impl Held {
    /// Takes a license whose signature was verified.
    fn new(install: &Install, installed_at: Timestamp) -> Result<Self, PayloadError> {
        let license: License = decode_payload(&install.license.payload)?;
        let (id, epoch, serial) = (license.license, license.epoch, license.serial);
        let reference = LicenseRef { id, epoch, serial, hash: install.license.hash() };
        Ok(Self { envelope: install.license.clone(), license, reference, keys: install.keys.clone(), installed_at })
    }

    /// Its place in the order of licenses.
    pub(crate) fn serial(&self) -> LicenseSerial {
        LicenseSerial { epoch: self.reference.epoch, serial: self.reference.serial }
    }
}

impl State {
    /// Takes one entry.
    ///
    /// # Errors
    /// When an envelope that was verified before it was journaled cannot be read any more.
    pub(crate) fn apply(&mut self, entry: Entry) -> Result<(), PayloadError> {
        self.clock = Some(entry.clock);
        entry.records.into_iter().try_for_each(|record| self.apply_record(record))
    }

    fn apply_record(&mut self, record: Record) -> Result<(), PayloadError> {
        match record {
            Record::Created(created) => {
                self.roots = vec![created.root.clone()];
                self.created = Some(created);
            }
            Record::RootAdded { root } => {
                self.roots.push(root);
                self.root_refused = None;
            }
            Record::RootReplaced { root } => {
                self.roots = vec![root];
                self.root_refused = None;
            }
            Record::RootRefused { why } => self.root_refused = Some(why),
            Record::KeyMade { seed } => self.next_key = Some(seed),
            Record::ContinuityTaken { note } => self.continuity = Some(note),
            Record::ActivationMade { request } => self.activation_request = Some(request),
            Record::Activated { answer, license, license_keys, next_check_in } => {
                self.join(answer, &Install { license, keys: license_keys }, next_check_in)?;
            }
            Record::RequestMade(sent) => self.note_request(sent),
            Record::CarriedByHand { request } => {
                for sent in self.chain.unanswered.iter_mut().filter(|sent| sent.hash == request) {
                    sent.by_hand = true;
                }
            }
            Record::Answered(answered) => self.note_answer(answered)?,
            Record::LicenseBrought { install, at } => {
                self.install(&install, at)?;
                self.contact.license_refused = None;
                // The server learns of the new serial as soon as it can be asked.
                self.contact.follow_up = true;
            }
            Record::OutOfStep { drop } => {
                self.continuity = None;
                self.chain.unanswered.retain(|sent| Some(sent.hash) != drop);
            }
            Record::NotReached { failure, retry_at } => {
                self.contact.failure = Some(failure);
                self.contact.retry_at = Some(retry_at);
            }
            Record::Observed { sightings } => sightings.iter().for_each(|one| self.ledger.observe(one)),
            Record::Collected { at } => {
                self.ledger.collected_at = Some(at);
                self.collect_failure = None;
            }
            Record::CollectFailed { failure } => self.collect_failure = Some(failure),
            Record::DayCounted { day } => self.ledger.add_day(&day),
            Record::DaysMissed { through } => {
                self.ledger.done_through = Some(self.ledger.done_through.map_or(through, |done| done.max(through)));
            }
            Record::Rewound { to } => {
                self.ledger.rewind(to);
                self.documents.drop_unsent_after(to.end());
            }
            Record::WeekDone { week } => self.ledger.weeks_through = Some(week),
            Record::DocumentMade { subject, document, at } => self.documents.add(subject, document, at),
            Record::Postponed { period, until } => {
                self.documents.decisions_mut(period).postponed_until = Some(until);
            }
            Record::Adjusted { period, adjustment } => {
                self.documents.decisions_mut(period).adjustments.push(adjustment);
            }
            Record::AdjustmentsReset { period } => self.documents.decisions_mut(period).adjustments.clear(),
            Record::GraceBegan { expires_at, allowed_milli } => self.grace = Some((expires_at, allowed_milli)),
            Record::Pruned { instants_before, memory } => {
                self.ledger.prune(instants_before, memory);
                self.documents.prune(memory);
                self.pruned_at = Some(memory);
            }
        }
        Ok(())
    }

    fn join(&mut self, answer: Envelope, install: &Install, next_check_in: Timestamp) -> Result<(), PayloadError> {
        let told: ActivationAnswer = decode_payload(&answer.payload)?;
        let at = Timestamp::from_secs(told.at);
        self.chain = Chain { prev: Some(answer.hash()), epoch: told.epoch, ..Chain::default() };
        self.contact = Contact {
            last_answer_at: Some(at),
            last_result: Some(UpdateResult::Updated),
            next_check_in: Some(next_check_in),
            // The server learns from a first request that the license was installed.
            follow_up: true,
            ..Contact::default()
        };
        self.joined = Some(Joined { answer, ins: told.ins, provider: told.provider, at });
        self.install(install, at)
    }

    fn install(&mut self, install: &Install, at: Timestamp) -> Result<(), PayloadError> {
        let held = Held::new(install, at)?;
        if self.license_history.last().is_none_or(|(_, id)| *id != held.reference.id) {
            self.license_history.push((at, held.reference.id));
        }
        let running = Period::of(at);
        // A shadow month is reported beside the manual figure, before automatic reporting goes on.
        let first = held.license.shadow.or(held.license.automatic_reporting.then_some(running));
        self.reporting_since = first.map(|first| self.reporting_since.unwrap_or(first));
        self.license = Some(held);
        Ok(())
    }

    fn note_request(&mut self, sent: Sent) {
        self.chain.seq = self.chain.seq.max(sent.seq);
        self.chain.rejoins += u32::from(sent.rejoin);
        self.contact.follow_up = false;
        // A request that only acknowledges must not hide the report that was sent just before.
        let before = self.chain.last_made.take().filter(|made| !made.docs.is_empty());
        self.chain.last_carrying = before.or(self.chain.last_carrying.take()).filter(|_| sent.docs.is_empty());
        self.chain.last_made = Some(Made { request: sent.request.clone(), docs: sent.docs.clone(), at: sent.at });
        self.chain.unanswered.push(sent);
        let surplus = self.chain.unanswered.len().saturating_sub(MAX_UNANSWERED);
        self.chain.unanswered.drain(..surplus);
    }

    fn note_answer(&mut self, answered: Answered) -> Result<(), PayloadError> {
        let told: CheckInAnswer = decode_payload(&answered.answer.payload)?;
        let (hash, at) = (answered.answer.hash(), Timestamp::from_secs(told.at));
        self.continuity = None;
        let handed_over = self.chain.unanswered.iter().find(|sent| sent.hash == told.req && sent.new_key);
        if let Some(sent) = handed_over
            && let Some(key) = self.next_key.take()
        {
            self.key = Some(key);
            self.rotations.push(sent.request.clone());
        }
        let asked_by_a_person = self.chain.unanswered.iter().any(|sent| sent.hash == told.req && sent.update_now);
        let premature = self.documents.settle(hash, &answered.answer, &told.docs, at);
        for subject in premature {
            if let Subject::Watermark { week } = subject {
                self.ledger.weeks_through = self.ledger.weeks_through.map(|through| through.min(week.prev()));
            }
        }
        if let Some(since) = told.since.filter(|since| self.contact.heeded_since != Some((told.epoch, *since))) {
            self.documents.want_again(since - 3600);
            self.contact.heeded_since = Some((told.epoch, since));
        }
        if let Some(install) = &answered.install {
            self.install(install, at)?;
        }
        self.chain.unanswered.retain(|sent| sent.seq > told.seq);
        self.chain.prev = Some(hash);
        self.chain.epoch = told.epoch;
        self.chain.last_answer = Some(answered.answer);
        self.chain.rejoins = 0;
        if let Some(seen) = &told.cp {
            self.chain.bear_witness(LogWitness { k: seen.k, hash: seen.hash, epoch: told.epoch, seen_at: at });
        }
        let update_off = match told.result {
            UpdateResult::ContractTerminated => true,
            result => self.contact.update_off && !(asked_by_a_person && result.is_good()),
        };
        self.contact = Contact {
            last_answer_at: Some(at),
            last_result: Some(told.result),
            next_check_in: Some(answered.next_check_in),
            report_at: Some(answered.report_at),
            follow_up: answered.follow_up,
            failure: None,
            retry_at: None,
            license_refused: answered.license_refused,
            update_off,
            heeded_since: self.contact.heeded_since,
        };
        Ok(())
    }

    /// The key that speaks now.
    pub(crate) fn seed(&self) -> Option<&Seed> {
        self.key.as_ref().or(self.created.as_ref().map(|created| &created.seed))
    }

    /// The license that was held at an instant.
    pub(crate) fn license_at(&self, at: Timestamp) -> Option<LicenseId> {
        let held = self.license_history.iter().take_while(|(from, _)| *from < at);
        held.last().or(self.license_history.first()).map(|(_, id)| *id)
    }
}
