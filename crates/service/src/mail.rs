//! Letters made of the outbox's messages: who gets which, in words; claimed, sent by whoever has a mail server, settled.
//!
//! At least once (X7): a letter that was sent and not settled, because the process died, is sent again under the same
//! Message-ID, which is made of the message's id alone.

use tenure_core::{MessageId, OrgId, Timestamp, UsageId, UserId, roles::Action};
use tenure_store::{
    Conn, Queue,
    outbox::{self, Pending},
    rows::{
        monthly_usage, org,
        person::{self, PersonRow},
        site,
    },
};

use crate::{Error, Result, Service, mail_words, password_link_secret};

/// Messages that are claimed at once.
const BATCH: i64 = 50;
/// How long claimed messages are left alone by other senders, in seconds.
const LEASE: i64 = 300;
/// The first wait after a failure, in seconds; it doubles with each.
const FIRST_WAIT: i64 = 60;
/// The longest wait, in seconds.
const LONGEST_WAIT: i64 = 6 * 3_600;
/// After so many days a message is settled without a letter: nobody is helped by what was due long ago, as after a mail
/// server is named for the first time.
const MAX_AGE_DAYS: i64 = 7;

/// A letter to send. It may hold the secret of a link: it is never logged, and `Debug` hides its text.
#[derive(Clone, PartialEq, Eq)]
pub struct Letter {
    /// The message it is made of; never changes.
    pub id: MessageId,
    /// What it is about.
    pub aggregate: String,
    /// Its place among the messages about that, from 1.
    pub number: i64,
    /// How often it was tried, this try included.
    pub attempts: i64,
    /// When it was decided.
    pub at: Timestamp,
    /// Who gets it, each by themselves.
    pub to: Vec<Addressee>,
    /// One line.
    pub subject: String,
    /// Plain text.
    pub text: String,
}

impl std::fmt::Debug for Letter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Letter").field("id", &self.id).field("subject", &self.subject).finish_non_exhaustive()
    }
}

/// Somebody who gets a letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addressee {
    /// Who.
    pub person: UserId,
    /// E-mail address.
    pub email: String,
    /// Display name.
    pub name: String,
}

/// Takes the letters that are due, for five minutes: who does not settle them by then leaves them to others. Messages that
/// nobody gets as a letter, or that are older than a week, are settled here. Gives the letters and whether there may be more.
///
/// `portal` is the address under which people reach this server, as `https://rental.example.com`; letters lead there.
///
/// # Errors
/// When the store fails, or the server has halted.
pub async fn claim_letters(service: &Service, portal: &str) -> Result<(Vec<Letter>, bool)> {
    service.must_go_on()?;
    let now = service.now();
    let (service_, portal) = (service.clone(), portal.trim_end_matches('/').to_owned());
    let write = async move |tx: &mut tenure_store::Tx| {
        let claimed = outbox::claim(tx, now, now.plus_secs(LEASE), BATCH).await?;
        let (mut letters, more) = (Vec::new(), claimed.len() as i64 == BATCH);
        for message in claimed {
            match letter(&service_, tx, &message, &portal, now).await? {
                Some(letter) => letters.push(letter),
                None => {
                    outbox::mark_sent(tx, message.id, now).await?;
                }
            }
        }
        Ok::<_, Error>((letters, more))
    };
    service.store().write(Queue::Jobs, write).await
}

/// The letter was handed to a mail server.
///
/// # Errors
/// When the store fails; it is sent again then.
pub async fn letter_sent(service: &Service, id: MessageId) -> Result<()> {
    let now = service.now();
    let write = async move |tx: &mut tenure_store::Tx| Ok::<_, Error>(outbox::mark_sent(tx, id, now).await?);
    service.store().write(Queue::Jobs, write).await.map(|_| ())
}

/// The letter could not be handed over: it is tried again, later each time, at most six hours later.
///
/// # Errors
/// When the store fails; it is tried again when its claim is over.
pub async fn letter_failed(service: &Service, letter: &Letter, why: &str) -> Result<()> {
    let until = service.now().plus_secs(wait_after(letter.attempts));
    let (id, why): (MessageId, String) = (letter.id, why.chars().take(500).collect());
    let write = async move |tx: &mut tenure_store::Tx| Ok::<_, Error>(outbox::postpone(tx, id, until, &why).await?);
    service.store().write(Queue::Jobs, write).await
}

