//! The vendor's catalog: what is licensed and counted, and what a unit costs, now and from a future month on.

use axum::{extract::Path, http::StatusCode, response::Response};
use tenure_core::{Period, ProductId, roles::Action};
use tenure_service::{
    NewWeight, Paging, PreviewedMonth, ProblemKind, ProductDetail, ProgramChange, list_catalog, preview_program,
    set_weights, view_product, weights_may_hold_from,
};

use super::{ledger, said};
use crate::{
    format,
    pages::{
        Choice, Crumb, Desk, Notice, Said, Section,
        ledger::{Cell, Field, Form, Ledger, Table},
    },
    present,
    web::{Fields, Refused, Viewing, back_to, page, page_with},
};

/// Months that a preview shows.
const PREVIEWED: u32 = 20;

/// `GET /catalog`: the products with the weights of the running month.
pub(super) async fn list(viewing: Viewing, fields: Fields) -> Result<Response, Refused> {
    ledger::only(&viewing, &[Desk::Vendor])?;
    let catalog = list_catalog(&viewing.service, viewing.actor()).await?;
    let count = catalog.products.len();
    let tables = catalog.products.iter().map(|view| {
        let product = &view.product;
        let name = present::product(&product.name, &product.edition);
        let rows = view.workloads.iter().map(|(workload, weight)| {
            let code = [workload.code.as_str(), workload.variant.as_str()].join(" ");
            vec![
                Cell::link(&workload.name, format!("/catalog/{}", product.id)).small(code.trim_end()),
                Cell::new(weight),
            ]
        });
        let page = format!("/catalog/{}", product.id);
        let mut rows: Vec<Vec<Cell>> = rows.collect();
        if rows.is_empty() {
            rows.push(vec![Cell::link("Set what a unit costs", page).small("nothing is counted yet"), Cell::default()]);
        }
        let title = if product.withdrawn.is_some() { format!("{name}, withdrawn") } else { name };
        Table::new(&title, &["Workload type", "#Points per unit"], "").rows(rows)
    });
    let part = Ledger {
        said: said(&fields),
        title: "Catalog".to_owned(),
        section: Section::Catalog,
        crumbs: Vec::new(),
        say: if count == 0 {
            "There is no product yet. Products and their workload types are added over the provider API; what a unit costs \
             is set here then."
                .to_owned()
        } else {
            format!(
                "What is licensed, and what a unit costs in {}. A weight changes on the 1st of a future month only; open a \
             workload type to see its dates and to set the next.",
                format::month(catalog.period)
            )
        },
        sums: vec![("Products".to_owned(), count.to_string())],
        filter: None,
        tables: tables.collect(),
        forms: Vec::new(),
    };
    page(&viewing, part).await
}

/// `GET /catalog/{product}`: its dated weights; with `from`, `unit` and `weight`, what that change would do.
pub(super) async fn show(viewing: Viewing, Path(id): Path<String>, fields: Fields) -> Result<Response, Refused> {
    ledger::only(&viewing, &[Desk::Vendor])?;
    show_page(&viewing, &id, &fields, said(&fields), StatusCode::OK).await
}

/// `POST /catalog/{product}`: sets a weight from a future month on.
pub(super) async fn change(viewing: Viewing, Path(id): Path<String>, fields: Fields) -> Result<Response, Refused> {
    ledger::only(&viewing, &[Desk::Vendor])?;
    let done = async {
        let (from, weight) = wanted(&fields)?;
        let seen = ledger::seen(&fields)?;
        let key = fields.idempotency().ok();
        set_weights(&viewing.service, viewing.actor(), product(&id)?, seen, from, vec![weight], key).await?;
        Ok(back_to(&format!("/catalog/{id}"), Notice::WeightSet))
    };
    super::after(done.await, |said, status| show_page(&viewing, &id, &fields, said, status)).await
}

fn product(id: &str) -> Result<ProductId, Refused> {
    id.parse().map_err(|_| ProblemKind::NotFound.into())
}

fn wanted(fields: &Fields) -> Result<(Period, NewWeight), Refused> {
    let (workload, variant) = fields.get("unit").split_once('.').unwrap_or((fields.get("unit"), ""));
    let weight =
        NewWeight { workload: workload.to_owned(), variant: variant.to_owned(), weight: fields.read("weight")? };
    Ok((fields.read("from")?, weight))
}

async fn show_page(
    viewing: &Viewing,
    id: &str,
    fields: &Fields,
    said: Said,
    status: StatusCode,
) -> Result<Response, Refused> {
    let detail = view_product(&viewing.service, viewing.actor(), product(id)?).await?;
    let name = present::product(&detail.product.name, &detail.product.edition);
    let may = viewing.may(Action::ManageCatalog, false);
    let mut tables = vec![weights(&detail, Period::of(viewing.now))];
    let mut forms = Vec::new();
    let is_asked = !fields.get("weight").is_empty() && said.problem.is_none();
    let preview = if may && is_asked { Some(preview(viewing, id, fields).await) } else { None };
    let (mut said, mut status) = (said, status);
    match preview {
        Some(Ok(table)) => {
            tables.push(table);
            forms.push(commit(viewing, id, fields, &detail));
        }
        Some(Err(error)) => (said, status) = super::refused(error)?,
        None => {}
    }
    if may {
        forms.push(ask(id, fields, &detail, Period::of(viewing.now).next()));
    }
    let part = Ledger {
        said,
        title: name,
        section: Section::Catalog,
        crumbs: vec![Crumb::new("Catalog", "/catalog")],
        say: format!(
            "Code {}, version line {}. {}",
            detail.product.code,
            detail.product.version,
            if detail.product.reports {
                "Its installations report by themselves."
            } else {
                "Its usage is entered by hand."
            }
        ),
        sums: Vec::new(),
        filter: None,
        tables,
        forms,
    };
    page_with(viewing, status, part).await
}

