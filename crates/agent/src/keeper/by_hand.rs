//! Without a network: a request in a file, carried out, and its answer carried back (protocol, A9, A10, C12).

use tenure_core::{LicenseSerial, Timestamp, update::UpdateResult};
use tenure_license::{
    ActivationExchange, ActivationExchangeAnswer, Envelope, ExchangeAnswer, LicenseFile, OfflineAnswer, OfflineAsk,
    OfflineFile, OfflineReply, OfflineRequest, OfflineResponse, Verified, armor, offline_body, sign,
};

use super::{LicenseKeeper, answer::Taken, exchange::FRESH_AFTER_SECS};
use crate::{
    error::AgentError,
    record::{Install, Record, Sent},
    state::MAX_UNANSWERED,
};

/// A request in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestFile {
    /// The armored text.
    pub text: String,
    /// A name for the file.
    pub name: String,
    /// Reports, watermarks and evidence inside.
    pub documents: u32,
    /// Documents that wait beyond it: they go into the next file, after this one's answer.
    pub waiting: u32,
}

/// What an imported file came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Imported {
    /// The installation holds a license.
    Activated,
    /// A license file was installed.
    LicenseInstalled,
    /// The answer to a request.
    Answered {
        /// What the license update came to.
        result: UpdateResult,
        /// A newer license was installed.
        installed: bool,
        /// Documents that the server has receipted with it.
        receipted: u32,
    },
    /// The server and this installation are out of step; another file settles it.
    AnotherFileNeeded,
    /// It was imported before; nothing changed.
    Already,
}

impl LicenseKeeper {
    /// Puts the next request into a file: the activation before there is a license, later a check-in with what waits.
    ///
    /// It is durable before this returns. A request that waits and is less than an hour old is carried as it is; otherwise
    /// a fresh one is made, which lists those before it, so files may be answered in any order, or never.
    ///
    /// # Errors
    /// Before [`LicenseKeeper::activate`] was tried with a code, or when the journal cannot be written.
    pub fn request_file(&mut self) -> Result<RequestFile, AgentError> {
        if self.state.joined.is_none() {
            let request = self.state.activation_request.clone().ok_or(AgentError::NothingToCarry)?;
            return Ok(self.file_of(
                &request,
                &OfflineAsk::Activation(ActivationExchange { request: request.clone() }),
                0,
            ));
        }
        let sent = match self.request_to_carry() {
            Some(waiting) => waiting,
            None => self.make_request(None)?,
        };
        self.commit(vec![Record::CarriedByHand { request: sent.hash }])?;
        let body = self.body_of(&sent);
        Ok(self.file_of(&sent.request, &OfflineAsk::CheckIn(Box::new(body)), sent.docs.len()))
    }

    /// The unanswered request that a file is to carry instead of a fresh one.
    fn request_to_carry(&mut self) -> Option<Sent> {
        let now = self.observe();
        let unanswered = &self.state.chain.unanswered;
        let newest = unanswered.last()?;
        let young = now.micros_since(newest.at) < FRESH_AFTER_SECS * 1_000_000;
        let to_settle = newest.rejoin && !newest.by_hand;
        let carry = to_settle || (young && !newest.by_hand) || unanswered.len() >= MAX_UNANSWERED;
        carry.then(|| newest.clone())
    }

    fn file_of(&mut self, request: &Envelope, ask: &OfflineAsk, documents: usize) -> RequestFile {
        let now = self.observe();
        let body = offline_body(ask);
        let cover = OfflineRequest {
            v: 1,
            aud: self.root.payload().aud,
            req: request.hash(),
            body: tenure_license::Hash::sha256(body.get()),
            at: now.as_secs(),
            crit: Vec::new(),
        };
        let file = OfflineFile { cover: sign(&cover, &[&self.key]).into_envelope(), body };
        let who = self.state.joined.as_ref().map_or_else(|| "a new installation".to_owned(), |one| one.ins.to_string());
        let comments = [
            format!("From: {who}, made at {now}"),
            "Have the license server answer it; bring the answer back and import it here.".to_owned(),
        ];
        let in_all = self.state.documents.iter().filter(|document| document.unsent()).count();
        let name = format!("{}-{}.tenure-request", self.settings.product, &cover.req.to_string()[..12]);
        RequestFile {
            text: file.to_text(armor::OFFLINE_REQUEST, &comments),
            name: safe_name(&name),
            documents: documents as u32,
            waiting: in_all.saturating_sub(documents) as u32,
        }
    }

    /// Takes a file that a person brought: an answer to one of our requests, or a license for this installation.
    ///
    /// # Errors
    /// One sentence when it is neither, made for another installation, or answers a request that does not wait here.
    pub fn import(&mut self, text: &str) -> Result<Imported, AgentError> {
        if text.trim_start_matches('\u{feff}').trim_start().starts_with("-----BEGIN TENURE LICENSE-----") {
            return self.import_license(text);
        }
        let refused = |why: String| AgentError::NotImported(why);
        let file = OfflineFile::parse(armor::OFFLINE_RESPONSE, text).map_err(|error| refused(error.to_string()))?;
        let reply: OfflineReply = file.read().map_err(|error| refused(error.to_string()))?;
        self.take_roots(reply.roots)?;
        let told = self.root.verify_receipt_role::<OfflineResponse>(&file.cover);
        let told = told.map_err(|error| refused(error.to_string()))?;
        if told.body != file.body_hash() {
            return Err(refused("its content was changed after it was signed".to_owned()));
        }
        if !self.is_our_key(told.key) {
            return Err(refused("it was made for another installation".to_owned()));
        }
        match reply.answer {
            OfflineAnswer::Activation(answer) => self.import_activation(&told, answer),
            OfflineAnswer::CheckIn(answer) => self.import_answer(&told, answer),
        }
    }

