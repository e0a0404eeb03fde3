//! Many manual lines at once, as somebody pastes them from a spreadsheet: all of them or none.

use serde_json::json;
use tenure_core::{CompanyId, LicenseId, LineId};
use tenure_store::{
    Conn, Queue,
    rows::{company, manual_line, monthly_usage::UsageRow, product},
};

use crate::{
    Actor, Idempotency, NewManualLine, ProblemKind, Result, Service,
    idempotent::{self, Begun},
    manual_line::{Counted, MAX_LINES, line},
    month_access::{MonthRef, changed, find, lock_to_edit},
};

/// Most rows of one import.
pub const MAX_IMPORT: usize = 1_000;
/// Companies read at once, and the most that names are looked up among.
const COMPANIES: u32 = 1_000;
const MAX_COMPANIES: usize = 50_000;

/// A row as it was typed: names and codes instead of ids.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportRow {
    /// Its line in what was pasted, from 1: problems name it.
    pub at: usize,
    /// Product code, name, or name and edition.
    pub product: String,
    /// Workload type code or name.
    pub workload: String,
    /// Variant code; empty where the type has none.
    pub variant: String,
    /// The customer's name or id; empty for the provider itself.
    pub company: String,
    /// The license's id; may be empty.
    pub license: String,
    /// Units, as typed.
    pub count: String,
}

/// A row that was looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedRow {
    /// As typed.
    pub row: ImportRow,
    /// The line it would make, or why it makes none.
    pub line: Result<NewManualLine, String>,
}

/// What the names of a month's provider and of the catalog mean.
struct Known {
    products: Vec<product::ProductRow>,
    companies: Vec<(CompanyId, String)>,
    counted: Counted,
}

/// Looks rows up against the catalog and the month's provider and says what each would become. Writes nothing.
pub async fn preview_import(
    service: &Service,
    actor: &Actor,
    which: MonthRef,
    rows: Vec<ImportRow>,
) -> Result<Vec<ImportedRow>> {
    if rows.len() > MAX_IMPORT {
        return Err(ProblemKind::InvalidInput.because(format!("an import has at most {MAX_IMPORT} rows")).into());
    }
    let mut read = service.store().read().await?;
    let (usage, _) = find(&mut read, actor, which).await?;
    let known = Known::of(&mut read, actor, &usage).await?;
    Ok(rows.into_iter().map(|row| ImportedRow { line: known.line(actor, &row), row }).collect())
}

/// Adds all rows in one transaction, or none: the first that cannot be added is named with its number. Gives how many.
pub async fn import_manual_lines(
    service: &Service,
    actor: &Actor,
    which: MonthRef,
    rows: Vec<ImportRow>,
    idempotency: Option<Idempotency>,
) -> Result<usize> {
    if rows.is_empty() || rows.len() > MAX_IMPORT {
        return Err(ProblemKind::InvalidInput.because(format!("an import has 1 to {MAX_IMPORT} rows")).into());
    }
    // Names are looked up before the one writer is held; what they came to is judged by the transaction's own rows.
    let mut read = service.store().read().await?;
    let (usage, _) = find(&mut read, actor, which).await?;
    let known = Known::of(&mut read, actor, &usage).await?;
    drop(read);
    let refused = |at: usize, words: &str| ProblemKind::InvalidInput.because(format!("row {at}: {words}"));
    let looked_up = |row: &ImportRow| match known.line(actor, row) {
        Ok(line) => Ok((row.at, line)),
        Err(words) => Err(refused(row.at, &words)),
    };
    let inputs: Vec<(usize, NewManualLine)> = rows.iter().map(looked_up).collect::<Result<_, _>>()?;
    let (service_, actor) = (service.clone(), actor.clone());
    service
        .store()
        .write(Queue::People, async move |tx| {
            let service = &service_;
            let now = service.now();
            find(tx, &actor, which).await?;
            let remember = match idempotent::begin(tx, &actor, "manual_line.import", idempotency.as_ref(), now).await? {
                Begun::Done(count) => return Ok(count),
                Begun::Do(remember) => remember,
            };
            let mut usage = lock_to_edit(service, tx, &actor, which).await?;
            let held = manual_line::count(tx, usage.provider, usage.period).await?;
            if held + inputs.len() as i64 > MAX_LINES {
                return Err(ProblemKind::InvalidInput.because("a month has at most 10,000 manual lines").into());
            }
            let counted = Counted::of(tx, usage.provider, usage.period).await?;
            let mut lines: Vec<LineId> = Vec::new();
            for (at, input) in &inputs {
                let made = line(service, tx, &actor, &usage, &counted, input).await.map_err(|error| match error {
                    crate::Error::Problem(problem) => refused(*at, &problem.detail).into(),
                    other => other,
                })?;
                manual_line::insert(tx, usage.provider, usage.period, &made).await?;
                lines.push(made.id);
            }
            let body = json!({ "lines": lines.len(), "first": lines.first(), "period": usage.period });
            changed(service, tx, &actor, &mut usage, "usage.lines_imported", body).await?;
            idempotent::remember(tx, remember, &lines.len()).await?;
            Ok(lines.len())
        })
        .await
}

