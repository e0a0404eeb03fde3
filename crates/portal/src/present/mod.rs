//! From the service's values to the pages': names, addresses, which words apply. Nothing here decides what may happen.

pub(crate) mod installations;
pub(crate) mod licenses;
pub(crate) mod month;
mod qr;

use std::fmt::Write;

pub(crate) use self::qr::qr;
use crate::web::Fields;

/// Product and edition in one name.
pub(crate) fn product(name: &str, edition: &str) -> String {
    if edition.is_empty() { name.to_owned() } else { format!("{name} {edition}") }
}

/// Where a list goes on, as its address says.
pub(crate) fn cursor(fields: &Fields) -> Option<String> {
    Some(fields.get("after")).filter(|after| !after.is_empty()).map(ToOwned::to_owned)
}

/// Name and value pairs as the query of an address, percent-encoded.
pub(crate) fn query<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let encode = |text: &str| {
        let mut out = String::with_capacity(text.len());
        for byte in text.bytes() {
            if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
                out.push(char::from(byte));
            } else {
                let _ = write!(out, "%{byte:02X}");
            }
        }
        out
    };
    pairs.into_iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_query_survives_what_people_type() {
        assert_eq!(super::query([("q", "Würth & Söhne"), ("a", "1")]), "q=W%C3%BCrth%20%26%20S%C3%B6hne&a=1");
    }
}
