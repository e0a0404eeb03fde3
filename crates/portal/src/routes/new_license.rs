//! New License Key. What was typed travels in the address; nothing is stored before *Create*.

mod draft;

pub(super) use draft::word_of;

use axum::{http::StatusCode, response::Response};
use tenure_core::{
    Day, UsageType,
    reporting::{AutomaticReporting, ToggleFacts, initial, toggle_refusal},
    validity,
};
use tenure_service::{
    AgreementView, MAX_PAGE, Paging, ProblemKind, ProductView, create_license, list_agreements, list_catalog,
    preview_points, view_enrollment,
};

use self::draft::Draft;
use super::licenses::companies;
use crate::{
    pages::{
        Choice, Notice,
        new_license::{Info, NewLicense, Summary, SummaryRow, SummaryValidity, WizardStep, WorkloadField, Workloads},
        problem::Refusal,
    },
    present,
    web::{Fields, Refused, Viewing, back_to, count_field, page_with, refusal},
    words,
};

/// What the wizard offers: the provider's agreements, the catalog, its companies.
struct Offer {
    agreements: Vec<AgreementView>,
    products: Vec<ProductView>,
    companies: Vec<(String, String)>,
}

impl Offer {
    async fn load(viewing: &Viewing) -> Result<Self, Refused> {
        let (service, actor) = (&viewing.service, viewing.actor());
        let paging = Paging { cursor: None, limit: Some(MAX_PAGE) };
        let mut agreements = list_agreements(service, actor, &paging).await?.items;
        agreements.retain(|view| view.agreement.end() > viewing.now);
        Ok(Self {
            agreements,
            products: list_catalog(service, actor).await?.products,
            companies: companies(viewing, Some(true)).await?,
        })
    }

    fn agreement(&self, draft: &Draft) -> Option<&AgreementView> {
        self.agreements.iter().find(|view| view.agreement.id.to_string() == draft.agreement)
    }
    fn product(&self, draft: &Draft) -> Option<&ProductView> {
        self.products.iter().find(|view| view.product.id.to_string() == draft.product)
    }
}

/// `GET /licenses/new`: License Info.
pub(super) async fn info(viewing: Viewing, fields: Fields) -> Result<Response, Refused> {
    let offer = Offer::load(&viewing).await?;
    let draft = if fields.0.is_empty() { Draft::first() } else { Draft::read(&fields) };
    show_info(&viewing, &offer, &draft, None, StatusCode::OK).await
}

/// `GET /licenses/new/workloads`.
pub(super) async fn workloads(viewing: Viewing, fields: Fields) -> Result<Response, Refused> {
    let offer = Offer::load(&viewing).await?;
    let draft = Draft::read(&fields);
    if let Err(problem) = draft.check_info(offer.agreement(&draft), offer.product(&draft), viewing.now) {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return show_info(&viewing, &offer, &draft, Some(refusal(&problem)), status).await;
    }
    show_workloads(&viewing, &offer, &draft, None, StatusCode::OK).await
}

/// `GET /licenses/new/summary`.
pub(super) async fn summary(viewing: Viewing, fields: Fields) -> Result<Response, Refused> {
    let offer = Offer::load(&viewing).await?;
    let draft = Draft::read(&fields);
    show_summary(&viewing, &offer, &draft, None, StatusCode::OK).await
}

/// `POST /licenses/new`: creates it; the same form sent twice creates it once.
pub(super) async fn create(viewing: Viewing, fields: Fields) -> Result<Response, Refused> {
    let draft = Draft::read(&fields);
    let created = async {
        let (license, once) = (draft.license()?, fields.idempotency()?);
        Ok(create_license(&viewing.service, viewing.actor(), license, Some(once)).await?)
    };
    match created.await {
        Ok(created) => {
            let key = created.license.map_or_else(|| created.template.to_string(), |license| license.to_string());
            Ok(back_to(&format!("/licenses/{key}"), Notice::LicenseCreated))
        }
        Err(refused) => {
            let (said, status) = super::refused(refused)?;
            let offer = Offer::load(&viewing).await?;
            show_summary(&viewing, &offer, &draft, said.problem, status).await
        }
    }
}

async fn show_info(
    viewing: &Viewing,
    offer: &Offer,
    draft: &Draft,
    problem: Option<Refusal>,
    status: StatusCode,
) -> Result<Response, Refused> {
    let enrollment = view_enrollment(&viewing.service, viewing.actor(), None).await?.enrollment;
    let suspended = viewing.is_suspended().await?;
    let agreement = offer.agreement(draft).or(offer.agreements.first());
    let refused = agreement.and_then(|view| {
        let usage_type = UsageType::SingleCustomer;
        toggle_refusal(&ToggleFacts { agreement: view.agreement.kind, usage_type, enrollment: &enrollment, suspended })
    });
    let mut companies = vec![Choice::new("", words::ASSIGN_LATER, &draft.company)];
    companies.extend(offer.companies.iter().map(|(id, name)| Choice::new(id, name, &draft.company)));
    let info = Info {
        agreements: offer
            .agreements
            .iter()
            .map(|view| Choice::new(view.agreement.id.to_string(), agreement_name(view), &draft.agreement))
            .collect(),
        products: offer
            .products
            .iter()
            .map(|view| Choice::new(view.product.id.to_string(), product_name(view), &draft.product))
            .collect(),
        usage_types: words::USAGE_TYPES
            .into_iter()
            .map(|(usage_type, words)| Choice::new(draft::word_of(usage_type), words, draft::word_of(draft.usage_type)))
            .collect(),
        companies,
        description: draft.description.clone(),
        automatic: draft.automatic,
        refusal: refused,
        expires: draft.expires.clone(),
        latest: agreement.map(|view| last_day(view).to_string()).unwrap_or_default(),
    };
    let part = NewLicense {
        problem,
        step: WizardStep::Info(info),
        carried: draft.counts_as_fields(),
        back: "/licenses".to_owned(),
    };
    page_with(viewing, status, part).await
}

