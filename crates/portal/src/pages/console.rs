//! *Console*: what management consoles and scripts are connected with, and companies that may be one.

use askama::Template;
use tenure_core::Timestamp;

use super::{
    Crumb, Part, Said, Section,
    settings::{Tab, Tabs, TokenState},
};
use crate::filters;

/// The provider's connections.
#[derive(Template)]
#[template(path = "console.html")]
pub struct Console {
    /// What was just done.
    pub said: Said,
    /// The pages under Settings.
    pub tabs: Tabs,
    /// In the order they were made.
    pub rows: Vec<ConnectionRow>,
    /// Address of the next page; empty on the last.
    pub next: String,
    /// Companies that carry one name.
    pub namesakes: Vec<NamesakeRow>,
    /// Whether the viewer may merge them.
    pub may_merge: bool,
}

/// A token that a console may speak with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionRow {
    /// What it is for.
    pub name: String,
    /// The site it is mapped to; empty for all.
    pub site: String,
    /// Whether it only reads.
    pub reads_only: bool,
    /// Whether its console changes licenses.
    pub license_management: bool,
    /// Whether its console maps companies.
    pub company_mapping: bool,
    /// Whether it is in force.
    pub state: TokenState,
    /// When it ends.
    pub expires: Timestamp,
    /// When it was last used.
    pub used: Option<Timestamp>,
    /// When its console last asked for everything anew.
    pub synced: Option<Timestamp>,
}

/// Companies of one name, as merging them would leave them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamesakeRow {
    /// The one that stays.
    pub keep: String,
    /// How many licenses it holds.
    pub licenses: u64,
    /// Those that are merged into it, with how many licenses each holds.
    pub others: Vec<(String, u64)>,
    /// The ids for the form: the one that stays, and the others in one text.
    pub ids: (String, String),
}

impl Part for Console {
    fn title(&self) -> String {
        "Console".to_owned()
    }
    fn section(&self) -> Section {
        Section::Settings
    }
    fn crumbs(&self) -> Vec<Crumb> {
        vec![Crumb::new("Settings", "/settings")]
    }
}
