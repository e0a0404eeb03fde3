//! What the scripted server remembers, and how it decides.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use tenure_agent::transport::Refusal;
use tenure_core::{
    AgreementId, AgreementKind, Clock, DeploymentId, DocumentId, InstallationId, LicenseId, OrgId, Period, Points,
    Policy, Timestamp, UsageType, WorkloadDetail,
    chain::{self, Decision},
    update::{self, UpdateFacts},
    validity,
};
use tenure_license::{
    ActivationAnswer, ActivationCode, ActivationExchange, ActivationExchangeAnswer, ActivationGrant, Agreement,
    Binding, Challenge, CheckInAnswer, CheckInRequest, DocOutcome, Envelope, Exchange, ExchangeAnswer, Hash,
    InlineReceipt, KeyRole, License, LicenseRef, LicensedWorkload, Named, Nonce, OutOfStep, Outcome, Payload, Product,
    PublicKey, RejoinClass, ReportStage, Root, RootKey, SigningKey, TrustRoot, UsageReport, Watermark, Window,
    WorkloadEvidence, sign, verify_activation, verify_with_key,
};

use crate::world::{TestClock, TestRng};

use super::Fate;

/// The server's keys and everything it remembers. Tests look and change as they like.
pub(crate) struct Server {
    pub(crate) clock: Arc<TestClock>,
    pub(crate) rng: Arc<TestRng>,
    pub(crate) policy: Policy,
    pub(crate) aud: DeploymentId,
    pub(crate) root_key: SigningKey,
    pub(crate) license_key: SigningKey,
    pub(crate) receipt_key: SigningKey,
    pub(crate) continuity_key: SigningKey,
    /// All versions of the trust root.
    pub(crate) roots: Vec<Envelope>,
    /// What happens to the next exchanges; then all are answered.
    pub(crate) fates: VecDeque<Fate>,
    /// While set, nothing arrives.
    pub(crate) silent: bool,
    /// Codes and who used them.
    pub(crate) codes: BTreeMap<String, Option<PublicKey>>,
    pub(crate) installations: Vec<Installation>,
    /// The facts of the license update.
    pub(crate) facts: UpdateFacts,
    pub(crate) detail: WorkloadDetail,
    pub(crate) automatic: bool,
    /// The shadow month its licenses name.
    pub(crate) shadow: Option<Period>,
    pub(crate) points: Points,
    pub(crate) epoch: u64,
    pub(crate) since: Option<i64>,
    /// Whether a final report extends at once.
    pub(crate) extends: bool,
    /// Outcomes for documents of a kind of payload, instead of acceptance.
    pub(crate) outcomes: BTreeMap<&'static str, (Outcome, Option<u32>)>,
    /// A license that rides along whatever is held.
    pub(crate) push_license: Option<Envelope>,
    /// The head moves before each exchange: every challenge dies before it is used.
    pub(crate) head_moves: bool,
    /// Requests as they arrived.
    pub(crate) seen: Vec<Exchange>,
    /// Signed out-of-step answers given.
    pub(crate) out_of_steps: u32,
    /// Rejoins and how they were understood.
    pub(crate) rejoins: Vec<chain::RejoinClass>,
}

/// One installation as the server sees it.
pub(crate) struct Installation {
    pub(crate) id: InstallationId,
    pub(crate) key: PublicKey,
    pub(crate) license: LicenseId,
    pub(crate) anchor: Timestamp,
    pub(crate) serial: u64,
    pub(crate) issued: Envelope,
    pub(crate) activation: Envelope,
    pub(crate) head: chain::Head,
    pub(crate) answer: Option<Envelope>,
    /// Documents held: envelope, receipt.
    pub(crate) documents: BTreeMap<Hash, (Envelope, InlineReceipt)>,
    /// Periods whose final report is held.
    pub(crate) reported: BTreeSet<Period>,
}

