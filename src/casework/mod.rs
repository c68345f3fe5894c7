//! What the council owes: the words and the sums of the trade.

pub mod vocabulary;
