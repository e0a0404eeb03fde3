//! An unkind little market, built over the provider API: two distributors, five providers with like-named companies, one
//! with sites, one without commitment, one that will be suspended, one that is not enrolled, 60 licenses.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tenure_core::{Timestamp, roles::Role};
use tenure_wire as wire;

use crate::api::Api;

/// Somebody who can sign in.
#[derive(Clone)]
pub struct SignInCard {
    /// `vendor`, `distributor`, `provider`, …
    pub role: &'static str,
    /// The organization's name.
    pub organization: String,
    /// E-mail address.
    pub email: String,
    /// Password.
    pub password: String,
    /// A session's token.
    pub token: String,
}

/// What a provider is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Temper {
    /// Reviews and submits each month.
    Diligent,
    /// Has sites that submit their parts first.
    WithSites,
    /// Rents without commitment.
    NoCommit,
    /// Stops submitting for the last three months.
    Neglectful,
    /// Is not enrolled: everything by hand.
    ByHand,
}

/// A provider of the market.
pub struct Provider {
    /// Its display name.
    pub name: &'static str,
    /// What it is like.
    pub temper: Temper,
    /// Its organization.
    pub org: String,
    /// Which of the distributors it rents from.
    pub distributor: usize,
    /// Its license administrator.
    pub admin: SignInCard,
    /// Location usage administrators, one per site.
    pub locations: Vec<SignInCard>,
    /// Its sites.
    pub sites: Vec<String>,
    /// Its agreement.
    pub agreement: String,
    /// Its companies.
    pub companies: Vec<String>,
}

/// The market.
pub struct World {
    /// The vendor's administrator.
    pub vendor: SignInCard,
    /// The distributors' approvers.
    pub distributors: Vec<SignInCard>,
    /// The providers.
    pub providers: Vec<Provider>,
    /// Product ids by code and edition, as the catalog has them.
    pub catalog: Value,
}

struct Plan {
    name: &'static str,
    slug: &'static str,
    temper: Temper,
    distributor: usize,
    commit: &'static str,
    companies: &'static [&'static str],
}

const DISTRIBUTORS: [(&str, &str); 2] =
    [("Lakeside Distribution", "lakeside"), ("Lakeside Distribution Nord", "lakeside-nord")];

/// Names are alike on purpose: what looks the same to a person must stay apart in the data.
const PROVIDERS: [Plan; 5] = [
    Plan {
        name: "Northlight Hosting",
        slug: "northlight",
        temper: Temper::Diligent,
        distributor: 0,
        commit: "800",
        companies: &["Contoso AG", "Contoso A.G.", "Fabrikam Ltd", "Adventure Works", "Wide World Importers"],
    },
    Plan {
        name: "Northlight Hosting GmbH",
        slug: "northlight-gmbh",
        temper: Temper::WithSites,
        distributor: 0,
        commit: "400",
        companies: &["Contoso AG", "Fabrikam Ltd", "Fabrikam Limited", "Proseware"],
    },
    Plan {
        name: "Fourth Coffee Cloud",
        slug: "fourth-coffee",
        temper: Temper::NoCommit,
        distributor: 1,
        commit: "0",
        companies: &["Contoso", "Litware"],
    },
    Plan {
        name: "Tailspin Managed IT",
        slug: "tailspin",
        temper: Temper::Neglectful,
        distributor: 1,
        commit: "200",
        companies: &["Contoso AG", "Alpine Ski House"],
    },
    Plan {
        name: "Woodgrove Systems",
        slug: "woodgrove",
        temper: Temper::ByHand,
        distributor: 1,
        commit: "200",
        companies: &["Margie's Travel", "Contoso AG"],
    },
];

/// Builds the market as the vendor's administrator.
///
/// # Errors
/// When the server refuses a step; its words are the message.
pub fn build(api: &Api, email: &str, password: &str, now: Timestamp) -> Result<World> {
    let vendor_token = sign_in(api, email, password)?;
    let vendor = SignInCard {
        role: "vendor",
        organization: "vendor".to_owned(),
        email: email.to_owned(),
        password: password.to_owned(),
        token: vendor_token.clone(),
    };
    let mut distributors = Vec::new();
    let mut distributor_orgs = Vec::new();
    for (name, slug) in DISTRIBUTORS {
        let org = organization(api, &vendor_token, wire::NewOrganizationKind::Distributor, name)?;
        distributors.push(person(
            api,
            &vendor_token,
            &org,
            name,
            slug,
            "distributor",
            Role::DistributorAdministrator,
            None,
        )?);
        distributor_orgs.push(org);
    }
    let mut providers = Vec::new();
    for (n, plan) in PROVIDERS.iter().enumerate() {
        providers.push(provider(api, &vendor_token, plan, n, &distributor_orgs, now)?);
    }
    let catalog = api.get(&vendor_token, "/api/v1/catalog")?;
    Ok(World { vendor, distributors, providers, catalog })
}

