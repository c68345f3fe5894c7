//! What the council owes: the words and the sums of the trade.
//!
//! [`calendar`] knows the working days, [`deadline`] counts them and shows the sum, [`procedure`]
//! says how many each stage gives, [`dates`] what became of them, [`reminder`] which chase fits a day, [`case`](mod@case) what may happen
//! to a case, [`allocation`] who looks after it, [`reference`](mod@reference) what it is called, [`assessment`] what may stand in its way, [`ombudsman`] what the Ombudsman asks, decides and is owed, [`reply`] what a service's reply says and [`answer`] what it answers, [`route`] where somebody can go whose case is not taken on, [`working`] how dates and sums read.

pub mod adjustment;
pub mod allocation;
pub mod answer;
pub mod assessment;
pub mod calendar;
pub mod case;
pub mod dates;
pub mod deadline;
pub mod ombudsman;
pub mod procedure;
pub mod reference;
pub mod reminder;
pub mod reply;
pub mod route;
pub mod vocabulary;
pub mod working;
