//! The daemon: ticks when something is due, takes commands meanwhile, and sleeps otherwise.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, SyncSender},
    },
    time::Duration,
};

use tenure_core::{Clock, Rng, Timestamp};

#[cfg(feature = "page")]
use crate::page::Page;
use crate::{
    config::Config,
    control::{Asked, Command, Outcome, channel, execute, listen},
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
    /// The other end, for whatever takes commands from people.
    #[cfg_attr(not(feature = "page"), expect(dead_code, reason = "held so that the channel stays open"))]
    asking: SyncSender<Asked>,
    poll: Duration,
    textfile: Option<PathBuf>,
    #[cfg(feature = "page")]
    page: Serving,
}

/// What became of the product's own page.
#[cfg(feature = "page")]
enum Serving {
    /// Nobody asked for it.
    Off,
    /// It is served.
    Yes(Page),
    /// It was asked for, and this is why there is none.
    No(String),
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
        let (asking, commands) = channel();
        if let Err(error) = listen(&path, asking.clone()) {
            // Everything but commands works; they then say that the journal is in use.
            tracing::warn!(path = %path.display(), %error, "cannot listen for commands");
        }
        let poll = if follows_test_clock { TEST_CLOCK_POLL } else { MAX_SLEEP };
        Ok(Self {
            keeper,
            commands,
            asking,
            poll,
            textfile: None,
            #[cfg(feature = "page")]
            page: Serving::Off,
        })
    }

    /// Serves the product's own page on a loopback address. `config`, `clock` and `rng` are those it was opened with.
    ///
    /// # Errors
    /// When the address is not of this machine alone, or is taken. Whoever asks for the page later is told why.
    #[cfg(feature = "page")]
    pub fn serve_page(
        &mut self,
        listen: std::net::SocketAddr,
        config: &Config,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
    ) -> Result<(), AgentError> {
        match Page::start(listen, config.clone(), clock, rng, self.asking.clone()) {
            Ok(page) => self.page = Serving::Yes(page),
            Err(error) => {
                self.page = Serving::No(crate::control::sentence_of(&error));
                return Err(error);
            }
        }
        Ok(())
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
                let outcome = self.execute(command);
                tracing::info!(command = name, done = outcome.done, "command");
                // Whoever asked may have gone.
                let _ = reply.try_send(outcome);
                true
            }
            Err(RecvTimeoutError::Timeout) => false,
            Err(RecvTimeoutError::Disconnected) => unreachable!("the daemon itself holds the other end"),
        }
    }

    fn execute(&mut self, command: Command) -> Outcome {
        #[cfg(feature = "page")]
        if command == Command::OpenPage {
            match &self.page {
                Serving::Yes(page) => {
                    let address = Some(page.invite());
                    return Outcome {
                        address,
                        ..Outcome::done("The address opens the page once, within ten minutes.")
                    };
                }
                Serving::No(why) => return Outcome::failed(format!("The daemon runs without its page: {why}")),
                Serving::Off => {}
            }
        }
        execute(&mut self.keeper, command)
    }
}
