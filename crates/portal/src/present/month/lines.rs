//! The table of lines: what changed, what did not, what a person entered.

use std::sync::Arc;

use tenure_core::{CompanyId, InstallationId, LineId, Points, adjust::ReasonCode, line::Source as Origin};
use tenure_service::{self as service, FigureRef, Month, Named};

use super::{
    super::{product, query},
    Offered, Wanted,
    asks::is_question,
    deed,
};
use crate::{
    format,
    pages::{
        Choice,
        month::{
            May, Side,
            lines::{
                AdjustForm, Change, CorrectionLine, Counts, Folded, Line, Lines, ManualForm, Mark, Show, Source, Undo,
            },
        },
    },
    spark::Spark,
    words,
};

/// Lines on one page.
const ROWS: usize = 100;

/// What names a line in addresses and forms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LineKey {
    /// A manual line.
    Own(LineId),
    /// An installation's figure; without a workload, the installation.
    Figure(FigureRef),
}

impl std::str::FromStr for LineKey {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        if let Ok(own) = text.parse() {
            return Ok(Self::Own(own));
        }
        let mut parts = text.splitn(3, '.');
        let installation: InstallationId = parts.next().and_then(|id| id.parse().ok()).ok_or(())?;
        let (workload, variant) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        Ok(Self::Figure(FigureRef { installation, workload: workload.to_owned(), variant: variant.to_owned() }))
    }
}

/// The name of a line; empty for one that cannot be changed.
pub(crate) fn key_of(line: &service::Line) -> String {
    match (&line.own, &line.installation) {
        (Some(own), _) => own.to_string(),
        (None, Some(one)) => format!("{}.{}.{}", one.id, line.workload.code, line.workload.variant),
        (None, None) => String::new(),
    }
}

pub(super) fn name_of(one: &service::Expected) -> String {
    if one.name.is_empty() { one.id.to_string() } else { one.name.clone() }
}

pub(super) fn company_of(company: Option<&Arc<Named<CompanyId>>>) -> String {
    company.map(|company| company.name.clone()).unwrap_or_default()
}

pub(super) fn lines(month: &Month, side: Side, may: May, wanted: &Wanted<'_>, offered: &Offered) -> Lines {
    let (corrections, own): (Vec<_>, Vec<_>) = month.lines.iter().partition(|line| line.of_period.is_some());
    let changed: Vec<bool> = own.iter().map(|line| is_changed(month, line)).collect();
    let is_manual = |line: &service::Line| line.source == Origin::Manual;
    let counts = Counts {
        changed: changed.iter().filter(|changed| **changed).count(),
        unchanged: changed.iter().filter(|changed| !**changed).count(),
        manual: own.iter().filter(|line| is_manual(line)).count(),
        all: own.len(),
    };
    // What an open form is about is shown, wherever it stands.
    let is_shown = |line: &service::Line, changed: bool| match wanted.show {
        Show::Changed => changed,
        Show::Unchanged => !changed,
        Show::Manual => is_manual(line),
        Show::All => true,
    };
    let open = |line: &service::Line| may.edit && !wanted.adjust.is_empty() && key_of(line) == wanted.adjust;
    let shown: Vec<&service::Line> = own
        .iter()
        .zip(&changed)
        .filter(|(line, changed)| is_shown(line, **changed) || open(line))
        .map(|(line, _)| *line)
        .collect();
    let pages = shown.len().div_ceil(ROWS).max(1);
    let of_open = shown.iter().position(|line| open(line)).map(|index| index / ROWS + 1);
    let page = of_open.unwrap_or(wanted.page as usize).min(pages);
    let shown_points: Points = shown.iter().map(|line| line.points).sum();
    let all_points: Points = own.iter().map(|line| line.points).sum();
    let folded = Folded { lines: own.len() - shown.len(), points: all_points - shown_points };
    Lines {
        show: wanted.show,
        counts,
        rows: shown
            .iter()
            .skip((page - 1) * ROWS)
            .take(ROWS)
            .map(|line| row(month, line, side, may, open(line).then_some(wanted)))
            .collect(),
        folded: (folded.lines > 0).then_some(folded),
        corrections: corrections.into_iter().map(correction).collect(),
        total: month.lines.iter().map(|line| line.points).sum(),
        reviewed: is_own(side).then(|| own.iter().filter(|line| line.reviewed.is_some()).count()),
        page: page as u32,
        pages: pages as u32,
        manual: (may.edit && !wanted.manual.is_empty()).then(|| manual_form(month, wanted, offered)),
    }
}

