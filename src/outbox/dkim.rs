//! A letter signed for our domain (DKIM: RFC 6376; Ed25519 by RFC 8463), once, when it is written: a
//! retry sends the same bytes.
//!
//! Signing is our own and not the mail library's: that would bring an RSA whose timing gives the key
//! away (RUSTSEC-2023-0071).

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::{PrivateKeyDer, pem::PemObject as _};
use sha2::{Digest as _, Sha256};

/// The headers that a signature covers. Each is named once more than it stands in the letter, so that
/// none can be added without breaking the signature (RFC 6376 section 8.15).
const SIGNED: [&str; 13] = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Reply-To",
    "In-Reply-To",
    "References",
    "Auto-Submitted",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
    "Content-Language",
];
/// Characters of base64 in one line.
const LINE: usize = 70;

/// Why a key cannot sign. Repeats nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// No private key in PEM.
    #[error("holds no private key in PEM")]
    NoKey,
    /// Neither RSA nor Ed25519.
    #[error("holds a key that is neither RSA nor Ed25519")]
    Kind,
    /// RSA of less than 2048 or more than 4096 bits, or damaged.
    #[error("holds an RSA key that is damaged or has not between 2048 and 4096 bits")]
    Rsa,
    /// A selector or domain that DNS has no name for.
    #[error("is to sign for a {0} that is no name in DNS")]
    Name(&'static str),
}

impl KeyFault {
    /// What to do about it.
    pub fn cure(self) -> &'static str {
        match self {
            Self::NoKey | Self::Kind | Self::Rsa => {
                "make one with `openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048` and put its \
                 public half into DNS"
            }
            Self::Name(_) => {
                "write `selector = \"postern\"` and `domain = \"your.council\"` in [smtp.dkim]: the public \
                 key stands at postern._domainkey.your.council"
            }
        }
    }
}

/// Whose signature letters bear.
pub struct Signer {
    domain: String,
    selector: String,
    key: Key,
}

enum Key {
    Rsa(Box<RsaKeyPair>),
    Ed25519(Ed25519KeyPair),
}

impl Signer {
    /// A signer for a domain, whose public key stands in DNS at `selector._domainkey.domain`.
    ///
    /// # Errors
    /// [`KeyFault`]: the key, selector or domain cannot be used.
    pub fn new(selector: &str, domain: &str, pem: &[u8]) -> Result<Self, KeyFault> {
        let domain = idna::domain_to_ascii_strict(domain).ok().filter(|name| name.contains('.'));
        let domain = domain.ok_or(KeyFault::Name("domain"))?;
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        let label = |label: &str| (1..=63).contains(&label.len()) && label.bytes().all(plain);
        if !selector.split('.').all(label) {
            return Err(KeyFault::Name("selector"));
        }
        let der = PrivateKeyDer::from_pem_slice(pem).map_err(|_| KeyFault::NoKey)?;
        Ok(Self { domain, selector: selector.to_owned(), key: Key::read(&der)? })
    }

    /// Whether mail from the address is in this signature's domain or below it: else a receiver that asks
    /// for alignment (DMARC, RFC 7489 section 3.1) makes nothing of it.
    pub fn speaks_for(&self, address: &str) -> bool {
        let domain = address.rsplit('@').next().unwrap_or_default().to_ascii_lowercase();
        domain == self.domain || domain.ends_with(&format!(".{}", self.domain))
    }

    /// The letter with its signature before it. `letter` has CRLF at the end of each line.
    pub fn sign(&self, letter: &[u8]) -> Vec<u8> {
        let (head, body) = split(letter);
        let fields = fields(head);
        let mut names = Vec::new();
        let mut text = Vec::new();
        for name in SIGNED {
            // The last of several comes first (RFC 6376 section 5.4.2).
            let present = fields.iter().rev().filter(|field| is_named(field, name));
            for field in present {
                names.push(name);
                text.extend_from_slice(&relaxed_field(field));
                text.extend_from_slice(b"\r\n");
            }
            names.push(name);
        }
        let unsigned = format!(
            "DKIM-Signature: v=1; a={}; c=relaxed/relaxed; d={};\r\n\ts={};\r\n\th={};\r\n\tbh={};\r\n\tb=",
            self.key.algorithm(),
            self.domain,
            self.selector,
            names.join(":\r\n\t "),
            BASE64.encode(Sha256::digest(relaxed_body(body))),
        );
        text.extend_from_slice(&relaxed_field(unsigned.as_bytes()));
        // Without randomness to blind the key with, the letter leaves unsigned: better than never.
        let Some(signature) = self.key.sign(&text) else { return letter.to_vec() };
        let signature = BASE64.encode(signature);
        let mut signed = unsigned.into_bytes();
        for line in signature.as_bytes().chunks(LINE) {
            if !signed.ends_with(b"b=") {
                signed.extend_from_slice(b"\r\n\t ");
            }
            signed.extend_from_slice(line);
        }
        signed.extend_from_slice(b"\r\n");
        signed.extend_from_slice(letter);
        signed
    }
}

