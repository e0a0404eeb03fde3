//! Companies: a provider's customers.

use axum::response::Response;
use tenure_core::roles::Action;
use tenure_service::{CompanyFilter, MAX_PAGE, NewCompany, Paging, create_company, list_companies};

use super::said;
use crate::{
    pages::{Notice, Said, companies::Companies},
    present,
    web::{Fields, Refused, Viewing, back_to, page_with, refusal},
};

/// `GET /companies`.
pub(super) async fn list(viewing: Viewing, fields: Fields) -> Result<Response, Refused> {
    show(&viewing, &fields, said(&fields), axum::http::StatusCode::OK).await
}

/// `POST /companies`: adds one.
pub(super) async fn create(viewing: Viewing, fields: Fields) -> Result<Response, Refused> {
    let input = NewCompany { name: fields.get("name").to_owned(), site: None, ..NewCompany::default() };
    match create_company(&viewing.service, viewing.actor(), input, None).await.map_err(Refused::from) {
        Ok(_) => Ok(back_to("/companies", Notice::CompanyAdded)),
        Err(refused) if refused.is_for_the_form() => {
            let said = Said { notice: None, problem: Some(refusal(&refused.problem())) };
            show(&viewing, &fields, said, refused.status()).await
        }
        Err(refused) => Err(refused),
    }
}

async fn show(
    viewing: &Viewing,
    fields: &Fields,
    said: Said,
    status: axum::http::StatusCode,
) -> Result<Response, Refused> {
    let paging = Paging { cursor: present::cursor(fields), limit: Some(MAX_PAGE) };
    let companies = list_companies(&viewing.service, viewing.actor(), None, CompanyFilter::default(), &paging).await?;
    let part = Companies {
        said,
        name: fields.get("name").to_owned(),
        next: companies.next.map(|cursor| format!("/companies?after={cursor}")).unwrap_or_default(),
        rows: companies.items.into_iter().map(|row| (row.name, row.created)).collect(),
        may_add: viewing.may(Action::ManageCompanies, false),
    };
    page_with(viewing, status, part).await
}
