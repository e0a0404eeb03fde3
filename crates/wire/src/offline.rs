//! Files that are carried between products without a network and the server.

use serde::{Deserialize, Serialize};
use tenure_core::{InstallationId, LicenseId, OrgId, Timestamp};
use utoipa::ToSchema;

/// A request file to look at or to take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OfflineRequestFile {
    /// The armored text as `tenure agent request` wrote it: `-----BEGIN TENURE OFFLINE REQUEST-----` and so on; at most
    /// 12 MiB.
    pub file: String,
}

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OfflineKind {
    /// A new installation asks to join.
    Activation,
    /// An installation reports and asks for its license.
    CheckIn,
}

/// What would become of a request if it were taken now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OfflineOutcome {
    /// It would be taken.
    Taken,
    /// It was taken before; the same answer comes again.
    Again,
    /// Server and product are out of step: the answer says so, and a second file settles it.
    OutOfStep,
    /// The server lost this installation: it is re-created, or held until a person confirms it.
    Lost,
}

/// What a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OfflineDocumentKind {
    /// The report of a month.
    Report,
    /// The highest daily counts of a week.
    Watermark,
    /// Workloads behind a report, by their hashed ids.
    Evidence,
    /// It cannot be read: it is refused, and the rest is taken.
    Unreadable,
}

/// A document in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OfflineDocument {
    /// What it is.
    pub kind: OfflineDocumentKind,
    /// The month `2026-03` or the ISO week `2026-W10` it is about.
    pub about: Option<String>,
}

/// What a request file holds, and what taking it would come to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OfflinePreview {
    /// What it asks for.
    pub kind: OfflineKind,
    /// Whose installation it is.
    #[schema(value_type = String)]
    pub provider: OrgId,
    /// The installation; none while it only asks to join.
    #[schema(value_type = Option<String>)]
    pub installation: Option<InstallationId>,
    /// The license it holds or asks for.
    #[schema(value_type = String)]
    pub license: LicenseId,
    /// Host name it tells; empty when the server lost it.
    pub host: String,
    /// When the file was made, by the product's clock.
    #[schema(value_type = String, format = DateTime)]
    pub made_at: Timestamp,
    /// What would become of it.
    pub outcome: OfflineOutcome,
    /// The documents inside, in their order.
    pub documents: Vec<OfflineDocument>,
}

/// An answer to carry back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OfflineResponseFile {
    /// A name for the file.
    pub file_name: String,
    /// The armored file, for `tenure agent import` where the request was made.
    pub content: String,
    /// The product is out of step: it imports this and makes another request file, which settles it.
    pub needs_another: bool,
}
