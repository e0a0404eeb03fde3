//! The door.

use askama::Template;

use super::{Part, Section, problem::Refusal};
use crate::filters;

/// E-mail and password.
#[derive(Template)]
#[template(path = "sign_in.html")]
pub struct SignIn {
    /// Whose rental program this is.
    pub vendor: String,
    /// What was typed, after a refusal.
    pub email: String,
    /// Where to go after; a path of this portal.
    pub to: String,
    /// Why the last try failed.
    pub problem: Option<Refusal>,
    /// The viewer just signed out.
    pub signed_out: bool,
    /// A password was just set with a link.
    pub password_set: bool,
    /// This server sends letters, so a link can be asked for.
    pub sends_letters: bool,
}

impl Part for SignIn {
    fn title(&self) -> String {
        "Sign in".to_owned()
    }
    fn section(&self) -> Section {
        Section::None
    }
}
