//! Real and scripted servers for tests: each is started by the test that needs it, listens on a
//! free loopback port, and is gone when the value is dropped, also when the test panics.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::allow_attributes,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::similar_names,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "test support: each test binary is its own crate and uses a part of it"
)]

pub mod certificate;
pub mod clamd;
pub mod council;
pub mod dovecot;
pub mod exim;
pub mod free_port;
pub mod gateway;
pub mod http;
pub mod imap_script;
pub mod postgres;
pub mod proxy;
pub mod register;
pub mod smtp_sink;
