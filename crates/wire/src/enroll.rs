//! Enroll tokens, with which a fleet activates one license, and the servers that wait.

use serde::{Deserialize, Serialize};
use tenure_core::{ApplicantId, EnrollTokenId, Timestamp, enroll::Network};
use utoipa::ToSchema;

/// A token to make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewEnrollToken {
    /// What it is for, 1 to 200 characters.
    pub name: String,
    /// How many servers may ever show it, 1 to 10,000.
    pub servers: u32,
    /// Servers in use that the license may have before a further one waits for a person, at most 10,000; with 0 each waits.
    /// As `servers` where it is left out.
    #[serde(default)]
    pub license_limit: Option<u32>,
    /// The networks it is good from, as `10.0.0.0/8`; 1 to 32.
    #[schema(value_type = Vec<String>)]
    pub networks: Vec<Network>,
    /// When it ends; the program bounds how far ahead (`enroll_token_days`).
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
}

/// A token that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CreatedEnrollToken {
    /// Its id.
    #[schema(value_type = String)]
    pub id: EnrollTokenId,
    /// The token, which a product takes where it takes an activation code. It is in this answer only.
    pub token: String,
}

/// A token, never the token itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EnrollToken {
    /// Its id.
    #[schema(value_type = String)]
    pub id: EnrollTokenId,
    /// What it is for.
    pub name: String,
    /// How many servers may ever show it.
    pub servers: u32,
    /// How many did: they joined, wait, or were refused.
    pub used: u32,
    /// Servers in use that the license may have before a further one waits.
    pub license_limit: u32,
    /// The networks it is good from.
    pub networks: Vec<String>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
    /// When it was revoked.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub revoked_at: Option<Timestamp>,
    /// The first time that it was shown from elsewhere, or by more servers than may: somebody may have it who should not.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub shown_elsewhere_at: Option<Timestamp>,
}

/// A server that waits for a person. It has no license.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Applicant {
    /// What it is called while it waits.
    #[schema(value_type = String)]
    pub id: ApplicantId,
    /// The token it showed.
    #[schema(value_type = String)]
    pub token: EnrollTokenId,
    /// Host name it tells.
    pub host: String,
    /// The address it asked from.
    pub address: String,
    /// When it asked first.
    #[schema(value_type = String, format = DateTime)]
    pub asked_at: Timestamp,
}

/// The tokens of a license, and who waits for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EnrollTokens {
    /// Tokens, newest first; at most 50.
    pub tokens: Vec<EnrollToken>,
    /// Servers that wait, the longest waiting first; at most 200.
    pub applicants: Vec<Applicant>,
}