impl Server {
    /// Signs and publishes the next version of the trust root, with the keys as they are now.
    pub(crate) fn publish_root(&mut self) {
        let version = self.roots.len() as u64 + 1;
        let mut keys: Vec<RootKey> = self
            .roots
            .last()
            .map_or_else(Vec::new, |last| tenure_license::decode_payload::<TrustRoot>(&last.payload).unwrap().keys);
        let now = self.clock.now();
        let all = [
            (&self.root_key, KeyRole::Root),
            (&self.license_key, KeyRole::License),
            (&self.receipt_key, KeyRole::Receipt),
            (&self.continuity_key, KeyRole::Continuity),
        ];
        for (key, role) in all {
            if !keys.iter().any(|known| known.key == key.public()) {
                keys.push(RootKey {
                    key: key.public(),
                    alg: "ed25519".into(),
                    role,
                    from: now.as_secs(),
                    until: now.plus_months(120).as_secs(),
                    revoked: None,
                });
            }
        }
        self.publish_keys(version, keys);
    }

    /// Revokes a key in the next version of the trust root.
    pub(crate) fn revoke(&mut self, key: PublicKey) {
        let last: TrustRoot = tenure_license::decode_payload(&self.roots.last().unwrap().payload).unwrap();
        let mut keys = last.keys;
        for known in keys.iter_mut().filter(|known| known.key == key) {
            known.revoked = Some(self.clock.now().as_secs());
        }
        self.publish_keys(last.version + 1, keys);
    }

    fn publish_keys(&mut self, version: u64, keys: Vec<RootKey>) {
        let now = self.clock.now();
        let vendor = OrgId::from_uuid(uuid::Uuid::from_u128(1));
        let root = TrustRoot {
            v: 1,
            aud: self.aud,
            version,
            vendor: Named { id: vendor, name: "Vendor".into() },
            issued_at: now.as_secs(),
            renew_by: now.plus_months(120).as_secs(),
            keys,
            root_threshold: 1,
            continuity_threshold: 1,
            epoch_floor: 1,
            revoked_continuity: Vec::new(),
            test_clock: true,
            crit: Vec::new(),
        };
        self.roots.push(sign(&root, &[&self.root_key]).into_envelope());
    }

    /// The trust root as it is now.
    pub(crate) fn verifier(&self) -> Root {
        Root::from_chain(self.roots.iter().cloned()).unwrap()
    }

    fn license(&self, installation: Option<(&Installation, u64)>, code: Option<&str>) -> License {
        let now = self.clock.now();
        let anchor = installation.map_or(now, |(installation, _)| installation.anchor);
        let reported = installation.map(|(installation, _)| installation.reported.clone()).unwrap_or_default();
        let run = validity::contiguous(anchor, reported);
        License {
            v: 1,
            aud: self.aud,
            license: installation.map_or(LicenseId::from_uuid(uuid::Uuid::from_u128(7)), |(one, _)| one.license),
            agreement: Agreement {
                id: AgreementId::from_uuid(uuid::Uuid::from_u128(2)),
                number: "A-1".into(),
                kind: AgreementKind::Volume,
            },
            vendor: Named { id: OrgId::from_uuid(uuid::Uuid::from_u128(1)), name: "Vendor".into() },
            provider: Named { id: OrgId::from_uuid(uuid::Uuid::from_u128(3)), name: "Provider".into() },
            company: None,
            product: Product {
                code: "backup".into(),
                name: "Backup".into(),
                edition: "Enterprise".into(),
                version: "12".into(),
            },
            usage_type: UsageType::SingleCustomer,
            workloads: vec![LicensedWorkload {
                workload: "vm".into(),
                variant: String::new(),
                count: 10,
                weight: "10".parse().unwrap(),
            }],
            points: self.points,
            automatic_reporting: self.automatic,
            anchor: self.automatic.then_some(anchor.as_secs()),
            shadow: self.shadow,
            expires_at: validity::expires_at(anchor, run.count, None, &self.policy).as_secs(),
            grace_days: self.policy.grace_days,
            reported_through: run.through,
            issued_at: now.as_secs(),
            epoch: self.epoch,
            serial: installation.map_or(0, |(_, serial)| serial),
            installation: installation.map(|(one, _)| Binding { id: one.id, key: one.key.id() }),
            activation: code.map(|code| ActivationGrant { code: code.into(), until: now.plus_days(3).as_secs() }),
            servers: Vec::new(),
            min_root: 1,
            workload_detail: self.detail,
            crit: Vec::new(),
        }
    }

