//! Composes the doors into one HTTP service: middleware, figures, lifecycle, the clock that time's door runs by.

mod client;
mod door;
mod edge;
mod lifecycle;
mod logs;
mod mail;
mod metrics;
mod middleware;
mod system;

pub use client::{Network, ParseNetworkError};
pub use door::Door;
pub use edge::Edge;
pub use lifecycle::{Ended, ServeError, serve};
pub use logs::{LogFormat, LogFormatError, subscriber};
pub use mail::{MailError, Mailer, send_letters};
pub use metrics::Metrics;
pub use middleware::{app, app_with, operator};
pub use system::{FileClock, FileClockError, OffsetClock, SystemClock, SystemRng};
