//! What needs an answer, most urgent first.

use std::{collections::BTreeMap, sync::Arc};

use tenure_core::{cycle::UsageState, deviation::Flag, expected::Presence, line::Source};
use tenure_service::{self as service, CatalogView, Expected, Line, Month};

use super::{
    super::product,
    lines::{company_of, key_of, name_of},
};
use crate::{
    format,
    pages::month::{
        May, Side,
        ask::{Ask, AskKind, FigureField},
    },
    web::count_field,
};

/// Licenses named one by one in a card; the rest is said as a number.
const MAX_NAMED: usize = 20;
/// Servers named where many carry one flag.
const MAX_ALIKE: usize = 6;

pub(super) fn asks(month: &Month, side: Side, may: May, base: &str, catalog: Option<&CatalogView>) -> Vec<Ask> {
    let mut asks = Vec::new();
    // While reports still come in, what is awaited is a number, not a question.
    let open = month.head.state != UsageState::Collecting && !month.head.state.is_submitted();
    if open && matches!(side, Side::Provider | Side::Site) {
        asks.extend(month.installations.iter().filter_map(|one| of_installation(month, one, catalog)));
        asks.extend(month.lines.iter().filter_map(of_line));
        // Stable: within one kind the order is that of the lines.
        asks.sort_by_key(|ask| urgency(&ask.kind));
    }
    if month.head.state == UsageState::Closed {
        return asks;
    }
    // A figure that somebody still has to give is asked for once, not flagged as too low beside it.
    let unanswered = |license: &&service::LicenseMonth| {
        let mut own = month.installations.iter().filter(|one| one.license.id == license.license.id);
        open && own.any(|one| one.presence.blocks_submission())
    };
    let whole = month.licenses.iter().filter(|license| !unanswered(license));
    asks.extend(alike(whole.filter_map(|license| flagged(month, license, may)).collect()));
    if open && matches!(side, Side::Provider | Side::Site) && !month.by_hand.is_empty() {
        asks.push(by_hand(month, base));
    }
    if month.lowered && month.head.vendor_consent.is_none() {
        let kind = AskKind::Lowered { submitted: month.totals.reported, products: month.products_total };
        asks.push(Ask { kind, ..nameless() });
    }
    asks
}

fn urgency(kind: &AskKind) -> u8 {
    match kind {
        AskKind::Missing { .. } => 0,
        AskKind::Clone => 1,
        AskKind::Unmapped { .. } => 2,
        AskKind::Unconfirmed { .. } => 3,
        AskKind::Contested => 4,
        _ => 5,
    }
}

fn nameless() -> Ask {
    Ask {
        installation: String::new(),
        name: String::new(),
        company: String::new(),
        product: String::new(),
        kind: AskKind::Clone,
        fields: Vec::new(),
    }
}

fn of_installation(month: &Month, one: &Arc<Expected>, catalog: Option<&CatalogView>) -> Option<Ask> {
    let kind = match one.presence {
        Presence::Missing => AskKind::Missing { last_heard: one.seen, highest: highest(one, catalog) },
        Presence::Awaited => AskKind::Awaited { until: month.head.awaited_until, last_heard: one.seen },
        Presence::Clone => AskKind::Clone,
        Presence::Reported | Presence::Preliminary if one.contested => AskKind::Contested,
        _ => return None,
    };
    let fields = workloads(one, catalog)
        .map(|(workload, variant, name, _)| FigureField {
            name: count_field(workload, variant),
            label: name.to_owned(),
            value: i64::from(suggested(one, workload, variant)),
        })
        .collect();
    Some(Ask {
        installation: one.id.to_string(),
        name: name_of(one),
        company: company_of(one.license.company.as_ref()),
        product: product(&one.license.product.name, &one.license.product.edition),
        kind,
        fields,
    })
}

/// Code, variant, name and unit of what is counted on the installation's product.
fn workloads<'a>(
    one: &'a Expected,
    catalog: Option<&'a CatalogView>,
) -> impl Iterator<Item = (&'a str, &'a str, &'a str, &'a str)> {
    let product =
        catalog.and_then(|catalog| catalog.products.iter().find(|view| view.product.id == one.license.product.id));
    product
        .into_iter()
        .flat_map(|view| &view.workloads)
        .map(|(row, _)| (row.code.as_str(), row.variant.as_str(), row.name.as_str(), row.unit.as_str()))
}

fn suggested(one: &Expected, workload: &str, variant: &str) -> u32 {
    let found = one.suggested.iter().find(|figure| figure.workload == workload && figure.variant == variant);
    found.map_or(0, |figure| figure.count)
}

/// Its highest figures of the month, as "14 machines, 3 workstations".
fn highest(one: &Expected, catalog: Option<&CatalogView>) -> String {
    workloads(one, catalog)
        .map(|(workload, variant, _, unit)| (suggested(one, workload, variant), unit))
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| format::count_of(i64::from(count), unit))
        .collect::<Vec<_>>()
        .join(", ")
}

