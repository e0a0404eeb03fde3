//! What every change leaves behind: an audit entry and a message to whom it concerns.

use serde_json::Value;
use tenure_core::{OrgId, Timestamp};
use tenure_store::{AuditEntry, Message, Tx};

use crate::Actor;

/// Writes both, in the transaction of the change itself. `org` is the organization whose pages show it and to which the
/// message goes; `subject` is the text form of the changed thing's id.
pub(crate) fn record(
    tx: &mut Tx,
    actor: &str,
    org: OrgId,
    verb: &'static str,
    subject: String,
    at: Timestamp,
    body: Value,
) {
    tx.outbox(Message { aggregate: subject.clone(), kind: verb, to: org.to_string(), body: body.clone(), at });
    tx.audit(AuditEntry { actor: actor.to_owned(), verb, subject, org: Some(org), at, body });
}

/// The same for an [`Actor`].
pub(crate) fn by(
    tx: &mut Tx,
    actor: &Actor,
    org: OrgId,
    verb: &'static str,
    subject: String,
    at: Timestamp,
    body: Value,
) {
    record(tx, &actor.audit_name(), org, verb, subject, at, body);
}

/// Tells another organization of a change that is recorded elsewhere.
pub(crate) fn tell(tx: &mut Tx, org: OrgId, verb: &'static str, subject: String, at: Timestamp, body: Value) {
    tx.outbox(Message { aggregate: subject, kind: verb, to: org.to_string(), body, at });
}
