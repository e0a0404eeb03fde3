//! Installations as their provider sees them: what each is, how it is, and what to do about it.

use tenure_core::{
    CompanyId, InstallationId, LicenseId, OrgId, Period, ProductId, SiteId, Timestamp,
    health::{self, HealthFacts, SILENT_HOURS, Trouble},
    roles::Action,
};
use tenure_license::HostFacts;
pub use tenure_store::rows::server::ServerRow;
use tenure_store::{
    Conn,
    rows::{
        chain, installation, month,
        rejoin::{self, RejoinRow},
        server::{self, ServerFilter},
    },
};

use uuid::Uuid;

use crate::{
    Actor, Error, Page, Paging, ProblemKind, Result, Service,
    authorize::{at_provider, provider_meant, sees_site},
    month::Who,
    page,
};

/// Installations looked through for one page when a filter needs each one's health.
const MAX_SCAN: u32 = 2_000;
/// Installations read at once then.
const SCAN_STEP: u32 = 250;
/// Installations looked through for those in trouble, when they are to come first.
const MAX_LOOK: u32 = 1_000;

/// What a list of installations is narrowed to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct InstallationFilter {
    /// The license it holds.
    pub license: Option<LicenseId>,
    /// The company that holds the license.
    pub company: Option<CompanyId>,
    /// The product.
    pub product: Option<ProductId>,
    /// The site the license belongs to.
    pub site: Option<SiteId>,
    /// Only those that are retired, or only those that are not.
    pub retired: Option<bool>,
    /// Only those with something to look at.
    pub preset: Option<HealthPreset>,
    /// Those that are in trouble come first, as far as the newest 1,000 installations show it.
    pub troubled_first: bool,
}

/// What to look for among installations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HealthPreset {
    /// Not heard for 48 hours.
    Silent,
    /// The month that ended is not reported, and nothing was heard since, or its time is over.
    WillMissReport,
    /// Two machines speak as one.
    Clone,
    /// Came back from an earlier state too often.
    RejoinsOften,
    /// Anything that is more than a note.
    Troubled,
}

impl HealthPreset {
    fn fits(self, view: &ServerView) -> bool {
        let any = |fits: &dyn Fn(&Trouble) -> bool| view.troubles.iter().any(fits);
        match self {
            // The statement looked for it.
            Self::Silent => true,
            Self::WillMissReport => {
                any(&|trouble| matches!(trouble, Trouble::WillMissReport { .. } | Trouble::ReportMissing { .. }))
            }
            Self::Clone => any(&|trouble| matches!(trouble, Trouble::Clone | Trouble::CloneSplit)),
            Self::RejoinsOften => any(&|trouble| matches!(trouble, Trouble::RejoinsOften { .. })),
            Self::Troubled => any(&|trouble| !trouble.is_note()),
        }
    }
}

/// An installation and how it is.
#[derive(Debug, Clone)]
pub struct ServerView {
    /// What the rows say.
    pub row: ServerRow,
    /// What to look at, the worst first.
    pub troubles: Vec<Trouble>,
    /// *Update now* was asked for and it has not checked in since.
    pub is_asked: bool,
}

impl ServerView {
    /// The one line of a list: the worst there is, if any.
    pub fn worst(&self) -> Option<&Trouble> {
        self.troubles.first()
    }
    /// In one word: `retired`, `clone`, `trouble`, `note`, `healthy`.
    pub fn word(&self) -> &'static str {
        match self.worst() {
            _ if self.row.retired.is_some() => "retired",
            None => "healthy",
            Some(Trouble::Clone) => "clone",
            Some(worst) if worst.is_note() => "note",
            Some(_) => "trouble",
        }
    }
}

/// One installation with its past.
#[derive(Debug, Clone)]
pub struct InstallationDetail {
    /// It, and how it is.
    pub view: ServerView,
    /// When it came back from elsewhere, newest first, with what both sides told of their hosts.
    pub rejoins: Vec<RejoinView>,
    /// The installation that took over from it.
    pub replaced_by: Option<InstallationId>,
    /// When another key showed the code that made it (A1): somebody else may hold that code.
    pub code_shown_again: Option<Timestamp>,
}

/// A return to the chain from elsewhere.
#[derive(Debug, Clone)]
pub struct RejoinView {
    /// When.
    pub at: Timestamp,
    /// `server_restored`, `clone`, `set_back`.
    pub class: String,
    /// The side that was left behind, and when it spoke last.
    pub left: (HostFacts, Timestamp),
    /// The side that came back.
    pub came: HostFacts,
    /// Whether both tell the same machine id; none where one of them tells none.
    pub same_machine: Option<bool>,
    /// When it was settled, by whom, and how: `one_machine`, `split`, `noted`.
    pub resolved: Option<(Timestamp, Who, String)>,
}

