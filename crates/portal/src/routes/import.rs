//! Manual lines from a spreadsheet: pasted, looked at, then added all at once.

use axum::{extract::Path, http::StatusCode, response::Response};
use tenure_service::{ImportRow, ImportedRow, ProblemKind, import_manual_lines, preview_import, view_month};

use super::month::which;
use crate::{
    format,
    pages::{
        Crumb, Notice, Said, Section,
        ledger::{Cell, Field, Form, Ledger, Table},
    },
    present,
    web::{Fields, Refused, Viewing, back_to, page_with},
};

/// What a column may be called, and what it holds.
const COLUMNS: [(&str, &[&str]); 6] = [
    ("product", &["product", "product code"]),
    ("workload", &["workload", "workload type", "unit"]),
    ("variant", &["variant"]),
    ("company", &["company", "customer"]),
    ("license", &["license", "license id"]),
    ("count", &["count", "used", "quantity"]),
];
/// Rows that the preview shows; problems come first.
const SHOWN: usize = 200;

/// `GET /months/{month}/import`.
pub(super) async fn show(viewing: Viewing, Path(month): Path<String>) -> Result<Response, Refused> {
    show_page(&viewing, &month, "", None, Said::default(), StatusCode::OK).await
}

/// `POST /months/{month}/import`: the preview, or with `confirm` the lines.
pub(super) async fn import(viewing: Viewing, Path(month): Path<String>, fields: Fields) -> Result<Response, Refused> {
    let text = fields.get("text").to_owned();
    let done = async {
        let rows = read(&text)?;
        if fields.is_set("confirm") {
            let once = Some(fields.idempotency()?);
            import_manual_lines(&viewing.service, viewing.actor(), which(&month)?, rows, once).await?;
            return Ok(back_to(&format!("/months/{month}?show=all"), Notice::ManualImported));
        }
        let found = preview_import(&viewing.service, viewing.actor(), which(&month)?, rows).await?;
        show_page(&viewing, &month, &text, Some(found), Said::default(), StatusCode::OK).await
    };
    super::after(done.await, |said, status| show_page(&viewing, &month, &text, None, said, status)).await
}

/// Reads rows of comma, semicolon or tab separated values under a line of column names.
fn read(text: &str) -> Result<Vec<ImportRow>, Refused> {
    let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let (_, head) = lines.next().unwrap_or_default();
    let separator = ['\t', ';', ','].into_iter().max_by_key(|mark| head.matches(*mark).count()).unwrap_or(',');
    let columns = columns(&split(head, separator))?;
    let row = |(at, line): (usize, &str)| {
        let cells = split(line, separator);
        let cell = |wanted: &str| {
            let at = columns.iter().position(|name| *name == Some(wanted));
            at.and_then(|at| cells.get(at)).cloned().unwrap_or_default()
        };
        ImportRow {
            at: at + 1,
            product: cell("product"),
            workload: cell("workload"),
            variant: cell("variant"),
            company: cell("company"),
            license: cell("license"),
            count: cell("count"),
        }
    };
    Ok(lines.map(row).collect())
}

/// What each column holds; none where its name is empty. A name that is not known is refused: a column of customers that
/// went unread would book their usage on the provider itself.
fn columns(names: &[String]) -> Result<Vec<Option<&'static str>>, Refused> {
    let refused = |words: String| Err(ProblemKind::InvalidInput.because(words).into());
    let mut columns = Vec::new();
    for name in names.iter().map(|name| name.trim()) {
        let found = COLUMNS.iter().find(|(_, known)| known.contains(&name.to_lowercase().as_str()));
        match found.map(|(column, _)| *column) {
            None if name.is_empty() => columns.push(None),
            None => {
                let known = COLUMNS.map(|(column, _)| column).join(", ");
                return refused(format!("the column \"{name}\" is not known: call it one of {known}, or take it out"));
            }
            Some(column) if columns.contains(&Some(column)) => {
                return refused(format!("two columns hold the {column}: take out \"{name}\" or the other"));
            }
            column => columns.push(column),
        }
    }
    for needed in ["product", "workload", "count"] {
        if !columns.contains(&Some(needed)) {
            return refused(format!(
                "the first line must name the columns product, workload and count; {needed} is missing"
            ));
        }
    }
    Ok(columns)
}

