//! Composes the doors into one HTTP service: middleware, lifecycle, the clock that time's door runs by.

mod lifecycle;
mod middleware;
mod system;

pub use lifecycle::{ServeError, serve};
pub use middleware::app;
pub use system::{FileClock, FileClockError, OffsetClock, SystemClock, SystemRng};