async fn show_workloads(
    viewing: &Viewing,
    offer: &Offer,
    draft: &Draft,
    problem: Option<Refusal>,
    status: StatusCode,
) -> Result<Response, Refused> {
    let product = offer.product(draft).ok_or(ProblemKind::NotFound)?;
    let fields = product.workloads.iter().map(|(workload, weight)| WorkloadField {
        name: count_field(&workload.code, &workload.variant),
        unit: workload.name.clone(),
        weight: present::licenses::weight(*weight),
        count: draft.count_of(&workload.code, &workload.variant),
    });
    let step = WizardStep::Workloads(Workloads { product: product_name(product), fields: fields.collect() });
    let part = NewLicense { problem, step, carried: draft.info_as_fields(), back: draft.address("/licenses/new") };
    page_with(viewing, status, part).await
}

async fn show_summary(
    viewing: &Viewing,
    offer: &Offer,
    draft: &Draft,
    problem: Option<Refusal>,
    status: StatusCode,
) -> Result<Response, Refused> {
    let (agreement, product) = (offer.agreement(draft), offer.product(draft));
    if let Err(problem) = draft.check_info(agreement, product, viewing.now) {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return show_info(viewing, offer, draft, Some(refusal(&problem)), status).await;
    }
    let (Some(agreement), Some(product)) = (agreement, product) else { return Err(ProblemKind::NotFound.into()) };
    let points = async {
        let counts = draft.workloads()?;
        Ok(preview_points(&viewing.service, viewing.actor(), product.product.id, counts).await?)
    };
    let points = match points.await {
        Ok(points) => points,
        Err(refused) => {
            let (said, status) = super::refused(refused)?;
            return show_workloads(viewing, offer, draft, said.problem, status).await;
        }
    };
    let workloads = product.workloads.iter().filter_map(|(workload, weight)| {
        let count: u32 = draft.count_of(&workload.code, &workload.variant).parse().ok().filter(|count| *count > 0)?;
        Some(SummaryRow {
            unit: workload.name.clone(),
            count: i64::from(count),
            weight: present::licenses::weight(*weight),
            points: weight.times(i64::from(count)),
        })
    });
    let summary = Summary {
        product: product_name(product),
        agreement: agreement_name(agreement),
        usage_type: words::usage_type(draft.usage_type),
        holder: holder(viewing, offer, draft),
        description: draft.description.clone(),
        workloads: workloads.collect(),
        exact: points.exact,
        rounded: points.key,
        validity: validity(viewing, agreement, draft).await?,
        idempotency_key: viewing.fresh_key(),
    };
    let step = WizardStep::Summary(Box::new(summary));
    let part = NewLicense { problem, step, carried: draft.fields(), back: draft.address("/licenses/new/workloads") };
    page_with(viewing, status, part).await
}

fn holder(viewing: &Viewing, offer: &Offer, draft: &Draft) -> String {
    if draft.usage_type.held_by_provider() {
        return viewing.person.org_name.clone();
    }
    offer.companies.iter().find(|(id, _)| *id == draft.company).map(|(_, name)| name.clone()).unwrap_or_default()
}

/// How the validity would be decided if it were created now.
async fn validity(viewing: &Viewing, agreement: &AgreementView, draft: &Draft) -> Result<SummaryValidity, Refused> {
    let enrollment = view_enrollment(&viewing.service, viewing.actor(), None).await?.enrollment;
    let facts = ToggleFacts {
        agreement: agreement.agreement.kind,
        usage_type: draft.usage_type,
        enrollment: &enrollment,
        suspended: viewing.is_suspended().await?,
    };
    let extends = initial(draft.automatic, &facts).is_ok_and(AutomaticReporting::extends);
    let is_template = draft.company.is_empty() && !draft.usage_type.held_by_provider();
    let end = agreement.agreement.end();
    Ok(match (is_template, extends) {
        (true, true) => SummaryValidity::Template,
        (false, true) => {
            SummaryValidity::Automatic(validity::expires_at(viewing.now, 0, Some(end), viewing.service.policy()))
        }
        (_, false) => {
            let last = draft.last_day().ok().flatten();
            SummaryValidity::Until(last.map_or(end, |day| validity::at_most(day.end(), Some(end))))
        }
    })
}

fn agreement_name(view: &AgreementView) -> String {
    format!("{}, {}", view.agreement.number, view.distributor_name)
}

fn product_name(view: &ProductView) -> String {
    present::product(&view.product.name, &view.product.edition)
}

/// The last day an agreement covers.
fn last_day(view: &AgreementView) -> Day {
    Day::of(view.agreement.end().plus_micros(-1))
}