/// A provider's installations (the actor's own organization where none is named), newest first.
pub async fn list_installations(
    service: &Service,
    actor: &Actor,
    provider: Option<OrgId>,
    filter: InstallationFilter,
    paging: &Paging,
) -> Result<Page<ServerView>> {
    if filter.troubled_first && filter.preset.is_none() {
        return troubled_first(service, actor, provider, filter, paging).await;
    }
    let limit = paging.limit()?;
    let provider = provider_meant(actor, provider);
    let query = format!("installations {provider} {filter:?}");
    let mut after = paging.after(service, actor.org, &query)?.map(InstallationId::from_uuid);
    let mut read = service.store().read().await?;
    at_provider(&mut read, actor, provider, Action::View).await?;
    if actor.site.is_some() && filter.site.is_some() && actor.site != filter.site {
        return Ok(Page { items: Vec::new(), next: None });
    }
    let now = service.now();
    let stored = stored(actor, filter, now);
    let (mut items, mut scanned) = (Vec::new(), 0);
    let step = if filter.preset.is_some() { SCAN_STEP.max(limit + 1) } else { limit + 1 };
    while items.len() <= limit as usize && scanned < MAX_SCAN {
        let rows = server::page(&mut read, provider, stored, after, step).await?;
        let exhausted = rows.len() < step as usize;
        scanned += rows.len() as u32;
        after = rows.last().map(|row| row.id).or(after);
        let views = rows.into_iter().map(|row| view(service, row, now));
        items.extend(views.filter(|view| filter.preset.is_none_or(|preset| preset.fits(view))));
        if exhausted || items.len() > limit as usize {
            return Ok(page::cut(service, actor.org, &query, items, limit, |view| view.row.id.uuid()));
        }
    }
    let next = after.map(|after| page::cursor(service, actor.org, &query, after.uuid()));
    Ok(Page { items, next })
}

fn stored(actor: &Actor, filter: InstallationFilter, now: Timestamp) -> ServerFilter {
    let silent = filter.preset == Some(HealthPreset::Silent);
    ServerFilter {
        site: actor.site.or(filter.site),
        license: filter.license,
        company: filter.company,
        product: filter.product,
        // Who asks for what is wrong does not mean what is gone.
        retired: filter.retired.or(filter.preset.map(|_| false)),
        silent_since: silent.then(|| now.plus_secs(-3_600 * SILENT_HOURS)),
    }
}

/// Where a list with those in trouble first goes on.
#[derive(Debug, Clone, Copy)]
struct Place {
    /// Those in trouble are through.
    rest: bool,
    /// The last one seen.
    after: Uuid,
    /// Those in trouble down to here came first; below it they stand in their places.
    down_to: Uuid,
}

impl Place {
    fn read(bytes: [u8; 33]) -> Self {
        let id = |at: usize| Uuid::from_slice(&bytes[at..at + 16]).expect("16 bytes");
        Self { rest: bytes[0] == 1, after: id(1), down_to: id(17) }
    }
    fn written(self) -> [u8; 33] {
        let mut bytes = [0; 33];
        bytes[0] = u8::from(self.rest);
        bytes[1..17].copy_from_slice(self.after.as_bytes());
        bytes[17..].copy_from_slice(self.down_to.as_bytes());
        bytes
    }
}

/// Those in trouble, newest first, then the others, newest first. What is in trouble is only known when it is looked at, so
/// at most [`MAX_LOOK`] are looked at for it; one in trouble further down stands in its place.
async fn troubled_first(
    service: &Service,
    actor: &Actor,
    provider: Option<OrgId>,
    filter: InstallationFilter,
    paging: &Paging,
) -> Result<Page<ServerView>> {
    let limit = paging.limit()? as usize;
    let provider = provider_meant(actor, provider);
    let query = format!("installations {provider} {filter:?}");
    let begin = Place { rest: false, after: Uuid::max(), down_to: Uuid::nil() };
    let mut place = paging.after_wide::<33>(service, actor.org, &query)?.map_or(begin, Place::read);
    let mut read = service.store().read().await?;
    at_provider(&mut read, actor, provider, Action::View).await?;
    if actor.site.is_some() && filter.site.is_some() && actor.site != filter.site {
        return Ok(Page { items: Vec::new(), next: None });
    }
    let now = service.now();
    let stored = stored(actor, filter, now);
    let is_troubled = |view: &ServerView| view.row.retired.is_none() && HealthPreset::Troubled.fits(view);
    let mut items: Vec<ServerView> = Vec::new();
    let mut scanned = 0;
    loop {
        let after = InstallationId::from_uuid(place.after);
        let rows = server::page(&mut read, provider, stored, Some(after), SCAN_STEP).await?;
        let exhausted = rows.len() < SCAN_STEP as usize;
        scanned += rows.len() as u32;
        for row in rows {
            let view = view(service, row, now);
            let id = view.row.id.uuid();
            let came_first = is_troubled(&view) && id >= place.down_to;
            if came_first != place.rest {
                if items.len() == limit {
                    let next = page::cursor_wide(service, actor.org, &query, &place.written());
                    return Ok(Page { items, next: Some(next) });
                }
                items.push(view);
            }
            place.after = id;
        }
        match place.rest {
            false if exhausted => place = Place { rest: true, after: Uuid::max(), down_to: Uuid::nil() },
            false if scanned >= MAX_LOOK => place = Place { rest: true, after: Uuid::max(), down_to: place.after },
            true if exhausted => return Ok(Page { items, next: None }),
            true if scanned >= 2 * MAX_SCAN => {
                let next = page::cursor_wide(service, actor.org, &query, &place.written());
                return Ok(Page { items, next: Some(next) });
            }
            _ => {}
        }
    }
}

