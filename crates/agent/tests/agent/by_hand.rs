//! Without a network: files out, files back (protocol, A9, A10, C12).

use tenure_agent::{AgentError, Imported};
use tenure_core::update::UpdateResult;
use tenure_license::{
    Envelope, Hash, LicenseFile, OfflineAnswer, OfflineAsk, OfflineFile, OfflineReply, OfflineRequest, OfflineResponse,
    PublicKey, armor, decode_payload, offline_body, sign,
};

use crate::{
    chain::{assert_no_fork, requests},
    peer::Peer,
    world::{World, at},
};

const PLAN: &[(&str, &str, &str)] = &[("a", "2025-11-01", "2027-12-31")];

/// What a portal does with a request file: answers it, and signs a cover around the answer.
fn answer_to(peer: &Peer, text: &str) -> String {
    let file = OfflineFile::parse(armor::OFFLINE_REQUEST, text).unwrap();
    let cover: OfflineRequest = decode_payload(&file.cover.payload).unwrap();
    assert_eq!(cover.body, file.body_hash());
    let mut server = peer.server();
    let (answer, key) = match file.read::<OfflineAsk>().unwrap() {
        OfflineAsk::Activation(body) => {
            let answer = server.activate(&body).unwrap();
            (OfflineAnswer::Activation(answer), server.installations.last().unwrap().key)
        }
        OfflineAsk::CheckIn(body) => {
            let answer = server.check_in(&body);
            (OfflineAnswer::CheckIn(answer), server.installations[0].key)
        }
    };
    let reply = OfflineReply { roots: server.roots[1..].to_vec(), answer };
    covered(peer, server, &reply, cover.req, key)
}

fn covered(
    _: &Peer,
    server: std::sync::MutexGuard<'_, crate::peer::Server>,
    reply: &OfflineReply,
    req: Hash,
    key: PublicKey,
) -> String {
    let body = offline_body(reply);
    let cover = OfflineResponse {
        v: 1,
        aud: server.aud,
        req,
        key: key.id(),
        body: Hash::sha256(body.get()),
        at: tenure_core::Clock::now(&*server.clock).as_secs(),
        crit: Vec::new(),
    };
    let cover = sign(&cover, &[&server.receipt_key]).into_envelope();
    OfflineFile { cover, body }.to_text(armor::OFFLINE_RESPONSE, &[])
}

/// An activated machine that lost its network.
fn isolated() -> World {
    let mut world = World::new(PLAN).activated();
    world.run_to("2026-01-12T08:00:00Z");
    world.peer.server().silent = true;
    world
}

fn carried(world: &mut World) -> String {
    world.keeper().request_file().unwrap().text
}

#[test]
fn a_machine_without_any_network_is_activated_and_reports_by_files() {
    let mut world = World::new(PLAN);
    world.peer.server().silent = true;
    world.open().unwrap();
    assert!(matches!(world.keeper().request_file(), Err(AgentError::NothingToCarry)));
    let code = world.peer.code();
    world.keeper().activate(&code).unwrap();
    let file = carried(&mut world);
    assert_eq!(carried(&mut world), file, "the same request each time (A2)");
    let answer = answer_to(&world.peer.clone(), &file);
    assert_eq!(world.keeper().import(&answer).unwrap(), Imported::Activated);
    assert_eq!(world.keeper().import(&answer).unwrap(), Imported::Already);
    assert_eq!(world.peer.server().installations.len(), 1);
    // A month goes by; its final report goes out in a file with all that waits, and the license comes back with it.
    world.run_to("2026-02-04T00:00:00Z");
    assert_eq!(world.status().serial, Some(1));
    let made = world.keeper().request_file().unwrap();
    assert!(made.documents >= 4, "watermarks, report, evidence: {made:?}");
    let answer = answer_to(&world.peer.clone(), &made.text);
    let imported = world.keeper().import(&answer).unwrap();
    assert!(
        matches!(imported, Imported::Answered { result: UpdateResult::UpToDate | UpdateResult::Updated, installed: true, receipted } if receipted == made.documents),
        "{imported:?}"
    );
    let status = world.status();
    assert_eq!((status.serial, status.reported_through), (Some(2), Some("2026-01".parse().unwrap())));
    assert_eq!(status.unsent_documents, 0);
    assert_no_fork(&world.peer);
}

