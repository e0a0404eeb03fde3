//! The lines of a month: what is unchanged is folded into one row with its sum.

use tenure_core::{Period, Points};

use super::{super::Choice, Deed};
use crate::spark::Spark;

/// The table of lines, or the part of it that is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Lines {
    /// What is shown.
    pub show: Show,
    /// Lines per choice of `show`.
    pub counts: Counts,
    /// The rows of this page.
    pub rows: Vec<Line>,
    /// The unchanged lines that are not shown.
    pub folded: Option<Folded>,
    /// Adjustment lines for earlier months.
    pub corrections: Vec<CorrectionLine>,
    /// Points of all lines, shown or not.
    pub total: Points,
    /// How many lines somebody marked as reviewed; none where marks are not shown.
    pub reviewed: Option<usize>,
    /// Page number, from 1.
    pub page: u32,
    /// Number of pages.
    pub pages: u32,
    /// The form for a manual line, when it is open.
    pub manual: Option<ManualForm>,
}

/// Which lines are shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Show {
    /// Changed against the month before, flagged, adjusted, manual or in need of an answer.
    #[default]
    Changed,
    /// The same as the month before.
    Unchanged,
    /// Entered by hand.
    Manual,
    /// All.
    All,
}

impl Show {
    /// All choices, in the order of the buttons.
    pub const ALL: [Self; 4] = [Self::Changed, Self::Unchanged, Self::Manual, Self::All];

    /// What stands in the address after `show=`.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Unchanged => "unchanged",
            Self::Manual => "manual",
            Self::All => "all",
        }
    }
    /// What the button says.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Changed => "Changed",
            Self::Unchanged => "Unchanged",
            Self::Manual => "Manual",
            Self::All => "All",
        }
    }
    /// The choice of an address; anything unknown is the first.
    pub fn from_slug(slug: &str) -> Self {
        Self::ALL.into_iter().find(|show| show.slug() == slug).unwrap_or_default()
    }
}

/// How many lines each choice shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Changed lines.
    pub changed: usize,
    /// Unchanged lines.
    pub unchanged: usize,
    /// Manual lines.
    pub manual: usize,
    /// All lines.
    pub all: usize,
}

impl Counts {
    /// How many lines `show` shows.
    pub const fn of(&self, show: Show) -> usize {
        match show {
            Show::Changed => self.changed,
            Show::Unchanged => self.unchanged,
            Show::Manual => self.manual,
            Show::All => self.all,
        }
    }
}

/// Lines that are not shown, as one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Folded {
    /// How many.
    pub lines: usize,
    /// Their points.
    pub points: Points,
}

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// What names the line in addresses and forms.
    pub key: String,
    /// Product and edition.
    pub product: String,
    /// The company that holds the license; empty when the provider itself does.
    pub company: String,
    /// The installation, when one product server stands behind it.
    pub installation: String,
    /// Where its license is shown; empty without a license.
    pub license: String,
    /// The unit counted.
    pub unit: String,
    /// Licensed units; none for a manual line without a license.
    pub licensed: Option<i64>,
    /// The figure of the month before; none when there was no such line.
    pub previous: Option<i64>,
    /// The figure of this month; none while nothing is reported.
    pub current: Option<i64>,
    /// New workloads, which cost nothing yet.
    pub new: i64,
    /// Daily highs.
    pub spark: Option<Spark>,
    /// Points per unit, as "11" or "4 – 5"; empty for an unmapped line.
    pub weight: String,
    /// Points.
    pub points: Points,
    /// Where the figure comes from.
    pub source: Source,
    /// The report behind it is preliminary.
    pub is_preliminary: bool,
    /// Flags in words.
    pub flags: Vec<String>,
    /// One license stands on several installations.
    pub is_shared: bool,
    /// What a person changed.
    pub change: Option<Change>,
    /// Who entered it by hand, and when.
    pub entered: Option<Deed>,
    /// What *Reset* gives back.
    pub undo: Undo,
    /// The form to adjust it, when it is open.
    pub form: Option<AdjustForm>,
    /// The figure can be adjusted: a product's, not a manual one.
    pub is_adjustable: bool,
    /// What the products counted in the license's shadow month, beside the figure entered by hand.
    pub shadow: Option<i64>,
    /// Whether somebody looked at the line with this figure; none where marks are not shown.
    pub mark: Option<Mark>,
    /// Where the workloads behind the figure are, below the month's address; empty when no report stands behind it.
    pub evidence: String,
}

