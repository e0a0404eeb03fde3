//! The program's numbers: looking at them, and changing them from a future month on.

use serde::Serialize;
use serde_json::{Map, Value, json};
use tenure_core::{
    Period, Points, Policy,
    policy::takes_effect_at_once,
    roles::{Action, OrgKind},
};
use tenure_store::{Conn, Queue, rows::policy};

use crate::{
    Actor, ContentTag, Error, Idempotency, IfMatch, ProblemKind, Result, Service,
    authorize::at_home,
    change,
    idempotent::{self, Begun},
};

/// Fields that are amounts of points: decimal text outside, thousandths inside.
const POINTS: [&str; 2] = ["deviation_points", "overuse_points"];
/// Most versions a program has.
const MAX_VERSIONS: usize = 500;

/// The numbers of a program as people read and write them: one value per field, points as decimal text.
pub type PolicyValues = Map<String, Value>;

/// The numbers in force, and those that are to come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyView {
    /// The month since which those in force hold.
    pub from: Period,
    /// Those in force.
    pub policy: Policy,
    /// Those to come, by their month.
    pub scheduled: Vec<(Period, Policy)>,
}

/// What is to be different about the numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PolicyChange {
    /// The month from which it holds; none for at once, where every field allows it.
    pub from: Option<Period>,
    /// The fields with their new values.
    pub values: PolicyValues,
}

impl PolicyView {
    /// The tag of the numbers in force and to come.
    pub fn tag(&self) -> ContentTag {
        ContentTag::of(&self.content())
    }

    fn content(&self) -> impl Serialize + use<> {
        let mut content = policy_values(&self.policy);
        let scheduled = self.scheduled.iter().map(|(from, policy)| json!([from, policy_values(policy)])).collect();
        content.insert("scheduled".to_owned(), Value::Array(scheduled));
        content
    }
}

/// A policy as people read it.
///
/// # Panics
/// Never: a policy is a flat object.
pub fn policy_values(policy: &Policy) -> PolicyValues {
    let Ok(Value::Object(mut values)) = serde_json::to_value(policy) else { unreachable!("a policy is an object") };
    for field in POINTS {
        if let Some(milli) = values.get(field).and_then(Value::as_i64) {
            values.insert(field.to_owned(), Value::String(Points::from_milli(milli).to_string()));
        }
    }
    values
}

/// A policy with some fields changed, as people write them.
///
/// # Errors
/// The first field that is none, has no such value, or contradicts the others, in words.
pub(crate) fn with_values(policy: &Policy, values: &PolicyValues) -> Result<Policy, String> {
    let Ok(Value::Object(mut fields)) = serde_json::to_value(policy) else { unreachable!("a policy is an object") };
    for (name, value) in values {
        if !fields.contains_key(name) {
            return Err(format!("`{name}` is no number of the program"));
        }
        let value = match value {
            Value::String(text) if POINTS.contains(&name.as_str()) => {
                let points: Points = text.parse().map_err(|error| format!("{name}: {error}"))?;
                json!(points.as_milli())
            }
            _ if POINTS.contains(&name.as_str()) => {
                return Err(format!("{name}: points are decimal text in quotes, as \"20\""));
            }
            other => other.clone(),
        };
        fields.insert(name.clone(), value);
        let fits = serde_json::from_value::<Policy>(Value::Object(fields.clone()));
        fits.map_err(|error| format!("{name}: {error}"))?;
    }
    let changed: Policy = serde_json::from_value(Value::Object(fields)).map_err(|error| error.to_string())?;
    changed.validate().map_err(|error| error.to_string())?;
    Ok(changed)
}

/// All versions with a change made: those that begin later take it in, field by field, until one sets that field itself.
pub(crate) fn scheduled(
    versions: &[(Period, Policy)],
    from: Period,
    values: &PolicyValues,
) -> Result<Vec<(Period, Policy)>, String> {
    let at = versions.partition_point(|(begins, _)| *begins <= from);
    let base = at.checked_sub(1).map(|before| versions[before].clone());
    let (begins, base) = base.ok_or_else(|| format!("the program has no numbers for {from}"))?;
    let mut result: Vec<(Period, Policy)> = versions[..at - usize::from(begins == from)].to_vec();
    result.push((from, with_values(&base, values)?));
    let (mut open, mut before) = (values.clone(), base);
    for (begins, policy) in &versions[at..] {
        let (old, own) = (policy_values(&before), policy_values(policy));
        open.retain(|name, _| old.get(name) == own.get(name));
        result.push((*begins, with_values(policy, &open).map_err(|words| format!("from {begins} on: {words}"))?));
        before = policy.clone();
    }
    Ok(result)
}

