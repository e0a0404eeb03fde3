//! From rows to lines: pure, so that what was seen, signed and approved is computed by one piece of code.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use serde::Deserialize;
use tenure_core::{
    CompanyId, Day, InstallationId, LicenseId, Period, Points, Policy, ProductId, Stage, Timestamp,
    adjust::{self, Standing},
    counting::{charged_new, watermark_high},
    expected::{Presence, PresenceFacts, presence},
    line::{self, LineKey, Source},
};
use tenure_license::payload::{ReportLine, WatermarkLine};
use tenure_store::rows::{
    adjustment::AdjustmentRow, month::HeldLicenseRow, obligation::ExpectedRow, report::ReportRow,
};
use uuid::Uuid;

use super::{
    entered,
    load::MonthData,
    lookup::Catalog,
    tag::SignedLine,
    types::{Adjustment, Expected, Figure, LicenseOf, Line, Named, ProductOf, ReportOf, TakenOut, WorkloadOf},
};
use crate::{Error, Result};

/// The lines of a month and who had to account for it, before corrections are applied.
pub(crate) struct Built {
    pub(crate) installations: Vec<InstallationMonth>,
    /// The licenses behind lines and installations, by id.
    pub(crate) licenses: Vec<Arc<LicenseOf>>,
    /// Licenses held in the month that no line or installation is about.
    pub(crate) others: Vec<Arc<LicenseOf>>,
    pub(crate) lines: Vec<Line>,
    products: HashMap<ProductId, Arc<ProductOf>>,
    companies: HashMap<CompanyId, Arc<Named<CompanyId>>>,
}

/// An expected installation with what its license's flags depend on.
pub(crate) struct InstallationMonth {
    pub(crate) expected: Arc<Expected>,
    /// What the report held of it says, where that or a person's figure in its place counts (F3).
    pub(crate) raw: Option<Points>,
    /// What its own lines come to, whosever figures they are.
    pub(crate) submitted: Points,
    /// A manual line of its license counts instead of what it sent.
    pub(crate) by_manual_line: bool,
    pub(crate) adjusted: bool,
    pub(crate) history_differs: bool,
    /// New and counted units, as reported.
    pub(crate) new_share: (u32, u32),
    /// The highest of its weekly figures per workload type and variant; none without a watermark.
    pub(crate) highs: Option<BTreeMap<(String, String), u32>>,
    /// Mondays of the weeks it sent.
    pub(crate) weeks: BTreeSet<tenure_core::Week>,
    pub(crate) replaces: Option<InstallationId>,
}

#[derive(Deserialize)]
struct StoredWatermark(Vec<WatermarkLine>);

/// Builds the lines of a month.
pub(crate) fn build(data: &MonthData, names: &HashMap<Uuid, String>, now: Timestamp, policy: &Policy) -> Result<Built> {
    let catalog = Catalog::new(data, names);
    let by_hand_lines: BTreeSet<LicenseId> = data.manual.iter().filter_map(|line| line.license).collect();
    let mut built = Built {
        installations: Vec::new(),
        licenses: Vec::new(),
        others: Vec::new(),
        lines: Vec::new(),
        products: catalog.products.clone(),
        companies: catalog.companies.clone(),
    };
    for row in &data.expected {
        expected(&catalog, row, by_hand_lines.contains(&row.license), now, policy, &mut built)?;
    }
    for row in &data.manual {
        built.lines.push(entered::manual(&catalog, row)?);
    }
    for row in &data.corrections {
        built.lines.push(entered::correction(&catalog, row)?);
    }
    for row in &data.by_hand {
        built.lines.push(entered::corrected_by_hand(&catalog, row)?);
    }
    not_installed(&catalog, &mut built)?;
    let mut licenses: BTreeMap<LicenseId, Arc<LicenseOf>> = BTreeMap::new();
    let of_lines = built.lines.iter().filter_map(|line| line.license.as_ref());
    let of_installations = built.installations.iter().map(|one| &one.expected.license);
    for license in of_lines.chain(of_installations) {
        licenses.entry(license.id).or_insert_with(|| Arc::clone(license));
    }
    let held = |row: &&HeldLicenseRow| row.ended.is_none_or(|ended| ended > data.usage.period.start());
    let others = data.licenses.iter().filter(held).filter(|row| !licenses.contains_key(&row.id));
    built.others = others.filter_map(|row| catalog.licenses.get(&row.id).cloned()).collect();
    built.licenses = licenses.into_values().collect();
    built.lines.sort_by_cached_key(key);
    Ok(built)
}

