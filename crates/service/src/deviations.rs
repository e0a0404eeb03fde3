//! What fits badly in submitted months, license by license, in words: a distributor's, or all for the vendor.

use tenure_core::{
    deviation::Flag,
    roles::{Action, OrgKind},
};

use crate::{
    Actor, MonthSummary, Page, Paging, ProblemKind, Result, Service, authorize::at_home, list_months, month::Month,
    month_access::MonthRef,
};

/// Most months looked into at once: each is loaded whole.
const MAX_MONTHS: u32 = 20;

/// A submitted month in which something is flagged.
#[derive(Debug, Clone)]
pub struct Deviation {
    /// The month.
    pub month: MonthSummary,
    /// Licenses with a flag: whose, of which product, and what is said of each.
    pub licenses: Vec<DeviatingLicense>,
}

/// A license with a flag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviatingLicense {
    /// The customer; empty for the provider itself.
    pub company: String,
    /// Product and edition.
    pub product: String,
    /// What is flagged, in words with both figures.
    pub flags: Vec<String>,
}

/// The flagged months among the next 20, newest first. `next` goes on after those 20, flagged or not.
pub async fn list_deviations(service: &Service, actor: &Actor, paging: &Paging) -> Result<Page<Deviation>> {
    let mut read = service.store().read().await?;
    if at_home(&mut read, actor, Action::View).await? == OrgKind::Provider {
        return Err(ProblemKind::Forbidden.because("your own months say what is flagged in their review").into());
    }
    drop(read);
    let limit = Some(paging.limit()?.min(MAX_MONTHS));
    let months = list_months(service, actor, &Paging { cursor: paging.cursor.clone(), limit }).await?;
    let mut items = Vec::new();
    for month in months.items {
        let is_flagged = month.submitted.is_some_and(|one| one.flagged > 0 || one.needs_consent);
        if !is_flagged {
            continue;
        }
        let mut read = service.store().read().await?;
        let (row, _) = crate::month_access::find(&mut read, actor, MonthRef::Id(month.id)).await?;
        let loaded = Month::load(service, &mut read, row, service.now()).await?;
        items.push(Deviation { month, licenses: licenses(&loaded) });
    }
    Ok(Page { items, next: months.next })
}

fn licenses(month: &Month) -> Vec<DeviatingLicense> {
    let flagged = month.licenses.iter().filter(|one| !one.flags.is_empty() || one.contested);
    flagged
        .map(|one| DeviatingLicense {
            company: one.license.company.as_ref().map(|company| company.name.clone()).unwrap_or_default(),
            product: format!("{} {}", one.license.product.name, one.license.product.edition).trim_end().to_owned(),
            flags: one
                .flags
                .iter()
                .map(Flag::to_string)
                .chain(one.contested.then(|| "two documents claim the place of one report".to_owned()))
                .collect(),
        })
        .collect()
}
