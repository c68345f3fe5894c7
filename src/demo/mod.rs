//! What `postern demo` lives through: the sample mailbox (`mailbox/`), and a whole year.

pub mod year;
