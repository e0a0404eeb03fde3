//! The lines of a monthly usage.

use serde::{Deserialize, Serialize};
use tenure_core::{Day, InstallationId, LicenseId, LineId, Period, Points, ProductId, SiteId, Timestamp, Weight};
use utoipa::ToSchema;

use crate::{CompanyRef, Done, SiteRef};

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

/// A product by id and name with its edition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProductName {
    /// Stable id.
    #[schema(value_type = String)]
    pub id: ProductId,
    /// Name and edition.
    pub name: String,
}
