//! The agent's configuration: `agent.toml` in its data directory.
//!
//! ```toml
//! product = "backup-server"
//! product_version = "12.1"
//! servers = ["https://license.example.com"]
//! root = "root.json"              # the trust root, relative to this directory
//! license_file = "license.lic"    # where the product reads its license
//! auto_update = true
//!
//! [network]                       # optional: proxy, authorities
//! proxy = "http://proxy.example.com:3128"
//!
//! [[collector]]
//! kind = "restic"
//! repository = "/srv/backup"
//! password_file = "/etc/tenure/restic-password"
//! workload = "server"
//! ```

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use serde::{Deserialize, Deserializer, Serialize};
use tenure_core::Clock;
use tenure_license::{Envelope, EnvelopeError};

use crate::{
    collect::{Collector, CollectorConfig},
    network::{Network, NetworkConfig, NetworkError, Timeouts},
};

const FILE: &str = "agent.toml";

/// The configuration of one agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The data directory; where the file lies.
    #[serde(skip)]
    pub data_dir: PathBuf,
    /// Product code of the catalog.
    pub product: String,
    /// Version of the product.
    #[serde(default)]
    pub product_version: String,
    /// License update servers, best first; those that the license names are asked after them.
    #[serde(default)]
    pub servers: Vec<String>,
    /// The trust root that everything is verified with.
    #[serde(default = "default_root")]
    pub root: PathBuf,
    /// Where the license file is written.
    #[serde(default = "default_license_file")]
    pub license_file: PathBuf,
    /// Whether new licenses are installed by themselves.
    #[serde(default = "default_true")]
    pub auto_update: bool,
    /// Whether `http://` may be spoken with other machines.
    #[serde(default)]
    pub allow_http: bool,
    /// Seconds for a connection to be made.
    #[serde(default = "default_connect_secs")]
    pub connect_timeout_secs: u32,
    /// Seconds for a whole exchange.
    #[serde(default = "default_whole_secs")]
    pub timeout_secs: u32,
    /// Proxy and certificate authorities.
    #[serde(default, skip_serializing_if = "NetworkConfig::is_default")]
    pub network: NetworkConfig,
    /// Where counts come from.
    #[serde(default, rename = "collector", skip_serializing_if = "Vec::is_empty", deserialize_with = "each_collector")]
    pub collectors: Vec<CollectorConfig>,
}

fn default_root() -> PathBuf {
    "root.json".into()
}
fn default_license_file() -> PathBuf {
    "license.lic".into()
}
fn default_true() -> bool {
    true
}
fn default_connect_secs() -> u32 {
    10
}
fn default_whole_secs() -> u32 {
    60
}

/// Reads the collectors one by one, so that an error says which of them it is about.
fn each_collector<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<CollectorConfig>, D::Error> {
    let tables = Vec::<toml::Table>::deserialize(deserializer)?;
    let read = |(n, table): (usize, toml::Table)| {
        let kind = table.get("kind").and_then(toml::Value::as_str).unwrap_or("without `kind`").to_owned();
        read_collector(table).map_err(|why| serde::de::Error::custom(format!("collector {} ({kind}): {why}", n + 1)))
    };
    tables.into_iter().enumerate().map(read).collect()
}

fn read_collector(table: toml::Table) -> Result<CollectorConfig, String> {
    let config: CollectorConfig = table.try_into().map_err(|error: toml::de::Error| error.message().to_owned())?;
    config.check().map(|()| config)
}

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// There is none.
    #[error("{0} has no agent.toml: run `tenure agent init` first")]
    Missing(PathBuf),
    /// A file cannot be read or written.
    #[error("cannot {doing} {path}")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// Not the configuration's TOML; with line and key.
    #[error("{path} cannot be used: {why}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The trust root's file is not an envelope.
    #[error("{path} is not a trust root: {why}")]
    NotARoot {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        why: EnvelopeError,
    },
    /// A setting that cannot be used, with its key.
    #[error("{0}")]
    Setting(#[from] NetworkError),
    /// A collector that cannot be used.
    #[error("collector {n} ({name}): {why}")]
    CollectorSetting {
        /// Its place, from 1.
        n: usize,
        /// What it is called.
        name: &'static str,
        /// The key and what is wrong with it.
        why: NetworkError,
    },
    /// A collector given on the command line.
    #[error("collector `{given}`: {why}")]
    Collector {
        /// As given.
        given: String,
        /// What is wrong.
        why: String,
    },
}

