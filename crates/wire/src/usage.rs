//! Monthly usages: lists, one with its lines, what waits, and what may be done.

use serde::{Deserialize, Serialize};
use tenure_core::{
    AgreementId, CompanyId, Day, InstallationId, LicenseId, LineId, OrgId, Period, Points, ProductId, SiteId,
    Timestamp, UsageId, Weight,
};
use utoipa::ToSchema;

use crate::{AgreementKind, CompanyRef, OrgRef};

/// Where a monthly usage stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UsageState {
    /// Reports come in.
    Collecting,
    /// Sites submit their parts.
    PendingSiteReview,
    /// The provider reviews and submits.
    PendingProviderReview,
    /// The distributor decides.
    PendingDistributorReview,
    /// The distributor sent it back, with a reason.
    Rejected,
    /// Final.
    Closed,
}

/// Where a line's figure comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LineSource {
    /// The product's report.
    Automatic,
    /// The product's report, which may still change.
    Preliminary,
    /// A person's line for a product that does not report.
    Manual,
    /// A person's answer for a server that sent nothing, or is contested.
    Answered,
    /// The report is still awaited.
    Awaited,
    /// Nothing came; a person has to answer.
    Missing,
    /// Two machines speak as one server; a person has to answer.
    Clone,
    /// The license had no server in the month.
    NotInstalled,
    /// The server was replaced within the month and reports elsewhere.
    Replaced,
    /// Usage of an earlier, closed month.
    Correction,
}

/// A monthly usage in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MonthlyUsageSummary {
    /// Stable id.
    #[schema(value_type = String, example = "mu_0191f3c4-7e2a-7cc3-98c4-dc0c0c07398f")]
    pub id: UsageId,
    /// Whose.
    pub provider: OrgRef,
    /// Which month.
    #[schema(value_type = String, example = "2026-01")]
    pub period: Period,
    /// Where it stands.
    pub state: UsageState,
    /// Who decides.
    pub distributor: OrgRef,
    /// The provider submits before this instant.
    #[schema(value_type = String, format = DateTime)]
    pub due_at: Timestamp,
    /// That instant has passed and it is not submitted.
    pub late: bool,
    /// The distributor decides before this instant, while it is submitted.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub decide_by: Option<Timestamp>,
    /// The newest submission.
    pub submission: Option<SubmissionSummary>,
    /// When it was closed.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub closed_at: Option<Timestamp>,
    /// Why it was rejected, or closed by the vendor; empty otherwise.
    pub reason: String,
}

/// A submission in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SubmissionSummary {
    /// Which submission of the month, from 1.
    pub number: u32,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Reported points.
    #[serde(with = "crate::text")]
    #[schema(value_type = String, example = "203")]
    pub reported: Points,
    /// Total points.
    #[serde(with = "crate::text")]
    #[schema(value_type = String, example = "800")]
    pub total: Points,
    /// Licenses with a flag.
    pub flagged: u32,
    /// Figures were lowered so far that the vendor has to consent too, and it has not.
    pub needs_consent: bool,
}

/// A page of monthly usages, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MonthlyUsagePage {
    /// The page.
    pub items: Vec<MonthlyUsageSummary>,
    /// Cursor of the next page; absent on the last.
    pub next: Option<String>,
}

/// What waits for the caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MyActions {
    /// The actions, the most urgent first.
    pub items: Vec<MyAction>,
    /// The caller's organization is a provider that is suspended for not submitting.
    pub suspended: bool,
    /// When the next month opens.
    #[schema(value_type = String, format = DateTime)]
    pub next_at: Timestamp,
}

/// What kind of action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActionKind {
    /// Answer what is missing, then submit.
    Review,
    /// Everything is there: submit.
    Submit,
    /// It was rejected: correct it and submit again.
    Resubmit,
    /// Submit a site's part.
    SubmitPart,
    /// Wait for the sites, or submit their parts for them.
    AwaitParts,
    /// Approve or reject.
    Decide,
    /// Consent to figures that were lowered far.
    Consent,
}

/// One action; its own fields beside those of the month it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MyAction {
    /// What is to be done.
    pub action: ActionKind,
    /// By when.
    #[schema(value_type = String, format = DateTime)]
    pub by: Timestamp,
    /// What is to be done, in one sentence.
    pub what: String,
    /// What happens otherwise, in one sentence.
    pub otherwise: String,
    /// The site whose part is meant.
    pub site: Option<SiteRef>,
    /// How complete and how unusual the month is; only where it is the provider's to work on.
    pub progress: Option<Progress>,
    /// The month.
    #[serde(flatten)]
    pub month: MonthlyUsageSummary,
}

