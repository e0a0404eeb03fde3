//! Receipts: the server's signed statements that it durably holds a report or a submission, to be kept and verified by
//! anybody with the trust root (`tenure report verify`).

use base64::{Engine, engine::general_purpose::STANDARD};
use tenure_core::{DocumentId, InstallationId, Period, Timestamp};
use tenure_license::{
    Envelope, Hash, KeyId, Payload, PublicKey, Signature, UsageReport, encode_payload,
    payload::{Receipt, ReceiptSubject},
};
use tenure_store::{
    Conn,
    rows::{
        deployment, document,
        document::StoredRow,
        installation, month as rows,
        monthly_usage::UsageRow,
        obligation, report,
        submission::{self, SignedHead},
    },
};

use crate::{
    Actor, Error, ProblemKind, Result, Service,
    month_access::{MonthRef, find, reaches},
};

/// Most revisions of one report that are looked through.
const MAX_REVISIONS: i64 = 200;

/// A receipt in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReceiptSummary {
    /// Of a submission.
    Submission {
        /// Which, from 1.
        number: u32,
        /// SHA-256 of its lines.
        hash: Hash,
        /// When it arrived.
        received: Timestamp,
    },
    /// Of a server's report.
    Report {
        /// Whose.
        installation: InstallationId,
        /// Host name as last told.
        name: String,
        /// Our id of the document.
        document: DocumentId,
        /// Which revision.
        revision: u32,
        /// It came after the month was submitted.
        late: bool,
        /// `H` of it.
        hash: Hash,
        /// When it first arrived.
        received: Timestamp,
    },
}

/// A report with its receipt, as a file to keep.
#[derive(Debug, Clone)]
pub struct SavedReport {
    /// The report as it was sent.
    pub report: Envelope,
    /// The public key it is signed with, as we registered it; none where the key is not known any more.
    pub key: Option<PublicKey>,
    /// The receipt, signed now.
    pub receipt: Envelope,
    /// Every version of the trust root, oldest first.
    pub roots: Vec<Envelope>,
}

/// A submission with its receipt, as a file to keep.
#[derive(Debug, Clone)]
pub struct SavedSubmission {
    /// The lines as they were hashed: canonical JSON.
    pub lines: String,
    /// The receipt, signed now.
    pub receipt: Envelope,
    /// Every version of the trust root, oldest first.
    pub roots: Vec<Envelope>,
}

/// The receipts of a month: its submissions, and the reports that count or came late. Who is confined to a site sees that
/// site's reports.
pub async fn list_receipts(service: &Service, actor: &Actor, which: MonthRef) -> Result<Vec<ReceiptSummary>> {
    let mut read = service.store().read().await?;
    let (usage, _) = find(&mut read, actor, which).await?;
    let (provider, period) = (usage.provider, usage.period);
    let site = actor.site.filter(|_| actor.org == provider);
    let mut list = Vec::new();
    if site.is_none() {
        let of = |head: SignedHead| ReceiptSummary::Submission {
            number: head.number,
            hash: Hash::from_bytes(head.lines_hash),
            received: head.at,
        };
        list.extend(submission::of_month(&mut read, provider, period).await?.into_iter().map(of));
    }
    let licenses = rows::licenses(&mut read, provider, period).await?;
    let hosts = report::hosts(&mut read, provider, period).await?;
    let owed = rows::holders(&mut read, provider, period, None).await?;
    let is_seen = |installation: InstallationId| {
        let Some(site) = site else { return true };
        let license = owed.iter().find(|row| row.installation == installation).map(|row| row.license);
        licenses.iter().any(|row| Some(row.id) == license && row.site == Some(site))
    };
    let name = |id: InstallationId| {
        hosts.iter().find(|(host, _)| *host == id).map(|(_, name)| name.clone()).unwrap_or_default()
    };
    for row in report::of_month(&mut read, provider, period).await?.into_iter().filter(|row| is_seen(row.installation))
    {
        list.push(ReceiptSummary::Report {
            installation: row.installation,
            name: name(row.installation),
            document: row.document,
            revision: row.revision,
            late: false,
            hash: Hash::from_bytes(row.hash),
            received: row.received,
        });
    }
    for row in document::late(&mut read, provider, period).await?.into_iter().filter(|row| is_seen(row.installation)) {
        list.push(ReceiptSummary::Report {
            installation: row.installation,
            name: name(row.installation),
            document: row.id,
            revision: row.revision,
            late: true,
            hash: Hash::from_bytes(row.hash),
            received: row.received,
        });
    }
    Ok(list)
}

