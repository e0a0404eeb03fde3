//! The client's own version, as it says in `X-Client-Version`, and what of the API's history it has not seen.

use axum::http::HeaderMap;

/// The version, as `3.6.1`; empty where none is said.
pub(crate) fn version(headers: &HeaderMap) -> &str {
    headers.get("x-client-version").and_then(|value| value.to_str().ok()).unwrap_or_default().trim()
}

/// Whether `null` may stand for what is absent: clients before 3.6.1 take the property only with a value.
pub(crate) fn takes_null(version: &str) -> bool {
    let parts: Option<Vec<u32>> = version.split('.').map(|part| part.parse().ok()).collect();
    parts.is_none_or(|parts| parts.as_slice() >= [3, 6, 1].as_slice())
}

/// The name of a report's parameters: version 3.5 spells it in its own way.
pub(crate) fn report_parameters(version: &str) -> &'static str {
    if version.starts_with("3.5") { "reportParemeters" } else { "reportParameters" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_older_clients_are_spared_nulls() {
        for (version, takes) in [("3.5", false), ("3.5.1", false), ("3.6", false), ("3.6.1", true), ("3.7", true)] {
            assert_eq!(takes_null(version), takes, "{version}");
        }
        assert!(takes_null("") && takes_null("x"));
    }
}
