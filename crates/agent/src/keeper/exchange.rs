//! One exchange with the server: the request durable before it leaves, the answer durable before it counts (protocol,
//! 2.6).

use tenure_core::{
    Timestamp,
    update::{Failure as Met, Purpose, UpdateResult, retry_at},
};
use tenure_license::{CheckInRequest, ClockFacts, Exchange, OutOfStep, Rejoin, SigningKey, sign};

use super::{LicenseKeeper, answer::Taken};
use crate::{
    error::AgentError,
    record::{Failure, Record, Sent},
    state::MAX_UNANSWERED,
};

/// A fresh request may stand beside an unanswered one that is older than this.
pub(super) const FRESH_AFTER_SECS: i64 = 3600;
/// So many rejoins follow at once; then one an hour.
const MAX_REJOINS: u32 = 3;
/// Most exchanges within an hour, whatever seems to be due.
const MAX_BURST: u32 = 64;
const BURST_SECS: i64 = 3600;

/// What a check-in that a person asked for came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckIn {
    /// The server answered.
    Answered {
        /// What the license update came to.
        result: UpdateResult,
        /// One sentence a person can act on.
        sentence: String,
        /// A newer license was installed.
        installed: bool,
    },
    /// It did not, or what came back proves nothing.
    NotReached {
        /// Why.
        sentence: String,
        /// When it is asked again by itself.
        retry_at: Timestamp,
    },
}

/// Counts exchanges, so that no mistake of either side makes a product ask without end.
#[derive(Debug, Default)]
pub(super) struct Burst {
    began: Option<Timestamp>,
    count: u32,
}

impl Burst {
    pub(super) fn count(&mut self, now: Timestamp) {
        match self.began {
            Some(began) if (0..BURST_SECS * 1_000_000).contains(&now.micros_since(began)) => self.count += 1,
            _ => (self.began, self.count) = (Some(now), 1),
        }
    }

    /// The instant at which an exchange that is due at `at` may happen.
    pub(super) fn delay(&self, at: Timestamp) -> Timestamp {
        match self.began {
            Some(began) if self.count >= MAX_BURST => at.max(began.plus_secs(BURST_SECS)),
            _ => at,
        }
    }
}

impl LicenseKeeper {
    /// *Update now*: asks for the current license at once, whatever the schedule says.
    ///
    /// # Errors
    /// When not activated, or the journal cannot be written.
    pub fn check_in_now(&mut self) -> Result<CheckIn, AgentError> {
        if self.state.joined.is_none() {
            return Err(AgentError::NotActivated);
        }
        let before = self.state.license.as_ref().map(|held| held.reference.clone());
        self.update_now = true;
        // A request that waits is sent first; the one that says *update now* follows it.
        for _ in 0..3 {
            self.contact()?;
            if !self.update_now || self.state.contact.failure.is_some() {
                break;
            }
        }
        self.update_now = false;
        let contact = &self.state.contact;
        Ok(match (&contact.failure, contact.retry_at, contact.last_result) {
            (Some(failure), Some(retry_at), _) => CheckIn::NotReached { sentence: failure.sentence.clone(), retry_at },
            (_, _, result) => {
                let result = result.unwrap_or(UpdateResult::UpToDate);
                let installed = self.state.license.as_ref().map(|held| &held.reference) != before.as_ref();
                let sentence = contact.license_refused.clone().unwrap_or_else(|| result.sentence().to_owned());
                CheckIn::Answered { result, sentence, installed }
            }
        })
    }

    /// Sends what waits at once, whatever the schedule says: a person has just asked for it.
    pub(crate) fn send_waiting(&mut self) -> Result<(), AgentError> {
        for _ in 0..3 {
            let now = self.observe();
            if self.state.documents.batch(now).is_empty() {
                break;
            }
            self.contact()?;
            if self.state.contact.failure.is_some() {
                break;
            }
        }
        Ok(())
    }

