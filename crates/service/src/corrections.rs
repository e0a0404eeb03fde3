//! Corrections of closed months: listing them, and entering one by hand ("Adjustments, revisions, corrections").
//!
//! What products send late becomes a correction by itself ([`crate::late`]). A person of the provider who submits its
//! months, or the vendor's administrator, may enter one too; it is approved with the month it is billed in, by the
//! distributor, and by the vendor as well where it takes away more than the deviation threshold.

use serde_json::json;
use tenure_core::{
    CompanyId, DocumentId, InstallationId, LicenseId, LineId, OrgId, Period, Points, ProductId, SiteId, Timestamp,
    Weight,
    adjust::{ReasonCode, check_manual_line},
    correction::{HandCorrection, HandFacts, check_by_hand},
    cycle::UsageState,
    line,
    roles::{Action, OrgKind},
};
use tenure_store::{
    Conn, Queue, Tx,
    rows::{
        company,
        correction::{self, CorrectionRow},
        hand_correction::{self, HandCorrectionRow},
        month as rows,
        monthly_usage::{self, UsageRow},
        product, site, site_part, submission,
    },
};
use uuid::Uuid;

use crate::{
    Actor, Error, Idempotency, ProblemKind, Result, Service,
    authorize::{at_provider, provider_meant},
    change, checks,
    idempotent::{self, Begun},
    late,
    month::{Named, Who},
    month_access::{MonthRef, find},
};

/// Most corrections of a list.
const MAX_LISTED: i64 = 500;
/// Most corrections by hand billed in one month.
const MAX_BY_HAND: i64 = 1_000;

/// A correction in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correction {
    /// Its id.
    pub id: LineId,
    /// The closed month it is about.
    pub of: Period,
    /// The month it is billed in.
    pub billed_in: Period,
    /// Where that month stands; none while it is not open yet.
    pub state: Option<UsageState>,
    /// The product, by its name and edition.
    pub product: Named<ProductId>,
    /// The customer.
    pub company: Option<Named<CompanyId>>,
    /// The license.
    pub license: Option<LicenseId>,
    /// Workload type code; empty for what was carried on as points.
    pub workload: String,
    /// Variant code.
    pub variant: String,
    /// Units more or less than what was closed.
    pub delta: i64,
    /// The weight of the month it is about.
    pub weight: Weight,
    /// What it comes to, before a month that would fall below 0 carries a part on.
    pub points: Points,
    /// Where it comes from.
    pub origin: CorrectionOrigin,
    /// When it became a line.
    pub at: Timestamp,
}

/// Where a correction comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CorrectionOrigin {
    /// A product's report that came late.
    Report {
        /// Whose.
        installation: InstallationId,
        /// The document that says so.
        document: DocumentId,
    },
    /// A person.
    ByHand {
        /// Who.
        by: Who,
        /// Reason code.
        reason: Option<ReasonCode>,
        /// One sentence.
        note: String,
    },
}

/// A correction to enter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCorrection {
    /// The product.
    pub product: ProductId,
    /// Workload type code of the product.
    pub workload: String,
    /// Variant code; empty where the type has none.
    pub variant: String,
    /// Units more, or less where negative.
    pub delta: i64,
    /// The license it was used under; required where the provider had automatic licenses of the product.
    pub license: Option<LicenseId>,
    /// The customer; that of the license where one is named.
    pub company: Option<CompanyId>,
    /// Why; required to take away.
    pub reason: Option<ReasonCode>,
    /// One sentence; always required.
    pub note: String,
}

/// A correction that was entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct EnteredCorrection {
    /// Its id.
    pub id: LineId,
    /// The month it is billed in.
    pub billed_in: Period,
}

