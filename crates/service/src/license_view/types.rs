//! What a license looks like to those who see it, and what a list of them is narrowed to.

use std::str::FromStr;

use tenure_core::{
    AgreementId, CompanyId, InstallationId, LicenseId, OrgId, Period, Points, ProductId, SiteId, TemplateId, Timestamp,
    UsageType, Weight,
    reporting::{AutomaticReporting, ToggleRefusal},
    validity::{LicenseState, MonthMark},
};
use tenure_license::Named;
use tenure_store::rows::product::ProductRow;

/// Names a license: by its template, or by the assignment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LicenseKey {
    /// The template; stays through assignments.
    Template(TemplateId),
    /// One assignment.
    License(LicenseId),
}

/// The text is neither a template's nor a license's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an id of the form tpl_<uuid> or lic_<uuid>")]
pub struct ParseKeyError;

impl FromStr for LicenseKey {
    type Err = ParseKeyError;
    fn from_str(text: &str) -> Result<Self, ParseKeyError> {
        let template = text.parse().map(Self::Template);
        template.or_else(|_| text.parse().map(Self::License)).map_err(|_| ParseKeyError)
    }
}

/// What a list of licenses is narrowed to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LicenseFilter {
    /// What it is worth now.
    pub state: Option<StateFilter>,
    /// The company it is assigned to.
    pub company: Option<CompanyId>,
    /// The product.
    pub product: Option<ProductId>,
    /// Whether reports extend it; of a template, whether they will.
    pub automatic: Option<bool>,
    /// Where exactly automatic reporting stands.
    pub reporting: Option<AutomaticReporting>,
    /// The site it belongs to.
    pub site: Option<SiteId>,
    /// Who may be served with it.
    pub usage_type: Option<UsageType>,
    /// Whether it is assigned.
    pub assigned: Option<bool>,
    /// What kind of holder it has.
    pub holder: Option<HolderFilter>,
    /// Only what expires before.
    pub expires_before: Option<Timestamp>,
}

/// A kind of holder to look for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HolderFilter {
    /// A company.
    Company,
    /// The provider itself.
    Provider,
}

/// A state to look for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateFilter {
    /// Not assigned.
    Template,
    /// More than the warning time left.
    Valid,
    /// Near its end.
    Expiring,
    /// In grace.
    Expired,
    /// Past grace.
    Restricted,
}

/// A template, and the license made of it where it is assigned.
#[derive(Debug, Clone, PartialEq)]
pub struct LicenseView {
    /// Whose.
    pub provider: OrgId,
    /// The template's id.
    pub template: TemplateId,
    /// The assignment's id.
    pub license: Option<LicenseId>,
    /// The agreement it is rented under.
    pub agreement: AgreementId,
    /// The agreement's number.
    pub agreement_number: String,
    /// The product.
    pub product: ProductRow,
    /// Who may be served with it.
    pub usage_type: UsageType,
    /// The provider's own words; may be empty.
    pub description: String,
    /// The site it belongs to.
    pub site: Option<SiteId>,
    /// The company that holds it; none for a template, or when the provider itself does.
    pub company: Option<Named<CompanyId>>,
    /// What it licenses.
    pub workloads: Vec<WorkloadView>,
    /// Points of the key: rounded up to a whole point.
    pub points: Points,
    /// Its validity; none for a template.
    pub life: Option<Life>,
    /// Where automatic reporting stands; of a template, what its next assignment starts with.
    pub reporting: AutomaticReporting,
    /// Why the toggle cannot be set; none when it can.
    pub toggle_refusal: Option<ToggleRefusal>,
    /// The servers that a switch waits for.
    pub waiting_for: Vec<WaitingServer>,
    /// The shadow month that is ahead or runs.
    pub shadow: Option<Period>,
    /// How many servers activated it and are not retired.
    pub active_installations: u32,
    /// When the template was created.
    pub created: Timestamp,
}

/// A licensed count with what it costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkloadView {
    /// Workload type code.
    pub workload: String,
    /// Variant code; empty where the type has none.
    pub variant: String,
    /// Display name.
    pub name: String,
    /// What one of it is called.
    pub unit: String,
    /// Licensed units.
    pub count: u32,
    /// Points per unit in the running period.
    pub weight: Weight,
    /// Count times weight, not rounded.
    pub points: Points,
}

/// The validity of an assigned license.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Life {
    /// The state now.
    pub state: LicenseState,
    /// The end of validity.
    pub expires: Timestamp,
    /// The end of grace.
    pub restricted: Timestamp,
    /// When it was assigned.
    pub assigned: Timestamp,
    /// Why it ends then.
    pub because: Because,
    /// The months from the anchor's to the running one, oldest first; empty when reports do not extend it.
    pub months: Vec<LifeMonth>,
    /// The last twelve months, the running one last.
    pub twelve: [MonthCell; 12],
}

/// One of twelve months, and how it stands.
pub type MonthCell = (Period, MonthMark);

/// Why a license ends when it ends ("Validity").
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Because {
    /// A person chose the date, or it was kept when automatic reporting went off.
    Chosen {
        /// The agreement ends first.
        cut_by_agreement: bool,
    },
    /// From the anchor and the reported months.
    Reported {
        /// What validity is counted from.
        anchor: Timestamp,
        /// Contiguous reported months from the anchor's on.
        count: u32,
        /// The last of them.
        through: Option<Period>,
        /// The month that brings the next extension.
        next: Period,
        /// The month that is missing between reported ones.
        gap: Option<Period>,
        /// The agreement ends before the earned validity would.
        cut_by_agreement: bool,
    },
    /// It was revoked or deleted.
    Ended {
        /// When.
        at: Timestamp,
    },
}

/// One month of an automatically reported license.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LifeMonth {
    /// The month.
    pub period: Period,
    /// Whether it is reported.
    pub is_reported: bool,
    /// Whether it still runs, so that nobody could report it.
    pub is_open: bool,
}

/// A server that has not shown its new license yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingServer {
    /// The installation.
    pub id: InstallationId,
    /// Host name as last told.
    pub name: String,
    /// It installs new licenses by itself; otherwise somebody has to press *Update now* there.
    pub updates_itself: bool,
}

/// A server that activated a license.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstallationView {
    /// The installation.
    pub id: InstallationId,
    /// Host name as last told.
    pub name: String,
    /// Version of the product.
    pub product_version: String,
    /// Version of the agent.
    pub agent_version: String,
    /// When it was activated.
    pub activated: Timestamp,
    /// Last check-in.
    pub seen: Timestamp,
    /// `active`, `suspended_clone`, `retired`.
    pub status: String,
    /// It installs new licenses by itself.
    pub updates_itself: bool,
    /// Epoch and serial of the license it shows.
    pub shown: (u64, u64),
    /// Epoch and serial of the newest one issued to it.
    pub issued: (u64, u64),
    /// When it was retired.
    pub retired: Option<Timestamp>,
}