impl Built {
    /// The lines as they were signed. Those that the rows still give are kept with all that a page shows of them; where
    /// something was changed since (a switch of automatic reporting, say), what was signed stands.
    pub(crate) fn stand_by(&mut self, signed: Vec<SignedLine>) -> Result<()> {
        let mut computed: HashMap<LineKey, Line> = self.lines.drain(..).map(|line| (key(&line), line)).collect();
        for signed in signed {
            let computed = computed.remove(&signed.key());
            self.lines.push(match computed {
                Some(line) if SignedLine::of(&line) == signed => line,
                other => self.as_signed(other, signed)?,
            });
        }
        Ok(())
    }

    fn as_signed(&self, computed: Option<Line>, signed: SignedLine) -> Result<Line> {
        let product = self.products.get(&signed.product).cloned();
        let product = product.ok_or(Error::Internal("a signed line of a product that does not exist"))?;
        let installation =
            self.installations.iter().map(|one| &one.expected).find(|one| Some(one.id) == signed.installation);
        let mut licenses = self.licenses.iter().chain(&self.others);
        let workload = WorkloadOf {
            name: signed.workload.clone(),
            code: signed.workload,
            variant: signed.variant,
            unit: String::new(),
        };
        let mut line = computed.unwrap_or_else(|| Line {
            company: signed.company.and_then(|id| self.companies.get(&id).cloned()),
            license: signed.license.and_then(|id| licenses.find(|license| license.id == id).cloned()),
            installation: installation.cloned(),
            workload: Arc::new(workload),
            ..Line::blank(product)
        });
        line.own = signed.own;
        line.of_period = signed.of_period;
        line.source = signed.source;
        line.licensed = signed.licensed;
        line.new = signed.new;
        line.raw = signed.raw;
        line.reported = signed.reported;
        line.count = signed.count;
        line.weight = signed.weight;
        line.points = signed.points;
        line.unmapped = false;
        Ok(line)
    }
}

/// What a line is about.
pub(crate) fn key(line: &Line) -> LineKey {
    LineKey {
        product: line.product.id,
        company: line.company.as_ref().map(|company| company.id),
        license: line.license.as_ref().map(|license| license.id),
        installation: line.installation.as_ref().map(|installation| installation.id),
        workload: line.workload.code.clone(),
        variant: line.workload.variant.clone(),
        own: line.own,
    }
}

/// The facts of one expected installation, and its lines.
fn expected(
    catalog: &Catalog<'_>,
    row: &ExpectedRow,
    manual_for_license: bool,
    now: Timestamp,
    policy: &Policy,
    built: &mut Built,
) -> Result<()> {
    let data = catalog.data;
    let (period, frozen) = (data.usage.period, data.usage.state.is_submitted());
    let license = catalog.license(row.license)?;
    let report = data.reports.get(&row.installation);
    let answer = data.answers.get(&row.installation);
    let shadowed = catalog.shadowed.contains(&row.license);
    let by_hand = license.reporting.is_by_hand() || !license.product.reports || shadowed;
    // A line a person entered for the license answers for its servers, and counts instead of what they send meanwhile.
    let by_manual_line = by_hand && manual_for_license;
    let against_report = answer.is_some_and(|answer| answer.kind != "missing");
    let stage = |report: &ReportRow| if report.is_final { Stage::Final } else { Stage::Preliminary };
    let stage = report.filter(|_| !by_manual_line && !shadowed).map(stage);
    let facts = PresenceFacts {
        report: stage.or(data.late.contains(&row.installation).then_some(Stage::Final)),
        answered: answer.is_some() || by_manual_line,
        // Who was replaced within the month left its journal's figures to its successor.
        replaced: row.replaced && row.retired.is_some_and(|retired| retired < period.end()),
        // What was submitted stays as it was, whatever is found out about its sender later.
        clone: (row.clone && !frozen) || against_report,
        by_hand,
    };
    let presence = presence(&facts, period, now, policy);
    let counts = matches!(presence, Presence::Reported | Presence::Preliminary);
    let sent = report.map(|report| read_lines(&report.lines)).transpose()?.unwrap_or_default();
    let (highs, weeks) = weekly(data, row.installation)?;
    let mut suggested: BTreeMap<(String, String), u32> = highs.clone().unwrap_or_default();
    if shadowed && report.is_some() {
        suggested = sent.iter().map(|line| ((line.workload.clone(), line.variant.clone()), line.count)).collect();
    }
    let figure = |((workload, variant), count)| Figure { workload, variant, count };
    let installation = Arc::new(Expected {
        id: row.installation,
        name: row.name.clone(),
        license: Arc::clone(&license),
        presence,
        source: source(presence, by_manual_line),
        contested: report.is_some_and(|report| report.contested) && presence != Presence::Answered,
        report: report.map(|report| ReportOf {
            revision: report.revision,
            received: report.received,
            is_final: report.is_final,
        }),
        answer: answer.filter(|_| presence == Presence::Answered).map(|answer| (answer.at, catalog.who(answer.by))),
        seen: row.seen,
        activated: row.activated,
        retired: row.retired,
        suggested: suggested.into_iter().map(figure).collect(),
    });
    let mut standing = InstallationMonth {
        expected: Arc::clone(&installation),
        raw: report
            .filter(|_| presence == Presence::Answered)
            .map(|_| sent.iter().map(|line| sent_points(catalog, &license, line)).sum()),
        submitted: Points::ZERO,
        by_manual_line,
        adjusted: false,
        history_differs: report.is_some_and(|report| report.history_differs),
        new_share: sent.iter().fold((0, 0), |(new, count), line| (new + line.new, count + line.count)),
        highs,
        weeks,
        replaces: row.replaces,
    };
    match report.filter(|_| counts) {
        Some(report) => {
            let had_other = catalog.before.had_other(row);
            let mut raw = Points::ZERO;
            for sent in &sent {
                let line = automatic(catalog, &installation, report, sent, had_other);
                standing.submitted += line.points;
                raw += raw_points(&line);
                standing.adjusted |= line.is_adjusted();
                built.lines.push(line);
            }
            // New ones that are charged are part of it here.
            standing.raw = Some(raw);
            if sent.is_empty() {
                built.lines.push(empty(&installation));
            }
        }
        None if presence == Presence::Answered && !by_manual_line => {
            let answer = answer.ok_or(Error::Internal("an answered installation without its answer"))?;
            for figure in &answer.lines {
                let mut line = empty(&installation);
                fill(catalog, &mut line, &figure.workload, &figure.variant, i64::from(figure.count));
                line.raw =
                    sent.iter().find(|l| l.workload == figure.workload && l.variant == figure.variant).map(|l| l.raw);
                line.by = Some((answer.at, catalog.who(answer.by)));
                standing.submitted += line.points;
                built.lines.push(line);
            }
            if answer.lines.is_empty() {
                let by = Some((answer.at, catalog.who(answer.by)));
                built.lines.push(Line { by, ..empty(&installation) });
            }
        }
        None if by_manual_line => {}
        None => built.lines.push(empty(&installation)),
    }
    built.installations.push(standing);
    Ok(())
}

