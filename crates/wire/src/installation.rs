//! Installations as the provider API shows them, and what they owe.

use serde::{Deserialize, Serialize};
use tenure_core::{InstallationId, LicenseId, Period, ProductId, SiteId, TemplateId, Timestamp};
use utoipa::ToSchema;

use crate::CompanyRef;

/// How a server is, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// Nothing to look at.
    Healthy,
    /// Something worth knowing.
    Note,
    /// Something to do.
    Trouble,
    /// Two machines speak as one.
    Clone,
    /// It is not expected any more.
    Retired,
}

/// Something to look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"trouble": "report_missing", "cause": "its report of 2026-02 did not come",
    "fix": "Answer for it in the month's review; zero is an answer."}))]
pub struct Trouble {
    /// A stable word: `clone`, `clone_split`, `rejoins_often`, `host_alternates`, `license_ended`, `expired`,
    /// `report_missing`, `will_miss_report`, `silent`, `not_updating`, `clock_skew`, `shared`.
    pub trouble: String,
    /// What is wrong, in one line.
    pub cause: String,
    /// What to do, in one line.
    pub fix: String,
}

/// A server that activated a license.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Server {
    /// Stable id.
    #[schema(value_type = String, example = "ins_0191f3c4-7e2a-7cc3-98c4-dc0c0c07398f")]
    pub id: InstallationId,
    /// Host name as last told.
    pub name: String,
    /// The license it holds.
    #[schema(value_type = String)]
    pub license: LicenseId,
    /// The license's template.
    #[schema(value_type = String)]
    pub template: TemplateId,
    /// The company that holds the license; none when the provider itself does.
    pub company: Option<CompanyRef>,
    /// The site the license belongs to.
    #[schema(value_type = Option<String>)]
    pub site: Option<SiteId>,
    /// The product.
    #[schema(value_type = String)]
    pub product: ProductId,
    /// The product's name and edition.
    pub product_name: String,
    /// Version of the product.
    pub product_version: String,
    /// Version of the agent.
    pub agent_version: String,
    /// How it is.
    pub health: Health,
    /// What to look at, the worst first.
    pub troubles: Vec<Trouble>,
    /// Last check-in.
    #[schema(value_type = String, format = DateTime)]
    pub seen_at: Timestamp,
    /// The newest month it reported.
    #[schema(value_type = Option<String>)]
    pub last_report: Option<Period>,
    /// When its last report came.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_report_at: Option<Timestamp>,
    /// Its clock minus the server's, seconds.
    pub clock_skew_seconds: i64,
    /// Whether it installs new licenses by itself.
    pub auto_update: bool,
    /// *Update now* was asked for and it has not checked in since.
    pub update_asked: bool,
    /// It shows the newest license issued to it.
    pub is_current: bool,
    /// When the newest license issued to it expires.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
    /// Active servers on its license, this one included.
    pub sharing: u32,
    /// When it was activated.
    #[schema(value_type = String, format = DateTime)]
    pub activated_at: Timestamp,
    /// The installation it took over from.
    #[schema(value_type = Option<String>)]
    pub replaces: Option<InstallationId>,
    /// When it stopped being expected.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub retired_at: Option<Timestamp>,
    /// How: `retired`, `replaced`, `voided`.
    pub retired_how: Option<String>,
}

/// A page of servers, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ServerPage {
    /// The page.
    pub items: Vec<Server>,
    /// Cursor of the next page; absent on the last.
    pub next: Option<String>,
}

/// What a machine told of itself. Hashes are salted: they say whether two are the same, never what they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HostFacts {
    /// Host name.
    pub name: String,
    /// Hash of the machine id.
    pub machine: Option<String>,
    /// Hash of the VM generation id.
    pub vm_generation: Option<String>,
    /// Hash of the network cards.
    pub nic: Option<String>,
}

/// A return of a server from an earlier state, or from another machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Rejoin {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// `clone`: two machines are alive; `set_back`: one was set back; `server_restored`: the license server was restored.
    pub class: String,
    /// The side that was left behind.
    pub left: HostFacts,
    /// When that side spoke last.
    #[schema(value_type = String, format = DateTime)]
    pub left_seen_at: Timestamp,
    /// The side that came back.
    pub came: HostFacts,
    /// Whether both tell the same machine id; absent where one of them tells none.
    pub same_machine: Option<bool>,
    /// When it was settled.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub resolved_at: Option<Timestamp>,
    /// By whom.
    pub resolved_by: Option<String>,
    /// How: `one_machine`, `split`, `noted`.
    pub resolved_how: Option<String>,
}

/// A server with its past.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ServerDetail {
    /// The server.
    #[serde(flatten)]
    pub server: Server,
    /// When it came back from elsewhere, newest first, at most 16.
    pub rejoins: Vec<Rejoin>,
    /// The installation that took over from it.
    #[schema(value_type = Option<String>)]
    pub replaced_by: Option<InstallationId>,
    /// When another machine showed the code that made it: if the code was stolen, void this server.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub code_shown_again_at: Option<Timestamp>,
}

/// What a person says of a server that came back from elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is one machine after all; what it sent meanwhile is counted.
    OneMachine,
    /// It was set back, and that is in order.
    Noted,
}

/// Settles a clone or a set-back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResolveServer {
    /// What it is. Two real machines are settled by re-identifying one of them.
    pub verdict: Verdict,
}

/// A month that a server owes or owed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Obligation {
    /// The month.
    #[schema(value_type = String, example = "2026-01")]
    pub period: Period,
    /// The server.
    #[schema(value_type = String)]
    pub installation: InstallationId,
    /// Its host name.
    pub name: String,
    /// The license it stands under.
    #[schema(value_type = String)]
    pub license: LicenseId,
    /// The product.
    #[schema(value_type = String)]
    pub product: ProductId,
    /// The product's name and edition.
    pub product_name: String,
    /// Who owes it; none when the provider itself does.
    pub company: Option<CompanyRef>,
    /// Something accounts for it.
    pub accounted: bool,
    /// What: `report`, `answer`, `line`, `submitted`.
    pub by: Option<String>,
    /// It is so old that no license for the same company and product is created.
    pub blocks: bool,
    /// The server is not expected any more; what it owes stays.
    pub retired: bool,
}

/// A page of obligations, newest month first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ObligationPage {
    /// The page.
    pub items: Vec<Obligation>,
    /// Cursor of the next page; absent on the last.
    pub next: Option<String>,
}