/// The numbers in force and to come; for everybody who may look at their organization.
pub async fn view_policy(service: &Service, actor: &Actor) -> Result<PolicyView> {
    let mut read = service.store().read().await?;
    at_home(&mut read, actor, Action::View).await?;
    view(&mut read, Period::of(service.now())).await
}

async fn view(conn: &mut Conn, now: Period) -> Result<PolicyView> {
    Ok(split(versions(conn, now).await?, now))
}

fn split(mut versions: Vec<(Period, Policy)>, now: Period) -> PolicyView {
    let coming = versions.split_off(versions.partition_point(|(from, _)| *from <= now).max(1));
    let (from, policy) = versions.pop().expect("there is at least one version");
    PolicyView { from, policy, scheduled: coming }
}

/// All versions; where none is stored, the program description's.
pub(crate) async fn versions(conn: &mut Conn, now: Period) -> Result<Vec<(Period, Policy)>> {
    let stored = policy::all(conn).await?;
    Ok(if stored.is_empty() { vec![(now, Policy::default())] } else { stored })
}

/// What a change would make of the versions, and the month it begins with.
pub(crate) fn planned(
    versions: &[(Period, Policy)],
    change: &PolicyChange,
    now: Period,
) -> Result<(Period, Vec<(Period, Policy)>)> {
    let refused = |words: String| Error::from(ProblemKind::InvalidInput.because(words));
    if change.values.is_empty() {
        return Err(refused("name at least one field in `values`".to_owned()));
    }
    let from = match change.from {
        Some(from) if from <= now => {
            return Err(refused(format!("`from` must be a month after {now}: what holds is never changed")));
        }
        Some(from) => from,
        None => {
            if let Some(name) = change.values.keys().find(|name| !takes_effect_at_once(name)) {
                let words = format!("`{name}` changes on the 1st of a future month only: name it in `from`");
                return Err(refused(words));
            }
            now
        }
    };
    let made = scheduled(versions, from, &change.values).map_err(refused)?;
    if made.len() > MAX_VERSIONS {
        return Err(refused(format!("a program has at most {MAX_VERSIONS} versions of its numbers")));
    }
    Ok((from, made))
}

/// Changes numbers of the program, from the 1st of a future month on, or at once where they change no figure, deadline or
/// validity; for the vendor's administrator.
pub async fn change_policy(
    service: &Service,
    actor: &Actor,
    seen: IfMatch,
    input: PolicyChange,
    idempotency: Option<Idempotency>,
) -> Result<PolicyView> {
    let (now, actor) = (service.now(), actor.clone());
    let period = Period::of(now);
    let (view, versions) = service
        .store()
        .write(Queue::People, async move |tx| {
            at_home(tx, &actor, Action::ManageProgram).await?;
            let stored = versions(tx, period).await?;
            let remember = match idempotent::begin(tx, &actor, "policy.change", idempotency.as_ref(), now).await? {
                Begun::Done(()) => return Ok((split(stored.clone(), period), stored)),
                Begun::Do(remember) => remember,
            };
            seen.check(&split(stored.clone(), period).content())?;
            let (from, made) = planned(&stored, &input, period)?;
            for (begins, policy) in &made {
                if !stored.contains(&(*begins, policy.clone())) {
                    policy::put(tx, *begins, policy).await?;
                }
            }
            let body = json!({ "from": from, "values": input.values });
            let subject = service_subject(&actor);
            change::by(tx, &actor, actor.org, "policy.changed", subject, now, body);
            idempotent::remember(tx, remember, &()).await?;
            Ok::<_, Error>((split(made.clone(), period), made))
        })
        .await?;
    service.renew_policy(&versions);
    Ok(view)
}

