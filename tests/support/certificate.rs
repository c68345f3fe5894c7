//! A certificate authority and a server certificate for 127.0.0.1 and localhost.

use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

/// Files of a throw-away certificate authority and of a server that it vouches for.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// The authority: what a client names in `ca_file`.
    pub ca_file: PathBuf,
    /// The server's certificate (CA:FALSE; names 127.0.0.1 and localhost).
    pub cert_file: PathBuf,
    /// The server's private key.
    pub key_file: PathBuf,
    /// The server's certificate, DER.
    pub der: Vec<u8>,
}

/// Makes both and writes them to `folder`.
pub fn issue(folder: &Path) -> Certificate {
    let named = |names: &[&str], who: &str| {
        let mut params =
            CertificateParams::new(names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>())
                .unwrap();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, who);
        params
    };
    let ca_key = KeyPair::generate().unwrap();
    let mut ca = named(&[], "Test authority");
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let ca_pem = ca.self_signed(&ca_key).unwrap().pem();

    let key = KeyPair::generate().unwrap();
    let mut server = named(&["127.0.0.1", "localhost"], "Test server");
    server.is_ca = IsCa::ExplicitNoCa;
    let cert = server.signed_by(&key, &Issuer::new(ca, ca_key)).unwrap();

    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    Certificate {
        ca_file: write("ca.pem", &ca_pem),
        cert_file: write("cert.pem", &cert.pem()),
        key_file: write("key.pem", &key.serialize_pem()),
        der: cert.der().to_vec(),
    }
}