/// The corrections of a provider billed in the last 13 months or later, newest first, at most 500; those of one closed month
/// where `of` names it.
pub async fn list_corrections(
    service: &Service,
    actor: &Actor,
    provider: Option<OrgId>,
    of: Option<Period>,
) -> Result<Vec<Correction>> {
    let provider = provider_meant(actor, provider);
    let mut read = service.store().read().await?;
    at_provider(&mut read, actor, provider, Action::View).await?;
    if actor.site.is_some() {
        return Err(ProblemKind::Forbidden.because("corrections are listed for the whole provider").into());
    }
    let from = Period::of(service.now()).plus(-(service.policy().max_correction_months as i32));
    let about = |period: Period| of.is_none_or(|of| of == period);
    let reported = correction::of_provider(&mut read, provider, from, MAX_LISTED).await?;
    let by_hand = hand_correction::of_provider(&mut read, provider, from, MAX_LISTED).await?;
    let names = Names::load(&mut read, provider, &reported, &by_hand).await?;
    let mut list: Vec<Correction> =
        reported.into_iter().filter(|row| about(row.of_period)).map(|row| names.reported(row)).collect();
    list.extend(by_hand.into_iter().filter(|row| about(row.of_period)).map(|row| names.by_hand(row)));
    list.sort_by_key(|one| std::cmp::Reverse((one.billed_in, one.id)));
    list.truncate(MAX_LISTED as usize);
    Ok(list)
}

/// What a list shows besides the rows.
struct Names {
    products: Vec<product::ProductRow>,
    companies: Vec<(CompanyId, String)>,
    people: Vec<(Uuid, String)>,
    months: Vec<UsageRow>,
}

impl Names {
    async fn load(
        conn: &mut Conn,
        provider: OrgId,
        reported: &[CorrectionRow],
        by_hand: &[HandCorrectionRow],
    ) -> Result<Self> {
        let mut companies: Vec<CompanyId> =
            reported.iter().filter_map(|row| row.company).chain(by_hand.iter().filter_map(|row| row.company)).collect();
        companies.sort_unstable();
        companies.dedup();
        let mut people: Vec<Uuid> = by_hand.iter().map(|row| row.by).filter(|id| !id.is_nil()).collect();
        people.sort_unstable();
        people.dedup();
        let newest = reported.iter().map(|row| row.period).chain(by_hand.iter().map(|row| row.period)).max();
        let months = match newest {
            Some(newest) => monthly_usage::of_provider(conn, provider, newest.next(), 40).await?,
            None => Vec::new(),
        };
        Ok(Self {
            products: product::all(conn).await?,
            companies: if companies.is_empty() {
                Vec::new()
            } else {
                rows::companies(conn, provider, &companies).await?
            },
            people: if people.is_empty() { Vec::new() } else { rows::names(conn, &people).await? },
            months,
        })
    }

    fn state(&self, period: Period) -> Option<UsageState> {
        self.months.iter().find(|row| row.period == period).map(|row| row.state)
    }

    fn product(&self, id: ProductId) -> Named<ProductId> {
        let found = self.products.iter().find(|row| row.id == id);
        let name = found.map(|row| format!("{} {}", row.name, row.edition).trim_end().to_owned());
        Named { id, name: name.unwrap_or_default() }
    }

    fn company(&self, id: Option<CompanyId>) -> Option<Named<CompanyId>> {
        let id = id?;
        let name = self.companies.iter().find(|(company, _)| *company == id).map(|(_, name)| name.clone());
        Some(Named { id, name: name.unwrap_or_default() })
    }

    fn reported(&self, row: CorrectionRow) -> Correction {
        let origin = CorrectionOrigin::Report { installation: row.installation, document: row.document };
        Correction {
            id: row.id,
            of: row.of_period,
            billed_in: row.period,
            state: self.state(row.period),
            product: self.product(row.product),
            company: self.company(row.company),
            license: Some(row.license),
            workload: row.workload,
            variant: row.variant,
            delta: row.delta,
            weight: row.weight,
            points: line::points(row.delta, Some(row.weight)),
            origin,
            at: row.at,
        }
    }

    fn by_hand(&self, row: HandCorrectionRow) -> Correction {
        let name = self.people.iter().find(|(id, _)| *id == row.by).map(|(_, name)| name.clone());
        let by = Who { id: row.by, name: name.unwrap_or_else(|| "somebody who left".to_owned()) };
        let origin = CorrectionOrigin::ByHand { by, reason: row.reason.parse().ok(), note: row.note };
        Correction {
            id: row.id,
            of: row.of_period,
            billed_in: row.period,
            state: self.state(row.period),
            product: self.product(row.product),
            company: self.company(row.company),
            license: row.license,
            workload: row.workload,
            variant: row.variant,
            delta: row.delta,
            weight: row.weight,
            points: line::points(row.delta, Some(row.weight)),
            origin,
            at: row.at,
        }
    }
}

