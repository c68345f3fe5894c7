//! Networks, as settings name them: an address, or the beginning that all of its addresses have.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A network (RFC 4632, RFC 4291 section 2.3), or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    first: IpAddr,
    /// How many bits its addresses have alike.
    bits: u8,
}

impl Network {
    /// Whether an address is one of its own. An IPv4 address may come as IPv6 writes it.
    pub fn holds(&self, address: IpAddr) -> bool {
        masked(address.to_canonical(), self.bits).is_some_and(|first| first == self.first)
    }
}

/// The first address of the network of an address; none where the address has not so many bits.
fn masked(address: IpAddr, bits: u8) -> Option<IpAddr> {
    match address {
        IpAddr::V4(address) => {
            let off = 32_u32.checked_sub(u32::from(bits))?;
            let mask = u32::MAX.checked_shl(off).unwrap_or(0);
            Some(Ipv4Addr::from_bits(address.to_bits() & mask).into())
        }
        IpAddr::V6(address) => {
            let off = 128_u32.checked_sub(u32::from(bits))?;
            let mask = u128::MAX.checked_shl(off).unwrap_or(0);
            Some(Ipv6Addr::from_bits(address.to_bits() & mask).into())
        }
    }
}

impl FromStr for Network {
    /// What to write instead.
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXAMPLE: &str =
            "write an address or a network, for example `10.20.0.0/16` or `2001:db8:20::/48`";
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| EXAMPLE.to_owned())?;
        let canonical = address.to_canonical();
        if canonical != address {
            return Err(format!("write it as IPv4: `{canonical}`"));
        }
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            // Nothing but digits: a number may be read from `+8` too.
            Some(bits) if bits.bytes().all(|byte| byte.is_ascii_digit()) => {
                bits.parse().ok().filter(|bits| *bits <= most).ok_or_else(|| EXAMPLE.to_owned())?
            }
            Some(_) => return Err(EXAMPLE.to_owned()),
            None => most,
        };
        if bits == 0 {
            return Err(
                "that is everybody: write the networks that are the council's own".to_owned()
            );
        }
        match masked(address, bits) {
            Some(first) if first == address => Ok(Self { first, bits }),
            Some(first) => {
                Err(format!("write `{first}/{bits}`, or all of the address and `/{most}`"))
            }
            None => Err(EXAMPLE.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(network: &str, address: &str) -> bool {
        network.parse::<Network>().unwrap().holds(address.parse().unwrap())
    }

    #[test]
    fn a_network_holds_its_own_addresses() {
        for (network, inside, outside) in [
            ("10.20.0.0/16", "10.20.255.255", "10.21.0.0"),
            ("10.20.0.0/16", "::ffff:10.20.1.1", "::10.20.1.1"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.8"),
            ("128.0.0.0/1", "255.255.255.255", "127.255.255.255"),
            ("2001:db8:20::/48", "2001:db8:20:ffff::1", "2001:db8:21::"),
            ("::1", "::1", "::2"),
            ("fe80::/10", "febf::1", "fec0::1"),
            ("0.0.0.0/8", "0.1.2.3", "::"),
        ] {
            assert!(holds(network, inside), "{network} {inside}");
            assert!(!holds(network, outside), "{network} {outside}");
        }
    }

    #[test]
    fn what_is_no_network_says_what_to_write() {
        for (wrong, cure) in [
            ("", "for example"),
            ("office", "for example"),
            ("10.20.0.0/33", "for example"),
            ("10.20.0.0/+8", "for example"),
            ("10.20.0.0/", "for example"),
            ("2001:db8::/129", "for example"),
            ("10.20.3.4/16", "write `10.20.0.0/16`"),
            ("::ffff:10.0.0.0/104", "write it as IPv4"),
            ("0.0.0.0/0", "everybody"),
            ("::/0", "everybody"),
        ] {
            let said = wrong.parse::<Network>().unwrap_err();
            assert!(said.contains(cure), "{wrong}: {said}");
        }
    }
}
