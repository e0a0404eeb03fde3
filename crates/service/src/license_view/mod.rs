//! Licenses as their provider sees them: what each is worth, until when, and why.

mod types;

use std::collections::{BTreeMap, BTreeSet};

use tenure_core::{
    CompanyId, LicenseId, OrgId, Period, TemplateId, Timestamp,
    reporting::{self, AutomaticReporting, Enrollment, ToggleFacts},
    roles::Action,
    validity::{self, LicenseState, Validity, contiguous, key_points, twelve_months},
};
use tenure_store::{
    Conn,
    rows::{
        chain, installation,
        license::{self, LicenseRow},
        product::{self, WorkloadRow},
        template::{self, Filter, TemplateRow},
    },
};

pub use tenure_core::validity::MonthMark;
pub use types::*;

use crate::{
    Actor, Error, Page, Paging, ProblemKind, Result, Service,
    authorize::{at_provider, provider_meant, sees_site},
    enrollment,
    issue::{self, Around},
    license_shadow, page, reporting_switch,
    suspension::suspended,
};

/// Templates looked through for one page when a filter needs each one's state.
const MAX_SCAN: u32 = 2_000;
/// Templates read at once then: what they need besides is asked for all of them together.
const SCAN_STEP: u32 = 250;

/// A provider's licenses (the actor's own organization where none is named), newest first.
pub async fn list_licenses(
    service: &Service,
    actor: &Actor,
    provider: Option<OrgId>,
    filter: LicenseFilter,
    paging: &Paging,
) -> Result<Page<LicenseView>> {
    let limit = paging.limit()?;
    let provider = provider_meant(actor, provider);
    let query = format!("licenses {provider} {filter:?}");
    let mut after = paging.after(service, actor.org, &query)?.map(TemplateId::from_uuid);
    let mut read = service.store().read().await?;
    at_provider(&mut read, actor, provider, Action::View).await?;
    let viewer = Viewer::of(service, &mut read, provider).await?;
    if actor.site.is_some() && filter.site.is_some() && actor.site != filter.site {
        return Ok(Page { items: Vec::new(), next: None });
    }
    let stored = Filter {
        site: actor.site.or(filter.site),
        company: filter.company,
        product: filter.product,
        usage_type: filter.usage_type,
        assigned: filter.assigned,
        of_company: filter.holder.map(|holder| holder == HolderFilter::Company),
    };
    let (mut items, mut scanned) = (Vec::new(), 0);
    // One more than the page shows that there is another. State and reporting follow from dates, so they are looked at
    // here; a bound on the scan keeps a rare state from reading everything, and the cursor goes on where it stopped.
    let step = if filter.is_computed() { SCAN_STEP.max(limit + 1) } else { limit + 1 };
    while items.len() <= limit as usize && scanned < MAX_SCAN {
        let rows = template::page(&mut read, provider, stored, after, step).await?;
        let exhausted = rows.len() < step as usize;
        scanned += rows.len() as u32;
        after = rows.last().map(|row| row.id).or(after);
        items.extend(views(service, &mut read, &viewer, rows).await?.into_iter().filter(|view| filter.fits(view)));
        if exhausted {
            return Ok(page::cut(service, actor.org, &query, items, limit, |view| view.template.uuid()));
        }
    }
    if items.len() > limit as usize {
        return Ok(page::cut(service, actor.org, &query, items, limit, |view| view.template.uuid()));
    }
    let next = after.map(|after| page::cursor(service, actor.org, &query, after.uuid()));
    Ok(Page { items, next })
}

/// What a provider's company holds, newest first, at most a page of it.
pub(crate) async fn of_company(
    service: &Service,
    conn: &mut Conn,
    provider: OrgId,
    company: CompanyId,
) -> Result<Vec<LicenseView>> {
    let viewer = Viewer::of(service, conn, provider).await?;
    let stored = Filter { company: Some(company), assigned: Some(true), ..Filter::default() };
    let rows = template::page(conn, provider, stored, None, page::MAX_PAGE).await?;
    views(service, conn, &viewer, rows).await
}

/// One license with its installations, oldest first, retired ones included.
pub async fn view_license(
    service: &Service,
    actor: &Actor,
    provider: Option<OrgId>,
    key: LicenseKey,
) -> Result<(LicenseView, Vec<InstallationView>)> {
    let provider = provider_meant(actor, provider);
    let mut read = service.store().read().await?;
    at_provider(&mut read, actor, provider, Action::View).await?;
    let asked = match key {
        LicenseKey::Template(_) => None,
        LicenseKey::License(id) => Some(license::find(&mut read, provider, id).await?.ok_or(ProblemKind::NotFound)?),
    };
    let id = match (key, &asked) {
        (LicenseKey::Template(id), _) => id,
        (LicenseKey::License(_), Some(row)) => row.template,
        (LicenseKey::License(_), None) => return Err(ProblemKind::NotFound.into()),
    };
    let row = template::find(&mut read, provider, id).await?.filter(|row| sees_site(actor, row.site));
    let mut row = row.ok_or(ProblemKind::NotFound)?;
    if let Some(asked) = &asked {
        row.license = Some(asked.id);
    }
    let viewer = Viewer::of(service, &mut read, provider).await?;
    let license = row.license;
    let view = views(service, &mut read, &viewer, vec![row]).await?.pop();
    let view = view.ok_or(Error::Internal("a view of one license is none"))?;
    let installations = match license {
        Some(license) => installations(&mut read, provider, license).await?,
        None => Vec::new(),
    };
    Ok((view, installations))
}