fn source(presence: Presence, by_manual_line: bool) -> Source {
    match presence {
        Presence::Answered if by_manual_line => Source::Manual,
        Presence::Reported => Source::Automatic,
        Presence::Preliminary => Source::Preliminary,
        Presence::Answered => Source::Answered,
        Presence::Replaced => Source::Replaced,
        Presence::Awaited => Source::Awaited,
        Presence::Missing => Source::Missing,
        Presence::Clone => Source::Clone,
    }
}

/// Reads a report's lines as stored.
pub(crate) fn read_lines(text: &str) -> Result<Vec<ReportLine>> {
    serde_json::from_str(text).map_err(|_| Error::Internal("a stored report cannot be read"))
}

type Highs = Option<BTreeMap<(String, String), u32>>;

/// The highest daily figure of the month that the watermarks hold per line, and the weeks they are of.
fn weekly(data: &MonthData, installation: InstallationId) -> Result<(Highs, BTreeSet<tenure_core::Week>)> {
    let Some(rows) = data.watermarks.get(&installation) else { return Ok((None, BTreeSet::new())) };
    let mut highs: BTreeMap<(String, String), u32> = BTreeMap::new();
    let mut weeks = BTreeSet::new();
    for row in rows {
        weeks.insert(row.week);
        let stored: StoredWatermark =
            serde_json::from_str(&row.lines).map_err(|_| Error::Internal("a stored watermark cannot be read"))?;
        for line in stored.0 {
            if let Some(high) = watermark_high(data.usage.period, [(row.week, line.daily.as_slice())]) {
                let held = highs.entry((line.workload, line.variant)).or_default();
                *held = (*held).max(high);
            }
        }
    }
    Ok((Some(highs), weeks))
}

