//! Setting a program up: signing in, organizations, sites, people, agreements, tokens.

use serde::{Deserialize, Serialize};
use tenure_core::{OrgId, Points, SiteId, Timestamp, TokenId, UserId};
use utoipa::ToSchema;

use crate::AgreementKind;

/// Signs a person in.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// E-mail address.
    pub email: String,
    /// Password.
    pub password: String,
}

/// A person is signed in.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct SignedIn {
    /// Send it as `Authorization: Bearer …`; it ends like a browser session does.
    pub token: String,
    /// The person's organization.
    #[schema(value_type = String)]
    pub organization: OrgId,
    /// The person's role, as `provider_full_access`.
    pub role: String,
}

/// Kind of an organization that the vendor adds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NewOrganizationKind {
    /// Holds rental agreements with providers and approves their monthly usage.
    Distributor,
    /// Rents licenses.
    Provider,
}

/// An organization to add.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOrganization {
    /// What it is.
    pub kind: NewOrganizationKind,
    /// Display name, 1 to 200 characters.
    pub name: String,
}

/// An organization that was added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CreatedOrganization {
    /// Stable id.
    #[schema(value_type = String)]
    pub id: OrgId,
}

/// A site to add to a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSite {
    /// Display name, 1 to 200 characters.
    pub name: String,
}

/// A site that was added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CreatedSite {
    /// Stable id.
    #[schema(value_type = String)]
    pub id: SiteId,
}

/// A person to add to an organization. The password is made here and shown once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPerson {
    /// E-mail address; people sign in with it.
    pub email: String,
    /// Display name.
    pub name: String,
    /// Role, as `provider_full_access`.
    pub role: String,
    /// The one site the person is confined to.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub site: Option<SiteId>,
}

/// A person who was added.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct CreatedPerson {
    /// Stable id.
    #[schema(value_type = String)]
    pub id: UserId,
    /// The first password; shown once.
    pub password: String,
}

/// A rental agreement to add.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAgreement {
    /// Who approves and invoices.
    #[schema(value_type = String)]
    pub distributor: OrgId,
    /// Who rents.
    #[schema(value_type = String)]
    pub provider: OrgId,
    /// The number people know it by.
    pub number: String,
    /// Its commitment.
    pub kind: AgreementKind,
    /// Minimum points per month; zero for `no_commit`.
    #[serde(with = "crate::text")]
    #[schema(value_type = String, example = "200")]
    pub commit: Points,
    /// Points above this are shown as overage.
    #[serde(default, with = "crate::text::optional")]
    #[schema(value_type = Option<String>)]
    pub limit: Option<Points>,
    /// The provider's purchase order.
    #[serde(default)]
    pub purchase_order: String,
    /// When it was signed.
    #[schema(value_type = String, format = DateTime)]
    pub signed_at: Timestamp,
    /// The first instant it no longer covers.
    #[schema(value_type = String, format = DateTime)]
    pub ends_at: Timestamp,
}

/// A token to make for the caller's own organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// What it is for.
    pub name: String,
    /// `read`, `manage` or `report`.
    pub scope: String,
    /// The one site it is confined to.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub site: Option<SiteId>,
    /// When it expires.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
}

/// A token that was made.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct CreatedToken {
    /// Stable id.
    #[schema(value_type = String)]
    pub id: TokenId,
    /// The token; shown once.
    pub token: String,
}
