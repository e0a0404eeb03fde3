//! Enrollment in automatic reporting: the provider asks, the vendor decides ("Automatic reporting").

use tenure_core::{OrgId, Timestamp, reporting::Enrollment, roles::Action};
use tenure_store::rows::enrollment::EnrollmentState;
use tenure_store::{
    Conn, Queue, Tx,
    rows::{
        enrollment::{self, EnrollmentRow},
        month, org,
    },
};

use crate::{
    Actor, Error, Idempotency, Page, Paging, ProblemKind, Result, Service,
    authorize::{at_home, at_provider, provider_meant},
    change, checks,
    idempotent::{self, Begun},
    month::Who,
    page,
};

/// Longest reason, in characters.
const MAX_REASON: usize = 1_000;
/// Most changes of one enrollment that are shown.
const MAX_CHANGES: u32 = 200;

/// A provider's enrollment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrollmentView {
    /// Whose.
    pub provider: OrgId,
    /// Its name.
    pub provider_name: String,
    /// Where it stands.
    pub enrollment: Enrollment,
    /// Since when; none when it was never asked for.
    pub changed: Option<Timestamp>,
}

/// The vendor's word on a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Products may report by themselves.
    Approve,
    /// They may not, for this reason.
    Decline(String),
}

/// A stored enrollment in the words of core.
pub(crate) fn of_row(row: Option<&EnrollmentRow>) -> Enrollment {
    match row {
        None => Enrollment::NotRequested,
        Some(row) => match row.state {
            EnrollmentState::Requested => Enrollment::Requested,
            EnrollmentState::Active => Enrollment::Active,
            EnrollmentState::Declined => Enrollment::Declined { reason: row.reason.clone() },
        },
    }
}

/// Where a provider's enrollment stands.
pub(crate) async fn find(conn: &mut Conn, provider: OrgId) -> Result<Enrollment> {
    Ok(of_row(enrollment::find(conn, provider).await?.as_ref()))
}

/// A provider's enrollment (the actor's own where none is named).
pub async fn view_enrollment(service: &Service, actor: &Actor, provider: Option<OrgId>) -> Result<EnrollmentView> {
    let provider = provider_meant(actor, provider);
    let mut read = service.store().read().await?;
    at_provider(&mut read, actor, provider, Action::View).await?;
    view(&mut read, provider).await
}

/// The enrollments that wait for the vendor's decision, at most 1,000.
pub async fn list_enrollment_requests(service: &Service, actor: &Actor) -> Result<Vec<EnrollmentView>> {
    let mut read = service.store().read().await?;
    vendor_only(&mut read, actor).await?;
    let mut views = Vec::new();
    for row in enrollment::in_state(&mut read, EnrollmentState::Requested, None, 1_000).await? {
        views.push(view(&mut read, row.provider).await?);
    }
    Ok(views)
}

/// What a list of enrollments is narrowed to.
pub type EnrollmentFilter = EnrollmentState;

/// One change of an enrollment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrollmentChange {
    /// When.
    pub at: Timestamp,
    /// `requested`, `withdrawn`, `active`, `declined`.
    pub state: String,
    /// The vendor's reason, where there is one.
    pub reason: String,
    /// Who; a person of the vendor is named to the provider as the vendor.
    pub by: Who,
}

/// All enrollments, or those in one state, by provider; for the vendor.
pub async fn list_enrollments(
    service: &Service,
    actor: &Actor,
    state: Option<EnrollmentFilter>,
    paging: &Paging,
) -> Result<Page<EnrollmentView>> {
    let limit = paging.limit()?;
    let query = format!("enrollments {state:?}");
    let after = paging.after(service, actor.org, &query)?.map(OrgId::from_uuid);
    let mut read = service.store().read().await?;
    vendor_only(&mut read, actor).await?;
    let rows = enrollment::page(&mut read, state, after, limit + 1).await?;
    let views = rows.into_iter().map(|(row, provider_name)| EnrollmentView {
        provider: row.provider,
        provider_name,
        enrollment: of_row(Some(&row)),
        changed: Some(row.changed),
    });
    Ok(page::cut(service, actor.org, &query, views.collect(), limit, |view| view.provider.uuid()))
}

