//! Servers that tests talk to.

#![allow(dead_code, reason = "each test file uses its part of these")]
#![allow(clippy::allow_attributes, reason = "an unused part differs from file to file")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(unreachable_pub, reason = "shared by several test crates")]

pub mod exim;
pub mod smtp_sink;
