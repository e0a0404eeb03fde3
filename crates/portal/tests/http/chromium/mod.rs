//! A real browser, with its script and its policy: Debian's Chromium, driven over WebDriver.

mod flows;
mod keyboard;
mod walk;

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::Duration,
};

use axum::http::Request;
use serde_json::{Value, json};
use tenure_testkit::{http::Agent, wait_for};

const BOUND: Duration = Duration::from_secs(30);

/// Keys that have no character of their own, as WebDriver writes them.
const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";
const CONTROL: &str = "\u{e009}";

/// A headless Chromium with a profile of its own. It ends with this value.
struct Chromium {
    driver: Child,
    session: String,
    http: Agent,
    /// Where the application answers.
    base: String,
}

impl Chromium {
    /// A browser for the application at an address.
    fn start(address: std::net::SocketAddr) -> Self {
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
        let sessions = format!("http://127.0.0.1:{port}/session");
        let made = http.send(Request::post(&sessions), Some(&wanted)).expect("a session");
        let id = made["value"]["sessionId"].as_str().expect("a session id");
        Self { driver, session: format!("{sessions}/{id}"), http, base: format!("http://{address}") }
    }

    #[track_caller]
    fn post(&self, path: &str, body: &Value) -> Value {
        let answer = self.http.send(Request::post(format!("{}{path}", self.session)), Some(body));
        answer.expect("WebDriver answers")["value"].clone()
    }

    fn open(&self, path: &str) {
        self.post("/url", &json!({"url": format!("{}{path}", self.base)}));
    }

    /// What a script in the page gives.
    #[track_caller]
    fn run(&self, script: &str) -> Value {
        self.post("/execute/sync", &json!({"script": script, "args": []}))
    }

    /// What a script gives that ends by calling its last argument.
    #[track_caller]
    fn run_later(&self, script: &str) -> Value {
        self.post("/execute/async", &json!({"script": script, "args": []}))
    }

    /// A command of the browser's own protocol.
    fn devtools(&self, command: &str, parameters: &Value) {
        self.post("/goog/cdp/execute", &json!({"cmd": command, "params": parameters}));
    }

    /// Shows pages as somebody sees them whose system is `light` or `dark`, and moves nothing: colors are there at once.
    fn theme(&self, theme: &str) {
        let features = json!([
            {"name": "prefers-color-scheme", "value": theme},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]);
        self.devtools("Emulation.setEmulatedMedia", &json!({"features": features}));
    }

    /// Shows pages in a window of so many pixels.
    fn width(&self, pixels: u32) {
        let size = json!({"width": pixels, "height": 1000, "deviceScaleFactor": 1, "mobile": pixels < 600});
        self.devtools("Emulation.setDeviceMetricsOverride", &size);
    }

    /// Signs somebody in who is signed out.
    fn sign_in(&self, email: &str, password: &str) {
        self.open("/sign-in");
        self.type_into("input[type=email]", email);
        self.type_into("input[type=password]", password);
        self.click("button", "Sign in");
        self.wait_to_say("Sign out");
    }

    fn sign_out(&self) {
        self.click("button", "Sign out");
        self.wait_to_say("You are signed out");
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

    /// Presses keys together, as a person does, and lets them go.
    fn press(&self, keys: &[&str]) {
        let down = keys.iter().map(|key| json!({"type": "keyDown", "value": key}));
        let up = keys.iter().rev().map(|key| json!({"type": "keyUp", "value": key}));
        let actions: Vec<_> = down.chain(up).collect();
        self.post("/actions", &json!({"actions": [{"type": "key", "id": "keyboard", "actions": actions}]}));
    }

    /// Types a text, key by key, into whatever has the focus.
    fn type_text(&self, text: &str) {
        for key in text.chars() {
            self.press(&[key.encode_utf8(&mut [0; 4])]);
        }
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
