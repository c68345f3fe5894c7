//! The signed marks by which our own letters are known again: in a reply address, in the address
//! that a bounce comes back to, and in a Message-ID.
//!
//! A token names a case and the letter that went out, and carries the first 80 bits of an
//! HMAC-SHA-256 (RFC 2104) over both and the instance: it cannot be guessed, and one made by
//! another gateway is worth nothing here. It proves only that its bearer has seen our letter, so
//! it may file a message under a case and must never do more.
//!
//! Written in lower case, because local parts are folded on the way in practice, and without the
//! letters i, l, o and u, so that it survives being read out. Every token is [`TOKEN_CHARS`] long.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::private::Private;

/// Characters of every token: key, purpose and 39 for 24 octets.
pub const TOKEN_CHARS: usize = 41;

/// Octets that a local part may have (RFC 5321 section 4.5.3.1.1).
const LOCAL_PART_OCTETS: usize = 64;

/// Octets of the fields (year, number, sequence) and of the shortened HMAC.
const FIELD_OCTETS: usize = 14;
const TAG_OCTETS: usize = 10;

/// Shortest secret that a key may have, in octets: the strength of the hash.
const SECRET_OCTETS: usize = 32;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// What a token was made for; one made for another purpose is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// In the `Reply-To` of a letter.
    Reply,
    /// In the envelope sender, where a bounce comes back.
    Bounce,
    /// In the Message-ID of a letter.
    MessageId,
}

impl Purpose {
    fn letter(self) -> char {
        match self {
            Self::Reply => 'r',
            Self::Bounce => 'b',
            Self::MessageId => 'm',
        }
    }

    fn from_letter(letter: char) -> Option<Self> {
        [Self::Reply, Self::Bounce, Self::MessageId].into_iter().find(|p| p.letter() == letter)
    }
}

/// A secret and the character that names it in a token.
#[derive(Clone)]
pub struct Key {
    id: char,
    secret: Private<Vec<u8>>,
}

impl Key {
    /// A key with its name and secret.
    ///
    /// # Errors
    /// [`KeyFault`] if the name is not one of the token's characters (digits and lower-case
    /// letters but i, l, o, u) or the secret has fewer than 32 octets.
    pub fn new(id: char, secret: Vec<u8>) -> Result<Self, KeyFault> {
        if digit_value(id).is_none() || id.is_ascii_uppercase() {
            return Err(KeyFault::Name(id));
        }
        if secret.len() < SECRET_OCTETS {
            return Err(KeyFault::Short(secret.len()));
        }
        Ok(Self { id, secret: Private(secret) })
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("id", &self.id).field("secret", &self.secret).finish()
    }
}

/// The key that signs, and the one before it, whose tokens are still out there.
#[derive(Debug, Clone)]
pub struct Keys {
    current: Key,
    previous: Option<Key>,
}

impl Keys {
    /// Both keys.
    ///
    /// # Errors
    /// [`KeyFault::SameName`] if both have one name: a token could not say which it means.
    pub fn new(current: Key, previous: Option<Key>) -> Result<Self, KeyFault> {
        match &previous {
            Some(old) if old.id == current.id => Err(KeyFault::SameName(current.id)),
            Some(_) | None => Ok(Self { current, previous }),
        }
    }

    /// The name for a key to follow the one that signs now.
    pub fn next_name(&self) -> char {
        let at = ALPHABET.iter().position(|&name| char::from(name) == self.current.id);
        let next = at.map_or(0, |at| (at + 1) % ALPHABET.len());
        ALPHABET.get(next).copied().map_or('0', char::from)
    }

    fn named(&self, id: char) -> Option<&Key> {
        std::iter::once(&self.current).chain(&self.previous).find(|key| key.id == id)
    }
}

/// Why a key cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// The name cannot stand in a token.
    #[error("key name `{0}` is not a digit or a lower-case letter other than i, l, o, u")]
    Name(char),
    /// The secret is too short to sign with.
    #[error("key secret has {0} octets; at least 32 are needed")]
    Short(usize),
    /// Both keys have one name.
    #[error("both keys are named `{0}`; give the new one another name")]
    SameName(char),
}

/// A text that is no token of ours. It never says which part was wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a token of this gateway")]
pub struct BadToken;

