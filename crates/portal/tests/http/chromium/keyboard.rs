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
        browser.enter_on("Sign out");
        browser.wait_to_say("You are signed out");

        browser.sign_in_by_keyboard(PROVIDER, &password);
        browser.enter_on("Review");
        browser.wait_to_say("rejected this month: “Which two?”");
        browser.enter_on("Submit Usage");
        browser.wait_to_say("You are about to submit");
        browser.enter_on("Submit Usage");
        browser.wait_to_say("is submitted");
        browser.enter_on("Sign out");
        browser.wait_to_say("You are signed out");

        browser.sign_in_by_keyboard(DISTRIBUTOR, &approver);
        browser.enter_on("Review");
        browser.wait_to_say("Approve or reject it by");
        browser.enter_on("Approve ");
        browser.wait_to_say("Approved and closed");
        browser.wait_to_say("Nothing waits for you");
        assert_eq!(browser.complaints(), Vec::<String>::new());
    })
    .await
    .expect("the browser did it");
}

/// Several months approved at once: chosen in the queue, looked at once more, each with its result.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clean_months_are_approved_together_by_keyboard_alone() {
    let (world, _) = month::clean_world().await;
    let which = || tenure_service::MonthRef::Own("2026-09".parse().expect("a month"));
    let seen = tenure_service::view_month(&world.app.service, &world.admin, which()).await.expect("the month").tag;
    let input = tenure_service::SubmitInput { seen, purchase_order: None, comment: None };
    tenure_service::submit_month(&world.app.service, &world.admin, which(), input).await.expect("it is submitted");
    let role = tenure_core::roles::Role::DistributorApprover;
    let approver = world.person(world.distributor, DISTRIBUTOR, "Luc Moreau", role, None).await;
    let address = world.app.serve().await;
    spawn_blocking(move || {
        let browser = Chromium::start(address);
        browser.sign_in_by_keyboard(DISTRIBUTOR, &approver);
        browser.wait_to_say("One month has no flag");
        // Ticked from the start; taken off and put on again.
        browser.press(&["j"]);
        browser.press(&["x"]);
        let ticked = "return document.querySelector('input[name=month]').checked";
        assert_eq!(browser.run(ticked), false);
        browser.press(&["x"]);
        assert_eq!(browser.run(ticked), true);
        browser.press(&["s"]);
        browser.press(&[ENTER]);
        browser.wait_to_say("You are about to approve");
        browser.enter_on("Approve this month");
        browser.wait_to_say("One of one approved");
        browser.wait_to_say("Approved and closed");
        browser.enter_on("Back to My Actions");
        browser.wait_to_say("Nothing waits for you");
        assert_eq!(browser.complaints(), Vec::<String>::new());
    })
    .await
    .expect("the browser did it");
}

/// A new license key, from the button in the list to the key: what is chosen, typed, weighed and rounded.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_license_key_is_made_and_switched_by_keyboard_alone() {
    let world = month::world().await;
    let password = world.provider_password().await;
    let address = world.app.serve().await;
    spawn_blocking(move || {
        let browser = Chromium::start(address);
        browser.sign_in_by_keyboard(PROVIDER, &password);
        browser.press(&["g"]);
        browser.press(&["l"]);
        browser.wait_for_path("/licenses");
        browser.enter_on("New License Key");
        browser.wait_for_path("/licenses/new");
        browser.tab_to("Product");
        browser.type_text("Example File");
        browser.tab_to("Company");
        browser.type_text("Contoso");
        browser.tab_to("Description");
        browser.type_text("For the branch");
        browser.press(&[ENTER]);
        browser.wait_for_path("/licenses/new/workloads");
        browser.tab_to("Host");
        browser.type_text("3");
        browser.press(&[ENTER]);
        browser.wait_for_path("/licenses/new/summary");
        browser.wait_to_say("13.5");
        browser.wait_to_say("The key, rounded up");
        browser.wait_to_say("Held by");
        browser.enter_on("Create license key");
        browser.wait_to_say("The license key is created");
        browser.wait_to_say("For the branch");

        // In the list it is chosen, and its automatic reporting turned off.
        browser.press(&["g"]);
        browser.press(&["l"]);
        browser.wait_to_say("For the branch");
        browser.press(&["j"]);
        browser.press(&["x"]);
        browser.enter_on("Turn off…");
        browser.wait_to_say("Turn automatic reporting off for one license");
        browser.enter_on("Turn off for one license");
        browser.wait_to_say("One of one switched");
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