/// The number of months reports have to be looked at is bounded by the license's life; pages show at most so many.
const MAX_MONTHS: usize = 36;

/// What holds for all licenses of a provider.
struct Viewer {
    provider: OrgId,
    enrollment: Enrollment,
    suspended: bool,
    now: Timestamp,
}

impl Viewer {
    async fn of(service: &Service, conn: &mut Conn, provider: OrgId) -> Result<Self> {
        Ok(Self {
            provider,
            enrollment: enrollment::find(conn, provider).await?,
            suspended: suspended(service, conn, provider, service.now()).await?,
            now: service.now(),
        })
    }
}

impl LicenseFilter {
    /// Whether it asks for what no statement can, so that more is read than is shown.
    fn is_computed(&self) -> bool {
        self.state.is_some() || self.reporting.is_some() || self.expires_before.is_some() || self.automatic.is_some()
    }

    fn fits(&self, view: &LicenseView) -> bool {
        let state = match view.life.as_ref().map(|life| life.state) {
            None => StateFilter::Template,
            Some(LicenseState::Valid) => StateFilter::Valid,
            Some(LicenseState::Expiring { .. }) => StateFilter::Expiring,
            Some(LicenseState::Expired { .. }) => StateFilter::Expired,
            Some(LicenseState::Restricted) => StateFilter::Restricted,
        };
        let before = |end: Timestamp| view.life.as_ref().is_some_and(|life| life.expires < end);
        self.state.is_none_or(|wanted| wanted == state)
            && self.reporting.is_none_or(|wanted| wanted == view.reporting)
            && self.expires_before.is_none_or(before)
            && self.automatic.is_none_or(|wanted| wanted == view.reporting.extends())
    }
}

async fn views(
    service: &Service,
    conn: &mut Conn,
    viewer: &Viewer,
    templates: Vec<TemplateRow>,
) -> Result<Vec<LicenseView>> {
    let ids: Vec<LicenseId> = templates.iter().filter_map(|row| row.license).collect();
    let mut licenses: BTreeMap<LicenseId, LicenseRow> =
        license::find_many(conn, viewer.provider, &ids).await?.into_iter().map(|row| (row.id, row)).collect();
    let mut rows = Vec::with_capacity(templates.len());
    for template in templates {
        let license = template.license.and_then(|id| licenses.remove(&id));
        if template.license.is_some() && license.is_none() {
            return Err(Error::Internal("a template of no license"));
        }
        rows.push((template, license));
    }
    // What a template would be if it were assigned has all that the pages ask of a license but its life.
    let nobody = LicenseId::from_uuid(uuid::Uuid::nil());
    let as_license = |(template, license): &(TemplateRow, Option<LicenseRow>)| {
        license.clone().unwrap_or_else(|| template::assignment(template, nobody, None, viewer.now))
    };
    let all: Vec<LicenseRow> = rows.iter().map(as_license).collect();
    let around = Around::of(conn, viewer.provider, &all, Period::of(viewer.now)).await?;
    let active = license::active_installations(conn, viewer.provider, &ids).await?;
    let mut names = BTreeMap::new();
    for product in all.iter().map(|row| row.product).collect::<BTreeSet<_>>() {
        names.insert(product, product::workloads(conn, product).await?);
    }
    let mut views = Vec::with_capacity(rows.len());
    for ((template, license), row) in rows.iter().zip(&all) {
        let waiting_for = match license {
            Some(license) if license.reporting.is_switching() => waiting_for(conn, license).await?,
            _ => Vec::new(),
        };
        let workloads = workloads(&around, row, names.get(&row.product).map_or(&[], Vec::as_slice))?;
        let agreement = around.agreement(row)?;
        let facts = ToggleFacts {
            agreement: agreement.kind,
            usage_type: row.usage_type,
            enrollment: &viewer.enrollment,
            suspended: viewer.suspended,
        };
        views.push(LicenseView {
            provider: viewer.provider,
            template: template.id,
            license: license.as_ref().map(|row| row.id),
            agreement: agreement.id,
            agreement_number: agreement.number.clone(),
            product: around.product(row)?.0.clone(),
            usage_type: row.usage_type,
            description: row.description.clone(),
            site: row.site,
            company: around.company(row)?,
            points: key_points(workloads.iter().map(|each| each.points).sum()),
            workloads,
            life: license.as_ref().map(|row| life(service, viewer, &around, row)).transpose()?,
            reporting: match license {
                Some(license) => license.reporting,
                None => of_template(template, &facts),
            },
            toggle_refusal: reporting::toggle_refusal(&facts),
            waiting_for,
            shadow: license.as_ref().and_then(|row| license_shadow::running(row, viewer.now)),
            active_installations: license.as_ref().and_then(|row| active.get(&row.id)).copied().unwrap_or(0),
            created: template.created,
        });
    }
    Ok(views)
}

