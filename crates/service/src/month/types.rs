//! A provider's month as every door sees it.

use std::sync::Arc;

use tenure_core::{
    AgreementId, AgreementKind, CompanyId, Day, InstallationId, LicenseId, LineId, OrgId, Period, Points, ProductId,
    SiteId, Timestamp, UsageId, Weight,
    adjust::ReasonCode,
    cycle::{Blocker, UsageState},
    deviation::Flag,
    expected::Presence,
    line::Source,
    reported::NotReported,
    reporting::AutomaticReporting,
    totals::Totals,
};
use uuid::Uuid;

use super::tag::LinesTag;

/// Something by id and by the name it has now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named<Id> {
    /// Stable id.
    pub id: Id,
    /// Display name.
    pub name: String,
}

/// Who did something: a person or a token by name, or the server itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    /// The person's or token's id; nil for the server.
    pub id: Uuid,
    /// The name, or `the server`.
    pub name: String,
}

/// A provider's month, computed from its rows.
#[derive(Debug, Clone)]
pub struct Month {
    /// Whose, when, where it stands.
    pub head: MonthHead,
    /// Everything that is owed, in the order of the lines' keys: automatic and answered lines, manual lines, corrections.
    pub lines: Vec<Line>,
    /// Installations that had to account for the month, by id.
    pub installations: Vec<Arc<Expected>>,
    /// The licenses behind the lines, by id, with what is unusual about them.
    pub licenses: Vec<LicenseMonth>,
    /// What it comes to.
    pub totals: Totals,
    /// The month before, where it was submitted.
    pub previous: Option<Points>,
    /// What of negative corrections is carried to a later month; zero or negative.
    pub carried: Points,
    /// What the products' own figures come to, for what was lowered.
    pub products_total: Points,
    /// Figures were lowered so far that the vendor has to consent too.
    pub lowered: bool,
    /// What stands against a submission, counted.
    pub blockers: Vec<Blocker>,
    /// Licenses whose usage is entered by hand and for which nothing is there.
    pub by_hand: Vec<Arc<LicenseOf>>,
    /// Sites' parts, by the sites' names; empty without sites.
    pub parts: Vec<SitePart>,
    /// Names the lines; what submit, approve and close refer to.
    pub tag: LinesTag,
}

/// Whose month it is and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MonthHead {
    /// Its id.
    pub id: UsageId,
    /// Whose.
    pub provider: Named<OrgId>,
    /// Which month.
    pub period: Period,
    /// Where it stands.
    pub state: UsageState,
    /// Who decides.
    pub distributor: Named<OrgId>,
    /// The agreement it is billed under.
    pub agreement: AgreementOf,
    /// When it was opened.
    pub opened: Timestamp,
    /// The end of the day by which the provider submits.
    pub due: Timestamp,
    /// It is past that and not submitted.
    pub late: bool,
    /// By when the distributor decides, once it is submitted.
    pub decide_by: Option<Timestamp>,
    /// The newest submission.
    pub submitted: Option<Submitted>,
    /// The distributor's last decision.
    pub decided: Option<(Timestamp, Who)>,
    /// Why it was rejected, or closed by the vendor; empty otherwise.
    pub reason: String,
    /// When it was closed.
    pub closed: Option<Timestamp>,
    /// The vendor's consent to lowered figures.
    pub vendor_consent: Option<(Timestamp, Who)>,
    /// More points than these the distributor has approved by two people.
    pub two_people_above: Option<Points>,
    /// The first of two people's approval.
    pub approved_first: Option<(Timestamp, Who)>,
    /// The provider's purchase order.
    pub purchase_order: String,
    /// The provider's words to the distributor.
    pub comment: String,
    /// When it is submitted by itself, where that was asked for and nobody submits before.
    pub auto_submit: Option<Timestamp>,
    /// Until when reports are awaited.
    pub awaited_until: Timestamp,
}

