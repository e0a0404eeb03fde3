//! Switching automatic reporting of several licenses: the last look, with what it brings, and what became of each.

use askama::Template;
use tenure_core::{Timestamp, reporting::AutomaticReporting};

use super::{Crumb, Part, Section, licenses::Holder};
use crate::filters;

/// The last look before several licenses are switched.
#[derive(Template)]
#[template(path = "switch_many.html")]
pub struct SwitchMany {
    /// Which way.
    pub on: bool,
    /// The list to go back to.
    pub back: String,
    /// Those that are switched.
    pub rows: Vec<SwitchRow>,
    /// Those that are not, with why.
    pub left: Vec<SwitchRow>,
}

/// What became of each of several licenses.
#[derive(Template)]
#[template(path = "switched_many.html")]
pub struct SwitchedMany {
    /// Which way.
    pub on: bool,
    /// The list to go back to.
    pub back: String,
    /// Those that were refused first.
    pub rows: Vec<SwitchRow>,
}

/// One of several licenses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SwitchRow {
    /// What the form sends.
    pub key: String,
    /// Where it is shown.
    pub href: String,
    /// Product and edition.
    pub product: String,
    /// Who holds it.
    pub holder: Holder,
    /// Where automatic reporting stands.
    pub state: AutomaticReporting,
    /// The end of validity it has now.
    pub expires: Option<Timestamp>,
    /// Active installations.
    pub installations: u32,
    /// The server a switch waits for, and how many more.
    pub waits_for: Option<(String, usize)>,
    /// Why it is not switched; empty when it is.
    pub why: String,
}

impl SwitchedMany {
    fn refused(&self) -> usize {
        self.rows.iter().filter(|row| !row.why.is_empty()).count()
    }
    fn done(&self) -> usize {
        self.rows.len() - self.refused()
    }
}

impl Part for SwitchMany {
    fn title(&self) -> String {
        "Automatic reporting".to_owned()
    }
    fn section(&self) -> Section {
        Section::Licenses
    }
    fn crumbs(&self) -> Vec<Crumb> {
        vec![Crumb::new("Manage Licenses", self.back.clone())]
    }
}

impl Part for SwitchedMany {
    fn title(&self) -> String {
        "Automatic reporting".to_owned()
    }
    fn section(&self) -> Section {
        Section::Licenses
    }
    fn crumbs(&self) -> Vec<Crumb> {
        vec![Crumb::new("Manage Licenses", self.back.clone())]
    }
}
