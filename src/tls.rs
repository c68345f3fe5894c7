//! TLS for the two protocols that leave this machine: whom we trust.

use std::{path::PathBuf, sync::Arc};

use rustls::pki_types::{CertificateDer, pem::PemObject};
use serde::Deserialize;

/// Whom a connection trusts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Trust {
    /// PEM file with further certificate authorities (a council's own).
    pub ca_file: Option<PathBuf>,
    /// SHA-256 of the server's public key (SPKI), hexadecimal: trust this key and no other.
    pub pinned_sha256: Option<String>,
}

/// Why no TLS set-up could be made.
#[derive(Debug, thiserror::Error)]
pub enum TlsFault {
    /// The file of authorities could not be read as PEM certificates.
    #[error("cannot read the certificate authorities in {}", .0.display())]
    Authorities(PathBuf),
    /// The TLS library refused the set-up.
    #[error("cannot set up TLS")]
    Setup(#[source] rustls::Error),
}

/// The TLS set-up for a client that trusts as said.
///
/// # Errors
/// [`TlsFault`] if the authorities cannot be read or used.
pub fn client_config(trust: &Trust) -> Result<Arc<rustls::ClientConfig>, TlsFault> {
    let mut roots = rustls::RootCertStore::empty();
    if let Some(file) = &trust.ca_file {
        let fault = || TlsFault::Authorities(file.clone());
        for certificate in CertificateDer::pem_file_iter(file).map_err(|_| fault())? {
            roots.add(certificate.map_err(|_| fault())?).map_err(TlsFault::Setup)?;
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(TlsFault::Setup)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}
