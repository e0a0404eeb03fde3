//! The portal over HTTP, on a whole application: as a browser without JavaScript uses it.

mod browser;
mod doors;
mod licenses;
mod month;
mod world;
