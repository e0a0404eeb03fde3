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
fn e5_keys_that_rotated_while_the_product_slept_are_found_by_walking_the_root() {
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
fn e2_a_revoked_license_key_takes_its_mark_along_and_stops_nothing() {
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
fn r1_another_root_of_the_same_version_is_refused_and_said() {
    let mut world = World::new(PLAN).activated();
    world.run_to("2026-01-12T08:00:00Z");
    {
        let mut server = world.peer.server();
        let first: tenure_license::TrustRoot =
            tenure_license::decode_payload(&server.roots[0].payload).expect("a trust root");
        let other = tenure_license::TrustRoot { renew_by: first.renew_by + 1, ..first };
        let other = tenure_license::sign(&other, &[&server.root_key]).into_envelope();
        server.roots.push(other);
    }
    // An answer names version 2, and what is served as such calls itself version 1.
    world.keeper().check_in_now().unwrap();
    let said = |world: &mut World| {
        let status = world.status();
        assert_eq!((status.standing, status.trust_root.version), (Standing::Valid, 1));
        (status.trust_root.refused.unwrap_or_default(), status.sentence)
    };
    let (refused, sentence) = said(&mut world);
    assert!(refused.contains("two different trust roots call themselves version 1"), "{refused}");
    assert!(sentence.contains("The one held stays"), "{sentence}");
    world.open().unwrap();
    assert_eq!(said(&mut world).0, refused, "it is remembered");
    // The next version that is in order ends it.
    {
        let mut server = world.peer.server();
        server.roots.pop();
        server.publish_root();
    }
    world.keeper().check_in_now().unwrap();
    let status = world.status();
    assert_eq!((status.trust_root.version, status.trust_root.refused), (2, None));
}

#[test]
fn r1_a_product_that_comes_with_other_bytes_keeps_what_it_held() {
    let mut world = World::new(PLAN).activated();
    world.run_to("2026-01-12T08:00:00Z");
    world.keeper = None;
    {
        let mut server = world.peer.server();
        let first: tenure_license::TrustRoot =
            tenure_license::decode_payload(&server.roots[0].payload).expect("a trust root");
        let other = tenure_license::TrustRoot { renew_by: first.renew_by + 1, ..first };
        server.roots[0] = tenure_license::sign(&other, &[&server.root_key]).into_envelope();
    }
    world.open().unwrap();
    let status = world.status();
    assert_eq!(status.standing, Standing::Valid, "a wrong file stops nothing");
    assert!(status.trust_root.refused.is_some_and(|why| why.contains("version 1")));
}

#[test]
fn e6_a_key_or_root_that_is_old_warns_and_stops_nothing() {
    let mut world = World::new(PLAN).activated();
    world.run_to("2026-01-12T08:00:00Z");
    {
        let mut server = world.peer.server();
        let mut root: tenure_license::TrustRoot =
            tenure_license::decode_payload(&server.roots[0].payload).expect("a trust root");
        root.version = 2;
        root.renew_by = at("2026-01-13T00:00:00Z").as_secs();
        for key in &mut root.keys {
            key.until = at("2026-01-14T00:00:00Z").as_secs();
        }
        let root = tenure_license::sign(&root, &[&server.root_key]).into_envelope();
        server.roots.push(root);
    }
    world.run_to("2026-01-30T08:00:00Z");
    let status = world.status();
    assert_eq!((status.standing, status.last_error), (Standing::Valid, None));
    assert_eq!(status.trust_root.version, 2);
    assert_eq!(status.trust_root.warnings.len(), 4, "{:?}", status.trust_root.warnings);
    assert_eq!(status.sentence, "The license is valid until 2026-03-25 08:00 UTC.");
    assert!(matches!(world.keeper().check_in_now().unwrap(), CheckIn::Answered { .. }));
}

fn note(world: &World, products: &[&str]) -> tenure_license::Continuity {
    tenure_license::Continuity {
        v: 1,
        aud: world.peer.server().aud,
        id: "note-1".into(),
        vendor: tenure_license::Named {
            id: tenure_core::OrgId::from_uuid(uuid::Uuid::from_u128(1)),
            name: "Vendor".into(),
        },
        products: products.iter().map(|&code| code.to_owned()).collect(),
        from: at("2026-03-01T00:00:00Z").as_secs(),
        until: at("2026-12-01T00:00:00Z").as_secs(),
        crit: Vec::new(),
    }
}

fn signed(world: &World, note: &tenure_license::Continuity) -> tenure_license::Envelope {
    tenure_license::sign(note, &[&world.peer.server().continuity_key]).into_envelope()
}

#[test]
fn r2_a_continuity_note_acts_after_its_date_and_sixty_days_of_silence_until_an_answer() {
    let mut world = World::new(PLAN).activated();
    world.run_to("2026-01-12T08:00:00Z");
    let other = signed(&world, &note(&world, &["archive"]));
    let refused = world.keeper().take_continuity(&other).unwrap_err().to_string();
    assert!(refused.contains("not for the product `backup`"), "{refused}");
    let forged = tenure_license::sign(&note(&world, &["backup"]), &[&key(9)]).into_envelope();
    assert!(matches!(world.keeper().take_continuity(&forged), Err(AgentError::Continuity(_))));
    let genuine = signed(&world, &note(&world, &["backup"]));
    assert_eq!(world.keeper().take_continuity(&genuine).unwrap(), at("2026-12-01T00:00:00Z"));
    assert_eq!(world.status().continued_until, None, "the vendor lives");

    world.peer.server().silent = true;
    world.run_to("2026-03-05T08:00:00Z");
    assert_eq!(world.status().continued_until, None, "its date has passed, 60 days have not");
    world.run_to("2026-04-20T08:00:00Z");
    let status = world.status();
    assert_eq!(status.continued_until, Some(at("2026-12-01T00:00:00Z")));
    assert_eq!(status.standing, Standing::Valid, "the license's own end was 25 March");
    assert!(status.sentence.contains("continuity note"), "{}", status.sentence);
    world.open().unwrap();
    assert!(world.status().continued_until.is_some(), "it survives a restart");

    // Any signed answer ends it, for good.
    world.peer.server().silent = false;
    world.run_to("2026-04-21T08:00:00Z");
    assert_eq!(world.status().continued_until, None);
    world.peer.server().silent = true;
    world.run_to("2026-08-01T08:00:00Z");
    assert_eq!(world.status().continued_until, None);
}

#[test]
fn r2_a_clock_set_forward_is_no_silence_and_a_revoked_license_is_not_revived() {
    let mut world = World::new(PLAN).activated();
    world.run_to("2026-01-12T08:00:00Z");
    let genuine = signed(&world, &note(&world, &["backup"]));
    world.keeper().take_continuity(&genuine).unwrap();
    world.peer.server().silent = true;
    for days in [100, 200, 300] {
        world.keeper = None;
        world.machine.set_error_days(days);
        world.machine.reboot();
        world.open().unwrap();
        world.keeper().tick().unwrap();
        assert_eq!(world.status().continued_until, None, "{days} days by the system clock alone");
    }

    let mut world = World::new(PLAN).activated();
    world.peer.server().facts.revoked = true;
    world.run_to("2026-01-20T08:00:00Z");
    let genuine = signed(&world, &note(&world, &["backup"]));
    world.keeper().take_continuity(&genuine).unwrap();
    world.peer.server().silent = true;
    world.run_to("2026-05-01T08:00:00Z");
    assert_eq!(world.status().continued_until, None);
    let mut never = World::new(PLAN);
    never.open().unwrap();
    let genuine = signed(&never, &note(&never, &["backup"]));
    assert!(matches!(never.keeper().take_continuity(&genuine), Err(AgentError::NotActivated)));
}

#[test]
fn another_deployments_root_is_refused() {
    let mut world = World::new(PLAN).activated();
    let stranger = World::seeded(2, PLAN);
    world.keeper = None;
    world.peer = stranger.peer;
    assert!(matches!(world.open(), Err(AgentError::OtherRoot)));
}