    /// An activation license with a fresh code.
    pub(crate) fn activation_file(&mut self) -> Envelope {
        let code = ActivationCode::generate(&*self.rng).to_string();
        self.codes.insert(code.clone(), None);
        sign(&self.license(None, Some(&code)), &[&self.license_key]).into_envelope()
    }

    /// A license for the newest installation, changed by the test, signed, and not remembered.
    pub(crate) fn license_like(&self, change: impl FnOnce(&mut License)) -> Envelope {
        let installation = self.installations.last().unwrap();
        let mut license = self.license(Some((installation, installation.serial)), None);
        change(&mut license);
        sign(&license, &[&self.license_key]).into_envelope()
    }

    /// Signs the next serial for an installation.
    pub(crate) fn issue(&mut self, n: usize) {
        let serial = self.installations[n].serial + 1;
        let license = self.license(Some((&self.installations[n], serial)), None);
        self.installations[n].issued = sign(&license, &[&self.license_key]).into_envelope();
        self.installations[n].serial = serial;
    }

    pub(crate) fn activate(&mut self, body: &ActivationExchange) -> Result<ActivationExchangeAnswer, Refusal> {
        let request = verify_activation(&body.request).expect("an activation request is signed by its own key");
        let refuse = |kind: &str| Refusal {
            status: 409,
            kind: kind.into(),
            text: format!("the server says {kind}"),
            retry_after_secs: None,
        };
        let now = self.clock.now();
        let Some(user) = self.codes.get_mut(&request.code) else { return Err(refuse("code-unknown")) };
        match user {
            Some(user) if *user == request.key => {
                let installation = self.installations.iter().find(|one| one.key == request.key).unwrap();
                let (answer, license) = (installation.activation.clone(), installation.issued.clone());
                return Ok(ActivationExchangeAnswer { answer, license });
            }
            Some(_) => return Err(refuse("code-used")),
            None => *user = Some(request.key),
        }
        assert!(self.installations.iter().all(|one| one.key != request.key), "a key registers once");
        let empty = Envelope { payload: Vec::new(), payload_type: String::new(), signatures: Vec::new() };
        self.installations.push(Installation {
            id: InstallationId::generate(now, &*self.rng),
            key: request.key,
            license: LicenseId::from_uuid(uuid::Uuid::from_u128(7)),
            anchor: now.floor_to_second(),
            serial: 0,
            issued: empty.clone(),
            activation: empty,
            head: chain::Head {
                epoch: self.epoch,
                branch: 0,
                seq: 0,
                head: [0; 32],
                req: [0; 32],
                superseded: Vec::new(),
            },
            answer: None,
            documents: BTreeMap::new(),
            reported: BTreeSet::new(),
        });
        let n = self.installations.len() - 1;
        self.issue(n);
        let installation = &self.installations[n];
        let next = update::next_check_in(now, now.plus_months(2), &self.policy);
        let answer = ActivationAnswer {
            v: 1,
            aud: self.aud,
            epoch: self.epoch,
            ins: installation.id,
            key: request.key.id(),
            license: installation.license,
            provider: OrgId::from_uuid(uuid::Uuid::from_u128(3)),
            replaces: None,
            req: request.hash,
            nonce: Nonce::generate(&*self.rng),
            at: now.as_secs(),
            current: reference(&installation.issued),
            next: Window { from: next.from.as_secs(), to: next.to.as_secs() },
            root: self.roots.len() as u64,
            crit: Vec::new(),
        };
        let answer = sign(&answer, &[&self.receipt_key]).into_envelope();
        let installation = &mut self.installations[n];
        installation.head.head = *answer.hash().as_bytes();
        installation.head.req = *request.hash.as_bytes();
        installation.activation = answer.clone();
        Ok(ActivationExchangeAnswer { answer, license: installation.issued.clone() })
    }

