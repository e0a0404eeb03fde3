//! What a report says, as plain values with the names they had when it was made.

use serde::{Deserialize, Serialize};
use tenure_core::{
    InstallationId, LicenseId, OrgId, Period, Points, Timestamp, UsageId, Weight, cycle::UsageState, line::Source,
};
use tenure_service::{Line, UsageReportView};

use crate::words;

/// The License Usage Report of a month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paper {
    /// The vendor's name.
    pub vendor: String,
    /// The provider's name.
    pub provider: String,
    /// The provider.
    pub provider_id: OrgId,
    /// The distributor's name.
    pub distributor: String,
    /// The number of the rental agreement.
    pub agreement: String,
    /// The month.
    pub period: Period,
    /// The monthly usage.
    pub usage: UsageId,
    /// Where it stands.
    pub state: UsageState,
    /// The provider's purchase order.
    pub purchase_order: String,
    /// The provider's words to the distributor.
    pub comment: String,
    /// When it was closed.
    pub closed: Option<Timestamp>,
    /// The submission that these lines are of; none for preliminary figures.
    pub submission: Option<PaperSubmission>,
    /// Sites it is confined to, by name; empty for the whole month.
    pub sites: Vec<String>,
    /// When the file was made.
    pub made: Timestamp,
    /// What it comes to.
    pub totals: PaperTotals,
    /// The lines, in the order in which they are signed.
    pub lines: Vec<PaperLine>,
    /// What was seen and does not count.
    pub excluded: Vec<Excluded>,
}

/// A submission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaperSubmission {
    /// Which, from 1.
    pub number: u32,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// SHA-256 of the lines, hexadecimal: what the receipt names.
    pub lines_hash: String,
}

/// Totals, in points.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaperTotals {
    /// Reported.
    #[serde(with = "crate::text")]
    pub reported: Points,
    /// Minimum commit.
    #[serde(with = "crate::text")]
    pub commit: Points,
    /// Missing to the minimum.
    #[serde(with = "crate::text")]
    pub enforcement: Points,
    /// Above the limit; shown, not added.
    #[serde(with = "crate::text")]
    pub overage: Points,
    /// Owed.
    #[serde(with = "crate::text")]
    pub total: Points,
}

/// A line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaperLine {
    /// Product name.
    pub product: String,
    /// Edition; empty when it has only one.
    pub edition: String,
    /// The customer; empty when the provider itself holds the license.
    pub company: String,
    /// The license; none for a manual line without one.
    pub license: Option<LicenseId>,
    /// The provider's own words for the license.
    pub description: String,
    /// The installation that reported.
    pub installation: Option<InstallationId>,
    /// Its host name.
    pub host: String,
    /// Workload type code.
    pub workload: String,
    /// Variant code; empty where the type has none.
    pub variant: String,
    /// The workload type's name.
    pub name: String,
    /// The earlier month a correction is about.
    pub of_period: Option<Period>,
    /// Where the figure comes from, as the API names it.
    pub source: Source,
    /// Licensed units.
    pub licensed: Option<u32>,
    /// New ones that cost nothing yet.
    pub new: u32,
    /// What the product reported.
    pub reported: Option<u32>,
    /// What counts.
    pub count: i64,
    /// Points per unit; none while the code is not in the catalog.
    #[serde(with = "crate::text::option")]
    pub weight: Option<Weight>,
    /// Points.
    #[serde(with = "crate::text")]
    pub points: Points,
    /// A person's figure, or why a person entered it.
    pub adjusted: Option<Adjusted>,
}

/// What a person did to a line, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adjusted {
    /// The product's figure; none for what was entered.
    pub was: Option<u32>,
    /// Reason code; empty where none was needed.
    pub reason: String,
    /// Their sentence.
    pub note: String,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
}

/// What was seen and does not count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Excluded {
    /// The customer; empty for the provider itself.
    pub company: String,
    /// Product and edition.
    pub product: String,
    /// Host name.
    pub host: String,
    /// The workload type's name; empty for a whole installation.
    pub name: String,
    /// Units; none for a whole installation.
    pub units: Option<u32>,
    /// Why, as a word and a sentence.
    pub why: String,
}