    /// One exchange, with the rejoins it may need. A failure is journaled with the time of the next try.
    pub(super) fn contact(&mut self) -> Result<(), AgentError> {
        let now = self.observe();
        let waiting = self.to_resend(now).cloned();
        let mut sent = match waiting {
            Some(sent) => sent,
            None => self.make_request(None)?,
        };
        loop {
            let now = self.observe();
            self.burst.count(now);
            let error = match self.exchange(&sent)? {
                Ok(Taken::Answered) => return Ok(()),
                Ok(Taken::OutOfStep(told)) => match self.rejoin(&sent, &told)? {
                    Some(rejoin) => {
                        sent = rejoin;
                        continue;
                    }
                    None => (Met::Unreachable, "the server and this installation are out of step".to_owned()),
                },
                Ok(Taken::Unproven(why)) => (Met::Unreachable, why),
                Err(met) => met,
            };
            return self.failed(&sent, error);
        }
    }

    fn failed(&mut self, sent: &Sent, (met, sentence): (Met, String)) -> Result<(), AgentError> {
        let now = self.observe();
        tracing::info!(error = %sentence, "license update server not reached");
        let purpose = if sent.docs.is_empty() { Purpose::CheckIn } else { Purpose::Report };
        let retry_at = retry_at(now, met, purpose, &self.settings.policy, &*self.rng);
        let failure = Failure { at: now, boot: self.clock.boot().id, sentence };
        self.commit(vec![Record::NotReached { failure, retry_at }])
    }

    /// Sends a journaled request, and again with what proves this installation when the server does not know the key.
    fn exchange(&mut self, sent: &Sent) -> Result<Result<Taken, (Met, String)>, AgentError> {
        let servers = self.servers();
        let (mut body, mut reminded) = (self.body_of(sent), 0);
        loop {
            *self.sends.entry(sent.hash).or_insert(0) += 1;
            match self.transport.check_in(&servers, &body) {
                Ok(reply) => return self.take(sent, reply).map(Ok),
                Err(error) if error.hints("unknown-key") && self.remind(&mut body, reminded) => reminded += 1,
                Err(error) => return Ok(Err((error.failure(), error.to_string()))),
            }
        }
    }

    /// The newest unanswered request, if it is to be sent again instead of a fresh one: it is young, or says all that a
    /// fresh one would, or too many wait already.
    fn to_resend(&self, now: Timestamp) -> Option<&Sent> {
        let unanswered = &self.state.chain.unanswered;
        let newest = unanswered.last()?;
        let boot = self.clock.boot();
        let age_us = if newest.boot.id == boot.id {
            boot.elapsed_us - newest.boot.elapsed_us
        } else {
            now.micros_since(newest.at)
        };
        let young = (0..=FRESH_AFTER_SECS * 1_000_000).contains(&age_us) && !newest.by_hand;
        let wanted = self.state.documents.batch(now);
        let says_all = wanted.iter().all(|hash| newest.docs.contains(hash)) && !self.update_now;
        (young || says_all || unanswered.len() >= MAX_UNANSWERED).then_some(newest)
    }

