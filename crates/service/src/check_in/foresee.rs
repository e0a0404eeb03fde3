//! What a check-in would come to, without taking it: for the preview of a file that a person carries.

use tenure_core::{InstallationId, LicenseId, OrgId, Period, Week, chain::Decision};
use tenure_license::{Exchange, PublicKey};
use tenure_store::rows::{chain, installation};

use super::{
    batch, recover,
    verify::{self, Content},
};
use crate::{Error, ProblemKind, Result, Service};

/// Whom a request speaks for, as far as we can prove it.
#[derive(Debug, Clone)]
pub(crate) struct Sender {
    /// Whose it is.
    pub provider: OrgId,
    /// Which installation.
    pub installation: InstallationId,
    /// The license it holds.
    pub license: LicenseId,
    /// Keys that may have signed what rides along.
    pub keys: Vec<PublicKey>,
    /// It is in this database; otherwise only our own signature tells of it.
    pub is_known: bool,
}

/// A document in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CarriedDocument {
    /// The report of a month.
    Report(Period),
    /// The watermark of a week.
    Watermark(Week),
    /// Evidence of a month.
    Evidence(Period),
    /// It is named and missing, or cannot be read; it is refused, and the rest is taken.
    Unreadable,
}

/// What would become of a request if it were taken now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Foreseen {
    /// It would be taken.
    Taken,
    /// It was taken before: the same answer comes again.
    Again,
    /// Server and product are out of step: the answer says so, and a second file settles it.
    OutOfStep,
    /// This database lost the installation: it is re-created, or held until a person confirms it.
    Lost,
}

/// What a check-in holds.
pub(crate) struct Foresight {
    /// Host name it tells; empty when it is lost.
    pub(crate) host: String,
    pub(crate) documents: Vec<CarriedDocument>,
    pub(crate) foreseen: Foreseen,
}

/// Whom the request speaks for; none when nobody here can say. Reads only.
pub(crate) async fn sender(service: &Service, body: &Exchange) -> Result<Option<Sender>> {
    if let Some(owner) = verify::find_speaker(service, &body.request).await? {
        let mut read = service.store().peek().await?;
        let row = installation::find(&mut read, owner.provider, owner.installation).await?;
        let row = row.ok_or(Error::Internal("a key without its installation"))?;
        let (provider, installation) = (owner.provider, owner.installation);
        // A rotation that was taken is signed by both, and what carries it by the one before.
        let mut keys = vec![PublicKey::from_bytes(owner.public_key)];
        for other in verify::speakers(service, &body.request).await? {
            if other.installation == installation && other.key_id != owner.key_id {
                keys.push(PublicKey::from_bytes(other.public_key));
            }
        }
        return Ok(Some(Sender { provider, installation, license: row.license, keys, is_known: true }));
    }
    Ok(recover::proven_sender(service, body))
}

/// What the check-in would come to. Reads only, and refuses as taking it would.
pub(crate) async fn foresee(service: &Service, body: Exchange, sender: &Sender) -> Result<Foresight> {
    if !sender.is_known {
        return Ok(Foresight { host: String::new(), documents: Vec::new(), foreseen: Foreseen::Lost });
    }
    let message = verify::verify(service, body, service.now()).await?;
    let mut read = service.store().peek().await?;
    let row = chain::find(&mut read, sender.installation).await?;
    let row = row.ok_or(Error::Internal("an installation without a chain"))?;
    let foreseen = match batch::place(service, &row, &message) {
        Decision::Repeat => Foreseen::Again,
        Decision::OutOfStep => Foreseen::OutOfStep,
        Decision::Extend { .. } | Decision::Rejoin { .. } => Foreseen::Taken,
        Decision::Amnesia => return Err(ProblemKind::Halted.into()),
    };
    if row.key_id != message.key_id && foreseen != Foreseen::Again {
        return Err(ProblemKind::KeyRetired.into());
    }
    let documents = message.documents.iter().map(|document| match &document.content {
        Content::Report(report) => CarriedDocument::Report(report.period),
        Content::Watermark(mark) => CarriedDocument::Watermark(mark.week),
        Content::Evidence(evidence) => CarriedDocument::Evidence(evidence.period),
        Content::Absent | Content::Invalid => CarriedDocument::Unreadable,
    });
    Ok(Foresight { host: message.request.host.name.clone(), documents: documents.collect(), foreseen })
}
