//! People, their sessions and passwords, and machines' tokens, as the provider API shows and changes them.

use serde::{Deserialize, Serialize};
use tenure_core::{OrgId, SessionId, SiteId, Timestamp, TokenId, UserId};
use utoipa::ToSchema;

use crate::OrgRef;

/// A person who signs in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Person {
    /// Stable id.
    #[schema(value_type = String, example = "usr_0191f3c4-7e2a-7cc3-98c4-dc0c0c07398f")]
    pub id: UserId,
    /// The organization it speaks for.
    #[schema(value_type = String, example = "org_0191f3c4-7e2a-7cc3-98c4-dc0c0c07398f")]
    pub organization: OrgId,
    /// E-mail address, with which it signs in.
    #[schema(example = "ann@northlight.example")]
    pub email: String,
    /// Display name.
    #[schema(example = "Ann Example")]
    pub name: String,
    /// Role, as `provider_full_access`.
    #[schema(example = "provider_full_access")]
    pub role: String,
    /// The one site it is confined to.
    #[schema(value_type = Option<String>)]
    pub site: Option<SiteId>,
    /// Since when it may not sign in.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub deactivated_at: Option<Timestamp>,
    /// Since when it signs in with a second step.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub second_step_since: Option<Timestamp>,
}

/// A page of people, in the order they were added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PersonPage {
    /// The page.
    pub items: Vec<Person>,
    /// Cursor of the next page; absent on the last.
    pub next: Option<String>,
}

/// What is to be different about a person; what is left out stays, `null` clears.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"role": "provider_read_only"}))]
pub struct PersonChange {
    /// Another display name.
    #[serde(default)]
    pub name: Option<String>,
    /// Another role.
    #[serde(default)]
    pub role: Option<String>,
    /// Another site, or none.
    #[serde(default, deserialize_with = "crate::text::present::deserialize", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub site: Option<Option<SiteId>>,
    /// Whether it may sign in.
    #[serde(default)]
    pub active: Option<bool>,
}

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Me {
    /// The person, if it is one.
    #[schema(value_type = Option<String>, example = "usr_0191f3c4-7e2a-7cc3-98c4-dc0c0c07398f")]
    pub person: Option<UserId>,
    /// The token, if it is one.
    #[schema(value_type = Option<String>)]
    pub token: Option<TokenId>,
    /// The person's or the token's name.
    #[schema(example = "Ann Example")]
    pub name: String,
    /// The person's e-mail address.
    pub email: Option<String>,
    /// Whom it acts for.
    pub organization: OrgRef,
    /// What it may do.
    #[schema(example = "provider_full_access")]
    pub role: String,
    /// The one site it is confined to.
    #[schema(value_type = Option<String>)]
    pub site: Option<SiteId>,
    /// Since when the person signs in with a second step.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub second_step_since: Option<Timestamp>,
}

/// How the caller's second step of signing in stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SecondStep {
    /// Since when signing in takes it; absent when it does not.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-01-31T10:00:00Z")]
    pub since: Option<Timestamp>,
    /// Recovery codes that were not used.
    #[schema(example = 10)]
    pub recovery_codes: u64,
}

/// Begins a second step.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"password": "the present one"}))]
pub struct SecondStepBegin {
    /// The caller's password.
    pub password: String,
}

/// A secret for an authenticator app.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct SecondStepSetup {
    /// In Base32, to type: SHA-1, six digits, 30 seconds.
    #[schema(example = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")]
    pub secret: String,
    /// The same as an address for a QR code.
    #[schema(
        example = "otpauth://totp/Acme:ann%40northlight.example?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Acme"
    )]
    pub uri: String,
}

/// A code, as the app shows it.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"code": "287082"}))]
pub struct SecondStepCode {
    /// Six digits.
    pub code: String,
}

/// What removing a second step, or other recovery codes, take.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"password": "the present one", "code": "287082"}))]
pub struct SecondStepProof {
    /// The caller's password.
    pub password: String,
    /// A code of the app, or a recovery code.
    pub code: String,
}

/// Recovery codes, shown once.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"codes": ["abcd-efgh-jkmn"]}))]
pub struct RecoveryCodes {
    /// Each is good once, instead of a code of the app.
    pub codes: Vec<String>,
}