/// Enters a correction of a closed month: it is billed in the first month after it that is neither submitted nor closed.
pub async fn add_correction(
    service: &Service,
    actor: &Actor,
    closed: MonthRef,
    input: NewCorrection,
    idempotency: Option<Idempotency>,
) -> Result<EnteredCorrection> {
    checks::text("note", &input.note, tenure_core::adjust::MAX_NOTE_CHARS)?;
    let (service_, actor) = (service.clone(), actor.clone());
    service
        .store()
        .write(Queue::People, async move |tx| {
            let service = &service_;
            let now = service.now();
            let closed = may_correct(tx, &actor, closed).await?;
            let remember = match idempotent::begin(tx, &actor, "correction.add", idempotency.as_ref(), now).await? {
                Begun::Done(entered) => return Ok(entered),
                Begun::Do(remember) => remember,
            };
            let (of, provider) = (closed.period, closed.provider);
            // The state is read under the month's lock: a closed month stays closed.
            let held = monthly_usage::share(tx, provider, of).await?.ok_or(Error::Internal("a month is gone"))?;
            let mut row = row(service, tx, &actor, &held, &input).await?;
            row.period = late::target(tx, provider, of).await?;
            if hand_correction::count(tx, provider, row.period).await? >= MAX_BY_HAND {
                return Err(ProblemKind::InvalidInput
                    .because("the month has 1,000 corrections by hand already")
                    .into());
            }
            hand_correction::insert(tx, provider, &row).await?;
            let entered = EnteredCorrection { id: row.id, billed_in: row.period };
            let body = json!({
                "line": row.id, "of": of, "billed_in": row.period, "product": row.product, "workload": row.workload,
                "variant": row.variant, "license": row.license, "company": row.company, "count": row.delta,
                "reason": row.reason, "note": row.note,
            });
            change::by(tx, &actor, provider, "usage.correction_added", held.id.to_string(), now, body.clone());
            change::tell(tx, held.distributor, "usage.correction_added", held.id.to_string(), now, body);
            idempotent::remember(tx, remember, &entered).await?;
            Ok(entered)
        })
        .await
}

/// The closed month, for whoever may correct it: who submits the provider's months, and the vendor.
async fn may_correct(tx: &mut Tx, actor: &Actor, closed: MonthRef) -> Result<UsageRow> {
    let (row, kind) = find(tx, actor, closed).await?;
    let has_sites = !site_part::of_month(tx, row.provider, row.period).await?.is_empty();
    let action = if kind == OrgKind::Vendor { Action::OverrideUsage } else { Action::SubmitUsage };
    if actor.role.may(action, kind, has_sites) { Ok(row) } else { Err(ProblemKind::Forbidden.into()) }
}

