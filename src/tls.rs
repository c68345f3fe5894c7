//! TLS for the two protocols that leave this machine: whom we trust.
//!
//! There is no "accept anything" switch. A council with its own certificate authority names a
//! `ca_file`; one with a self-made certificate pins its key.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, SignatureScheme};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

/// Whom a connection trusts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Trust {
    /// PEM file with further certificate authorities (a council's own).
    pub ca_file: Option<PathBuf>,
    /// SHA-256 of the server's public key (SPKI), hexadecimal: trust this key and no other.
    pub pinned_sha256: Option<String>,
}

/// Why no TLS connection can be made.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TlsFault {
    /// The file of certificate authorities cannot be used.
    #[error("the file of certificate authorities {} cannot be read or holds no certificate", .0.display())]
    CaFile(PathBuf),
    /// The pin is not 64 hexadecimal digits.
    #[error("the pinned key is not a SHA-256 in hexadecimal")]
    Pin,
    /// The host is neither a name nor an address.
    #[error("the host is not a name that a certificate could hold")]
    HostName,
    /// The machine's certificate store could not be used, or the library refused its settings.
    #[error("TLS could not be set up ({0})")]
    Setup(rustls::Error),
    /// The server's certificate is not trusted.
    #[error("the server's certificate is not trusted ({0})")]
    Certificate(rustls::Error),
    /// The handshake failed for another reason.
    #[error("the TLS handshake failed ({0})")]
    Handshake(rustls::Error),
}

impl TlsFault {
    /// What a failed handshake came to.
    pub fn of_handshake(error: rustls::Error) -> Self {
        if matches!(error, rustls::Error::InvalidCertificate(_)) {
            Self::Certificate(error)
        } else {
            Self::Handshake(error)
        }
    }

    /// What to do about it, for `doctor`.
    pub fn cure(&self) -> &'static str {
        match self {
            Self::CaFile(_) => "give ca_file a readable PEM file with the authority's certificate",
            Self::Pin => "write pinned_sha256 as 64 hexadecimal digits",
            Self::HostName => "write host as the server's name, without a port or a scheme",
            Self::Setup(_) => "install the ca-certificates package, or name a ca_file",
            Self::Certificate(rustls::Error::InvalidCertificate(why)) => cure_certificate(why),
            Self::Certificate(_) => "check the server's certificate",
            Self::Handshake(_) => {
                "check that the port speaks TLS (993 for IMAP, 465 for SMTP), or use STARTTLS"
            }
        }
    }
}

fn cure_certificate(why: &CertificateError) -> &'static str {
    use CertificateError as E;
    // The list of reasons may grow: the last arm is the general advice.
    // An authority of the same name that did not sign it is a wrong authority too.
    if matches!(why, E::UnknownIssuer | E::BadSignature) {
        "name the issuing authority's certificate in ca_file, or pin the server's key"
    } else if matches!(why, E::Expired | E::ExpiredContext { .. }) {
        "the server's certificate has expired: its owner must renew it"
    } else if matches!(why, E::NotValidForName | E::NotValidForNameContext { .. }) {
        "write host as a name that the server's certificate holds"
    } else if matches!(why, E::ApplicationVerificationFailure) {
        "the server shows another key than the pinned one: find out why before changing the pin"
    } else {
        // Self-made certificates are often marked as an authority (CA:TRUE), which the verifier
        // refuses for a server.
        "a self-made certificate must not be an authority (CA:FALSE): remake it, or pin its key"
    }
}

/// TLS as a client, for a server that `trust` describes: the machine's own certificate store, the
/// authorities of `ca_file` besides, or, when a key is pinned, that key and nothing else.
///
/// # Errors
/// [`TlsFault`] when the file, the pin or the machine's store cannot be used.
pub fn client_config(trust: &Trust) -> Result<Arc<ClientConfig>, TlsFault> {
    // Given explicitly: with two providers compiled in, a process-wide default would panic.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier: Arc<dyn ServerCertVerifier> = if let Some(pin) = &trust.pinned_sha256 {
        Arc::new(PinnedKey { sha256: parse_pin(pin)?, provider: Arc::clone(&provider) })
    } else {
        let extra = trust.ca_file.as_deref().map(authorities).transpose()?.unwrap_or_default();
        let platform =
            rustls_platform_verifier::Verifier::new_with_extra_roots(extra, Arc::clone(&provider));
        Arc::new(platform.map_err(TlsFault::Setup)?)
    };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(TlsFault::Setup)?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn authorities(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsFault> {
    let unusable = || TlsFault::CaFile(file.to_owned());
    let found = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|_| unusable())?;
    if found.is_empty() { Err(unusable()) } else { Ok(found) }
}

/// The SHA-256 of a certificate's public key (SPKI), hexadecimal: what `pinned_sha256` takes.
///
/// # Errors
/// When the bytes are no certificate.
pub fn key_sha256(certificate: &CertificateDer<'_>) -> Result<String, rustls::Error> {
    let mut text = String::with_capacity(64);
    for byte in spki_digest(certificate)? {
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text)
}

fn spki_digest(certificate: &CertificateDer<'_>) -> Result<[u8; 32], rustls::Error> {
    let parsed = rustls::server::ParsedCertificate::try_from(certificate)?;
    Ok(Sha256::digest(parsed.subject_public_key_info().as_ref()).into())
}

/// Accepts `AB:CD…` as well as `abcd…`, as tools print either.
fn parse_pin(pin: &str) -> Result<[u8; 32], TlsFault> {
    let digits: Vec<u8> = pin
        .chars()
        .filter(|c| !matches!(c, ':' | ' '))
        .map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok()).ok_or(TlsFault::Pin))
        .collect::<Result<_, _>>()?;
    let bytes: Vec<u8> = digits
        .chunks(2)
        .map(|pair| pair.iter().fold(0_u8, |byte, digit| (byte << 4) | digit))
        .collect();
    if digits.len() != 64 {
        return Err(TlsFault::Pin);
    }
    bytes.try_into().map_err(|_| TlsFault::Pin)
}

/// Trusts one key, whatever the certificate around it says about names, dates and issuers. The
/// server must still prove that it holds the key.
#[derive(Debug)]
struct PinnedKey {
    sha256: [u8; 32],
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for PinnedKey {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if spki_digest(end_entity)? == self.sha256 {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(rustls::Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_read_as_tools_print_it() {
        let plain = "00ff".repeat(16);
        let colons: Vec<String> =
            (0..32).map(|i| if i % 2 == 0 { "00".to_owned() } else { "FF".to_owned() }).collect();
        assert_eq!(parse_pin(&plain).unwrap(), parse_pin(&colons.join(":")).unwrap());
        assert!(parse_pin("00ff").is_err());
        assert!(parse_pin(&"zz".repeat(32)).is_err());
    }

    #[test]
    fn a_ca_file_without_a_certificate_is_a_fault() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        let trust = Trust { ca_file: Some(file.clone()), pinned_sha256: None };
        assert!(matches!(client_config(&trust), Err(TlsFault::CaFile(_))));
        std::fs::write(&file, "no certificate").unwrap();
        assert!(matches!(client_config(&trust), Err(TlsFault::CaFile(_))));
    }
}
