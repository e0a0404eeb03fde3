//! The provider API over the whole application: shapes, statuses, problems.

mod licensing;
mod openapi;
mod organizations;
mod parties;
mod people;
