//! Keys, roots and licenses that are not what they should be (protocol, E2, E5, E7, A1, A2, A4).

use tenure_agent::{Activation, AgentError, CheckIn, Standing};
use tenure_license::SigningKey;

use crate::{
    peer::Fate,
    world::{World, at},
};

const PLAN: &[(&str, &str, &str)] = &[("a", "2025-11-01", "2027-12-31")];

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32])
}

#[test]
fn an_activation_is_idempotent_and_its_answer_may_be_lost() {
    let mut world = World::new(PLAN);
    world.open().unwrap();
    let code = world.peer.code();
    for fate in [Fate::RequestLost, Fate::AnswerLost, Fate::Forged] {
        world.peer.server().fates.push_back(fate);
        let outcome = world.keeper().activate(&code).unwrap();
        assert!(matches!(outcome, Activation::NotReached { .. }), "{fate:?}: {outcome:?}");
        assert_eq!(world.status().standing, Standing::NotActivated);
        world.open().unwrap();
    }
    assert_eq!(world.keeper().activate(&code).unwrap(), Activation::Active);
    assert_eq!(world.keeper().activate(&code).unwrap(), Activation::Active);
    assert_eq!(world.peer.server().installations.len(), 1);
    assert_eq!(world.status().standing, Standing::Valid);
}

#[test]
fn a_daemon_asks_again_until_the_activation_is_answered() {
    let mut world = World::new(PLAN);
    world.open().unwrap();
    world.peer.server().silent = true;
    let code = world.peer.code();
    world.keeper().activate(&code).unwrap();
    let status = world.status();
    assert!(
        status.sentence.starts_with("The activation was not answered at 2026-01-10 08:00 UTC"),
        "{}",
        status.sentence
    );
    world.run_to("2026-01-10T12:00:00Z");
    world.peer.server().silent = false;
    world.run_to("2026-01-10T14:00:00Z");
    assert_eq!(world.status().standing, Standing::Valid);
}

#[test]
fn a_code_that_is_refused_says_so_and_another_one_works() {
    let mut world = World::new(PLAN);
    world.open().unwrap();
    assert!(matches!(world.keeper().activate("hello"), Err(AgentError::Activation(_))));
    let unknown = tenure_license::ActivationCode::from_bytes([7; 16]).to_string();
    let outcome = world.keeper().activate(&unknown).unwrap();
    assert_eq!(outcome, Activation::NotReached { sentence: "the server says code-unknown".into() });
    let code = world.peer.code();
    assert_eq!(world.keeper().activate(&code.to_lowercase()).unwrap(), Activation::Active);
}

#[test]
fn an_activation_file_activates_and_never_licenses() {
    let mut world = World::new(PLAN);
    world.open().unwrap();
    let file = world.peer.server().activation_file();
    let forged = tenure_license::sign_bytes(&file.payload_type, file.payload.clone(), &[&key(9)]);
    let refused = world.keeper().activate_with_file(&forged).unwrap_err().to_string();
    assert!(refused.contains("not known here"), "{refused}");
    assert_eq!(world.keeper().activate_with_file(&file).unwrap(), Activation::Active);
    let bound = world.peer.server().license_like(|_| {});
    let refused = world.keeper().activate_with_file(&bound).unwrap_err().to_string();
    assert!(refused.contains("bound to an installation already"), "{refused}");
    let mut other = World::new(PLAN);
    other.product = "archive";
    other.open().unwrap();
    let file = other.peer.server().activation_file();
    let refused = other.keeper().activate_with_file(&file).unwrap_err().to_string();
    assert_eq!(refused, "the file is for `backup`, and this product is `archive`");
}

#[test]
fn keys_that_rotated_while_the_product_slept_are_found_by_walking_the_root() {
    let mut world = World::new(PLAN).activated();
    world.run_to("2026-01-12T08:00:00Z");
    world.keeper = None;
    world.truth.set(at("2026-03-20T08:00:00Z"));
    for seed in [11, 12] {
        let mut server = world.peer.server();
        server.license_key = key(seed);
        server.receipt_key = key(seed + 10);
        server.publish_root();
        server.issue(0);
    }
    world.open().unwrap();
    world.run_to("2026-03-20T10:00:00Z");
    let status = world.status();
    assert_eq!((status.standing, status.last_error), (Standing::Valid, None));
    assert!(status.serial >= Some(3));
    // The chain is in the journal: the next start needs no server.
    world.peer.server().silent = true;
    world.open().unwrap();
    assert_eq!(world.status().serial, status.serial);
}

