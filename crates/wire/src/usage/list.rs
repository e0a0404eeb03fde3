//! Monthly usages in lists, and what waits for somebody.

use serde::{Deserialize, Serialize};
use tenure_core::{Period, Points, Timestamp, UsageId};
use utoipa::ToSchema;

use crate::{Blocker, OrgRef, SiteRef, UsageState};

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