/// What a token says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Token {
    /// What it was made for.
    pub purpose: Purpose,
    /// The case's number within its year.
    pub case_number: u32,
    /// The year in the case's reference.
    pub year: i16,
    /// Which outgoing letter carries it.
    pub sequence: u64,
}

impl Token {
    /// The token's text, [`TOKEN_CHARS`] long, signed with the current key.
    pub fn encode(&self, keys: &Keys, instance: &str) -> String {
        let fields = self.fields();
        let tag = tag(&keys.current, self.purpose, &fields, instance);
        let mut octets = fields.to_vec();
        octets.extend_from_slice(&tag);
        format!("{}{}{}", keys.current.id, self.purpose.letter(), base32(&octets))
    }

    /// Reads a token's text in either case, signed with the current or the previous key.
    ///
    /// # Errors
    /// [`BadToken`] for anything that [`Token::encode`] did not make with one of these keys for
    /// this instance.
    pub fn decode(text: &str, keys: &Keys, instance: &str) -> Result<Self, BadToken> {
        if text.len() != TOKEN_CHARS || !text.is_ascii() {
            return Err(BadToken);
        }
        let text = text.to_ascii_lowercase();
        let mut chars = text.chars();
        let key = chars.next().and_then(|id| keys.named(id)).ok_or(BadToken)?;
        let purpose = chars.next().and_then(Purpose::from_letter).ok_or(BadToken)?;
        let octets = from_base32(chars.as_str()).ok_or(BadToken)?;
        let (fields, given) = octets.split_first_chunk::<FIELD_OCTETS>().ok_or(BadToken)?;
        let expected = tag(key, purpose, fields, instance);
        if !bool::from(expected.as_slice().ct_eq(given)) {
            return Err(BadToken);
        }
        Ok(Self::from_fields(purpose, *fields))
    }

    fn fields(&self) -> [u8; FIELD_OCTETS] {
        let mut fields = [0; FIELD_OCTETS];
        let octets = self.year.to_be_bytes().into_iter();
        let octets =
            octets.chain(self.case_number.to_be_bytes()).chain(self.sequence.to_be_bytes());
        fields.iter_mut().zip(octets).for_each(|(field, octet)| *field = octet);
        fields
    }

    fn from_fields(purpose: Purpose, fields: [u8; FIELD_OCTETS]) -> Self {
        let [y0, y1, n0, n1, n2, n3, sequence @ ..] = fields;
        Self {
            purpose,
            year: i16::from_be_bytes([y0, y1]),
            case_number: u32::from_be_bytes([n0, n1, n2, n3]),
            sequence: u64::from_be_bytes(sequence),
        }
    }
}

/// A Message-ID without angle brackets: the token at our mail domain. Made once per letter and
/// kept with it, so that every retry bears the same.
pub fn message_id(token: &str, domain: &str) -> String {
    format!("{token}@{domain}")
}

/// The mailbox's address with the token as its plus part (`complaints+…@northmere.example`);
/// nothing if the mailbox is no `local@domain` or the local part would pass the 64 octets of
/// RFC 5321 section 4.5.3.1.1.
pub fn reply_address(mailbox_address: &str, token: &str) -> Option<String> {
    let (local, domain) = mailbox_address.rsplit_once('@')?;
    let local = format!("{local}+{token}");
    (local.len() <= LOCAL_PART_OCTETS && !domain.is_empty()).then(|| format!("{local}@{domain}"))
}

/// The first token in the plus part of any of these addresses that was made for a reply or a
/// bounce.
pub fn find_in_addresses<'a>(
    addresses: impl IntoIterator<Item = &'a str>,
    keys: &Keys,
    instance: &str,
) -> Option<Token> {
    addresses
        .into_iter()
        .filter_map(|address| address.rsplit_once('@')?.0.rsplit_once('+'))
        .filter_map(|(_, text)| Token::decode(text, keys, instance).ok())
        .find(|token| matches!(token.purpose, Purpose::Reply | Purpose::Bounce))
}

/// The first token among these Message-IDs (with or without angle brackets) that was made for a
/// Message-ID. The caller gives them in the order of trust: `In-Reply-To`, then `References`
/// from right to left.
pub fn find_in_message_ids<'a>(
    ids: impl IntoIterator<Item = &'a str>,
    keys: &Keys,
    instance: &str,
) -> Option<Token> {
    ids.into_iter()
        .filter_map(|id| id.trim().trim_start_matches('<').split_once('@'))
        .filter_map(|(text, _)| Token::decode(text, keys, instance).ok())
        .find(|token| token.purpose == Purpose::MessageId)
}

