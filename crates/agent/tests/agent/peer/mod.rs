//! A scripted license update server: it signs with real keys, follows the chain, and does to an exchange what a test tells
//! it to. It stands in for the real one only here; the real one meets the real agent elsewhere.

mod server;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
};

use tenure_agent::transport::{NotReached, Refusal, Transport};
use tenure_core::{Clock, DeploymentId, Period, Points, Policy, WorkloadDetail, update::UpdateFacts};
use tenure_license::{
    ActivationCode, ActivationExchange, ActivationExchangeAnswer, Envelope, Exchange, ExchangeAnswer, Payload,
    SigningKey, UsageReport, Watermark, WorkloadEvidence,
};

use crate::world::{TestClock, TestRng};

pub(crate) use server::Server;

/// What happens to one exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It arrives and is answered.
    Answered,
    /// The request never arrives.
    RequestLost,
    /// It arrives, and the answer never does.
    AnswerLost,
    /// A refusal with this status, Retry-After in seconds.
    Refused(u16, Option<u64>),
    /// An unsigned problem of this kind.
    Problem(u16, &'static str),
    /// Something that is signed by nobody we know.
    Forged,
}

/// The server in a test's hands, and the agent's way to it.
#[derive(Clone)]
pub(crate) struct Peer {
    server: Arc<Mutex<Server>>,
}

impl Peer {
    /// A server with one unused activation code.
    pub(crate) fn new(clock: Arc<TestClock>, rng: Arc<TestRng>) -> Self {
        let aud = DeploymentId::generate(clock.now(), &*rng);
        let key = || SigningKey::generate(&*rng);
        let (root_key, license_key, receipt_key) = (key(), key(), key());
        let mut server = Server {
            policy: Policy::default(),
            aud,
            roots: Vec::new(),
            fates: VecDeque::new(),
            silent: false,
            codes: BTreeMap::from([(ActivationCode::generate(&*rng).to_string(), None)]),
            installations: Vec::new(),
            facts: UpdateFacts {
                license_is_ours: true,
                revoked: false,
                clone: false,
                terminated: false,
                agreement_end: clock.now().plus_months(120),
                updatable: true,
                shown: None,
                newest: tenure_core::LicenseSerial { epoch: 1, serial: 0 },
            },
            detail: WorkloadDetail::Hashed,
            automatic: true,
            shadow: None,
            points: Points::whole(100),
            epoch: 1,
            since: None,
            extends: true,
            outcomes: BTreeMap::new(),
            push_license: None,
            head_moves: false,
            seen: Vec::new(),
            out_of_steps: 0,
            rejoins: Vec::new(),
            continuity_key: SigningKey::from_seed(&[42; 32]),
            root_key,
            license_key,
            receipt_key,
            clock,
            rng,
        };
        server.publish_root();
        Self { server: Arc::new(Mutex::new(server)) }
    }

    /// The server, to look at and to change.
    pub(crate) fn server(&self) -> MutexGuard<'_, Server> {
        self.server.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The first version of the trust root.
    pub(crate) fn root(&self) -> Envelope {
        self.server().roots[0].clone()
    }

    /// The unused code.
    pub(crate) fn code(&self) -> String {
        self.server().codes.keys().next().unwrap().clone()
    }

    /// Verified documents of a kind that the server holds, in the order of their hashes.
    pub(crate) fn documents<P: Payload>(&self) -> Vec<P> {
        let server = self.server();
        let installation = server.installations.last().unwrap();
        let held = installation.documents.values().filter(|(envelope, _)| envelope.claims::<P>());
        held.map(|(envelope, _)| tenure_license::decode_payload(&envelope.payload).unwrap()).collect()
    }

    /// Final reports by period and revision.
    pub(crate) fn reports(&self) -> BTreeMap<(Period, u32), UsageReport> {
        let reports = self.documents::<UsageReport>();
        reports.into_iter().map(|report| ((report.period, report.revision), report)).collect()
    }

    /// Watermarks by week.
    pub(crate) fn watermarks(&self) -> BTreeMap<tenure_core::Week, Watermark> {
        self.documents::<Watermark>().into_iter().map(|mark| (mark.week, mark)).collect()
    }

    /// Evidence documents.
    pub(crate) fn evidence(&self) -> Vec<WorkloadEvidence> {
        self.documents()
    }
}

impl Peer {
    /// Whether an exchange arrives, and what is wrong with its answer.
    fn fate(&self) -> Result<Fate, NotReached> {
        let mut server = self.server();
        if server.silent {
            return Err(NotReached::Unreachable("connection refused".into()));
        }
        let fate = server.fates.pop_front().unwrap_or(Fate::Answered);
        let refusal = |status, kind: &str, retry_after_secs| {
            let text = format!("status {status} {kind}");
            NotReached::Refused(Refusal { status, kind: kind.into(), text, retry_after_secs })
        };
        match fate {
            Fate::RequestLost => Err(NotReached::Unreachable("the request was lost".into())),
            Fate::Refused(status, retry) => Err(refusal(status, "", retry)),
            Fate::Problem(status, kind) => Err(refusal(status, kind, None)),
            Fate::Answered | Fate::AnswerLost | Fate::Forged => Ok(fate),
        }
    }

    fn forged(&self, envelope: &Envelope) -> Envelope {
        let stranger = SigningKey::generate(&*self.server().rng);
        tenure_license::sign_bytes(&envelope.payload_type, envelope.payload.clone(), &[&stranger])
    }
}

impl Transport for Peer {
    fn activate(&mut self, _: &[String], body: &ActivationExchange) -> Result<ActivationExchangeAnswer, NotReached> {
        let fate = self.fate()?;
        let answer = self.server().activate(body).map_err(NotReached::Refused)?;
        match fate {
            Fate::AnswerLost => Err(NotReached::Unreachable("the answer was lost".into())),
            Fate::Forged => Ok(ActivationExchangeAnswer { answer: self.forged(&answer.answer), ..answer }),
            _ => Ok(answer),
        }
    }

    fn check_in(&mut self, _: &[String], body: &Exchange) -> Result<ExchangeAnswer, NotReached> {
        let fate = self.fate()?;
        let answer = self.server().check_in(body);
        match fate {
            Fate::AnswerLost => Err(NotReached::Unreachable("the answer was lost".into())),
            Fate::Forged => Ok(ExchangeAnswer { answer: self.forged(&answer.answer), ..answer }),
            _ => Ok(answer),
        }
    }

    fn root(&mut self, _: &[String], version: u64) -> Result<Option<Envelope>, NotReached> {
        let server = self.server();
        if server.silent {
            return Err(NotReached::Unreachable("connection refused".into()));
        }
        Ok(server.roots.get(version as usize - 1).cloned())
    }
}
