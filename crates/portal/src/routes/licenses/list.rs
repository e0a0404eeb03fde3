//! Manage Licenses: the list, narrowed by its address.

use axum::{http::StatusCode, response::Response};
use tenure_core::{UsageType, roles::Action};
use tenure_service::{
    HolderFilter, LicenseFilter, MAX_PAGE, Paging, StateFilter, list_catalog, list_licenses, list_sites,
    view_enrollment,
};

use super::companies;
use crate::{
    pages::{
        Choice,
        licenses::{Filter, Licenses, Select},
    },
    present,
    routes::{new_license::word_of, said},
    web::{Fields, Refused, Viewing, page_with},
    words,
};

/// Licenses on one page.
const ROWS: u32 = 100;

/// What the list can be narrowed to: word in the address, word on the button, filter.
const STATES: [(&str, &str, Option<StateFilter>); 6] = [
    ("", "All", None),
    ("valid", "Valid", Some(StateFilter::Valid)),
    ("expiring", "Expiring", Some(StateFilter::Expiring)),
    ("expired", "Expired", Some(StateFilter::Expired)),
    ("restricted", "Restricted", Some(StateFilter::Restricted)),
    ("template", "Not assigned", Some(StateFilter::Template)),
];

/// The other filters, as the address names them.
const NARROW: [&str; 7] = ["company", "product", "site", "assigned", "usage", "automatic", "holder"];

/// `GET /licenses`. A word in the address that means nothing filters nothing.
pub(crate) async fn list(viewing: Viewing, fields: Fields) -> Result<Response, Refused> {
    let asked = fields.get("state");
    let (word, _, state) = STATES.into_iter().find(|(word, ..)| *word == asked).unwrap_or(STATES[0]);
    let filter = LicenseFilter { state, ..narrowed(&fields) };
    let is_narrowed = filter != LicenseFilter { state, ..LicenseFilter::default() };
    let paging = Paging { cursor: present::cursor(&fields), limit: Some(ROWS) };
    let licenses = list_licenses(&viewing.service, viewing.actor(), None, filter, &paging).await?;
    let enrollment = view_enrollment(&viewing.service, viewing.actor(), None).await?.enrollment;
    let may_manage = viewing.may(Action::ManageLicenses, false);
    let here = address(&fields, word, paging.cursor.as_deref());
    let part = Licenses {
        said: said(&fields),
        is_filtered: state.is_some() || is_narrowed || paging.cursor.is_some(),
        rows: licenses.items.iter().map(|view| present::licenses::row(view, &here, may_manage)).collect(),
        filters: STATES
            .into_iter()
            .map(|(each, label, _)| Filter { label, href: address(&fields, each, None), is_current: each == word })
            .collect(),
        state: word,
        narrow: selects(&viewing, &fields).await?,
        is_narrowed,
        enrollment,
        grace_days: viewing.service.policy().grace_days,
        may_manage,
        suspended: viewing.is_suspended().await?,
        here: here.clone(),
        next: licenses.next.map(|cursor| address(&fields, word, Some(&cursor))).unwrap_or_default(),
    };
    page_with(&viewing, StatusCode::OK, part).await
}

fn narrowed(fields: &Fields) -> LicenseFilter {
    let yes_no = |name| match fields.get(name) {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    };
    let usage = fields.get("usage");
    LicenseFilter {
        company: fields.get("company").parse().ok(),
        product: fields.get("product").parse().ok(),
        site: fields.get("site").parse().ok(),
        assigned: yes_no("assigned"),
        usage_type: words::USAGE_TYPES.iter().map(|(each, _)| *each).find(|each| word_of(*each) == usage),
        automatic: yes_no("automatic"),
        holder: match fields.get("holder") {
            "company" => Some(HolderFilter::Company),
            "own" => Some(HolderFilter::Provider),
            _ => None,
        },
        ..LicenseFilter::default()
    }
}

/// The filters as they are chosen. Sites are offered where there are any.
async fn selects(viewing: &Viewing, fields: &Fields) -> Result<Vec<Select>, Refused> {
    let catalog = list_catalog(&viewing.service, viewing.actor()).await?;
    let paging = Paging { cursor: None, limit: Some(MAX_PAGE) };
    let sites = list_sites(&viewing.service, viewing.actor(), viewing.actor().org, &paging).await?.items;
    let product = |view: &tenure_service::ProductView| {
        (view.product.id.to_string(), present::product(&view.product.name, &view.product.edition))
    };
    let word = |value: &str, label: &str| (value.to_owned(), label.to_owned());
    let usage = |(usage, label): (UsageType, &str)| word(word_of(usage), label);
    let mut all = vec![
        select(fields, "company", "Company", companies(viewing, None).await?),
        select(fields, "product", "Product", catalog.products.iter().map(product).collect()),
        select(fields, "assigned", "Assignment", vec![word("yes", "Assigned"), word("no", "Not assigned")]),
        select(fields, "usage", "Usage", words::USAGE_TYPES.into_iter().map(usage).collect()),
        select(
            fields,
            "automatic",
            "Automatic reporting",
            vec![word("yes", "Reports by itself"), word("no", "By hand")],
        ),
        select(fields, "holder", "Company type", vec![word("company", "A customer"), word("own", "Your own")]),
    ];
    if !sites.is_empty() {
        let sites = sites.into_iter().map(|site| (site.id.to_string(), site.name)).collect();
        all.insert(2, select(fields, "site", "Site", sites));
    }
    Ok(all)
}

fn select(fields: &Fields, name: &'static str, label: &'static str, choices: Vec<(String, String)>) -> Select {
    let wanted = fields.get(name);
    let any = Choice::new("", "Any", wanted);
    let choices = choices.into_iter().map(|(value, label)| Choice::new(value, label, wanted));
    Select { name, label, choices: std::iter::once(any).chain(choices).collect() }
}

fn address(fields: &Fields, state: &str, after: Option<&str>) -> String {
    let narrow = NARROW.iter().map(|name| (*name, fields.get(name)));
    let pairs = [("state", state)].into_iter().chain(narrow).chain([("after", after.unwrap_or_default())]);
    let query = present::query(pairs.filter(|(_, value)| !value.is_empty()));
    if query.is_empty() { "/licenses".to_owned() } else { format!("/licenses?{query}") }
}
