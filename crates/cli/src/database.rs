//! Where a deployment's data is, and the key that opens its private keys.

use std::{
    env, fs,
    fs::{File, TryLockError},
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result, bail};
use clap::Args;
use tenure_core::Clock;
use tenure_server::{FileClock, SystemClock, SystemRng};
use tenure_service::{Outside, SealingKey};
use tenure_store::Store;

use crate::owner::give_to_directory;

/// The environment variable that may hold the sealing key's text.
pub(crate) const KEY_ENV: &str = "TENURE_KEY";
const CREDENTIAL: &str = "tenure-key";

/// Where the data is: an embedded SQLite file in a directory, or a PostgreSQL database.
#[derive(Args, Clone)]
#[group(required = true, multiple = false)]
pub(crate) struct DatabaseArgs {
    /// Directory with the embedded database.
    #[arg(long, value_name = "DIR", env = "TENURE_DATA_DIR")]
    data_dir: Option<PathBuf>,
    /// A PostgreSQL database, as `postgres://user@host/name`.
    #[arg(long, value_name = "URL", env = "TENURE_DATABASE")]
    database: Option<String>,
}

impl DatabaseArgs {
    /// The URL for the store.
    pub(crate) fn url(&self) -> Result<String> {
        match (&self.data_dir, &self.database) {
            (Some(dir), _) => {
                let path = dir.join("tenure.db");
                Ok(format!("sqlite:{}", path.to_str().context("the data directory's name must be UTF-8")?))
            }
            (None, Some(url)) => Ok(url.clone()),
            (None, None) => bail!("give --data-dir DIR or --database URL"),
        }
    }

    /// The data directory, where there is one.
    pub(crate) fn data_dir(&self) -> Option<&Path> {
        self.data_dir.as_deref()
    }

    /// A path beside the data directory, outside of it: `DIR` and `suffix`. Without a data directory: `tenure` and
    /// `suffix` in the working directory.
    pub(crate) fn beside(&self, suffix: &str) -> PathBuf {
        match &self.data_dir {
            Some(dir) => {
                let mut name = dir.file_name().map_or_else(|| "tenure".into(), std::ffi::OsStr::to_os_string);
                name.push(suffix);
                dir.with_file_name(name)
            }
            None => PathBuf::from(format!("tenure{suffix}")),
        }
    }
}

/// Finds the sealing key: `--key-file`, a systemd credential, the environment, the file `init` wrote beside the data.
pub(crate) fn sealing_key(args: &DatabaseArgs, key_file: Option<&Path>) -> Result<SealingKey> {
    let credential = env::var_os("CREDENTIALS_DIRECTORY").map(|dir| PathBuf::from(dir).join(CREDENTIAL));
    let text = if let Some(path) = key_file {
        fs::read_to_string(path).with_context(|| format!("cannot read the key file {}", path.display()))?
    } else if let Some(path) = credential.filter(|path| path.exists()) {
        fs::read_to_string(&path).with_context(|| format!("cannot read the credential {}", path.display()))?
    } else if let Ok(text) = env::var(KEY_ENV) {
        text
    } else {
        let path = args.beside(".key");
        fs::read_to_string(&path).with_context(|| {
            format!(
                "no sealing key: give --key-file FILE, the systemd credential {CREDENTIAL}, or {KEY_ENV}; \
                 looked for {} last",
                path.display()
            )
        })?
    };
    Ok(SealingKey::parse(&text)?)
}

/// Where the files beside the keys are.
#[derive(Args, Clone)]
pub(crate) struct WitnessArgs {
    /// Directory outside the data for how far the log went, its checkpoints, and what was revoked; beside the key file, or
    /// beside the data directory, otherwise.
    #[arg(long, value_name = "DIR", env = "TENURE_WITNESS")]
    witness: Option<PathBuf>,
}

impl WitnessArgs {
    /// The files in the directory given, or beside the keys.
    pub(crate) fn outside(&self, database: &DatabaseArgs, key_file: Option<&Path>) -> Outside {
        let beside_key = || {
            let path = key_file?;
            let mut name = path.file_stem()?.to_os_string();
            name.push("-witness");
            Some(path.with_file_name(name))
        };
        let given = self.witness.clone().or_else(beside_key);
        Outside::at(given.unwrap_or_else(|| database.beside("-witness")))
    }
}

/// The clock of a command that is run beside the data.
#[derive(Args, Clone)]
pub(crate) struct ClockArgs {
    /// Follow the instant written in FILE; for deployments made with `init --test-clock`.
    #[arg(long, value_name = "FILE")]
    test_clock: Option<PathBuf>,
}

impl ClockArgs {
    /// The machine's, or the test's.
    pub(crate) fn clock(&self) -> Result<Arc<dyn Clock>> {
        Ok(match &self.test_clock {
            Some(path) => Arc::new(FileClock::open(path)?),
            None => Arc::new(SystemClock::new()),
        })
    }
}

/// Opens a database that must be there: a command that looks at one must not make an empty one.
pub(crate) async fn open_existing(args: &DatabaseArgs) -> Result<Store> {
    if let Some(dir) = args.data_dir() {
        let file = dir.join("tenure.db");
        if !file.is_file() {
            bail!("{} is not there: give the right --data-dir, or run `tenure init` first", file.display());
        }
    }
    Ok(Store::open(&args.url()?, Arc::new(SystemRng)).await?)
}

const LOCK: &str = "tenure.lock";

/// Holds a data directory together with others who serve from it, until it is dropped.
pub(crate) fn lock_shared(dir: &Path) -> Result<File> {
    let file = lock_file(dir)?;
    match file.try_lock_shared() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => bail!("{} is being restored", dir.display()),
        Err(TryLockError::Error(error)) => Err(error).context("the data directory cannot be locked"),
    }
}

/// Holds a data directory alone, until it is dropped.
pub(crate) fn lock_alone(dir: &Path) -> Result<File> {
    fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
    let file = lock_file(dir)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => bail!("a server runs on {}: stop it first", dir.display()),
        Err(TryLockError::Error(error)) => Err(error).context("the data directory cannot be locked"),
    }
}

fn lock_file(dir: &Path) -> Result<File> {
    let path = dir.join(LOCK);
    let opened = File::options().create(true).truncate(false).write(true).open(&path);
    let file = opened.with_context(|| format!("cannot open {}", path.display()))?;
    give_to_directory(&path)?;
    Ok(file)
}
