//! Organizations and sites as the provider API shows and changes them.

use serde::{Deserialize, Serialize};
use tenure_core::{OrgId, SiteId, Timestamp};
use utoipa::ToSchema;

/// What an organization is in the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrganizationKind {
    /// Publishes the products and owns the program.
    Vendor,
    /// Holds rental agreements with providers and approves their monthly usage.
    Distributor,
    /// Rents licenses.
    Provider,
}

/// An organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Organization {
    /// Stable id.
    #[schema(value_type = String, example = "org_0191f3c4-7e2a-7cc3-98c4-dc0c0c07398f")]
    pub id: OrgId,
    /// What it is.
    #[schema(example = "provider")]
    pub kind: OrganizationKind,
    /// Display name; two may carry the same.
    #[schema(example = "Northlight Hosting")]
    pub name: String,
    /// When it was added.
    #[schema(value_type = String, format = DateTime, example = "2026-01-05T09:00:00Z")]
    pub created_at: Timestamp,
    /// Since when its people and tokens are locked out.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub deactivated_at: Option<Timestamp>,
}

/// A page of organizations, in the order they were added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OrganizationPage {
    /// The page.
    pub items: Vec<Organization>,
    /// Cursor of the next page; absent on the last.
    pub next: Option<String>,
}

/// What is to be different about an organization; what is left out stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Northlight Hosting GmbH"}))]
pub struct OrganizationChange {
    /// Another display name, 1 to 200 characters.
    #[serde(default)]
    pub name: Option<String>,
    /// Whether its people and tokens may act.
    #[serde(default)]
    pub active: Option<bool>,
}

/// A location of a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Site {
    /// Stable id.
    #[schema(value_type = String, example = "site_0191f3c4-7e2a-7cc3-98c4-dc0c0c07398f")]
    pub id: SiteId,
    /// Display name.
    #[schema(example = "Hamburg")]
    pub name: String,
    /// Since when nothing new belongs to it.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub closed_at: Option<Timestamp>,
}

/// A page of sites, in the order they were added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SitePage {
    /// The page.
    pub items: Vec<Site>,
    /// Cursor of the next page; absent on the last.
    pub next: Option<String>,
}

/// What is to be different about a site; what is left out stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Hamburg Harbor"}))]
pub struct SiteChange {
    /// Another display name, 1 to 200 characters.
    #[serde(default)]
    pub name: Option<String>,
    /// Whether new things may belong to it; closing needs that nothing in force does.
    #[serde(default)]
    pub open: Option<bool>,
}
