//! Submitting a month: what will be sent, to whom, and what happens then; afterwards the receipt.

use askama::Template;
use tenure_core::{Period, Points, Timestamp, cycle::Blocker};

use super::{Crumb, Part, Section, month::Sums, problem::Refusal};
use crate::{filters, format, format::Deadline};

/// The last look before a month is submitted.
#[derive(Template)]
#[template(path = "submit.html")]
pub struct Submit {
    /// Why the last try was refused.
    pub problem: Option<Refusal>,
    /// The month.
    pub period: Period,
    /// The address of its review.
    pub review: String,
    /// Who approves it.
    pub distributor: String,
    /// The number of the rental agreement.
    pub agreement: String,
    /// Totals.
    pub sums: Sums,
    /// Lines in all.
    pub lines: usize,
    /// Lines a person changed or entered.
    pub by_hand: usize,
    /// Flagged licenses, which the distributor sees first.
    pub flagged: usize,
    /// Figures were lowered so far that the vendor has to consent.
    pub lowered: bool,
    /// What stands in the way; then it cannot be submitted.
    pub blockers: Vec<Blocker>,
    /// Until when the distributor decides.
    pub decided_by: Timestamp,
    /// The provider's deadline.
    pub deadline: Deadline,
    /// The purchase order.
    pub purchase_order: String,
    /// The comment typed.
    pub comment: String,
    /// The hash of the lines that are meant.
    pub saw: String,
}

impl Part for Submit {
    fn title(&self) -> String {
        format!("Submit {}", format::month(self.period))
    }
    fn section(&self) -> Section {
        Section::Actions
    }
    fn crumbs(&self) -> Vec<Crumb> {
        vec![
            Crumb::new("Monthly Usages", "/months"),
            Crumb::new("My Actions", "/actions"),
            Crumb::new(format::month(self.period), self.review.clone()),
        ]
    }
}

/// The server's word that it holds a submission.
#[derive(Template)]
#[template(path = "receipt.html")]
pub struct SubmissionReceipt {
    /// The month.
    pub period: Period,
    /// Whose it is.
    pub provider: String,
    /// Who approves it.
    pub distributor: String,
    /// The address of its review.
    pub review: String,
    /// Which submission of the month, from 1.
    pub number: u32,
    /// The monthly usage.
    pub id: String,
    /// SHA-256 of the lines that were submitted, hexadecimal.
    pub hash: String,
    /// When it was received.
    pub at: Timestamp,
    /// Who submitted it; none when a later submission took its place.
    pub by: Option<String>,
    /// Reported points as submitted.
    pub reported: Points,
    /// Total as submitted.
    pub total: Points,
    /// Until when the distributor decides; none once it has.
    pub decided_by: Option<Timestamp>,
    /// The address of the signed document.
    pub document: String,
}

impl Part for SubmissionReceipt {
    fn title(&self) -> String {
        format!("Receipt for {}", format::month(self.period))
    }
    fn section(&self) -> Section {
        Section::Months
    }
    fn crumbs(&self) -> Vec<Crumb> {
        vec![Crumb::new("Monthly Usages", "/months"), Crumb::new(format::month(self.period), self.review.clone())]
    }
}
