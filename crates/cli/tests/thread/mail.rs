//! Letters through a real mail server: the real binary hands over what its outbox holds, at least once, and says which
//! letters are one (X7).

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use tenure_core::Timestamp;
use tenure_sim::{
    api::Api,
    world::{self, Temper},
};
use tenure_testkit::wait_for;

use crate::support::process::{BOUND, ClockFile, Process, init, tenure};

/// A mail server that keeps letters as files; while a file `busy` lies beside them, it notes their Message-IDs and refuses
/// them for now.
const MAIL_SERVER: &str = r#"
import asyncio, os, sys
from aiosmtpd.handlers import Mailbox
from aiosmtpd.smtp import SMTP

class Keeper(Mailbox):
    async def handle_DATA(self, server, session, envelope):
        if os.path.exists(sys.argv[1] + "/busy"):
            with open(sys.argv[1] + "/refused", "ab") as log:
                log.write(envelope.content + b"\n")
            return "451 4.3.0 come again"
        return await super().handle_DATA(server, session, envelope)

async def main():
    keeper = Keeper(sys.argv[1] + "/mail")
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(keeper), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

asyncio.run(main())
"#;

/// A Python that has aiosmtpd.
fn python() -> PathBuf {
    let made = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/aiosmtpd/bin/python3");
    std::env::var_os("TENURE_MAIL_PYTHON").map_or_else(made, PathBuf::from)
}

/// The values of a header in a text of one or many letters.
fn headers(text: &str, name: &str) -> Vec<String> {
    let name = format!("{}:", name.to_lowercase());
    let of = |line: &str| line.to_lowercase().starts_with(&name).then(|| line[name.len()..].trim().to_owned());
    text.lines().filter_map(of).collect()
}

/// The letters that arrived: subject, addressee and number by Message-ID.
fn arrived(dir: &Path) -> BTreeMap<String, (String, String, String)> {
    let Ok(files) = fs::read_dir(dir.join("mail/new")) else { return BTreeMap::new() };
    let read = |path| {
        let text = fs::read_to_string(path).ok()?;
        let one = |name| headers(&text, name).into_iter().next();
        Some((one("Message-ID")?, (one("Subject")?, one("To")?, one("X-Tenure-Number")?)))
    };
    files.filter_map(|file| read(file.ok()?.path())).collect()
}

#[test]
fn x7_letters_go_out_at_least_once_and_say_which_are_one() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = |name: &str| dir.path().join(name);
    let clock = ClockFile(path("clock"));
    clock.set("2026-01-05T09:00:00Z");
    let password = init(dir.path(), &clock);

    let mut mail = std::process::Command::new(python());
    mail.args(["-c", MAIL_SERVER]).arg(dir.path());
    fs::write(path("busy"), "").expect("it is written");
    let (_mail, port) = Process::until_line(&mut mail, &path("mail.log"));

    let mut serve = tenure();
    serve.args(["serve", "--listen", "127.0.0.1:0", "--mail-from", "Tenure <tenure@vendor.example>"]);
    serve.args(["--portal-url", "https://rental.vendor.example", "--smtp"]);
    serve.arg(format!("smtp://127.0.0.1:{port}")).arg("--data-dir").arg(path("server"));
    serve.arg("--test-clock").arg(&clock.0);
    let (_server, line) = Process::until_line(&mut serve, &path("server.log"));
    let url = line.strip_prefix("listening on ").expect("an address").to_owned();

    // Each provider but one asks to be enrolled, and the vendor approves.
    let now: Timestamp = "2026-01-05T09:00:00Z".parse().expect("an instant");
    let world = world::build(&Api::new(&url), "admin@vendor.example", &password, now).expect("a market");
    let by_hand = |provider: &&world::Provider| matches!(provider.temper, Temper::ByHand | Temper::NoCommit);
    let asking: Vec<_> = world.providers.iter().filter(|provider| !by_hand(provider)).collect();
    let enrolled = asking.len();
    let wanted = 2 * enrolled;
    let refused = wait_for("every letter to be refused once", BOUND, || {
        let ids = headers(&fs::read_to_string(path("refused")).unwrap_or_default(), "Message-ID");
        let ids: BTreeSet<String> = ids.into_iter().collect();
        (ids.len() >= wanted).then_some(ids)
    });
    assert!(arrived(dir.path()).is_empty());

    fs::remove_file(path("busy")).expect("it is removed");
    let mut minute = now;
    let letters = wait_for("the same letters, under the same ids", BOUND, || {
        // A refusal may be written down after the clock was moved, so one leap is not enough.
        minute = minute.plus_secs(60);
        clock.set_to(minute);
        let letters = arrived(dir.path());
        refused.iter().all(|id| letters.contains_key(id)).then_some(letters)
    });
    let subjects = |text: &str| letters.values().filter(|(subject, ..)| subject == text).count();
    for provider in &asking {
        assert_eq!(subjects(&format!("{} asks for automatic reporting", provider.name)), 1, "{letters:?}");
    }
    assert!(subjects("Automatic reporting is approved") >= enrolled, "{letters:?}");
    let asked =
        letters.values().find(|(subject, ..)| subject.ends_with(" asks for automatic reporting")).expect("it is there");
    assert!(asked.1.contains("admin@vendor.example"), "{asked:?}");
    assert!(asked.2.parse::<u64>().is_ok_and(|number| number > 0), "{asked:?}");
}