/// The token of a link, from the hexadecimal digits of a secret that was drawn for it: it begins and ends with
/// a letter or digit, so that no mail program cuts it short.
pub fn link_token(secret: &str) -> Private<String> {
    let octets: Vec<u8> = (0..secret.len())
        .step_by(2)
        .filter_map(|at| u8::from_str_radix(secret.get(at..at + 2)?, 16).ok())
        .collect();
    Private(base32(&octets))
}

/// What is kept of a secret, as hexadecimal digits: whoever reads it cannot use it.
pub fn hashed(secret: &str) -> String {
    use std::fmt::Write as _;
    Sha256::digest(secret).iter().fold(String::new(), |mut text, octet| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{octet:02x}");
        text
    })
}

/// The first 80 bits of the HMAC over everything that a token says and the instance that says it.
fn tag(key: &Key, purpose: Purpose, fields: &[u8], instance: &str) -> [u8; TAG_OCTETS] {
    let mut mac = Hmac::<Sha256>::new_from_slice(&key.secret)
        .expect("HMAC takes a key of any length (RFC 2104 section 3)");
    mac.update(b"postern token\0");
    mac.update(format!("{}{}", key.id, purpose.letter()).as_bytes());
    mac.update(fields);
    mac.update(instance.as_bytes());
    let whole = mac.finalize().into_bytes();
    let mut tag = [0; TAG_OCTETS];
    tag.iter_mut().zip(whole).for_each(|(octet, from)| *octet = from);
    tag
}

fn base32(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len() * 8 / 5 + 1);
    let (mut held, mut bits) = (0_u32, 0_u32);
    for &octet in octets {
        held = (held << 8) | u32::from(octet);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            push_digit(&mut text, held >> bits);
        }
        held &= (1 << bits) - 1;
    }
    if bits > 0 {
        push_digit(&mut text, held << (5 - bits));
    }
    text
}

fn push_digit(text: &mut String, value: u32) {
    let digit = ALPHABET.get((value & 31) as usize).copied().unwrap_or(b'0');
    text.push(char::from(digit));
}

/// Nothing for a foreign character or for left-over bits that are not zero: a token has one
/// spelling.
fn from_base32(text: &str) -> Option<Vec<u8>> {
    let mut octets = Vec::with_capacity(text.len() * 5 / 8);
    let (mut held, mut bits) = (0_u32, 0_u32);
    for digit in text.chars() {
        held = (held << 5) | digit_value(digit)?;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            octets.push(u8::try_from((held >> bits) & 255).ok()?);
            held &= (1 << bits) - 1;
        }
    }
    (held == 0).then_some(octets)
}

