//! `/licensing`: monthly usages as reports, current usage, and installations by the family of their product.

mod console;
mod csv;
mod current;
mod family;
mod report;
mod reports;
mod servers;
mod tally;

pub(crate) use tally::{newest, of_months};

use crate::operation::{Operations, Said};

const NARROWED: &[(&str, &str)] = &[
    ("organizationUid", "uuid"),
    ("organizationType", "text"),
    ("providerUid", "uuid"),
    ("serverUid", "uuid"),
    ("serverType", "text"),
];

/// Adds the operations of `/licensing`.
pub(crate) fn operations(all: Operations) -> Operations {
    let console = |summary| Said::one(summary, "@ConsoleLicense");
    let all = all
        .get("/licensing/reports", Said::list("Monthly usages as reports, newest first", "@Report"), reports::list)
        .get("/licensing/reports/latest", Said::list("The newest report", "@Report"), reports::latest)
        .get(
            "/licensing/reports/settings",
            Said::one("Whether the month submits itself", "@ReportSettings"),
            reports::settings,
        )
        .patch(
            "/licensing/reports/settings",
            Said::one("Have the month submit itself, or not", "@ReportSettings").patch(),
            reports::change_settings,
        )
        .post(
            "/licensing/reports/finalization",
            Said::one("Submit the newest month", "@Finalization"),
            reports::finalize,
        )
        .get("/licensing/reports/{which}", Said::list("The reports made on a day", "@Report"), reports::of_date)
        .get("/licensing/reports/{which}/csv", Said::other("The lines of a report", "text/csv", "text"), reports::csv)
        .get(
            "/licensing/usage/organizations",
            Said::list("Usage of the newest month by company and server", "@OrganizationUsage").query(NARROWED),
            current::list,
        )
        .get("/licensing/console", console("The license of the provider's own console"), console::show)
        .put("/licensing/console", console("Install a license on the console").file(), console::install)
        .post("/licensing/console/update", console("Have the console take its newest license"), console::update)
        .get(
            "/licensing/console/settings",
            Said::one("Whether the console updates its license", "@ConsoleLicenseSettings"),
            console::settings,
        );
    servers::operations(all)
}