fn of_line(line: &Line) -> Option<Ask> {
    let kind = if line.unmapped {
        AskKind::Unmapped { code: code(line), count: line.count }
    } else {
        let adjustment = line.adjustment.as_ref().filter(|adjustment| adjustment.must_confirm)?;
        AskKind::Unconfirmed {
            line: key_of(line),
            unit: line.workload.name.clone(),
            was: i64::from(adjustment.was),
            now: i64::from(line.reported.unwrap_or(0)),
            adjusted: i64::from(adjustment.count),
            reason: adjustment.reason.map(|reason| reason.word().to_owned()).unwrap_or_default(),
            note: adjustment.note.clone(),
        }
    };
    Some(Ask {
        installation: String::new(),
        name: line.installation.as_ref().map(|one| name_of(one)).unwrap_or_default(),
        company: company_of(line.company.as_ref()),
        product: product(&line.product.name, &line.product.edition),
        kind,
        fields: Vec::new(),
    })
}

fn code(line: &Line) -> String {
    let workload = &line.workload;
    if workload.variant.is_empty() { workload.code.clone() } else { format!("{}, {}", workload.code, workload.variant) }
}

fn flagged(month: &Month, license: &service::LicenseMonth, may: May) -> Option<Ask> {
    let first = license.flags.first()?;
    let tag = match first {
        Flag::Below { .. } => "Below watermark",
        Flag::ZeroAgainstWatermark { .. } => "Zero",
        Flag::MissingWeeks { .. } => "Missing week",
        Flag::NewShare { .. } => "Many new",
        Flag::HistoryDiffers => "History differs",
    };
    let of_license =
        |line: &&Line| line.license.as_ref().is_some_and(|one| one.id == license.license.id) && line.reported.is_some();
    let lines: Vec<&Line> = month.lines.iter().filter(of_license).collect();
    let is_below = matches!(first, Flag::Below { .. } | Flag::ZeroAgainstWatermark { .. });
    // One figure can be taken over in one click only where one line alone stands for the license.
    let watermark = match lines.as_slice() {
        [line] if is_below && may.edit => line
            .installation
            .as_ref()
            .map(|one| i64::from(suggested(one, &line.workload.code, &line.workload.variant)))
            .filter(|high| *high > line.count),
        _ => None,
    };
    let servers: Vec<String> =
        month.installations.iter().filter(|one| one.license.id == license.license.id).map(|one| name_of(one)).collect();
    let words: Vec<String> = license.flags.iter().map(|flag| format::sentence(&flag.to_string())).collect();
    Some(Ask {
        installation: String::new(),
        name: match servers.as_slice() {
            [] => license.license.description.clone(),
            [one] => one.clone(),
            [one, rest @ ..] => format!("{one} and {} more", rest.len()),
        },
        company: company_of(license.license.company.as_ref()),
        product: product(&license.license.product.name, &license.license.product.edition),
        kind: AskKind::Flagged {
            line: lines.first().filter(|_| may.edit && is_below).map(|line| key_of(line)).unwrap_or_default(),
            tag: tag.to_owned(),
            words: words.join(" "),
            watermark,
        },
        fields: Vec::new(),
    })
}

/// The same words about three licenses or more are said once; what can be answered in one click stays apart.
fn alike(flagged: Vec<Ask>) -> Vec<Ask> {
    let mut by_words: BTreeMap<String, usize> = BTreeMap::new();
    let words_of = |ask: &Ask| match &ask.kind {
        AskKind::Flagged { words, watermark: None, line, .. } if line.is_empty() => Some(words.clone()),
        _ => None,
    };
    for words in flagged.iter().filter_map(words_of) {
        *by_words.entry(words).or_default() += 1;
    }
    let mut out: Vec<Ask> = Vec::new();
    for ask in flagged {
        let same = words_of(&ask).filter(|words| by_words.get(words).is_some_and(|count| *count >= 3));
        let Some(same) = same else {
            out.push(ask);
            continue;
        };
        let name = if ask.company.is_empty() { ask.name } else { format!("{} ({})", ask.name, ask.company) };
        let known = out.iter_mut().find_map(|one| match &mut one.kind {
            AskKind::FlaggedAlike { words, names, .. } if *words == same => Some(names),
            _ => None,
        });
        match (known, ask.kind) {
            (Some(names), _) => {
                if names.len() < MAX_ALIKE {
                    names.push(name);
                }
            }
            (None, AskKind::Flagged { tag, words, .. }) => {
                let count = by_words.get(&words).copied().unwrap_or(0);
                let kind = AskKind::FlaggedAlike { tag, words, count, names: vec![name] };
                out.push(Ask { kind, ..nameless() });
            }
            (None, _) => {}
        }
    }
    out
}

fn by_hand(month: &Month, base: &str) -> Ask {
    let named = |license: &Arc<service::LicenseOf>| {
        let company = company_of(license.company.as_ref());
        let product = product(&license.product.name, &license.product.edition);
        let name = if company.is_empty() { product } else { format!("{product}, {company}") };
        (name, format!("{base}?manual={}#manual", license.id))
    };
    let kind = AskKind::ByHand {
        count: month.by_hand.len(),
        licenses: month.by_hand.iter().take(MAX_NAMED).map(named).collect(),
    };
    Ask { kind, ..nameless() }
}

/// Where a line's figure comes from, in the page's words; used by the lines too.
pub(super) fn is_question(source: Source) -> bool {
    source.blocks()
}
