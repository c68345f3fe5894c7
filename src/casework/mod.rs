//! What the council owes: the words and the sums of the trade.
//!
//! [`calendar`] knows the working days, [`deadline`] counts them and shows the sum, [`working`] is
//! how dates and sums read.

pub mod calendar;
pub mod deadline;
pub mod procedure;
pub mod reference;
pub mod reminder;
pub mod vocabulary;
pub mod working;
