//! An installation as a test plays it: it signs what a product would sign, and checks what it gets.

use axum::{
    body::Body,
    http::{Method, Request},
};
use tenure_core::{BootId, DeploymentId, InstallationId, LicenseId, Period, Rng, Timestamp, Week};
use tenure_license::{
    ActivationAnswer, ActivationExchange, ActivationExchangeAnswer, ActivationRequest, CheckInAnswer, CheckInRequest,
    ClockFacts, Envelope, Exchange, ExchangeAnswer, Hash, HostFacts, License, LicenseRef, Nonce, OfflineAsk,
    OfflineFile, OfflineRequest, OutOfStep, Rejoin, ReportLine, ReportStage, SigningKey, UsageReport, Verified,
    Versions, Watermark, WatermarkLine, armor, offline_body, sign,
};

use crate::{Answer, TestApp, from};

const JSON: &str = "application/json";

/// A product server under the test's control.
pub struct TestInstallation {
    /// Its key.
    pub key: SigningKey,
    /// Its id.
    pub ins: InstallationId,
    /// The deployment.
    pub aud: DeploymentId,
    /// The license it activated.
    pub license: LicenseId,
    /// The activation's answer.
    pub activation: Envelope,
    /// Product code.
    pub product: String,
    /// Host name it tells.
    pub host: String,
    /// Machine id that it tells of, salted and hashed as a product does.
    pub machine: Option<Hash>,
    /// Sequence number of its last request.
    pub seq: u64,
    /// The last answer it holds.
    pub prev: Hash,
    /// The envelope of that answer.
    pub held_answer: Option<Envelope>,
    /// The newest license it holds.
    pub held: Option<LicenseRef>,
    /// That license.
    pub held_license: Option<License>,
    /// That license as it was signed.
    pub held_envelope: Option<Envelope>,
}

impl Clone for TestInstallation {
    /// A virtual machine's copy: the same key, the same state.
    fn clone(&self) -> Self {
        Self {
            key: SigningKey::from_seed(&self.key.seed()),
            product: self.product.clone(),
            host: self.host.clone(),
            machine: self.machine,
            activation: self.activation.clone(),
            held_answer: self.held_answer.clone(),
            held: self.held.clone(),
            held_license: self.held_license.clone(),
            held_envelope: self.held_envelope.clone(),
            ..*self
        }
    }
}

impl TestInstallation {
    /// Activates a fresh installation with a code.
    ///
    /// # Panics
    /// When the server refuses, or its answer does not verify.
    pub async fn activate(app: &TestApp, code: &str, product: &str, host: &str) -> Self {
        let key = SigningKey::generate(&*app.rng);
        let answer = Self::try_activate(app, &key, code, product, host).await.expect(200);
        let answer: ActivationExchangeAnswer = serde_json::from_slice(&answer.body).expect("an activation answer");
        let root = app.root();
        let activated = root.verify_receipt_role::<ActivationAnswer>(&answer.answer).expect("our answer verifies");
        let license = root.verify_license(&answer.license).expect("our license verifies");
        assert_eq!(activated.current.hash, license.hash, "the answer names the license beside it");
        Self {
            key,
            ins: activated.ins,
            aud: activated.aud,
            license: activated.license,
            activation: answer.answer,
            product: product.to_owned(),
            host: host.to_owned(),
            machine: None,
            seq: 0,
            prev: activated.hash,
            held_answer: None,
            held: Some(activated.current.clone()),
            held_license: Some(license.into_inner()),
            held_envelope: Some(answer.license),
        }
    }

    /// Sends an activation and gives whatever comes back.
    ///
    /// # Panics
    /// When the request cannot be built.
    pub async fn try_activate(app: &TestApp, key: &SigningKey, code: &str, product: &str, host: &str) -> Answer {
        Self::ask_to_join(app, key, code, product, host, None).await
    }

    /// The same from an address.
    ///
    /// # Panics
    /// When the address is none, or the request cannot be built.
    pub async fn try_activate_from(
        app: &TestApp,
        address: &str,
        key: &SigningKey,
        code: &str,
        product: &str,
        host: &str,
    ) -> Answer {
        Self::ask_to_join(app, key, code, product, host, Some(address)).await
    }

