//! Months and their lines, summed as reports show them. Points are the lines' own: nothing is weighed here.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tenure_core::{LicenseId, Points, Weight};
use tenure_service::{self as service, Actor, Line, Month, MonthRef, MonthSummary, Paging};

use super::family::Family;
use crate::{
    Console,
    answer::{points, weight},
    error::Refusal,
};

/// Most months that one answer holds; older ones are closed and lie in the provider API.
const MAX_MONTHS: u32 = 36;

/// The provider's months, newest first.
pub(crate) async fn of_months(state: &Console, actor: &Actor) -> Result<Vec<MonthSummary>, Refusal> {
    // Nobody but a provider has months of its own.
    service::view_console(&state.service, actor).await?;
    let paging = Paging { cursor: None, limit: Some(MAX_MONTHS) };
    Ok(service::list_months(&state.service, actor, &paging).await?.items)
}

/// The newest month with its lines; none before the first.
pub(crate) async fn newest(state: &Console, actor: &Actor) -> Result<Option<Month>, Refusal> {
    let months = of_months(state, actor).await?;
    let Some(newest) = months.first() else { return Ok(None) };
    Ok(Some(service::view_month(&state.service, actor, MonthRef::Id(newest.id)).await?))
}

/// Sums of some lines.
#[derive(Default)]
struct Sum {
    licensed: i64,
    reported: i64,
    new: i64,
    points: Points,
    counted: BTreeSet<(Option<LicenseId>, String)>,
}

impl Sum {
    fn add(&mut self, line: &Line) {
        let license = line.license.as_ref().map(|license| license.id);
        self.add_licensed(license, &line.workload.variant, line.licensed);
        self.reported += line.count;
        self.new += i64::from(line.new);
        self.points += line.points;
    }

    /// Several servers of one license show the same licensed count; a correction shows none.
    fn add_licensed(&mut self, license: Option<LicenseId>, variant: &str, count: Option<u32>) {
        let first = count.filter(|_| self.counted.insert((license, variant.to_owned())));
        self.licensed += i64::from(first.unwrap_or(0));
    }

    fn counts(&self) -> Value {
        json!({
            "initialCount": self.licensed,
            "reportedCount": self.reported,
            "newCount": self.new,
            "usedPoints": points(self.points),
        })
    }
}

/// What lines come to.
pub(super) fn total<'a>(lines: impl IntoIterator<Item = &'a Line>) -> f64 {
    points(lines.into_iter().map(|line| line.points).sum())
}

/// Usage by workload type, and within it by weight.
pub(super) fn workloads(lines: &[&Line]) -> Vec<Value> {
    let mut types: BTreeMap<&str, Vec<&Line>> = BTreeMap::new();
    for line in lines.iter().filter(|line| !line.workload.code.is_empty()) {
        types.entry(&line.workload.code).or_default().push(line);
    }
    types.into_iter().map(|(code, lines)| workload(code, &lines)).collect()
}

fn workload(code: &str, lines: &[&Line]) -> Value {
    let (mut all, mut weights) = (Sum::default(), BTreeMap::<Option<Weight>, Sum>::new());
    for line in lines {
        all.add(line);
        weights.entry(line.weight).or_default().add(line);
    }
    // One figure has no room for several weights: then it is the mean.
    let single = match weights.keys().next() {
        Some(Some(only)) if weights.len() == 1 => weight(*only),
        _ if all.reported == 0 => 0.0,
        _ => points(all.points) / all.reported as f64,
    };
    let by_weight: Vec<Value> =
        weights.iter().map(|(each, sum)| with(sum.counts(), "weight", json!(each.map_or(0.0, weight)))).collect();
    let name = lines.first().map_or(code, |line| line.workload.name.as_str());
    let family = lines.first().map_or(Family::Backup, |line| Family::of(&line.product.code));
    let mut shown = with(all.counts(), "weight", json!(single));
    shown["workloadType"] = json!(family.workload(code));
    shown["description"] = json!(name);
    shown["workloadsByPlatform"] = json!([{ "typeId": code, "description": name, "objectsByWeight": by_weight }]);
    shown
}

fn with(mut value: Value, name: &str, field: Value) -> Value {
    value[name] = field;
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_licensed_counts_once_wherever_corrections_stand() {
        let license = "lic_0191f3c4-7e2a-7cc3-98c4-dc0c0c07398f".parse().ok();
        let mut sum = Sum::default();
        for (variant, count) in [("", None), ("", Some(12)), ("", Some(12)), ("big", Some(3))] {
            sum.add_licensed(license, variant, count);
        }
        assert_eq!(sum.licensed, 15);
    }
}
