//! Reading the audit log: who changed what, newest first. Writing and verifying it is [`crate::audit`].

use tenure_core::{OrgId, Timestamp};
use uuid::Uuid;

use crate::{Conn, Row, StoreError, json_rows, params, statement::statements};

statements! {
    // Ingest entries stand for what products sent; they are evidence, no action of anybody.
    OF_ORG = "SELECT id, at_us, org, actor, verb, subject, body FROM audit_entry
        WHERE org = $1 AND (at_us, id) < ($2, $3) AND at_us >= $4 AND verb <> 'ingest'
            AND ($5 IS NULL OR actor = $5) AND ($6 IS NULL OR subject = $6)
            AND ($7 IS NULL OR verb = $7 OR substr(verb, 1, length($7) + 1) = $7 || '.')
        ORDER BY at_us DESC, id DESC LIMIT $8",
        pg "SELECT id, at_us, org, actor, verb, subject, body FROM audit_entry
        WHERE org = $1 AND (at_us, id) < ($2, $3) AND at_us >= $4 AND verb <> 'ingest'
            AND ($5::text IS NULL OR actor = $5) AND ($6::text IS NULL OR subject = $6)
            AND ($7::text IS NULL OR verb = $7 OR substr(verb, 1, length($7) + 1) = $7 || '.')
        ORDER BY at_us DESC, id DESC LIMIT $8";
    OF_ALL = "SELECT id, at_us, org, actor, verb, subject, body FROM audit_entry
        WHERE (at_us, id) < ($1, $2) AND at_us >= $3 AND verb <> 'ingest'
            AND ($4 IS NULL OR actor = $4) AND ($5 IS NULL OR subject = $5)
            AND ($6 IS NULL OR verb = $6 OR substr(verb, 1, length($6) + 1) = $6 || '.')
        ORDER BY at_us DESC, id DESC LIMIT $7",
        pg "SELECT id, at_us, org, actor, verb, subject, body FROM audit_entry
        WHERE (at_us, id) < ($1, $2) AND at_us >= $3 AND verb <> 'ingest'
            AND ($4::text IS NULL OR actor = $4) AND ($5::text IS NULL OR subject = $5)
            AND ($6::text IS NULL OR verb = $6 OR substr(verb, 1, length($6) + 1) = $6 || '.')
        ORDER BY at_us DESC, id DESC LIMIT $7";
    ACTORS = "SELECT p.id, p.org_id, p.name FROM json_each($1) AS wanted JOIN person p ON p.id = unhex(wanted.value)
        UNION ALL SELECT t.id, t.org_id, t.name FROM json_each($1) AS wanted JOIN api_token t ON t.id = unhex(wanted.value)",
        pg "SELECT id, org_id, name FROM person WHERE id IN (SELECT value::uuid FROM json_array_elements_text($1::json))
        UNION ALL SELECT id, org_id, name FROM api_token
            WHERE id IN (SELECT value::uuid FROM json_array_elements_text($1::json))";
}

/// An action as the log holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditRow {
    /// The entry's id.
    pub id: Uuid,
    /// When.
    pub at: Timestamp,
    /// The organization whose pages show it.
    pub org: Option<OrgId>,
    /// Who: the text form of an id, or a word such as `server`.
    pub actor: String,
    /// What was done.
    pub verb: String,
    /// To what.
    pub subject: String,
    /// The particulars; none where personal data was erased.
    pub data: Option<serde_json::Value>,
}

/// What a list is narrowed to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// From this instant on.
    pub since: Option<Timestamp>,
    /// Before this instant.
    pub until: Option<Timestamp>,
    /// By whom.
    pub actor: Option<String>,
    /// To what.
    pub subject: Option<String>,
    /// What: a verb, or the part before its dot.
    pub verb: Option<String>,
}

fn entry(row: &Row) -> Result<AuditRow, StoreError> {
    let body: Option<serde_json::Value> =
        row.opt_text("body")?.map(|text| serde_json::from_str(&text)).transpose()?;
    let data = body.map(|mut body| body.get_mut("data").map(serde_json::Value::take).unwrap_or_default());
    Ok(AuditRow {
        id: row.uuid("id")?,
        at: row.timestamp("at_us")?,
        org: row.opt_id("org")?,
        actor: row.text("actor")?,
        verb: row.text("verb")?,
        subject: row.text("subject")?,
        data,
    })
}

/// Actions of one organization or of all, newest first, at most `limit`, before one.
pub async fn page(
    conn: &mut Conn,
    org: Option<OrgId>,
    filter: &Filter,
    before: Option<(Timestamp, Uuid)>,
    limit: u32,
) -> Result<Vec<AuditRow>, StoreError> {
    let newest = (filter.until.unwrap_or(Timestamp::from_micros(i64::MAX)), Uuid::nil());
    let (at, id) = before.map_or(newest, |before| before.min(newest));
    let since = filter.since.unwrap_or(Timestamp::EPOCH);
    let (actor, subject, verb) = (filter.actor.as_deref(), filter.subject.as_deref(), filter.verb.as_deref());
    let rows = match org {
        Some(org) => conn.fetch_all(&OF_ORG, params![org, at, id, since, actor, subject, verb, limit]).await?,
        None => conn.fetch_all(&OF_ALL, params![at, id, since, actor, subject, verb, limit]).await?,
    };
    rows.iter().map(entry).collect()
}

/// The people and tokens behind some ids: id, organization, name.
pub async fn actors(conn: &mut Conn, ids: &[Uuid]) -> Result<Vec<(Uuid, OrgId, String)>, StoreError> {
    let ids: Vec<String> = ids.iter().map(|id| id.simple().to_string()).collect();
    let rows = conn.fetch_all(&ACTORS, params![json_rows(&ids)?]).await?;
    rows.iter().map(|row| Ok((row.uuid("id")?, row.id("org_id")?, row.text("name")?))).collect()
}
