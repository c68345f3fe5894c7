//! What the tests share. Each test file uses some of it.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::allow_attributes,
    reason = "every test file is its own crate and uses another part"
)]

pub mod postgres;
