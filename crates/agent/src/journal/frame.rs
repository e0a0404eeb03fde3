//! How one entry lies in a segment file.
//!
//! `"TJR1"`, length (u32), number (u64), the first 16 bytes of SHA-256(number || payload), payload; integers little
//! endian. The number counts frames of the segment from 0, so that a frame out of place is never taken for a good one.

use sha2::{Digest, Sha256};

/// The largest payload, a snapshot included.
pub(super) const MAX_PAYLOAD: usize = 256 * 1024 * 1024;

const MAGIC: &[u8; 4] = b"TJR1";
const HEADER: usize = 32;

/// The bytes of a frame.
pub(super) fn encode(number: u64, payload: &[u8]) -> Vec<u8> {
    debug_assert!(payload.len() <= MAX_PAYLOAD, "checked by the caller");
    let mut frame = Vec::with_capacity(HEADER + payload.len());
    frame.extend_from_slice(MAGIC);
    frame.extend_from_slice(&(payload.len() as u32).to_le_bytes());
    frame.extend_from_slice(&number.to_le_bytes());
    frame.extend_from_slice(&checksum(number, payload));
    frame.extend_from_slice(payload);
    frame
}

/// A segment's frames, and what follows them.
pub(super) struct Scan<'a> {
    /// The payloads, in order.
    pub(super) payloads: Vec<&'a [u8]>,
    /// Bytes they take, headers included.
    pub(super) good: usize,
    /// Whether the rest is only a write that was cut off, as opposed to damage before later frames.
    pub(super) rest_is_torn: bool,
}

/// Reads frames until the end or the first that is not whole.
///
/// Only the last write can have been cut off, since each is synced before the next begins. So unreadable bytes that a
/// whole frame follows are damage, and cutting them off would lose what was acknowledged.
pub(super) fn scan(bytes: &[u8]) -> Scan<'_> {
    let (mut payloads, mut good) = (Vec::new(), 0);
    while let Some((number, payload)) = decode(&bytes[good..]) {
        if number != payloads.len() as u64 {
            break;
        }
        payloads.push(payload);
        good += HEADER + payload.len();
    }
    let rest = &bytes[good..];
    let later_frame = (1..rest.len().saturating_sub(HEADER - 1))
        .filter(|&at| rest[at..].starts_with(MAGIC))
        .any(|at| decode(&rest[at..]).is_some());
    let misplaced = decode(rest).is_some();
    Scan { payloads, good, rest_is_torn: !later_frame && !misplaced }
}

fn decode(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let header = bytes.get(..HEADER)?.strip_prefix(MAGIC)?;
    let (length, header) = header.split_first_chunk::<4>()?;
    let (number, sum) = header.split_first_chunk::<8>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    let payload = bytes.get(HEADER..HEADER.checked_add(length)?)?;
    let number = u64::from_le_bytes(*number);
    (checksum(number, payload) == sum).then_some((number, payload))
}

fn checksum(number: u64, payload: &[u8]) -> [u8; 16] {
    let full = Sha256::new().chain_update(number.to_le_bytes()).chain_update(payload).finalize();
    *full.first_chunk().expect("SHA-256 has 32 bytes")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn segment(payloads: &[Vec<u8>]) -> Vec<u8> {
        payloads.iter().enumerate().flat_map(|(n, payload)| encode(n as u64, payload)).collect()
    }

    proptest! {
        #[test]
        fn a_cut_at_any_byte_loses_only_the_last_frame(
            payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..6),
            garbage in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            let bytes = segment(&payloads);
            let last = HEADER + payloads.last().unwrap().len();
            for cut in bytes.len() - last..bytes.len() {
                let mut torn = bytes[..cut].to_vec();
                // What follows the cut is anything but what was meant to.
                torn.extend(garbage.first().map(|_| !bytes[cut]));
                torn.extend_from_slice(&garbage);
                let scan = scan(&torn);
                prop_assert!(scan.rest_is_torn);
                prop_assert_eq!(scan.payloads, &payloads[..payloads.len() - 1]);
                prop_assert_eq!(scan.good, bytes.len() - last);
            }
        }

        #[test]
        fn a_changed_byte_before_the_last_frame_is_damage(
            payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 2..6),
            at in any::<prop::sample::Index>(),
            flip in 1..=255u8,
        ) {
            let mut bytes = segment(&payloads);
            let last = HEADER + payloads.last().unwrap().len();
            let at = at.index(bytes.len() - last);
            bytes[at] ^= flip;
            prop_assert!(!scan(&bytes).rest_is_torn);
        }
    }

    #[test]
    fn a_frame_at_the_wrong_place_is_damage() {
        let bytes = [encode(0, b"a"), encode(2, b"c")].concat();
        let scan = scan(&bytes);
        assert_eq!(scan.payloads, [b"a"]);
        assert!(!scan.rest_is_torn);
    }
}