    async fn ask_to_join(
        app: &TestApp,
        key: &SigningKey,
        code: &str,
        product: &str,
        host: &str,
        address: Option<&str>,
    ) -> Answer {
        let request = ActivationRequest {
            v: 1,
            aud: app.service.deployment().id,
            code: code.to_owned(),
            key: key.public(),
            product: product.to_owned(),
            nonce: Nonce::generate(&*app.rng),
            host: HostFacts { name: host.to_owned(), ..HostFacts::default() },
            versions: versions(),
            at: app.service.now().as_secs(),
            crit: Vec::new(),
        };
        let body = ActivationExchange { request: sign(&request, &[key]).into_envelope() };
        let body = serde_json::to_value(&body).expect("a body");
        match address {
            None => app.call(Method::POST, "/product/v1/activate", None, Some(body), &[]).await,
            Some(address) => {
                let request = from(address, Request::post("/product/v1/activate").header("content-type", JSON));
                app.send(request.map(|_| Body::from(body.to_string()))).await
            }
        }
    }

    /// The next request, not sent yet; `documents` ride along.
    pub fn request(&mut self, rng: &dyn Rng, now: Timestamp, documents: &[Envelope]) -> CheckInRequest {
        self.seq += 1;
        CheckInRequest {
            v: 1,
            aud: self.aud,
            ins: self.ins,
            seq: self.seq,
            prev: self.prev,
            unanswered: Vec::new(),
            nonce: Nonce::generate(rng),
            docs: documents.iter().map(Envelope::hash).collect(),
            lic: self.held.clone(),
            root: 1,
            clock: ClockFacts {
                effective: now.as_secs(),
                system: now.as_secs(),
                boot: BootId(uuid::Uuid::from_u128(1)),
            },
            host: HostFacts { name: self.host.clone(), machine: self.machine, ..HostFacts::default() },
            daily: None,
            versions: versions(),
            auto_update: true,
            update_now: false,
            rejoin: None,
            new_key: None,
            crit: Vec::new(),
        }
    }

    /// Signs a request into the body that carries it.
    pub fn exchange(&self, request: &CheckInRequest, documents: Vec<Envelope>) -> Exchange {
        Exchange { documents, ..Exchange::new(sign(request, &[&self.key]).into_envelope()) }
    }

    /// A body as the file that carries it by hand (A9).
    pub fn request_file(&self, app: &TestApp, body: Exchange) -> String {
        let req = body.request.hash();
        request_file(app, &self.key, req, &OfflineAsk::CheckIn(Box::new(body)), self.aud)
    }

    /// The next request, handing over to `new`: signed by both keys.
    pub fn rotation(&mut self, rng: &dyn Rng, now: Timestamp, new: &SigningKey) -> Exchange {
        let request = CheckInRequest { new_key: Some(new.public()), ..self.request(rng, now, &[]) };
        Exchange::new(sign(&request, &[&self.key, new]).into_envelope())
    }

    /// Sends a body and gives whatever comes back.
    ///
    /// # Panics
    /// When the body cannot be written.
    pub async fn post(app: &TestApp, body: &Exchange) -> Answer {
        let body = serde_json::to_value(body).expect("a body");
        app.call(Method::POST, "/product/v1/check-in", None, Some(body), &[]).await
    }

    /// Checks in and takes what comes.
    ///
    /// # Panics
    /// When the server refuses, or its answer does not verify.
    pub async fn check_in(&mut self, app: &TestApp, documents: Vec<Envelope>) -> CheckInAnswer {
        let request = self.request(&*app.rng, app.service.now(), &documents);
        let body = self.exchange(&request, documents);
        let answer = Self::post(app, &body).await.expect(200);
        self.absorb(app, &body, &answer)
    }

    /// Takes an answer as a product would: bound to the request, signed by the receipt key; a license that rides along is
    /// installed.
    ///
    /// # Panics
    /// When it does not verify.
    pub fn absorb(&mut self, app: &TestApp, sent: &Exchange, answer: &Answer) -> CheckInAnswer {
        let answer: ExchangeAnswer = serde_json::from_slice(&answer.body).expect("an answer");
        let root = app.root();
        let verified = root.verify_receipt_role::<CheckInAnswer>(&answer.answer).expect("our answer verifies");
        assert_eq!(verified.req, sent.request.hash(), "the answer is bound to the request");
        if let Some(envelope) = &answer.license {
            let license = root.verify_license(envelope).expect("our license verifies");
            let reference = verified.license.clone().expect("a license that rides along is named");
            assert_eq!(reference.hash, license.hash);
            self.held = Some(reference);
            self.held_license = Some(license.into_inner());
            self.held_envelope = Some(envelope.clone());
        }
        self.prev = verified.hash;
        self.held_answer = Some(answer.answer);
        verified.into_inner()
    }

