//! Enrollment in automatic reporting: the provider asks, the vendor decides ("Automatic reporting").

use tenure_core::{OrgId, Timestamp, reporting::Enrollment, roles::Action};
use tenure_store::{
    Conn, Queue, Tx,
    rows::{
        enrollment::{self, EnrollmentRow, EnrollmentState},
        org,
    },
};

use crate::{
    Actor, Error, Idempotency, ProblemKind, Result, Service,
    authorize::{at_home, at_provider, provider_meant},
    change, checks,
    idempotent::{self, Begun},
};

/// Longest reason, in characters.
const MAX_REASON: usize = 1_000;

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
    at_home(&mut read, actor, Action::View).await?;
    if crate::authorize::kind_of(&mut read, actor).await? != tenure_core::roles::OrgKind::Vendor {
        return Err(ProblemKind::Forbidden.into());
    }
    let mut views = Vec::new();
    for row in enrollment::in_state(&mut read, EnrollmentState::Requested, None, 1_000).await? {
        views.push(view(&mut read, row.provider).await?);
    }
    Ok(views)
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
            let body = serde_json::json!({ "provider": provider });
            // The vendor is told: it has to decide.
            tx.outbox(tenure_store::Message {
                aggregate: provider.to_string(),
                kind: "enrollment.to_decide",
                to: vendor.to_string(),
                body: body.clone(),
                at: now,
            });
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
