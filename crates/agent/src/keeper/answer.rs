//! What a server says, and what of it counts (protocol, E2, E5, E7; design, "Signed documents").

use tenure_core::{
    Boot, BootId, Day, LicenseSerial, Period, Timestamp,
    update::{Span, clamp_next},
};
use tenure_license::{
    CheckInAnswer, Envelope, ExchangeAnswer, OutOfStep, Payload, Root, Verified, VerifyError, Window,
};

use super::LicenseKeeper;
use crate::{
    error::AgentError,
    record::{Answered, Install, Record, Sent},
};

/// Most versions that one walk goes forward.
const MAX_WALK: u64 = 1024;

/// A day that was counted this much too early stays counted: to count it again would change a head that was committed.
const CLOCK_TOLERANCE_SECS: i64 = 6 * 3600;

/// What came of an answer.
pub(super) enum Taken {
    /// It answered one of our requests.
    Answered,
    /// The request does not continue the chain.
    OutOfStep(Verified<OutOfStep>),
    /// It proves nothing; why, for people.
    Unproven(String),
}

impl LicenseKeeper {
    /// Takes what came back for a request: verified, bound to it, journaled.
    pub(super) fn take(&mut self, sent: &Sent, reply: ExchangeAnswer) -> Result<Taken, AgentError> {
        let unproven = |why: String| Ok(Taken::Unproven(format!("the answer is not accepted: {why}")));
        let Some(joined) = &self.state.joined else { return unproven("this installation is not activated".into()) };
        let ins = joined.ins;
        if reply.answer.payload_type == OutOfStep::TYPE {
            let told = self.verify_with_walk(|root| root.verify_receipt_role::<OutOfStep>(&reply.answer));
            return match told {
                Ok(told) if told.ins == ins && told.req == sent.hash => Ok(Taken::OutOfStep(told)),
                Ok(_) => unproven("it answers another request".into()),
                Err(error) => unproven(error.to_string()),
            };
        }
        let told = self.verify_with_walk(|root| root.verify_receipt_role::<CheckInAnswer>(&reply.answer));
        let told = match told {
            Ok(told) => told,
            Err(error) => return unproven(error.to_string()),
        };
        // Any request of ours that waits may be the one answered: an earlier answer can come by hand.
        let answered = self.state.chain.unanswered.iter().find(|waiting| waiting.hash == told.req).cloned();
        let Some(answered) = answered.filter(|waiting| told.ins == ins && told.seq == waiting.seq) else {
            return unproven("it answers another request".into());
        };
        self.take_answer(&answered, &told, reply)?;
        Ok(Taken::Answered)
    }

    fn take_answer(
        &mut self,
        sent: &Sent,
        told: &Verified<CheckInAnswer>,
        reply: ExchangeAnswer,
    ) -> Result<(), AgentError> {
        if told.root > self.root.version() {
            // What cannot be fetched now is needed when a signature asks for it, and is tried again then.
            if let Err(error) = self.walk() {
                tracing::warn!(%error, "cannot fetch the newer trust root");
            }
        }
        let sent_again = sent.by_hand || self.sends.get(&sent.hash).is_some_and(|sends| *sends > 1);
        let at = Timestamp::from_secs(told.at);
        if sent_again {
            // Nobody knows which sending was answered at `at`: it proves that this much has passed, no more.
            self.raise_floor(at);
        } else {
            let boot = self.clock.boot();
            self.state.clock.as_mut().expect("set when the keeper was put together").authenticate(boot, sent.boot, at);
        }
        let now = self.observe();
        let (install, license_refused) = match reply.license {
            Some(envelope) if self.view().updates_itself() || sent.update_now => self.judge_license(told, envelope),
            _ => (None, None),
        };
        let restored = told.since.is_some_and(|since| self.state.contact.heeded_since != Some((told.epoch, since)));
        let report_at = self.report_time(told, now);
        let record = Answered {
            answer: reply.answer,
            next_check_in: self.draw_within(told.next, now),
            report_at,
            follow_up: sent_again || install.is_some() || restored,
            install,
            license_refused,
        };
        let mut records = vec![Record::Answered(record)];
        let yesterday = Day::of(now).plus(-1);
        let ahead = now.plus_secs(CLOCK_TOLERANCE_SECS);
        if self.state.ledger.done_through.is_some_and(|done| done > yesterday && done.end() > ahead) {
            tracing::warn!(to = %yesterday, "the clock ran ahead; days that have not been are counted again");
            records.push(Record::Rewound { to: yesterday });
        }
        let installed = matches!(&records[0], Record::Answered(answered) if answered.install.is_some());
        self.commit(records)?;
        self.take_over()?;
        self.check_continuity();
        self.sends.retain(|hash, _| self.state.chain.unanswered.iter().any(|sent| sent.hash == *hash));
        if installed {
            self.check_license();
            self.keep_license_file();
        }
        Ok(())
    }