/// One installation of a provider (the actor's own organization where none is named).
pub async fn view_installation(
    service: &Service,
    actor: &Actor,
    provider: Option<OrgId>,
    id: InstallationId,
) -> Result<InstallationDetail> {
    let provider = provider_meant(actor, provider);
    let mut read = service.store().read().await?;
    at_provider(&mut read, actor, provider, Action::View).await?;
    let row = server::find(&mut read, provider, id).await?.filter(|row| sees_site(actor, row.site));
    let row = row.ok_or(ProblemKind::NotFound)?;
    let rejoins = rejoins(&mut read, provider, id).await?;
    let replaced_by = installation::successor(&mut read, provider, id).await?;
    let code_shown_again = installation::code_refused(&mut read, id).await?;
    Ok(InstallationDetail { view: view(service, row, service.now()), rejoins, replaced_by, code_shown_again })
}

/// An installation of the actor's own organization, its chain locked, for a change.
pub(crate) async fn lock_mine(tx: &mut tenure_store::Tx, actor: &Actor, id: InstallationId) -> Result<ServerRow> {
    at_provider(tx, actor, actor.org, Action::ManageLicenses).await?;
    chain::lock_many(tx, &[id]).await?;
    let row = server::find(tx, actor.org, id).await?.filter(|row| sees_site(actor, row.site));
    Ok(row.ok_or(ProblemKind::NotFound)?)
}

fn view(service: &Service, row: ServerRow, now: Timestamp) -> ServerView {
    let shadowed = row.shadow.is_some_and(|period| period == Period::of(now).prev());
    let facts = HealthFacts {
        activated: row.activated,
        retired: row.retired.is_some(),
        license_ended: row.license_ended.is_some(),
        clone: row.status == "suspended_clone",
        split: row.split.is_some(),
        seen: row.seen,
        skew_secs: row.skew_us / 1_000_000,
        rejoined: row.rejoins.iter().copied().map(Timestamp::from_micros).collect(),
        host_returns: row.host_returns.iter().copied().map(Timestamp::from_micros).collect(),
        is_current: row.shown >= row.issued,
        updates_itself: row.auto_update,
        reports: row.product_reports && (!row.reporting.is_by_hand() || shadowed),
        last_report: row.last_report.map(|(period, _)| period),
        expires: row.expires,
        sharing: row.sharing,
    };
    let is_asked = row.asked.is_some_and(|asked| asked > row.seen) && row.retired.is_none();
    ServerView { troubles: health::troubles(&facts, now, service.policy()), is_asked, row }
}

async fn rejoins(conn: &mut Conn, provider: OrgId, id: InstallationId) -> Result<Vec<RejoinView>> {
    let rows = rejoin::of_installation(conn, provider, id, KEPT_REJOINS).await?;
    let mut ids: Vec<Uuid> = rows.iter().filter_map(|row| row.resolved.as_ref()).map(|(_, by, _)| *by).collect();
    ids.retain(|id| !id.is_nil());
    let names = if ids.is_empty() { Vec::new() } else { month::names(conn, &ids).await? };
    let names = names.into_iter().collect();
    rows.into_iter().map(|row| rejoin_view(row, &names)).collect()
}

/// How many returns of an installation are kept: as many as superseded tips (X9).
pub(crate) const KEPT_REJOINS: u32 = tenure_core::chain::MAX_SUPERSEDED as u32;

fn rejoin_view(row: RejoinRow, names: &std::collections::HashMap<uuid::Uuid, String>) -> Result<RejoinView> {
    let host = |text: &str| -> Result<HostFacts> {
        serde_json::from_str(text).map_err(|_| Error::Internal("stored host facts cannot be read"))
    };
    let (left, came) = (host(&row.left_host)?, host(&row.host)?);
    let same_machine = left.machine.zip(came.machine).map(|(left, came)| left == came);
    Ok(RejoinView {
        at: row.at,
        class: row.class,
        left: (left, row.left_at),
        came,
        same_machine,
        resolved: row.resolved.map(|(at, by, how)| (at, crate::month::who(names, by), how)),
    })
}