    /// Rejoins after `out_of_step`.
    ///
    /// # Panics
    /// When the refusal does not verify, or the rejoin is refused.
    pub async fn rejoin(&mut self, app: &TestApp, refused: &Answer) -> CheckInAnswer {
        let refusal = Self::out_of_step(app, refused);
        let held = self.held_answer.clone().expect("an answer is held");
        self.seq = self.seq.max(refusal.seq);
        let mut request = self.request(&*app.rng, app.service.now(), &[]);
        request.rejoin = Some(Rejoin { challenge: refusal.challenge, held: held.hash() });
        let mut body = self.exchange(&request, Vec::new());
        body.held_answer = Some(held);
        // As the agent does: the server may not have it any more (E1).
        body.license.clone_from(&self.held_envelope);
        let answer = Self::post(app, &body).await.expect(200);
        self.absorb(app, &body, &answer)
    }

    /// The signed refusal in a 409.
    ///
    /// # Panics
    /// When it is none.
    pub fn out_of_step(app: &TestApp, refused: &Answer) -> Verified<OutOfStep> {
        assert_eq!(refused.status, 409, "{}", refused.text());
        let answer: ExchangeAnswer = serde_json::from_slice(&refused.body).expect("an answer");
        app.root().verify_receipt_role::<OutOfStep>(&answer.answer).expect("our refusal verifies")
    }

    /// A report of one figure per workload type, level over the month.
    pub fn report(
        &self,
        period: Period,
        revision: u32,
        stage: ReportStage,
        figures: &[(&str, &str, u32, u32)],
    ) -> UsageReport {
        let days = period.days().count();
        UsageReport {
            v: 1,
            aud: self.aud,
            ins: self.ins,
            license: self.license,
            period,
            revision,
            replaces: None,
            stage,
            made_at: period.end().as_secs(),
            product: self.product.clone(),
            lines: figures
                .iter()
                .map(|(workload, variant, count, new)| ReportLine {
                    workload: (*workload).to_owned(),
                    variant: (*variant).to_owned(),
                    raw: *count,
                    count: *count,
                    new: *new,
                    daily: vec![Some(*count); days],
                    adjustments: Vec::new(),
                })
                .collect(),
            heads: Vec::new(),
            evidence: None,
            crit: Vec::new(),
        }
    }

    /// A watermark of one level figure per workload type.
    pub fn watermark(&self, week: Week, figures: &[(&str, &str, u32)]) -> Envelope {
        let watermark = Watermark {
            v: 1,
            aud: self.aud,
            ins: self.ins,
            license: self.license,
            week,
            lines: figures
                .iter()
                .map(|(workload, variant, count)| WatermarkLine {
                    workload: (*workload).to_owned(),
                    variant: (*variant).to_owned(),
                    daily: vec![Some(*count); 7],
                })
                .collect(),
            crit: Vec::new(),
        };
        sign(&watermark, &[&self.key]).into_envelope()
    }

    /// Signs a report.
    pub fn sign_report(&self, report: &UsageReport) -> Envelope {
        sign(report, &[&self.key]).into_envelope()
    }
}

/// A request file, its cover signed by `key` and meant for `aud`.
pub fn request_file(app: &TestApp, key: &SigningKey, req: Hash, ask: &OfflineAsk, aud: DeploymentId) -> String {
    let body = offline_body(ask);
    let at = app.service.now().as_secs();
    let cover = OfflineRequest { v: 1, aud, req, body: Hash::sha256(body.get()), at, crit: Vec::new() };
    let file = OfflineFile { cover: sign(&cover, &[key]).into_envelope(), body };
    file.to_text(armor::OFFLINE_REQUEST, &[])
}

fn versions() -> Versions {
    Versions { agent: "0.1.0".to_owned(), product: "1.0".to_owned() }
}
