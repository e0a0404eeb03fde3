//! Who may do what to whose: every operation of the OpenAPI document, for every role and every relation to the tenant.
//!
//! The expectations stand in `table.txt`, which says how to add a row. Beyond them, for every row:
//! * nobody, an expired, a revoked and an invented token are told 401;
//! * what is not yours is answered as what does not exist, to the letter;
//! * an answer holds no id of a tenant that the caller does not see;
//! * a caller who may do it to its own things may not if one of them is another's.

mod maker;
mod scene;
mod table;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use axum::http::Method;
use scene::{Principal, Scene};
use table::{Expected, Filled, GROUPS, Row, rows};
use tenure_testkit::{Answer, TestApp};

/// Operations of the OpenAPI document, and those of them that take `If-Match`.
fn operations() -> BTreeMap<String, bool> {
    let document = serde_json::to_value(tenure_api::openapi()).expect("JSON");
    let mut found = BTreeMap::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("an item") {
            let headers = operation["parameters"].as_array().cloned().unwrap_or_default();
            let takes_tag = headers.iter().any(|header| header["name"] == "if-match");
            found.insert(format!("{} {path}", method.to_uppercase()), takes_tag);
        }
    }
    found
}

#[test]
fn every_operation_has_a_row_and_every_row_an_operation() {
    let operations: BTreeSet<String> = operations().into_keys().collect();
    let rows: BTreeSet<String> = rows().iter().map(Row::operation).collect();
    let missing: Vec<_> = operations.difference(&rows).collect();
    assert!(missing.is_empty(), "authorization/table.txt has no row for {missing:#?}");
    let gone: Vec<_> = rows.difference(&operations).collect();
    assert!(gone.is_empty(), "authorization/table.txt has rows for {gone:#?}, which the API does not have");
}

/// A deployment that is made anew whenever somebody has changed it.
struct Stage<'a> {
    scene: &'a Scene,
    app: Option<TestApp>,
}

impl Stage<'_> {
    async fn call(&mut self, row: &Row, filled: &Filled, takes_tag: bool, token: Option<&str>) -> Answer {
        let app = match self.app.take() {
            Some(app) => app,
            None => self.scene.app.fork().await,
        };
        let method: Method = row.method.parse().expect("a method");
        let tag = filled.tag.as_deref().filter(|_| takes_tag);
        let headers: Vec<(&str, &str)> = tag.iter().map(|tag| ("if-match", *tag)).collect();
        let answer = app.call(method.clone(), &filled.path, token, filled.body.clone(), &headers).await;
        if method == Method::GET || !answer.status.is_success() {
            self.app = Some(app);
        }
        answer
    }
}

/// Rows that are wrong, as text.
async fn hold(scene: &Scene, row: &Row, takes_tag: bool) -> Vec<String> {
    let mut stage = Stage { scene, app: None };
    let mut wrong = Vec::new();
    let own = row.fill(&|name| scene.own.get(name));
    for (who, token) in &scene.nobodies {
        let status = stage.call(row, &own, takes_tag, token.as_deref()).await.status.as_u16();
        let fine = if row.expected.is_some() { status == 401 } else { !matches!(status, 401 | 403 | 404) };
        if !fine {
            wrong.push(format!("{who} is answered {status}"));
        }
    }
    let mut found: BTreeMap<usize, String> = BTreeMap::new();
    let mut as_expected = true;
    for principal in &scene.principals {
        let answer = stage.call(row, &own, takes_tag, Some(&principal.token)).await;
        let status = answer.status.as_u16();
        let is = Expected::letter(status);
        found.entry(principal.group).or_default().push(is);
        let expected = row.expected.as_ref().map_or(Expected::Allowed, |groups| groups[principal.group][principal.at]);
        as_expected &= matches!(is, '+' | '-' | '.') && Expected::of(is) == expected;
        if is == '.' {
            let hidden: Vec<&str> = scene.hidden_from(principal).collect();
            let absent = row.fill(&|name| scene.absent(name, &hidden));
            let absent = stage.call(row, &absent, takes_tag, Some(&principal.token)).await;
            if told(&absent) != told(&answer) {
                let (of_absent, of_foreign) = (absent.text(), answer.text());
                wrong.push(format!("{principal} can tell foreign from absent: {of_foreign} or {of_absent}"));
            }
        }
        if answer.status.is_success() && row.expected.is_some() {
            let asked = format!("{}{}", own.path, own.body.as_ref().map(ToString::to_string).unwrap_or_default());
            for id in scene.hidden_from(principal).filter(|id| !asked.contains(*id)) {
                if answer.text().contains(id) {
                    wrong.push(format!("{principal} is shown {id} of another tenant"));
                }
            }
        }
    }
    if !as_expected {
        wrong.push(format!("the table's line would have to be\n{}", table::line(&found)));
    }
    mixed(&mut stage, row, takes_tag, &mut wrong).await;
    wrong
}

/// A refusal without the id of the request.
fn told(answer: &Answer) -> (u16, serde_json::Value) {
    let mut body = answer.json();
    if let Some(fields) = body.as_object_mut() {
        fields.remove("operation");
    }
    (answer.status.as_u16(), body)
}

/// A caller's own things, one of them replaced by another tenant's: never done.
async fn mixed(stage: &mut Stage<'_>, row: &Row, takes_tag: bool, wrong: &mut Vec<String>) {
    let scene = stage.scene;
    let Some(expected) = &row.expected else { return };
    for (group, foreign, whose) in [
        (2, &scene.sibling, "a sibling's"),
        (2, &scene.stranger, "a stranger's"),
        (3, &scene.other_site, "another site's"),
        (1, &scene.stranger, "a stranger's"),
    ] {
        let may = |who: &&Principal| who.group == group && expected[group][who.at] == Expected::Allowed;
        let Some(principal) = scene.principals.iter().find(may) else { continue };
        for (name, _) in row.things() {
            let (Some(theirs), Some(ours)) = (foreign.get(&name), scene.own.get(&name)) else { continue };
            if theirs == ours {
                continue;
            }
            let filled = row.fill(&|other| if other == name { Some(theirs.clone()) } else { scene.own.get(other) });
            let answer = stage.call(row, &filled, takes_tag, Some(&principal.token)).await;
            if answer.status.is_success() {
                wrong.push(format!("{principal} is let through with {whose} {name}: {}", answer.text()));
            }
        }
    }
}

async fn hold_part(part: usize) {
    let (scene, operations) = (Scene::new().await, operations());
    let mut wrong = String::new();
    for row in rows().iter().skip(part).step_by(PARTS) {
        let name = row.operation();
        for what in hold(&scene, row, operations.get(&name).copied().unwrap_or_default()).await {
            writeln!(wrong, "{row}: {what}").expect("a text takes text");
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}\nThe groups are {GROUPS:?}");
}

/// The table is held in parts, so that they run beside each other and each stays short.
const PARTS: usize = 4;

#[tokio::test]
async fn the_table_holds_part_1() {
    hold_part(0).await;
}

#[tokio::test]
async fn the_table_holds_part_2() {
    hold_part(1).await;
}

#[tokio::test]
async fn the_table_holds_part_3() {
    hold_part(2).await;
}

#[tokio::test]
async fn the_table_holds_part_4() {
    hold_part(3).await;
}
