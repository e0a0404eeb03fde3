//! Companies: a provider's customers.

use axum::{extract::Path, http::StatusCode, response::Response};
use tenure_core::{CompanyId, SiteId, roles::Action};
use tenure_service::{
    CompanyChange, CompanyFilter, CompanyKind, ContentTag, IfMatch, MAX_PAGE, NewCompany, Paging, ProblemKind,
    company_tag, create_company, edit_company, list_companies, list_viewers, view_company,
};

use super::{
    said,
    settings::{site_choices, site_name, sites},
};
use crate::{
    pages::{
        Choice, Desk, Notice, Said,
        companies::{Companies, Company, CompanyRow, ViewerRow},
    },
    present,
    web::{Fields, Refused, Viewing, back_to, page_with},
};

/// Kinds: word in the form, words on the page.
const KINDS: [(CompanyKind, &str, &str); 2] =
    [(CompanyKind::Customer, "customer", "Customer"), (CompanyKind::Reseller, "reseller", "Reseller")];

/// `GET /companies`.
pub(super) async fn list(viewing: Viewing, fields: Fields) -> Result<Response, Refused> {
    show(&viewing, &fields, said(&fields), StatusCode::OK).await
}

/// `POST /companies`: adds one.
pub(super) async fn create(viewing: Viewing, fields: Fields) -> Result<Response, Refused> {
    let done = async {
        let (name, site) = (fields.get("name").to_owned(), fields.read_or_none("site")?);
        let input = NewCompany { name, site, kind: kind_of(&fields).unwrap_or_default(), reseller: None };
        Ok(create_company(&viewing.service, viewing.actor(), input, None).await?)
    };
    let done: Result<_, Refused> = done.await;
    match done {
        Ok(_) => Ok(back_to("/companies", Notice::CompanyAdded)),
        Err(error) => {
            let (said, status) = super::refused(error)?;
            show(&viewing, &fields, said, status).await
        }
    }
}

fn kind_of(fields: &Fields) -> Option<CompanyKind> {
    let sent = fields.get("kind");
    KINDS.into_iter().find(|(_, word, _)| *word == sent).map(|(kind, ..)| kind)
}

fn kinds(wanted: &str) -> Vec<Choice> {
    KINDS.into_iter().map(|(_, word, label)| Choice::new(word, label, wanted)).collect()
}

async fn show(viewing: &Viewing, fields: &Fields, said: Said, status: StatusCode) -> Result<Response, Refused> {
    let find = fields.get("find").to_owned();
    let paging = Paging { cursor: present::cursor(fields), limit: Some(MAX_PAGE) };
    let filter = CompanyFilter { name: Some(find.clone()).filter(|find| !find.is_empty()), ..CompanyFilter::default() };
    let companies = list_companies(&viewing.service, viewing.actor(), None, filter, &paging).await?;
    let sites = sites(viewing).await?;
    let next = |cursor: String| {
        let pairs = [("find", find.as_str()), ("after", cursor.as_str())];
        format!("/companies?{}", present::query(pairs.into_iter().filter(|(_, value)| !value.is_empty())))
    };
    let part = Companies {
        said,
        name: fields.get("name").to_owned(),
        kinds: kinds(fields.get("kind")),
        sites: site_choices(&sites, "No site", fields.get("site")),
        next: companies.next.map(next).unwrap_or_default(),
        rows: companies.items.iter().map(|each| row(viewing, each, &sites)).collect(),
        may_add: viewing.may(Action::ManageCompanies, false),
        find,
    };
    page_with(viewing, status, part).await
}

/// Most companies that a form offers.
const MOST: usize = 10_000;

