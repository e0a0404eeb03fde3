//! The way between the machines and the server: it loses what it is told to lose, and remembers what went over it.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard},
};

use axum::http::Method;
use serde::de::DeserializeOwned;
use tenure_agent::transport::{NotReached, Refusal, Transport};
use tenure_core::update::UpdateResult;
use tenure_license::{
    ActivationExchange, ActivationExchangeAnswer, CheckInAnswer, CheckInRequest, Envelope, Exchange, ExchangeAnswer,
    Hash, OfflineAnswer, OfflineFile, OfflineReply, RejoinClass, armor, decode_payload,
};
use tenure_service::take_offline_request;
use tenure_testkit::{Answer, TestApp};

use crate::{RUNTIME, market::BEGINNING};

/// What happens to the next exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loss {
    /// The request does not arrive.
    Request,
    /// It arrives, and its answer does not.
    Answer,
}

/// An answer that a machine was given, or would have been.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(crate) machine: usize,
    pub(crate) rejoined: Option<RejoinClass>,
    pub(crate) result: UpdateResult,
}

#[derive(Default)]
pub(crate) struct Wire {
    /// What befalls the next exchanges, the last first.
    pub(crate) losses: Vec<Loss>,
    /// Answers since they were looked at.
    pub(crate) told: Vec<Told>,
    /// Bodies that reached the server in its present life.
    pub(crate) recorded: Vec<serde_json::Value>,
    /// Documents that the server in its present life has, by its own word.
    pub(crate) held: BTreeSet<Hash>,
    /// Documents that any server ever receipted.
    pub(crate) receipted: BTreeSet<Hash>,
    /// Documents that left a machine, and the machine.
    pub(crate) sent: Vec<(usize, Hash)>,
    /// How the last attempt of a machine ended: refused with this.
    pub(crate) refused: Vec<Option<String>>,
}

/// A handle on it, for one machine or for the world.
#[derive(Clone)]
pub(crate) struct Line {
    app: Arc<Mutex<Arc<TestApp>>>,
    wire: Arc<Mutex<Wire>>,
    /// The trust root that products were shipped with.
    root: Envelope,
    machine: usize,
}

impl Line {
    pub(crate) fn to(app: Arc<TestApp>) -> Self {
        let root = app.root().envelope().clone();
        Self { app: Arc::new(Mutex::new(app)), wire: Arc::default(), root, machine: 0 }
    }

    /// The same line, as this machine uses it.
    pub(crate) fn of(&self, machine: usize) -> Self {
        let mut wire = self.wire();
        let known = wire.refused.len().max(machine + 1);
        wire.refused.resize(known, None);
        drop(wire);
        Self { machine, ..self.clone() }
    }

    pub(crate) fn app(&self) -> Arc<TestApp> {
        Arc::clone(&self.app.lock().expect("nobody panics"))
    }

    /// From now on it leads to another server.
    pub(crate) fn lead_to(&self, app: TestApp) {
        *self.app.lock().expect("nobody panics") = Arc::new(app);
    }

    /// The trust root that the machines pin.
    pub(crate) fn trust_root(&self) -> Envelope {
        self.root.clone()
    }

    pub(crate) fn wire(&self) -> MutexGuard<'_, Wire> {
        self.wire.lock().expect("nobody panics")
    }

    /// Brings a check-in to the server, whoever carries it.
    pub(crate) fn deliver(&self, body: &serde_json::Value) -> Answer {
        let app = self.app();
        self.wire().recorded.push(body.clone());
        let sent = app.call(Method::POST, "/product/v1/check-in", None, Some(body.clone()), &[]);
        let answer = RUNTIME.block_on(sent);
        if answer.status.as_u16() == 200 {
            self.hear(&serde_json::from_slice(&answer.body).expect("an answer"));
        }
        answer
    }

    /// Has the server answer a request file, as the provider's people do; nothing where it refuses.
    pub(crate) fn carry(&self, file: &str) -> Option<String> {
        let app = self.app();
        let taken = take_offline_request(&app.service, &BEGINNING.provider, file);
        let content = RUNTIME.block_on(taken).ok()?.content;
        let opened = OfflineFile::parse(armor::OFFLINE_RESPONSE, &content).expect("a response file");
        let OfflineReply { answer: OfflineAnswer::CheckIn(reply), .. } = opened.read().expect("a reply") else {
            panic!("no machine joins by file here");
        };
        self.hear(&reply);
        Some(content)
    }

    /// Notes what an answer says. One that is out of step says nothing of documents and clones.
    fn hear(&self, reply: &ExchangeAnswer) {
        let Ok(told) = decode_payload::<CheckInAnswer>(&reply.answer.payload) else { return };
        let mut wire = self.wire();
        for hash in told.docs.iter().filter(|doc| doc.receipt.is_some()).map(|doc| doc.hash) {
            wire.held.insert(hash);
            wire.receipted.insert(hash);
        }
        wire.told.push(Told { machine: self.machine, rejoined: told.rejoined, result: told.result });
    }

    fn refuse(&self, answer: &Answer) -> NotReached {
        let kind = answer.problem();
        self.wire().refused[self.machine] = Some(kind.clone());
        NotReached::Refused(Refusal {
            status: answer.status.as_u16(),
            kind,
            text: answer.text(),
            retry_after_secs: None,
        })
    }
}

fn read<T: DeserializeOwned>(answer: &Answer) -> Result<T, NotReached> {
    serde_json::from_slice(&answer.body).map_err(|error| NotReached::Unreachable(error.to_string()))
}

impl Transport for Line {
    fn activate(&mut self, _: &[String], body: &ActivationExchange) -> Result<ActivationExchangeAnswer, NotReached> {
        let body = serde_json::to_value(body).expect("JSON");
        let answer = RUNTIME.block_on(self.app().call(Method::POST, "/product/v1/activate", None, Some(body), &[]));
        if answer.status.as_u16() == 200 { read(&answer) } else { Err(self.refuse(&answer)) }
    }

    fn check_in(&mut self, _: &[String], body: &Exchange) -> Result<ExchangeAnswer, NotReached> {
        let request: CheckInRequest = decode_payload(&body.request.payload).expect("an agent's request");
        let loss = {
            let mut wire = self.wire();
            wire.sent.extend(request.docs.iter().map(|hash| (self.machine, *hash)));
            wire.losses.pop()
        };
        if loss == Some(Loss::Request) {
            return Err(NotReached::Unreachable("the request was lost".into()));
        }
        let answer = self.deliver(&serde_json::to_value(body).expect("JSON"));
        if loss == Some(Loss::Answer) {
            return Err(NotReached::Unreachable("the answer was lost".into()));
        }
        let told = match answer.status.as_u16() {
            200 => read(&answer),
            409 => read(&answer).map_err(|_: NotReached| self.refuse(&answer)),
            _ => Err(self.refuse(&answer)),
        };
        if told.is_ok() {
            self.wire().refused[self.machine] = None;
        }
        told
    }

    fn root(&mut self, _: &[String], version: u64) -> Result<Option<Envelope>, NotReached> {
        let path = format!("/product/v1/root/{version}");
        let answer = RUNTIME.block_on(self.app().call(Method::GET, &path, None, None, &[]));
        match answer.status.as_u16() {
            200 => read(&answer).map(Some),
            404 => Ok(None),
            _ => Err(self.refuse(&answer)),
        }
    }
}
