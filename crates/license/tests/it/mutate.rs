//! Changes to bytes as an attacker, a proxy or a bad disk would make them; the same seed makes the same changes.

/// Words that mean something to one reader or another.
const WORDS: &[&str] = &[
    "\"crit\":[\"x\"]",
    "\"v\":2",
    "null",
    "true",
    "-0",
    "1e3",
    "9007199254740992",
    "\\u0000",
    "\\ud800",
    "\u{feff}",
    "\u{202e}",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\"\":0,",
    "=",
    "\r\n",
    "\n\n",
    "-----END",
    "-----BEGIN TENURE LICENSE-----",
    "application/vnd.tenure.license+json",
    "\"signatures\":[]",
    "\"payload\":\"\"",
    "ed25519",
    "AAAA",
    "0",
    "\0",
];

/// A stream of changes.
pub(crate) struct Mutator(u64);

impl Mutator {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number (splitmix64).
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`, which is not 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// A copy with one to four changes; `other` lends its bytes.
    pub(crate) fn change(&mut self, bytes: &[u8], other: &[u8]) -> Vec<u8> {
        let mut changed = bytes.to_vec();
        for _ in 0..=self.below(4) {
            self.change_once(&mut changed, other);
        }
        changed
    }

    fn change_once(&mut self, bytes: &mut Vec<u8>, other: &[u8]) {
        let at = self.below(bytes.len() + 1);
        let end = (at + 1 + self.below(24)).min(bytes.len());
        match self.below(10) {
            0 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
            1 if at < bytes.len() => bytes[at] = self.next() as u8,
            2 => drop(bytes.drain(at..end)),
            3 => {
                let copy = bytes[at..end].to_vec();
                let to = self.below(bytes.len() + 1);
                bytes.splice(to..to, copy);
            }
            4 => {
                let cut: Vec<u8> = bytes.drain(at..end).collect();
                let to = self.below(bytes.len() + 1);
                bytes.splice(to..to, cut);
            }
            5 => drop(bytes.splice(at..at, WORDS[self.below(WORDS.len())].bytes())),
            6 => drop(bytes.splice(at..end, WORDS[self.below(WORDS.len())].bytes())),
            7 if !other.is_empty() => {
                let from = self.below(other.len());
                let lent = &other[from..(from + 1 + self.below(200)).min(other.len())];
                bytes.splice(at..end, lent.iter().copied());
            }
            8 => self.change_a_digit(bytes, at),
            9 => bytes.truncate(at),
            _ => bytes.insert(at, self.next() as u8),
        }
    }

    /// What a cheat does first: another number.
    fn change_a_digit(&mut self, bytes: &mut [u8], from: usize) {
        let digit = (from..bytes.len()).find(|at| bytes[*at].is_ascii_digit());
        if let Some(at) = digit {
            bytes[at] = b'0' + self.below(10) as u8;
        }
    }
}