/// Whether a line is worth a look: it differs from the month before, a person touched it, or something is odd about it.
fn is_changed(month: &Month, line: &service::Line) -> bool {
    let flagged = line.license.as_ref().is_some_and(|license| !month.flags_of(license.id).is_empty());
    let differs = match line.difference() {
        Some(difference) => difference != 0,
        None => line.count != 0,
    };
    differs
        || flagged
        || line.new > 0
        || line.unmapped
        || line.is_adjusted()
        || is_question(line.source)
        || matches!(line.source, Origin::Manual | Origin::Answered)
}

/// Only a report names workloads.
fn evidence(line: &service::Line) -> String {
    let is_reported = matches!(line.source, Origin::Automatic | Origin::Preliminary);
    let Some(one) = line.installation.as_ref().filter(|_| is_reported) else { return String::new() };
    let unit = [("workload", line.workload.code.as_str()), ("variant", line.workload.variant.as_str())];
    format!("{}?{}", one.id, query(unit.into_iter().filter(|(_, code)| !code.is_empty())))
}

fn row(month: &Month, line: &service::Line, side: Side, may: May, open: Option<&Wanted<'_>>) -> Line {
    let of_license =
        line.license.as_ref().and_then(|license| month.licenses.iter().find(|one| one.license.id == license.id));
    let contested = line.installation.as_ref().is_some_and(|one| one.contested);
    let flags = of_license.map_or(&[][..], |one| &one.flags);
    Line {
        key: key_of(line),
        product: product(&line.product.name, &line.product.edition),
        company: company_of(line.company.as_ref()),
        installation: line.installation.as_ref().map(|one| name_of(one)).unwrap_or_default(),
        license: line
            .license
            .as_ref()
            .filter(|_| is_own(side))
            .map(|license| format!("/licenses/{}", license.id))
            .unwrap_or_default(),
        unit: line.workload.name.clone(),
        licensed: line.licensed.map(i64::from),
        previous: line.previous,
        current: (!is_question(line.source)).then_some(line.count),
        new: i64::from(line.new),
        spark: Spark::of(month.head.period, &line.daily),
        weight: line.weight.map(|weight| weight.to_string()).unwrap_or_default(),
        points: line.points,
        source: source(line, contested),
        is_preliminary: line.source == Origin::Preliminary,
        flags: flags.iter().map(|flag| format::sentence(&flag.to_string())).collect(),
        is_shared: of_license.is_some_and(|one| one.shared),
        change: change(line),
        entered: line.by.as_ref().map(|(at, by)| deed(*at, by)),
        undo: match line.source {
            _ if !may.edit => Undo::Nothing,
            Origin::Manual => Undo::Manual,
            Origin::Answered => Undo::Answer,
            _ if line.adjustment.is_some() => Undo::Adjustment,
            _ => Undo::Nothing,
        },
        form: open.map(|wanted| adjust_form(line, wanted)),
        is_adjustable: may.edit && line.reported.is_some() && !line.unmapped,
        shadow: line.raw.filter(|_| line.source == Origin::Manual).map(i64::from),
        mark: is_own(side).then(|| mark(line)),
        evidence: evidence(line),
    }
}

/// Marks are the provider's own, as its licenses' pages are.
fn is_own(side: Side) -> bool {
    matches!(side, Side::Provider | Side::Site)
}

fn mark(line: &service::Line) -> Mark {
    let tag = tenure_license::Hash::from_bytes(line.tag).to_string();
    Mark { tag, by: line.reviewed.as_ref().map(|(at, by)| deed(*at, by)) }
}

fn source(line: &service::Line, contested: bool) -> Source {
    match line.source {
        _ if line.unmapped => Source::Unmapped,
        Origin::Automatic | Origin::Preliminary if line.adjustment.is_some() => Source::Adjusted,
        Origin::Automatic | Origin::Preliminary if line.is_adjusted() => Source::OwnPage,
        Origin::Automatic | Origin::Preliminary if contested => Source::Contested,
        Origin::Automatic | Origin::Preliminary => Source::Automatic,
        // Corrections have rows of their own.
        Origin::Manual | Origin::Correction => Source::Manual,
        Origin::Answered => Source::Answered,
        Origin::Awaited => Source::Awaited,
        Origin::Missing => Source::Missing,
        Origin::Clone => Source::Clone,
        Origin::NotInstalled => Source::NotInstalled,
        Origin::Replaced => Source::Replaced,
    }
}