    /// Versions of the trust root that came along prove themselves, each by the one before.
    fn take_roots(&mut self, roots: Vec<Envelope>) -> Result<(), AgentError> {
        let before = self.root.version();
        for envelope in roots {
            let Ok(root) = self.root.walk(envelope.clone()) else { continue };
            if root.version() > self.root.version() {
                self.commit(vec![Record::RootAdded { root: envelope }])?;
                self.root = root;
            }
        }
        if self.root.version() > before {
            self.check_license();
        }
        Ok(())
    }

    fn import_activation(
        &mut self,
        told: &Verified<OfflineResponse>,
        reply: ActivationExchangeAnswer,
    ) -> Result<Imported, AgentError> {
        if self.state.joined.as_ref().is_some_and(|joined| joined.answer.hash() == reply.answer.hash()) {
            return Ok(Imported::Already);
        }
        let request = self.state.activation_request.clone().filter(|request| request.hash() == told.req);
        let request = request.filter(|_| self.state.joined.is_none()).ok_or_else(stale)?;
        let accepted = self.judge_activation(&request, reply);
        self.join(accepted.map_err(|error| AgentError::NotImported(error.to_string()))?)?;
        Ok(Imported::Activated)
    }

    fn import_answer(
        &mut self,
        told: &Verified<OfflineResponse>,
        reply: ExchangeAnswer,
    ) -> Result<Imported, AgentError> {
        let held = self.state.chain.last_answer.as_ref().map(Envelope::hash);
        if held == Some(reply.answer.hash()) {
            return Ok(Imported::Already);
        }
        let chain = &self.state.chain;
        let sent = chain.unanswered.iter().find(|sent| sent.hash == told.req).cloned().ok_or_else(stale)?;
        let before = self.state.license.as_ref().map(|held| held.reference.clone());
        let unsent = self.unsent();
        match self.take(&sent, reply)? {
            Taken::Answered => {
                let installed = self.state.license.as_ref().map(|held| &held.reference) != before.as_ref();
                let result = self.state.contact.last_result.unwrap_or(UpdateResult::UpToDate);
                Ok(Imported::Answered { result, installed, receipted: unsent.saturating_sub(self.unsent()) })
            }
            Taken::OutOfStep(told) => {
                // The rejoin that an earlier import of this file made still waits to be carried.
                let made = self.state.chain.unanswered.last().is_some_and(|newest| newest.rejoin && !newest.by_hand);
                if !made {
                    self.rejoin(&sent, &told)?;
                }
                Ok(Imported::AnotherFileNeeded)
            }
            Taken::Unproven(why) => Err(AgentError::NotImported(why)),
        }
    }

    fn unsent(&self) -> u32 {
        self.state.documents.iter().filter(|document| document.unsent()).count() as u32
    }

    /// A license file for this installation, newer than the one held: what a license administrator hands over when
    /// nothing renews by itself.
    fn import_license(&mut self, text: &str) -> Result<Imported, AgentError> {
        let refused = |why: String| AgentError::NotImported(why);
        let envelope = LicenseFile::parse(text).map_err(|error| refused(error.to_string()))?;
        let license = self.verify_with_walk(|root| root.verify_license(&envelope));
        let license = license.map_err(|error| refused(error.to_string()))?;
        let Some(ins) = self.state.joined.as_ref().map(|joined| joined.ins) else {
            return Err(refused("activate first: `tenure agent init` takes an activation license".to_owned()));
        };
        if !self.is_ours(&license, ins) {
            return Err(refused("it is bound to another installation, or for another product".to_owned()));
        }
        if let Some(held) = &self.state.license
            && held.reference.id == license.license
        {
            if held.reference.hash == license.hash {
                return Ok(Imported::Already);
            }
            let offered = LicenseSerial { epoch: license.epoch, serial: license.serial };
            if offered <= held.serial() && self.mark_counts() {
                return Err(refused("it is older than the license held".to_owned()));
            }
        }
        let keys = license.signed_by.clone();
        // Signed at a time that has passed.
        self.raise_floor(Timestamp::from_secs(license.issued_at));
        let at = self.observe();
        self.commit(vec![Record::LicenseBrought { install: Install { license: envelope, keys }, at }])?;
        self.check_license();
        self.keep_license_file();
        Ok(Imported::LicenseInstalled)
    }
}

fn stale() -> AgentError {
    AgentError::NotImported(
        "it answers a request that does not wait here: it was answered since, or made on another machine".to_owned(),
    )
}

/// Letters that are safe in a file's name everywhere.
fn safe_name(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || "-._".contains(c) { c } else { '-' }).collect()
}
