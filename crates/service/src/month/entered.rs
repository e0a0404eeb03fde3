//! Lines that no report of the month gave: entered by a person, or corrections of earlier months.

use tenure_core::{
    LicenseId,
    line::{self, Source},
};
use tenure_store::rows::{correction::CorrectionRow, hand_correction::HandCorrectionRow, manual_line::ManualLineRow};
use uuid::Uuid;

use super::{
    build::{blank, fill, read_lines},
    lookup::Catalog,
    types::Line,
};
use crate::Result;

/// A line that a person entered for what does not report.
pub(super) fn manual(catalog: &Catalog<'_>, row: &ManualLineRow) -> Result<Line> {
    let company = row.company.and_then(|id| catalog.companies.get(&id).cloned());
    let mut line = Line {
        own: Some(row.id),
        license: row.license.and_then(|id| catalog.licenses.get(&id).cloned()),
        site: row.site,
        by: Some((row.at, catalog.who(row.by))),
        ..blank(catalog.product(row.product)?, company)
    };
    fill(catalog, &mut line, &row.workload, &row.variant, i64::from(row.count));
    line.raw =
        row.license.filter(|id| catalog.shadowed.contains(id)).map(|id| shadow_figure(catalog, row, id)).transpose()?;
    Ok(line)
}

/// What the products of a license counted of a manual line's workload type in its shadow month.
fn shadow_figure(catalog: &Catalog<'_>, row: &ManualLineRow, license: LicenseId) -> Result<u32> {
    let expected = catalog.data.expected.iter().filter(|one| one.license == license);
    let mut sum = 0_u32;
    for report in expected.filter_map(|one| catalog.data.reports.get(&one.installation)) {
        let lines = read_lines(&report.lines)?;
        let same = lines.iter().find(|line| line.workload == row.workload && line.variant == row.variant);
        sum = sum.saturating_add(same.map_or(0, |line| line.count));
    }
    Ok(sum)
}

/// A line of an earlier month's correction that late data made.
pub(super) fn correction(catalog: &Catalog<'_>, row: &CorrectionRow) -> Result<Line> {
    let company = row.company.and_then(|id| catalog.companies.get(&id).cloned());
    let workload = catalog.workload(row.product, &row.workload, &row.variant);
    let license = catalog.licenses.get(&row.license).cloned();
    Ok(Line {
        own: Some(row.id),
        site: license.as_ref().and_then(|license| license.site),
        license,
        of_period: Some(row.of_period),
        source: Source::Correction,
        workload,
        weight: Some(row.weight),
        count: row.delta,
        points: line::points(row.delta, Some(row.weight)),
        by: Some((row.at, catalog.who(Uuid::nil()))),
        ..blank(catalog.product(row.product)?, company)
    })
}

/// A line of an earlier month's correction that a person entered.
pub(super) fn corrected_by_hand(catalog: &Catalog<'_>, row: &HandCorrectionRow) -> Result<Line> {
    let company = row.company.and_then(|id| catalog.companies.get(&id).cloned());
    Ok(Line {
        own: Some(row.id),
        site: row.site,
        license: row.license.and_then(|id| catalog.licenses.get(&id).cloned()),
        of_period: Some(row.of_period),
        source: Source::Correction,
        workload: catalog.workload(row.product, &row.workload, &row.variant),
        weight: Some(row.weight),
        count: row.delta,
        points: line::points(row.delta, Some(row.weight)),
        by: Some((row.at, catalog.who(row.by))),
        said: Some((row.reason.parse().ok(), row.note.clone())),
        ..blank(catalog.product(row.product)?, company)
    })
}
