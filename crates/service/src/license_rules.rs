//! What decides whether a license may be created, assigned or switched, gathered for core to judge.

use tenure_core::{
    CompanyId, Points, ProductId, UsageType,
    assignment::{self, Holding, LicenseFacts, LicenseRefusal},
    obligation,
    reporting::{Enrollment, ToggleFacts, ToggleRefusal},
    suspension::Wish,
};
use tenure_store::{
    Conn,
    rows::{
        agreement::AgreementRow,
        obligation as owed,
        product::{ProductRow, Weights, WorkloadRow},
        template::WorkloadCount,
    },
};

use crate::{Error, ProblemKind, Result, Service, agreements, enrollment, suspension::suspended};

/// Most workload types of one license.
const MAX_WORKLOADS: usize = 100;
/// Most units of one workload type.
const MAX_COUNT: u32 = 10_000_000;

/// What core judges by.
pub(crate) struct Facts {
    pub(crate) agreement: AgreementRow,
    pub(crate) enrollment: Enrollment,
    pub(crate) license: LicenseFacts,
}

impl Facts {
    /// Gathers it. `company` is who holds the license; none for the provider itself. `holds` is false for a template, for
    /// which nobody owes anything yet.
    pub(crate) async fn gather(
        service: &Service,
        conn: &mut Conn,
        agreement: AgreementRow,
        usage_type: UsageType,
        holding: Holding,
        holder: Option<(Option<CompanyId>, ProductId)>,
    ) -> Result<Self> {
        let (provider, now) = (agreement.provider, service.now());
        let oldest = match holder {
            Some((company, product)) => owed::oldest_open(conn, provider, company, product).await?,
            None => None,
        };
        let license = LicenseFacts {
            holding,
            usage_type,
            suspended: suspended(service, conn, provider, now).await?,
            obligation_blocks: obligation::blocks_new_license(oldest, now, service.policy()),
            agreement: agreements::terms(&agreement).standing(now),
        };
        Ok(Self { enrollment: enrollment::find(conn, provider).await?, agreement, license })
    }

    /// Whether the wish is allowed.
    pub(crate) fn may(&self, wish: Wish) -> Result<()> {
        assignment::may(wish, &self.license).map_err(refused)
    }

    /// What decides the toggle.
    pub(crate) fn toggle(&self) -> ToggleFacts<'_> {
        ToggleFacts {
            agreement: self.agreement.kind,
            usage_type: self.license.usage_type,
            enrollment: &self.enrollment,
            suspended: self.license.suspended,
        }
    }
}

/// A product that the vendor withdrew is not licensed anew: neither created, nor copied, nor assigned.
pub(crate) fn still_licensed(product: &ProductRow) -> Result<()> {
    if product.withdrawn.is_none() {
        return Ok(());
    }
    Err(ProblemKind::Inactive.because("the vendor withdrew this product; licenses that are assigned go on").into())
}

/// A refusal of core as a caller reads it.
pub(crate) fn refused(refusal: LicenseRefusal) -> Error {
    use LicenseRefusal as R;
    let kind = match refusal {
        R::Suspended => ProblemKind::Suspended,
        R::ObligationOpen => ProblemKind::ObligationOpen,
        R::AgreementOver => ProblemKind::AgreementOver,
        R::NotAssigned => ProblemKind::NotAssigned,
        R::AlreadyAssigned => ProblemKind::AlreadyAssigned,
        R::HeldByProvider | R::CompanyMissing => ProblemKind::InvalidInput,
        R::Deleted | R::ForeignCompany => ProblemKind::NotFound,
    };
    kind.because(refusal.to_string()).into()
}

/// A refused toggle as a caller reads it.
pub(crate) fn toggle_refused(refusal: ToggleRefusal) -> Error {
    match refusal {
        ToggleRefusal::Suspended => ProblemKind::Suspended.because(refusal.to_string()).into(),
        _ => ProblemKind::ReportingFixed.because(refusal.to_string()).into(),
    }
}

/// Checks what is to be licensed against the product's workload types, and orders it.
pub(crate) fn workloads(known: &[WorkloadRow], mut wanted: Vec<WorkloadCount>) -> Result<Vec<WorkloadCount>> {
    let refused = |words: String| Err(ProblemKind::InvalidInput.because(words).into());
    if wanted.is_empty() || wanted.len() > MAX_WORKLOADS {
        return refused(format!("workloads must name 1 to {MAX_WORKLOADS} workload types"));
    }
    wanted.sort_by(|a, b| (&a.workload, &a.variant).cmp(&(&b.workload, &b.variant)));
    if let Some(pair) = wanted.windows(2).find(|pair| same(&pair[0], &pair[1])) {
        return refused(format!("workloads names {} {} twice", pair[0].workload, pair[0].variant));
    }
    for each in &wanted {
        if !known.iter().any(|row| row.code == each.workload && row.variant == each.variant) {
            return refused(format!("the product has no workload type {} {}", each.workload, each.variant));
        }
        if each.count == 0 || each.count > MAX_COUNT {
            return refused(format!("count of {} must be 1 to {MAX_COUNT}", each.workload));
        }
    }
    Ok(wanted)
}

fn same(a: &WorkloadCount, b: &WorkloadCount) -> bool {
    (&a.workload, &a.variant) == (&b.workload, &b.variant)
}

/// The points of licensed workloads by the weights of a period, not rounded.
pub(crate) fn points(workloads: &[WorkloadCount], weights: &Weights) -> Result<Points> {
    workloads
        .iter()
        .map(|each| {
            let weight = weights.get(&(each.workload.clone(), each.variant.clone()));
            let weight = weight.ok_or(Error::Internal("a workload type without a weight"))?;
            Ok(weight.times(i64::from(each.count)))
        })
        .sum()
}
