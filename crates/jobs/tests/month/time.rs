//! Jobs: by clock, once each, whatever order and however often they are run.

use tenure_core::cycle::UsageState;
use tenure_service::{ProblemKind, set_auto_submit};

use crate::world::{World, kind, own};

#[tokio::test]
async fn reminders_are_sent_once_each_until_the_month_is_submitted() {
    let world = World::new().await;
    let mut server = world.licensed_server("contoso").await;
    let days = async || -> Vec<u64> {
        let messages = world.messages("usage.reminder").await;
        messages.iter().filter_map(|(_, body)| body["days"].as_u64()).collect()
    };
    world.at("2026-02-01T00:00:00Z").await;
    assert_eq!(days().await, [7], "seven days before lies before the opening: sent then");
    world.at("2026-02-03T00:00:00Z").await;
    world.app.run_jobs().await;
    assert_eq!(days().await, [7, 3]);
    world.at("2026-02-05T00:00:00Z").await;
    assert_eq!(days().await, [7, 3, 1]);
    world.at("2026-02-06T00:00:00Z").await;
    assert_eq!(world.messages("usage.late").await.len(), 2, "provider and distributor");

    world.at("2026-03-01T12:00:00Z").await;
    world.hosts(&mut server, "2026-02", 9).await;
    world.submit("2026-02").await.expect("submitted");
    world.at("2026-03-06T00:00:00Z").await;
    let of_february =
        world.messages("usage.reminder").await.into_iter().filter(|(_, body)| body["period"] == "2026-02");
    assert_eq!(of_february.count(), 1, "who has submitted is left alone");
    let late = world.messages("usage.late").await.into_iter().filter(|(_, body)| body["period"] == "2026-02");
    assert_eq!(late.count(), 0);
}

#[tokio::test]
async fn time_that_stood_still_is_caught_up_with() {
    let world = World::new().await;
    world.licensed_server("contoso").await;
    // Nothing ran for four months.
    world.at("2026-05-20T00:00:00Z").await;
    for month in ["2026-01", "2026-02", "2026-03", "2026-04"] {
        let month = world.month(month).await;
        assert_eq!((month.head.state, month.lines.len()), (UsageState::PendingProviderReview, 1));
        assert!(month.head.late);
    }
    assert_eq!(world.messages("usage.reminder").await.len(), 4, "of reminders long past the last alone is sent");
    assert_eq!(world.messages("provider.suspended").await.len(), 1);
    assert_eq!(world.app.run_jobs().await, 0, "nothing is left to do");
    let next = tenure_jobs::next_due(world.service()).await.expect("a date");
    assert_eq!(next.map(|next| next.to_string()).as_deref(), Some("2026-05-21T00:00:00Z"), "the day's notices");
}

#[tokio::test]
async fn a_provider_by_hand_has_until_the_tenth() {
    let world = World::new().await;
    let license = world.license("contoso", false).await;
    let server = world.server(license, "hand.contoso.example").await;
    world.at("2026-02-08T00:00:00Z").await;
    let month = world.month("2026-01").await;
    assert_eq!(month.head.due.to_string(), "2026-02-11T00:00:00Z");
    assert_eq!(crate::world::source(&month, &server), tenure_core::line::Source::Awaited);
    // A manual line for its license accounts for its server.
    let mut line = world.manual("file-backup", "host", 7).await;
    line.license = Some(license);
    tenure_service::add_manual_line(world.service(), &world.ada, own("2026-01"), line, None).await.expect("a line");
    let month = world.month("2026-01").await;
    assert_eq!((month.blockers.len(), month.totals.reported.to_string().as_str()), (0, "31.5"));
    world.submit("2026-01").await.expect("submitted");
}

