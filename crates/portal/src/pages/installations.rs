//! Installations: every product server with its health, the cause in one line, and what to do about it.

use askama::Template;
use tenure_core::{Period, Timestamp};

use super::{Crumb, Part, Said, Section, licenses::Filter};
use crate::{filters, format::Deadline};

/// The list.
#[derive(Template)]
#[template(path = "installations.html")]
pub struct Installations {
    /// What was just done.
    pub said: Said,
    /// The rows of this page.
    pub rows: Vec<ServerRow>,
    /// What to look for.
    pub presets: Vec<Filter>,
    /// The list is narrowed, so that no row does not mean no server.
    pub is_filtered: bool,
    /// Address of the next page; empty on the last.
    pub next: String,
}

/// How a server is, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// Nothing to look at.
    Healthy,
    /// Something worth knowing.
    Note,
    /// Something is wrong.
    Trouble,
    /// Two machines speak as one.
    Clone,
    /// Out of use.
    Retired,
}

/// One server.
#[derive(Debug, Clone, PartialEq)]
pub struct ServerRow {
    /// Where it is shown.
    pub href: String,
    /// Its host name.
    pub name: String,
    /// Product and edition of its license.
    pub product: String,
    /// Who holds the license.
    pub company: String,
    /// How it is.
    pub health: Health,
    /// The worst there is, as a sentence; empty when there is nothing.
    pub cause: String,
    /// What to do about it.
    pub fix: String,
    /// When it was last heard from.
    pub seen: Deadline,
    /// The newest month it reported.
    pub reported: Option<Period>,
    /// Product version.
    pub version: String,
    /// How far its clock is off, in words; empty when it is right.
    pub skew: String,
    /// How many servers share its license, where more than one does.
    pub sharing: u32,
}

/// One server.
#[derive(Template)]
#[template(path = "installation.html")]
pub struct Installation {
    /// What was just done.
    pub said: Said,
    /// The address of this page.
    pub base: String,
    /// What the list shows of it.
    pub row: ServerRow,
    /// Everything there is to look at, the worst first.
    pub troubles: Vec<TroubleRow>,
    /// The address of its license.
    pub license: String,
    /// Version of the agent.
    pub agent_version: String,
    /// It installs new licenses by itself.
    pub updates_itself: bool,
    /// *Update now* was asked for, and it was not heard since.
    pub is_asked: bool,
    /// Serial it shows, newest serial issued to it, and whether they are the same.
    pub shows: (u64, u64, bool),
    /// The end of the newest license issued to it.
    pub expires: Timestamp,
    /// When it was activated.
    pub activated: Timestamp,
    /// When its last report came.
    pub report_received: Option<Timestamp>,
    /// When it stopped being expected, and how.
    pub retired: Option<(Timestamp, String)>,
    /// The server it took over from, and the one that took over from it; addresses, empty for none.
    pub replaces: String,
    /// See `replaces`.
    pub replaced_by: String,
    /// When another key showed the code that made it: somebody else may hold that code.
    pub code_shown_again: Option<Timestamp>,
    /// When it came back from an earlier state, newest first.
    pub rejoins: Vec<RejoinRow>,
    /// Its id.
    pub id: String,
    /// The viewer may act on it.
    pub may_manage: bool,
}

/// Something to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TroubleRow {
    /// What is wrong, as a sentence.
    pub cause: String,
    /// What to do.
    pub fix: String,
    /// It is only worth knowing.
    pub is_note: bool,
}

/// A return from an earlier state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejoinRow {
    /// When.
    pub at: Timestamp,
    /// What it was taken for: `Set back`, `Clone`, `Server restored`.
    pub class: &'static str,
    /// Host name of the side that was left behind, and when it spoke last.
    pub left: (String, Timestamp),
    /// Host name of the side that came back.
    pub came: String,
    /// Whether both tell the same machine; none where one of them tells nothing.
    pub same_machine: Option<bool>,
    /// How, when and by whom it was settled; none while it is open.
    pub settled: Option<(String, Timestamp, String)>,
}

impl Installation {
    /// Somebody should say what became of a return.
    fn is_open(&self) -> bool {
        self.rejoins.iter().any(|row| row.settled.is_none())
    }
}

impl Part for Installations {
    fn title(&self) -> String {
        "Installations".to_owned()
    }
    fn section(&self) -> Section {
        Section::Installations
    }
}

impl Part for Installation {
    fn title(&self) -> String {
        self.row.name.clone()
    }
    fn section(&self) -> Section {
        Section::Installations
    }
    fn crumbs(&self) -> Vec<Crumb> {
        vec![Crumb::new("Installations", "/installations")]
    }
}
