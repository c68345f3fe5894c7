//! Addresses that automatic mail may go to.

use crate::private::Private;

/// Octets of a local part, a domain and a whole address (RFC 5321 section 4.5.3.1).
const LOCAL_OCTETS: usize = 64;
const ADDRESS_OCTETS: usize = 254;

/// An address that SMTP carries everywhere as it stands: a plain ASCII local part and a domain
/// name of at least two labels, in ASCII (RFC 5890 A-labels) and lower case.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MailAddress(Private<String>);

/// Why an address cannot be written to automatically. Names no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressFault {
    /// No `local@domain`, or longer than RFC 5321 allows.
    #[error("not an e-mail address")]
    Malformed,
    /// A quoted local part, or characters that no ordinary mailbox has.
    #[error("the part before the @ has characters that automatic mail is not sent to")]
    LocalPart,
    /// Letters beyond ASCII before the @ (RFC 6531): few servers take them.
    #[error("the part before the @ has letters that not every mail server takes")]
    International,
    /// An address literal, a single label, or no valid domain name.
    #[error("the part after the @ is not a domain name")]
    Domain,
}

impl MailAddress {
    /// Takes an address that automatic mail may use.
    ///
    /// # Errors
    /// [`AddressFault`]: a person must write to such an address, if anyone.
    pub fn parse(address: &str) -> Result<Self, AddressFault> {
        let (local, domain) = address.rsplit_once('@').ok_or(AddressFault::Malformed)?;
        if local.is_empty() || local.len() > LOCAL_OCTETS || address.len() > 2 * ADDRESS_OCTETS {
            return Err(AddressFault::Malformed);
        }
        check_local(local)?;
        let domain = ascii_domain(domain)?;
        let whole = format!("{local}@{domain}");
        if whole.len() > ADDRESS_OCTETS {
            return Err(AddressFault::Malformed);
        }
        Ok(Self(Private(whole)))
    }

    /// The address as SMTP writes it, without angle brackets.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the @.
    pub fn local(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(local, _)| local)
    }

    /// The domain, in ASCII and lower case.
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

/// A dot-atom (RFC 5322 section 3.2.3).
fn check_local(local: &str) -> Result<(), AddressFault> {
    let atom = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    if local.chars().any(|c| !c.is_ascii() && !c.is_control()) {
        return Err(AddressFault::International);
    }
    let dots = local.starts_with('.') || local.ends_with('.') || local.contains("..");
    if dots || !local.chars().all(atom) { Err(AddressFault::LocalPart) } else { Ok(()) }
}

fn ascii_domain(domain: &str) -> Result<String, AddressFault> {
    let domain = idna::domain_to_ascii_strict(domain).map_err(|_| AddressFault::Domain)?;
    let last = domain.rsplit('.').next().unwrap_or("");
    // A last label of digits alone is an IP address in another coat.
    let numeric = last.bytes().all(|b| b.is_ascii_digit());
    if !domain.contains('.') || last.is_empty() || numeric {
        return Err(AddressFault::Domain);
    }
    Ok(domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(address: &str, expected: Result<&str, AddressFault>) {
        let parsed = MailAddress::parse(address);
        assert_eq!(
            parsed.as_ref().map(MailAddress::as_str),
            expected.as_ref().copied(),
            "{address:?}"
        );
    }

    #[test]
    fn only_plain_addresses_get_automatic_mail() {
        check("ann.o'neil+x@Example.ORG", Ok("ann.o'neil+x@example.org"));
        check("ann@bücher.example", Ok("ann@xn--bcher-kva.example"));
        check("ann@localhost", Err(AddressFault::Domain));
        check("ann@[127.0.0.1]", Err(AddressFault::Domain));
        check("ann@127.0.0.1", Err(AddressFault::Domain));
        check("ann@example.org.", Err(AddressFault::Domain));
        check("ann@", Err(AddressFault::Domain));
        check("ann@exa mple.org", Err(AddressFault::Domain));
        check("ann@example.org\r\nRCPT TO:<x@y.example>", Err(AddressFault::LocalPart));
        check("\"ann b\"@example.org", Err(AddressFault::LocalPart));
        check("a..b@example.org", Err(AddressFault::LocalPart));
        check("ann\0@example.org", Err(AddressFault::LocalPart));
        check("a@b@example.org", Err(AddressFault::LocalPart));
        check("<ann@example.org>", Err(AddressFault::LocalPart));
        check("ann,bob@example.org", Err(AddressFault::LocalPart));
        check("änn@example.org", Err(AddressFault::International));
        check("ann", Err(AddressFault::Malformed));
        check("@example.org", Err(AddressFault::Malformed));
        check(&format!("{}@example.org", "a".repeat(65)), Err(AddressFault::Malformed));
        check(&format!("a@{}.example", "b".repeat(10_000)), Err(AddressFault::Malformed));
    }

    #[test]
    fn debug_names_nobody() {
        let address = MailAddress::parse("ann@example.org").unwrap();
        assert!(!format!("{address:?}").contains("ann"));
    }
}