fn automatic(
    catalog: &Catalog<'_>,
    installation: &Arc<Expected>,
    report: &ReportRow,
    sent: &ReportLine,
    had_other: bool,
) -> Line {
    let key = (sent.workload.clone(), sent.variant.clone());
    let proven = catalog.data.proven.get(&installation.id).and_then(|units| units.get(&key)).copied().unwrap_or(0);
    let charged = charged_new(sent.new, proven, had_other);
    let products = sent.count.saturating_add(charged);
    let rows = catalog.data.adjustments.get(&installation.id);
    let adjusted = rows.into_iter().flatten().find(|row| row.workload == sent.workload && row.variant == sent.variant);
    let mut line = empty(installation);
    let count = adjusted.map_or(products, |row| row.count);
    fill(catalog, &mut line, &sent.workload, &sent.variant, i64::from(count));
    line.new = sent.new - charged;
    line.new_charged = charged;
    line.raw = Some(sent.raw.saturating_add(charged));
    line.reported = Some(products);
    line.adjustment = adjusted.map(|row| adjustment(catalog, row, report.revision));
    line.taken_out = sent
        .adjustments
        .iter()
        .map(|taken| TakenOut { units: taken.units, reason: taken.reason.clone(), note: taken.note.clone() })
        .collect();
    line.peak = peak(catalog.data.usage.period, &sent.daily);
    line.daily.clone_from(&sent.daily);
    line
}

fn adjustment(catalog: &Catalog<'_>, row: &AdjustmentRow, revision: u32) -> Adjustment {
    Adjustment {
        count: row.count,
        was: row.was,
        reason: row.reason.parse().ok(),
        note: row.note.clone(),
        at: row.at,
        by: catalog.who(row.by),
        must_confirm: adjust::standing(row.revision, revision) == Standing::MustConfirm,
    }
}

fn peak(period: Period, daily: &[Option<u32>]) -> Option<(Day, u32)> {
    let counts = period.days().zip(daily).filter_map(|(day, count)| Some((day, (*count)?)));
    // The first of equal days.
    counts.fold(None, |best, (day, count)| match best {
        Some((_, held)) if held >= count => best,
        _ => Some((day, count)),
    })
}

/// A line of an installation without figures.
fn empty(installation: &Arc<Expected>) -> Line {
    let license = &installation.license;
    Line {
        license: Some(Arc::clone(license)),
        installation: Some(Arc::clone(installation)),
        site: license.site,
        source: installation.source,
        ..blank(Arc::clone(&license.product), license.company.clone())
    }
}

pub(super) fn blank(product: Arc<ProductOf>, company: Option<Arc<Named<CompanyId>>>) -> Line {
    Line { company, ..Line::blank(product) }
}

impl Line {
    /// A line of a product that says nothing yet.
    fn blank(product: Arc<ProductOf>) -> Self {
        Self {
            own: None,
            product,
            company: None,
            license: None,
            installation: None,
            workload: Arc::default(),
            site: None,
            of_period: None,
            source: Source::Manual,
            licensed: None,
            new: 0,
            new_charged: 0,
            raw: None,
            reported: None,
            count: 0,
            previous: None,
            weight: None,
            points: Points::ZERO,
            unmapped: false,
            adjustment: None,
            taken_out: Vec::new(),
            by: None,
            said: None,
            tag: [0; 32],
            reviewed: None,
            daily: Vec::new(),
            peak: None,
        }
    }
}

/// Gives a line its figure, with the catalog's weight of the month's first day ("Counting", Line).
pub(super) fn fill(catalog: &Catalog<'_>, line: &mut Line, code: &str, variant: &str, count: i64) {
    let product = line.product.id;
    line.workload = catalog.workload(product, code, variant);
    line.weight = catalog.weight(product, code, variant);
    line.unmapped = line.weight.is_none();
    line.licensed =
        line.license.as_ref().and_then(|license| catalog.licensed.get(&(license.id, code, variant)).copied());
    line.count = count;
    line.points = line::points(count, line.weight);
}

/// What a figure of a report comes to as the product counted it.
fn sent_points(catalog: &Catalog<'_>, license: &LicenseOf, sent: &ReportLine) -> Points {
    line::points(i64::from(sent.raw), catalog.weight(license.product.id, &sent.workload, &sent.variant))
}

fn raw_points(line: &Line) -> Points {
    line::points(i64::from(line.raw.unwrap_or(0)), line.weight)
}

/// Automatic licenses without any installation in the month: `not installed`, 0 ("Validity").
fn not_installed(catalog: &Catalog<'_>, built: &mut Built) -> Result<()> {
    let period = catalog.data.usage.period;
    let installed: BTreeSet<LicenseId> = catalog.data.expected.iter().map(|row| row.license).collect();
    for row in &catalog.data.licenses {
        let held = row.ended.is_none_or(|ended| ended > period.start());
        let counted = row.reporting.extends() && row.anchor.is_some_and(|anchor| anchor < period.end());
        if !counted || installed.contains(&row.id) || !held {
            continue;
        }
        let license = catalog.license(row.id)?;
        let blank = blank(Arc::clone(&license.product), license.company.clone());
        let (site, license) = (license.site, Some(license));
        built.lines.push(Line { license, site, source: Source::NotInstalled, ..blank });
    }
    Ok(())
}
