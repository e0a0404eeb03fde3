//! Sending the outbox's letters through a mail server.

use std::{net::IpAddr, time::Duration};

use lettre::{
    Message, SmtpTransport, Transport,
    message::{
        Mailbox,
        header::{ContentType, HeaderName, HeaderValue},
    },
};
use tenure_service::{Addressee, Letter, Service, claim_letters, letter_failed, letter_sent};

/// How often the outbox is looked at.
const PACE: Duration = Duration::from_secs(2);
/// How long a mail server may take for one command.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Why letters cannot be sent as was asked for.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// The mail server's URL is none.
    #[error("the mail server's URL: {0}")]
    Url(String),
    /// It would carry letters and a password in the clear over a network.
    #[error("smtp:// is for this machine only; say smtps://HOST, or smtp://HOST?tls=required for STARTTLS")]
    Clear,
    /// The portal's address is none.
    #[error("`{0}` is no address of the portal as https://rental.example.com")]
    Portal(String),
    /// The sender is no address.
    #[error("`{0}` is not a sender as `Tenure <tenure@example.com>`")]
    Sender(String),
}

/// A mail server and who letters come from.
pub struct Mailer {
    transport: SmtpTransport,
    from: Mailbox,
    portal: String,
}

impl Mailer {
    /// Opens nothing yet: each letter does. `url` is `smtps://user:password@host:465` for TLS,
    /// `smtp://host:587?tls=required` for STARTTLS, or `smtp://127.0.0.1:25` on this machine. `portal` is the address
    /// under which people reach this server; letters lead there.
    ///
    /// # Errors
    /// When the URL or the sender cannot be used.
    pub fn new(url: &str, from: &str, portal: &str) -> Result<Self, MailError> {
        let from: Mailbox = from.parse().map_err(|_| MailError::Sender(from.to_owned()))?;
        if !is_safe(url)? {
            return Err(MailError::Clear);
        }
        let transport = SmtpTransport::from_url(url);
        let transport = transport.map_err(|error| MailError::Url(error.to_string()))?.timeout(Some(TIMEOUT)).build();
        let is_http = portal.starts_with("https://") || portal.starts_with("http://");
        if !is_http || portal.contains(['?', '#', ' ']) {
            return Err(MailError::Portal(portal.to_owned()));
        }
        Ok(Self { transport, from, portal: portal.to_owned() })
    }

    /// One letter to one of its addressees. Its Message-ID is made of message and person alone, so whoever gets it twice
    /// sees that it is one (X7).
    fn message(&self, letter: &Letter, to: &Addressee) -> Option<Message> {
        let id = format!("<{}.{}@{}>", letter.id, to.person, self.from.email.domain());
        let about = HeaderName::new_from_ascii_str("X-Tenure-About");
        let number = HeaderName::new_from_ascii_str("X-Tenure-Number");
        let at = std::time::UNIX_EPOCH + Duration::from_secs(u64::try_from(letter.at.as_secs()).unwrap_or_default());
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(Some(to.name.clone()), to.email.parse().ok()?))
            .subject(letter.subject.clone())
            .message_id(Some(id))
            .date(at)
            .raw_header(HeaderValue::new(about, letter.aggregate.clone()))
            .raw_header(HeaderValue::new(number, letter.number.to_string()))
            .header(ContentType::TEXT_PLAIN)
            .body(letter.text.clone())
            .ok()
    }

    /// Hands a letter over for each addressee. Whom the mail server refuses for good is passed over: trying again would
    /// keep the others' letter back for ever.
    async fn send(&self, letter: &Letter) -> Result<(), String> {
        for to in &letter.to {
            let Some(message) = self.message(letter, to) else {
                tracing::warn!(letter.id = %letter.id, person = %to.person, "no letter can be made to this address");
                continue;
            };
            let transport = self.transport.clone();
            match tokio::task::spawn_blocking(move || transport.send(&message)).await {
                Ok(Ok(_)) => {}
                Ok(Err(error)) if error.is_permanent() => {
                    tracing::warn!(letter.id = %letter.id, person = %to.person, error = %error, "refused for good");
                }
                Ok(Err(error)) => return Err(error.to_string()),
                Err(error) => return Err(error.to_string()),
            }
        }
        Ok(())
    }
}

/// Whether nothing readable crosses a network.
fn is_safe(url: &str) -> Result<bool, MailError> {
    let rest = match url.split_once("://") {
        Some(("smtps", _)) => return Ok(true),
        Some(("smtp", rest)) => rest,
        _ => return Err(MailError::Url("it begins with smtps:// or smtp://".to_owned())),
    };
    let (authority, query) = rest.split_once('?').unwrap_or((rest, ""));
    if query.split('&').any(|part| part == "tls=required") {
        return Ok(true);
    }
    let host = authority.rsplit('@').next().unwrap_or_default().trim_end_matches('/');
    let name = match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    Ok(name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback()))
}

/// Sends what is due, again and again; ends never. A failure is tried again later, each time later.
pub async fn send_letters(service: Service, mailer: Mailer) {
    let mut pace = tokio::time::interval(PACE);
    pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        pace.tick().await;
        match claim_letters(&service, &mailer.portal).await {
            Ok((letters, more)) => {
                for letter in &letters {
                    let settled = match mailer.send(letter).await {
                        Ok(()) => letter_sent(&service, letter.id).await,
                        Err(why) => {
                            tracing::warn!(letter.id = %letter.id, letter.attempts, error = %why, "a letter waits");
                            letter_failed(&service, letter, &why).await
                        }
                    };
                    if let Err(error) = settled {
                        tracing::error!(error = ?error, "a letter cannot be settled; it is sent again");
                    }
                }
                if more {
                    pace.reset_immediately();
                }
            }
            // The cause of a halt is logged once, where it is found.
            Err(_) if service.must_go_on().is_err() => {}
            Err(error) => tracing::error!(error = ?error, "the outbox cannot be read"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_readable_crosses_a_network() {
        for (url, safe) in [
            ("smtps://mail.example.com", true),
            ("smtp://user:word@mail.example.com:587?tls=required", true),
            ("smtp://mail.example.com", false),
            ("smtp://mail.example.com?tls=opportunistic", false),
            ("smtp://127.0.0.1:2525", true),
            ("smtp://localhost", true),
            ("smtp://[::1]:25", true),
            ("smtp://127.0.0.1@mail.example.com", false),
        ] {
            assert_eq!(is_safe(url).unwrap(), safe, "{url}");
        }
        assert!(is_safe("http://mail.example.com").is_err());
        assert!(Mailer::new("smtps://mail.example.com", "nobody", "https://rental.example").is_err());
        assert!(Mailer::new("smtps://mail.example.com", "a@b.example", "rental.example").is_err());
    }
}
