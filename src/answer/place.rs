//! Where somebody sits who opens the answer page: within the council's network or not. Pure.
//!
//! The address is that of the connection. What a header says of another counts only where the connection comes from a
//! proxy that the settings name: everybody can write a header. Where it cannot be told, the code is asked for.

use std::net::{IpAddr, SocketAddr};

use axum::http::HeaderMap;

use crate::config::Network;

/// The headers in which proxies say for whom they ask: the customary one, and RFC 7239.
const FORWARDED_FOR: &str = "x-forwarded-for";
const FORWARDED: &str = "forwarded";

/// Headers that a browser never sends: somebody stands between.
const OF_PROXIES: [&str; 4] = [FORWARDED_FOR, FORWARDED, "x-real-ip", "via"];

/// Whether who asks sits within one of these networks.
pub(super) fn is_inside(
    networks: &[Network],
    proxies: &[Network],
    peer: Option<IpAddr>,
    headers: &HeaderMap,
) -> bool {
    let within = |list: &[Network], address| list.iter().any(|one| one.holds(address));
    let Some(peer) = peer else { return false };
    if !within(proxies, peer) {
        // A proxy that the settings do not name may sit inside, whoever it asks for.
        return within(networks, peer)
            && OF_PROXIES.iter().all(|name| !headers.contains_key(*name));
    }
    let said = [(FORWARDED_FOR, address as Read), (FORWARDED, forwarded as Read)];
    let mut told = said.iter().filter(|(name, _)| headers.contains_key(*name)).peekable();
    // A proxy writes one of the two, and lets the other pass as a stranger wrote it: both have to say the same.
    told.peek().is_some()
        && told.all(|(name, read)| {
            asker(headers, name, *read, |one| within(proxies, one))
                .is_some_and(|one| within(networks, one))
        })
}

/// How an entry of a header is read.
type Read = fn(&str) -> Option<IpAddr>;

/// For whom the last proxy asks that is known, by one header: the last entry that names none of them. Whatever stands
/// before it may be made up, and is not read.
fn asker(
    headers: &HeaderMap,
    name: &str,
    read: Read,
    is_proxy: impl Fn(IpAddr) -> bool,
) -> Option<IpAddr> {
    let lines = headers.get_all(name).iter().map(|line| line.to_str().unwrap_or("unreadable"));
    let mut entries: Vec<&str> = lines.flat_map(|line| line.split(',')).collect();
    while let Some(entry) = entries.pop() {
        let one = read(entry.trim())?;
        if !is_proxy(one) {
            return Some(one);
        }
    }
    None
}

/// An address, with or without its port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let alone = bare.parse::<IpAddr>().ok();
    alone.or_else(|| text.parse::<SocketAddr>().ok().map(|one| one.ip()))
}

/// The `for` of an element of `Forwarded`.
fn forwarded(element: &str) -> Option<IpAddr> {
    let mut pairs = element.split(';').filter_map(|pair| pair.split_once('='));
    let mut given = pairs.by_ref().filter(|(name, _)| name.trim().eq_ignore_ascii_case("for"));
    let (_, value) = given.next()?;
    if given.next().is_some() {
        return None;
    }
    let value = value.trim();
    address(value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value))
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn inside(peer: &str, said: &[(&str, &str)]) -> bool {
        let read = |list: &[&str]| list.iter().map(|one| one.parse().unwrap()).collect::<Vec<_>>();
        let networks = read(&["10.0.0.0/8", "2001:db8:20::/48", "127.0.0.0/8"]);
        let proxies = read(&["10.9.9.9", "127.0.0.1", "2001:db8:99::1"]);
        let mut headers = HeaderMap::new();
        for (name, value) in said {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        is_inside(&networks, &proxies, peer.parse().ok(), &headers)
    }

    #[test]
    fn without_a_proxy_the_connection_says_it() {
        assert!(inside("10.1.2.3", &[]));
        assert!(inside("::ffff:10.1.2.3", &[]));
        assert!(inside("2001:db8:20::7", &[]));
        assert!(!inside("192.0.2.1", &[]));
        assert!(!inside("unknown", &[]));
        // Whoever writes the header himself is where he is.
        assert!(!inside("192.0.2.1", &[("x-forwarded-for", "10.1.2.3")]));
        assert!(!inside("192.0.2.1", &[("forwarded", "for=10.1.2.3")]));
        // A proxy that nobody named, within: it may ask for anybody.
        for header in ["x-forwarded-for", "forwarded", "x-real-ip", "via"] {
            assert!(!inside("10.1.2.3", &[(header, "192.0.2.1")]), "{header}");
        }
    }

    #[test]
    fn behind_a_proxy_its_own_entry_counts_and_no_other() {
        let of = |value| inside("10.9.9.9", &[("x-forwarded-for", value)]);
        assert!(of("10.1.2.3"));
        assert!(of("10.1.2.3:4711") && of("[2001:db8:20::7]:4711") && of("2001:db8:20::7"));
        assert!(of("10.1.2.3, 127.0.0.1"), "through two of ours");
        assert!(!of("192.0.2.1"));
        assert!(!of("10.1.2.3, 192.0.2.1"), "the first is what a stranger wrote");
        assert!(of("made up, 10.1.2.3"), "what he wrote before is not read");
        assert!(!of("10.1.2.3, 192.0.2.1, 127.0.0.1"));
        for nothing in
            ["", "unknown", "10.1.2.3, unknown", "10.1.2.3,", "127.0.0.1", "10.1.2.3 10.1.2.3"]
        {
            assert!(!of(nothing), "{nothing:?}");
        }
        assert!(!inside("10.9.9.9", &[]), "everybody would come from where the proxy stands");
        let two = [("x-forwarded-for", "10.1.2.3"), ("x-forwarded-for", "192.0.2.1")];
        assert!(!inside("10.9.9.9", &two), "a second line goes on with the first");
    }

    #[test]
    fn the_header_of_the_standard_is_read_alike() {
        let of = |value| inside("127.0.0.1", &[("forwarded", value)]);
        assert!(of("for=10.1.2.3;proto=https") && of("proto=https; For=\"10.1.2.3:4711\""));
        assert!(of("for=\"[2001:db8:20::7]:4711\""));
        assert!(of("for=192.0.2.1, for=10.1.2.3"));
        assert!(!of("for=10.1.2.3, for=192.0.2.1") && !of("for=_hidden") && !of("by=10.1.2.3"));
        assert!(!of("for=10.1.2.3;for=192.0.2.1") && !of("for=192.0.2.1;for=10.1.2.3"));
        // A quote that does not end hides nothing that comes after it.
        assert!(!of("for=\"10.1.2.3, for=192.0.2.1"));
        let both =
            |one, other| inside("127.0.0.1", &[("x-forwarded-for", one), ("forwarded", other)]);
        assert!(both("10.1.2.3", "for=10.1.2.3"));
        assert!(!both("192.0.2.1", "for=10.1.2.3") && !both("10.1.2.3", "for=192.0.2.1"));
        assert!(!both("10.1.2.3", "unknown"));
    }
}