/// The program belongs to the vendor: its changes are the vendor's.
fn service_subject(actor: &Actor) -> String {
    actor.org.to_string()
}

/// Takes in what another process changed; cheap when nothing did.
pub(crate) async fn refresh(service: &Service) -> Result<()> {
    let mut read = service.store().peek().await?;
    let stored = versions(&mut read, Period::of(service.now())).await?;
    service.renew_policy(&stored);
    Ok(())
}

/// Who may ask what a change would do.
pub(crate) async fn may_preview(conn: &mut Conn, actor: &Actor) -> Result<()> {
    let kind = at_home(conn, actor, Action::View).await?;
    let may = kind == OrgKind::Vendor
        && (actor.role.may(Action::ManageProgram, kind, false) || actor.role.may(Action::ManageCatalog, kind, false));
    if may { Ok(()) } else { Err(ProblemKind::Forbidden.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn period(text: &str) -> Period {
        text.parse().unwrap()
    }

    fn values(json: Value) -> PolicyValues {
        json.as_object().unwrap().clone()
    }

    #[test]
    fn points_are_text_outside() {
        let policy = Policy::default();
        let shown = policy_values(&policy);
        assert_eq!(shown["deviation_points"], "20");
        assert_eq!(with_values(&policy, &shown), Ok(policy.clone()));
        let changed = with_values(&policy, &values(json!({"deviation_points": "7.5"}))).unwrap();
        assert_eq!(changed.deviation_points.to_string(), "7.5");
        for (bad, words) in [
            (json!({"deviation_points": 20}), "in quotes"),
            (json!({"deviation_points": "1.2345"}), "three decimals"),
            (json!({"grace_day": 1}), "`grace_day` is no number"),
            (json!({"grace_days": "many"}), "grace_days"),
            (json!({"grace_days": -1}), "grace_days"),
            (json!({"auto_send_day": 29}), "a day from 1 to 28"),
        ] {
            let said = with_values(&policy, &values(bad.clone())).unwrap_err();
            assert!(said.contains(words), "{bad}: {said}");
        }
    }

    #[test]
    fn a_change_reaches_later_versions_until_they_say_otherwise() {
        let of = |grace_days, warning_days| Policy { grace_days, warning_days, ..Policy::default() };
        let versions =
            [(period("2026-01"), of(60, 30)), (period("2026-06"), of(60, 20)), (period("2026-09"), of(50, 20))];
        let made =
            scheduled(&versions, period("2026-03"), &values(json!({"grace_days": 40, "warning_days": 10}))).unwrap();
        let shown: Vec<_> = made.iter().map(|(from, p)| (from.to_string(), p.grace_days, p.warning_days)).collect();
        let expected = [("2026-01", 60, 30), ("2026-03", 40, 10), ("2026-06", 40, 20), ("2026-09", 50, 20)];
        assert_eq!(shown, expected.map(|(from, grace, warning)| (from.to_owned(), grace, warning)));
        let same = scheduled(&versions, period("2026-06"), &values(json!({"grace_days": 40}))).unwrap();
        assert_eq!(same.iter().map(|(_, p)| p.grace_days).collect::<Vec<_>>(), [60, 40, 50]);
        assert!(scheduled(&versions, period("2025-12"), &values(json!({"grace_days": 40}))).is_err());
    }

    #[test]
    fn what_decides_figures_waits_for_a_month() {
        let versions = [(period("2026-01"), Policy::default())];
        let now = period("2026-04");
        let plan = |from: Option<&str>, json: Value| {
            planned(&versions, &PolicyChange { from: from.map(period), values: values(json) }, now)
        };
        assert_eq!(plan(None, json!({"check_in_days": 3})).unwrap().0, now);
        assert_eq!(plan(Some("2026-05"), json!({"grace_days": 40})).unwrap().0, period("2026-05"));
        for (from, json) in [
            (None, json!({"grace_days": 40})),
            (None, json!({"check_in_days": 3, "grace_days": 40})),
            (Some("2026-04"), json!({"grace_days": 40})),
            (Some("2026-05"), json!({})),
        ] {
            assert!(plan(from, json.clone()).is_err(), "{from:?} {json}");
        }
    }
}
