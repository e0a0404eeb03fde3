//! Joining a deployment with a one-time code (protocol, A1, A2, A4).

use tenure_core::{
    InstallationId, Timestamp,
    update::{Purpose, retry_at},
};
use tenure_license::{
    ActivationAnswer, ActivationCode, ActivationExchange, ActivationExchangeAnswer, ActivationRequest, Envelope, KeyId,
    License, Versions, decode_payload, sign,
};

use super::LicenseKeeper;
use crate::{
    error::AgentError,
    record::{Failure, Record},
    transport::NotReached,
};

/// What an activation came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Activation {
    /// The installation holds a license.
    Active,
    /// No answer yet. Key and request are kept; every tick in its time asks again.
    NotReached {
        /// Why, for people.
        sentence: String,
    },
}

/// An activation's answer that proved itself.
pub(super) struct Accepted {
    told: ActivationAnswer,
    answer: Envelope,
    license: Envelope,
    license_keys: Vec<KeyId>,
}

impl LicenseKeeper {
    /// Activates with a one-time code. Key and request are durable before anything is sent; the same code again sends the
    /// same request, so a lost answer never makes a second installation. Active already, it does nothing.
    ///
    /// # Errors
    /// When the code is not one, or the journal cannot be written.
    pub fn activate(&mut self, code: &str) -> Result<Activation, AgentError> {
        if self.state.joined.is_some() {
            return Ok(Activation::Active);
        }
        let code: ActivationCode = code.parse().map_err(|error| AgentError::Activation(format!("{error}")))?;
        let code = code.to_string();
        let prepared = match &self.state.activation_request {
            Some(request) => Some(decode_payload::<ActivationRequest>(&request.payload)?),
            None => None,
        };
        let fits = |request: ActivationRequest| request.code == code && request.product == self.settings.product;
        if !prepared.is_some_and(fits) {
            self.prepare_activation(code)?;
        }
        self.ask_to_join()?;
        Ok(match (&self.state.joined, &self.state.contact.failure) {
            (None, Some(failure)) => Activation::NotReached { sentence: failure.sentence.clone() },
            _ => Activation::Active,
        })
    }

    /// Activates with an activation license: the file's code, once the file has proven itself.
    ///
    /// # Errors
    /// When the file is not genuine, licenses already (only an activation license activates), or is for another product.
    pub fn activate_with_file(&mut self, file: &Envelope) -> Result<Activation, AgentError> {
        let license = self.root.verify_license(file).map_err(|error| AgentError::Activation(error.to_string()))?;
        if license.product.code != self.settings.product {
            let (licensed, ours) = (&license.product.code, &self.settings.product);
            return Err(AgentError::Activation(format!("the file is for `{licensed}`, and this product is `{ours}`")));
        }
        let Some(grant) = &license.activation else {
            return Err(AgentError::Activation(
                "the file is bound to an installation already; activate with a code or an activation file".to_owned(),
            ));
        };
        let code = grant.code.clone();
        self.activate(&code)
    }

    fn prepare_activation(&mut self, code: String) -> Result<(), AgentError> {
        let now = self.observe();
        let request = ActivationRequest {
            v: 1,
            aud: self.root.payload().aud,
            code,
            key: self.key.public(),
            product: self.settings.product.clone(),
            nonce: self.nonce(),
            host: self.settings.host.clone(),
            versions: self.versions(),
            at: now.as_secs(),
            crit: Vec::new(),
        };
        let request = sign(&request, &[&self.key]).into_envelope();
        self.commit(vec![Record::ActivationMade { request }])
    }

    pub(super) fn versions(&self) -> Versions {
        Versions { agent: env!("CARGO_PKG_VERSION").to_owned(), product: self.settings.product_version.clone() }
    }

    /// Sends the prepared activation request, the same bytes each time.
    pub(super) fn ask_to_join(&mut self) -> Result<(), AgentError> {
        let Some(request) = self.state.activation_request.clone() else { return Ok(()) };
        let now = self.observe();
        self.burst.count(now);
        let body = ActivationExchange { request: request.clone() };
        let reply = self.transport.activate(&self.settings.servers, &body);
        match reply.and_then(|reply| self.judge_activation(&request, reply)) {
            Ok(accepted) => self.join(accepted),
            Err(error) => self.not_joined(&error),
        }
    }

    pub(super) fn join(&mut self, accepted: Accepted) -> Result<(), AgentError> {
        let Accepted { told, answer, license, license_keys } = accepted;
        // A repeated answer tells the time of the first attempt, so it proves only that this much has passed.
        self.raise_floor(Timestamp::from_secs(told.at));
        let now = self.observe();
        let next_check_in = self.draw_within(told.next, now);
        self.commit(vec![Record::Activated { answer, license, license_keys, next_check_in }])?;
        self.check_license();
        self.keep_license_file();
        Ok(())
    }

    fn not_joined(&mut self, error: &NotReached) -> Result<(), AgentError> {
        let now = self.observe();
        let failure = Failure { at: now, boot: self.clock.boot().id, sentence: error.to_string() };
        let retry_at = retry_at(now, error.failure(), Purpose::Report, &self.settings.policy, &*self.rng);
        self.commit(vec![Record::NotReached { failure, retry_at }])
    }

    /// Both envelopes must prove themselves and be about this key; otherwise nobody was reached.
    pub(super) fn judge_activation(
        &mut self,
        request: &Envelope,
        reply: ActivationExchangeAnswer,
    ) -> Result<Accepted, NotReached> {
        let ActivationExchangeAnswer { answer, license } = reply;
        let unproven = |why: String| NotReached::Unreachable(format!("the activation's answer is not accepted: {why}"));
        let told = self.verify_with_walk(|root| root.verify_receipt_role::<ActivationAnswer>(&answer));
        let told = told.map_err(|error| unproven(error.to_string()))?;
        if told.req != request.hash() || told.key != self.key.key_id() {
            return Err(unproven("it answers another request".to_owned()));
        }
        let bound = self.verify_with_walk(|root| root.verify_license(&license));
        let bound = bound.map_err(|error| unproven(error.to_string()))?;
        let of_this_answer = told.current.hash == bound.hash && told.current.id == bound.license;
        if !of_this_answer || !self.is_ours(&bound, told.ins) {
            return Err(unproven("its license is not this installation's".to_owned()));
        }
        Ok(Accepted { told: told.into_inner(), answer, license, license_keys: bound.signed_by })
    }

    /// Whether a license is bound to this installation and its key, and for this product.
    pub(super) fn is_ours(&self, license: &License, ins: InstallationId) -> bool {
        let bound = license.installation.as_ref();
        bound.is_some_and(|bound| bound.id == ins && self.is_our_key(bound.key))
            && license.product.code == self.settings.product
    }
}
