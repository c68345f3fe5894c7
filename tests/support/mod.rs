//! Real and scripted servers for tests: each is started by the test that needs it, listens on a
//! free loopback port, and is gone when the value is dropped, also when the test panics.

#![expect(
    dead_code,
    unreachable_pub,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::similar_names,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "test support: each test binary uses a part of it"
)]

pub mod certificate;
pub mod dovecot;
pub mod free_port;
pub mod imap_script;
pub mod proxy;