impl Key {
    fn read(der: &PrivateKeyDer<'_>) -> Result<Self, KeyFault> {
        let octets = der.secret_der();
        if let PrivateKeyDer::Pkcs1(_) = der {
            let key = RsaKeyPair::from_der(octets).map_err(|_| KeyFault::Rsa)?;
            return Ok(Self::Rsa(Box::new(key)));
        }
        if let PrivateKeyDer::Sec1(_) = der {
            return Err(KeyFault::Kind);
        }
        // OpenSSL writes an Ed25519 key without its public half.
        if let Ok(key) = Ed25519KeyPair::from_pkcs8_maybe_unchecked(octets) {
            return Ok(Self::Ed25519(key));
        }
        match RsaKeyPair::from_pkcs8(octets) {
            Ok(key) => Ok(Self::Rsa(Box::new(key))),
            Err(fault) if fault.to_string() == "WrongAlgorithm" => Err(KeyFault::Kind),
            Err(_) => Err(KeyFault::Rsa),
        }
    }

    fn algorithm(&self) -> &'static str {
        match self {
            Self::Rsa(_) => "rsa-sha256",
            Self::Ed25519(_) => "ed25519-sha256",
        }
    }

    fn sign(&self, text: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Rsa(key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                let signed =
                    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text, &mut signature);
                signed.ok().map(|()| signature)
            }
            // RFC 8463 section 3: what is signed is the SHA-256.
            Self::Ed25519(key) => Some(key.sign(&Sha256::digest(text)).as_ref().to_vec()),
        }
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({}._domainkey.{})", self.selector, self.domain)
    }
}

/// Head and body, without the empty line between them.
fn split(letter: &[u8]) -> (&[u8], &[u8]) {
    let at = letter.windows(4).position(|four| four == b"\r\n\r\n");
    let at = at.unwrap_or(letter.len());
    let body = letter.get(at + 4..).unwrap_or_default();
    (letter.get(..at).unwrap_or_default(), body)
}

/// Header fields, each with the lines that continue it.
fn fields(head: &[u8]) -> Vec<Vec<u8>> {
    let mut fields: Vec<Vec<u8>> = Vec::new();
    for line in head.split_inclusive(|octet| *octet == b'\n') {
        match fields.last_mut() {
            Some(field) if line.starts_with(b" ") || line.starts_with(b"\t") => {
                field.extend_from_slice(line);
            }
            _ => fields.push(line.to_vec()),
        }
    }
    fields
}

fn is_named(field: &[u8], name: &str) -> bool {
    let own = field.split(|octet| *octet == b':').next().unwrap_or_default();
    own.trim_ascii().eq_ignore_ascii_case(name.as_bytes())
}

/// RFC 6376 section 3.4.2, without the line's end.
fn relaxed_field(field: &[u8]) -> Vec<u8> {
    let colon = field.iter().position(|octet| *octet == b':').unwrap_or(field.len());
    let (name, value) = field.split_at(colon);
    let value = value.get(1..).unwrap_or_default();
    let unfolded: Vec<u8> =
        value.iter().copied().filter(|octet| !matches!(octet, b'\r' | b'\n')).collect();
    let mut relaxed = name.trim_ascii().to_ascii_lowercase();
    relaxed.push(b':');
    relaxed.extend_from_slice(one_blank(&unfolded).trim_ascii());
    relaxed
}

/// RFC 6376 section 3.4.4.
fn relaxed_body(body: &[u8]) -> Vec<u8> {
    let mut relaxed = Vec::with_capacity(body.len());
    let mut empty = 0;
    for line in body.split_inclusive(|octet| *octet == b'\n') {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = one_blank(line.strip_suffix(b"\r").unwrap_or(line));
        let line = line.strip_suffix(b" ").unwrap_or(&line);
        if line.is_empty() {
            empty += 1;
            continue;
        }
        for _ in 0..std::mem::take(&mut empty) {
            relaxed.extend_from_slice(b"\r\n");
        }
        relaxed.extend_from_slice(line);
        relaxed.extend_from_slice(b"\r\n");
    }
    relaxed
}

/// Blanks and tabs in a row become one blank.
fn one_blank(text: &[u8]) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::with_capacity(text.len());
    for octet in text {
        match octet {
            b' ' | b'\t' if out.last() == Some(&b' ') => {}
            b' ' | b'\t' => out.push(b' '),
            octet => out.push(*octet),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_signed_is_brought_into_the_form_of_the_standard() {
        // RFC 6376 section 3.4.5.
        let message = b"A: X\r\nB : Y\t\r\n\tZ  \r\n\r\n C \r\nD \t E\r\n\r\n\r\n";
        let (head, body) = split(message);
        let fields: Vec<Vec<u8>> = fields(head).iter().map(|field| relaxed_field(field)).collect();
        assert_eq!(fields, [b"a:X".to_vec(), b"b:Y Z".to_vec()]);
        assert_eq!(relaxed_body(body), b" C\r\nD E\r\n");
        assert_eq!(relaxed_body(b"\r\n\r\n"), b"", "an empty body stays empty");
    }

    #[test]
    fn a_key_that_cannot_sign_is_told_by_what_it_is() {
        let fault = |selector, domain, pem: &[u8]| Signer::new(selector, domain, pem).unwrap_err();
        assert_eq!(fault("s1", "n.example", b"no key"), KeyFault::NoKey);
        assert_eq!(fault("s 1", "n.example", b""), KeyFault::Name("selector"));
        assert_eq!(fault("s1", "n", b""), KeyFault::Name("domain"));
    }
}
