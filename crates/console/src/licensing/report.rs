//! A monthly usage as a report.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tenure_core::{CompanyId, Day, LicenseId, Period, ProductId, Timestamp, cycle::UsageState, expected::Presence};
use tenure_service::{Expected, Line, Month};

use super::{
    family::Family,
    tally::{total, workloads},
};
use crate::{client::report_parameters, pulse::Resellers};

/// The number of a report: year and month, as 202601.
pub(super) fn id(period: Period) -> i32 {
    i32::from(period.year()) * 100 + i32::from(period.month())
}

/// The day on which the report of a month that was opened then was made.
pub(super) fn generated(opened: Timestamp) -> Day {
    Day::of(opened)
}

/// Where a month stands, in a report's word.
pub(super) const fn status(state: UsageState) -> &'static str {
    match state {
        UsageState::Collecting
        | UsageState::PendingSiteReview
        | UsageState::PendingProviderReview
        | UsageState::Rejected => "ApprovalRequired",
        UsageState::PendingDistributorReview => "Finalization",
        UsageState::Closed => "Approved",
    }
}

/// The report of a month, for a client of some version.
pub(super) fn shape(month: &Month, resellers: &Resellers, client: &str) -> Value {
    let head = &month.head;
    let parameters = json!({
        "reportId": id(head.period),
        "organizationName": head.provider.name,
        "organizationUid": head.provider.id.uuid(),
        "licenseCompanyName": head.provider.name,
        "generationDate": generated(head.opened),
        "reportInterval": {
            "startOfInterval": head.period.first_day(),
            "endOfInterval": head.period.next().first_day().plus(-1),
        },
    });
    let holders = holders(month);
    let named = report_parameters(client);
    json!({
        "reportStatus": status(head.state),
        (named): parameters,
        "reportSummary": {
            "totalPoints": total(&month.lines),
            "productsUsage": products(month),
        },
        "organizationsUsage": holders.values().map(|holder| holder.usage(month, resellers)).collect::<Vec<_>>(),
        "notCollectedCloudServers": hosts(month.installations.iter().map(AsRef::as_ref), missing),
        "clonedCloudServers": hosts(month.installations.iter().map(AsRef::as_ref), cloned),
        "unsupportedCloudServers": [],
        "usageDetails": holders.values().map(|holder| holder.details(month)).collect::<Vec<_>>(),
        "appendices": [],
    })
}

fn products(month: &Month) -> Vec<Value> {
    let mut products: BTreeMap<ProductId, Vec<&Line>> = BTreeMap::new();
    for line in &month.lines {
        products.entry(line.product.id).or_default().push(line);
    }
    let shown = |lines: &Vec<&Line>| {
        let product = &lines[0].product;
        json!({
            "productType": Family::of(&product.code).word(),
            "licenseEdition": product.edition,
            "totalPoints": total(lines.iter().copied()),
            "workloadUsage": workloads(lines),
        })
    };
    products.values().map(shown).collect()
}

/// What one company, or the provider itself, holds in the month.
#[derive(Default)]
struct Holder<'a> {
    company: Option<(CompanyId, &'a str)>,
    lines: Vec<&'a Line>,
    installations: Vec<&'a Expected>,
}

fn holders(month: &Month) -> BTreeMap<Option<CompanyId>, Holder<'_>> {
    let mut holders: BTreeMap<Option<CompanyId>, Holder<'_>> = BTreeMap::new();
    for line in &month.lines {
        let company = line.company.as_ref().map(|company| (company.id, company.name.as_str()));
        let holder = holders.entry(company.map(|(id, _)| id)).or_default();
        holder.company = company;
        holder.lines.push(line);
    }
    for one in &month.installations {
        let company = one.license.company.as_ref().map(|company| (company.id, company.name.as_str()));
        let holder = holders.entry(company.map(|(id, _)| id)).or_default();
        holder.company = company;
        holder.installations.push(one);
    }
    holders
}

impl Holder<'_> {
    fn usage(&self, month: &Month, resellers: &Resellers) -> Value {
        json!({
            "organizationType": resellers.organization_type(self.company.map(|(id, _)| id)),
            "organizationName": self.name(month),
            "organizationUid": self.uid(month),
            "usedPoints": total(self.lines.iter().copied()),
        })
    }

    fn details(&self, month: &Month) -> Value {
        let installations = || self.installations.iter().copied();
        json!({
            "organizationName": self.name(month),
            "organizationUid": self.uid(month),
            "supportId": null,
            "notCollectedClientServers": hosts(installations(), missing),
            "clonedClientServers": hosts(installations(), cloned),
            "unsupportedClientServers": [],
            "usageByLicenseAndProduct": self.licenses(),
        })
    }

    fn licenses(&self) -> Vec<Value> {
        let mut licenses: BTreeMap<(Option<LicenseId>, ProductId), Vec<&Line>> = BTreeMap::new();
        for line in &self.lines {
            let license = line.license.as_ref().map(|license| license.id);
            licenses.entry((license, line.product.id)).or_default().push(line);
        }
        let shown = |((license, _), lines): (&(Option<LicenseId>, ProductId), &Vec<&Line>)| {
            let product = &lines[0].product;
            json!({
                "licenseId": license.map(tenure_core::LicenseId::uuid),
                "productType": Family::of(&product.code).word(),
                "licenseEdition": product.edition,
                "usedPoints": total(lines.iter().copied()),
                "workloadUsage": workloads(lines),
            })
        };
        licenses.iter().map(shown).collect()
    }

    fn name<'b>(&'b self, month: &'b Month) -> &'b str {
        self.company.map_or(month.head.provider.name.as_str(), |(_, name)| name)
    }

    fn uid(&self, month: &Month) -> uuid::Uuid {
        self.company.map_or(month.head.provider.id.uuid(), |(id, _)| id.uuid())
    }
}

const fn missing(presence: Presence) -> bool {
    matches!(presence, Presence::Missing | Presence::Awaited)
}

const fn cloned(presence: Presence) -> bool {
    matches!(presence, Presence::Clone)
}

/// The hosts that stand in a certain way.
fn hosts<'a>(all: impl Iterator<Item = &'a Expected>, fits: fn(Presence) -> bool) -> Vec<&'a str> {
    all.filter(|one| fits(one.presence)).map(|one| one.name.as_str()).collect()
}
