//! The validity of an X.509 certificate, and no more of it: rustls has verified the rest.

use tenure_core::Timestamp;

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// When a certificate begins and ends to be valid (RFC 5280, 4.1.2.5).
pub(super) fn validity(der: &[u8]) -> Option<(Timestamp, Timestamp)> {
    let (certificate, _) = element(der, SEQUENCE)?;
    let (mut body, _) = element(certificate, SEQUENCE)?;
    if body.first() == Some(&VERSION) {
        body = element(body, VERSION)?.1;
    }
    // Serial number, algorithm, issuer.
    for tag in [INTEGER, SEQUENCE, SEQUENCE] {
        body = element(body, tag)?.1;
    }
    let (times, _) = element(body, SEQUENCE)?;
    let (from, rest) = time(times)?;
    let (until, _) = time(rest)?;
    Some((from, until))
}

/// The content of an element, and what follows it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = der.split_first()?;
    let (&first, mut rest) = rest.split_first()?;
    let mut length = usize::from(first);
    if first & 0x80 != 0 {
        let count = usize::from(first & 0x7f);
        if count == 0 || count > 4 {
            return None;
        }
        let bytes = rest.get(..count)?;
        rest = &rest[count..];
        length = bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
    }
    (found == tag).then_some(())?;
    Some((rest.get(..length)?, rest.get(length..)?))
}

fn time(der: &[u8]) -> Option<(Timestamp, &[u8])> {
    let (digits, rest, century) = if der.first()? == &UTC_TIME {
        let (text, rest) = element(der, UTC_TIME)?;
        // Two digits of a year are of this century below 50.
        (text, rest, if text.first()? < &b'5' { "20" } else { "19" })
    } else {
        let (text, rest) = element(der, GENERALIZED_TIME)?;
        (text, rest, "")
    };
    let text = format!("{century}{}", std::str::from_utf8(digits).ok()?);
    if text.len() != 15 || !text.ends_with('Z') || !text[..14].bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part = |from: usize, to: usize| &text[from..to];
    let written =
        format!("{}-{}-{}T{}:{}:{}Z", part(0, 4), part(4, 6), part(6, 8), part(8, 10), part(10, 12), part(12, 14));
    Some((written.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonsense_has_no_validity() {
        for der in [&[][..], &[0x30], &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff], &[0x30, 0x80], &[0x30, 0x02, 0x30, 0x00]] {
            assert_eq!(validity(der), None);
        }
    }
}
