//! TLS for the two protocols that leave this machine: whom we trust.

use std::path::PathBuf;

use serde::Deserialize;

/// Whom a connection trusts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Trust {
    /// PEM file with further certificate authorities (a council's own).
    pub ca_file: Option<PathBuf>,
    /// SHA-256 of the server's public key (SPKI), hexadecimal: trust this key and no other.
    pub pinned_sha256: Option<String>,
}
