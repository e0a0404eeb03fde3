//! The session's cookie.

use axum::http::{HeaderMap, HeaderValue, header};

use super::PortalOptions;

/// The session's token as the browser holds it: never readable by scripts, never sent from another site's forms.
pub(crate) struct SessionCookie;

impl SessionCookie {
    /// Over https the name itself makes browsers insist on `Secure`, this host alone and the root path.
    const fn name(options: PortalOptions) -> &'static str {
        if options.https { "__Host-tenure" } else { "tenure" }
    }

    /// The token a request carries.
    pub(crate) fn read(headers: &HeaderMap, options: PortalOptions) -> Option<&str> {
        cookie(headers, Self::name(options))
    }

    /// The header that sets it for so many seconds.
    pub(crate) fn set(options: PortalOptions, token: &str, seconds: i64) -> Option<HeaderValue> {
        let secure = if options.https { "; Secure" } else { "" };
        let name = Self::name(options);
        let text = format!("{name}={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age={}{secure}", seconds.max(0));
        let mut value = HeaderValue::from_str(&text).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// The header that removes it.
    pub(crate) fn clear(options: PortalOptions) -> Option<HeaderValue> {
        Self::set(options, "", 0)
    }
}

/// A cookie of a request.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(known, _)| *known == name)
        .map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_as_strict_as_the_way_it_is_served_allows() {
        let text = |https| {
            let options = PortalOptions { https, ..PortalOptions::default() };
            SessionCookie::set(options, "tns_x", 60).and_then(|value| value.to_str().map(ToOwned::to_owned).ok())
        };
        assert_eq!(text(false).as_deref(), Some("tenure=tns_x; Path=/; HttpOnly; SameSite=Lax; Max-Age=60"));
        assert_eq!(
            text(true).as_deref(),
            Some("__Host-tenure=tns_x; Path=/; HttpOnly; SameSite=Lax; Max-Age=60; Secure")
        );
    }

    #[test]
    fn a_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=1; tenure=tns_x;b=2"));
        headers.append(header::COOKIE, HeaderValue::from_static("c=3"));
        assert_eq!(SessionCookie::read(&headers, PortalOptions::default()), Some("tns_x"));
        assert_eq!(cookie(&headers, "c"), Some("3"));
        assert_eq!(SessionCookie::read(&headers, PortalOptions { https: true, ..PortalOptions::default() }), None);
    }
}
