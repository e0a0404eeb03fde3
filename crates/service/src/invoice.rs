//! What a distributor invoices for a closed month.

use std::collections::BTreeMap;

use tenure_core::{OrgId, Period, Points, Timestamp, Weight, cycle::UsageState, totals::Totals};

use crate::{
    Actor, AgreementOf, ProblemKind, Result, Service,
    month::{Month, Named},
    month_access::{MonthRef, find},
};

/// A closed month as it is invoiced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invoice {
    /// Who invoices.
    pub distributor: Named<OrgId>,
    /// Who is invoiced.
    pub provider: Named<OrgId>,
    /// For which month.
    pub period: Period,
    /// Under which agreement.
    pub agreement: AgreementOf,
    /// The provider's purchase order.
    pub purchase_order: String,
    /// When the month was closed.
    pub closed: Timestamp,
    /// The submission it follows, and SHA-256 of its lines.
    pub submission: (u32, [u8; 32]),
    /// What was used, by product and workload type; then what is billed of earlier months.
    pub items: Vec<InvoiceItem>,
    /// What it comes to. `total` is what is owed: the items, and what is missing to the minimum commit.
    pub totals: Totals,
}

/// One item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvoiceItem {
    /// Product name and edition.
    pub product: String,
    /// The workload type's display name.
    pub workload: String,
    /// Variant code.
    pub variant: String,
    /// The earlier month a correction is about.
    pub of: Option<Period>,
    /// Units.
    pub count: i64,
    /// Points per unit.
    pub weight: Option<Weight>,
    /// Points.
    pub points: Points,
}

/// What is invoiced for a closed month.
pub async fn view_invoice(service: &Service, actor: &Actor, which: MonthRef) -> Result<Invoice> {
    let mut read = service.store().read().await?;
    let (usage, _) = find(&mut read, actor, which).await?;
    if actor.site.is_some() && actor.org == usage.provider {
        return Err(ProblemKind::Forbidden.because("the invoice is for the whole month").into());
    }
    if usage.state != UsageState::Closed {
        return Err(ProblemKind::MonthState.because("only a closed month is invoiced").into());
    }
    let month = Month::load(service, &mut read, usage, service.now()).await?;
    let head = &month.head;
    let submitted = head.submitted.as_ref().map(|one| (one.number, one.lines_hash));
    Ok(Invoice {
        distributor: head.distributor.clone(),
        provider: head.provider.clone(),
        period: head.period,
        agreement: head.agreement.clone(),
        purchase_order: head.purchase_order.clone(),
        closed: head.closed.unwrap_or(head.opened),
        submission: submitted.unwrap_or((0, month.tag.hash)),
        items: items(&month),
        totals: month.totals,
    })
}

fn items(month: &Month) -> Vec<InvoiceItem> {
    type Key = (Option<Period>, String, String, String, Option<Weight>);
    let mut items: BTreeMap<Key, (i64, Points)> = BTreeMap::new();
    for line in month.lines.iter().filter(|line| line.count != 0 || line.points != Points::ZERO) {
        let product = format!("{} {}", line.product.name, line.product.edition).trim_end().to_owned();
        // What was carried on stands for points of no workload type.
        let name = if line.workload.code.is_empty() { "carried on" } else { line.workload.name.as_str() };
        let key = (line.of_period, product, name.to_owned(), line.workload.variant.clone(), line.weight);
        let item = items.entry(key).or_default();
        item.0 += line.count;
        item.1 += line.points;
    }
    items
        .into_iter()
        .map(|((of, product, workload, variant, weight), (count, points))| InvoiceItem {
            product,
            workload,
            variant,
            of,
            count,
            weight,
            points,
        })
        .collect()
}
