//! `tenure restore --as-copy`: the same data as another deployment, for trying things out.

use std::{fs, path::PathBuf, process::ExitCode, sync::Arc};

use anyhow::{Context, Result};
use clap::Args;
use tenure_core::Clock;
use tenure_server::SystemRng;
use tenure_service::{SealingKey, commit_copy, prepare_copy};

use crate::{
    database::{DatabaseArgs, open_existing},
    init_cmd::{private_dir, private_file},
};

/// What a copy needs.
#[derive(Args)]
pub(crate) struct CopyArgs {
    /// Make another deployment of it, with an id and keys of its own: no product takes it for the original.
    #[arg(long)]
    pub(crate) as_copy: bool,
    /// The key file: beside it lie the files that a restore reads. With --as-copy: where the copy's own key is written.
    #[arg(long, value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,
    /// With --as-copy: where its offline root keys and its trust root are written; default: beside the data directory.
    #[arg(long, value_name = "DIR", requires = "as_copy")]
    pub(crate) root_keys: Option<PathBuf>,
}

/// Gives the database in place a new identity.
pub(crate) async fn run(
    database: &DatabaseArgs,
    args: &CopyArgs,
    why: &str,
    clock: Arc<dyn Clock>,
) -> Result<ExitCode> {
    let store = open_existing(database).await?;
    store.migrate().await?;
    let sealing = SealingKey::generate(&SystemRng);
    let plan = prepare_copy(&store, &*clock, &SystemRng, &sealing).await?;
    // Files first, and never over those of the original.
    let key_file = args.key_file.clone().unwrap_or_else(|| database.beside(".key"));
    private_file(&key_file, &sealing.to_text())
        .context("a copy has keys of its own and never runs with the original's: give another --key-file")?;
    let keys_dir = args.root_keys.clone().unwrap_or_else(|| database.beside("-offline-keys"));
    private_dir(&keys_dir)?;
    for key in plan.offline_keys() {
        private_file(&keys_dir.join(&key.file_name), &key.text)?;
    }
    let root_file = keys_dir.join("root.json");
    fs::write(&root_file, plan.root().to_json() + "\n")
        .with_context(|| format!("cannot write {}", root_file.display()))?;
    let deployment = plan.deployment();
    commit_copy(&store, plan, why).await?;
    store.close().await;
    println!("Deployment {deployment} is a copy; no product of the original takes it for its server.");
    println!("  sealing key    {}", key_file.display());
    println!("  offline keys   {}", keys_dir.display());
    println!("  trust root     {}", root_file.display());
    Ok(ExitCode::SUCCESS)
}
