//! New License Key: License Info, Workloads, Summary.
//!
//! What was typed travels in the address, so that *Back* keeps it and nothing is stored before *Create*.

use askama::Template;
use tenure_core::{Points, Timestamp, reporting::ToggleRefusal};

use super::{Choice, Crumb, Part, Section, problem::Refusal};
use crate::filters;

/// One step of the wizard.
#[derive(Template)]
#[template(path = "new_license.html")]
pub struct NewLicense {
    /// Why the last step was refused.
    pub problem: Option<Refusal>,
    /// The step and what it shows.
    pub step: WizardStep,
    /// What the other steps gave, as hidden fields: name and value.
    pub carried: Vec<(String, String)>,
    /// The address of the step before, with all that was typed.
    pub back: String,
}

/// What a step shows.
#[derive(Debug, Clone, PartialEq)]
pub enum WizardStep {
    /// License Info.
    Info(Info),
    /// Workloads.
    Workloads(Workloads),
    /// Summary.
    Summary(Box<Summary>),
}

impl NewLicense {
    fn class_of(&self, index: usize) -> &'static str {
        let place = match self.step {
            WizardStep::Info(_) => 0,
            WizardStep::Workloads(_) => 1,
            WizardStep::Summary(_) => 2,
        };
        match index.cmp(&place) {
            std::cmp::Ordering::Less => "done",
            std::cmp::Ordering::Equal => "now",
            std::cmp::Ordering::Greater => "",
        }
    }
}

/// License Info.
#[derive(Debug, Clone, PartialEq)]
pub struct Info {
    /// Rental agreements.
    pub agreements: Vec<Choice>,
    /// Products with their editions.
    pub products: Vec<Choice>,
    /// Usage types.
    pub usage_types: Vec<Choice>,
    /// Companies; the first is "assign later".
    pub companies: Vec<Choice>,
    /// The provider's own words for it.
    pub description: String,
    /// Automatic reporting is wanted.
    pub automatic: bool,
    /// Why automatic reporting cannot be chosen.
    pub refusal: Option<ToggleRefusal>,
    /// The last day of validity typed, for a license that is not automatically reported.
    pub expires: String,
    /// The latest day that can be chosen, as a date field takes it.
    pub latest: String,
}

impl Info {
    /// Whether automatic reporting can be asked for; where the agreement or the usage type fixes it, the field says how.
    fn may_report(&self) -> bool {
        let fixed = |refusal: &ToggleRefusal| matches!(refusal, ToggleRefusal::NoCommit | ToggleRefusal::MultiCustomer);
        self.refusal.as_ref().is_none_or(fixed)
    }
}

/// Workloads.
#[derive(Debug, Clone, PartialEq)]
pub struct Workloads {
    /// Product and edition.
    pub product: String,
    /// The workloads of the product.
    pub fields: Vec<WorkloadField>,
}

/// A count to be typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkloadField {
    /// What the form sends it as.
    pub name: String,
    /// The unit.
    pub unit: String,
    /// Points per unit.
    pub weight: String,
    /// The count typed.
    pub count: String,
}

/// Summary.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// Product and edition.
    pub product: String,
    /// Rental agreement, with its distributor.
    pub agreement: String,
    /// Usage type in words.
    pub usage_type: &'static str,
    /// Who will hold it; empty: nobody yet.
    pub holder: String,
    /// The provider's own words for it; may be empty.
    pub description: String,
    /// Unit, count, points per unit and points of each workload.
    pub workloads: Vec<SummaryRow>,
    /// The exact sum.
    pub exact: Points,
    /// The points of the key: the sum rounded up.
    pub rounded: Points,
    /// How its validity is decided.
    pub validity: SummaryValidity,
    /// Makes a repeated *Create* harmless.
    pub idempotency_key: String,
}

/// A workload in the summary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SummaryRow {
    /// The unit.
    pub unit: String,
    /// Licensed units.
    pub count: i64,
    /// Points per unit.
    pub weight: String,
    /// Points.
    pub points: Points,
}

/// How the validity of a new license is decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SummaryValidity {
    /// A template has no validity.
    Template,
    /// By reported months; the first end, when assigned now.
    Automatic(Timestamp),
    /// Until an instant.
    Until(Timestamp),
}

impl Part for NewLicense {
    fn title(&self) -> String {
        "New License Key".to_owned()
    }
    fn section(&self) -> Section {
        Section::Licenses
    }
    fn crumbs(&self) -> Vec<Crumb> {
        vec![Crumb::new("Manage Licenses", "/licenses")]
    }
}
