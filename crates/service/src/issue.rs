//! Writing licenses: what the next one of an installation says. Its payload is committed first and signed after COMMIT
//! (invariant 5, E11).

use std::collections::{BTreeMap, BTreeSet};

use tenure_core::{
    AgreementId, CompanyId, InstallationId, LicenseId, LicenseSerial, OrgId, Period, Points, ProductId, Timestamp,
    validity::{Validity, contiguous, key_points},
};
use tenure_license::{
    ActivationGrant, Agreement, Binding, Envelope, Hash, KeyId, License, LicensedWorkload, Named, Payload, Product,
    encode_payload,
};
use tenure_store::{
    Conn, Queue, Tx,
    rows::{
        agreement::{self, AgreementRow},
        company, extension,
        issued_license::{self, IssuedKey, NewIssued},
        license::{self, LicenseRow},
        org,
        product::{self, ProductRow, Weights},
    },
};

use crate::{Error, ProblemKind, Result, Service, license_shadow, take_up_keys};

/// What a license is made of, beside its own row.
#[derive(Default)]
pub(crate) struct Around {
    provider_name: String,
    agreements: BTreeMap<AgreementId, AgreementRow>,
    products: BTreeMap<ProductId, (ProductRow, Weights)>,
    companies: BTreeMap<CompanyId, String>,
    reported: BTreeMap<LicenseId, BTreeSet<Period>>,
}

/// A license with what activation must know of it.
pub(crate) struct Context {
    /// It was revoked or deleted.
    pub(crate) ended: bool,
    /// The code compiled into its product.
    pub(crate) product_code: String,
    /// The agreement's end.
    pub(crate) agreement_ends: Timestamp,
}

/// Reads what activation must know of a license.
pub(crate) async fn context(conn: &mut Conn, provider: OrgId, license: LicenseId) -> Result<Context> {
    let row = license::find(conn, provider, license).await?.ok_or(ProblemKind::NotFound)?;
    let product = product::find(conn, row.product).await?.ok_or(Error::Internal("a license of no product"))?;
    let agreement = agreement::find(conn, provider, row.agreement).await?;
    let agreement = agreement.ok_or(Error::Internal("a license of no agreement"))?;
    Ok(Context { ended: row.ended.is_some(), product_code: product.code, agreement_ends: agreement.end() })
}

impl Around {
    /// Reads what these licenses of one provider need, each thing once.
    pub(crate) async fn of(conn: &mut Conn, provider: OrgId, rows: &[LicenseRow], period: Period) -> Result<Self> {
        let org = org::find(conn, provider).await?.ok_or(Error::Internal("a license of no provider"))?;
        let mut around = Self { provider_name: org.name, ..Self::default() };
        for agreement in agreement::of_provider(conn, provider).await? {
            around.agreements.insert(agreement.id, agreement);
        }
        for id in rows.iter().map(|row| row.product).collect::<BTreeSet<_>>() {
            let product = product::find(conn, id).await?.ok_or(Error::Internal("a license of no product"))?;
            around.products.insert(id, (product, product::weights(conn, id, period).await?));
        }
        let companies: BTreeSet<CompanyId> = rows.iter().filter_map(|row| row.company).collect();
        if !companies.is_empty() {
            let ids: Vec<CompanyId> = companies.into_iter().collect();
            around.companies = company::names(conn, provider, &ids).await?.into_iter().collect();
        }
        let ids: Vec<LicenseId> = rows.iter().map(|row| row.id).collect();
        around.reported = extension::of_licenses(conn, provider, &ids).await?;
        Ok(around)
    }

    /// The product of a license and its weights.
    pub(crate) fn product(&self, row: &LicenseRow) -> Result<&(ProductRow, Weights)> {
        self.products.get(&row.product).ok_or(Error::Internal("a license of no product"))
    }

    /// The name of the company that holds a license.
    pub(crate) fn company(&self, row: &LicenseRow) -> Result<Option<Named<CompanyId>>> {
        let named = |id| self.companies.get(&id).cloned().map(|name| Named { id, name });
        row.company.map(|id| named(id).ok_or(Error::Internal("a license of no company"))).transpose()
    }

