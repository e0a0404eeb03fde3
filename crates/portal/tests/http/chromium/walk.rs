//! Every page that a link leads to, of every desk: looked at by axe in both themes, on a wide and on a narrow window.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use super::Chromium;
use crate::{
    hostile,
    populated::{self, Person, is_page, kind_of},
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
    const colors = {runOnly: ['color-contrast', 'link-in-text-block'], resultTypes: ['violations']};
    const all = {rules: {'target-size': {enabled: true}}, resultTypes: ['violations']};
    axe.run(document, THEME === 'dark' ? colors : all).then(found => done(words(found)), error => done([String(error)]));
";

/// What a page should not hold: what would run, or load from elsewhere. The policy refuses it, and says so in the log.
const FOREIGN: &str = "
    const all = [...document.querySelectorAll('*')];
    const foreign = all.filter(each => each.matches('script:not([src^=\"/assets/\"]), iframe, object, embed, base')
        || [...each.attributes].some(one => /^(on|hx-on)/.test(one.name)));
    return foreign.map(each => each.outerHTML.slice(0, 120));
";

/// What makes a page scroll sideways, or stick out of its card where only a table may.
const OVERFLOW: &str = "
    const wide = [...document.querySelectorAll('main *, .bar *')].filter(each =>
        each.getBoundingClientRect().right > innerWidth + 1 && !each.closest('.scroll, .hidden, details:not([open])'));
    const over = document.documentElement.scrollWidth > innerWidth;
    return [...(over ? ['the page scrolls sideways'] : []), ...wide.slice(0, 3).map(each => each.outerHTML.slice(0, 120))];
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_page_has_a_barrier_in_either_theme_or_runs_what_somebody_wrote() {
    let (world, people) = populated::world(&hostile::texts(), 1).await;
    let address = world.app.serve().await;
    let found = spawn_blocking(move || {
        let browser = Chromium::start(address);
        // With each document, so that it need not be sent anew for each page.
        browser.devtools("Page.addScriptToEvaluateOnNewDocument", &json!({"source": AXE}));
        let mut found = look_at(&browser, "/sign-in");
        let mut pages = 0;
        for person in &people {
            let (walked, barriers) = walk(&browser, person);
            pages += walked;
            found.extend(barriers);
        }
        assert!(pages > 60, "only {pages} pages were reached");
        // A page that does not exist is looked at too, and the browser says that it was not found.
        found.extend(browser.complaints().into_iter().filter(|one| !one.contains("/no-such-page")));
        found
    })
    .await
    .expect("the browser did it");
    assert!(found.is_empty(), "{} barriers:\n{}", found.len(), found.join("\n"));
}

/// Signs in and opens one page of each kind that links lead to; how many, and what was found there.
fn walk(browser: &Chromium, person: &Person) -> (usize, Vec<String>) {
    browser.sign_in(&person.email, &person.password);
    let mut found = Vec::new();
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    let mut ahead = VecDeque::from(person.starts());
    for path in &ahead {
        seen.insert(kind_of(path), path.clone());
    }
    while let Some(path) = ahead.pop_front() {
        found.extend(look_at(browser, &path).into_iter().map(|what| format!("{} at {path}: {what}", person.email)));
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
    paths.filter(|path| is_page(path)).map(str::to_owned).collect()
}

fn look_at(browser: &Chromium, path: &str) -> Vec<String> {
    browser.width(390);
    browser.open(path);
    let mut found = strings(&browser.run(OVERFLOW), "at 390 pixels");
    browser.width(1440);
    found.extend(strings(&browser.run(OVERFLOW), "at 1440 pixels"));
    found.extend(strings(&browser.run(FOREIGN), "markup"));
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
