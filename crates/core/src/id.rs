//! A type per id, so that a license can never be looked up by an installation's number.
//!
//! Ids are UUIDv7. Their public text is the kind's prefix, an underscore and the UUID, as `lic_0191f3c4-…`; the console
//! API alone shows the bare UUID.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Rng, Timestamp};

/// The text was not an id of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an id of the form {prefix}_<uuid>")]
pub struct ParseIdError {
    prefix: &'static str,
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// What the public text form begins with, without the underscore.
            pub const PREFIX: &'static str = $prefix;

            /// A new id: UUIDv7, so keys made later sort later.
            pub fn generate(now: Timestamp, rng: &dyn Rng) -> Self {
                Self(uuid_v7(now, rng))
            }
            /// Wraps the UUID that a store or a peer held.
            pub const fn from_uuid(uuid: Uuid) -> Self { Self(uuid) }
            /// The bare UUID.
            pub const fn uuid(self) -> Uuid { self.0 }
        }
        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self { Self(uuid) }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "_{}"), self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { fmt::Display::fmt(self, f) }
        }
        impl FromStr for $name {
            type Err = ParseIdError;
            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                let error = ParseIdError { prefix: $prefix };
                let uuid = text.strip_prefix(concat!($prefix, "_")).ok_or_else(|| error.clone())?;
                // One spelling only: lower case with hyphens, so that equal ids are equal text.
                let parsed = Uuid::try_parse(uuid).map_err(|_| error.clone())?;
                if parsed.hyphenated().to_string() == uuid { Ok(Self(parsed)) } else { Err(error) }
            }
        }
        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

ids! {
    /// One Tenure deployment: the audience of every signed message.
    DeploymentId = "dep";
    /// An organization: the vendor, a distributor or a provider.
    OrgId = "org";
    /// A location of a provider.
    SiteId = "site";
    /// An end customer of a provider.
    CompanyId = "com";
    /// A person who signs in.
    UserId = "usr";
    /// A machine's API token.
    TokenId = "tok";
    /// A signed-in browser session.
    SessionId = "ses";
    /// A rental agreement between a distributor and a provider.
    AgreementId = "agr";
    /// A product of the catalog, in one edition and version line.
    ProductId = "prd";
    /// A license template: what can be assigned.
    TemplateId = "tpl";
    /// One assignment of a template; periods, extensions and serials belong to it.
    LicenseId = "lic";
    /// A token with which a fleet activates a license.
    EnrollTokenId = "enr";
    /// A server that showed one and waits for a person.
    ApplicantId = "apl";
    /// A product server that activated a license.
    InstallationId = "ins";
    /// A signed document held as evidence.
    DocumentId = "doc";
    /// What one provider owes for one period.
    UsageId = "mu";
    /// One line of a monthly usage.
    LineId = "lin";
    /// A job row.
    JobId = "job";
    /// An outbox message.
    MessageId = "msg";
}

/// A UUIDv7 of this instant. Milliseconds come from `now`, the other 74 bits from `rng`.
pub fn uuid_v7(now: Timestamp, rng: &dyn Rng) -> Uuid {
    let mut random = [0; 10];
    rng.fill(&mut random);
    let millis = u64::try_from(now.as_micros().div_euclid(1000)).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_round_trips_and_has_one_spelling() {
        let id: LicenseId = "lic_0191f3c4-7e2a-7cc3-98c4-dc0c0c07398f".parse().expect("an id");
        assert_eq!(id.to_string(), "lic_0191f3c4-7e2a-7cc3-98c4-dc0c0c07398f");
        for bad in [
            "0191f3c4-7e2a-7cc3-98c4-dc0c0c07398f",
            "ins_0191f3c4-7e2a-7cc3-98c4-dc0c0c07398f",
            "lic_0191F3C4-7E2A-7CC3-98C4-DC0C0C07398F",
            "lic_0191f3c47e2a7cc398c4dc0c0c07398f",
            "lic_",
        ] {
            assert!(bad.parse::<LicenseId>().is_err(), "{bad}");
        }
    }
}