/// How far a month is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Progress {
    /// Servers that have to account for it.
    pub expected: u32,
    /// Those whose figures are there.
    pub reported: u32,
    /// What stands against a submission.
    pub blockers: Vec<Blocker>,
    /// Licenses with a flag.
    pub flagged: u32,
    /// Points so far.
    #[serde(with = "crate::text")]
    #[schema(value_type = String)]
    pub points: Points,
    /// Against the month before, where that was submitted.
    #[serde(default, with = "crate::text::optional")]
    #[schema(value_type = Option<String>)]
    pub difference: Option<Points>,
    /// When it is submitted by itself, where that was asked for.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub auto_submit_at: Option<Timestamp>,
}

/// Something that stands against a submission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Blocker {
    /// `awaited`, `missing`, `cloned`, `unmapped` or `unconfirmed`.
    pub kind: String,
    /// How many.
    pub count: u32,
    /// In words.
    pub text: String,
}

/// A site by id and name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SiteRef {
    /// Stable id.
    #[schema(value_type = String)]
    pub id: SiteId,
    /// Display name.
    pub name: String,
}

/// Who did something and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Done {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The person or token by name, or `the server`.
    pub by: String,
}

/// A monthly usage with its lines. Its `ETag` names the lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MonthlyUsage {
    /// The month as a list shows it.
    #[serde(flatten)]
    pub summary: MonthlyUsageSummary,
    /// The agreement it is billed under.
    pub agreement: UsageAgreement,
    /// When it was opened.
    #[schema(value_type = String, format = DateTime)]
    pub opened_at: Timestamp,
    /// Until then reports are awaited.
    #[schema(value_type = String, format = DateTime)]
    pub awaited_until: Timestamp,
    /// Who submitted it last.
    pub submitted: Option<Done>,
    /// The distributor's last decision.
    pub decided: Option<Done>,
    /// The vendor's consent to lowered figures.
    pub vendor_consent: Option<Done>,
    /// The provider's purchase order.
    pub purchase_order: String,
    /// The provider's words to the distributor.
    pub comment: String,
    /// When it is submitted by itself, where that was asked for.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub auto_submit_at: Option<Timestamp>,
    /// What it comes to.
    pub totals: Totals,
    /// Reported points of the month before, where that was submitted.
    #[serde(default, with = "crate::text::optional")]
    #[schema(value_type = Option<String>)]
    pub previous_reported: Option<Points>,
    /// What of negative corrections is carried to a later month; zero or negative.
    #[serde(with = "crate::text")]
    #[schema(value_type = String)]
    pub carried: Points,
    /// Figures were lowered below the products' own by more than the threshold: the vendor has to consent too.
    pub lowered: bool,
    /// What stands against a submission.
    pub blockers: Vec<Blocker>,
    /// What is owed, line by line.
    pub lines: Vec<UsageLine>,
    /// The servers that have to account for the month.
    pub installations: Vec<ExpectedInstallation>,
    /// The licenses behind the lines.
    pub licenses: Vec<LicenseMonth>,
    /// Licenses whose usage is entered by hand and for which nothing is there.
    pub by_hand: Vec<LicenseRef>,
    /// Sites' parts; empty without sites.
    pub parts: Vec<SitePart>,
}

/// The rental agreement of a month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UsageAgreement {
    /// Stable id.
    #[schema(value_type = String)]
    pub id: AgreementId,
    /// The number people know it by.
    pub number: String,
    /// Its commitment.
    pub kind: AgreementKind,
}

/// What a month comes to. All are points.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Totals {
    /// Sum of the lines.
    #[serde(with = "crate::text")]
    #[schema(value_type = String, example = "203")]
    pub reported: Points,
    /// Minimum commit that applies.
    #[serde(with = "crate::text")]
    #[schema(value_type = String, example = "800")]
    pub commit: Points,
    /// What is missing to the minimum.
    #[serde(with = "crate::text")]
    #[schema(value_type = String, example = "597")]
    pub enforcement: Points,
    /// What lies above the limit; shown, not added.
    #[serde(with = "crate::text")]
    #[schema(value_type = String, example = "0")]
    pub overage: Points,
    /// What is owed.
    #[serde(with = "crate::text")]
    #[schema(value_type = String, example = "800")]
    pub total: Points,
    /// The month the agreement was signed in, which is billed 0.
    pub free: bool,
}

/// A product in a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProductRef {
    /// Stable id.
    #[schema(value_type = String)]
    pub id: ProductId,
    /// The code compiled into it.
    pub code: String,
    /// Display name.
    pub name: String,
    /// Edition; empty when it has only one.
    pub edition: String,
}

/// A license in a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LicenseRef {
    /// Stable id.
    #[schema(value_type = String)]
    pub id: LicenseId,
    /// Its product.
    pub product: ProductRef,
    /// The customer that holds it; none when the provider itself does.
    pub company: Option<CompanyRef>,
    /// The provider's own words.
    pub description: String,
}