/// A submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submitted {
    /// Which, from 1.
    pub number: u32,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: Who,
    /// For which organization.
    pub org: OrgId,
    /// Reported points as submitted.
    pub reported: Points,
    /// Total points as submitted.
    pub total: Points,
    /// Licenses with a flag.
    pub flagged: u32,
    /// SHA-256 of the lines that were submitted.
    pub lines_hash: [u8; 32],
}

/// A rental agreement as a month shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgreementOf {
    /// Its id.
    pub id: AgreementId,
    /// The number people know it by.
    pub number: String,
    /// Its commitment.
    pub kind: AgreementKind,
}

/// A product of the catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductOf {
    /// Its id.
    pub id: ProductId,
    /// The code compiled into it.
    pub code: String,
    /// Display name.
    pub name: String,
    /// Edition; empty when it has only one.
    pub edition: String,
    /// Whether its installations report by themselves.
    pub reports: bool,
}

/// A license as a month shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LicenseOf {
    /// Its id.
    pub id: LicenseId,
    /// Its product.
    pub product: Arc<ProductOf>,
    /// The customer that holds it; none when the provider itself does.
    pub company: Option<Arc<Named<CompanyId>>>,
    /// The site it belongs to.
    pub site: Option<SiteId>,
    /// The provider's own words.
    pub description: String,
    /// Where automatic reporting stands.
    pub reporting: AutomaticReporting,
}

/// An installation that has to account for the month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// The installation.
    pub id: InstallationId,
    /// Host name as last told.
    pub name: String,
    /// Its license at the month's end.
    pub license: Arc<LicenseOf>,
    /// How it stands.
    pub presence: Presence,
    /// Where its figures come from, or why there are none.
    pub source: Source,
    /// Its report is contested: another document claims its place.
    pub contested: bool,
    /// The report held for it, whether it counts or not.
    pub report: Option<ReportOf>,
    /// The person's answer that counts.
    pub answer: Option<(Timestamp, Who)>,
    /// Last check-in.
    pub seen: Option<Timestamp>,
    /// When it was activated.
    pub activated: Timestamp,
    /// When it stopped being expected.
    pub retired: Option<Timestamp>,
    /// What the weekly figures reached, per workload type and variant: what a person may answer with.
    pub suggested: Vec<Figure>,
}

/// A report as a month shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportOf {
    /// Its revision.
    pub revision: u32,
    /// When it arrived.
    pub received: Timestamp,
    /// The product's word, not a figure to review.
    pub is_final: bool,
}

/// Units of one workload type and variant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Figure {
    /// Workload type code.
    pub workload: String,
    /// Variant code; empty where the type has none.
    pub variant: String,
    /// Units.
    pub count: u32,
}

/// What is counted, as the catalog says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WorkloadOf {
    /// Workload type code; empty on a line without figures.
    pub code: String,
    /// Variant code; empty where the type has none.
    pub variant: String,
    /// Display name; the code where the catalog does not know it.
    pub name: String,
    /// What one of it is called.
    pub unit: String,
}

/// One line.
#[derive(Debug, Clone)]
pub struct Line {
    /// A manual line's or correction's own id.
    pub own: Option<LineId>,
    /// The product.
    pub product: Arc<ProductOf>,
    /// The customer; none when the provider itself holds the license.
    pub company: Option<Arc<Named<CompanyId>>>,
    /// The license; none for a manual line without one.
    pub license: Option<Arc<LicenseOf>>,
    /// The installation that reported.
    pub installation: Option<Arc<Expected>>,
    /// What is counted.
    pub workload: Arc<WorkloadOf>,
    /// The site whose part it is in.
    pub site: Option<SiteId>,
    /// The earlier month a correction is about.
    pub of_period: Option<Period>,
    /// Where the figure comes from.
    pub source: Source,
    /// Licensed units; none without a license or where the license names no such type.
    pub licensed: Option<u32>,
    /// Workloads first seen in this month that cost nothing yet.
    pub new: u32,
    /// New ones that are charged at once, because the customer had another installation the month before.
    pub new_charged: u32,
    /// What the product counted: its daily high.
    pub raw: Option<u32>,
    /// What the product reported, after what was taken out on its own page, with new ones that are charged.
    pub reported: Option<u32>,
    /// What counts; a correction's may be negative.
    pub count: i64,
    /// The figure submitted for the month before, on the same license and workload type.
    pub previous: Option<i64>,
    /// Points per unit on the month's first day; none while it is unmapped.
    pub weight: Option<Weight>,
    /// What it costs.
    pub points: Points,
    /// The catalog does not know its code: it blocks the submission.
    pub unmapped: bool,
    /// A person's figure in place of the product's.
    pub adjustment: Option<Adjustment>,
    /// What was taken out on the product's own page.
    pub taken_out: Vec<TakenOut>,
    /// Who entered it, for manual and answered lines and for corrections.
    pub by: Option<(Timestamp, Who)>,
    /// Why a correction was entered by hand.
    pub said: Option<(Option<ReasonCode>, String)>,
    /// SHA-256 of the line as it is signed: it names this line with this figure.
    pub tag: [u8; 32],
    /// Who looked at the line as it is.
    pub reviewed: Option<(Timestamp, Who)>,
    /// The count of each day of the month, first day first; empty where none was sent.
    pub daily: Vec<Option<u32>>,
    /// The day of the highest count and that count.
    pub peak: Option<(Day, u32)>,
}