    /// The license that rode along: to be installed, or refused in one sentence, or neither because it is held already.
    fn judge_license(&mut self, told: &CheckInAnswer, envelope: Envelope) -> (Option<Install>, Option<String>) {
        let refused = |why: String| (None, Some(why));
        if told.license.as_ref().is_none_or(|named| named.hash != envelope.hash()) {
            return refused("the answer does not name it".to_owned());
        }
        let license = match self.verify_with_walk(|root| root.verify_license(&envelope)) {
            Ok(license) => license,
            Err(error) => return refused(error.to_string()),
        };
        if !self.is_ours(&license, told.ins) {
            return refused("it is bound to another installation, or for another product".to_owned());
        }
        let offered = LicenseSerial { epoch: license.epoch, serial: license.serial };
        if let Some(held) = &self.state.license
            && held.reference.id == license.license
        {
            let mark_counts = self.mark_counts();
            let same = held.reference.hash == license.hash;
            // The same license under a signature that counts, after the key of the first was revoked.
            let signed_anew = same && self.doubt.is_some();
            if same && !signed_anew {
                return (None, None);
            }
            if offered <= held.serial() && mark_counts && !signed_anew {
                return refused(format!(
                    "it is older than the license held ({} of epoch {})",
                    offered.serial, offered.epoch
                ));
            }
        }
        (Some(Install { license: envelope, keys: license.signed_by.clone() }), None)
    }

    /// Whether the license held still bars older ones: its mark dies with the keys that set it (E2).
    pub(super) fn mark_counts(&self) -> bool {
        let revoked = |id| {
            let keys = &self.root.payload().keys;
            keys.iter().any(|key| key.key.id() == id && key.revoked.is_some())
        };
        self.state.license.as_ref().is_some_and(|held| held.keys.iter().any(|id| !revoked(*id)))
    }

    /// When the report of the running period goes out: a random instant of the server's window, after the period's end.
    fn report_time(&self, told: &CheckInAnswer, now: Timestamp) -> (Period, Timestamp) {
        let running = Period::of(Timestamp::from_secs(told.at));
        let window = Span { from: Timestamp::from_secs(told.report.from), to: Timestamp::from_secs(told.report.to) };
        // Clamped as everything a server gives, seen from the moment the period is over.
        let from = now.max(running.end());
        (running, clamp_next(from.plus_secs(-60), window.draw(&*self.rng), &self.settings.policy))
    }

    /// A random instant of a window, clamped to what a server may ask for ("License update").
    pub(super) fn draw_within(&self, window: Window, now: Timestamp) -> Timestamp {
        let span = Span { from: Timestamp::from_secs(window.from), to: Timestamp::from_secs(window.to) };
        clamp_next(now, span.draw(&*self.rng), &self.settings.policy)
    }

    /// An authenticated time that only shows how much has passed at least.
    pub(super) fn raise_floor(&mut self, at: Timestamp) {
        let boot = self.clock.boot();
        let some_other_boot = Boot { id: BootId(uuid::Uuid::max()), elapsed_us: 0 };
        let clock = self.state.clock.as_mut().expect("set when the keeper was put together");
        clock.authenticate(boot, some_other_boot, at);
    }

    /// Verifies; when the key or the epoch is not known here, walks the trust root forward and verifies again (E5).
    pub(super) fn verify_with_walk<T>(
        &mut self,
        verify: impl Fn(&Root) -> Result<T, VerifyError>,
    ) -> Result<T, VerifyError> {
        let outcome = verify(&self.root);
        let newer_may_help = matches!(
            outcome,
            Err(VerifyError::UnknownKey | VerifyError::RootTooOld { .. } | VerifyError::EpochOutOfRange { .. })
        );
        if newer_may_help && self.walk().unwrap_or(false) { verify(&self.root) } else { outcome }
    }

    /// Fetches every version of the trust root after the one held. Says whether there was any.
    fn walk(&mut self) -> Result<bool, AgentError> {
        let servers = self.servers();
        let before = self.root.version();
        while self.root.version() < before + MAX_WALK {
            let next = self.root.version() + 1;
            let envelope = match self.transport.root(&servers, next) {
                Ok(Some(envelope)) => envelope,
                Ok(None) => break,
                Err(error) => {
                    tracing::info!(version = next, %error, "cannot fetch the next trust root");
                    break;
                }
            };
            let root = match self.root.walk(envelope.clone()) {
                Ok(root) => root,
                Err(error) => {
                    tracing::warn!(version = next, %error, "the next trust root is not accepted");
                    self.refuse_root(&error)?;
                    break;
                }
            };
            if root.version() != next {
                break;
            }
            self.commit(vec![Record::RootAdded { root: envelope }])?;
            self.root = root;
        }
        let walked = self.root.version() > before;
        if walked {
            self.check_license();
            self.check_continuity();
        }
        Ok(walked)
    }

    /// Looks whether the license held still proves itself. One whose key was revoked goes on until another one comes,
    /// for the product never stops by surprise; one that is not genuine never licensed anything.
    pub(super) fn check_license(&mut self) {
        let verdict = self.state.license.as_ref().map(|held| self.root.verify_held_license(&held.envelope));
        self.doubt = match verdict {
            None | Some(Ok(_)) => None,
            Some(Err(error)) => {
                tracing::warn!(%error, "the license held does not verify");
                if !matches!(error, VerifyError::Revoked) {
                    self.state.license = None;
                }
                // Ask for another one now, once; then as always.
                self.state.contact.follow_up |= self.state.joined.is_some();
                Some(error)
            }
        };
    }
}