async fn vendor_only(conn: &mut Conn, actor: &Actor) -> Result<()> {
    at_home(conn, actor, Action::View).await?;
    if crate::authorize::kind_of(conn, actor).await? != tenure_core::roles::OrgKind::Vendor {
        return Err(ProblemKind::Forbidden.into());
    }
    Ok(())
}

/// What became of a provider's enrollment (the actor's own where none is named), oldest first, at most 200 changes.
pub async fn enrollment_history(
    service: &Service,
    actor: &Actor,
    provider: Option<OrgId>,
) -> Result<Vec<EnrollmentChange>> {
    let provider = provider_meant(actor, provider);
    let mut read = service.store().read().await?;
    at_provider(&mut read, actor, provider, Action::View).await?;
    let rows = enrollment::changes(&mut read, provider, MAX_CHANGES).await?;
    let mut ids: Vec<uuid::Uuid> = rows.iter().map(|row| row.by).filter(|id| !id.is_nil()).collect();
    ids.sort_unstable();
    ids.dedup();
    let names = if ids.is_empty() { Vec::new() } else { month::names(&mut read, &ids).await? };
    let names = names.into_iter().collect();
    let of_vendor = |row: &enrollment::ChangeRow| matches!(row.state.as_str(), "active" | "declined");
    let change = |row: enrollment::ChangeRow| EnrollmentChange {
        by: if of_vendor(&row) {
            Who { id: row.by, name: service.deployment().vendor_name.clone() }
        } else {
            crate::month::who(&names, row.by)
        },
        at: row.at,
        state: row.state,
        reason: row.reason,
    };
    Ok(rows.into_iter().map(change).collect())
}

/// Takes the actor's own open request back.
pub async fn withdraw_enrollment(
    service: &Service,
    actor: &Actor,
    idempotency: Option<Idempotency>,
) -> Result<EnrollmentView> {
    let (provider, now, acting) = (actor.org, service.now(), actor.clone());
    let vendor = service.deployment().vendor;
    service
        .store()
        .write(Queue::People, async move |tx| {
            at_provider(tx, &acting, provider, Action::RequestEnrollment).await?;
            let operation = "enrollment.withdraw";
            let begun: Begun<()> = idempotent::begin(tx, &acting, operation, idempotency.as_ref(), now).await?;
            let Begun::Do(remember) = begun else { return Ok(()) };
            of_row(enrollment::lock(tx, provider).await?.as_ref()).withdraw().map_err(refused)?;
            if !enrollment::withdraw(tx, provider).await? {
                return Err(Error::Internal("a locked request is gone"));
            }
            note(tx, provider, &acting, "withdrawn", "", now).await?;
            let body = serde_json::json!({ "provider": provider });
            change::tell(tx, vendor, "enrollment.withdrawn", provider.to_string(), now, body.clone());
            change::by(tx, &acting, provider, "enrollment.withdrawn", provider.to_string(), now, body);
            idempotent::remember(tx, remember, &()).await
        })
        .await?;
    let mut read = service.store().peek().await?;
    view(&mut read, provider).await
}

async fn note(tx: &mut Tx, provider: OrgId, actor: &Actor, state: &str, reason: &str, now: Timestamp) -> Result<()> {
    let change =
        enrollment::ChangeRow { at: now, state: state.to_owned(), reason: reason.to_owned(), by: actor.principal() };
    Ok(enrollment::note(tx, provider, &change).await?)
}

/// Asks for automatic reporting for the actor's own organization.
pub async fn request_enrollment(
    service: &Service,
    actor: &Actor,
    requirements_confirmed: bool,
    idempotency: Option<Idempotency>,
) -> Result<EnrollmentView> {
    let (provider, now, acting) = (actor.org, service.now(), actor.clone());
    let vendor = service.deployment().vendor;
    service
        .store()
        .write(Queue::People, async move |tx| {
            at_provider(tx, &acting, provider, Action::RequestEnrollment).await?;
            let begun: Begun<()> =
                idempotent::begin(tx, &acting, "enrollment.request", idempotency.as_ref(), now).await?;
            let Begun::Do(remember) = begun else { return Ok(()) };
            let current = of_row(enrollment::lock(tx, provider).await?.as_ref());
            current.request(requirements_confirmed).map_err(refused)?;
            put(tx, provider, EnrollmentState::Requested, String::new(), now).await?;
            note(tx, provider, &acting, "requested", "", now).await?;
            let body = serde_json::json!({ "provider": provider });
            // The vendor is told: it has to decide.
            change::tell(tx, vendor, "enrollment.to_decide", provider.to_string(), now, body.clone());
            change::by(tx, &acting, provider, "enrollment.requested", provider.to_string(), now, body);
            idempotent::remember(tx, remember, &()).await
        })
        .await?;
    let mut read = service.store().peek().await?;
    view(&mut read, provider).await
}

