//! Enroll tokens of a license, and the servers that wait for approval.

use askama::Template;
use tenure_core::Timestamp;

use super::{Choice, Crumb, Part, Said, Section};
use crate::filters;

/// The page from which a fleet is let in.
#[derive(Template)]
#[template(path = "enroll.html")]
pub struct Enroll {
    /// What was just done.
    pub said: Said,
    /// A token that was just made, shown this once; empty without one.
    pub made: String,
    /// The license's page.
    pub base: String,
    /// Product and edition.
    pub product: String,
    /// Servers that wait, the longest waiting first.
    pub applicants: Vec<ApplicantRow>,
    /// Tokens, newest first.
    pub tokens: Vec<TokenRow>,
    /// Whether the viewer makes tokens and decides.
    pub may: bool,
    /// Makes a form that is sent twice one.
    pub idempotency_key: String,
    /// What was typed.
    pub typed: Typed,
    /// How long a token can be good for.
    pub lifetimes: Vec<Choice>,
}

/// What was typed into the form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Typed {
    /// What it is for.
    pub name: String,
    /// Servers that may show it.
    pub servers: String,
    /// Servers that the license may have before one waits.
    pub limit: String,
    /// Networks, one a line.
    pub networks: String,
}

/// A server that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApplicantRow {
    /// Its id, as the forms send it.
    pub id: String,
    /// Host name it tells.
    pub name: String,
    /// The address it asked from.
    pub address: String,
    /// When it asked first.
    pub asked: Timestamp,
    /// The token it showed.
    pub token: String,
}

/// A token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRow {
    /// Its id, as the form sends it.
    pub id: String,
    /// What it is for.
    pub name: String,
    /// Servers that showed it, and that may.
    pub used: (u32, u32),
    /// Servers that the license may have before one waits.
    pub limit: u32,
    /// Networks it is good from.
    pub networks: String,
    /// When it ends.
    pub expires: Timestamp,
    /// Whether it is in force.
    pub in_force: bool,
    /// When it was revoked.
    pub revoked: Option<Timestamp>,
    /// The first time that it was shown where it is not good.
    pub elsewhere: Option<Timestamp>,
}

impl Part for Enroll {
    fn title(&self) -> String {
        "Enroll a fleet".to_owned()
    }
    fn section(&self) -> Section {
        Section::Licenses
    }
    fn crumbs(&self) -> Vec<Crumb> {
        vec![Crumb::new("Manage Licenses", "/licenses"), Crumb::new(self.product.clone(), self.base.clone())]
    }
}