fn change(line: &service::Line) -> Option<Change> {
    if let Some(adjustment) = &line.adjustment {
        return Some(Change {
            original: i64::from(line.reported.unwrap_or(adjustment.was)),
            reason: adjustment.reason.map(|reason| reason.to_string()).unwrap_or_default(),
            note: adjustment.note.clone(),
            deed: Some(deed(adjustment.at, &adjustment.by)),
        });
    }
    let first = line.taken_out.first()?;
    let reason = first.reason.parse::<ReasonCode>().map_or_else(|_| first.reason.clone(), |code| code.to_string());
    let notes: Vec<String> =
        line.taken_out.iter().map(|one| format!("{} less: {}", format::count(one.units.into()), one.note)).collect();
    Some(Change { original: i64::from(line.raw?), reason, note: notes.join("; "), deed: None })
}

fn adjust_form(line: &service::Line, wanted: &Wanted<'_>) -> AdjustForm {
    let original = i64::from(line.reported.unwrap_or(0));
    let typed = |name| Some(wanted.typed.get(name)).filter(|text| !text.is_empty());
    let adjustment = line.adjustment.as_ref();
    let reason = typed("reason").or(adjustment.and_then(|one| one.reason).map(ReasonCode::word)).unwrap_or_default();
    let mut reasons = vec![Choice::new("", words::NO_REASON, reason)];
    reasons.extend(ReasonCode::ALL.iter().map(|code| Choice::new(code.word(), code.to_string(), reason)));
    AdjustForm {
        count: typed("count").map_or_else(|| line.count.to_string(), ToOwned::to_owned),
        original,
        reasons,
        note: typed("note").or(adjustment.map(|one| one.note.as_str())).unwrap_or_default().to_owned(),
    }
}

fn correction(line: &service::Line) -> CorrectionLine {
    CorrectionLine {
        product: product(&line.product.name, &line.product.edition),
        company: company_of(line.company.as_ref()),
        // What is left of an earlier correction is points alone.
        unit: line.workload.name.clone(),
        of: line.of_period.unwrap_or_else(|| tenure_core::Period::from_index(0)),
        delta: line.count,
        weight: line.weight.map(|weight| weight.to_string()).unwrap_or_default(),
        points: line.points,
    }
}

fn manual_form(month: &Month, wanted: &Wanted<'_>, offered: &Offered) -> ManualForm {
    let typed = wanted.typed;
    let license = if typed.get("license").is_empty() { wanted.manual } else { typed.get("license") };
    let mut licenses: Vec<&Arc<service::LicenseOf>> = month.licenses.iter().map(|one| &one.license).collect();
    licenses.extend(&month.by_hand);
    let of_license = licenses.iter().find(|one| one.id.to_string() == license);
    let mut choices = vec![Choice::new("", words::NO_LICENSE, license)];
    choices.extend(licenses.iter().map(|one| {
        let company = company_of(one.company.as_ref());
        let parts = [product(&one.product.name, &one.product.edition), company, one.description.clone()];
        let name: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        Choice::new(one.id.to_string(), name.join(", "), license)
    }));
    let products = offered.catalog.iter().flat_map(|catalog| &catalog.products);
    // A license that was chosen narrows what can be counted.
    let products = products.filter(|view| of_license.is_none_or(|license| license.product.id == view.product.id));
    let units = products.flat_map(|view| {
        view.workloads.iter().map(|(workload, _)| {
            let value = format!("{}.{}.{}", view.product.id, workload.code, workload.variant);
            let label = format!("{}: {}", product(&view.product.name, &view.product.edition), workload.name);
            Choice::new(value, label, typed.get("unit"))
        })
    });
    let mut companies = vec![Choice::new("", month.head.provider.name.clone(), typed.get("company"))];
    companies
        .extend(offered.companies.iter().map(|row| Choice::new(row.id.to_string(), &row.name, typed.get("company"))));
    ManualForm {
        units: units.collect(),
        companies,
        licenses: choices,
        idempotency_key: offered.fresh_key.clone(),
        count: typed.get("count").to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_named_and_found_by_its_name() {
        let figure: LineKey = "ins_0191f3c4-7e2a-7cc3-98c4-dc0c0c07398f.server.application".parse().expect("a key");
        let LineKey::Figure(figure) = figure else { panic!("a figure") };
        assert_eq!((figure.workload.as_str(), figure.variant.as_str()), ("server", "application"));
        let own: LineKey = "lin_0191f3c4-7e2a-7cc3-98c4-dc0c0c07398f".parse().expect("a key");
        assert!(matches!(own, LineKey::Own(_)));
        assert!("x".parse::<LineKey>().is_err());
    }
}
