//! Whose request it is when a proxy stands in front.

use std::net::IpAddr;

use axum::http::HeaderMap;
pub use tenure_core::enroll::{Network, ParseNetworkError};

const FORWARDED_FOR: &str = "x-forwarded-for";
/// Proxies in a row that are looked through; more are no chain but an attempt.
const MAX_HOPS: usize = 16;

/// The address that a request counts for: the peer's, unless the peer is a proxy that is believed. Then the last address in
/// `X-Forwarded-For` that is no such proxy; what stands before that one is the client's own word and is not read.
pub(crate) fn client(peer: IpAddr, headers: &HeaderMap, proxies: &[Network]) -> IpAddr {
    let is_proxy = |address: IpAddr| proxies.iter().any(|network| network.contains(address));
    let mut client = peer.to_canonical();
    let lines: Vec<&str> = headers.get_all(FORWARDED_FOR).iter().filter_map(|line| line.to_str().ok()).collect();
    let hops = lines.iter().rev().flat_map(|line| line.rsplit(',')).take(MAX_HOPS);
    for hop in hops {
        if !is_proxy(client) {
            break;
        }
        let Ok(before) = hop.trim().parse::<IpAddr>() else { break };
        client = before.to_canonical();
    }
    client
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(peer: &str, lines: &[&str], proxies: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FORWARDED_FOR, line.parse().expect("a value"));
        }
        let proxies: Vec<Network> = proxies.iter().map(|text| text.parse().expect("a network")).collect();
        client(peer.parse().expect("an address"), &headers, &proxies).to_string()
    }

    #[test]
    fn only_a_proxy_that_is_believed_says_for_whom_it_asks() {
        assert_eq!(of("203.0.113.9", &["198.51.100.1"], &[]), "203.0.113.9", "nobody is believed unless told");
        assert_eq!(of("203.0.113.9", &["198.51.100.1"], &["10.0.0.0/8"]), "203.0.113.9");
        assert_eq!(of("10.1.2.3", &["198.51.100.1"], &["10.0.0.0/8"]), "198.51.100.1");
        assert_eq!(of("10.1.2.3", &[], &["10.0.0.0/8"]), "10.1.2.3");
        // What the client wrote itself stands on the left and is not read.
        assert_eq!(of("10.1.2.3", &["192.0.2.1, 198.51.100.1"], &["10.0.0.0/8"]), "198.51.100.1");
        assert_eq!(of("10.1.2.3", &["192.0.2.1", "198.51.100.1, 10.9.9.9"], &["10.0.0.0/8"]), "198.51.100.1");
        assert_eq!(of("10.1.2.3", &["198.51.100.1, nonsense"], &["10.0.0.0/8"]), "10.1.2.3");
        assert_eq!(of("::ffff:10.1.2.3", &["2001:db8::1"], &["10.0.0.0/8"]), "2001:db8::1");
        assert_eq!(of("fd00::1", &["198.51.100.1"], &["fd00::/8"]), "198.51.100.1");
        assert_eq!(of("10.1.2.3", &["198.51.100.1"], &["0.0.0.0/0"]), "198.51.100.1");
    }

    #[test]
    fn a_network_is_an_address_with_at_most_its_bits() {
        for wrong in ["", "10.0.0.0/33", "10.0.0/8", "::/129", "10.0.0.0/x", "host"] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong:?}");
        }
    }
}
