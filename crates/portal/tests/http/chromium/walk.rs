//! Every page that a link leads to, of every desk: looked at by axe in both themes, on a wide and on a narrow window.

use std::collections::{BTreeMap, VecDeque};

use serde_json::Value;
use tokio::task::spawn_blocking;

use super::Chromium;
use crate::{
    hostile,
    populated::{self, Person},
};

const AXE: &str = include_str!("../../vendor/axe.min.js");
/// Pages that one person may reach at most; more are a loop.
const MAX_PAGES: usize = 120;

/// Everything that can be opened is open. Dark differs in its colors alone, so only they are looked at again.
const LOOK: &str = "
    const done = arguments[0];
    document.querySelectorAll('details').forEach(each => { each.open = true; });
    const words = found => found.violations.map(each => each.id + ': ' + each.nodes.slice(0, 3).map(node =>
        node.target.join(' ') + ' ' + node.html.slice(0, 160) + ' ' + node.failureSummary.split('\\n')[1]).join(' | '));
    const colors = {runOnly: ['color-contrast', 'link-in-text-block']};
    const all = {rules: {'target-size': {enabled: true}}};
    axe.run(document, THEME === 'dark' ? colors : all).then(found => done(words(found)), error => done([String(error)]));
";

/// What makes a page scroll sideways, or stick out of its card where only a table may.
const OVERFLOW: &str = "
    const wide = [...document.querySelectorAll('main *, .bar *')].filter(each =>
        each.getBoundingClientRect().right > innerWidth + 1 && !each.closest('.scroll, .hidden, details:not([open])'));
    const over = document.documentElement.scrollWidth > innerWidth;
    return [...(over ? ['the page scrolls sideways'] : []), ...wide.slice(0, 3).map(each => each.outerHTML.slice(0, 120))];
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_page_has_a_barrier_in_either_theme() {
    let (world, people) = populated::world(&["Contoso AG", "Fabrikam Ltd"]).await;
    let address = world.app.serve().await;
    let found = spawn_blocking(move || {
        let browser = Chromium::start(address);
        let mut found = look_at(&browser, "/sign-in");
        let mut pages = 0;
        for person in &people {
            let (walked, barriers) = walk(&browser, person, |path| look_at(&browser, path));
            pages += walked;
            found.extend(barriers);
        }
        assert!(pages > 60, "only {pages} pages were reached");
        found.extend(browser.complaints());
        found
    })
    .await
    .expect("the browser did it");
    assert!(found.is_empty(), "{} barriers:\n{}", found.len(), found.join("\n"));
}

/// Signs in and opens one page of each kind that links lead to; how many, and what was found there.
fn walk(browser: &Chromium, person: &Person, look: impl Fn(&str) -> Vec<String>) -> (usize, Vec<String>) {
    browser.sign_in(&person.email, &person.password);
    let mut found = Vec::new();
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    let mut ahead = VecDeque::from(person.starts());
    for path in &ahead {
        seen.insert(kind_of(path), path.clone());
    }
    while let Some(path) = ahead.pop_front() {
        found.extend(look(&path).into_iter().map(|what| format!("{} at {path}: {what}", person.email)));
        for link in links(browser) {
            if seen.insert(kind_of(&link), link.clone()).is_none() {
                ahead.push_back(link);
            }
        }
        assert!(seen.len() < MAX_PAGES, "{:?}", seen.keys());
    }
    browser.open("/");
    browser.sign_out();
    (seen.len(), found)
}

/// Where the page leads within the portal; files are not pages.
fn links(browser: &Chromium) -> Vec<String> {
    let found = browser.run("return [...document.querySelectorAll('a[href]')].map(link => link.getAttribute('href'))");
    let found = found.as_array().cloned().unwrap_or_default();
    let paths = found.iter().filter_map(Value::as_str).filter_map(|href| href.split('#').next());
    let is_page = |path: &&str| {
        path.starts_with('/') && !["/report/", ".csv", "/document", "/assets/"].iter().any(|file| path.contains(file))
    };
    paths.filter(is_page).map(str::to_owned).collect()
}

/// A path without what differs between two pages of one kind: ids, months, and what filters are set to.
fn kind_of(path: &str) -> String {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let part = |part: &str| {
        let is_id = part.len() > 30 || (part.len() == 7 && part.starts_with("20"));
        if is_id { "*".to_owned() } else { part.to_owned() }
    };
    let path: Vec<_> = path.split('/').map(part).collect();
    let mut names: Vec<_> = query.split('&').filter_map(|pair| pair.split('=').next()).collect();
    names.sort_unstable();
    format!("{}?{}", path.join("/"), names.join("&"))
}

fn look_at(browser: &Chromium, path: &str) -> Vec<String> {
    browser.width(390);
    browser.open(path);
    let mut found = strings(&browser.run(OVERFLOW), "at 390 pixels");
    browser.width(1440);
    found.extend(strings(&browser.run(OVERFLOW), "at 1440 pixels"));
    browser.run(AXE);
    for theme in ["light", "dark"] {
        browser.theme(theme);
        found.extend(strings(&browser.run_later(&LOOK.replace("THEME", &format!("{theme:?}"))), theme));
    }
    found
}

fn strings(found: &Value, when: &str) -> Vec<String> {
    let found = found.as_array().unwrap_or_else(|| panic!("a list, not {found}"));
    found.iter().map(|each| format!("{when}: {}", each.as_str().unwrap_or_default())).collect()
}

#[test]
fn pages_of_one_kind_are_opened_once() {
    let one = kind_of("/months/mu_01a19467-e81e-7878-9f6b-df3f4a382438?show=all&page=2");
    assert_eq!(one, kind_of("/months/mu_01a19467-e81e-7362-bef1-fc40090fa5e3?page=1&show=changed"));
    assert_eq!(kind_of("/months/2026-09/submit"), "/months/*/submit?");
}

/// The same pages with script payloads for names, in a browser that would run them: it has nothing to refuse.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_payload_runs() {
    let texts = hostile::texts();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let (world, people) = populated::world(&texts).await;
    let address = world.app.serve().await;
    let complaints = spawn_blocking(move || {
        let browser = Chromium::start(address);
        for person in &people {
            let (_, foreign) = walk(&browser, person, |path| {
                browser.open(path);
                // What ran would have left its mark, what the policy refused would be in the log.
                let foreign = "return [...document.querySelectorAll('script:not([src^=\"/assets/\"]), iframe, object, embed, base')]
                    .concat([...document.querySelectorAll('*')].filter(each => [...each.attributes].some(one => /^(on|hx-on)/.test(one.name))))
                    .map(each => each.outerHTML.slice(0, 200));";
                strings(&browser.run(foreign), "foreign markup")
            });
            assert!(foreign.is_empty(), "{foreign:?}");
        }
        browser.complaints()
    })
    .await
    .expect("the browser did it");
    assert!(complaints.is_empty(), "{complaints:?}");
}