fn wait_after(attempts: i64) -> i64 {
    let doublings = u32::try_from(attempts.clamp(1, 16) - 1).unwrap_or_default();
    FIRST_WAIT.saturating_mul(1 << doublings).min(LONGEST_WAIT)
}

async fn letter(
    service: &Service,
    conn: &mut Conn,
    message: &Pending,
    portal: &str,
    now: Timestamp,
) -> Result<Option<Letter>> {
    if now >= message.at.plus_days(MAX_AGE_DAYS) {
        return Ok(None);
    }
    let found = match message.to.parse::<UserId>() {
        Ok(person) => to_person(service, conn, message, person, portal, now).await?,
        Err(_) => to_organization(conn, message, portal).await?,
    };
    let Some((to, subject, text)) = found.filter(|(to, ..)| !to.is_empty()) else { return Ok(None) };
    Ok(Some(Letter {
        id: message.id,
        aggregate: message.aggregate.clone(),
        number: message.number,
        attempts: message.attempts,
        at: message.at,
        to,
        subject,
        text,
    }))
}

fn addressee(person: PersonRow) -> Addressee {
    Addressee { person: person.id, email: person.email, name: person.name }
}

/// To those in an organization who may do what the letter asks for.
async fn to_organization(
    conn: &mut Conn,
    message: &Pending,
    portal: &str,
) -> Result<Option<(Vec<Addressee>, String, String)>> {
    let Ok(org) = message.to.parse::<OrgId>() else { return Ok(None) };
    let Some(org) = org::find(conn, org).await?.filter(|org| org.disabled.is_none()) else { return Ok(None) };
    let provider = whose(conn, message).await?;
    let Some(words) = mail_words::of(&message.kind, org.kind, &provider, &message.body) else { return Ok(None) };
    let has_sites = words.concerns == Action::SubmitUsage && !site::of_provider(conn, org.id).await?.is_empty();
    let concerned = |person: &PersonRow| {
        let may = person.role.may(words.concerns, org.kind, has_sites);
        person.disabled.is_none() && person.site.is_none() && may
    };
    let people = person::of_org(conn, org.id).await?;
    let to = people.into_iter().filter(concerned).map(addressee).collect();
    Ok(Some((to, words.subject, format!("{}\n\n{portal}\n", words.text))))
}

/// The name of the provider that a message is about: of itself, or of its month.
async fn whose(conn: &mut Conn, message: &Pending) -> Result<String> {
    let provider = match message.aggregate.parse::<UsageId>() {
        Ok(month) => monthly_usage::find_by_id(conn, month).await?.map(|row| row.provider),
        Err(_) => message.aggregate.parse::<OrgId>().ok(),
    };
    let found = match provider {
        Some(provider) => org::find(conn, provider).await?,
        None => None,
    };
    Ok(found.map_or_else(|| "A provider".to_owned(), |org| org.name))
}

/// What concerns one person alone: their access, or a link to set a password while it is good.
async fn to_person(
    service: &Service,
    conn: &mut Conn,
    message: &Pending,
    person: UserId,
    portal: &str,
    now: Timestamp,
) -> Result<Option<(Vec<Addressee>, String, String)>> {
    if message.kind != "person.password_link" {
        let Some((subject, text)) = mail_words::to_person(&message.kind, &message.body) else { return Ok(None) };
        let row = person::find(conn, person).await?.filter(|row| row.disabled.is_none());
        return Ok(row.map(|row| (vec![addressee(row)], subject, format!("{text}\n\n{portal}\n"))));
    }
    let until = message.body["until"].as_str().and_then(|until| until.parse::<Timestamp>().ok());
    let Some(until) = until.filter(|until| now < *until) else { return Ok(None) };
    let Some(secret) = password_link_secret(service, &message.body) else { return Ok(None) };
    let Some(row) = person::find(conn, person).await?.filter(|row| row.disabled.is_none()) else { return Ok(None) };
    let link = format!("{portal}/password/new?secret={}", *secret);
    let (subject, text) = mail_words::password_link(&link, until);
    Ok(Some((vec![addressee(row)], subject, text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_waits_longer_up_to_six_hours() {
        let waits: Vec<i64> = [0, 1, 2, 3, 9, 10, 1_000].into_iter().map(wait_after).collect();
        assert_eq!(waits, [60, 60, 120, 240, 15_360, 21_600, 21_600]);
    }
}
