//! Lists: what is asked for, all rows of a use case, and the page of them that fits.

use std::future::Future;

use axum::{
    Json,
    extract::{FromRequestParts, Query},
    http::request::Parts,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};
use tenure_service::{MAX_PAGE, Page, Paging, Result as Served};

use crate::{error::Refusal, filter::Filter, order::Order, select::Select};

/// Rows of a page where nothing is asked for.
const DEFAULT_LIMIT: usize = 100;
/// Most rows of a page.
const MAX_LIMIT: usize = 500;
/// Most rows a list is made of; a filter judges them all.
const MAX_ROWS: usize = 50_000;

#[derive(Deserialize)]
struct Asked {
    filter: Option<String>,
    sort: Option<String>,
    limit: Option<String>,
    offset: Option<String>,
    select: Option<String>,
}

/// The query of a list.
pub(crate) struct Listing {
    filter: Filter,
    order: Order,
    limit: usize,
    offset: usize,
    select: Select,
}

impl<S: Send + Sync> FromRequestParts<S> for Listing {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let Query(asked) =
            Query::<Asked>::try_from_uri(&parts.uri).map_err(|error| Refusal::invalid(error.body_text()))?;
        let number = |name: &str, text: Option<String>, otherwise: usize| match text {
            None => Ok(otherwise),
            Some(text) => text.parse().map_err(|_| Refusal::invalid(format!("`{name}` must be a whole number"))),
        };
        let limit = number("limit", asked.limit, DEFAULT_LIMIT)?;
        if limit > MAX_LIMIT {
            return Err(Refusal::invalid(format!("`limit` must be at most {MAX_LIMIT}")));
        }
        Ok(Self {
            filter: Filter::parse(asked.filter.as_deref())?,
            order: Order::parse(asked.sort.as_deref())?,
            limit,
            offset: number("offset", asked.offset, 0)?,
            select: Select::parse(asked.select.as_deref())?.for_client(&parts.headers),
        })
    }
}

impl Listing {
    /// The page that is asked for, of all rows there are.
    pub(crate) fn of(&self, rows: Vec<Value>) -> Response {
        let mut rows: Vec<Value> = rows.into_iter().filter(|row| self.filter.fits(row)).collect();
        self.order.apply(&mut rows);
        let total = rows.len();
        self.answer(rows.into_iter().skip(self.offset).take(self.limit), total)
    }

    /// What rows have to be made of, where making one is dear: the page's, in the list's own order, where neither a filter
    /// nor an order has to see all of them first. With how many there are in all; none where rows decide that.
    pub(crate) fn narrowed<T>(&self, all: Vec<T>) -> (Vec<T>, Option<usize>) {
        if !self.filter.is_empty() || !self.order.is_empty() {
            return (all, None);
        }
        let total = all.len();
        (all.into_iter().skip(self.offset).take(self.limit).collect(), Some(total))
    }

    /// The answer of rows made of what [`Self::narrowed`] left.
    pub(crate) fn page(&self, rows: Vec<Value>, total: Option<usize>) -> Response {
        match total {
            Some(total) => self.answer(rows.into_iter(), total),
            None => self.of(rows),
        }
    }

    fn answer(&self, page: impl Iterator<Item = Value>, total: usize) -> Response {
        let page: Vec<Value> = page.map(|row| self.select.of(row)).collect();
        let paging = json!({ "total": total, "count": page.len(), "offset": self.offset });
        Json(json!({ "data": page, "meta": { "pagingInfo": paging }, "errors": [] })).into_response()
    }
}

/// `select` alone, of operations that answer with one thing.
pub(crate) struct Selected(pub(crate) Select);

impl<S: Send + Sync> FromRequestParts<S> for Selected {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let Query(asked) =
            Query::<Asked>::try_from_uri(&parts.uri).map_err(|error| Refusal::invalid(error.body_text()))?;
        Ok(Self(Select::parse(asked.select.as_deref())?.for_client(&parts.headers)))
    }
}

/// All items of a use case that answers in pages.
pub(crate) async fn all<T, F: Future<Output = Served<Page<T>>>>(
    mut page: impl FnMut(Paging) -> F,
) -> Result<Vec<T>, Refusal> {
    let (mut items, mut cursor) = (Vec::new(), None);
    loop {
        let next = page(Paging { cursor, limit: Some(MAX_PAGE) }).await?;
        items.extend(next.items);
        cursor = next.next;
        if cursor.is_none() {
            return Ok(items);
        }
        if items.len() >= MAX_ROWS {
            let words =
                format!("this list has more than {MAX_ROWS} rows; use the provider API, which answers in pages");
            return Err(Refusal::invalid(words));
        }
    }
}
