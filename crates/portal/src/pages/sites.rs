//! Sites: the locations of a provider, and their parts of the newest month.

use askama::Template;
use tenure_core::{Period, Points, Timestamp};

use super::{Part, Section};
use crate::filters;

/// The sites.
#[derive(Template)]
#[template(path = "sites.html")]
pub struct Sites {
    /// In the order they were added.
    pub rows: Vec<SiteRow>,
    /// The newest month with parts; none before the first.
    pub month: Option<SiteMonth>,
    /// Address of the next page; empty on the last.
    pub next: String,
}

/// The newest month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteMonth {
    /// The month.
    pub period: Period,
    /// The address of its review.
    pub href: String,
    /// What no site's part holds: lines of licenses without a site.
    pub without_site: Points,
    /// What is reported in it: the month's total, or that of the viewer's part.
    pub reported: Points,
    /// The viewer sees one site's part only.
    pub is_part: bool,
}

/// One site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteRow {
    /// Its name.
    pub name: String,
    /// Its licenses.
    pub licenses: String,
    /// Since when nothing new belongs to it.
    pub closed: Option<Timestamp>,
    /// Its part of the month; none where it has none.
    pub part: Option<SitePartRow>,
}

/// A site's part of a month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SitePartRow {
    /// When it came in, and from whom.
    pub submitted: Option<(Timestamp, String)>,
    /// Why it was returned; empty unless it was.
    pub returned: String,
    /// What its lines come to.
    pub points: Points,
}

impl Part for Sites {
    fn title(&self) -> String {
        "Sites".to_owned()
    }
    fn section(&self) -> Section {
        Section::Sites
    }
}
