//! The `command` collector: a program that prints the workloads as JSON.
//!
//! It prints what a JSON file of the `file` collector holds: an array of objects with `id`, `type`, and where there is one
//! `company`, `variant` and `protected_at`. A row without `protected_at` was protected when the program ran.

use std::{collections::BTreeMap, path::PathBuf, process::Command, time::Duration};

use serde::{Deserialize, Serialize};
use tenure_core::Timestamp;

use super::{CollectError, Collector, Sighting, process, rows};

/// The most a program may print.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// Options of the `command` collector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommandConfig {
    /// The program to run; not a shell's line.
    pub program: PathBuf,
    /// Its arguments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<String>,
    /// How long it may take, in seconds.
    #[serde(default = "default_timeout_secs")]
    pub timeout_secs: u32,
    /// Whether it prints every protection, not only the last one of each workload.
    #[serde(default)]
    pub looks_back: bool,
    /// Environment beside the agent's own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
}

fn default_timeout_secs() -> u32 {
    300
}

/// Runs a program and reads what it prints.
#[derive(Debug)]
pub struct CommandCollector {
    config: CommandConfig,
}

impl CommandCollector {
    /// A collector for the program; it need not exist yet.
    pub fn new(config: CommandConfig) -> Self {
        Self { config }
    }
}

impl CommandConfig {
    pub(super) fn check(&self) -> Result<(), String> {
        if self.program.as_os_str().is_empty() {
            return Err("`program` is empty".to_owned());
        }
        if self.timeout_secs == 0 {
            return Err("`timeout_secs` is 0, so the program could never answer".to_owned());
        }
        Ok(())
    }
}

impl Collector for CommandCollector {
    fn name(&self) -> String {
        format!("command {}", self.config.program.display())
    }
    fn looks_back(&self) -> bool {
        self.config.looks_back
    }
    fn collect(&mut self, _: Timestamp, now: Timestamp) -> Result<Vec<Sighting>, CollectError> {
        let mut command = Command::new(&self.config.program);
        command.args(&self.config.arguments).envs(&self.config.environment);
        let timeout = Duration::from_secs(u64::from(self.config.timeout_secs));
        let output = process::output(command, timeout, MAX_BYTES).map_err(CollectError::Unavailable)?;
        let read = rows::read_json(&output, Some(now));
        let (good, bad) = read.map_err(|problem| {
            let program = self.config.program.display();
            CollectError::Unavailable(format!("{program}: what it prints is not an array of workloads: {problem}"))
        })?;
        if bad.is_empty() { Ok(good) } else { Err(CollectError::BadRows { good, bad }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-02-01T00:30:00Z".parse().unwrap()
    }

    fn run(script: &str) -> Result<Vec<Sighting>, CollectError> {
        let config = CommandConfig {
            program: "/bin/sh".into(),
            arguments: vec!["-c".into(), script.into()],
            timeout_secs: 1,
            looks_back: false,
            environment: BTreeMap::from([("SITE".into(), "Contoso".into())]),
        };
        CommandCollector::new(config).collect(Timestamp::EPOCH, now())
    }

    #[test]
    fn what_a_program_prints_is_seen() {
        let script = r#"echo '[{"id":"vm-1","type":"vm","protected_at":"2026-01-31T02:14:00Z"},'
            echo "{\"id\":\"vm-2\",\"type\":\"vm\",\"variant\":\"large\",\"company\":\"$SITE\"}]""#;
        let seen = run(script).unwrap();
        assert_eq!((seen[0].id.as_str(), seen[0].at.to_string().as_str()), ("vm-1", "2026-01-31T02:14:00Z"));
        assert_eq!((seen[1].company.as_str(), seen[1].variant.as_str(), seen[1].at), ("Contoso", "large", now()));
        assert_eq!(run("echo '[]'").unwrap(), [], "no workloads is an answer too");
    }

    #[test]
    fn what_goes_wrong_is_said_with_exit_code_and_stderr() {
        for (script, needle) in [
            ("echo '[]'; echo 'no such' >&2; echo database >&2; exit 3", "/bin/sh: exit status: 3: no such; database"),
            ("exit 4", "/bin/sh: exit status: 4"),
            ("kill -9 $$", "/bin/sh: signal: 9 (SIGKILL)"),
            ("exec sleep 60", "/bin/sh: no answer within 1 s"),
            ("sleep 60 & echo '[]'; wait", "/bin/sh: no answer within 1 s"),
            ("true", "what it prints is not an array of workloads: EOF"),
            (r#"echo '[{"id":"vm-1","type":"vm"'"#, "not an array of workloads: EOF"),
            (r#"echo '{"id":"vm-1"}'"#, "not an array of workloads: invalid type: map"),
            (r#"printf '[{"id":"\377"}]'"#, "not an array of workloads: invalid unicode"),
            ("exec head -c 70000000 /dev/zero", "/bin/sh: it says more than 67108864 bytes"),
        ] {
            let said = run(script).unwrap_err().to_string();
            assert!(said.contains(needle), "{script}: {said}");
        }
    }

    #[test]
    fn good_rows_beside_bad_ones_are_kept() {
        let rows = r#"echo '[{"id":"a","type":"vm"},{"id":7,"type":"vm"},{"id":"c"},{"id":"d","type":"vm","protected_at":""}]'"#;
        let Err(CollectError::BadRows { good, bad }) = run(rows) else { panic!("bad rows went unnoticed") };
        assert_eq!(good.len(), 1);
        let problems: Vec<_> = bad.iter().map(|row| format!("{}: {}", row.place, row.problem)).collect();
        assert!(problems[0].starts_with("item 2: invalid type: integer"), "{problems:?}");
        assert_eq!(problems[1], "item 3: missing field `type`");
        assert!(problems[2].starts_with("item 4: `protected_at` is not an instant"), "{problems:?}");
    }
}
