//! Lists in pages: opaque cursors that only continue the list they came from (A7).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use tenure_core::OrgId;
use uuid::Uuid;

use crate::{ProblemKind, Result, Service};

/// Most items of one page.
pub const MAX_PAGE: u32 = 200;
/// Items of a page when nothing is asked for.
pub const DEFAULT_PAGE: u32 = 50;

const MAC: usize = 16;

/// Where a list goes on and how much is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Paging {
    /// The cursor of the page before; none for the first page.
    pub cursor: Option<String>,
    /// Items wanted, 1 to [`MAX_PAGE`]; none for [`DEFAULT_PAGE`].
    pub limit: Option<u32>,
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Cursor of the next page; none on the last.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// The same page of other items.
    pub fn map<U>(self, item: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(item).collect(), next: self.next }
    }
}

impl Paging {
    /// The wanted number of items.
    pub(crate) fn limit(&self) -> Result<u32> {
        match self.limit.unwrap_or(DEFAULT_PAGE) {
            limit @ 1..=MAX_PAGE => Ok(limit),
            _ => Err(ProblemKind::InvalidInput.because(format!("limit must be from 1 to {MAX_PAGE}")).into()),
        }
    }

    /// The position after which the list goes on. `query` names the list and its filters: a cursor of another list, or of
    /// another organization, is refused.
    pub(crate) fn after(&self, service: &Service, org: OrgId, query: &str) -> Result<Option<Uuid>> {
        Ok(self.after_wide::<16>(service, org, query)?.map(Uuid::from_bytes))
    }

    /// The same for lists whose positions are not ids.
    pub(crate) fn after_wide<const N: usize>(
        &self,
        service: &Service,
        org: OrgId,
        query: &str,
    ) -> Result<Option<[u8; N]>> {
        let Some(text) = &self.cursor else { return Ok(None) };
        let refused = || ProblemKind::InvalidInput.because("the cursor does not belong to this list");
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| refused())?;
        let (position, mac) = bytes.split_first_chunk::<N>().ok_or_else(refused)?;
        // A forged cursor would only show a place in the caller's own list, so comparing need not take constant time.
        if mac != mac_of(service, org, query, position) {
            return Err(refused().into());
        }
        Ok(Some(*position))
    }
}

/// The cursor that continues after a position of any width.
pub(crate) fn cursor_wide(service: &Service, org: OrgId, query: &str, position: &[u8]) -> String {
    let mac = mac_of(service, org, query, position);
    URL_SAFE_NO_PAD.encode([position, &mac].concat())
}

/// The cursor that continues after `position`.
pub(crate) fn cursor(service: &Service, org: OrgId, query: &str, position: Uuid) -> String {
    cursor_wide(service, org, query, position.as_bytes())
}

fn mac_of(service: &Service, org: OrgId, query: &str, position: &[u8]) -> [u8; MAC] {
    let length = [u8::try_from(position.len()).expect("a position is short")];
    let message = [org.uuid().as_bytes().as_slice(), &length, position, query.as_bytes()].concat();
    let full = service.keys().mac_of("cursor", &message);
    *full.first_chunk().expect("a MAC has 32 bytes")
}

/// Cuts a list that was read one item too long, and makes the cursor for the rest.
pub(crate) fn cut<T>(
    service: &Service,
    org: OrgId,
    query: &str,
    items: Vec<T>,
    limit: u32,
    position: impl Fn(&T) -> Uuid,
) -> Page<T> {
    cut_at(service, org, query, items, limit, |item| *position(item).as_bytes())
}

/// The same for lists whose positions are not ids.
pub(crate) fn cut_at<T, const N: usize>(
    service: &Service,
    org: OrgId,
    query: &str,
    mut items: Vec<T>,
    limit: u32,
    position: impl Fn(&T) -> [u8; N],
) -> Page<T> {
    let more = items.len() > limit as usize;
    items.truncate(limit as usize);
    let next = items.last().filter(|_| more).map(|last| cursor_wide(service, org, query, &position(last)));
    Page { items, next }
}
