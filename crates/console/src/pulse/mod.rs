//! `/pulse`: the program as a console sees it: contracts, products, licenses, tenants.

mod catalog;
mod connection;
mod license_changes;
mod license_shape;
mod licenses;
mod monthly;
mod tenant_changes;
mod tenants;

pub(crate) use catalog::workload_id;
pub(crate) use licenses::every;
pub(crate) use tenants::{Resellers, companies, company_type, organization};

use crate::operation::{Operations, Said};

/// Adds the operations of `/pulse`.
pub(crate) fn operations(all: Operations) -> Operations {
    licenses_and_catalog(all)
        .get(
            "/pulse",
            Said::one("What the console has turned on, and when it last asked anew", "@Pulse"),
            connection::show,
        )
        .patch("/pulse", Said::one("Turn features of the console on or off", "@Pulse").patch(), connection::change)
        .post("/pulse/sync", Said::done("Move the date of the last update"), connection::sync)
        .get(
            "/pulse/monthlyUsages",
            Said::list("Months by company", "@MonthlyUsage").query(&[("from", "text"), ("to", "text")]),
            monthly::list,
        )
        .get("/pulse/tenants", Said::list("Companies, as tenants", "@Tenant"), tenants::list)
        .post(
            "/pulse/tenants",
            Said::one("The tenant of a company", "@Tenant")
                .query(&[("companyUid!", "text"), ("rewriteExisting", "flag")]),
            tenants::create,
        )
        .get("/pulse/tenants/{tenant_uid}", Said::one("One tenant", "@Tenant"), tenants::show)
        .patch(
            "/pulse/tenants/{tenant_uid}",
            Said::one("Merge companies that are one, or take them apart", "@Tenant").patch().named(),
            tenant_changes::change,
        )
        .post(
            "/pulse/tenants/{tenant_uid}/createCompany",
            Said::one("The company of a tenant", "@Organization")
                .query(&[("siteUid", "text"), ("gatewayPoolUid", "text")]),
            tenants::create_company,
        )
}

fn licenses_and_catalog(all: Operations) -> Operations {
    let one = "/pulse/licenses/{license_uid}";
    let below = |action: &str| format!("{one}/{action}");
    all.get("/pulse/contracts", Said::list("Rental agreements", "@Contract"), catalog::contracts)
        .get(
            "/pulse/products",
            Said::list("The catalog with the points of the running month", "@Product"),
            catalog::products,
        )
        .get("/pulse/licenses", Said::list("Licenses and templates", "@License"), licenses::list)
        .post(
            "/pulse/licenses",
            Said::one("Create a license", "@License").json("@LicenseInput").named(),
            license_changes::create,
        )
        .get(one, Said::one("One license", "@License"), licenses::show)
        .patch(one, Said::one("Change, assign or move a license", "@License").patch().named(), license_changes::change)
        .delete(one, Said::done("Delete a license").named(), license_changes::delete)
        .post(&below("copy"), Said::one("Copy a license", "@License").named(), license_changes::copy)
        .post(&below("revoke"), Said::done("Make a template of a license again").named(), license_changes::revoke)
        .post(&below("download"), Said::one("The text of a file that activates it", "text"), license_changes::download)
        .post(
            &below("install"),
            Said::done("Hand a license to a server that runs it").query(&[("serverUid!", "text")]),
            license_changes::install,
        )
}
