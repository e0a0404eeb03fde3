//! The review of one month: what needs an answer, every line, and the one decisive action.

pub mod ask;
pub mod lines;

use askama::Template;
use tenure_core::{
    Period, Points, Timestamp,
    cycle::{Blocker, UsageState},
};

use self::{
    ask::{Ask, AskKind},
    lines::{Lines, Show, Undo},
};
use super::{Crumb, Part, Said, Section};
use crate::{filters, format, format::Deadline};

/// One provider's month, for whoever looks at it.
#[derive(Template)]
#[template(path = "month.html")]
pub struct Month {
    /// What was just done or refused.
    pub said: Said,
    /// The address of this page, without a query.
    pub base: String,
    /// Who looks.
    pub side: Side,
    /// What the viewer may do here now.
    pub may: May,
    /// The month.
    pub period: Period,
    /// Whose month it is.
    pub provider: String,
    /// Who approves it.
    pub distributor: String,
    /// The number of the rental agreement.
    pub agreement: String,
    /// Its state.
    pub state: UsageState,
    /// The provider's deadline; the distributor's, once it is submitted; the end of a rejection's respite.
    pub deadline: Deadline,
    /// From when an undecided month extends its licenses all the same; none while it is not submitted, or is flagged.
    pub extends_anyway: Option<Timestamp>,
    /// Until when reports are awaited.
    pub collecting_until: Timestamp,
    /// When it was opened.
    pub opened: Timestamp,
    /// When it is submitted by itself, where that was asked for.
    pub auto_submit: Option<Timestamp>,
    /// Somebody may ask for that, or no longer ask for it.
    pub may_set_auto_submit: bool,
    /// When and by whom it was submitted.
    pub submitted: Option<Deed>,
    /// When and by whom it was approved or rejected.
    pub decided: Option<Deed>,
    /// The distributor has so many points approved by two people.
    pub takes_two: bool,
    /// When and by whom it was approved first, while it waits for the second.
    pub approved_first: Option<Deed>,
    /// It was the viewer.
    pub approved_by_me: bool,
    /// When it was closed.
    pub closed: Option<Timestamp>,
    /// Why it was rejected, or closed by the vendor; may be empty.
    pub reason: String,
    /// What the provider wrote when it submitted; may be empty.
    pub comment: String,
    /// Installations that were expected.
    pub expected: u32,
    /// Installations accounted for.
    pub accounted: u32,
    /// The figures that answer "how much".
    pub sums: Sums,
    /// No receipt stands for the report's lines as they are.
    pub is_report_preliminary: bool,
    /// What stands against a submission.
    pub blockers: Vec<Blocker>,
    /// What needs an answer, and what is worth a look, most urgent first.
    pub asks: Vec<Ask>,
    /// All of it is shown, however much it is.
    pub all_asks: bool,
    /// The lines.
    pub lines: Lines,
    /// The sites' parts; empty without sites.
    pub parts: Vec<SitePart>,
    /// The purchase order of the month.
    pub purchase_order: String,
    /// The address of the newest submission's receipt; empty before the first.
    pub receipt: String,
    /// The hash of the lines as shown: what a submission or approval means.
    pub saw: String,
}

/// Who looks at a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Somebody of the provider.
    Provider,
    /// Somebody of one site of the provider.
    Site,
    /// Somebody of the distributor.
    Distributor,
    /// Somebody of the vendor.
    Vendor,
}

/// What the viewer may do with the month as it is now. Use cases decide again; this only shows or hides buttons.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct May {
    /// Start the review before the collecting is over.
    pub start: bool,
    /// Answer, adjust, add lines.
    pub edit: bool,
    /// Submit the whole.
    pub submit: bool,
    /// Submit one's own site's part.
    pub submit_part: bool,
    /// Return a site's part.
    pub return_part: bool,
    /// Approve or reject.
    pub decide: bool,
    /// The vendor's consent to lowered figures.
    pub consent: bool,
    /// Close it for the vendor.
    pub close: bool,
}

/// Something somebody did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    /// When.
    pub at: Timestamp,
    /// Who, by name; empty when the server did it.
    pub by: String,
}

/// The totals of a month ("Totals").
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sums {
    /// Reported points.
    pub reported: Points,
    /// Reported points of the month before; none for the first.
    pub previous: Option<Points>,
    /// Minimum commit.
    pub commit: Points,
    /// What is missing to the commit.
    pub enforcement: Points,
    /// What is above the limit.
    pub overage: Points,
    /// Reported and enforcement.
    pub total: Points,
    /// The agreement was signed in this month: submitted, but billed 0.
    pub is_signing_month: bool,
    /// Figures may still change, because installations are awaited or reports are preliminary.
    pub is_preliminary: bool,
}