    pub(crate) fn check_in(&mut self, body: &Exchange) -> ExchangeAnswer {
        self.seen.push(body.clone());
        let claimed: CheckInRequest = tenure_license::decode_payload(&body.request.payload).unwrap();
        let n = self.installations.iter().position(|one| one.id == claimed.ins).expect("a known installation");
        let request = verify_with_key::<CheckInRequest>(&body.request, &self.installations[n].key).unwrap();
        assert_eq!(request.aud, self.aud);
        assert!(request.docs.len() <= 64 && request.unanswered.len() <= 16);
        let attached: Vec<Hash> = body.documents.iter().map(Envelope::hash).collect();
        assert_eq!(attached, request.docs, "the documents named ride along");
        let held = body.held_answer.as_ref().map(|envelope| {
            let held = self.verifier().verify_held_receipt_role::<CheckInAnswer>(envelope).unwrap();
            chain::Held { hash: *held.hash.as_bytes(), epoch: held.epoch, branch: held.branch, seq: held.seq }
        });
        let unanswered: Vec<_> = request.unanswered.iter().map(|hash| *hash.as_bytes()).collect();
        if self.head_moves {
            let head = &mut self.installations[n].head;
            head.head = *Hash::sha256(head.head).as_bytes();
            head.req = *Hash::sha256(head.req).as_bytes();
            head.seq += 1000;
        }
        let head = &self.installations[n].head;
        let challenge = Challenge::from_bytes(head.head);
        let step = chain::Step {
            hash: *request.hash.as_bytes(),
            seq: request.seq,
            prev: *request.prev.as_bytes(),
            unanswered: &unanswered,
            rejoin: request.rejoin.as_ref().map(|rejoin| chain::Rejoin {
                challenge_is_valid: rejoin.challenge == challenge,
                held: *rejoin.held.as_bytes(),
            }),
            held,
        };
        match chain::decide(head, self.epoch, &step) {
            Decision::Repeat => {
                let answer = self.installations[n].answer.clone().unwrap();
                ExchangeAnswer { answer, license: Some(self.installations[n].issued.clone()) }
            }
            Decision::Extend { branch } => self.answer(n, &request, body, branch, None),
            Decision::Rejoin { class, branch, leaves_tip } => {
                if leaves_tip {
                    self.installations[n].head.superseded = self.installations[n].head.leave();
                }
                self.rejoins.push(class);
                self.answer(n, &request, body, branch, Some(class))
            }
            Decision::OutOfStep => {
                self.out_of_steps += 1;
                let told = OutOfStep {
                    v: 1,
                    aud: self.aud,
                    ins: request.ins,
                    req: request.hash,
                    epoch: self.epoch,
                    seq: head.seq,
                    challenge,
                    crit: Vec::new(),
                };
                ExchangeAnswer { answer: sign(&told, &[&self.receipt_key]).into_envelope(), license: None }
            }
            Decision::Amnesia => panic!("no test lets the server forget"),
        }
    }