/// A server in a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InstallationRef {
    /// Stable id.
    #[schema(value_type = String)]
    pub id: InstallationId,
    /// Host name as last told.
    pub name: String,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UsageLine {
    /// A manual line's or correction's own id.
    #[schema(value_type = Option<String>)]
    pub id: Option<LineId>,
    /// The product.
    pub product: ProductRef,
    /// The customer.
    pub company: Option<CompanyRef>,
    /// The license.
    #[schema(value_type = Option<String>)]
    pub license: Option<LicenseId>,
    /// The server that reported.
    pub installation: Option<InstallationRef>,
    /// Workload type code; empty on a line without figures.
    pub workload: String,
    /// Variant code; empty where the type has none.
    pub variant: String,
    /// The workload type's display name.
    pub workload_name: String,
    /// What one of it is called.
    pub unit: String,
    /// The site whose part it is in.
    #[schema(value_type = Option<String>)]
    pub site: Option<SiteId>,
    /// The earlier month a correction is about.
    #[schema(value_type = Option<String>)]
    pub of_period: Option<Period>,
    /// Where the figure comes from.
    pub source: LineSource,
    /// Licensed units.
    pub licensed: Option<u32>,
    /// First seen in this month; they cost nothing yet.
    pub new: u32,
    /// New ones that are charged at once, because the customer had another server the month before.
    pub new_charged: u32,
    /// What the product counted.
    pub raw: Option<u32>,
    /// What the product reported, after what was taken out on its own page.
    pub reported: Option<u32>,
    /// What counts; a correction's may be negative.
    pub count: i64,
    /// The figure submitted for the month before.
    pub previous: Option<i64>,
    /// Points per unit on the month's first day; none while it is unmapped.
    #[serde(default, with = "crate::text::optional")]
    #[schema(value_type = Option<String>)]
    pub weight: Option<Weight>,
    /// What it costs.
    #[serde(with = "crate::text")]
    #[schema(value_type = String)]
    pub points: Points,
    /// The catalog does not know its code.
    pub unmapped: bool,
    /// A person's figure in place of the product's.
    pub adjustment: Option<Adjustment>,
    /// What was taken out on the product's own page.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taken_out: Vec<TakenOut>,
    /// Who entered it, for manual and answered lines and for corrections.
    pub entered: Option<Done>,
    /// Why a correction was entered by hand, in one sentence; empty otherwise.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// Names this line with this figure, in hexadecimal: what a mark as reviewed refers to.
    pub tag: String,
    /// Who looked at the line as it is.
    pub reviewed: Option<Done>,
    /// The count of each day of the month, first day first; `null` where the day was not observed. Empty where no days
    /// were sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub daily: Vec<Option<u32>>,
    /// The day of the highest count.
    pub peak: Option<Peak>,
}

/// The day of the highest count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Peak {
    /// The day.
    #[schema(value_type = String, format = Date)]
    pub day: Day,
    /// The count.
    pub count: u32,
}

/// A person's figure in place of a product's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Adjustment {
    /// The person's figure.
    pub count: u32,
    /// The product's figure it was made on.
    pub was: u32,
    /// Reason code; always there when lowered.
    pub reason: Option<ReasonCode>,
    /// One sentence.
    pub note: String,
    /// When and by whom.
    pub made: Done,
    /// The product has sent another report since: adjust again to confirm.
    pub must_confirm: bool,
}

/// Why a figure is lowered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReasonCode {
    /// Test or demonstration systems.
    TestDemo,
    /// Counted twice.
    Duplicate,
    /// Moved to another server, license or provider.
    Migrated,
    /// A customer's trial.
    Trial,
    /// The product counted wrongly.
    MeteringError,
    /// Something else, said in the sentence.
    Other,
}

/// Workloads that were taken out of a report on the product's own page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TakenOut {
    /// How many units less.
    pub units: u32,
    /// Reason code.
    pub reason: String,
    /// One sentence.
    pub note: String,
}

/// A server that has to account for the month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExpectedInstallation {
    /// Stable id.
    #[schema(value_type = String)]
    pub id: InstallationId,
    /// Host name as last told.
    pub name: String,
    /// Its license at the month's end.
    #[schema(value_type = String)]
    pub license: LicenseId,
    /// Where its figures come from, or why there are none.
    pub source: LineSource,
    /// Another document claims the place of its report.
    pub contested: bool,
    /// The revision held of its report.
    pub revision: Option<u32>,
    /// When that arrived.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub reported_at: Option<Timestamp>,
    /// Who answered for it.
    pub answered: Option<Done>,
    /// Last check-in.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub seen_at: Option<Timestamp>,
    /// What its weekly figures reached: what a person may answer with.
    pub suggested: Vec<Figure>,
}

