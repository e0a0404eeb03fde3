//! The portal over HTTP, on a whole application: as a browser without JavaScript uses it, and once
//! as Chromium does.

mod browser;
mod chromium;
mod companies;
mod doors;
mod enroll;
mod evidence;
mod fifty;
mod hostile;
mod installations;
mod licenses;
mod month;
mod populated;
mod program;
mod queues;
mod settings;
mod world;
