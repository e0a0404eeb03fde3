//! What free text must be, in one place.

use crate::{ProblemKind, Result};

/// Longest display name, in characters.
const MAX_NAME: usize = 200;

/// A display name: 1 to 200 characters that print, not only spaces.
pub(crate) fn name(field: &str, text: &str) -> Result<()> {
    let trimmed = text.trim();
    if trimmed.is_empty() || trimmed.chars().count() > MAX_NAME || trimmed.chars().any(char::is_control) {
        let words = format!("{field} must be 1 to {MAX_NAME} characters on one line");
        return Err(ProblemKind::InvalidInput.because(words).into());
    }
    Ok(())
}

/// Text of several lines, possibly empty.
pub(crate) fn text(field: &str, text: &str, max: usize) -> Result<()> {
    if text.chars().count() > max || text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
        return Err(ProblemKind::InvalidInput.because(format!("{field} must be at most {max} characters")).into());
    }
    Ok(())
}

/// An e-mail address in lower case; what its domain makes of it is the domain's business.
pub(crate) fn email(text: &str) -> Result<String> {
    let email = text.trim().to_lowercase();
    let valid = email.len() <= 320
        && !email.chars().any(|c| c.is_control() || c.is_whitespace())
        && email.split_once('@').is_some_and(|(user, domain)| {
            !user.is_empty() && domain.contains('.') && !domain.contains('@') && !domain.starts_with('.')
        });
    if valid { Ok(email) } else { Err(ProblemKind::InvalidInput.because("email must be an e-mail address").into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_people_typed() {
        assert!(name("name", " Contoso AG ").is_ok());
        for bad in ["", "   ", "two\nlines", &"x".repeat(201)] {
            assert!(name("name", bad).is_err(), "{bad:?}");
        }
        assert_eq!(email(" Ann@Example.ORG ").ok().as_deref(), Some("ann@example.org"));
        for bad in ["", "ann", "@example.org", "ann@", "ann@example", "a b@example.org", "a@b@c.org", "a@.org"] {
            assert!(email(bad).is_err(), "{bad:?}");
        }
        assert!(text("reason", "two\nlines", 20).is_ok() && text("reason", "x\u{7}", 20).is_err());
    }
}
