//! A fleet's token: who joins with it at once, who waits for a person, who is turned away (protocol, A3).

use std::{fmt, net::IpAddr, str::FromStr};

use serde::{Deserialize, Serialize};

/// An address or a network, as `10.0.0.0/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u32,
}

/// Text that is no network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a network is an address, or an address and its bits as 10.0.0.0/8")]
pub struct ParseNetworkError;

impl FromStr for Network {
    type Err = ParseNetworkError;

    fn from_str(text: &str) -> Result<Self, ParseNetworkError> {
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().map_err(|_| ParseNetworkError)?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(most), str::parse).map_err(|_| ParseNetworkError)?;
        if bits > most {
            return Err(ParseNetworkError);
        }
        Ok(Self { address, bits })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

impl Serialize for Network {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl Network {
    /// Whether an address is of this network. The two families are apart: no IPv6 network holds an IPv4 address.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(of), IpAddr::V4(address)) => {
                (of.to_bits() ^ address.to_bits()).checked_shr(32 - self.bits).unwrap_or(0) == 0
            }
            (IpAddr::V6(of), IpAddr::V6(address)) => {
                (of.to_bits() ^ address.to_bits()).checked_shr(128 - self.bits).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

/// How a server stands that was made to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// No person has decided.
    Waits,
    /// It may join.
    Admitted,
    /// It may not.
    Refused,
}

/// Everything that decides on a server which shows a token and has not joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// The token was revoked.
    pub revoked: bool,
    /// Its end has passed.
    pub expired: bool,
    /// The request comes from one of its networks.
    pub from_allowed: bool,
    /// Servers that may ever show it.
    pub cap: u32,
    /// Servers that did.
    pub used: u32,
    /// Servers in use that the license may have before a further one waits.
    pub license_limit: u32,
    /// Servers in use that it has.
    pub in_use: u32,
    /// How this server stands, if it was made to wait.
    pub before: Option<Standing>,
}

/// What becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// It gets a license.
    Join,
    /// It is noted, gets none, and a person decides.
    Wait,
    /// It was noted before, and no person has decided.
    WaitsStill,
    /// A person turned it away.
    Refused,
    /// The token was revoked: nobody waits or joins with it.
    Revoked,
    /// The token has ended.
    Expired,
    /// It is good from elsewhere only.
    WrongNetwork,
    /// As many servers as may have shown it.
    UsedUp,
}

/// Decides on a server that shows a token. What a person admitted joins after the token's end too, as long as it is not
/// revoked: the person knew which server it is.
pub fn entry(shown: &Shown) -> Entry {
    if shown.revoked {
        return Entry::Revoked;
    }
    match shown.before {
        Some(Standing::Refused) => return Entry::Refused,
        Some(Standing::Admitted) => return Entry::Join,
        Some(Standing::Waits) => return Entry::WaitsStill,
        None => {}
    }
    if shown.expired {
        Entry::Expired
    } else if !shown.from_allowed {
        Entry::WrongNetwork
    } else if shown.used >= shown.cap {
        Entry::UsedUp
    } else if shown.in_use >= shown.license_limit {
        Entry::Wait
    } else {
        Entry::Join
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a3_a_token_lets_in_so_many_from_its_networks_until_it_ends() {
        let shown = Shown {
            revoked: false,
            expired: false,
            from_allowed: true,
            cap: 5,
            used: 4,
            license_limit: 3,
            in_use: 2,
            before: None,
        };
        assert_eq!(entry(&shown), Entry::Join);
        assert_eq!(entry(&Shown { in_use: 3, ..shown }), Entry::Wait);
        assert_eq!(entry(&Shown { used: 5, ..shown }), Entry::UsedUp);
        assert_eq!(entry(&Shown { used: 5, from_allowed: false, ..shown }), Entry::WrongNetwork);
        assert_eq!(entry(&Shown { expired: true, ..shown }), Entry::Expired);
        let worst = Shown { expired: true, from_allowed: false, used: 5, in_use: 9, ..shown };
        for (before, expected) in [
            (Standing::Waits, Entry::WaitsStill),
            (Standing::Admitted, Entry::Join),
            (Standing::Refused, Entry::Refused),
        ] {
            assert_eq!(entry(&Shown { before: Some(before), ..worst }), expected, "a person's word stands");
            assert_eq!(entry(&Shown { before: Some(before), revoked: true, ..worst }), Entry::Revoked);
        }
    }

    #[test]
    fn networks_hold_their_addresses_and_are_written_as_they_are_read() {
        let network = |text: &str| text.parse::<Network>().expect("a network");
        let holds = |text: &str, address: &str| network(text).contains(address.parse().expect("an address"));
        assert!(holds("10.0.0.0/8", "10.255.0.1") && !holds("10.0.0.0/8", "11.0.0.1"));
        assert!(holds("192.0.2.7", "192.0.2.7") && !holds("192.0.2.7", "192.0.2.8"));
        assert!(holds("0.0.0.0/0", "203.0.113.9") && !holds("0.0.0.0/0", "2001:db8::1"));
        assert!(holds("2001:db8::/32", "2001:db8:1::1") && !holds("2001:db8::/32", "2001:db9::1"));
        let text = serde_json::to_string(&[network("10.0.0.0/8"), network("::1")]).expect("text");
        assert_eq!(text, r#"["10.0.0.0/8","::1/128"]"#);
        assert_eq!(serde_json::from_str::<Vec<Network>>(&text).expect("it reads")[1], network("::1/128"));
        for wrong in ["", "10.0.0.0/33", "10.0.0/8", "::1/129", "10.0.0.0/-1", "example.com"] {
            assert_eq!(wrong.parse::<Network>(), Err(ParseNetworkError), "{wrong:?}");
        }
    }
}
