//! A product checks in: its request is verified, taken in order, answered with a signed link of its chain.
//!
//! Verification is done in the caller's task, many at a time. What moves heads goes through one worker per shard, which
//! takes what is queued and decides a whole batch in one transaction (protocol, 2 and 3). The answer's bytes are part of
//! that transaction and are signed after its COMMIT.

mod answer;
mod batch;
mod documents;
mod foresee;
mod hosts;
mod recover;
mod rekey;
mod speakers;
mod take_up;
mod verify;
mod worker;

use tenure_license::{CheckInAnswer, Envelope, ExchangeAnswer, OutOfStep, Payload, exchange::Exchange};

pub use foresee::{CarriedDocument, Foreseen};
pub(crate) use foresee::{Sender, foresee, sender};
pub(crate) use recover::create_confirmed;
pub(crate) use speakers::Speakers;
pub use worker::{Ingest, IngestSizes};

use self::batch::Taken;
use crate::{ProblemKind, Result, Service, health, issue};

/// What a product is told.
#[derive(Debug)]
pub enum CheckInReply {
    /// 200: the request was taken now, or had been taken before.
    Answered(ExchangeAnswer),
    /// 409: it does not continue the chain; the answer says how to rejoin.
    OutOfStep(ExchangeAnswer),
}

/// Takes one check-in.
pub async fn check_in(service: &Service, body: Exchange) -> Result<CheckInReply> {
    service.must_go_on()?;
    let received = service.now();
    let message = verify::verify(service, body, received).await?;
    let held = message.request.lic.clone();
    match service.ingest().take(message).await? {
        Taken::Answered { payload, provider, installation, license } => {
            let answer = service.keys().sign_receipt(CheckInAnswer::TYPE, payload);
            // The envelope rides along only when the product does not show the license as held.
            let shows = |reference: &tenure_license::LicenseRef| {
                held.as_ref().is_some_and(|held| {
                    (held.epoch, held.serial, held.hash) == (reference.epoch, reference.serial, reference.hash)
                })
            };
            let license = match license {
                Some(reference) if !shows(&reference) => Some(
                    issue::signed(service, provider, reference.id, installation, reference.epoch, reference.serial)
                        .await?,
                ),
                _ => None,
            };
            Ok(CheckInReply::Answered(ExchangeAnswer { answer, license }))
        }
        Taken::OutOfStep { payload } => {
            let answer = service.keys().sign_receipt(OutOfStep::TYPE, payload);
            Ok(CheckInReply::OutOfStep(ExchangeAnswer { answer, license: None }))
        }
        Taken::Amnesia { seen } => {
            let why = "a product holds a genuine answer that this database lacks";
            health::amnesia(service, why.to_owned(), seen).await;
            Err(ProblemKind::Halted.into())
        }
    }
}

/// The newest trust root.
pub async fn newest_root(service: &Service) -> Result<Envelope> {
    let mut read = service.store().peek().await?;
    let row = tenure_store::rows::deployment::newest_root(&mut read).await?.ok_or(ProblemKind::NotFound)?;
    parse_root(&row.envelope)
}

/// One version of the trust root; every version is served for ever.
pub async fn root_version(service: &Service, version: u64) -> Result<Envelope> {
    let mut read = service.store().peek().await?;
    let row = tenure_store::rows::deployment::find_root(&mut read, version).await?.ok_or(ProblemKind::NotFound)?;
    parse_root(&row.envelope)
}

fn parse_root(text: &str) -> Result<Envelope> {
    Envelope::from_json(text.as_bytes()).map_err(|_| crate::Error::Internal("a stored trust root cannot be read"))
}
