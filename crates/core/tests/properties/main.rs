//! Properties of the rules, against an oracle written without them.

mod counting;
mod month_and_money;
mod oracle;
mod validity;
