//! The month without a mouse.

use std::time::Instant;

use serde_json::json;
use tenure_testkit::wait_for;
use tokio::task::spawn_blocking;

use super::{BOUND, CONTROL, Chromium, ENTER, TAB};
use crate::{
    fifty, month,
    world::{DISTRIBUTOR, PROVIDER},
};

impl Chromium {
    /// Moves the focus on with the tab key until it is on what begins with these words, and is seen there.
    #[track_caller]
    fn tab_to(&self, words: &str) {
        for _ in 0..150 {
            self.press(&[TAB]);
            let script = format!(
                "const at = document.activeElement; \
                 const words = (at.labels?.[0] || at).innerText?.trim() || at.getAttribute('aria-label') || ''; \
                 return words.startsWith({words:?});"
            );
            if self.run(&script) == true {
                return self.assert_focus_is_seen();
            }
        }
        panic!("{words:?} cannot be reached with the tab key");
    }

    #[track_caller]
    fn assert_focus_is_seen(&self) {
        let seen = self.run(
            "const style = getComputedStyle(document.activeElement); const box = document.activeElement.getBoundingClientRect(); \
             return (style.boxShadow !== 'none' || style.outlineStyle !== 'none') && box.bottom > 0 && box.top < innerHeight;",
        );
        assert_eq!(seen, true, "the focus is seen: {}", self.run("return document.activeElement.outerHTML"));
    }

    /// Presses Enter on what begins with these words.
    #[track_caller]
    fn enter_on(&self, words: &str) {
        self.tab_to(words);
        self.press(&[ENTER]);
    }

    fn sign_in_by_keyboard(&self, email: &str, password: &str) {
        self.open("/sign-in");
        if self.run("return document.activeElement.type") != "email" {
            self.tab_to("E-mail");
        }
        self.type_text(email);
        self.press(&[TAB]);
        self.type_text(password);
        self.press(&[ENTER]);
        self.wait_to_say("Sign out");
    }

    #[track_caller]
    fn wait_for_path(&self, path: &str) {
        wait_for(path, BOUND, || (self.run("return location.pathname") == path).then_some(()));
    }
}

/// Review, answer, adjust with a reason, submit, reject, submit again, approve: by two people without a mouse.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_month_is_reviewed_submitted_and_approved_by_keyboard_alone() {
    let world = month::world().await;
    let password = world.provider_password().await;
    let role = tenure_core::roles::Role::DistributorApprover;
    let approver = world.person(world.distributor, DISTRIBUTOR, "Luc Moreau", role, None).await;
    let address = world.app.serve().await;
    spawn_blocking(move || {
        let browser = Chromium::start(address);
        browser.sign_in_by_keyboard(PROVIDER, &password);
        browser.press(&[TAB]);
        assert_eq!(browser.run("return document.activeElement.innerText"), "Skip to content");
        browser.press(&[ENTER]);
        browser.enter_on("Review");
        browser.wait_to_say("Needs an answer");
        browser.enter_on("It was zero");
        browser.wait_to_say("Your answer is in");
        browser.enter_on("Adjust");
        browser.wait_to_say("Why");
        browser.tab_to("Host");
        browser.press(&[CONTROL, "a"]);
        browser.type_text("7");
        browser.tab_to("Reason");
        browser.press(&["T"]);
        browser.tab_to("Why");
        browser.type_text("Two were a demo");
        browser.press(&[ENTER]);
        browser.wait_to_say("The figure is adjusted");
        browser.press(&["k"]);
        browser.press(&["v"]);
        browser.wait_to_say("Marked as reviewed");
        assert_eq!(browser.run("return document.activeElement.ariaPressed"), "true", "the focus stays on the line");
        browser.enter_on("Submit Usage");
        browser.wait_to_say("You are about to submit");
        browser.enter_on("Submit Usage");
        browser.wait_to_say("is submitted");
        browser.enter_on("Sign out");
        browser.wait_to_say("You are signed out");

        browser.sign_in_by_keyboard(DISTRIBUTOR, &approver);
        browser.enter_on("Review");
        browser.wait_to_say("Approve or reject it by");
        browser.enter_on("Reject…");
        browser.tab_to("What the provider should correct");
        browser.type_text("Which two?");
        browser.press(&[ENTER]);
        browser.wait_to_say("Rejected. The provider sees your reason");
        assert_eq!(browser.complaints(), Vec::<String>::new());
    })
    .await
    .expect("the browser did it");
}

/// The palette, single keys and their switch.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_and_rows_are_reached_by_their_keys() {
    let world = month::world().await;
    let password = world.provider_password().await;
    let address = world.app.serve().await;
    spawn_blocking(move || {
        let browser = Chromium::start(address);
        browser.sign_in_by_keyboard(PROVIDER, &password);
        browser.press(&[CONTROL, "k"]);
        browser.type_text("inst");
        browser.press(&[ENTER]);
        browser.wait_for_path("/installations");
        browser.press(&["j"]);
        browser.press(&["j"]);
        assert_eq!(browser.run("return document.activeElement.innerText"), "bkp-main.contoso.example");
        browser.press(&["k"]);
        browser.press(&[ENTER]);
        browser.wait_to_say("bkp-silent.contoso.example");
        browser.press(&["g"]);
        browser.press(&["l"]);
        browser.wait_for_path("/licenses");
        browser.enter_on("New License Key");
        browser.wait_for_path("/licenses/new");
        browser.tab_to("Description");
        browser.type_text("For the branch");
        browser.press(&[ENTER]);
        browser.wait_for_path("/licenses/new/workloads");
        browser.press(&["?"]);
        browser.wait_to_say("Single keys");
        assert_eq!(browser.complaints(), Vec::<String>::new());
    })
    .await
    .expect("the browser did it");
}

/// The bar of a monthly report: 50 licenses that did not change, at most 3 actions and 60 seconds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unchanged_month_of_fifty_licenses_takes_three_actions_and_less_than_a_minute() {
    let world = fifty::world().await;
    let password = world.provider_password().await;
    let address = world.app.serve().await;
    spawn_blocking(move || {
        let browser = Chromium::start(address);
        browser.sign_in(PROVIDER, &password);
        #[expect(clippy::disallowed_methods, reason = "how long a person would wait is real time")]
        let begun = Instant::now();
        let mut actions = 0;
        let mut act = |css: &str, words: &str, then: &str| {
            actions += 1;
            browser.click(css, words);
            browser.wait_to_say(then);
        };
        act("a", "Review", "50 of 50");
        assert!(browser.run("return document.body.innerText").as_str().expect("text").contains("50 unchanged lines"));
        act("button.primary", "Submit Usage", "You are about to submit");
        act("button.primary", "Submit Usage", "is submitted");
        let took = begun.elapsed();
        assert!(actions <= 3 && took.as_secs() < 60, "{actions} actions in {took:?}");
        assert_eq!(browser.complaints(), Vec::<String>::new());
        assert_eq!(browser.run("return location.pathname"), json!("/months/2026-10/receipts/1"));
    })
    .await
    .expect("the browser did it");
}
