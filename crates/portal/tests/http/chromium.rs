//! The review in a real browser, with its script and its policy: Debian's Chromium, driven over WebDriver.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::Duration,
};

use axum::http::Request;
use serde_json::{Value, json};
use tenure_testkit::{http::Agent, wait_for};

use crate::{month, world::PROVIDER};

const BOUND: Duration = Duration::from_secs(30);

/// A headless Chromium with a profile of its own. It ends with this value.
struct Chromium {
    driver: Child,
    session: String,
    http: Agent,
}

impl Chromium {
    fn start() -> Self {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("chromedriver runs: ./test installs it");
        let lines = BufReader::new(driver.stdout.take().expect("a pipe")).lines();
        let port = lines
            .map_while(Result::ok)
            .find_map(|line| {
                line.split("successfully on port ").nth(1).map(|rest| rest.trim_end_matches('.').to_owned())
            })
            .expect("chromedriver says where it listens");
        let http = Agent::new();
        let args = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--window-size=1440,1000",
        ];
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "goog:chromeOptions": {"args": args}, "goog:loggingPrefs": {"browser": "ALL"},
        }}});
        let base = format!("http://127.0.0.1:{port}/session");
        let made = http.send(Request::post(&base), Some(&wanted)).expect("a session");
        let id = made["value"]["sessionId"].as_str().expect("a session id");
        Self { driver, session: format!("{base}/{id}"), http }
    }

    #[track_caller]
    fn post(&self, path: &str, body: &Value) -> Value {
        let answer = self.http.send(Request::post(format!("{}{path}", self.session)), Some(body));
        answer.expect("WebDriver answers")["value"].clone()
    }

    fn open(&self, url: &str) {
        self.post("/url", &json!({"url": url}));
    }

    /// What a script in the page gives.
    fn run(&self, script: &str) -> Value {
        self.post("/execute/sync", &json!({"script": script, "args": []}))
    }

    /// Clicks the first visible element that fits and whose text begins so.
    #[track_caller]
    fn click(&self, css: &str, text: &str) {
        let script = format!(
            "const found = [...document.querySelectorAll({css:?})].find(e => e.innerText.trim().startsWith({text:?})); \
             if (found) found.click(); return !!found;"
        );
        wait_for(&format!("{css} {text:?}"), BOUND, || (self.run(&script) == true).then_some(()));
    }

    fn type_into(&self, css: &str, text: &str) {
        let found = self.post("/element", &json!({"using": "css selector", "value": css}));
        let id = found.as_object().and_then(|all| all.values().next()).and_then(Value::as_str).expect("an element");
        self.post(&format!("/element/{id}/value"), &json!({"text": text}));
    }

    #[track_caller]
    fn wait_to_say(&self, text: &str) {
        wait_for(&format!("the page to say {text:?}"), BOUND, || {
            let body = self.run("return document.body.innerText");
            body.as_str().is_some_and(|body| body.contains(text)).then_some(())
        });
    }

    /// What the browser complained about: a refused script or style would be here.
    fn complaints(&self) -> Vec<String> {
        let log = self.post("/se/log", &json!({"type": "browser"}));
        let entries = log.as_array().cloned().unwrap_or_default();
        entries.iter().filter_map(|entry| entry["message"].as_str().map(str::to_owned)).collect()
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // Best effort: the driver takes its browser along.
        let _ = self.http.send(Request::delete(&self.session), None);
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// The bar of a monthly report that did not change: three actions at most after signing in.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unchanged_month_is_submitted_in_two_actions() {
    let (world, _) = month::clean_world().await;
    let password = world.provider_password().await;
    let address = world.app.serve().await;
    let complaints = tokio::task::spawn_blocking(move || {
        let browser = Chromium::start();
        browser.open(&format!("http://{address}/sign-in"));
        browser.type_into("input[type=email]", PROVIDER);
        browser.type_into("input[type=password]", &password);
        browser.click("button", "Sign in");
        browser.wait_to_say("Submit the month");
        browser.click("a.primary", "Submit…");
        browser.wait_to_say("You are about to submit");
        browser.click("button.primary", "Submit Usage");
        browser.wait_to_say("is submitted");
        browser.complaints()
    })
    .await
    .expect("the browser did it");
    assert!(complaints.is_empty(), "{complaints:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_month_is_reviewed_and_submitted_in_chromium() {
    let world = month::world().await;
    let password = world.provider_password().await;
    let address = world.app.serve().await;
    let complaints = tokio::task::spawn_blocking(move || {
        let browser = Chromium::start();
        let url = |path: &str| format!("http://{address}{path}");
        browser.open(&url("/sign-in"));
        browser.type_into("input[type=email]", PROVIDER);
        browser.type_into("input[type=password]", &password);
        browser.click("button", "Sign in");
        browser.wait_to_say("1 installation is missing");
        browser.click("a", "Review");
        browser.wait_to_say("Needs an answer");
        // With its script the page swaps what a reload would show: the address stays, the page is not loaded anew.
        browser.run("window.stayed = true");
        browser.click("button", "It was zero");
        browser.wait_to_say("Nothing stands in the way");
        assert_eq!(browser.run("return window.stayed === true"), true, "the answer swapped a part of the page");
        browser.click("button.primary", "Submit Usage");
        browser.wait_to_say("You are about to submit");
        browser.click("button.primary", "Submit Usage");
        browser.wait_to_say("is submitted");
        assert!(browser.run("return location.pathname").as_str().is_some_and(|path| path.contains("/receipts/1")));
        browser.complaints()
    })
    .await
    .expect("the browser did it");
    assert!(complaints.is_empty(), "{complaints:?}");
}