/// What is wrong with a license.
type Change = Box<dyn Fn(&mut tenure_license::License)>;

#[test]
fn only_newer_licenses_of_this_installation_and_product_are_installed() {
    let mut world = World::new(PLAN).activated();
    world.run_to("2026-02-10T08:00:00Z");
    let held = world.status().serial.unwrap();
    assert!(held >= 2);
    let stranger = key(77);
    let refusals: [(&str, Change); 7] = [
        ("it is older than the license held", Box::new(move |license| license.serial = held - 1)),
        ("it is older than the license held", Box::new(move |license| license.expires_at += 1)),
        ("bound to another installation", Box::new(|license| license.installation = None)),
        (
            "bound to another installation",
            Box::new(move |license| license.installation.as_mut().unwrap().key = stranger.key_id()),
        ),
        ("for another product", Box::new(|license| license.product.code = "archive".into())),
        ("of epoch 2000", Box::new(|license| license.epoch = 2000)),
        (
            "belongs to the server",
            Box::new(|license| license.aud = tenure_core::DeploymentId::from_uuid(uuid::Uuid::from_u128(99))),
        ),
    ];
    for (needle, change) in refusals {
        let license = world.peer.server().license_like(|license| {
            license.serial += 1;
            change(license);
            if needle.contains("older") && license.serial > held {
                license.serial = held;
            }
        });
        world.peer.server().push_license = Some(license);
        let outcome = world.keeper().check_in_now().unwrap();
        let CheckIn::Answered { sentence, installed: false, .. } = outcome else { panic!("{needle}: {outcome:?}") };
        assert!(sentence.contains(needle), "{needle}: {sentence}");
        let status = world.status();
        assert_eq!(status.serial, Some(held));
        assert!(status.sentence.contains("The newest license was not installed"), "{}", status.sentence);
    }
    let forged = world.peer.server().license_like(|license| license.serial += 1);
    let forged = tenure_license::sign_bytes(&forged.payload_type, forged.payload, &[&key(9)]);
    world.peer.server().push_license = Some(forged);
    let outcome = world.keeper().check_in_now().unwrap();
    assert!(
        matches!(&outcome, CheckIn::Answered { installed: false, sentence, .. } if sentence.contains("not known here")),
        "{outcome:?}"
    );
    world.peer.server().push_license = None;
    world.peer.server().issue(0);
    assert!(matches!(world.keeper().check_in_now().unwrap(), CheckIn::Answered { installed: true, .. }));
}

#[test]
fn a_revoked_license_key_takes_its_mark_along_and_stops_nothing() {
    let mut world = World::new(PLAN).activated();
    world.run_to("2026-01-15T08:00:00Z");
    // A thief signs serial 2^52; the product takes it, for the key is genuine.
    let stolen = world.peer.server().license_like(|license| license.serial = 1 << 52);
    world.peer.server().push_license = Some(stolen);
    assert!(matches!(world.keeper().check_in_now().unwrap(), CheckIn::Answered { installed: true, .. }));
    world.peer.server().push_license = None;
    assert_eq!(world.status().serial, Some(1 << 52));
    // The vendor revokes the key and signs with another one.
    {
        let mut server = world.peer.server();
        let revoked = server.license_key.public();
        server.revoke(revoked);
        server.license_key = key(21);
        server.publish_root();
        server.issue(0);
        let issued = server.installations[0].issued.clone();
        server.push_license = Some(issued);
    }
    world.run_to("2026-01-25T08:00:00Z");
    let status = world.status();
    assert_eq!((status.standing, status.serial), (Standing::Valid, Some(2)), "{}", status.sentence);
    assert_eq!(status.sentence, "The license is valid until 2026-03-25 08:00 UTC.");
}

#[test]
fn another_deployments_root_is_refused() {
    let mut world = World::new(PLAN).activated();
    let stranger = World::seeded(2, PLAN);
    world.keeper = None;
    world.peer = stranger.peer;
    assert!(matches!(world.open(), Err(AgentError::OtherRoot)));
}
