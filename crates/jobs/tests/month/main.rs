//! The month on a real SQLite file: products send signed documents, people review, submit and decide, time passes.

mod extensions;
mod states;
mod suspension;
mod time;
#[expect(dead_code, reason = "it serves more suites than are written yet")]
mod world;
