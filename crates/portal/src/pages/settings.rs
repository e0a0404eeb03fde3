//! Settings: the people of an organization, its API tokens, and where the viewer is signed in.

use askama::Template;
use tenure_core::Timestamp;

use super::{Choice, Crumb, Part, Said, Section};
use crate::filters;

/// Which of the pages under Settings the viewer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tabs {
    /// People.
    pub people: bool,
    /// API tokens.
    pub tokens: bool,
    /// Connections of consoles.
    pub console: bool,
    /// The one that is shown.
    pub current: Tab,
}

/// A page under Settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tab {
    /// People and their roles.
    People,
    /// API tokens.
    Tokens,
    /// Connections of consoles.
    Console,
    /// The viewer's own password and sessions.
    Account,
}

/// People of the viewer's organization.
#[derive(Template)]
#[template(path = "people.html")]
pub struct People {
    /// What was just done.
    pub said: Said,
    /// The pages under Settings.
    pub tabs: Tabs,
    /// In the order they were added.
    pub rows: Vec<PersonRow>,
    /// The form for a new person; none when the viewer may not add one.
    pub form: Option<PersonForm>,
    /// Address of the next page; empty on the last.
    pub next: String,
}

/// One person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonRow {
    /// Where it is changed; empty when the viewer may not.
    pub href: String,
    /// Display name.
    pub name: String,
    /// E-mail address.
    pub email: String,
    /// Its role.
    pub role: &'static str,
    /// Its site; empty for all.
    pub site: String,
    /// Since when it may not sign in.
    pub ended: Option<Timestamp>,
    /// It is the viewer.
    pub is_me: bool,
    /// It signs in with a second step.
    pub second_step: bool,
}

/// What a new person is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonForm {
    /// Makes a form that is sent twice one person.
    pub idempotency_key: String,
    /// Name as typed.
    pub name: String,
    /// E-mail address as typed.
    pub email: String,
    /// Roles the viewer may give.
    pub roles: Vec<Choice>,
    /// What each of them may do.
    pub role_words: Vec<(&'static str, &'static str)>,
    /// Sites; the first is none. Empty where there are none.
    pub sites: Vec<Choice>,
}

/// One person, to be changed.
#[derive(Template)]
#[template(path = "person.html")]
pub struct Person {
    /// What was just done.
    pub said: Said,
    /// The address of this page.
    pub base: String,
    /// Who.
    pub row: PersonRow,
    /// Roles the viewer may give.
    pub roles: Vec<Choice>,
    /// Sites; empty where there are none.
    pub sites: Vec<Choice>,
    /// The content that the form was drawn from.
    pub saw: String,
}

/// A secret that is shown once: a first password, or an API token.
#[derive(Template)]
#[template(path = "secret.html")]
pub struct Secret {
    /// What was made, as `First password of Ada Brandt`.
    pub of: String,
    /// The secret.
    pub secret: String,
    /// What to do with it.
    pub what_to_do: String,
    /// Where to go on.
    pub back: &'static str,
}

/// API tokens of the viewer's organization.
#[derive(Template)]
#[template(path = "tokens.html")]
pub struct Tokens {
    /// What was just done.
    pub said: Said,
    /// The pages under Settings.
    pub tabs: Tabs,
    /// In the order they were made.
    pub rows: Vec<TokenRow>,
    /// Makes a form that is sent twice one token.
    pub idempotency_key: String,
    /// Name as typed.
    pub name: String,
    /// Scopes.
    pub scopes: Vec<Choice>,
    /// Sites; the first is none. Empty where there are none.
    pub sites: Vec<Choice>,
    /// How long a new token is good for.
    pub lifetimes: Vec<Choice>,
    /// Address of the next page; empty on the last.
    pub next: String,
    /// For how many hours a rotated token is still good.
    pub overlap_hours: u32,
}

/// One API token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRow {
    /// Its address, for what is done with it.
    pub href: String,
    /// What its owner calls it.
    pub name: String,
    /// What it may do.
    pub scope: &'static str,
    /// Its site; empty for all.
    pub site: String,
    /// When it was made.
    pub created: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
    /// When it was last used.
    pub used: Option<Timestamp>,
    /// It is in force.
    pub state: TokenState,
    /// Makes a rotation that is sent twice one.
    pub idempotency_key: String,
    /// How many days it was made for, which its successor gets too.
    pub days: i64,
}

/// How a token stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenState {
    /// In force.
    InForce,
    /// Past its end.
    Ended,
    /// Taken back.
    Revoked(Timestamp),
}

/// The viewer's own password and sessions.
#[derive(Template)]
#[template(path = "account.html")]
pub struct Account {
    /// What was just done.
    pub said: Said,
    /// The pages under Settings.
    pub tabs: Tabs,
    /// E-mail address.
    pub email: String,
    /// Role.
    pub role: &'static str,
    /// Where the viewer is signed in, newest first.
    pub sessions: Vec<SessionRow>,
    /// Since when signing in takes a second step.
    pub second_step: Option<Timestamp>,
    /// Recovery codes that were not used.
    pub recovery_codes: u64,
}

/// A place where the viewer is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// Its id, as the form sends it.
    pub id: String,
    /// Since when.
    pub created: Timestamp,
    /// Last used.
    pub seen: Timestamp,
    /// When it ends whatever happens.
    pub ends: Timestamp,
    /// The one that asks.
    pub is_current: bool,
}

fn crumbs() -> Vec<Crumb> {
    vec![Crumb::new("Settings", "/settings")]
}

impl Part for People {
    fn title(&self) -> String {
        "People".to_owned()
    }
    fn section(&self) -> Section {
        Section::Settings
    }
    fn crumbs(&self) -> Vec<Crumb> {
        crumbs()
    }
}

impl Part for Person {
    fn title(&self) -> String {
        self.row.name.clone()
    }
    fn section(&self) -> Section {
        Section::Settings
    }
    fn crumbs(&self) -> Vec<Crumb> {
        let mut crumbs = crumbs();
        crumbs.push(Crumb::new("People", "/settings/people"));
        crumbs
    }
}

impl Part for Secret {
    fn title(&self) -> String {
        self.of.clone()
    }
    fn section(&self) -> Section {
        Section::Settings
    }
    fn crumbs(&self) -> Vec<Crumb> {
        crumbs()
    }
}

impl Part for Tokens {
    fn title(&self) -> String {
        "API tokens".to_owned()
    }
    fn section(&self) -> Section {
        Section::Settings
    }
    fn crumbs(&self) -> Vec<Crumb> {
        crumbs()
    }
}

impl Part for Account {
    fn title(&self) -> String {
        "Your account".to_owned()
    }
    fn section(&self) -> Section {
        Section::Settings
    }
    fn crumbs(&self) -> Vec<Crumb> {
        crumbs()
    }
}