impl Line {
    /// Difference to the month before; none without a figure on either side or without a difference.
    pub fn difference(&self) -> Option<i64> {
        let difference = self.current? - self.previous?;
        (difference != 0).then_some(difference)
    }
}

/// The mark of a line that somebody looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Names the line with its figure, as the form sends it.
    pub tag: String,
    /// Who looked, and when; none when nobody did.
    pub by: Option<Deed>,
}

/// What can be undone on a line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Undo {
    /// Nothing.
    #[default]
    Nothing,
    /// An adjustment: the product's figure counts again.
    Adjustment,
    /// An answer: the question is open again.
    Answer,
    /// A manual line: it is removed.
    Manual,
}

/// Where a figure comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The product's own report.
    Automatic,
    /// The product's, changed by a person.
    Adjusted,
    /// The product's, with workloads taken out on its own page.
    OwnPage,
    /// Entered by hand.
    Manual,
    /// A person answered for a product that sent nothing.
    Answered,
    /// Nothing is known yet.
    Awaited,
    /// Nothing came and nobody answered.
    Missing,
    /// The catalog does not know it.
    Unmapped,
    /// Two machines act as this installation.
    Clone,
    /// No installation was active.
    NotInstalled,
    /// The installation changed its license; the whole month stands under the later one.
    Replaced,
    /// Two documents hold one identity.
    Contested,
}

impl Source {
    /// The word in the tag.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Automatic => "Automatic",
            Self::Adjusted => "Adjusted",
            Self::OwnPage => "Product’s own page",
            Self::Manual => "Manual",
            Self::Answered => "Answered",
            Self::Awaited => "Awaited",
            Self::Missing => "Missing",
            Self::Unmapped => "Unmapped",
            Self::Clone => "Clone",
            Self::NotInstalled => "Not installed",
            Self::Replaced => "Replaced",
            Self::Contested => "Contested",
        }
    }
    /// The tag's tint.
    pub const fn tint(self) -> &'static str {
        match self {
            Self::Automatic => "good",
            Self::Adjusted | Self::OwnPage => "warn",
            Self::Missing | Self::Unmapped | Self::Clone | Self::Contested => "bad",
            _ => "",
        }
    }
}

/// A person's figure in place of the product's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The product's figure.
    pub original: i64,
    /// The reason's words; empty when the figure was raised.
    pub reason: String,
    /// The sentence; may be empty.
    pub note: String,
    /// Who and when; none when it was done on the product's own page.
    pub deed: Option<Deed>,
}

/// The open form of one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdjustForm {
    /// The figure typed, or the one that counts now.
    pub count: String,
    /// The product's figure.
    pub original: i64,
    /// Reason codes.
    pub reasons: Vec<Choice>,
    /// The sentence typed.
    pub note: String,
}

/// The open form of a manual line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManualForm {
    /// Product, workload and variant in one choice.
    pub units: Vec<Choice>,
    /// Companies; the first is the provider itself.
    pub companies: Vec<Choice>,
    /// Licenses; the first is none.
    pub licenses: Vec<Choice>,
    /// Makes a form that is sent twice one line.
    pub idempotency_key: String,
    /// The figure typed.
    pub count: String,
}

/// Usage of a closed month that arrived later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CorrectionLine {
    /// Product and edition.
    pub product: String,
    /// The company; empty when the provider itself.
    pub company: String,
    /// The unit counted.
    pub unit: String,
    /// The month it was used in.
    pub of: Period,
    /// Units more or less.
    pub delta: i64,
    /// Points per unit of that month.
    pub weight: String,
    /// Points.
    pub points: Points,
}
