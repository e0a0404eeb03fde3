//! The month on a real SQLite file: products send signed documents, people review, submit and decide, time passes.

mod corrections;
mod decisions;
mod extensions;
mod flags;
mod providers;
mod race;
mod records;
mod resumed;
mod sites;
mod states;
mod suspension;
mod time;
mod world;