/// A person's figure in place of a product's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adjustment {
    /// The person's figure.
    pub count: u32,
    /// The product's figure it was made on.
    pub was: u32,
    /// Reason code; always there when lowered.
    pub reason: Option<ReasonCode>,
    /// One sentence.
    pub note: String,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: Who,
    /// The product has sent another report since: it must be confirmed, and until then blocks the submission.
    pub must_confirm: bool,
}

/// Workloads that were taken out of a report on the product's own page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenOut {
    /// How many units less.
    pub units: u32,
    /// Reason code.
    pub reason: String,
    /// One sentence.
    pub note: String,
}

/// A license's month.
#[derive(Debug, Clone)]
pub struct LicenseMonth {
    /// The license.
    pub license: Arc<LicenseOf>,
    /// What its lines come to.
    pub points: Points,
    /// What fits badly, with both figures in words.
    pub flags: Vec<Flag>,
    /// Figures of several installations are summed.
    pub shared: bool,
    /// Another document claims the place of one of its reports.
    pub contested: bool,
    /// The month already earned it an extension.
    pub extended: bool,
    /// Why the month does not count as reported for it yet, apart from a suspension; none when it does, or when its
    /// validity does not follow from reports.
    pub waits_for: Option<NotReported>,
}

/// A site's part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SitePart {
    /// The site.
    pub site: Named<SiteId>,
    /// When its part came in, and from whom.
    pub submitted: Option<(Timestamp, Who)>,
    /// Why it was returned; empty unless it was.
    pub returned_reason: String,
    /// What its lines come to.
    pub points: Points,
}

impl Month {
    /// What is flagged about a license; empty for one that is not in the month.
    pub fn flags_of(&self, license: LicenseId) -> &[Flag] {
        let found = self.licenses.binary_search_by_key(&license, |month| month.license.id);
        found.map_or(&[], |at| &self.licenses[at].flags)
    }

    /// The submission whose receipt stands for these lines as they are; none once they differ from it.
    pub fn covering(&self) -> Option<&Submitted> {
        self.head.submitted.as_ref().filter(|one| one.lines_hash == self.tag.hash)
    }

    /// How many licenses are flagged or contested.
    pub fn flagged(&self) -> u32 {
        self.licenses.iter().filter(|month| !month.flags.is_empty() || month.contested).count() as u32
    }

    /// Against the month before; none where that was not submitted.
    pub fn difference(&self) -> Option<Points> {
        self.previous.map(|previous| self.totals.reported - previous)
    }
}

impl Line {
    /// Against the month before, where the line had a figure then.
    pub fn difference(&self) -> Option<i64> {
        self.previous.map(|previous| self.count - previous)
    }

    /// Whether a person put another figure in place of the product's, here or on the product's own page.
    pub fn is_adjusted(&self) -> bool {
        self.adjustment.is_some() || !self.taken_out.is_empty()
    }
}
