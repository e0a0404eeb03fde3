//! The License Usage Report of a month: what is shown, with the submission and receipt that stand for it.

use tenure_core::Timestamp;

use crate::{
    Actor, Result, SavedSubmission, Service,
    month::Month,
    month_access::{MonthRef, confined, find},
    receipts::save_submission,
};

/// A month to be written as a report.
#[derive(Debug, Clone)]
pub struct UsageReportView {
    /// The vendor's name.
    pub vendor: String,
    /// The month as its viewer may see it.
    pub month: Month,
    /// The newest submission with its receipt, when its lines are these lines: what changed since, or is one site's part,
    /// has none.
    pub submission: Option<SavedSubmission>,
    /// The sites it is confined to, by name.
    pub sites: Vec<String>,
    /// Now.
    pub made: Timestamp,
}

/// The report of a month. Who is confined to a site gets that site's part.
pub async fn view_usage_report(service: &Service, actor: &Actor, which: MonthRef) -> Result<UsageReportView> {
    let mut read = service.store().read().await?;
    let (row, _) = find(&mut read, actor, which).await?;
    let provider = row.provider;
    let whole = Month::load(service, &mut read, row, service.now()).await?;
    drop(read);
    let is_confined = actor.site.is_some() && actor.org == provider;
    let covered = whole.covering().filter(|_| !is_confined);
    let submission = match covered.map(|one| one.number) {
        Some(number) => Some(save_submission(service, actor, which, Some(number)).await?),
        None => None,
    };
    let month = confined(whole, actor, provider);
    let sites = month.parts.iter().filter(|_| is_confined).map(|part| part.site.name.clone()).collect();
    Ok(UsageReportView {
        vendor: service.deployment().vendor_name.clone(),
        month,
        submission,
        sites,
        made: service.now(),
    })
}
