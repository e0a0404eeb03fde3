//! What left this machine, as it was signed, and what proves that it arrived.

use tenure_core::{DocumentId, Period, Timestamp};
use tenure_license::{Envelope, Outcome, UsageReport, decode_payload};

use super::View;
use crate::state::Made;

/// The newest report made of a month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldReport {
    /// What it says.
    pub report: UsageReport,
    /// The document as it was signed.
    pub document: Envelope,
    /// The server's receipt.
    pub receipt: Option<Receipt>,
}

/// A receipt, and the signed answer it rode in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The server's name for the document.
    pub id: DocumentId,
    /// When it was received.
    pub received_at: Timestamp,
    /// What the server made of it.
    pub outcome: Outcome,
    /// The answer that proves it; none when that is no longer kept.
    pub answer: Option<Envelope>,
}

/// A request that left this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastSent {
    /// When it was made.
    pub at: Timestamp,
    /// The request, as it was signed.
    pub request: Envelope,
    /// The documents it carried that are still kept.
    pub documents: Vec<Envelope>,
}

impl View<'_> {
    /// The newest report made of a month.
    pub(crate) fn held_report(&self, period: Period) -> Option<HeldReport> {
        let documents = &self.state.documents;
        let held = documents.get(&documents.report(period)?.hash)?;
        let receipt = held.receipt.as_ref().map(|receipt| Receipt {
            id: receipt.id,
            received_at: Timestamp::from_secs(receipt.received_at),
            outcome: receipt.outcome,
            answer: documents.answer(&receipt.answer).cloned(),
        });
        let report = decode_payload(&held.envelope.payload).ok()?;
        Some(HeldReport { report, document: held.envelope.clone(), receipt })
    }

    /// The request made last with the documents it carried, and before it, where it carried none, the last that did.
    pub(crate) fn last_sent(&self) -> Vec<LastSent> {
        let chain = &self.state.chain;
        let sent = |made: &Made| {
            let documents = self.state.documents.envelopes(&made.docs);
            LastSent { at: made.at, request: made.request.clone(), documents }
        };
        chain.last_made.iter().chain(&chain.last_carrying).map(sent).collect()
    }
}