impl Paper {
    /// The paper of a month.
    pub fn of(report: &UsageReportView) -> Self {
        let month = &report.month;
        let head = &month.head;
        let submission = head.submitted.as_ref().filter(|_| report.submission.is_some());
        let lines: Vec<PaperLine> = month.lines.iter().map(PaperLine::of).collect();
        Self {
            vendor: report.vendor.clone(),
            provider: head.provider.name.clone(),
            provider_id: head.provider.id,
            distributor: head.distributor.name.clone(),
            agreement: head.agreement.number.clone(),
            period: head.period,
            usage: head.id,
            state: head.state,
            purchase_order: head.purchase_order.clone(),
            comment: head.comment.clone(),
            closed: head.closed,
            submission: submission.map(|one| PaperSubmission {
                number: one.number,
                at: one.at,
                by: one.by.name.clone(),
                lines_hash: tenure_license::Hash::from_bytes(one.lines_hash).to_string(),
            }),
            sites: report.sites.clone(),
            made: report.made,
            totals: PaperTotals {
                reported: month.totals.reported,
                commit: month.totals.commit,
                enforcement: month.totals.enforcement,
                overage: month.totals.overage,
                total: month.totals.total,
            },
            excluded: month.lines.iter().zip(&lines).flat_map(|(line, shown)| excluded(line, shown)).collect(),
            lines,
        }
    }

    /// The figures may still change, or are not the whole month: no receipt stands for them.
    pub fn is_preliminary(&self) -> bool {
        self.submission.is_none()
    }

    /// Who holds what a line is about: the customer, or the provider itself.
    pub fn holder<'a>(&'a self, company: &'a str) -> &'a str {
        if company.is_empty() { &self.provider } else { company }
    }
}

impl PaperLine {
    /// What a line says.
    pub fn of(line: &Line) -> Self {
        Self {
            product: line.product.name.clone(),
            edition: line.product.edition.clone(),
            company: line.company.as_ref().map(|company| company.name.clone()).unwrap_or_default(),
            license: line.license.as_ref().map(|license| license.id),
            description: line.license.as_ref().map(|license| license.description.clone()).unwrap_or_default(),
            installation: line.installation.as_ref().map(|one| one.id),
            host: line.installation.as_ref().map(|one| one.name.clone()).unwrap_or_default(),
            workload: line.workload.code.clone(),
            variant: line.workload.variant.clone(),
            name: line.workload.name.clone(),
            of_period: line.of_period,
            // Whether a report is final yet is a matter of the clock, as in the signed line.
            source: if line.source == Source::Preliminary { Source::Automatic } else { line.source },
            licensed: line.licensed,
            new: line.new,
            reported: line.reported,
            count: line.count,
            weight: line.weight,
            points: line.points,
            adjusted: adjusted(line),
        }
    }

    /// Product and edition.
    pub fn product_and_edition(&self) -> String {
        format!("{} {}", self.product, self.edition).trim_end().to_owned()
    }
}

fn adjusted(line: &Line) -> Option<Adjusted> {
    if let Some(made) = &line.adjustment {
        return Some(Adjusted {
            was: Some(made.was),
            reason: made.reason.map(|reason| reason.word().to_owned()).unwrap_or_default(),
            note: made.note.clone(),
            at: made.at,
            by: made.by.name.clone(),
        });
    }
    let (at, by) = line.by.as_ref()?;
    let (reason, note) = line.said.clone().unwrap_or_default();
    Some(Adjusted {
        was: None,
        reason: reason.map(|reason| reason.word().to_owned()).unwrap_or_default(),
        note,
        at: *at,
        by: by.name.clone(),
    })
}

/// What of a line does not count, and why.
fn excluded(line: &Line, shown: &PaperLine) -> Vec<Excluded> {
    let of = |units, why: String| Excluded {
        company: shown.company.clone(),
        product: shown.product_and_edition(),
        host: shown.host.clone(),
        name: shown.name.clone(),
        units,
        why,
    };
    let taken_out = line.taken_out.iter().map(|out| {
        let why = format!("taken out on the product's own page: {}, {}", words::reason(&out.reason), out.note);
        of(Some(out.units), why)
    });
    let mut list: Vec<Excluded> = taken_out.collect();
    let free = line.new.saturating_sub(line.new_charged);
    if free > 0 {
        list.push(of(Some(free), "new this month: shown, charged from the next month on".to_owned()));
    }
    let why = match line.source {
        Source::Replaced => "reports under another license this month",
        Source::NotInstalled => "no installation was active this month",
        Source::Clone => "a clone is not counted",
        Source::Awaited => "its report is awaited",
        Source::Missing => "its report is missing and nobody answered it yet",
        _ => return list,
    };
    list.push(of(None, why.to_owned()));
    list
}
