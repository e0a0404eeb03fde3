//! `tenure agent init`: configuration and activation.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use tenure_agent::{
    Activation, LicenseKeeper,
    config::{Config, ConfigError, parse_collector, read_root},
    journal::FileJournal,
    network::NetworkConfig,
    system::SystemRng,
};
use tenure_license::{Envelope, LicenseFile};

use super::{Place, print::print_activated, show};

#[derive(Args)]
#[command(
    after_help = "Examples:\n  tenure agent init --server https://license.example.com --root root.json --product backup-server \\\n    \
                  --code 0ABCD-EFGHJ-KMNPQ-RSTVW-XYZ012 \\\n    \
                  --collector restic:repository=/srv/backup,password_file=/etc/restic-password,workload=server\n  \
                  tenure agent init --server https://license.example.com --root root.json --product backup-server \\\n    \
                  --license activation.lic --collector file:path=/var/lib/backup/workloads.csv"
)]
pub(super) struct InitArgs {
    #[command(flatten)]
    place: Place,
    /// License update server; repeat for more, best first.
    #[arg(long = "server", value_name = "URL", required = true)]
    servers: Vec<String>,
    /// The vendor's trust root.
    #[arg(long, value_name = "FILE")]
    root: PathBuf,
    /// One-time activation code, from the license's page, or the enroll token of a fleet.
    #[arg(long, env = "TENURE_ACTIVATION_CODE", hide_env_values = true, conflicts_with = "license")]
    code: Option<String>,
    /// Activation license file, instead of a code.
    #[arg(long, value_name = "FILE")]
    license: Option<PathBuf>,
    /// Product code of the vendor's catalog.
    #[arg(long, value_name = "CODE")]
    product: String,
    /// Version of the product.
    #[arg(long, value_name = "VERSION", default_value = "")]
    product_version: String,
    /// Where counts come from: a kind (file, restic, command, http, prometheus) and its options of agent.toml, as
    /// `file:path=FILE` or `restic:repository=REPO,password_file=FILE,workload=CODE`; repeat for more.
    #[arg(long = "collector", value_name = "KIND:NAME=VALUE,..")]
    collectors: Vec<String>,
    /// Where the license file is written; default: license.lic in the data directory.
    #[arg(long, value_name = "FILE")]
    license_file: Option<PathBuf>,
    /// Do not install new licenses by themselves.
    #[arg(long)]
    no_auto_update: bool,
    /// HTTP(S) proxy as http://proxy:3128, or `direct` for none; by default what HTTPS_PROXY and NO_PROXY say.
    #[arg(long, value_name = "URL")]
    proxy: Option<String>,
    /// User name at the proxy.
    #[arg(long, value_name = "NAME", requires = "proxy")]
    proxy_user: Option<String>,
    /// File that holds the password at the proxy.
    #[arg(long, value_name = "FILE", requires = "proxy_user")]
    proxy_password_file: Option<PathBuf>,
    /// Host, or network such as 10.0.0.0/8, that is reached without the proxy; repeat for more.
    #[arg(long = "no-proxy", value_name = "HOST")]
    no_proxy: Vec<String>,
    /// PEM file of certificate authorities to believe instead of the public ones.
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Speak http:// with other machines too.
    #[arg(long)]
    allow_http: bool,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub(super) fn init(args: InitArgs) -> Result<ExitCode> {
    let root = read_root(&args.root)?;
    let clock = args.place.clock(&root)?;
    let dir = std::path::absolute(&args.place.data_dir)?;
    let mut config = Config::new(&dir, &args.product);
    config.product_version = args.product_version;
    config.servers = args.servers;
    config.auto_update = !args.no_auto_update;
    config.allow_http = args.allow_http;
    config.network = NetworkConfig {
        proxy: args.proxy,
        proxy_user: args.proxy_user,
        proxy_password_file: args.proxy_password_file.map(std::path::absolute).transpose()?,
        no_proxy: args.no_proxy,
        ca_file: args.ca_file.map(std::path::absolute).transpose()?,
    };
    config.collectors = args.collectors.iter().map(|given| parse_collector(given)).collect::<Result<_, _>>()?;
    if let Some(path) = args.license_file {
        config.license_file = std::path::absolute(path)?;
    }
    match Config::load(&dir) {
        Ok(before) if before.product != config.product => bail!(
            "{} is the agent of the product `{}`; use another data directory for `{}`",
            dir.display(),
            before.product,
            config.product
        ),
        // What was set up is not forgotten because a command does not repeat it.
        Ok(before) => {
            if config.collectors.is_empty() {
                config.collectors = before.collectors;
            }
            if config.network.is_default() {
                config.network = before.network;
            }
        }
        Err(ConfigError::Missing(_)) => {}
        Err(error) => return Err(error.into()),
    }
    // A setting that cannot be used is said before anything is written.
    config.build_collectors(&config.network()?, &clock)?;
    // A daemon that runs would not notice a changed configuration: first see that there is none.
    drop(FileJournal::open(&config.journal_dir())?);
    config.save(&root)?;
    let mut keeper = LicenseKeeper::open(&config, clock, Arc::new(SystemRng))?;
    let activation = match (args.code, args.license) {
        (Some(code), _) => keeper.activate(&code)?,
        (None, Some(file)) => keeper.activate_with_file(&activation_file(&file)?)?,
        (None, None) => bail!("give --code CODE or --license FILE"),
    };
    match activation {
        Activation::Active => show(args.json, &keeper.status(), print_activated),
        Activation::NotReached { sentence } => Err(anyhow!(sentence)).context(
            "not activated yet (the request is kept: run the same command again, or `tenure agent run`, which keeps trying; \
             without a network, `tenure agent request` puts it into a file)",
        ),
    }
}

fn activation_file(path: &Path) -> Result<Envelope> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    LicenseFile::parse(&text).with_context(|| format!("{} is not a license file", path.display()))
}
