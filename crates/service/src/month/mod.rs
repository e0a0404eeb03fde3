//! A provider's month: loaded with few statements, computed by one pure function, named by the hash of its lines.
//!
//! Totals are derived: whoever views, submits, approves or closes computes them from the rows again, in the transaction of
//! the decision. What was signed is kept beside it ([`tenure_store::rows::submission`]).

mod assemble;
mod build;
mod entered;
mod license;
mod load;
mod lookup;
mod standing;
pub(crate) mod tag;
mod types;

pub(crate) use assemble::settled;
pub(crate) use build::read_lines;
pub(crate) use load::MonthData;
pub(crate) use lookup::who;
pub(crate) use standing::{around, license_standing};
pub use tag::{LinesTag, ParseTagError};
pub(crate) use tag::{SignedLine, hash as hash_of, read as read_signed};
pub use types::{
    Adjustment, AgreementOf, Expected, Figure, LicenseMonth, LicenseOf, Line, Month, MonthHead, Named, ProductOf,
    ReportOf, SitePart, Submitted, TakenOut, Who, WorkloadOf,
};

use std::collections::BTreeMap;

use tenure_core::{Policy, ProductId, Timestamp};
use tenure_store::{
    Conn,
    rows::{monthly_usage::UsageRow, product::Weights},
};

use crate::{Result, Service};

/// A line as it is signed.
pub(crate) fn signed_of(line: &Line) -> SignedLine {
    SignedLine::of(line)
}

impl Month {
    /// Loads and computes a month by the numbers of its own policy. Reads only; inside a transaction it sees what that transaction wrote.
    pub(crate) async fn load(service: &Service, conn: &mut Conn, usage: UsageRow, now: Timestamp) -> Result<Self> {
        let policy = service.policy_of(usage.period);
        Self::load_under(conn, usage, now, policy).await
    }

    /// The same by the numbers given.
    pub(crate) async fn load_under(conn: &mut Conn, usage: UsageRow, now: Timestamp, policy: &Policy) -> Result<Self> {
        let data = MonthData::of_provider(conn, usage).await?;
        let frame = load::Frame::load(conn, &data).await?;
        assemble::month(&data, &frame, now, policy)
    }

    /// A month as it is, and as it would be under other numbers and weights. Reads only.
    pub(crate) async fn compare(
        conn: &mut Conn,
        usage: UsageRow,
        now: Timestamp,
        (before, after): (&Policy, &Policy),
        weights: &BTreeMap<ProductId, Weights>,
    ) -> Result<(Self, Self)> {
        let mut data = MonthData::of_provider(conn, usage).await?;
        let frame = load::Frame::load(conn, &data).await?;
        let is = assemble::month(&data, &frame, now, before)?;
        for (product, changed) in weights {
            data.weights.entry(*product).or_default().extend(changed.clone());
        }
        Ok((is, assemble::month(&data, &frame, now, after)?))
    }
}
