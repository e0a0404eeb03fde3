//! Who acts, as every use case sees it.

use tenure_core::{OrgId, SiteId, TokenId, UserId, roles::Role};

/// Somebody or something that asks for a change or a view. Made by authentication only, never from a request's body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// Person, token or job.
    pub kind: ActorKind,
    /// The organization it acts for.
    pub org: OrgId,
    /// What it may do there. A token's role follows from its scope.
    pub role: Role,
    /// The one site it is confined to.
    pub site: Option<SiteId>,
}

/// What kind of actor, for the audit log and for "nobody approves their own".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActorKind {
    /// A person who signed in.
    Person(UserId),
    /// A machine's token.
    Token(TokenId),
    /// Time passing: the job's name.
    Job(&'static str),
    /// `tenure init` and other commands run beside the data.
    Operator,
}

impl Actor {
    /// The actor as the audit log names it: `usr_…`, `tok_…`, `job:NAME` or `operator`.
    pub fn audit_name(&self) -> String {
        match self.kind {
            ActorKind::Person(id) => id.to_string(),
            ActorKind::Token(id) => id.to_string(),
            ActorKind::Job(name) => format!("job:{name}"),
            ActorKind::Operator => "operator".to_owned(),
        }
    }

    /// The id kept beside what the actor did, for "nobody approves their own"; nil for jobs and operators.
    pub fn principal(&self) -> uuid::Uuid {
        match self.kind {
            ActorKind::Person(id) => id.uuid(),
            ActorKind::Token(id) => id.uuid(),
            ActorKind::Job(_) | ActorKind::Operator => uuid::Uuid::nil(),
        }
    }
}
