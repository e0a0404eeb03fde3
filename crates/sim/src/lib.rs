//! Products that are not there: a load generator whose installations sign real requests, and a fleet of real agents that
//! lives through months in seconds. Both drive a server by its URL and share nothing with it.

pub mod api;
pub mod clerk;
pub mod estate;
mod fate;
pub mod fleet;
pub mod load;
pub mod product;
pub mod seed;
mod server;
pub mod world;