    /// Makes a request and journals it.
    pub(super) fn make_request(&mut self, rejoin: Option<&OutOfStep>) -> Result<Sent, AgentError> {
        self.make_ready_watermarks()?;
        let now = self.observe();
        let joined = self.state.joined.as_ref().ok_or(AgentError::NotActivated)?;
        let chain = &self.state.chain;
        let prev = chain.prev.ok_or(AgentError::NotActivated)?;
        let docs = self.state.documents.batch(now);
        let (update_now, next_key) = (self.update_now, self.next_key()?);
        // Of more than can be listed the newest count: the oldest are known to have gone nowhere.
        let surplus = chain.unanswered.len().saturating_sub(MAX_UNANSWERED);
        let view = self.view();
        let boot = self.clock.boot();
        let request = CheckInRequest {
            v: 1,
            aud: self.root.payload().aud,
            ins: joined.ins,
            seq: rejoin.map_or(0, |told| told.seq).max(chain.seq) + 1,
            prev,
            unanswered: chain.unanswered.iter().skip(surplus).map(|sent| sent.hash).collect(),
            nonce: self.nonce(),
            docs: docs.clone(),
            lic: self.state.license.as_ref().map(|held| held.reference.clone()),
            root: self.root.version(),
            clock: ClockFacts { effective: now.as_secs(), system: self.clock.now().as_secs(), boot: boot.id },
            host: self.settings.host.clone(),
            daily: self.state.ledger.head.clone(),
            versions: self.versions(),
            auto_update: view.updates_itself(),
            update_now,
            rejoin: rejoin.map(|told| Rejoin { challenge: told.challenge, held: prev }),
            new_key: next_key.as_ref().map(SigningKey::public),
            crit: Vec::new(),
        };
        // The new key's signature comes first: once the server took it, that is the key it knows us by.
        let keys: Vec<&SigningKey> = next_key.iter().chain([&self.key]).collect();
        let signed = sign(&request, &keys);
        let sent = Sent {
            hash: signed.hash,
            request: signed.into_envelope(),
            seq: request.seq,
            docs,
            update_now,
            rejoin: rejoin.is_some(),
            new_key: next_key.is_some(),
            by_hand: false,
            at: now,
            boot,
        };
        self.commit(vec![Record::RequestMade(sent.clone())])?;
        self.update_now = false;
        Ok(sent)
    }

    /// The request of a rejoin, unless three in a row were in vain within the hour; then the refused one waits.
    pub(super) fn rejoin(&mut self, refused: &Sent, told: &OutOfStep) -> Result<Option<Sent>, AgentError> {
        let now = self.observe();
        let chain = &self.state.chain;
        let hour_ago = now.plus_secs(-FRESH_AFTER_SECS);
        let just_tried = chain.unanswered.iter().any(|sent| sent.rejoin && sent.at > hour_ago);
        if chain.rejoins >= MAX_REJOINS && just_tried {
            return Ok(None);
        }
        // Sent only once and refused, it never moved the chain. Sent more often, one of the sendings may have: then it
        // is the proof of a clone, and stays listed.
        let once = !refused.by_hand && self.sends.get(&refused.hash).is_none_or(|sends| *sends <= 1);
        let drop = once.then_some(refused.hash);
        self.commit(vec![Record::OutOfStep { drop }])?;
        self.make_request(Some(told)).map(Some)
    }

    /// The body of a request: attachments prove themselves, so they may differ between sendings.
    pub(super) fn body_of(&self, sent: &Sent) -> Exchange {
        let state = &self.state;
        let held = state.license.as_ref();
        // Signed before the server's last restore: it may not have it any more (E1).
        let older = held.is_some_and(|held| held.reference.epoch < state.chain.epoch);
        let mut body = Exchange::new(sent.request.clone());
        body.documents = state.documents.envelopes(&sent.docs);
        body.old_receipts = state.documents.old_receipts(&sent.docs);
        body.license = held.filter(|_| sent.rejoin || older).map(|held| held.envelope.clone());
        if sent.rejoin {
            body.held_answer.clone_from(&state.chain.last_answer);
            // Before the first answer, the activation answer is what is held.
            let activation = state.joined.as_ref().filter(|_| state.chain.last_answer.is_none());
            body.activation_answer = activation.map(|joined| joined.answer.clone());
        }
        body
    }

    /// Servers to ask: the operator's, then those that the license names.
    pub(super) fn servers(&self) -> Vec<String> {
        let mut servers = self.settings.servers.clone();
        let named = self.state.license.iter().flat_map(|held| &held.license.servers);
        for server in named {
            if !servers.contains(server) {
                servers.push(server.clone());
            }
        }
        servers
    }
}