impl Known {
    async fn of(conn: &mut Conn, actor: &Actor, usage: &UsageRow) -> Result<Self> {
        let products = product::all(conn).await?;
        let counted = Counted::of(conn, usage.provider, usage.period).await?;
        let filter = company::Filter { site: actor.site, open: Some(true), ..company::Filter::default() };
        let (mut companies, mut after) = (Vec::new(), None);
        while companies.len() < MAX_COMPANIES {
            let page = company::page(conn, usage.provider, &filter, after, COMPANIES).await?;
            after = page.last().map(|row| row.id);
            let is_last = page.len() < COMPANIES as usize;
            companies.extend(page.into_iter().map(|row| (row.id, row.name)));
            if is_last {
                break;
            }
        }
        Ok(Self { products, companies, counted })
    }

    fn line(&self, actor: &Actor, row: &ImportRow) -> Result<NewManualLine, String> {
        let same = |known: &str, typed: &str| known.eq_ignore_ascii_case(typed.trim());
        let mut named = self.products.iter().filter(|product| {
            let full = format!("{} {}", product.name, product.edition);
            [product.code.as_str(), product.name.as_str(), full.trim_end()].iter().any(|name| same(name, &row.product))
        });
        let product = match (named.next(), named.next()) {
            (Some(found), None) => found,
            (None, _) => return Err(format!("there is no product {:?}", row.product.trim())),
            (Some(_), Some(_)) => return Err(format!("{:?} has several editions: name one", row.product.trim())),
        };
        let fits = |workload: &&product::WorkloadRow| {
            (same(&workload.code, &row.workload) || same(&workload.name, &row.workload))
                && same(&workload.variant, &row.variant)
        };
        let workload = self.counted.of_product(product.id).find(fits);
        let workload = workload.ok_or_else(|| {
            format!("{} does not count {:?}", product.name, format!("{} {}", row.workload, row.variant).trim())
        })?;
        let count = row.count.trim().parse();
        let company = match row.company.trim() {
            "" => None,
            typed => Some(self.company(typed)?),
        };
        let license = match row.license.trim() {
            "" => None,
            typed => {
                let id: LicenseId = typed.parse().map_err(|_| format!("{typed:?} is no license's id"))?;
                Some(id)
            }
        };
        let line = NewManualLine {
            product: product.id,
            workload: workload.code.clone(),
            variant: workload.variant.clone(),
            count: count.map_err(|_| format!("{:?} is no count", row.count.trim()))?,
            license,
            company,
            site: None,
        };
        self.counted.license(actor, &line).map_err(|problem| problem.detail.into_owned())?;
        Ok(line)
    }

    fn company(&self, typed: &str) -> Result<CompanyId, String> {
        let by_id: Option<CompanyId> = typed.parse().ok();
        let mut found =
            self.companies.iter().filter(|(id, name)| Some(*id) == by_id || name.eq_ignore_ascii_case(typed));
        match (found.next(), found.next()) {
            (Some((id, _)), None) => Ok(*id),
            (None, _) => Err(format!("there is no company {typed:?}")),
            (Some(_), Some(_)) => Err(format!("several companies are called {typed:?}: give its id")),
        }
    }
}
