//! Who really sent it, as the council's own mail server saw it (RFC 8601).
//!
//! Anybody can write an `Authentication-Results` header. Only what the configured server wrote
//! counts, and only in its own block on top: below the next `Received` line the message was not in
//! its hands yet.

use serde::{Deserialize, Serialize};

use super::header::Headers;

/// Whether the address in `From` is the sender's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SenderProof {
    /// Nobody whom we trust said anything: no server is configured, or it found nothing to go by.
    #[default]
    Unknown,
    /// The sender's domain vouches for it.
    Proven,
    /// The sender's domain disowns it.
    Failed,
}

/// What settings name a server that writes no name of its own into the header: the results that
/// stand on top are taken for its.
const UNNAMED: &str = "topmost";

/// Reads the proof for a sender's address.
pub(super) fn read(headers: &Headers<'_>, servers: &[String], from: Option<&str>) -> SenderProof {
    let domain = from.and_then(|from| from.rsplit_once('@')).map(|(_, domain)| domain);
    let Some(domain) = domain.filter(|_| !servers.is_empty()) else { return SenderProof::Unknown };
    let results: Vec<Outcome> =
        trusted(headers, servers).iter().flat_map(|t| outcomes(t)).collect();
    conclude(&results, &domain.to_ascii_lowercase())
}

/// One method's result.
#[derive(Debug)]
struct Outcome {
    method: String,
    result: String,
    /// The domain that was looked at, where the server says which.
    domain: Option<String>,
}

/// The texts that the configured servers wrote.
fn trusted(headers: &Headers<'_>, servers: &[String]) -> Vec<String> {
    let mut texts = Vec::new();
    for field in &headers.fields {
        if field.name.eq_ignore_ascii_case("received") && !texts.is_empty() {
            break;
        }
        if field.name.eq_ignore_ascii_case("authentication-results") {
            let text = without_comments(&field.text());
            let named = text.split(';').next().and_then(|first| first.split_whitespace().next());
            let by = |server: &String| match named {
                // Without a name the first word is a result already.
                _ if server == UNNAMED => true,
                Some(name) => name.eq_ignore_ascii_case(server),
                None => false,
            };
            if servers.iter().any(by) {
                texts.push(text);
            }
        }
    }
    texts
}

/// The text without what stands in parentheses (RFC 5322 section 3.2.2) or quotation marks.
fn without_comments(text: &str) -> String {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    let mut kept = String::with_capacity(text.len());
    for c in text.chars() {
        let plain = !escaped;
        escaped = plain && c == '\\' && (quoted || depth > 0);
        match c {
            '"' if plain && depth == 0 => quoted = !quoted,
            '(' if plain && !quoted => depth += 1,
            ')' if plain && !quoted => depth = depth.saturating_sub(1),
            _ if depth == 0 && !quoted => kept.push(c),
            _ => {}
        }
    }
    kept
}

fn outcomes(text: &str) -> Vec<Outcome> {
    text.split(';').filter_map(outcome).collect()
}

/// `dkim=pass header.d=example.org`: the first pair is the method, those behind it its properties.
fn outcome(part: &str) -> Option<Outcome> {
    let mut pairs = part.split_whitespace().filter_map(|word| word.split_once('='));
    let known = |name: &str| matches!(name, "dmarc" | "dkim" | "spf");
    let (method, result) = pairs
        .by_ref()
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_ascii_lowercase()))
        .find(|(name, _)| known(name.split('/').next().unwrap_or_default()))?;
    let domain = pairs.find_map(|(name, value)| {
        let of = ["header.d", "header.i", "smtp.mailfrom", "header.from"];
        let value = value.rsplit('@').next().unwrap_or(value);
        of.contains(&name.to_ascii_lowercase().as_str()).then(|| value.to_ascii_lowercase())
    });
    let method = method.split('/').next().unwrap_or_default().to_owned();
    Some(Outcome { method, result, domain })
}

/// DMARC (RFC 7489) speaks for the address in `From` and decides where it speaks. Else one aligned
/// pass proves it; it is disowned where something failed outright and nothing passed.
fn conclude(results: &[Outcome], from: &str) -> SenderProof {
    let of = |method: &str, result: &str| {
        results.iter().any(|one| one.method == method && one.result == result)
    };
    if of("dmarc", "pass") {
        return SenderProof::Proven;
    }
    if of("dmarc", "fail") {
        return SenderProof::Failed;
    }
    let passes = |one: &&Outcome| one.method != "dmarc" && one.result == "pass";
    if results
        .iter()
        .filter(passes)
        .any(|one| one.domain.as_deref().is_some_and(|d| aligned(d, from)))
    {
        return SenderProof::Proven;
    }
    let failed = of("spf", "fail") || of("dkim", "fail");
    if failed && !results.iter().any(|one| passes(&one)) {
        return SenderProof::Failed;
    }
    SenderProof::Unknown
}

