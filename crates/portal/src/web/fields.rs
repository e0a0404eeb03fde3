//! What a form or an address sends, as name and value; pages name some fields only when they are drawn.

use axum::{
    extract::{FromRequest, Query, Request},
    http::Method,
};
use sha2::{Digest, Sha256};
use tenure_service::{Error, Idempotency, Problem, ProblemKind};

use super::Refused;

/// Fields in the order they came. Bounded by the body limit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Fields(pub(crate) Vec<(String, String)>);

impl Fields {
    /// A field's value, trimmed; empty when it was not sent.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.trim())
    }

    /// Whether a checkbox was ticked.
    pub(crate) fn is_set(&self, name: &str) -> bool {
        self.get(name) == "true"
    }

    /// A field that must be readable as a `T`.
    pub(crate) fn read<T: std::str::FromStr>(&self, name: &'static str) -> Result<T, Problem> {
        self.get(name).parse().map_err(|_| unreadable(name))
    }

    /// A field that may be left empty.
    pub(crate) fn read_or_none<T: std::str::FromStr>(&self, name: &'static str) -> Result<Option<T>, Problem> {
        if self.get(name).is_empty() { Ok(None) } else { self.read(name).map(Some) }
    }

    /// What makes the form's repetition harmless: its key, with the hash of all that was sent.
    pub(crate) fn idempotency(&self) -> Result<Idempotency, Error> {
        let mut hasher = Sha256::new();
        for text in self.0.iter().flat_map(|(name, value)| [name, value]) {
            hasher.update((text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        }
        Idempotency::new(self.get("idempotency_key"), hasher.finalize().into())
    }

    /// The fields `count.WORKLOAD.VARIANT` that hold a number, as workload type, variant and count; those left empty are
    /// left out.
    pub(crate) fn counts(&self) -> Result<Vec<(String, String, u32)>, Problem> {
        let mut counts = Vec::new();
        for (name, value) in &self.0 {
            let Some((workload, variant)) = name.strip_prefix("count.").and_then(|rest| rest.split_once('.')) else {
                continue;
            };
            if !value.trim().is_empty() {
                let count = value.trim().parse().map_err(|_| unreadable(workload))?;
                counts.push((workload.to_owned(), variant.to_owned(), count));
            }
        }
        Ok(counts)
    }
}

/// The field's name in the words of the page is beside it; here it is only pointed at.
fn unreadable(name: &str) -> Problem {
    ProblemKind::InvalidInput.because(format!("{} cannot be read", name.replace('_', " ")))
}

/// The name a workload's count has in a form. Codes hold no dots.
pub(crate) fn count_field(workload: &str, variant: &str) -> String {
    format!("count.{workload}.{variant}")
}

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = Refused;

    /// From the address of a `GET`, from the form of anything else.
    async fn from_request(request: Request, state: &S) -> Result<Self, Refused> {
        if request.method() == Method::GET {
            let query = Query::try_from_uri(request.uri()).map_err(|_| ProblemKind::MalformedBody)?;
            return Ok(Self(query.0));
        }
        let form = axum::Form::from_request(request, state).await.map_err(|_| ProblemKind::MalformedBody)?;
        Ok(Self(form.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_by_their_names() {
        let fields = Fields(
            [("count.vm.", " 14 "), ("count.server.application", "0"), ("count.user.", ""), ("other", "x")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .to_vec(),
        );
        let counts = fields.counts().expect("numbers");
        assert_eq!(counts, [("vm".into(), String::new(), 14), ("server".into(), "application".into(), 0)]);
        assert_eq!(count_field("server", "application"), "count.server.application");
        assert!(Fields(vec![("count.vm.".into(), "-1".into())]).counts().is_err());
        assert!(Fields(vec![("count.vm.".into(), "4294967296".into())]).counts().is_err());
    }
}
