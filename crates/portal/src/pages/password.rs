//! A lost password.

use askama::Template;

use super::{Part, Section, problem::Refusal};
use crate::filters;

/// For which address a link is wanted.
#[derive(Template)]
#[template(path = "password_ask.html")]
pub struct AskLink {
    /// It was asked for.
    pub sent: bool,
}

/// Setting a password with a link.
#[derive(Template)]
#[template(path = "password_new.html")]
pub struct NewPassword {
    /// The link's secret.
    pub secret: String,
    /// Why the last try was refused.
    pub problem: Option<Refusal>,
}

impl Part for AskLink {
    fn title(&self) -> String {
        "Lost password".to_owned()
    }
    fn section(&self) -> Section {
        Section::None
    }
}

impl Part for NewPassword {
    fn title(&self) -> String {
        "New password".to_owned()
    }
    fn section(&self) -> Section {
        Section::None
    }
}
