//! An installation over real HTTP, without an agent around it: it signs, sends the same bytes again until it is answered,
//! and checks what it gets. For load, races and faults, where each message matters.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use tenure_core::{BootId, DeploymentId, InstallationId, LicenseId, Period, Rng, Timestamp, Week};
use tenure_license::{
    ActivationAnswer, ActivationExchange, ActivationExchangeAnswer, ActivationRequest, CheckInAnswer, CheckInRequest,
    ClockFacts, Envelope, Exchange, ExchangeAnswer, Hash, HostFacts, LicenseRef, Nonce, ReportLine, ReportStage, Root,
    SigningKey, UsageReport, Versions, Watermark, WatermarkLine, sign,
};

/// An installation under a test's control.
pub struct Product {
    /// Its key.
    pub key: SigningKey,
    /// Its id.
    pub ins: InstallationId,
    /// The license it activated.
    pub license: LicenseId,
    /// The deployment.
    pub aud: DeploymentId,
    /// Product code.
    pub product: String,
    /// Sequence number of its last request.
    pub seq: u64,
    /// `H` of the last answer it holds.
    pub prev: Hash,
    /// The newest license it holds.
    pub held: LicenseRef,
    root: Arc<Root>,
    rng: Arc<dyn Rng>,
    agent: ureq::Agent,
}

/// Whether an attempt reached an answer.
pub enum Attempt {
    /// 200, and the answer verifies.
    Answered(Box<CheckInAnswer>),
    /// No answer, or one that proves nothing: the same bytes go out again.
    NotReached(String),
}