impl Config {
    /// A configuration with defaults for everything else.
    pub fn new(data_dir: &Path, product: &str) -> Self {
        Self {
            data_dir: data_dir.to_owned(),
            product: product.to_owned(),
            product_version: String::new(),
            servers: Vec::new(),
            root: default_root(),
            license_file: default_license_file(),
            auto_update: true,
            allow_http: false,
            connect_timeout_secs: default_connect_secs(),
            timeout_secs: default_whole_secs(),
            network: NetworkConfig::default(),
            collectors: Vec::new(),
        }
    }

    /// Reads the configuration in a data directory.
    pub fn load(data_dir: &Path) -> Result<Self, ConfigError> {
        let path = data_dir.join(FILE);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(ConfigError::Missing(data_dir.to_owned()));
            }
            Err(source) => return Err(ConfigError::Io { doing: "read", path, source }),
        };
        let config: Self = toml::from_str(&text)
            .map_err(|error| ConfigError::Malformed { path, why: error.to_string().trim_end().to_owned() })?;
        Ok(Self { data_dir: data_dir.to_owned(), ..config })
    }

    /// Writes the configuration and the trust root into the data directory, made if need be.
    pub fn save(&self, root: &Envelope) -> Result<(), ConfigError> {
        let dir = &self.data_dir;
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(dir);
        made.map_err(|source| ConfigError::Io { doing: "make", path: dir.clone(), source })?;
        let path = dir.join(FILE);
        let text = toml::to_string(self)
            .map_err(|error| ConfigError::Malformed { path: path.clone(), why: error.to_string() })?;
        replace(&self.root_path(), format!("{}\n", root.to_json()).as_bytes())?;
        replace(&path, text.as_bytes())
    }

    /// How connections leave this machine, the environment's proxies included.
    ///
    /// # Errors
    /// Names the key that cannot be used.
    pub fn network(&self) -> Result<Network, ConfigError> {
        Ok(Network::from_env(&self.network)?)
    }

    /// The collectors, in order.
    ///
    /// # Errors
    /// Names the collector and the key that cannot be used.
    pub fn build_collectors(
        &self,
        network: &Network,
        clock: &Arc<dyn Clock>,
    ) -> Result<Vec<Box<dyn Collector>>, ConfigError> {
        let build = |(n, config): (usize, &CollectorConfig)| {
            let failed = |why| ConfigError::CollectorSetting { n: n + 1, name: config.kind(), why };
            config.build(network, clock).map_err(failed)
        };
        self.collectors.iter().enumerate().map(build).collect()
    }

    /// Reads the trust root.
    pub fn read_root(&self) -> Result<Envelope, ConfigError> {
        read_root(&self.root_path())
    }

    /// Where the trust root is.
    pub fn root_path(&self) -> PathBuf {
        self.data_dir.join(&self.root)
    }
    /// Where the license file is.
    pub fn license_path(&self) -> PathBuf {
        self.data_dir.join(&self.license_file)
    }
    /// Where the journal is.
    pub fn journal_dir(&self) -> PathBuf {
        self.data_dir.join("journal")
    }
    /// Where a running daemon listens for commands.
    pub fn socket_path(&self) -> PathBuf {
        self.data_dir.join("agent.sock")
    }
    /// Time-outs of exchanges.
    pub fn timeouts(&self) -> Timeouts {
        let secs = |secs: u32| Duration::from_secs(u64::from(secs.max(1)));
        Timeouts { connect: secs(self.connect_timeout_secs), whole: secs(self.timeout_secs) }
    }
}

