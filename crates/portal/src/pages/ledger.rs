//! A page of sentences, tables and forms: what vendor and distributor look things up on and change the program with.

use askama::Template;

use super::{Choice, Crumb, Part, Said, Section};
use crate::filters;

/// The page.
#[derive(Template)]
#[template(path = "ledger.html")]
pub struct Ledger {
    /// What was just done.
    pub said: Said,
    /// Its title.
    pub title: String,
    /// Which entry of the navigation is lit.
    pub section: Section,
    /// The way here.
    pub crumbs: Vec<Crumb>,
    /// What must be done, or what this is, in a sentence or two.
    pub say: String,
    /// Figures that answer "how much": name and value.
    pub sums: Vec<(String, String)>,
    /// What narrows it; none where there is nothing to narrow.
    pub filter: Option<Form>,
    /// The tables.
    pub tables: Vec<Table>,
    /// What can be done here.
    pub forms: Vec<Form>,
}

/// A table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    /// Its heading.
    pub title: String,
    /// Columns: the title, and whether it holds figures.
    pub columns: Vec<(String, bool)>,
    /// The rows.
    pub rows: Vec<Vec<Cell>>,
    /// What is said where there is no row.
    pub empty: String,
    /// Where more rows are; empty where there are none.
    pub next: String,
}

/// A cell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cell {
    /// What is read.
    pub text: String,
    /// What stands below it, quietly.
    pub small: String,
    /// Where it leads; empty for nowhere.
    pub href: String,
    /// Shown as a tag: `good`, `warn`, `bad` or `plain`; empty for text.
    pub tag: &'static str,
}

/// A form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Form {
    /// Its heading; empty for none.
    pub title: String,
    /// What it does, in a sentence; empty for none.
    pub say: String,
    /// Where it is sent.
    pub action: String,
    /// It only asks: sent as `GET`.
    pub is_get: bool,
    /// Its fields.
    pub fields: Vec<Field>,
    /// The button's words.
    pub button: String,
    /// The button is the page's decisive one.
    pub is_primary: bool,
}

/// A field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Field {
    /// What is sent.
    pub name: String,
    /// What is read.
    pub label: String,
    /// Its value.
    pub value: String,
    /// What is said below it.
    pub hint: String,
    /// `text`, `month`, `date`, `hidden`, `select` or `lines`.
    pub kind: &'static str,
    /// What it chooses from.
    pub choices: Vec<Choice>,
    /// It cannot be left empty.
    pub required: bool,
}

impl Table {
    /// A table with its columns; those that begin with `#` hold figures.
    pub fn new(title: &str, columns: &[&str], empty: &str) -> Self {
        let column =
            |name: &&str| name.strip_prefix('#').map_or(((*name).to_owned(), false), |name| (name.to_owned(), true));
        Self {
            title: title.to_owned(),
            columns: columns.iter().map(column).collect(),
            empty: empty.to_owned(),
            ..Self::default()
        }
    }

    /// With its rows.
    #[must_use]
    pub fn rows(mut self, rows: impl IntoIterator<Item = Vec<Cell>>) -> Self {
        self.rows = rows.into_iter().collect();
        self
    }

    fn is_figure(&self, at: usize) -> bool {
        self.columns.get(at).is_some_and(|(_, is_figure)| *is_figure)
    }
}

impl Cell {
    /// A text.
    pub fn new(text: impl ToString) -> Self {
        Self { text: text.to_string(), ..Self::default() }
    }
    /// A text that leads somewhere.
    pub fn link(text: impl ToString, href: impl Into<String>) -> Self {
        Self { href: href.into(), ..Self::new(text) }
    }
    /// A tag.
    pub fn tag(text: impl ToString, tag: &'static str) -> Self {
        Self { tag, ..Self::new(text) }
    }
    /// With something quiet below.
    #[must_use]
    pub fn small(mut self, small: impl ToString) -> Self {
        self.small = small.to_string();
        self
    }
}

impl Cell {
    /// Long enough to want lines of a readable length.
    fn is_sentence(&self) -> bool {
        self.text.chars().count() > 40
    }
}

impl Field {
    fn of(kind: &'static str, name: &str, label: &str, value: impl ToString) -> Self {
        Self { name: name.to_owned(), label: label.to_owned(), value: value.to_string(), kind, ..Self::default() }
    }
    /// A text that must be there.
    pub fn text(name: &str, label: &str, value: impl ToString) -> Self {
        Self { required: true, ..Self::of("text", name, label, value) }
    }
    /// A text that may be left empty.
    pub fn maybe(name: &str, label: &str, value: impl ToString) -> Self {
        Self::of("text", name, label, value)
    }
    /// A month as 2026-01.
    pub fn month(name: &str, label: &str, value: impl ToString) -> Self {
        Self { required: true, ..Self::of("month", name, label, value) }
    }
    /// A day.
    pub fn date(name: &str, label: &str, value: impl ToString) -> Self {
        Self { required: true, ..Self::of("date", name, label, value) }
    }
    /// Something that is only carried along.
    pub fn hidden(name: &str, value: impl ToString) -> Self {
        Self::of("hidden", name, "", value)
    }
    /// A choice.
    pub fn select(name: &str, label: &str, choices: Vec<Choice>) -> Self {
        Self { choices, ..Self::of("select", name, label, "") }
    }
    /// Text of many lines.
    pub fn lines(name: &str, label: &str, value: impl ToString) -> Self {
        Self { required: true, ..Self::of("lines", name, label, value) }
    }
    /// With words below.
    #[must_use]
    pub fn hint(mut self, hint: &str) -> Self {
        hint.clone_into(&mut self.hint);
        self
    }
    /// Whether it may be left empty.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.required = false;
        self
    }
}

impl Part for Ledger {
    fn title(&self) -> String {
        self.title.clone()
    }
    fn section(&self) -> Section {
        self.section
    }
    fn crumbs(&self) -> Vec<Crumb> {
        self.crumbs.clone()
    }
}
