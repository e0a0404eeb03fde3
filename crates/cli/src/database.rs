//! Where a deployment's data is, and the key that opens its private keys.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use clap::Args;
use tenure_service::SealingKey;

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