/// Units of one workload type and variant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// Workload type code.
    pub workload: String,
    /// Variant code; empty where the type has none.
    #[serde(default)]
    pub variant: String,
    /// Units.
    pub count: u32,
}

/// A license's month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LicenseMonth {
    /// The license.
    pub license: LicenseRef,
    /// What its lines come to.
    #[serde(with = "crate::text")]
    #[schema(value_type = String)]
    pub points: Points,
    /// What fits badly to what its products said before, in words with both figures.
    pub flags: Vec<String>,
    /// Figures of several servers are summed.
    pub shared: bool,
    /// Another document claims the place of one of its reports.
    pub contested: bool,
    /// The month already earned it one more month.
    pub extended: bool,
    /// What the month still waits for before it counts as reported for this license.
    pub waits_for: Option<String>,
}

/// A site's part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SitePart {
    /// The site.
    pub site: SiteRef,
    /// When it came in, and from whom.
    pub submitted: Option<Done>,
    /// Why it was returned; empty unless it was.
    pub returned_reason: String,
    /// What its lines come to.
    #[serde(with = "crate::text")]
    #[schema(value_type = String)]
    pub points: Points,
}

/// A manual line to add.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewManualLine {
    /// The product.
    #[schema(value_type = String)]
    pub product: ProductId,
    /// Workload type code of the product.
    pub workload: String,
    /// Variant code; empty where the type has none.
    #[serde(default)]
    pub variant: String,
    /// Units, at most 100,000,000.
    pub count: u32,
    /// The license it was used under; required where the provider has automatic licenses of the product.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub license: Option<LicenseId>,
    /// The customer; that of the license where one is named.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub company: Option<CompanyId>,
    /// The site whose part it is in; that of the license where one is named.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub site: Option<SiteId>,
}

/// A manual line that was added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CreatedManualLine {
    /// Its id.
    #[schema(value_type = String)]
    pub id: LineId,
}

/// Another figure in place of a product's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewFigure {
    /// Units, at most 100,000,000.
    pub count: u32,
    /// Why; required when the product's figure is lowered.
    #[serde(default)]
    pub reason: Option<ReasonCode>,
    /// One sentence, at most 1,000 characters; required when the product's figure is lowered.
    #[serde(default)]
    pub note: String,
}

/// An answer for a server: exactly one of the two.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAnswer {
    /// What it used; an empty list says zero.
    #[serde(default)]
    pub figures: Option<Vec<Figure>>,
    /// It used what its weekly figures reached.
    #[serde(default)]
    pub suggested: bool,
}

/// What goes with a submission.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubmitUsage {
    /// Another purchase order than the agreement's, at most 100 characters.
    #[serde(default)]
    pub purchase_order: Option<String>,
    /// Words to the distributor, at most 2,000 characters.
    #[serde(default)]
    pub comment: Option<String>,
}

/// What was submitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SubmittedUsage {
    /// Which submission of the month, from 1.
    pub number: u32,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// SHA-256 of the lines that were signed, in hexadecimal.
    pub lines_hash: String,
    /// Reported points.
    #[serde(with = "crate::text")]
    #[schema(value_type = String)]
    pub reported: Points,
    /// Total points.
    #[serde(with = "crate::text")]
    #[schema(value_type = String)]
    pub total: Points,
    /// The signed receipt: a DSSE envelope, verifiable with the trust root.
    #[schema(value_type = Object)]
    pub receipt: serde_json::Value,
}

/// A signed receipt of a submission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SubmissionReceipt {
    /// The monthly usage.
    #[schema(value_type = String)]
    pub usage: UsageId,
    /// Whose.
    #[schema(value_type = String)]
    pub provider: OrgId,
    /// Which month.
    #[schema(value_type = String)]
    pub period: Period,
    /// Which submission of it, from 1.
    pub number: u32,
    /// When it arrived.
    #[schema(value_type = String, format = DateTime)]
    pub received_at: Timestamp,
    /// SHA-256 of the lines, in hexadecimal.
    pub lines_hash: String,
    /// Reported points.
    #[serde(with = "crate::text")]
    #[schema(value_type = String)]
    pub reported: Points,
    /// Total points.
    #[serde(with = "crate::text")]
    #[schema(value_type = String)]
    pub total: Points,
    /// The receipt as signed: a DSSE envelope, verifiable with the trust root.
    #[schema(value_type = Object)]
    pub envelope: serde_json::Value,
}

/// A reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// Why, in one or a few sentences, at most 2,000 characters.
    pub reason: String,
}

/// Whether a month is submitted by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AutoSubmit {
    /// This month and those after it, when nothing is missing or flagged.
    pub on: bool,
}
