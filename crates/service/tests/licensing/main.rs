//! People, programs and licenses, use case by use case, on a real SQLite file.

mod changes;
mod earning;
mod enrollment;
mod licenses;
mod merging;
mod people;
mod program;
mod support;
mod switching;
mod tokens;
