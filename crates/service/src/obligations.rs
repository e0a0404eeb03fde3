//! What installations owe, a month each, and settling it (F2).

use tenure_core::{InstallationId, OrgId, Period, roles::Action};
use tenure_store::rows::obligation;
pub use tenure_store::rows::obligation::{OwedFilter, OwedRow};

use crate::{
    Actor, Answer, MonthRef, Page, Paging, Result, Service, answer_installation,
    authorize::{at_provider, provider_meant},
    page,
};

/// A month that an installation owes or owed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObligationView {
    /// What the rows say.
    pub row: OwedRow,
    /// Something accounts for it: its report, an answer, a line entered by hand, or a submission that took it.
    pub is_accounted: bool,
    /// It is so old that no license for the same company and product is created.
    pub blocks: bool,
}

impl ObligationView {
    /// What accounts for it, in one word: `report`, `answer`, `line`, `submitted`, or nothing.
    pub fn by(&self) -> Option<&'static str> {
        match &self.row {
            row if row.resolved.is_some() => Some("submitted"),
            row if row.reported => Some("report"),
            row if row.answered => Some("answer"),
            row if row.by_hand => Some("line"),
            _ => None,
        }
    }
}

/// What a provider's installations owe (the actor's own organization where none is named), newest month first. Nothing that
/// happens to a license or an installation takes a month from this list.
pub async fn list_obligations(
    service: &Service,
    actor: &Actor,
    provider: Option<OrgId>,
    filter: OwedFilter,
    paging: &Paging,
) -> Result<Page<ObligationView>> {
    let limit = paging.limit()?;
    let provider = provider_meant(actor, provider);
    let filter = OwedFilter { site: actor.site, ..filter };
    let query = format!("obligations {provider} {filter:?}");
    let after = paging.after_wide::<20>(service, actor.org, &query)?.map(position);
    let mut read = service.store().read().await?;
    at_provider(&mut read, actor, provider, Action::View).await?;
    let rows = obligation::page(&mut read, provider, filter, after, limit + 1).await?;
    let more = rows.len() > limit as usize;
    let items: Vec<ObligationView> = rows.into_iter().take(limit as usize).map(|row| view(service, row)).collect();
    let next = items.last().filter(|_| more).map(|last| {
        let (period, id) = (last.row.period.index().to_be_bytes(), last.row.installation.uuid());
        page::cursor_wide(service, actor.org, &query, &[period.as_slice(), id.as_bytes()].concat())
    });
    Ok(Page { items, next })
}

fn position(bytes: [u8; 20]) -> (Period, InstallationId) {
    let (period, id) = bytes.split_at(4);
    let period = Period::from_index(i32::from_be_bytes(period.try_into().expect("4 of 20 bytes")));
    (period, InstallationId::from_uuid(uuid::Uuid::from_slice(id).expect("16 of 20 bytes")))
}

fn view(service: &Service, row: OwedRow) -> ObligationView {
    let is_accounted = row.resolved.is_some() || row.reported || row.answered || row.by_hand;
    let oldest = (!is_accounted).then_some(row.period);
    let blocks = tenure_core::obligation::blocks_new_license(oldest, service.now(), service.policy());
    ObligationView { row, is_accounted, blocks }
}

/// Settles what an installation owes for a month of the actor's own organization, as in the month's review: with figures,
/// with what its weekly figures reached, or with zero. Possible while the month is open for changes; submitting it takes
/// the answer for good.
pub async fn resolve_obligation(
    service: &Service,
    actor: &Actor,
    period: Period,
    installation: InstallationId,
    answer: Answer,
) -> Result<()> {
    answer_installation(service, actor, MonthRef::Own(period), installation, answer).await
}