impl Product {
    /// Activates with a one-time code.
    ///
    /// # Errors
    /// When the server cannot be reached, refuses, or its answer does not verify.
    pub fn activate(
        server: &str,
        root: Arc<Root>,
        rng: Arc<dyn Rng>,
        code: &str,
        product: &str,
        now: Timestamp,
    ) -> Result<Self> {
        let key = SigningKey::generate(&*rng);
        let request = ActivationRequest {
            v: 1,
            aud: root.payload().aud,
            code: code.to_owned(),
            key: key.public(),
            product: product.to_owned(),
            nonce: Nonce::generate(&*rng),
            host: HostFacts { name: "product.example".to_owned(), ..HostFacts::default() },
            versions: versions(),
            at: now.as_secs(),
            crit: Vec::new(),
        };
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(20)))
            .http_status_as_error(false)
            .build();
        let agent = config.new_agent();
        let body = ActivationExchange { request: sign(&request, &[&key]).into_envelope() };
        let mut response = agent
            .post(format!("{server}/product/v1/activate"))
            .header("content-type", "application/json")
            .send(serde_json::to_vec(&body)?)?;
        let text = response.body_mut().read_to_string()?;
        ensure!(response.status() == 200, "activation: {}: {text}", response.status());
        let answer: ActivationExchangeAnswer = serde_json::from_str(&text)?;
        let activated = root.verify_receipt_role::<ActivationAnswer>(&answer.answer)?;
        let license = root.verify_license(&answer.license)?;
        ensure!(activated.current.hash == license.hash, "the answer names another license than the one beside it");
        let prev = activated.hash;
        let activated = activated.into_inner();
        Ok(Self {
            key,
            ins: activated.ins,
            license: activated.license,
            aud: activated.aud,
            product: product.to_owned(),
            seq: 0,
            prev,
            held: activated.current,
            root,
            rng,
            agent,
        })
    }

    /// The next check-in, signed; `documents` ride along.
    pub fn exchange(&mut self, now: Timestamp, documents: Vec<Envelope>) -> Exchange {
        self.seq += 1;
        let request = CheckInRequest {
            v: 1,
            aud: self.aud,
            ins: self.ins,
            seq: self.seq,
            prev: self.prev,
            unanswered: Vec::new(),
            nonce: Nonce::generate(&*self.rng),
            docs: documents.iter().map(Envelope::hash).collect(),
            lic: Some(self.held.clone()),
            root: 1,
            clock: ClockFacts {
                effective: now.as_secs(),
                system: now.as_secs(),
                boot: BootId(uuid::Uuid::from_u128(1)),
            },
            host: HostFacts { name: "product.example".to_owned(), ..HostFacts::default() },
            daily: None,
            versions: versions(),
            auto_update: true,
            update_now: false,
            rejoin: None,
            new_key: None,
            crit: Vec::new(),
        };
        Exchange { documents, ..Exchange::new(sign(&request, &[&self.key]).into_envelope()) }
    }

    /// Sends a body once and takes the answer, if one comes.
    ///
    /// # Errors
    /// When an answer comes that no product may accept: then something is wrong, not just unreachable.
    pub fn attempt(&mut self, server: &str, body: &Exchange) -> Result<Attempt> {
        let sent = self
            .agent
            .post(format!("{server}/product/v1/check-in"))
            .header("content-type", "application/json")
            .send(serde_json::to_vec(body)?);
        let mut response = match sent {
            Ok(response) => response,
            Err(error) => return Ok(Attempt::NotReached(error.to_string())),
        };
        let status = response.status();
        let text = match response.body_mut().read_to_string() {
            Ok(text) => text,
            Err(error) => return Ok(Attempt::NotReached(error.to_string())),
        };
        if status.is_server_error() {
            return Ok(Attempt::NotReached(text));
        }
        if status != 200 {
            bail!("check-in: {status}: {text}");
        }
        let answer: ExchangeAnswer = serde_json::from_str(&text).context("an answer")?;
        let verified = self.root.verify_receipt_role::<CheckInAnswer>(&answer.answer)?;
        ensure!(verified.req == body.request.hash(), "the answer is bound to another request");
        ensure!(verified.prev == self.prev, "the answer continues another head");
        if let (Some(envelope), Some(reference)) = (&answer.license, &verified.license) {
            ensure!(self.root.verify_license(envelope)?.hash == reference.hash, "another license rides along");
            let newer = (reference.epoch, reference.serial) > (self.held.epoch, self.held.serial);
            ensure!(newer, "a license that is not newer rides along");
            self.held = reference.clone();
        }
        self.prev = verified.hash;
        Ok(Attempt::Answered(Box::new(verified.into_inner())))
    }

    /// A signed report of one level figure.
    pub fn report(
        &self,
        period: Period,
        revision: u32,
        replaces: Option<Hash>,
        stage: ReportStage,
        workload: &str,
        count: u32,
    ) -> Envelope {
        let line = level(period, (workload, ""), count);
        self.report_lines(period, revision, replaces, stage, vec![line])
    }

    /// A signed report of any lines.
    pub fn report_lines(
        &self,
        period: Period,
        revision: u32,
        replaces: Option<Hash>,
        stage: ReportStage,
        lines: Vec<ReportLine>,
    ) -> Envelope {
        let report = UsageReport {
            v: 1,
            aud: self.aud,
            ins: self.ins,
            license: self.license,
            period,
            revision,
            replaces,
            stage,
            made_at: period.end().as_secs(),
            product: self.product.clone(),
            lines,
            heads: Vec::new(),
            evidence: None,
            crit: Vec::new(),
        };
        sign(&report, &[&self.key]).into_envelope()
    }

    /// A signed watermark of one week.
    pub fn watermark(&self, week: Week, lines: Vec<WatermarkLine>) -> Envelope {
        let watermark =
            Watermark { v: 1, aud: self.aud, ins: self.ins, license: self.license, week, lines, crit: Vec::new() };
        sign(&watermark, &[&self.key]).into_envelope()
    }
}

/// A report's line with the same figure on each day; of a workload type's code and a variant's.
pub fn level(period: Period, (workload, variant): (&str, &str), count: u32) -> ReportLine {
    ReportLine {
        workload: workload.to_owned(),
        variant: variant.to_owned(),
        raw: count,
        count,
        new: 0,
        daily: vec![Some(count); period.days().count()],
        adjustments: Vec::new(),
    }
}

fn versions() -> Versions {
    Versions { agent: "0.1.0".to_owned(), product: "1.0".to_owned() }
}
