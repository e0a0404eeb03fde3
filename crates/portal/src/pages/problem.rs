//! When something was refused or failed: what happened, why, and what to do.

use askama::Template;

use super::{Part, Section};
use crate::filters;

/// A refusal in the words of the problem catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What happened.
    pub title: String,
    /// What happened in this very case; may be empty.
    pub detail: String,
    /// Why.
    pub why: String,
    /// What to do.
    pub what_to_do: String,
    /// The operation id, as the log has it.
    pub operation: String,
}

/// The page of a refusal.
#[derive(Template)]
#[template(path = "problem.html")]
pub struct ProblemPage {
    /// The refusal.
    pub refusal: Refusal,
    /// Where to go from here.
    pub back: String,
}

impl Part for ProblemPage {
    fn title(&self) -> String {
        self.refusal.title.clone()
    }
    fn section(&self) -> Section {
        Section::None
    }
}
