//! The daemon: ticks when something is due, takes commands meanwhile, and sleeps otherwise.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    time::Duration,
};

use tenure_core::{Clock, Rng, Timestamp};

use crate::{
    config::Config,
    control::{Asked, execute, listen},
    error::AgentError,
    journal::JournalError,
    keeper::LicenseKeeper,
    metrics,
};

/// The longest sleep: a suspended machine's clocks jump, and nobody says so.
const MAX_SLEEP: Duration = Duration::from_mins(5);
/// How often a test clock's file is looked at.
const TEST_CLOCK_POLL: Duration = Duration::from_millis(25);
/// How long to wait after the journal could not be written (a full disk).
const AFTER_ERROR: Duration = Duration::from_mins(1);

/// An installed agent that runs until its process ends.
pub struct Daemon {
    keeper: LicenseKeeper,
    commands: Receiver<Asked>,
    poll: Duration,
    textfile: Option<PathBuf>,
}

impl Daemon {
    /// Opens the installation and its command socket. `follows_test_clock` makes it look at the clock often.
    ///
    /// # Errors
    /// As [`LicenseKeeper::open`].
    pub fn open(
        config: &Config,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
        follows_test_clock: bool,
    ) -> Result<Self, AgentError> {
        let keeper = LicenseKeeper::open(config, clock, rng)?;
        let path: PathBuf = config.socket_path();
        let commands = listen(&path).unwrap_or_else(|error| {
            // Everything but commands works; they then say that the journal is in use.
            tracing::warn!(path = %path.display(), %error, "cannot listen for commands");
            mpsc::sync_channel(1).1
        });
        let poll = if follows_test_clock { TEST_CLOCK_POLL } else { MAX_SLEEP };
        Ok(Self { keeper, commands, poll, textfile: None })
    }

    /// Writes metrics into a file, after each step and at least every five minutes.
    #[must_use]
    pub fn with_textfile(self, path: Option<PathBuf>) -> Self {
        Self { textfile: path, ..self }
    }

    /// Runs for ever.
    ///
    /// # Errors
    /// When the journal can no longer be trusted to hold what is written; the next start reads it anew.
    pub fn run(mut self) -> Result<std::convert::Infallible, AgentError> {
        loop {
            let until = match self.keeper.tick() {
                Ok(next) => next.at,
                Err(error @ AgentError::Journal(JournalError::Poisoned)) => return Err(error),
                Err(error) => {
                    tracing::error!(%error, "cannot go on for now");
                    self.wait(AFTER_ERROR);
                    continue;
                }
            };
            self.sleep_until(until);
        }
    }

    /// Sleeps until an instant of the keeper's clock, or until a command was executed.
    fn sleep_until(&mut self, until: Timestamp) {
        loop {
            let left = until.micros_since(self.keeper.now());
            let Ok(left) = u64::try_from(left) else { return };
            self.write_metrics();
            if left == 0 || self.wait(Duration::from_micros(left).min(self.poll)) {
                return;
            }
        }
    }

    fn write_metrics(&mut self) {
        let Some(path) = &self.textfile else { return };
        if let Err(error) = metrics::write(path, &self.keeper.status()) {
            // The product works without them.
            tracing::warn!(path = %path.display(), %error, "cannot write the metrics");
        }
    }

    /// Waits for a command; says whether there was one.
    fn wait(&mut self, timeout: Duration) -> bool {
        match self.commands.recv_timeout(timeout) {
            Ok(Asked { command, reply }) => {
                let name = command.name();
                let outcome = execute(&mut self.keeper, command);
                tracing::info!(command = name, done = outcome.done, "command");
                // Whoever asked may have gone.
                let _ = reply.try_send(outcome);
                true
            }
            Err(RecvTimeoutError::Timeout) => false,
            // Without a socket there are no commands, but the time is still to be waited for.
            Err(RecvTimeoutError::Disconnected) => {
                std::thread::park_timeout(timeout);
                false
            }
        }
    }
}