fn weights(detail: &ProductDetail, now: Period) -> Table {
    let rows = detail.weights.iter().rev().map(|dated| {
        let mut workloads = detail.workloads.iter();
        let of = workloads.find(|row| row.code == dated.code && row.variant == dated.variant);
        let name = of.map_or(dated.code.as_str(), |row| row.name.as_str());
        let code = [dated.code.as_str(), dated.variant.as_str()].join(" ");
        let mut begun = detail.weights.iter().filter(|other| other.from <= now);
        let newest = begun.rfind(|other| other.code == dated.code && other.variant == dated.variant);
        let when = if dated.from > now {
            Cell::tag("To come", "warn")
        } else if newest == Some(dated) {
            Cell::tag("In force", "good")
        } else {
            Cell::tag("Before", "plain")
        };
        vec![
            Cell::new(name).small(code.trim_end()),
            Cell::new(format::month(dated.from)),
            Cell::new(dated.weight),
            when,
        ]
    });
    Table::new("Weights by date", &["Workload type", "From", "#Points per unit", "State"], "Nothing is counted yet.")
        .rows(rows)
}

async fn preview(viewing: &Viewing, id: &str, fields: &Fields) -> Result<Table, Refused> {
    let (from, weight) = wanted(fields)?;
    weights_may_hold_from(&viewing.service, from)?;
    let change = ProgramChange { weights: vec![(product(id)?, weight)], ..ProgramChange::default() };
    let paging = Paging { cursor: None, limit: Some(PREVIEWED) };
    let months = preview_program(&viewing.service, viewing.actor(), change, &paging).await?;
    Ok(previewed(&months.items, months.next.is_some()))
}

/// What a change would have done to the months that are open.
pub(super) fn previewed(months: &[PreviewedMonth], more: bool) -> Table {
    let rows = months.iter().map(|month| {
        let (before, after) = (&month.before, &month.after);
        let due = if before.due == after.due { "unchanged".to_owned() } else { format::last_minute(after.due) };
        vec![
            Cell::link(&month.provider.name, format!("/months/{}", month.id)).small(format::month(month.period)),
            Cell::new(format::column(before.reported)),
            Cell::new(format::column(after.reported)).small(format::points_change(after.reported - before.reported)),
            Cell::new(format::column(before.total)),
            Cell::new(format::column(after.total)).small(format::points_change(after.total - before.total)),
            Cell::new(after.flagged).small(if after.flagged == before.flagged { "" } else { "changed" }),
            Cell::new(due),
        ]
    });
    let title = if more {
        "Preview: the first open months, had it been in force"
    } else {
        "Preview: the open months, had it been in force"
    };
    let columns = ["Provider", "#Reported", "#would be", "#Total", "#would be", "#Flagged", "Deadline"];
    Table::new(title, &columns, "No month is open: the change touches nothing that is on its way.").rows(rows)
}

fn ask(id: &str, fields: &Fields, detail: &ProductDetail, next: Period) -> Form {
    let wanted = fields.get("unit");
    let units = detail.workloads.iter().map(|row| {
        let value = if row.variant.is_empty() { row.code.clone() } else { format!("{}.{}", row.code, row.variant) };
        let label = if row.variant.is_empty() { row.name.clone() } else { format!("{} ({})", row.name, row.variant) };
        Choice::new(value, label, wanted)
    });
    let from = if fields.get("from").is_empty() { next.to_string() } else { fields.get("from").to_owned() };
    Form {
        title: "Change a weight".to_owned(),
        say: "Look at what it would do first; nothing is changed before you confirm.".to_owned(),
        action: format!("/catalog/{id}"),
        is_get: true,
        fields: vec![
            Field::select("unit", "Workload type", units.collect()),
            Field::text("weight", "Points per unit", fields.get("weight")).hint("At most three decimals"),
            Field::month("from", "From the 1st of", from).hint("A future month"),
        ],
        button: "Preview".to_owned(),
        ..Form::default()
    }
}

fn commit(viewing: &Viewing, id: &str, fields: &Fields, detail: &ProductDetail) -> Form {
    let carried = ["unit", "weight", "from"].map(|name| Field::hidden(name, fields.get(name)));
    let own = [Field::hidden("tag", detail.tag()), Field::hidden("idempotency_key", viewing.fresh_key())];
    Form {
        title: "Confirm".to_owned(),
        say: format!(
            "{} points per unit from {} on. Months before keep their weight.",
            fields.get("weight"),
            fields.get("from")
        ),
        action: format!("/catalog/{id}"),
        fields: carried.into_iter().chain(own).collect(),
        button: "Set this weight".to_owned(),
        is_primary: true,
        ..Form::default()
    }
}