/// What the next assignment of a template starts with.
fn of_template(template: &TemplateRow, facts: &ToggleFacts<'_>) -> AutomaticReporting {
    match reporting::initial(false, facts) {
        Ok(fixed) if fixed != AutomaticReporting::Off => fixed,
        _ if template.automatic => AutomaticReporting::On,
        _ => AutomaticReporting::Off,
    }
}

fn workloads(around: &Around, row: &LicenseRow, known: &[WorkloadRow]) -> Result<Vec<WorkloadView>> {
    let (_, weights) = around.product(row)?;
    row.workloads
        .iter()
        .map(|each| {
            let key = (each.workload.clone(), each.variant.clone());
            let weight = *weights.get(&key).ok_or(Error::Internal("a workload type without a weight"))?;
            let of_catalog = known.iter().find(|row| row.code == each.workload && row.variant == each.variant);
            let of_catalog = of_catalog.ok_or(Error::Internal("a licensed workload type is unknown"))?;
            Ok(WorkloadView {
                workload: key.0,
                variant: key.1,
                name: of_catalog.name.clone(),
                unit: of_catalog.unit.clone(),
                count: each.count,
                weight,
                points: weight.times(i64::from(each.count)),
            })
        })
        .collect()
}

fn life(service: &Service, viewer: &Viewer, around: &Around, row: &LicenseRow) -> Result<Life> {
    let policy = service.policy();
    let expires = around.expires_at(service, row)?;
    let end = around.agreement(row)?.end().floor_to_second();
    let earned = issue::validity(row)?.expires_at(around.reported(row), None, policy);
    let cut_by_agreement = earned > end;
    let reported: BTreeSet<Period> = around.reported(row).collect();
    let anchor = row.anchor.filter(|_| row.reporting.extends() && row.ended.is_none());
    let (because, months) = match (row.ended, issue::validity(row)?) {
        (Some(at), _) => (Because::Ended { at }, Vec::new()),
        (None, Validity::Explicit { .. }) => (Because::Chosen { cut_by_agreement }, Vec::new()),
        (None, Validity::Automatic { anchor }) => {
            let run = contiguous(anchor, around.reported(row));
            let because = Because::Reported {
                anchor,
                count: run.count,
                through: run.through,
                next: run.next,
                gap: run.gap,
                cut_by_agreement,
            };
            (because, months(anchor, viewer.now, &reported))
        }
    };
    Ok(Life {
        state: validity::state_at(viewer.now, expires, policy.grace_days, policy),
        expires,
        restricted: expires.plus_days(i64::from(policy.grace_days)),
        assigned: row.assigned,
        because,
        months,
        twelve: twelve_months(anchor, &reported, viewer.now),
    })
}

fn months(anchor: Timestamp, now: Timestamp, reported: &BTreeSet<Period>) -> Vec<LifeMonth> {
    let (first, running) = (Period::of(anchor), Period::of(now));
    let all: Vec<LifeMonth> = (first.index()..=running.index())
        .map(Period::from_index)
        .map(|period| LifeMonth { period, is_reported: reported.contains(&period), is_open: period == running })
        .collect();
    all[all.len().saturating_sub(MAX_MONTHS)..].to_vec()
}

async fn waiting_for(conn: &mut Conn, row: &LicenseRow) -> Result<Vec<WaitingServer>> {
    let progress = reporting_switch::progress(conn, row).await?;
    let mut servers = Vec::new();
    for shown in progress.waiting_for {
        let found = installation::find(conn, row.provider, shown.installation).await?;
        servers.push(WaitingServer {
            id: shown.installation,
            name: found.map(|row| row.name).unwrap_or_default(),
            updates_itself: shown.automatic_update,
        });
    }
    Ok(servers)
}

async fn installations(conn: &mut Conn, provider: OrgId, license: LicenseId) -> Result<Vec<InstallationView>> {
    let mut views = Vec::new();
    for row in installation::of_license(conn, provider, license).await? {
        let chain = chain::find(conn, row.id).await?.ok_or(Error::Internal("an installation without a chain"))?;
        views.push(InstallationView {
            id: row.id,
            name: row.name,
            product_version: row.product_version,
            agent_version: row.agent_version,
            activated: row.activated,
            seen: chain.seen,
            status: chain.status,
            updates_itself: row.auto_update,
            shown: chain.shown,
            issued: chain.issued,
            retired: row.retired,
        });
    }
    Ok(views)
}