/// One domain, or one below the other (RFC 7489 section 3.1, relaxed).
fn aligned(one: &str, other: &str) -> bool {
    let below = |part: &str, whole: &str| {
        part.strip_suffix(whole).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    // A bare top-level domain vouches for nobody.
    one.contains('.') && other.contains('.') && (below(one, other) || below(other, one))
}

#[cfg(test)]
mod tests {
    use super::super::header;
    use super::*;

    const FROM: &str = "ann@example.org";

    fn check(headers: &str, proof: SenderProof) {
        let raw = format!("{headers}\nFrom: {FROM}\n\nText");
        let (parsed, _) = header::split(raw.as_bytes());
        let servers = ["mx.northmere.example".to_owned()];
        assert_eq!(read(&parsed, &servers, Some(FROM)), proof, "{headers}");
    }

    #[test]
    fn the_configured_servers_word_counts() {
        let says = |what: &str, proof| {
            check(&format!("Authentication-Results: mx.northmere.example; {what}"), proof);
        };
        says("dmarc=pass header.from=example.org", SenderProof::Proven);
        says(
            "spf=fail smtp.mailfrom=x@example.net; dkim=pass header.d=example.org; dmarc=pass",
            SenderProof::Proven,
        );
        says("spf=pass smtp.mailfrom=bounce@mail.example.org", SenderProof::Proven);
        says("dkim=pass header.i=@example.org", SenderProof::Proven);
        says(
            "dkim=pass header.d=bulk.example.net; dmarc=fail (p=reject) header.from=example.org",
            SenderProof::Failed,
        );
        says("spf=fail smtp.mailfrom=example.org; dkim=none", SenderProof::Failed);
        says("DKIM=Fail header.d=example.org", SenderProof::Failed);
        says(
            "spf=pass smtp.mailfrom=evil.example.net; dkim=fail header.d=example.org",
            SenderProof::Unknown,
        );
        says("spf=softfail smtp.mailfrom=example.org", SenderProof::Unknown);
        says("dkim=pass header.d=org", SenderProof::Unknown);
        says("dkim=pass header.d=notexample.org", SenderProof::Unknown);
        says("none", SenderProof::Unknown);
        says("dmarc=temperror", SenderProof::Unknown);
        says("x-note=\"dmarc=pass; dmarc=pass\" (dmarc=pass)", SenderProof::Unknown);
        says(
            "dmarc=pass (comment \\) still; dmarc=fail) header.from=example.org",
            SenderProof::Proven,
        );
    }

    #[test]
    fn nobody_elses_word_counts() {
        check("Authentication-Results: mx.example.net; dmarc=pass", SenderProof::Unknown);
        check("Authentication-Results: dmarc=pass", SenderProof::Unknown);
        // Written below our server's own Received line: by whoever had the message before.
        let forged = "Authentication-Results: mx.northmere.example; dmarc=fail\n\
                      Received: from mx by mx.northmere.example\n\
                      Authentication-Results: mx.northmere.example; dmarc=pass";
        check(forged, SenderProof::Failed);
        let both = "Received: from store by northmere.example\n\
                    Authentication-Results: mx.northmere.example; spf=fail smtp.mailfrom=example.org\n\
                    Authentication-Results: MX.northmere.example 1; dkim=pass header.d=example.org";
        check(both, SenderProof::Proven);
    }

    #[test]
    fn a_server_without_a_name_is_known_by_its_place() {
        let headers = "Authentication-Results: spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=example.org; \
                       dkim=none; dmarc=bestguesspass action=none header.from=example.org\n\
                       Received: from a by b\nAuthentication-Results: dmarc=fail\n\nx";
        let (parsed, _) = header::split(headers.as_bytes());
        let servers = ["topmost".to_owned()];
        assert_eq!(read(&parsed, &servers, Some(FROM)), SenderProof::Proven);
        assert_eq!(read(&parsed, &servers, None), SenderProof::Unknown);
        assert_eq!(read(&parsed, &[], Some(FROM)), SenderProof::Unknown);
    }
}
