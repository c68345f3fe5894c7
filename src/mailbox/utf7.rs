//! Folder names on the wire: modified UTF-7 (RFC 3501 section 5.1.3), quoted.

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

/// A folder's name, encoded and quoted; `None` if it cannot be sent.
pub(super) fn quoted(name: &str) -> Option<String> {
    if name.is_empty() || name.chars().any(char::is_control) {
        return None;
    }
    let encoded = encode(name).replace('\\', "\\\\").replace('"', "\\\"");
    Some(format!("\"{encoded}\""))
}

/// Modified UTF-7.
pub(super) fn encode(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut foreign: Vec<u8> = Vec::new();
    for letter in name.chars() {
        if (' '..='~').contains(&letter) {
            shift(&mut out, &mut foreign);
            out.push(letter);
            if letter == '&' {
                out.push('-');
            }
        } else {
            let mut units = [0_u16; 2];
            for unit in letter.encode_utf16(&mut units) {
                foreign.extend_from_slice(&unit.to_be_bytes());
            }
        }
    }
    shift(&mut out, &mut foreign);
    out
}

/// Writes what could not be said in ASCII, between `&` and `-`.
fn shift(out: &mut String, foreign: &mut Vec<u8>) {
    if foreign.is_empty() {
        return;
    }
    out.push('&');
    let (mut bits, mut held) = (0_u32, 0_u32);
    for byte in foreign.drain(..) {
        bits = (bits << 8) | u32::from(byte);
        held += 8;
        while held >= 6 {
            held -= 6;
            out.push(digit(bits >> held));
        }
        bits &= (1 << held) - 1;
    }
    if held > 0 {
        out.push(digit(bits << (6 - held)));
    }
    out.push('-');
}

fn digit(value: u32) -> char {
    DIGITS.get((value & 63) as usize).copied().map_or('A', char::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_as_rfc_3501_shows_them() {
        let check = |name: &str, wire: &str| assert_eq!(encode(name), wire);
        check("INBOX/Processed", "INBOX/Processed");
        check("Q&A", "Q&-A");
        check("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-");
        check("Réclamations", "R&AOk-clamations");
        check("📥", "&2D3c5Q-");
    }

    #[test]
    fn a_name_cannot_end_the_command() {
        assert_eq!(quoted("a\r\nA1 LOGOUT"), None);
        assert_eq!(quoted(""), None);
        assert_eq!(quoted(r#"a"b\c"#).as_deref(), Some(r#""a\"b\\c""#));
    }
}
