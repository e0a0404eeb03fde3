//! The second step of signing in: being asked for a code, setting it up, recovery codes.

use askama::Template;

use super::{Crumb, Part, Section, problem::Refusal};
use crate::filters;

/// The door's second page: a code, after the password was right.
#[derive(Template)]
#[template(path = "sign_in_code.html")]
pub struct Code {
    /// What the right password earned.
    pub challenge: String,
    /// Where to go after; a path of this portal.
    pub to: String,
    /// Why the last try failed.
    pub problem: Option<Refusal>,
}

/// A secret for an authenticator app, to be confirmed by a first code.
#[derive(Template)]
#[template(path = "second_step.html")]
pub struct SetUp {
    /// Why the last code was refused.
    pub problem: Option<Refusal>,
    /// The secret as people type it, in groups of four.
    pub secret: String,
    /// The same for a camera.
    pub qr: Qr,
}

/// A QR code as squares: dark on light in both themes, since cameras want it so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Qr {
    /// Modules on each side, the quiet zone included.
    pub size: usize,
    /// The dark ones, as an SVG path.
    pub path: String,
}

/// Recovery codes, shown once.
#[derive(Template)]
#[template(path = "recovery_codes.html")]
pub struct RecoveryCodes {
    /// Each is good once.
    pub codes: Vec<String>,
    /// They are the first ones: the second step was just set up.
    pub is_first: bool,
}

impl Part for Code {
    fn title(&self) -> String {
        "Sign in".to_owned()
    }
    fn section(&self) -> Section {
        Section::None
    }
}

fn crumbs() -> Vec<Crumb> {
    vec![Crumb::new("Settings", "/settings"), Crumb::new("Your account", "/settings/account")]
}

impl Part for SetUp {
    fn title(&self) -> String {
        "Set up a second step".to_owned()
    }
    fn section(&self) -> Section {
        Section::Settings
    }
    fn crumbs(&self) -> Vec<Crumb> {
        crumbs()
    }
}

impl Part for RecoveryCodes {
    fn title(&self) -> String {
        "Recovery codes".to_owned()
    }
    fn section(&self) -> Section {
        Section::Settings
    }
    fn crumbs(&self) -> Vec<Crumb> {
        crumbs()
    }
}