/// Answers the challenge that a right password earned.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"challenge": "tnc_…", "code": "287082"}))]
pub struct SecondStepSignIn {
    /// As the refusal of `/sign-in` said; good for five minutes.
    pub challenge: String,
    /// A code of the app, or a recovery code.
    pub code: String,
}

/// A place where the calling person is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Session {
    /// Stable id.
    #[schema(value_type = String, example = "ses_0191f3c4-7e2a-7cc3-98c4-dc0c0c07398f")]
    pub id: SessionId,
    /// When the person signed in there.
    #[schema(value_type = String, format = DateTime, example = "2026-01-31T10:00:00Z")]
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    #[schema(value_type = String, format = DateTime, example = "2026-01-31T11:20:00Z")]
    pub seen_at: Timestamp,
    /// When it ends whatever happens.
    #[schema(value_type = String, format = DateTime, example = "2026-02-07T10:00:00Z")]
    pub ends_at: Timestamp,
    /// The one that asks.
    pub current: bool,
}

/// Where the calling person is signed in, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Sessions {
    /// At most the newest 200.
    pub items: Vec<Session>,
}

/// Changes the caller's own password.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"current": "the old one", "new": "a longer one than before"}))]
pub struct PasswordChange {
    /// The present one.
    pub current: String,
    /// The new one: at least 12 characters, at most 1,000 bytes.
    pub new: String,
}

/// Asks for a link to set a new password.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"email": "ann@northlight.example"}))]
pub struct PasswordForgotten {
    /// E-mail address.
    pub email: String,
}

/// Sets a password with the secret of a link.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"secret": "tnp_…", "new": "a longer one than before"}))]
pub struct PasswordRedeemed {
    /// What the link holds.
    pub secret: String,
    /// The new password: at least 12 characters, at most 1,000 bytes.
    pub new: String,
}

/// A link was sent to a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PasswordLinkSent {
    /// Until when it can be used, once.
    #[schema(value_type = String, format = DateTime, example = "2026-02-01T10:00:00Z")]
    pub until: Timestamp,
}

/// A machine's token; the token itself was shown once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Token {
    /// Stable id.
    #[schema(value_type = String, example = "tok_0191f3c4-7e2a-7cc3-98c4-dc0c0c07398f")]
    pub id: TokenId,
    /// What it is for.
    #[schema(example = "nightly script")]
    pub name: String,
    /// `read`, `manage` or `report`.
    #[schema(example = "read")]
    pub scope: String,
    /// The one site it is confined to.
    #[schema(value_type = Option<String>)]
    pub site: Option<SiteId>,
    /// Who made it; absent for the operator.
    #[schema(value_type = Option<String>)]
    pub created_by: Option<UserId>,
    /// When.
    #[schema(value_type = String, format = DateTime, example = "2026-01-31T10:00:00Z")]
    pub created_at: Timestamp,
    /// When it ends.
    #[schema(value_type = String, format = DateTime, example = "2027-01-31T10:00:00Z")]
    pub expires_at: Timestamp,
    /// When it was last used, to the minute.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub used_at: Option<Timestamp>,
    /// When it was revoked.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub revoked_at: Option<Timestamp>,
}

/// A page of tokens, in the order they were made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TokenPage {
    /// The page.
    pub items: Vec<Token>,
    /// Cursor of the next page; absent on the last.
    pub next: Option<String>,
}

/// Makes another secret for what a token does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"expires_at": "2028-01-31T00:00:00Z", "overlap_hours": 24}))]
pub struct TokenRotation {
    /// When the new one expires, at most two years from now.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
    /// How many hours the old one is still good for, at most 168; 24 where nothing is said.
    #[serde(default = "day")]
    pub overlap_hours: u32,
}

const fn day() -> u32 {
    24
}

/// A token's successor.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct RotatedToken {
    /// Stable id of the new one.
    #[schema(value_type = String, example = "tok_0191f3c4-7e2a-7cc3-98c4-dc0c0c07398f")]
    pub id: TokenId,
    /// The new token; shown once.
    #[schema(example = "tnr_…")]
    pub token: String,
    /// When the old one ends.
    #[schema(value_type = String, format = DateTime, example = "2026-02-01T10:00:00Z")]
    pub old_expires_at: Timestamp,
}
