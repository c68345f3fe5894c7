//! What is done with every word of every text: folding it, reading its slips over, finding phrases and expressions in
//! it, telling which of many patterns may match it, counting what speaks in it, and learning which answer it resembles most from texts whose answer is known.
//!
//! A crate of its own for one reason: these loops are worth optimising in every profile, also where the rest of the
//! program is built for debugging. It knows nothing of complaints: texts are strings or [`Features`], answers are numbers.
//!
//! For each answer of each question a linear support vector machine is learned by dual coordinate descent (Hsieh and
//! others, 2008: squared hinge loss, one answer against the rest), all of them in one walk over the examples. The same
//! examples in the same order give the same machine to the last bit, on one core or many.

mod expression;
mod features;
mod fold;
mod literals;
mod machine;
mod sieve;
mod spelling;

pub use expression::{Expression, Needs, Room};
pub use features::{Features, features};
pub use fold::{fold, fold_onto};
pub use literals::Literals;
pub use machine::{Example, Judgement, Machine};
pub use sieve::{May, Sieve};
pub use spelling::{Spelling, Used};