fn provider(
    api: &Api,
    vendor: &str,
    plan: &Plan,
    n: usize,
    distributors: &[String],
    now: Timestamp,
) -> Result<Provider> {
    let org = organization(api, vendor, wire::NewOrganizationKind::Provider, plan.name)?;
    let role = if plan.temper == Temper::WithSites { Role::ProviderPrimary } else { Role::ProviderFullAccess };
    let admin = person(api, vendor, &org, plan.name, plan.slug, "provider", role, None)?;
    let mut sites = Vec::new();
    let mut locations = Vec::new();
    if plan.temper == Temper::WithSites {
        for name in ["Hamburg", "Rome"] {
            let site: Value =
                api.post(vendor, &format!("/api/v1/organizations/{org}/sites"), &json!({"name": name}))?;
            let site = text(&site, "id")?;
            let slug = format!("{}.{}", name.to_lowercase(), plan.slug);
            locations.push(person(
                api,
                vendor,
                &org,
                plan.name,
                &slug,
                "location",
                Role::ProviderLocation,
                Some(&site),
            )?);
            sites.push(site);
        }
    }
    let no_commit = plan.temper == Temper::NoCommit;
    let agreement: Value = api.post(
        vendor,
        "/api/v1/agreements",
        &json!({
            "distributor": distributors[plan.distributor],
            "provider": org,
            "number": format!("RA-{}", 20117 + n),
            "kind": if no_commit { "no_commit" } else { "volume" },
            "commit": plan.commit,
            "limit": if no_commit { Value::Null } else { json!("2000") },
            "purchase_order": format!("PO-2026-{}", 1104 + n),
            "signed_at": now.plus_days(-3).to_string(),
            "ends_at": now.plus_months(36).to_string(),
        }),
    )?;
    let mut companies = Vec::new();
    for (c, name) in plan.companies.iter().enumerate() {
        let site = (!sites.is_empty()).then(|| sites[c % sites.len()].clone());
        let company: Value = api.post(&admin.token, "/api/v1/companies", &json!({"name": name, "site": site}))?;
        companies.push(text(&company, "id")?);
    }
    if !matches!(plan.temper, Temper::ByHand | Temper::NoCommit) {
        let _: Value = api.post(&admin.token, "/api/v1/enrollment", &json!({"requirements_confirmed": true}))?;
        let path = format!("/api/v1/enrollment/{org}/decision");
        let _: Value = api.post(vendor, &path, &json!({"approve": true, "reason": ""}))?;
    }
    Ok(Provider {
        name: plan.name,
        temper: plan.temper,
        org,
        distributor: plan.distributor,
        admin,
        locations,
        sites,
        agreement: text(&agreement, "id")?,
        companies,
    })
}

/// Signs in and gives the session's token.
///
/// # Errors
/// When the server refuses.
pub fn sign_in(api: &Api, email: &str, password: &str) -> Result<String> {
    let signed: Value = api.post("", "/api/v1/sign-in", &json!({"email": email, "password": password}))?;
    text(&signed, "token")
}

/// Adds an organization and gives its id.
///
/// # Errors
/// When the server refuses.
pub fn organization(api: &Api, token: &str, kind: wire::NewOrganizationKind, name: &str) -> Result<String> {
    let created: Value =
        api.post(token, "/api/v1/organizations", &wire::NewOrganization { kind, name: name.to_owned() })?;
    text(&created, "id")
}

#[expect(clippy::too_many_arguments, reason = "one call describes one person")]
fn person(
    api: &Api,
    token: &str,
    org: &str,
    org_name: &str,
    slug: &str,
    card: &'static str,
    role: Role,
    site: Option<&str>,
) -> Result<SignInCard> {
    let email = format!("{card}@{slug}.example");
    let password = add_person(api, token, org, &email, name_of(slug), role, site)?;
    let token = sign_in(api, &email, &password)?;
    Ok(SignInCard { role: card, organization: org_name.to_owned(), email, password, token })
}

/// Adds somebody to an organization and gives the first password.
///
/// # Errors
/// When the server refuses.
pub fn add_person(
    api: &Api,
    token: &str,
    org: &str,
    email: &str,
    name: &str,
    role: Role,
    site: Option<&str>,
) -> Result<String> {
    let body = json!({"email": email, "name": name, "role": role.word(), "site": site});
    let created: Value = api.post(token, &format!("/api/v1/organizations/{org}/people"), &body)?;
    text(&created, "password")
}

/// The person behind a card, by the organization's slug.
fn name_of(slug: &str) -> &'static str {
    match slug {
        "lakeside" => "Luc Moreau",
        "lakeside-nord" => "Ines Petersen",
        "northlight" => "Ada Brandt",
        "northlight-gmbh" => "Paul Winkler",
        "hamburg.northlight-gmbh" => "Hanne Voss",
        "rome.northlight-gmbh" => "Tina Ricci",
        "fourth-coffee" => "Noor Haddad",
        "tailspin" => "Sam Whitlock",
        "woodgrove" => "Mei Tanaka",
        _ => "Robin Keller",
    }
}

/// A text member of a JSON object.
///
/// # Errors
/// When it is not there.
pub fn text(json: &Value, name: &str) -> Result<String> {
    json[name].as_str().map(str::to_owned).with_context(|| format!("no {name} in {json}"))
}