    /// The agreement of a license.
    pub(crate) fn agreement(&self, row: &LicenseRow) -> Result<&AgreementRow> {
        self.agreements.get(&row.agreement).ok_or(Error::Internal("a license of no agreement"))
    }

    /// The reported periods of a license.
    pub(crate) fn reported(&self, row: &LicenseRow) -> impl Iterator<Item = Period> {
        self.reported.get(&row.id).into_iter().flatten().copied()
    }

    /// The end of a license's validity ("Validity").
    pub(crate) fn expires_at(&self, service: &Service, row: &LicenseRow) -> Result<Timestamp> {
        let end = self.agreement(row)?.end();
        Ok(validity(row)?.expires_at(self.reported(row), Some(end), service.policy()).floor_to_second())
    }

    /// The payload of a license, bound to nothing yet.
    fn payload(&self, service: &Service, row: &LicenseRow, serial: LicenseSerial, now: Timestamp) -> Result<License> {
        let deployment = service.deployment();
        let agreement = self.agreement(row)?;
        let (product, weights) = self.product(row)?;
        let company = self.company(row)?;
        let workloads = row
            .workloads
            .iter()
            .map(|counted| {
                let key = (counted.workload.clone(), counted.variant.clone());
                let weight = *weights.get(&key).ok_or(Error::Internal("a workload type without a weight"))?;
                let (workload, variant) = key;
                Ok(LicensedWorkload { workload, variant, count: counted.count, weight })
            })
            .collect::<Result<Vec<_>>>()?;
        let points: Points = workloads.iter().map(|each| each.weight.times(i64::from(each.count))).sum();
        let anchor = row.anchor.filter(|_| row.reporting.extends());
        Ok(License {
            v: 1,
            aud: deployment.id,
            license: row.id,
            agreement: Agreement { id: agreement.id, number: agreement.number.clone(), kind: agreement.kind },
            vendor: Named { id: deployment.vendor, name: deployment.vendor_name.clone() },
            provider: Named { id: row.provider, name: self.provider_name.clone() },
            company,
            product: Product {
                code: product.code.clone(),
                name: product.name.clone(),
                edition: product.edition.clone(),
                version: product.version.clone(),
            },
            usage_type: row.usage_type,
            workloads,
            points: key_points(points),
            automatic_reporting: row.reporting.extends(),
            anchor: anchor.map(Timestamp::as_secs),
            shadow: license_shadow::running(row, now),
            expires_at: self.expires_at(service, row)?.as_secs(),
            grace_days: service.policy().grace_days,
            reported_through: anchor.and_then(|anchor| contiguous(anchor, self.reported(row)).through),
            issued_at: now.as_secs(),
            epoch: serial.epoch,
            serial: serial.serial,
            installation: None,
            activation: None,
            servers: deployment.servers.clone(),
            min_root: service.trust().min_root,
            workload_detail: service.policy().workload_detail,
            crit: Vec::new(),
        })
    }
}

/// How the end of a license's validity is found: from its anchor while reports extend it, else as a person chose.
pub(crate) fn validity(row: &LicenseRow) -> Result<Validity> {
    if row.reporting.extends() {
        let anchor = row.anchor.ok_or(Error::Internal("an automatic license without an anchor"))?;
        Ok(Validity::Automatic { anchor })
    } else {
        let expires_at = row.expires.ok_or(Error::Internal("a manual license without an end"))?;
        Ok(Validity::Explicit { expires_at })
    }
}

/// The next serial of a license; it never falls, whatever the epoch does.
pub(crate) fn next_serial(service: &Service, row: &LicenseRow) -> LicenseSerial {
    LicenseSerial { epoch: service.deployment().epoch, serial: row.issued.serial + 1 }
}

/// Writes the next license of each active installation of a license. One that ended gets none.
pub(crate) async fn issue(service: &Service, tx: &mut Tx, provider: OrgId, license: LicenseId) -> Result<()> {
    issue_many(service, tx, provider, &[license]).await
}

