//! A company's viewer: its own company, and nothing else of the provider; and who adds viewers to a company.

use axum::{extract::Path, http::StatusCode, response::Response};
use tenure_core::{CompanyId, Period, line::Source};
use tenure_service::{Line, ProblemKind, create_viewer, view_own_company, view_own_usage};

use super::companies;
use crate::{
    format,
    pages::{
        Choice, Desk,
        own_company::{OwnCompany, OwnLicense, OwnLine, OwnUsage},
        settings::Secret,
    },
    present,
    web::{Fields, Refused, Viewing, page},
};

/// `GET /own-company`.
pub(super) async fn show(viewing: Viewing, fields: Fields) -> Result<Response, Refused> {
    if viewing.desk() != Desk::Company {
        return Err(ProblemKind::NotFound.into());
    }
    let own = view_own_company(&viewing.service, viewing.actor()).await?;
    let wanted: Option<Period> = fields.read_or_none("month")?;
    let shown = wanted.or(own.months.first().map(|(period, _)| *period));
    let usage = match shown {
        Some(period) => Some(view_own_usage(&viewing.service, viewing.actor(), period).await?),
        None => None,
    };
    let chosen = shown.map(|period| period.to_string()).unwrap_or_default();
    let part = OwnCompany {
        company: own.company.name,
        provider: own.provider,
        licenses: own.licenses.iter().filter_map(license).collect(),
        months: own
            .months
            .iter()
            .map(|(period, _)| Choice::new(period.to_string(), format::month(*period), &chosen))
            .collect(),
        usage: usage.map(|usage| OwnUsage {
            period: usage.period,
            is_closed: usage.is_closed,
            lines: usage.lines.iter().map(line).collect(),
        }),
    };
    page(&viewing, part).await
}

fn license(view: &tenure_service::LicenseView) -> Option<OwnLicense> {
    let life = view.life.as_ref()?;
    Some(OwnLicense {
        product: present::licenses::name(view),
        workloads: view.workloads.iter().map(|each| (i64::from(each.count), each.name.clone())).collect(),
        state: life.state,
        expires: life.expires,
        installations: view.active_installations,
    })
}

fn line(line: &Line) -> OwnLine {
    OwnLine {
        product: present::product(&line.product.name, &line.product.edition),
        server: line.installation.as_ref().map(|one| one.name.clone()).unwrap_or_default(),
        unit: line.workload.name.clone(),
        licensed: line.licensed.map(i64::from),
        count: (!line.source.blocks()).then_some(line.count),
        new: i64::from(line.new),
        of: line.of_period,
        source: match line.source {
            Source::Automatic => "Reported by the product",
            Source::Preliminary => "Reported, preliminary",
            Source::Manual => "Entered by hand",
            Source::Answered => "Answered by the provider",
            Source::Correction => "Arrived later",
            Source::Awaited => "Awaited",
            Source::Missing | Source::Clone => "With the provider",
            Source::NotInstalled | Source::Replaced => "Not in use",
        },
    }
}

/// `POST /companies/{id}/viewers`: adds one, and shows the first password this once.
pub(super) async fn add(viewing: Viewing, Path(id): Path<String>, fields: Fields) -> Result<Response, Refused> {
    let company: CompanyId = id.parse().map_err(|_| ProblemKind::NotFound)?;
    let made = async {
        let (email, name) = (fields.get("email").to_owned(), fields.get("name").to_owned());
        let once = Some(fields.idempotency()?);
        Ok(create_viewer(&viewing.service, viewing.actor(), company, email, name, once).await?)
    };
    let made: Result<_, Refused> = made.await;
    match made {
        Ok(made) => {
            let part = Secret {
                of: format!("First password of {}", fields.get("name")),
                secret: made.password.to_string(),
                what_to_do:
                    "Hand it over in person or by a way that others cannot read. With it one company’s licenses and \
                             usage are seen, and nothing else."
                        .to_owned(),
                back: "/companies",
            };
            page(&viewing, part).await
        }
        Err(error) => {
            let (said, status) = super::refused(error)?;
            companies::show_one(&viewing, company, said, status).await
        }
    }
}

/// `GET` of that address, as a reload sends it: the company.
pub(super) async fn back(viewing: Viewing, Path(id): Path<String>) -> Result<Response, Refused> {
    let company: CompanyId = id.parse().map_err(|_| ProblemKind::NotFound)?;
    companies::show_one(&viewing, company, crate::pages::Said::default(), StatusCode::OK).await
}
