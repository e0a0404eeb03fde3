//! Licenses in bulk: copies of one that was rented, with its product server and what that sent for a month. Benchmarks
//! need more of them than could be rented and activated one by one; only the server's own rows are multiplied, so nobody
//! holds the keys of the copies.

use anyhow::{Context, Result};
use tenure_core::{InstallationId, LicenseId, OrgId, Period, Rng, TemplateId, Timestamp};
use tenure_server::SystemRng;
use tenure_store::{
    Queue, Store, StoreError, Tx,
    rows::{
        chain::{self, Beginning, ChainRow},
        installation::{self, InstallationRow, KeyOwnerRow},
        issued_license::{self, IssuedKey, IssuedRow, NewIssued},
        license::{self, LicenseRow},
        obligation::{self, CandidateRow},
        report::{self, ReportRow},
        template::{self, TemplateRow},
        watermark::{self, WatermarkRow},
    },
};

/// Copies of one transaction.
const BATCH: usize = 100;

/// A license with everything that hangs on it.
#[derive(Clone)]
pub(super) struct Original {
    template: TemplateRow,
    license: LicenseRow,
    installation: InstallationRow,
    chain: ChainRow,
    issued: IssuedRow,
    period: Period,
    report: ReportRow,
    watermarks: Vec<WatermarkRow>,
}

impl Original {
    /// Reads one that has one installation, which reported `period`.
    pub(super) async fn read(store: &Store, provider: OrgId, id: LicenseId, period: Period) -> Result<Self> {
        let mut read = store.read().await?;
        let license = license::find(&mut read, provider, id).await?.context("the license was made")?;
        let template = template::find(&mut read, provider, license.template).await?.context("it has a template")?;
        let installation = installation::of_license(&mut read, provider, id).await?.pop().context("it is installed")?;
        let chain = chain::find(&mut read, installation.id).await?.context("it was activated")?;
        let issued = issued_license::newest(&mut read, provider, id, installation.id).await?;
        let report = report::of_license(&mut read, provider, period, id).await?.pop().context("it reported")?;
        let watermarks = watermark::of_license(&mut read, provider, period, id).await?;
        let issued = issued.context("it has a license")?;
        Ok(Self { template, license, installation, chain, issued, period, report, watermarks })
    }

    /// Makes so many copies of it; their ids, in the order they were made.
    pub(super) async fn multiply(&self, store: &Store, copies: usize) -> Result<Vec<LicenseId>> {
        let mut made = Vec::with_capacity(copies);
        while made.len() < copies {
            let (original, count) = (self.clone(), BATCH.min(copies - made.len()));
            let batch = async move |tx: &mut Tx| {
                let mut ids = Vec::with_capacity(count);
                for _ in 0..count {
                    ids.push(original.copy(tx).await?);
                }
                Ok::<_, StoreError>(ids)
            };
            made.extend(store.write(Queue::Jobs, batch).await?);
        }
        Ok(made)
    }

    /// The serial it was issued with last, which its copies begin with.
    pub(super) fn serial(&self) -> u64 {
        self.license.issued.serial
    }

    async fn copy(&self, tx: &mut Tx) -> Result<LicenseId, StoreError> {
        let (rng, at) = (SystemRng, self.license.assigned);
        let provider = self.license.provider;
        let (id, template) = (LicenseId::generate(at, &rng), TemplateId::generate(at, &rng));
        let unassigned = TemplateRow { id: template, license: None, ..self.template.clone() };
        template::insert(tx, &unassigned).await?;
        template::assign(tx, provider, template, id).await?;
        license::insert(tx, &LicenseRow { id, template, ..self.license.clone() }).await?;
        let installation = self.install(tx, id, &rng, at).await?;
        let candidate = CandidateRow {
            provider,
            installation,
            license: id,
            activated: self.installation.activated,
            retired: None,
            license_ended: None,
        };
        obligation::insert_many(tx, self.period, &[candidate]).await?;
        let report = ReportRow { installation, license: id, ..self.report.clone() };
        report::upsert(tx, provider, self.period, &report).await?;
        for week in &self.watermarks {
            let week = WatermarkRow { installation, license: id, ..week.clone() };
            watermark::insert(tx, provider, self.period, &week).await?;
        }
        Ok(id)
    }

    /// Its product server, with the license that it holds.
    async fn install(
        &self,
        tx: &mut Tx,
        license: LicenseId,
        rng: &SystemRng,
        at: Timestamp,
    ) -> Result<InstallationId, StoreError> {
        let provider = self.license.provider;
        let id = InstallationId::generate(at, rng);
        let (mut public_key, mut key_id) = ([0; 32], [0; 32]);
        rng.fill(&mut public_key);
        rng.fill(&mut key_id);
        installation::insert(tx, &InstallationRow { id, license, ..self.installation.clone() }).await?;
        let key = KeyOwnerRow { key_id, public_key, provider, installation: id, retired: None };
        installation::insert_key(tx, &key, at).await?;
        let beginning = Beginning {
            installation: id,
            provider,
            key_id,
            epoch: self.chain.epoch,
            head: self.chain.head,
            req: self.chain.req,
            answer: &self.chain.answer,
            now: self.chain.seen,
            license,
            contract_ends: self.chain.contract_ends,
        };
        chain::begin(tx, &beginning).await?;
        let (epoch, serial) = (self.issued.epoch, self.issued.serial);
        let new = NewIssued {
            license,
            installation: id,
            serial,
            hash: self.issued.hash,
            payload: String::from_utf8_lossy(&self.issued.payload).into_owned(),
            expires: self.issued.expires,
            contract_ends: self.chain.contract_ends,
        };
        issued_license::insert_many(tx, provider, epoch, self.issued.issued, &[new]).await?;
        if let Some(envelope) = &self.issued.envelope {
            let key = IssuedKey { provider, license, installation: id, epoch, serial };
            // The first trust root: a benchmark never rotates its keys.
            issued_license::sign(tx, key, envelope, 1).await?;
        }
        license::set_serials(tx, provider, epoch, &[(license, serial)]).await?;
        Ok(id)
    }
}