    fn answer(
        &mut self,
        n: usize,
        request: &CheckInRequest,
        body: &Exchange,
        branch: u64,
        rejoined: Option<chain::RejoinClass>,
    ) -> ExchangeAnswer {
        let now = self.clock.now();
        let docs: Vec<DocOutcome> = body.documents.iter().map(|document| self.take(n, document)).collect();
        let license = decode_license(&self.installations[n].issued);
        let newest = tenure_core::LicenseSerial { epoch: license.epoch, serial: license.serial };
        let shown = request.lic.as_ref().map(|lic| tenure_core::LicenseSerial { epoch: lic.epoch, serial: lic.serial });
        let updatable = self.facts.updatable && (request.auto_update || request.update_now);
        let clone = self.facts.clone || rejoined == Some(chain::RejoinClass::Clone);
        let facts = UpdateFacts { shown, newest, updatable, clone, ..self.facts };
        let result = update::result(&facts, now);
        let window = |span: update::Span| Window { from: span.from.as_secs(), to: span.to.as_secs() };
        let head = &self.installations[n].head;
        let answer = CheckInAnswer {
            v: 1,
            aud: self.aud,
            epoch: self.epoch,
            ins: request.ins,
            branch,
            seq: request.seq,
            req: body.request.hash(),
            prev: Hash::from_bytes(head.head),
            nonce: Nonce::generate(&*self.rng),
            at: now.as_secs(),
            result,
            docs,
            license: Some(reference(self.push_license.as_ref().unwrap_or(&self.installations[n].issued))),
            next: window(update::next_check_in(now, Timestamp::from_secs(license.expires_at), &self.policy)),
            report: window(update::report_window(Period::of(now), &self.policy)),
            since: self.since,
            rejoined: rejoined.map(|class| match class {
                chain::RejoinClass::ServerRestored => RejoinClass::ServerRestored,
                chain::RejoinClass::Clone => RejoinClass::Clone,
                chain::RejoinClass::SetBack => RejoinClass::SetBack,
            }),
            root: self.roots.len() as u64,
            cp: None,
            crit: Vec::new(),
        };
        let envelope = sign(&answer, &[&self.receipt_key]).into_envelope();
        let rides = self
            .push_license
            .clone()
            .or_else(|| (result == update::UpdateResult::Updated).then(|| self.installations[n].issued.clone()));
        let installation = &mut self.installations[n];
        installation.head = chain::Head {
            epoch: self.epoch,
            branch,
            seq: request.seq,
            head: *envelope.hash().as_bytes(),
            req: *body.request.hash().as_bytes(),
            superseded: installation.head.superseded.clone(),
        };
        installation.answer = Some(envelope.clone());
        ExchangeAnswer { answer: envelope, license: rides }
    }

    fn take(&mut self, n: usize, document: &Envelope) -> DocOutcome {
        let now = self.clock.now();
        let hash = document.hash();
        let told = |outcome, receipt, have_revision| DocOutcome { hash, outcome, receipt, have_revision };
        if let Some((_, receipt)) = self.installations[n].documents.get(&hash) {
            return told(Outcome::Repeated, Some(receipt.clone()), None);
        }
        let (key, ins) = (self.installations[n].key, self.installations[n].id);
        let mut extends = None;
        let ends = match document.payload_type.as_str() {
            UsageReport::TYPE => {
                let report = verify_with_key::<UsageReport>(document, &key).unwrap();
                assert_eq!((report.ins, report.aud), (ins, self.aud));
                assert!(report.lines.iter().all(|line| line.daily.len() == report.period.days().count()));
                assert!(!report.heads.is_empty(), "a report without a counted day");
                extends = (report.stage == ReportStage::Final).then_some(report.period);
                report.period.end()
            }
            Watermark::TYPE => {
                let mark = verify_with_key::<Watermark>(document, &key).unwrap();
                assert!(mark.lines.iter().all(|line| line.daily.len() == 7));
                mark.week.end()
            }
            WorkloadEvidence::TYPE => {
                let evidence = verify_with_key::<WorkloadEvidence>(document, &key).unwrap();
                assert!(evidence.rows.len() <= 1000);
                evidence.period.end()
            }
            other => panic!("a document of type {other}"),
        };
        if now < ends {
            return told(Outcome::NotYet, None, None);
        }
        let scripted = self.outcomes.get(document.payload_type.as_str()).copied();
        let (outcome, have_revision) = scripted.unwrap_or((Outcome::Accepted, None));
        if matches!(outcome, Outcome::Invalid | Outcome::TooOld | Outcome::Absent | Outcome::NotYet) {
            return told(outcome, None, have_revision);
        }
        let id = DocumentId::generate(now, &*self.rng);
        let receipt = InlineReceipt { id, epoch: self.epoch, received_at: now.as_secs() };
        self.installations[n].documents.insert(hash, (document.clone(), receipt.clone()));
        if let Some(period) = extends.filter(|_| outcome == Outcome::Accepted)
            && self.installations[n].reported.insert(period)
            && self.extends
        {
            self.issue(n);
        }
        told(outcome, Some(receipt), have_revision)
    }
}

fn reference(license: &Envelope) -> LicenseRef {
    let payload = decode_license(license);
    LicenseRef { id: payload.license, epoch: payload.epoch, serial: payload.serial, hash: license.hash() }
}

fn decode_license(envelope: &Envelope) -> License {
    tenure_license::decode_payload(&envelope.payload).unwrap()
}