#[test]
fn c12_files_may_be_answered_in_any_order_and_beside_a_network_that_returns() {
    let mut world = isolated();
    let first = carried(&mut world);
    world.run_to("2026-01-20T08:00:00Z");
    let second = carried(&mut world);
    world.run_to("2026-01-28T08:00:00Z");
    let third = carried(&mut world);
    let peer = world.peer.clone();
    // The second is uploaded first; the first is then older than what the server holds, the third lists the second.
    let to_second = answer_to(&peer, &second);
    let to_first = answer_to(&peer, &first);
    let to_third = answer_to(&peer, &third);
    assert!(matches!(world.keeper().import(&to_third).unwrap(), Imported::Answered { .. }));
    for late in [&to_second, &to_first] {
        let refused = world.keeper().import(late).unwrap_err().to_string();
        assert!(refused.contains("answers a request that does not wait here"), "{refused}");
    }
    assert_eq!(world.keeper().import(&to_third).unwrap(), Imported::Already);
    // One file is on its way when the network returns: it is known to the server, and nobody is out of step.
    world.run_to("2026-02-02T08:00:00Z");
    let under_way = carried(&mut world);
    let to_it = answer_to(&peer, &under_way);
    world.peer.server().silent = false;
    let before = world.peer.server().out_of_steps;
    world.run_to("2026-02-04T00:00:00Z");
    assert_eq!(world.peer.server().out_of_steps, before);
    assert!(world.keeper().import(&to_it).is_err(), "answered since");
    assert_eq!(world.status().reported_through, Some("2026-01".parse().unwrap()));
    assert_eq!(world.status().unsent_documents, 0);
    assert_no_fork(&world.peer);
}

#[test]
fn a_set_back_machine_settles_it_by_a_second_file() {
    let mut world = isolated();
    let snapshot = world.journal.copy();
    let file = carried(&mut world);
    let peer = world.peer.clone();
    let answer = answer_to(&peer, &file);
    world.keeper().import(&answer).unwrap();
    world.keeper = None;
    world.journal = snapshot;
    world.machine.reboot();
    world.open().unwrap();
    world.run_to("2026-01-20T08:00:00Z");
    let file = carried(&mut world);
    let answer = answer_to(&peer, &file);
    assert_eq!(world.keeper().import(&answer).unwrap(), Imported::AnotherFileNeeded);
    assert_eq!(world.keeper().import(&answer).unwrap(), Imported::AnotherFileNeeded, "and it makes no third request");
    let before = requests(&peer).len();
    let file = carried(&mut world);
    let answer = answer_to(&peer, &file);
    assert!(matches!(world.keeper().import(&answer).unwrap(), Imported::Answered { .. }));
    assert_eq!(requests(&peer).len(), before + 1);
    assert_eq!(peer.server().rejoins, [tenure_core::chain::RejoinClass::SetBack]);
}

