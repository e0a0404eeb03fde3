//! Companies: a provider's customers.

use askama::Template;
use tenure_core::Timestamp;

use super::{Choice, Crumb, Part, Said, Section};
use crate::filters;

/// The list.
#[derive(Template)]
#[template(path = "companies.html")]
pub struct Companies {
    /// What was just done.
    pub said: Said,
    /// The name of a new one, as typed.
    pub name: String,
    /// Kinds of a new one.
    pub kinds: Vec<Choice>,
    /// Sites of a new one; empty where there are none.
    pub sites: Vec<Choice>,
    /// Part of a name that is looked for.
    pub find: String,
    /// In the order they were added.
    pub rows: Vec<CompanyRow>,
    /// Address of the next page; empty on the last.
    pub next: String,
    /// The viewer may add one.
    pub may_add: bool,
}

/// One company.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompanyRow {
    /// Where it is changed; empty when the viewer may not.
    pub href: String,
    /// Its licenses.
    pub licenses: String,
    /// Its name.
    pub name: String,
    /// What it is to the provider.
    pub kind: &'static str,
    /// The site that serves it; empty for none.
    pub site: String,
    /// When it was added.
    pub added: Timestamp,
    /// Since when it gets no new license.
    pub closed: Option<Timestamp>,
}

/// One company, to be changed.
#[derive(Template)]
#[template(path = "company.html")]
pub struct Company {
    /// What was just done.
    pub said: Said,
    /// It; its address is this page's.
    pub row: CompanyRow,
    /// Kinds.
    pub kinds: Vec<Choice>,
    /// Sites; empty where there are none.
    pub sites: Vec<Choice>,
    /// The content that the form was drawn from.
    pub saw: String,
    /// Who of the company sees its licenses and usage; none when the viewer does not manage people.
    pub viewers: Option<Vec<ViewerRow>>,
    /// Makes a form that is sent twice one.
    pub idempotency_key: String,
}

/// Somebody of the company.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewerRow {
    /// Where it is changed.
    pub href: String,
    /// Its name.
    pub name: String,
    /// Its e-mail address.
    pub email: String,
    /// Since when it may not sign in.
    pub ended: Option<Timestamp>,
}

impl Part for Companies {
    fn title(&self) -> String {
        "Companies".to_owned()
    }
    fn section(&self) -> Section {
        Section::Companies
    }
}

impl Part for Company {
    fn title(&self) -> String {
        self.row.name.clone()
    }
    fn section(&self) -> Section {
        Section::Companies
    }
    fn crumbs(&self) -> Vec<Crumb> {
        vec![Crumb::new("Companies", "/companies")]
    }
}