fn digit_value(digit: char) -> Option<u32> {
    let position = ALPHABET.iter().position(|&known| char::from(known) == digit)?;
    u32::try_from(position).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const INSTANCE: &str = "5f0c3f0e-northmere";

    fn key(id: char) -> Key {
        Key::new(id, format!("a secret of thirty-two octets: {id}").into_bytes()).unwrap()
    }

    fn keys() -> Keys {
        Keys::new(key('b'), Some(key('a'))).unwrap()
    }

    fn token(purpose: Purpose) -> Token {
        Token { purpose, case_number: 412, year: 2026, sequence: 90_127 }
    }

    fn purposes() -> impl Strategy<Value = Purpose> {
        prop_oneof![Just(Purpose::Reply), Just(Purpose::Bounce), Just(Purpose::MessageId)]
    }

    proptest! {
        #[test]
        fn every_token_is_read_back(
            purpose in purposes(),
            case_number in any::<u32>(), year in any::<i16>(), sequence in any::<u64>(),
        ) {
            let token = Token { purpose, case_number, year, sequence };
            let text = token.encode(&keys(), INSTANCE);
            prop_assert_eq!(text.len(), TOKEN_CHARS);
            prop_assert_eq!(Token::decode(&text, &keys(), INSTANCE), Ok(token));
            prop_assert_eq!(Token::decode(&text.to_ascii_uppercase(), &keys(), INSTANCE), Ok(token));
        }

        #[test]
        fn any_text_is_read_without_panic(text in "\\PC{0,60}") {
            prop_assert_eq!(Token::decode(&text, &keys(), INSTANCE), Err(BadToken));
        }
    }

    #[test]
    fn any_changed_character_is_refused() {
        let text = token(Purpose::Reply).encode(&keys(), INSTANCE);
        for at in 0..text.len() {
            for digit in ALPHABET.iter().map(|&digit| char::from(digit)).chain(['i', 'o', '-', 'é'])
            {
                let mut changed: Vec<char> = text.chars().collect();
                if changed[at] == digit {
                    continue;
                }
                changed[at] = digit;
                let changed: String = changed.into_iter().collect();
                assert_eq!(Token::decode(&changed, &keys(), INSTANCE), Err(BadToken), "{changed}");
            }
        }
        assert_eq!(Token::decode(&text[1..], &keys(), INSTANCE), Err(BadToken));
        assert_eq!(Token::decode(&format!("{text}0"), &keys(), INSTANCE), Err(BadToken));
    }

    #[test]
    fn another_gateways_token_is_refused() {
        let text = token(Purpose::Reply).encode(&keys(), "another");
        assert_eq!(Token::decode(&text, &keys(), INSTANCE), Err(BadToken));
    }

    #[test]
    fn a_key_change_keeps_letters_already_out_readable() {
        let before = Keys::new(key('a'), None).unwrap();
        let text = token(Purpose::Bounce).encode(&before, INSTANCE);
        assert_eq!(Token::decode(&text, &keys(), INSTANCE), Ok(token(Purpose::Bounce)));
        assert_eq!((before.next_name(), keys().next_name()), ('b', 'c'));
        assert_eq!(Keys::new(key('z'), None).unwrap().next_name(), '0', "round and round");
        let two_changes_later = Keys::new(key('c'), Some(key('b'))).unwrap();
        assert_eq!(Token::decode(&text, &two_changes_later, INSTANCE), Err(BadToken));
        assert!(token(Purpose::Bounce).encode(&keys(), INSTANCE).starts_with('b'));
    }

    #[test]
    fn keys_that_cannot_sign_are_refused() {
        assert_eq!(Key::new('i', vec![0; 32]).unwrap_err(), KeyFault::Name('i'));
        assert_eq!(Key::new('B', vec![0; 32]).unwrap_err(), KeyFault::Name('B'));
        assert_eq!(Key::new('b', vec![0; 31]).unwrap_err(), KeyFault::Short(31));
        assert_eq!(Keys::new(key('b'), Some(key('b'))).unwrap_err(), KeyFault::SameName('b'));
        assert!(!format!("{:?}", keys()).contains("115"), "a secret's octets in Debug");
    }

    #[test]
    fn a_token_counts_only_where_it_belongs() {
        let reply = token(Purpose::Reply).encode(&keys(), INSTANCE);
        let bounce = token(Purpose::Bounce).encode(&keys(), INSTANCE);
        let id = token(Purpose::MessageId).encode(&keys(), INSTANCE);
        let in_address = |token: &str| {
            let address = reply_address("Complaints@northmere.example", token).unwrap();
            find_in_addresses(["x@y.example", "no address", &address], &keys(), INSTANCE)
        };
        assert_eq!(in_address(&reply), Some(token(Purpose::Reply)));
        assert_eq!(in_address(&bounce), Some(token(Purpose::Bounce)));
        assert_eq!(in_address(&id), None);
        let in_ids = |token: &str| {
            let id = message_id(token, "northmere.example");
            find_in_message_ids(["x@y.example", &format!("<{id}>")], &keys(), INSTANCE)
        };
        assert_eq!(in_ids(&id), Some(token(Purpose::MessageId)));
        assert_eq!(in_ids(&reply), None);
        // Swapping the purpose letter does not make it another token.
        let forged = format!("{}m{}", &reply[..1], &reply[2..]);
        assert_eq!(in_ids(&forged), None);
    }

    #[test]
    fn a_reply_address_keeps_to_the_length_of_a_local_part() {
        let text = token(Purpose::Reply).encode(&keys(), INSTANCE);
        let address = reply_address("complaints@northmere.example", &text).unwrap();
        assert_eq!(address.split_once('@').unwrap().0.len(), "complaints+".len() + TOKEN_CHARS);
        let long = format!("{}@northmere.example", "c".repeat(23));
        assert_eq!(reply_address(&long, &text), None);
        assert_eq!(reply_address("complaints", &text), None);
    }
}