/// Reads a trust root from a file.
pub fn read_root(path: &Path) -> Result<Envelope, ConfigError> {
    let text = fs::read(path).map_err(|source| ConfigError::Io { doing: "read", path: path.to_owned(), source })?;
    Envelope::from_json(&text).map_err(|why| ConfigError::NotARoot { path: path.to_owned(), why })
}

fn replace(path: &Path, bytes: &[u8]) -> Result<(), ConfigError> {
    let temporary = path.with_extension("tmp");
    let failed = |doing| move |source| ConfigError::Io { doing, path: path.to_owned(), source };
    let mut options = fs::OpenOptions::new();
    let mut file =
        options.write(true).create(true).truncate(true).mode(0o600).open(&temporary).map_err(failed("make"))?;
    io::Write::write_all(&mut file, bytes).and_then(|()| file.sync_all()).map_err(failed("write"))?;
    fs::rename(&temporary, path).map_err(failed("replace"))
}

/// Reads a collector as the command line takes it: `restic:repository=/srv/backup,password_file=/etc/pw,workload=server`.
///
/// # Errors
/// One sentence that names what is missing or unknown.
pub fn parse_collector(given: &str) -> Result<CollectorConfig, ConfigError> {
    let wrong = |why: String| ConfigError::Collector { given: given.to_owned(), why };
    let (kind, options) = given.split_once(':').unwrap_or((given, ""));
    let mut table = toml::Table::from_iter([("kind".to_owned(), toml::Value::from(kind))]);
    for option in options.split(',').filter(|option| !option.is_empty()) {
        let (name, value) = option.split_once('=').ok_or_else(|| wrong(format!("`{option}` is not NAME=VALUE")))?;
        let name = name.trim();
        let value = match (value, value.parse::<i64>()) {
            ("true", _) => toml::Value::from(true),
            ("false", _) => toml::Value::from(false),
            (_, Ok(number)) if name.ends_with("_secs") || name == "first_page" => toml::Value::from(number),
            _ if name == "arguments" => value.split_whitespace().map(str::to_owned).collect::<Vec<_>>().into(),
            _ => toml::Value::from(value),
        };
        // `labels.job=backup` sets a key of a table.
        let twice = match name.split_once('.') {
            Some((outer, inner)) => {
                let inside = table.entry(outer).or_insert_with(|| toml::Table::new().into());
                let inside = inside.as_table_mut().ok_or_else(|| wrong(format!("`{outer}` is not a table")))?;
                inside.insert(inner.to_owned(), value).is_some()
            }
            None => table.insert(name.to_owned(), value).is_some(),
        };
        if twice {
            return Err(wrong(format!("`{name}` is given twice")));
        }
    }
    read_collector(table).map_err(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::{FileConfig, Identity};

    #[test]
    fn collectors_are_read_from_the_command_line() {
        let given = "restic:repository=/srv/backup,password_file=/etc/pw,workload=server,identity=host_and_path";
        let CollectorConfig::Restic(restic) = parse_collector(given).unwrap() else { panic!("not restic") };
        assert_eq!((restic.repository.as_str(), restic.identity), ("/srv/backup", Identity::HostAndPath));
        assert_eq!(restic.program, PathBuf::from("restic"));
        let expected = FileConfig { path: "/var/w.csv".into(), format: None, looks_back: true };
        assert_eq!(parse_collector("file:path=/var/w.csv,looks_back=true").unwrap(), CollectorConfig::File(expected));
        let given = "prometheus:url=https://x/metrics,metric=last,id_label=vm,workload=vm,labels.job=b,labels.ok=yes";
        let CollectorConfig::Prometheus(metric) = parse_collector(given).unwrap() else { panic!("not prometheus") };
        assert_eq!(
            metric.labels.into_iter().collect::<Vec<_>>(),
            [("job".into(), "b".into()), ("ok".into(), "yes".into())]
        );
        let given = "command:program=/usr/bin/list,arguments=--json --all";
        let CollectorConfig::Command(command) = parse_collector(given).unwrap() else { panic!("not command") };
        assert_eq!(command.arguments, ["--json", "--all"]);
        for (bad, needle) in [
            ("tape:path=/x", "unknown variant `tape`"),
            ("file", "missing field `path`"),
            ("file:path", "is not NAME=VALUE"),
            ("file:path=/x,path=/y", "given twice"),
            ("restic:repository=/srv,password_file=/x,workload=w,retries=2", "unknown field `retries`"),
            ("http:url=https://x,id=/id", "give either `workload` or `workload_field`"),
            ("http:url=x,id=/id,workload=vm", "`url` is not an address"),
            ("http:url=https://x,id=name,workload=vm", "`id` is `name`, not a JSON pointer; write `/name`"),
            ("http:url=https://x,id=/id,workload=vm,cursor=/c", "`cursor` and `cursor_parameter` go together"),
            ("http:url=https://x,id=/id,workload=vm,next_link=/n,page_parameter=p", "at most one of `next_link`"),
            ("prometheus:url=https://x,metric=a-b,id_label=vm,workload=vm", "`metric`: `a-b` is not a name"),
            ("command:program=/x,timeout_secs=0", "`timeout_secs` is 0"),
        ] {
            let error = parse_collector(bad).unwrap_err().to_string();
            assert!(error.contains(needle), "{error}");
        }
    }

    #[test]
    fn what_is_saved_is_loaded_and_errors_name_the_key() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(Config::load(dir.path()), Err(ConfigError::Missing(_))));
        let mut config = Config::new(&dir.path().join("agent"), "backup-server");
        config.servers = vec!["https://license.example.com".into()];
        config.collectors = vec![
            parse_collector("file:path=/var/w.csv").unwrap(),
            parse_collector("restic:repository=/srv,password_file=/x,workload=w,timeout_secs=5").unwrap(),
            parse_collector("http:url=https://x,id=/id,workload=vm,page_parameter=page").unwrap(),
            parse_collector("prometheus:url=https://x,metric=m,id_label=vm,workload=vm,labels.job=b").unwrap(),
            parse_collector("command:program=/x,environment.A=b").unwrap(),
        ];
        config.network.proxy = Some("http://proxy:3128".into());
        let root = Envelope { payload: vec![1], payload_type: "application/x".into(), signatures: Vec::new() };
        config.save(&root).unwrap();
        assert_eq!(Config::load(&config.data_dir).unwrap(), config);
        assert_eq!(config.read_root().unwrap(), root);
        fs::write(config.data_dir.join(FILE), "product = \"x\"\nautoupdate = true\n").unwrap();
        let error = Config::load(&config.data_dir).unwrap_err().to_string();
        assert!(error.contains("autoupdate") && error.contains("line 2"), "{error}");
        for (collectors, needle) in [
            ("[[collector]]\nkind = \"tape\"", "collector 1 (tape): unknown variant `tape`"),
            ("[[collector]]\npath = \"/x\"", "collector 1 (without `kind`): missing field `kind`"),
            (
                "[[collector]]\nkind = \"file\"\npath = \"/x\"\n[[collector]]\nkind = \"http\"\nurl = 7\nid = \"/id\"",
                "collector 2 (http): invalid type: integer `7`, expected a string",
            ),
            (
                "[[collector]]\nkind = \"http\"\nurl = \"https://x\"\nid = \"id\"\nworkload = \"vm\"",
                "collector 1 (http): `id` is `id`, not a JSON pointer",
            ),
            ("[network]\nproxies = 1", "unknown field `proxies`"),
        ] {
            fs::write(config.data_dir.join(FILE), format!("product = \"x\"\n{collectors}\n")).unwrap();
            let error = Config::load(&config.data_dir).unwrap_err().to_string();
            assert!(error.contains(needle), "{error} should say {needle}");
        }
    }
}