/// A server's report of a month with its receipt: the revision that counts, unless `revision` names another.
pub async fn save_report(
    service: &Service,
    actor: &Actor,
    which: MonthRef,
    installation: InstallationId,
    revision: Option<u32>,
) -> Result<SavedReport> {
    let mut read = service.store().read().await?;
    let (usage, _) = find(&mut read, actor, which).await?;
    reaches_installation(&mut read, actor, &usage, installation).await?;
    let (provider, period) = (usage.provider, usage.period);
    let held = document::of_installation(&mut read, installation, "report", period, MAX_REVISIONS).await?;
    let counts = report::find(&mut read, provider, period, installation).await?;
    let wanted = |row: &&StoredRow| match revision {
        Some(revision) => row.number == i64::from(revision),
        None => counts.as_ref().is_none_or(|counts| counts.hash == row.hash),
    };
    let found = held.iter().rfind(wanted).ok_or_else(|| ProblemKind::NotFound.because("no such report arrived"))?;
    let report = as_sent(found)?;
    let key = registered(&mut read, installation, &report.signatures).await?;
    let receipt = Receipt {
        v: 1,
        aud: service.deployment().id,
        epoch: found.epoch,
        subject: ReceiptSubject::Document { id: found.id, ins: installation },
        hash: Hash::from_bytes(found.hash),
        received_at: found.received.as_secs(),
        crit: Vec::new(),
    };
    Ok(SavedReport {
        report,
        key,
        receipt: service.keys().sign_receipt(Receipt::TYPE, encode_payload(&receipt)),
        roots: roots(&mut read).await?,
    })
}

/// A submission of a month with its receipt: the newest, unless `number` names another.
pub async fn save_submission(
    service: &Service,
    actor: &Actor,
    which: MonthRef,
    number: Option<u32>,
) -> Result<SavedSubmission> {
    let mut read = service.store().read().await?;
    let (usage, _) = find(&mut read, actor, which).await?;
    if actor.site.is_some() && actor.org == usage.provider {
        return Err(ProblemKind::Forbidden.because("a submission is of the whole month").into());
    }
    let found = match number {
        Some(number) => submission::find(&mut read, usage.provider, usage.period, number).await?,
        None => submission::last(&mut read, usage.provider, usage.period).await?,
    };
    let found = found.ok_or_else(|| ProblemKind::NotFound.because("the month was not submitted"))?;
    Ok(SavedSubmission {
        lines: found.lines,
        receipt: service.keys().sign_receipt(Receipt::TYPE, found.receipt),
        roots: roots(&mut read).await?,
    })
}

/// A report as it came. The signatures are kept as the envelope's own JSON.
fn as_sent(row: &StoredRow) -> Result<Envelope> {
    let payload = STANDARD.encode(&row.payload);
    let signatures = &row.signatures;
    let text = format!(r#"{{"payload":"{payload}","payloadType":"{}","signatures":{signatures}}}"#, UsageReport::TYPE);
    Envelope::from_json(text.as_bytes()).map_err(|_| Error::Internal("a kept report cannot be read"))
}

async fn reaches_installation(
    conn: &mut Conn,
    actor: &Actor,
    usage: &UsageRow,
    installation: InstallationId,
) -> Result<()> {
    let (provider, period): (_, Period) = (usage.provider, usage.period);
    let owed = obligation::find(conn, provider, period, installation).await?;
    let (license, ..) = owed.ok_or(ProblemKind::NotFound)?;
    if actor.org == provider && actor.site.is_some() {
        let held = rows::license(conn, provider, license).await?;
        reaches(actor, held.and_then(|held| held.site))?;
    }
    Ok(())
}

/// The key that one of the signatures names, where it is the installation's.
async fn registered(
    conn: &mut Conn,
    installation: InstallationId,
    signatures: &[Signature],
) -> Result<Option<PublicKey>> {
    for signature in signatures {
        // A hint of the sender's; whose key it is says the register.
        let Ok(id) = signature.keyid.parse::<KeyId>() else { continue };
        let owner = installation::find_key(conn, id.as_bytes()).await?;
        if let Some(owner) = owner.filter(|owner| owner.installation == installation) {
            return Ok(Some(PublicKey::from_bytes(owner.public_key)));
        }
    }
    Ok(None)
}

async fn roots(conn: &mut Conn) -> Result<Vec<Envelope>> {
    let mut roots = Vec::new();
    let newest = deployment::newest_root(conn).await?.map_or(0, |row| row.version);
    for version in 1..=newest {
        let row = deployment::find_root(conn, version).await?;
        let row = row.ok_or(Error::Internal("a version of the trust root is missing"))?;
        let envelope = Envelope::from_json(row.envelope.as_bytes());
        roots.push(envelope.map_err(|_| Error::Internal("a stored trust root cannot be read"))?);
    }
    Ok(roots)
}