async fn row(
    service: &Service,
    tx: &mut Tx,
    actor: &Actor,
    closed: &UsageRow,
    input: &NewCorrection,
) -> Result<HandCorrectionRow> {
    let refused = |words: String| ProblemKind::InvalidInput.because(words);
    let (provider, of, now) = (closed.provider, closed.period, service.now());
    let weights = product::weights(tx, input.product, of).await?;
    let weight = weights.get(&(input.workload.clone(), input.variant.clone())).copied();
    let weight = weight.ok_or_else(|| {
        refused(format!("product, workload and variant must name a workload type that had a weight in {of}"))
    })?;
    let licenses = rows::licenses(tx, provider, of).await?;
    let has_automatic = licenses.iter().any(|row| row.product == input.product && row.reporting.extends());
    let count = u32::try_from(input.delta.unsigned_abs()).unwrap_or(u32::MAX);
    check_manual_line(count, has_automatic, input.license.is_some()).map_err(|refusal| refused(refusal.to_string()))?;
    let license = match input.license {
        None => None,
        Some(id) => {
            let found = licenses.into_iter().find(|row| row.id == id && row.product == input.product);
            let words = "license must be one of the product that was held in the month";
            Some(found.ok_or_else(|| refused(words.to_owned()))?)
        }
    };
    let company = license.as_ref().map_or(input.company, |license| license.company);
    if let Some(company) = company
        && company::find(tx, provider, company).await?.is_none()
    {
        return Err(ProblemKind::NotFound.because("there is no such company").into());
    }
    let points = line::points(input.delta, Some(weight));
    let wanted = HandCorrection { delta: input.delta, points, reason: input.reason, note: &input.note };
    let facts = HandFacts { of, state: closed.state, closed_with: closed_with(tx, closed).await? };
    check_by_hand(wanted, facts, now, service.policy()).map_err(|refusal| match refusal {
        tenure_core::correction::HandRefusal::NotClosed => ProblemKind::MonthState.because(refusal.to_string()),
        _ => refused(refusal.to_string()),
    })?;
    Ok(HandCorrectionRow {
        id: LineId::generate(now, service.rng()),
        period: of,
        of_period: of,
        product: input.product,
        workload: input.workload.clone(),
        variant: input.variant.clone(),
        company,
        site: site_of(tx, provider, license.as_ref().and_then(|license| license.site)).await?,
        license: license.map(|license| license.id),
        delta: input.delta,
        weight,
        reason: input.reason.map_or("", ReasonCode::word).to_owned(),
        note: input.note.trim().to_owned(),
        by: actor.principal(),
        by_org: actor.org,
        at: now,
    })
}

async fn site_of(tx: &mut Tx, provider: OrgId, site: Option<SiteId>) -> Result<Option<SiteId>> {
    let Some(id) = site else { return Ok(None) };
    Ok(site::find(tx, provider, id).await?.map(|_| id))
}

/// What a closed month came to, with all its corrections so far.
async fn closed_with(tx: &mut Tx, closed: &UsageRow) -> Result<Points> {
    let (provider, of) = (closed.provider, closed.period);
    let signed = submission::head(tx, provider, of).await?.map_or(Points::ZERO, |head| head.reported);
    let late = correction::of_provider(tx, provider, of.next(), 10_000).await?;
    let by_hand = hand_correction::of_provider(tx, provider, of.next(), 10_000).await?;
    // What was carried on stands again in a later month; the first of the two says all of it.
    let late = late.iter().filter(|row| row.of_period == of && !row.workload.is_empty());
    let late: Points = late.map(|row| line::points(row.delta, Some(row.weight))).sum();
    let by_hand = by_hand.iter().filter(|row| row.of_period == of && !row.workload.is_empty());
    Ok(signed + late + by_hand.map(|row| line::points(row.delta, Some(row.weight))).sum())
}

/// Takes a correction by hand back, while the month it is billed in is neither submitted nor closed.
pub async fn remove_correction(service: &Service, actor: &Actor, closed: MonthRef, line: LineId) -> Result<()> {
    let (service_, actor) = (service.clone(), actor.clone());
    service
        .store()
        .write(Queue::People, async move |tx| {
            let closed = may_correct(tx, &actor, closed).await?;
            let (of, provider) = (closed.period, closed.provider);
            let found = hand_correction::find(tx, provider, of, line).await?.filter(|row| row.of_period == of);
            let row = found.ok_or(ProblemKind::NotFound)?;
            let billed = monthly_usage::lock(tx, provider, row.period).await?;
            if billed.is_some_and(|billed| billed.state.is_submitted()) {
                return Err(ProblemKind::MonthState.because("the month it is billed in is submitted").into());
            }
            if row.workload.is_empty() {
                return Err(ProblemKind::MonthState.because("it is what a closed month could not take").into());
            }
            if !hand_correction::delete(tx, provider, row.period, line).await? {
                return Err(ProblemKind::NotFound.into());
            }
            let body = json!({
                "line": row.id, "of": of, "billed_in": row.period, "product": row.product, "workload": row.workload,
                "variant": row.variant, "count": row.delta,
            });
            let subject = closed.id.to_string();
            change::by(tx, &actor, provider, "usage.correction_removed", subject, service_.now(), body);
            Ok(())
        })
        .await
}