/// The same for several licenses of one provider.
pub(crate) async fn issue_many(service: &Service, tx: &mut Tx, provider: OrgId, licenses: &[LicenseId]) -> Result<()> {
    if licenses.is_empty() {
        return Ok(());
    }
    let now = service.now();
    // Chains before licenses: the one lock order (X8).
    let active = issued_license::lock_active(tx, provider, licenses).await?;
    if active.is_empty() {
        return Ok(());
    }
    let mut rows = license::lock_many(tx, provider, licenses).await?;
    rows.retain(|row| row.ended.is_none() && active.iter().any(|each| each.license == row.id));
    let around = Around::of(tx, provider, &rows, Period::of(now)).await?;
    let (mut written, mut serials) = (Vec::new(), Vec::new());
    for row in &rows {
        let serial = next_serial(service, row);
        let payload = around.payload(service, row, serial, now)?;
        let contract_ends = around.agreement(row)?.end();
        for each in active.iter().filter(|each| each.license == row.id) {
            let key = KeyId::from_bytes(each.key_id);
            let bound = License { installation: Some(Binding { id: each.installation, key }), ..payload.clone() };
            let bytes = encode_payload(&bound);
            written.push(NewIssued {
                license: row.id,
                installation: each.installation,
                serial: serial.serial,
                hash: *Hash::of_payload(License::TYPE, &bytes).as_bytes(),
                payload: String::from_utf8(bytes).map_err(|_| Error::Internal("a payload is not JSON"))?,
                expires: Timestamp::from_secs(bound.expires_at),
                contract_ends,
            });
        }
        serials.push((row.id, serial.serial));
    }
    let epoch = service.deployment().epoch;
    issued_license::insert_many(tx, provider, epoch, now, &written).await?;
    Ok(license::set_serials(tx, provider, epoch, &serials).await?)
}

/// How often a license is signed anew because others were quicker.
const TRIES: usize = 3;

/// The signed envelope of an issued license: the stored one, or the stored payload signed now and kept. Nothing is handed
/// out that was signed by the keys of a trust root that is not the newest: one of them may have been revoked.
pub(crate) async fn signed(
    service: &Service,
    provider: OrgId,
    license: LicenseId,
    installation: InstallationId,
    epoch: u64,
    serial: u64,
) -> Result<Envelope> {
    let key = IssuedKey { provider, license, installation, epoch, serial };
    for _ in 0..TRIES {
        let mut read = service.store().peek().await?;
        let row = issued_license::find(&mut read, key).await?.ok_or(Error::Internal("an issued license is gone"))?;
        drop(read);
        if let Some(text) = row.envelope {
            return Envelope::from_json(text.as_bytes())
                .map_err(|_| Error::Internal("a signed license cannot be read"));
        }
        let trust = service.trust();
        let envelope = trust.keys.sign_license(License::TYPE, row.payload, row.issued);
        let (text, root) = (envelope.to_json(), trust.root.version());
        let keep = async move |tx: &mut Tx| issued_license::sign(tx, key, &text, root).await;
        if service.store().write(Queue::Jobs, keep).await? {
            return Ok(envelope);
        }
        // Somebody else signed it meanwhile, or the keys have changed.
        take_up_keys(service).await?;
    }
    Err(ProblemKind::Busy.into())
}

/// An unbound license for download, with a one-time code: it only activates, it never licenses (A4). Its payload is not
/// stored, for the code must not be; what is committed of it is its hash.
pub(crate) async fn activation_payload(
    service: &Service,
    tx: &mut Tx,
    row: &LicenseRow,
    grant: ActivationGrant,
    now: Timestamp,
) -> Result<Vec<u8>> {
    let around = Around::of(tx, row.provider, std::slice::from_ref(row), Period::of(now)).await?;
    let serial = LicenseSerial { epoch: service.deployment().epoch, serial: row.issued.serial };
    let payload = around.payload(service, row, serial, now)?;
    Ok(encode_payload(&License { activation: Some(grant), ..payload }))
}