#[tokio::test]
async fn it_submits_by_itself_only_what_nobody_needs_to_look_at() {
    let world = World::new().await;
    let mut server = world.licensed_server("contoso").await;
    world.at("2026-02-01T12:00:00Z").await;
    set_auto_submit(world.service(), &world.ada, own("2026-01"), true).await.expect("asked for");
    // The weeks are missing: flagged, so it asks instead.
    world.hosts(&mut server, "2026-01", 9).await;
    world.at("2026-02-05T12:00:00Z").await;
    assert_eq!(world.state("2026-01").await, UsageState::PendingProviderReview);
    assert_eq!(world.messages("usage.not_submitted_by_itself").await.len(), 1);

    // Asked for once, it stays so.
    world.at("2026-03-01T12:00:00Z").await;
    world.weeks(&mut server, "2026-02", 9).await;
    world.hosts(&mut server, "2026-02", 9).await;
    world.at("2026-03-05T11:59:59Z").await;
    assert_eq!(world.state("2026-02").await, UsageState::PendingProviderReview);
    world.at("2026-03-05T12:00:00Z").await;
    let month = world.month("2026-02").await;
    assert_eq!(month.head.state, UsageState::PendingDistributorReview);
    assert_eq!(month.head.submitted.as_ref().map(|one| one.by.name.as_str()), Some("the server"));
    assert_eq!(
        kind(set_auto_submit(world.service(), &world.ada, own("2026-02"), false).await),
        ProblemKind::MonthState
    );
    world.approve("2026-02").await.expect("the distributor decides as ever");
}

#[tokio::test]
async fn x7_a_day_tells_once_of_licenses_that_begin_to_expire() {
    let world = World::new().await;
    world.licensed_server("contoso").await;
    world.at("2026-02-22T00:00:00Z").await;
    assert_eq!(world.messages("license.expiring").await.len(), 0, "more than 30 days are left");
    for again in ["2026-02-23T00:00:00Z", "2026-02-23T09:00:00Z", "2026-02-24T00:00:00Z", "2026-02-28T00:00:00Z"] {
        world.at(again).await;
    }
    let told = world.messages("license.expiring").await;
    assert_eq!(told.len(), 1, "{told:?}");
    let (_, body) = &told[0];
    assert_eq!((&body["licenses"], &body["day"]), (&serde_json::json!(1), &serde_json::json!("2026-03-25")));
}

#[tokio::test]
async fn x7_a_letter_that_was_not_settled_is_claimed_again_as_the_same() {
    let world = World::new().await;
    world.licensed_server("contoso").await;
    world.at("2026-02-01T00:00:00Z").await;
    let service = world.service();
    let all = async || {
        let mut letters = Vec::new();
        loop {
            let (some, more) = tenure_service::claim_letters(service, "https://rental.example").await.expect("letters");
            letters.extend(some);
            if !more {
                return letters;
            }
        }
    };
    let first = all().await;
    let opened = first.iter().find(|letter| letter.subject.starts_with("Usage of 2026-01: to be submitted"));
    let opened = opened.unwrap_or_else(|| panic!("the 1st brings a letter: {first:?}")).clone();
    assert!(!opened.to.is_empty());
    assert_eq!(all().await, [], "whoever claimed them has five minutes");
    for letter in first.iter().filter(|letter| letter.id != opened.id) {
        tenure_service::letter_sent(service, letter.id).await.expect("it is settled");
    }
    world.app.clock.advance_secs(301);
    let again = all().await;
    assert_eq!(again, [tenure_service::Letter { attempts: 2, ..opened.clone() }], "the same, under the same id");
    tenure_service::letter_failed(service, &again[0], "451 come again").await.expect("it is noted");
    world.app.clock.advance_secs(119);
    assert_eq!(all().await, [], "the second failure waits two minutes");
    world.app.clock.advance_secs(1);
    assert_eq!(all().await.len(), 1);
    tenure_service::letter_sent(service, opened.id).await.expect("it is settled");
    world.app.clock.advance_secs(100_000);
    assert_eq!(all().await, []);
}