impl Sums {
    fn change(&self) -> Option<Points> {
        self.previous.map(|previous| self.reported - previous)
    }
    fn change_per_cent(&self) -> Option<String> {
        self.previous.and_then(|previous| format::per_cent(self.reported, previous))
    }
}

/// A site's part of the month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SitePart {
    /// The site, as the form sends it.
    pub id: String,
    /// Its name.
    pub name: String,
    /// When and by whom it was submitted.
    pub submitted: Option<Deed>,
    /// Why it was returned; empty otherwise.
    pub returned: String,
    /// Points of its lines.
    pub points: Points,
    /// The viewer speaks for this site.
    pub is_own: bool,
}

/// Questions of one card, until all are asked for: a page must stay a page.
const MAX_ASKS: usize = 20;

/// A card of questions.
struct Card<'a> {
    id: &'static str,
    blocks: bool,
    count: usize,
    asks: Vec<&'a Ask>,
}

/// A step of the month's way.
struct Step {
    label: &'static str,
    note: String,
    class: &'static str,
}

impl Month {
    /// How many answers stand in the way of a submission.
    fn answers(&self) -> usize {
        self.asks.iter().filter(|ask| ask.blocks()).count()
    }
    /// The two cards: what blocks, and what does not.
    fn cards(&self) -> [Card<'_>; 2] {
        let (blocking, other): (Vec<&Ask>, Vec<&Ask>) = self.asks.iter().partition(|ask| ask.blocks());
        [("asks", true, blocking), ("flags", false, other)].map(|(id, blocks, mut asks)| {
            let count = asks.len();
            asks.truncate(if self.all_asks { count } else { MAX_ASKS });
            Card { id, blocks, count, asks }
        })
    }
    fn awaited(&self) -> u32 {
        self.blockers.iter().map(|blocker| if let Blocker::Awaited(n) = blocker { *n } else { 0 }).sum()
    }
    fn parts_outstanding(&self) -> usize {
        self.parts.iter().filter(|part| part.submitted.is_none()).count()
    }
    fn own_part(&self) -> Option<&SitePart> {
        self.parts.iter().find(|part| part.is_own)
    }

    /// The month's way, with where it stands.
    fn steps(&self) -> Vec<Step> {
        let place = match self.state {
            UsageState::Collecting => 0,
            UsageState::PendingSiteReview => 1,
            UsageState::PendingProviderReview | UsageState::Rejected => 2,
            UsageState::PendingDistributorReview => 3,
            UsageState::Closed => 4,
        };
        let step = |index: usize, label: &'static str, note: String| Step {
            label,
            note,
            class: match index.cmp(&place) {
                std::cmp::Ordering::Less => "done",
                std::cmp::Ordering::Equal => "now",
                std::cmp::Ordering::Greater => "",
            },
        };
        let accounted = format!(
            "{} of {} accounted for",
            format::count(self.accounted.into()),
            format::count(self.expected.into())
        );
        let reviewer = if self.side == Side::Provider { "Your review" } else { "Provider’s review" };
        let mut steps = vec![if place == 0 {
            step(0, "Collecting", accounted.clone())
        } else {
            step(0, "Opened", format::short_date(self.opened))
        }];
        if !self.parts.is_empty() {
            let parts_in = self.parts.len() - self.parts_outstanding();
            steps.push(step(1, "Sites", format!("{parts_in} of {} parts in", self.parts.len())));
        }
        steps.push(step(
            2,
            reviewer,
            match &self.submitted {
                Some(deed) if place > 2 => format!("submitted {}", format::short_date(deed.at)),
                _ if place == 2 => accounted,
                _ => String::new(),
            },
        ));
        steps.push(step(
            3,
            "Distributor",
            match &self.decided {
                Some(deed) if place > 3 => format!("approved {}", format::short_date(deed.at)),
                Some(deed) if self.state == UsageState::Rejected => format!("rejected {}", format::short_date(deed.at)),
                _ => String::new(),
            },
        ));
        steps.push(step(4, "Closed", self.closed.map(format::short_date).unwrap_or_default()));
        steps
    }
}

impl Part for Month {
    fn title(&self) -> String {
        match self.side {
            Side::Provider | Side::Site => format::month(self.period),
            Side::Distributor | Side::Vendor => format!("{}, {}", self.provider, format::month(self.period)),
        }
    }
    fn section(&self) -> Section {
        match self.state {
            UsageState::Closed => Section::Months,
            _ if self.side == Side::Vendor => Section::Months,
            UsageState::PendingDistributorReview if self.side != Side::Distributor => Section::Months,
            _ => Section::Actions,
        }
    }
    fn crumbs(&self) -> Vec<Crumb> {
        let mut crumbs = vec![Crumb::new("Monthly Usages", "/months")];
        if self.section() == Section::Actions {
            crumbs.push(Crumb::new("My Actions", "/actions"));
        }
        crumbs
    }
}
