//! Companies: whom a provider serves.

use askama::Template;
use tenure_core::Timestamp;

use super::{Part, Said, Section};
use crate::filters;

/// The list, with a form to add one.
#[derive(Template)]
#[template(path = "companies.html")]
pub struct Companies {
    /// What was just done.
    pub said: Said,
    /// The name typed.
    pub name: String,
    /// Names, and since when they are here.
    pub rows: Vec<(String, Timestamp)>,
    /// Address of the next page; empty on the last.
    pub next: String,
    /// The viewer may add one.
    pub may_add: bool,
}

impl Part for Companies {
    fn title(&self) -> String {
        "Companies".to_owned()
    }
    fn section(&self) -> Section {
        Section::Companies
    }
}
