//! What came attached is shown to a virus scanner, where one is configured.
//!
//! [`clamd`] speaks to it; [`tick()`] takes the files that no scanner has seen, each content once, and
//! records what it said. Nothing here opens a file, and nothing waits for a scanner: a case is opened and
//! answered whether or not one runs.

pub mod clamd;
mod tick;

pub use tick::tick;
