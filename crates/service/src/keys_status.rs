//! How the keys stand, and what is to be done with them and when.

use tenure_core::{
    DeploymentId, Timestamp,
    key_life::{KeyLife, KeyState, WARN_DAYS, rotation_window},
};
use tenure_license::{KeyId, KeyRole, Root};
use tenure_store::Store;

use crate::{OpenError, Service, trust::load_root};

/// How the keys of a deployment stand at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeysStatus {
    /// The deployment.
    pub deployment: DeploymentId,
    /// Newest version of the trust root.
    pub root_version: u64,
    /// How many root keys must sign the next one.
    pub root_threshold: u32,
    /// When the trust root's age begins to be worth a warning.
    pub renew_by: Timestamp,
    /// Every key that ever counted, oldest first.
    pub keys: Vec<KeyLine>,
    /// What is to be done, soonest first.
    pub tasks: Vec<KeyTask>,
    /// When it was judged.
    pub as_of: Timestamp,
}

/// One key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyLine {
    /// Its id.
    pub id: KeyId,
    /// What it signs.
    pub role: KeyRole,
    /// When it signs.
    pub life: KeyLife,
    /// How it stands.
    pub state: KeyState,
}

/// Something to be done with keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyTask {
    /// What and why, in one sentence.
    pub what: String,
    /// From then on.
    pub from: Timestamp,
    /// By then.
    pub by: Timestamp,
    /// It is time.
    pub due: bool,
}

/// How the keys stand, from the database alone: no key file is needed.
///
/// # Errors
/// When the database holds no deployment or cannot be read.
pub async fn keys_status(store: &Store, now: Timestamp) -> Result<KeysStatus, OpenError> {
    let mut read = store.read().await?;
    let (root, _) = load_root(&mut read).await?;
    Ok(status_of(&root, now))
}

/// How the keys stand now, by what this process holds.
pub fn keys_now(service: &Service) -> KeysStatus {
    status_of(&service.root(), service.now())
}

/// What is to be done with the keys now: for the vendor's pages and for `tenure doctor`. It warns and stops nothing (E6).
pub fn keys_due(service: &Service) -> Vec<KeyTask> {
    let mut tasks = status_of(&service.root(), service.now()).tasks;
    tasks.retain(|task| task.due);
    tasks
}

pub(crate) fn status_of(root: &Root, now: Timestamp) -> KeysStatus {
    let (payload, at) = (root.payload(), Timestamp::from_secs);
    let keys: Vec<KeyLine> = payload
        .keys
        .iter()
        .map(|key| {
            let life = KeyLife { from: at(key.from), until: at(key.until), revoked: key.revoked.is_some() };
            KeyLine { id: key.key.id(), role: key.role, life, state: life.state(now) }
        })
        .collect();
    let task = |what: String, (from, by): (Timestamp, Timestamp)| KeyTask { what, from, by, due: now >= from };
    let mut tasks: Vec<KeyTask> = [(KeyRole::License, "license"), (KeyRole::Receipt, "receipt")]
        .into_iter()
        .map(|(role, word)| {
            let newest =
                keys.iter().filter(|key| key.role == role && !key.life.revoked).map(|key| key.life.until).max();
            match newest {
                Some(until) if now < until => {
                    task(format!("rotate the {word} key, which signs until {until}"), rotation_window(until))
                }
                Some(until) => task(over(word, role, until), (now, now)),
                None => task(format!("rotate the {word} key: every one is revoked"), (now, now)),
            }
        })
        .collect();
    let renew_by = at(payload.renew_by);
    tasks.push(task(
        "sign a new trust root: this one is old then".to_owned(),
        (renew_by.plus_days(-WARN_DAYS), renew_by),
    ));
    for key in keys.iter().filter(|key| key.role == KeyRole::Root && !key.life.revoked) {
        let until = key.life.until;
        let what = format!("see that the root key {} still exists: it has signed no trust root for long", key.id);
        tasks.push(task(what, (until.plus_days(-WARN_DAYS), until)));
    }
    tasks.sort_by_key(|task| task.from);
    KeysStatus {
        deployment: payload.aud,
        root_version: payload.version,
        root_threshold: payload.root_threshold,
        renew_by,
        keys,
        tasks,
        as_of: now,
    }
}

fn over(word: &str, role: KeyRole, until: Timestamp) -> String {
    if role == KeyRole::License {
        format!("rotate the {word} key at once: it ran out at {until}, and no product accepts a license issued since")
    } else {
        format!("rotate the {word} key: it ran out at {until}; products accept its signatures and say so")
    }
}