#[test]
fn a10_only_the_machine_that_asked_takes_an_answer_and_only_as_it_was_signed() {
    let mut world = isolated();
    let peer = world.peer.clone();
    let request = carried(&mut world);
    let answer = answer_to(&peer, &request);
    let before = world.status();
    let file = OfflineFile::parse(armor::OFFLINE_RESPONSE, &answer).unwrap();
    let refuse = |world: &mut World, text: &str, needle: &str| {
        let refused = world.keeper().import(text).unwrap_err().to_string();
        assert!(refused.contains(needle), "{refused} should say {needle}");
    };
    refuse(&mut world, &request, "BEGIN TENURE OFFLINE RESPONSE");
    refuse(&mut world, "", "does not begin with");
    refuse(&mut world, &answer[..answer.len() / 2], "the file is cut");
    // Another body under the cover, and a cover by somebody else.
    let reply: OfflineReply = file.read().unwrap();
    let swapped = OfflineReply { roots: vec![peer.root()], ..reply.clone() };
    let swapped = OfflineFile { cover: file.cover.clone(), body: offline_body(&swapped) };
    refuse(&mut world, &swapped.to_text(armor::OFFLINE_RESPONSE, &[]), "changed after it was signed");
    let stranger = tenure_license::SigningKey::from_seed(&[9; 32]);
    let forged = tenure_license::sign_bytes(&file.cover.payload_type, file.cover.payload.clone(), &[&stranger]);
    let forged = OfflineFile { cover: forged, body: file.body.clone() };
    refuse(&mut world, &forged.to_text(armor::OFFLINE_RESPONSE, &[]), "not known here");
    // Made for another key.
    let cover: OfflineResponse = decode_payload(&file.cover.payload).unwrap();
    let elsewhere = covered(&peer, peer.server(), &reply, cover.req, stranger.public());
    refuse(&mut world, &elsewhere, "made for another installation");
    // The cover names one request, the answer inside another.
    let key = peer.server().installations[0].key;
    let cheated = covered(&peer, peer.server(), &reply, Hash::sha256("another request"), key);
    refuse(&mut world, &cheated, "does not wait here");
    let after = world.status();
    assert_eq!(
        (after.serial, after.last_contact, after.last_result),
        (before.serial, before.last_contact, before.last_result)
    );
    assert!(matches!(world.keeper().import(&answer).unwrap(), Imported::Answered { .. }));
}

#[test]
fn an_answer_brings_the_trust_root_along() {
    let mut world = isolated();
    {
        let mut server = world.peer.server();
        for seed in [11, 12] {
            server.license_key = tenure_license::SigningKey::from_seed(&[seed; 32]);
            server.receipt_key = tenure_license::SigningKey::from_seed(&[seed + 10; 32]);
            server.publish_root();
        }
        server.issue(0);
    }
    let file = carried(&mut world);
    let answer = answer_to(&world.peer.clone(), &file);
    assert!(matches!(world.keeper().import(&answer).unwrap(), Imported::Answered { installed: true, .. }));
    assert_eq!(world.status().serial, Some(2));
}

#[test]
fn the_time_of_an_answer_that_was_carried_only_moves_the_clock_forward() {
    let mut world = isolated();
    let file = carried(&mut world);
    // The server answers two days after the file was made; it is brought back three days later.
    world.truth.set(at("2026-01-14T08:00:00Z"));
    let answer = answer_to(&world.peer.clone(), &file);
    world.truth.set(at("2026-01-17T08:00:00Z"));
    world.keeper().import(&answer).unwrap();
    let now = world.status().as_of;
    assert!(now <= at("2026-01-17T08:00:01Z") && now >= at("2026-01-17T07:59:59Z"), "not two days ahead: {now}");
}

#[test]
fn a_license_file_is_installed_where_nothing_renews_by_itself() {
    let mut world = isolated();
    let text = |envelope: &Envelope| LicenseFile::to_text(envelope);
    let newer = world.peer.server().license_like(|license| license.serial = 5);
    assert_eq!(world.keeper().import(&text(&newer)).unwrap(), Imported::LicenseInstalled);
    assert_eq!(world.status().serial, Some(5));
    assert_eq!(world.keeper().import(&text(&newer)).unwrap(), Imported::Already);
    let older = world.peer.server().license_like(|license| license.serial = 4);
    let elsewhere = world.peer.server().license_like(|license| {
        license.serial = 6;
        license.installation.as_mut().unwrap().key = tenure_license::SigningKey::from_seed(&[9; 32]).key_id();
    });
    for (license, needle) in [(older, "older than the license held"), (elsewhere, "bound to another installation")] {
        let refused = world.keeper().import(&text(&license)).unwrap_err().to_string();
        assert!(refused.contains(needle), "{refused}");
    }
}
