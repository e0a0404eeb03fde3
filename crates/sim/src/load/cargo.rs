//! What the load's check-ins carry: nothing, reports, or watermarks.

use std::sync::Arc;

use tenure_core::{Period, Week};
use tenure_license::{Envelope, Hash, ReportLine, ReportStage, UsageReport, Watermark, WatermarkLine, sign};

use super::Virtual;

/// A workload type's code and a variant's; empty where the type has none.
pub type Code = (String, String);

/// What each check-in carries.
#[derive(Debug, Clone)]
pub enum Cargo {
    /// Nothing.
    Nothing,
    /// The next revision of the report of a month, final, with a line for each code.
    Report {
        /// The month.
        period: Period,
        /// One line each.
        codes: Arc<[Code]>,
    },
    /// The watermark of the week after the last one sent, with a line for each code.
    Watermark {
        /// The first week sent.
        first: Week,
        /// The last; an installation that has sent it is done.
        last: Week,
        /// One line each.
        codes: Arc<[Code]>,
    },
}

/// What an installation has sent of its cargo.
#[derive(Debug, Clone, Default)]
pub struct Sent {
    revision: u32,
    replaces: Option<Hash>,
    week: Option<Week>,
}

impl Cargo {
    /// The documents of an installation's next check-in; `None` when it has nothing left to send.
    pub(super) fn next(&self, product: &mut Virtual) -> Option<Vec<Envelope>> {
        match self {
            Self::Nothing => Some(Vec::new()),
            Self::Report { period, codes } => {
                product.sent.revision += 1;
                let envelope = report(product, *period, codes);
                product.sent.replaces = Some(envelope.hash());
                Some(vec![envelope])
            }
            Self::Watermark { first, last, codes } => {
                let week = product.sent.week.map_or(*first, Week::next);
                product.sent.week = Some(week);
                (week <= *last).then(|| vec![watermark(product, week, codes)])
            }
        }
    }
}

fn report(product: &Virtual, period: Period, codes: &[Code]) -> Envelope {
    let count = 10 + product.sent.revision % 7;
    let lines = codes.iter().map(|(workload, variant)| ReportLine {
        workload: workload.clone(),
        variant: variant.clone(),
        raw: count,
        count,
        new: 0,
        daily: vec![Some(count); period.days().count()],
        adjustments: Vec::new(),
    });
    let report = UsageReport {
        v: 1,
        aud: product.aud,
        ins: product.ins,
        license: product.license.id,
        period,
        revision: product.sent.revision,
        replaces: product.sent.replaces,
        stage: ReportStage::Final,
        made_at: period.end().as_secs(),
        product: product.product.clone(),
        lines: lines.collect(),
        heads: Vec::new(),
        evidence: None,
        crit: Vec::new(),
    };
    sign(&report, &[&product.key]).into_envelope()
}

fn watermark(product: &Virtual, week: Week, codes: &[Code]) -> Envelope {
    let lines = codes.iter().map(|(workload, variant)| WatermarkLine {
        workload: workload.clone(),
        variant: variant.clone(),
        daily: vec![Some(10); 7],
    });
    let watermark = Watermark {
        v: 1,
        aud: product.aud,
        ins: product.ins,
        license: product.license.id,
        week,
        lines: lines.collect(),
        crit: Vec::new(),
    };
    sign(&watermark, &[&product.key]).into_envelope()
}
