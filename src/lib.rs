//! Postern: a complaints intake gateway.
//!
//! The walk of one e-mail, top to bottom: [`mailbox`] brings raw bytes, `intake` keeps them in the
//! [`store`], [`email`] says what arrived, [`rules`] what it is, `decide` what to do, [`letters`]
//! what we write; one transaction commits the whole; [`outbox`] sends it, and days later
//! `reminders` chases whoever has not answered.
//!
//! `email`, `casework`, `rules`, `decide` and `letters` are pure: values in, values out, no async, no
//! I/O, no clock. Everything else is a thin shell around them. Who may use whom is a table in
//! `tests/architecture.rs`.

pub mod account;
pub mod alarm;
pub mod answer;
pub mod api;
pub mod backtest;
pub mod casework;
pub mod cli;
pub mod clock;
pub mod config;
pub mod console;
pub mod daemon;
pub mod decide;
pub mod demo;
pub mod email;
pub mod fault;
pub mod gateway;
mod hold;
pub mod intake;
pub mod letters;
pub mod likeness;
pub mod mailbox;
pub mod mailfiles;
pub mod officer;
pub mod outbox;
pub mod policy;
pub mod private;
pub mod publication;
pub mod recount;
pub mod register;
pub mod reminders;
pub mod rules;
pub mod scan;
pub mod store;
pub mod telemetry;
pub mod tick;
pub mod tls;
pub mod token;
