//! The month as most people do it: with a mouse.

use tokio::task::spawn_blocking;

use super::Chromium;
use crate::{month, world::PROVIDER};

/// The bar of a monthly report that did not change: three actions at most after signing in.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unchanged_month_is_submitted_in_two_actions() {
    let (world, _) = month::clean_world().await;
    let password = world.provider_password().await;
    let address = world.app.serve().await;
    let complaints = spawn_blocking(move || {
        let browser = Chromium::start(address);
        browser.sign_in(PROVIDER, &password);
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
    let complaints = spawn_blocking(move || {
        let browser = Chromium::start(address);
        browser.sign_in(PROVIDER, &password);
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