/// Decides on a provider's request; for the vendor's administrator.
pub async fn decide_enrollment(
    service: &Service,
    actor: &Actor,
    provider: OrgId,
    decision: Decision,
    idempotency: Option<Idempotency>,
) -> Result<EnrollmentView> {
    if let Decision::Decline(reason) = &decision {
        checks::text("reason", reason, MAX_REASON)?;
    }
    let (now, acting) = (service.now(), actor.clone());
    service
        .store()
        .write(Queue::People, async move |tx| {
            at_provider(tx, &acting, provider, Action::ManageProgram).await?;
            let operation = "enrollment.decide";
            let begun: Begun<()> = idempotent::begin(tx, &acting, operation, idempotency.as_ref(), now).await?;
            let Begun::Do(remember) = begun else { return Ok(()) };
            let current = of_row(enrollment::lock(tx, provider).await?.as_ref());
            let next = match &decision {
                Decision::Approve => current.approve(),
                Decision::Decline(reason) => current.decline(reason),
            }
            .map_err(refused)?;
            let (state, reason, verb) = match next {
                Enrollment::Declined { reason } => (EnrollmentState::Declined, reason, "enrollment.declined"),
                _ => (EnrollmentState::Active, String::new(), "enrollment.approved"),
            };
            put(tx, provider, state, reason.clone(), now).await?;
            let word = if state == EnrollmentState::Active { "active" } else { "declined" };
            note(tx, provider, &acting, word, &reason, now).await?;
            let body = serde_json::json!({ "provider": provider, "reason": reason });
            change::by(tx, &acting, provider, verb, provider.to_string(), now, body);
            idempotent::remember(tx, remember, &()).await
        })
        .await?;
    let mut read = service.store().peek().await?;
    view(&mut read, provider).await
}

fn refused(refusal: tenure_core::reporting::EnrollmentRefusal) -> Error {
    use tenure_core::reporting::EnrollmentRefusal as R;
    match refusal {
        R::NotConfirmed | R::ReasonMissing => ProblemKind::InvalidInput.because(refusal.to_string()).into(),
        R::AlreadyRequested | R::AlreadyActive | R::NotRequested => {
            ProblemKind::EnrollmentState.because(refusal.to_string()).into()
        }
    }
}

async fn put(tx: &mut Tx, provider: OrgId, state: EnrollmentState, reason: String, now: Timestamp) -> Result<()> {
    Ok(enrollment::put(tx, &EnrollmentRow { provider, state, reason, changed: now }).await?)
}

async fn view(conn: &mut Conn, provider: OrgId) -> Result<EnrollmentView> {
    let org = org::find(conn, provider).await?.ok_or(ProblemKind::NotFound)?;
    let row = enrollment::find(conn, provider).await?;
    Ok(EnrollmentView {
        provider,
        provider_name: org.name,
        enrollment: of_row(row.as_ref()),
        changed: row.map(|row| row.changed),
    })
}

/// What an enrollment means for its provider, in one sentence.
pub fn enrollment_text(view: &EnrollmentView) -> String {
    match &view.enrollment {
        Enrollment::NotRequested => {
            "Usage is submitted by hand. Ask for automatic reporting, and products may report by themselves.".to_owned()
        }
        Enrollment::Requested => "Usage is submitted by hand until the vendor has decided.".to_owned(),
        Enrollment::Active => "Products may report by themselves; each license can be switched on.".to_owned(),
        Enrollment::Declined { reason } => format!("The vendor declined: {reason} Usage is submitted by hand."),
    }
}