/// Cells of a line; in quotes a separator is text, and two quotes are one. An apostrophe that guards a formula falls off.
fn split(line: &str, separator: char) -> Vec<String> {
    let (mut cells, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    let mut chars = line.chars().peekable();
    while let Some(character) = chars.next() {
        match character {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' => quoted = !quoted,
            mark if mark == separator && !quoted => cells.push(std::mem::take(&mut cell)),
            other => cell.push(other),
        }
    }
    cells.push(cell);
    let plain = |cell: &String| {
        let cell = cell.trim();
        let guarded = cell.strip_prefix('\'').filter(|rest| rest.starts_with(['=', '+', '-', '@']));
        guarded.unwrap_or(cell).to_owned()
    };
    cells.iter().map(plain).collect()
}

async fn show_page(
    viewing: &Viewing,
    month: &str,
    text: &str,
    found: Option<Vec<ImportedRow>>,
    said: Said,
    status: StatusCode,
) -> Result<Response, Refused> {
    let view = view_month(&viewing.service, viewing.actor(), which(month)?).await?;
    if !present::month::may(viewing, &view).edit {
        return Err(ProblemKind::NotFound.into());
    }
    let here = format!("/months/{month}/import");
    let period = format::month(view.head.period);
    let mut forms = Vec::new();
    let mut tables = Vec::new();
    let mut sums = Vec::new();
    let mut say = format!(
        "Paste rows from a spreadsheet for {period}, with the column names in the first line: product, workload, count, \
         and where needed variant, company, license. Nothing is added before you have seen what the rows become."
    );
    if let Some(found) = &found {
        let wrong = found.iter().filter(|row| row.line.is_err()).count();
        sums = vec![("Rows".to_owned(), found.len().to_string()), ("To mend".to_owned(), wrong.to_string())];
        tables.push(preview(found));
        if wrong > 0 {
            "Some rows cannot be added: mend them below and look again. Nothing is added before all fit."
                .clone_into(&mut say);
        } else if !found.is_empty() {
            say = format!("All rows fit. They are added to {period} together.");
            forms.push(Form {
                title: "Confirm".to_owned(),
                say: "All rows are added, or none.".to_owned(),
                action: here.clone(),
                fields: vec![
                    Field::hidden("text", text),
                    Field::hidden("confirm", "true"),
                    Field::hidden("idempotency_key", viewing.fresh_key()),
                ],
                button: format!("Add {} line{}", found.len(), if found.len() == 1 { "" } else { "s" }),
                is_primary: true,
                ..Form::default()
            });
        }
    }
    forms.push(Form {
        title: "Rows".to_owned(),
        action: here,
        fields: vec![
            Field::lines("text", "Comma, semicolon or tab separated", text)
                .hint("Example: product,workload,company,count — then a row each. At most 1,000 rows."),
        ],
        button: "Preview".to_owned(),
        ..Form::default()
    });
    let part = Ledger {
        said,
        title: "Import manual lines".to_owned(),
        section: Section::Actions,
        crumbs: vec![Crumb::new("Monthly Usages", "/months"), Crumb::new(period, format!("/months/{month}"))],
        say,
        sums,
        filter: None,
        tables,
        forms,
    };
    page_with(viewing, status, part).await
}

fn preview(found: &[ImportedRow]) -> Table {
    let mut ordered: Vec<&ImportedRow> = found.iter().collect();
    ordered.sort_by_key(|imported| (imported.line.is_ok(), imported.row.at));
    let rows = ordered.into_iter().take(SHOWN).map(|imported| {
        let row = &imported.row;
        vec![
            Cell::new(row.at),
            Cell::new(&row.product),
            Cell::new(format!("{} {}", row.workload, row.variant).trim_end()),
            Cell::new(if row.company.is_empty() { "the provider itself" } else { row.company.as_str() }),
            Cell::new(&row.count),
            match &imported.line {
                Ok(_) => Cell::tag("Fits", "good"),
                Err(words) => Cell::tag("Mend", "bad").small(format::sentence(words)),
            },
        ]
    });
    let title = if found.len() > SHOWN { "Preview, the first 200 rows" } else { "Preview" };
    let columns = ["Row", "Product", "Workload type", "Company", "#Count", "State"];
    Table::new(title, &columns, "There is no row below the column names.").rows(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_as_spreadsheets_write_them() {
        let text =
            "Customer;Product;Workload;Used\n\"Contoso; AG\";monitoring;monitored;7\n\n'=A1;\"a \"\"b\"\"\";x;1\n";
        let rows = read(text).expect("rows");
        assert_eq!(rows.len(), 2);
        assert_eq!((rows[0].company.as_str(), rows[0].count.as_str()), ("Contoso; AG", "7"));
        assert_eq!((rows[1].company.as_str(), rows[1].product.as_str()), ("=A1", "a \"b\""));
        assert_eq!((rows[0].at, rows[1].at), (2, 4), "the lines of the text");
        assert!(read("product,count\nx,1").is_err(), "a column is missing");
    }

    #[test]
    fn a_column_that_is_not_known_or_is_there_twice_is_refused() {
        let why = |head: &str| {
            let text = format!("{head}\nmonitoring,monitored,7,Contoso");
            read(&text).err().map(|refused| refused.problem().detail.into_owned()).unwrap_or_default()
        };
        assert!(why("product,workload,count,Kunde").contains("\"Kunde\" is not known"));
        assert!(why("product,workload,count,Used").contains("two columns hold the count"));
        assert_eq!(why("product,workload,count,Customer"), "");
        assert_eq!(why("product,workload,count,"), "", "what spreadsheets put at the end");
    }
}