/// The provider's companies to choose from: all, or those that are open or closed.
pub(super) async fn every(viewing: &Viewing, open: Option<bool>) -> Result<Vec<tenure_service::CompanyRow>, Refused> {
    let filter = CompanyFilter { open, ..CompanyFilter::default() };
    let (mut rows, mut cursor) = (Vec::new(), None);
    while rows.len() < MOST {
        let paging = Paging { cursor, limit: Some(MAX_PAGE) };
        let page = list_companies(&viewing.service, viewing.actor(), None, filter.clone(), &paging).await?;
        rows.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    Ok(rows)
}

fn row(viewing: &Viewing, company: &tenure_service::CompanyRow, sites: &[(SiteId, String)]) -> CompanyRow {
    let may = viewing.desk() == Desk::Provider && viewing.may(Action::ManageCompanies, false);
    let kind = KINDS.into_iter().find(|(kind, ..)| *kind == company.kind);
    CompanyRow {
        href: if may { format!("/companies/{}", company.id) } else { String::new() },
        licenses: format!("/licenses?company={}", company.id),
        name: company.name.clone(),
        kind: kind.map_or("", |(.., label)| label),
        site: site_name(sites, company.site),
        added: company.created,
        closed: company.closed,
    }
}

/// `GET /companies/{id}`: for who may change it.
pub(super) async fn one(viewing: Viewing, Path(id): Path<String>, fields: Fields) -> Result<Response, Refused> {
    show_one(&viewing, parse(&id)?, said(&fields), StatusCode::OK).await
}

fn parse(id: &str) -> Result<CompanyId, Refused> {
    id.parse().map_err(|_| ProblemKind::NotFound.into())
}

pub(super) async fn show_one(
    viewing: &Viewing,
    id: CompanyId,
    said: Said,
    status: StatusCode,
) -> Result<Response, Refused> {
    if viewing.desk() != Desk::Provider || !viewing.may(Action::ManageCompanies, false) {
        return Err(ProblemKind::NotFound.into());
    }
    let company = view_company(&viewing.service, viewing.actor(), None, id).await?;
    let sites = sites(viewing).await?;
    let kind = KINDS.into_iter().find(|(kind, ..)| *kind == company.kind).map_or("", |(_, word, _)| word);
    let site = company.site.map(|site| site.to_string()).unwrap_or_default();
    let part = Company {
        said,
        row: row(viewing, &company, &sites),
        kinds: kinds(kind),
        sites: site_choices(&sites, "No site", &site),
        saw: company_tag(&company).to_string(),
        viewers: viewers(viewing, id).await?,
        idempotency_key: viewing.fresh_key(),
    };
    page_with(viewing, status, part).await
}

/// Its viewers, for who manages people.
async fn viewers(viewing: &Viewing, id: CompanyId) -> Result<Option<Vec<ViewerRow>>, Refused> {
    if !viewing.may(Action::ManagePeople, false) {
        return Ok(None);
    }
    let rows = list_viewers(&viewing.service, viewing.actor(), id).await?;
    let row = |row: tenure_service::ViewerRow| ViewerRow {
        href: format!("/settings/people/{}", row.person),
        name: row.name,
        email: row.email,
        ended: row.disabled,
    };
    Ok(Some(rows.into_iter().map(row).collect()))
}

/// `POST /companies/{id}`: name, kind and site. What the form does not carry stays.
pub(super) async fn edit(viewing: Viewing, Path(id): Path<String>, fields: Fields) -> Result<Response, Refused> {
    let id = parse(&id)?;
    let done = async {
        let saw: ContentTag = fields.read("saw")?;
        let sent_site = fields.0.iter().any(|(name, _)| name == "site");
        let change = CompanyChange {
            name: Some(fields.get("name").to_owned()),
            kind: kind_of(&fields),
            site: if sent_site { Some(fields.read_or_none("site")?) } else { None },
            ..CompanyChange::default()
        };
        edit_company(&viewing.service, viewing.actor(), id, IfMatch::Tag(saw), change).await?;
        Ok(())
    };
    after(&viewing, id, done.await).await
}

/// `POST /companies/{id}/open`: closes it, or opens it again.
pub(super) async fn open(viewing: Viewing, Path(id): Path<String>, fields: Fields) -> Result<Response, Refused> {
    let id = parse(&id)?;
    let change = CompanyChange { open: Some(fields.is_set("open")), ..CompanyChange::default() };
    let done = edit_company(&viewing.service, viewing.actor(), id, IfMatch::Any, change).await;
    after(&viewing, id, done.map(|_| ()).map_err(Refused::from)).await
}

async fn after(viewing: &Viewing, id: CompanyId, done: Result<(), Refused>) -> Result<Response, Refused> {
    match done {
        Ok(()) => Ok(back_to(&format!("/companies/{id}"), Notice::CompanyChanged)),
        Err(error) => {
            let (said, status) = super::refused(error)?;
            show_one(viewing, id, said, status).await
        }
    }
}
