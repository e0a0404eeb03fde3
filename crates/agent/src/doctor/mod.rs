//! Looks at everything an agent depends on, and says what to do about what is not as it should be.
//!
//! Nothing is changed: no journal entry, no request of the chain. The collectors are asked once, the servers are asked for
//! their trust root.

mod certificate;
mod host;
mod server;
mod tls;

use std::{collections::BTreeSet, sync::Arc};

use serde::Serialize;
use tenure_core::{Clock, Timestamp};

use crate::{
    collect::{CollectError, Collector, Sighting},
    config::Config,
    glance::Glance,
    network::Network,
    view::Standing,
};

/// How far back a collector is asked.
const LOOK_BACK_DAYS: i64 = 31;
/// How many unknown workload types a line names.
const NAMED_TYPES: usize = 5;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// As it should be.
    Ok,
    /// It works, and somebody should look.
    Warn,
    /// It does not work.
    Fail,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What: `journal`, `license.example.com:443 tls`.
    pub check: String,
    /// How bad.
    pub level: Level,
    /// What was found.
    pub says: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub what_to_do: Option<String>,
}

/// Findings, in the order in which they were made.
#[derive(Debug, Default)]
pub(crate) struct Findings(pub(crate) Vec<Finding>);

impl Findings {
    pub(crate) fn ok(&mut self, check: impl Into<String>, says: impl Into<String>) {
        self.0.push(Finding { check: check.into(), level: Level::Ok, says: says.into(), what_to_do: None });
    }
    pub(crate) fn warn(&mut self, check: impl Into<String>, says: impl Into<String>, what_to_do: impl Into<String>) {
        self.add(Level::Warn, check.into(), says.into(), what_to_do.into());
    }
    pub(crate) fn fail(&mut self, check: impl Into<String>, says: impl Into<String>, what_to_do: impl Into<String>) {
        self.add(Level::Fail, check.into(), says.into(), what_to_do.into());
    }
    fn add(&mut self, level: Level, check: String, says: String, what_to_do: String) {
        self.0.push(Finding { check, level, says, what_to_do: Some(what_to_do) });
    }
}

/// Looks at an installation from all sides. Takes as long as the servers and collectors take to answer, or their
/// time-outs.
pub fn examine(config: &Config, clock: Arc<dyn Clock>) -> Vec<Finding> {
    let mut findings = Findings::default();
    host::examine(config, &mut findings);
    let glance = match Glance::read(config, clock.clone()) {
        Ok(glance) => Some(glance),
        Err(error) => {
            let advice = "Restore the data directory from a backup, or ask for a new activation code and start anew.";
            findings.fail("journal", error.to_string(), advice);
            None
        }
    };
    if let Some(glance) = &glance {
        license(glance, &mut findings);
    }
    match config.network() {
        Ok(network) => {
            let now = glance.as_ref().map_or_else(|| clock.now(), Glance::now);
            servers(config, &network, glance.as_ref(), &*clock, &mut findings);
            collectors(config, &network, &clock, glance.as_ref(), now, &mut findings);
        }
        Err(error) => {
            findings.fail("network", error.to_string(), "Correct this setting of agent.toml or the environment.");
        }
    }
    findings.0
}

fn license(glance: &Glance, findings: &mut Findings) {
    let status = glance.status();
    match status.standing {
        Standing::Valid => findings.ok("license", format!("{}: {}", status.state, status.sentence)),
        Standing::NotActivated => findings.fail("license", status.sentence, "Run `tenure agent init` with a code."),
        Standing::Expiring => findings.warn(
            "license",
            format!("{}: {}", status.state, status.sentence),
            "See to it that the months named there are reported and submitted.",
        ),
        Standing::Expired | Standing::Restricted => findings.fail(
            "license",
            format!("{}: {}", status.state, status.sentence),
            "See to it that the months named there are reported and submitted, then run `tenure agent update-now`.",
        ),
    }
    if status.unsent_documents > 0 {
        findings.warn(
            "documents",
            format!("{} reports and watermarks wait for their receipt", status.unsent_documents),
            "They go out by themselves once the server answers; without a network, `tenure agent request` makes a file.",
        );
    }
}

fn servers(config: &Config, network: &Network, glance: Option<&Glance>, clock: &dyn Clock, findings: &mut Findings) {
    let mut all: Vec<String> = config.servers.clone();
    all.extend(glance.map_or(&[][..], Glance::named_servers).iter().cloned());
    let mut seen = BTreeSet::new();
    all.retain(|server| seen.insert(server.trim_end_matches('/').to_owned()));
    if all.is_empty() {
        findings.fail("servers", "no license update server is configured", "Set `servers` in agent.toml.");
    }
    let held = glance.and_then(Glance::root_version);
    for address in all {
        server::examine(config, network, &address, held, clock, findings);
    }
}

fn collectors(
    config: &Config,
    network: &Network,
    clock: &Arc<dyn Clock>,
    glance: Option<&Glance>,
    now: Timestamp,
    findings: &mut Findings,
) {
    if config.collectors.is_empty() {
        findings.warn(
            "collectors",
            "none is configured, so nothing is counted",
            "Add a [[collector]] to agent.toml, unless the product counts by itself.",
        );
    }
    let built = match config.build_collectors(network, clock) {
        Ok(built) => built,
        Err(error) => {
            findings.fail("collectors", error.to_string(), "Correct this setting of agent.toml.");
            return;
        }
    };
    let kinds = glance.and_then(Glance::licensed_kinds);
    for (n, mut collector) in (1..).zip(built) {
        let check = format!("collector {n}");
        let name = collector.name();
        match collector.collect(now.plus_days(-LOOK_BACK_DAYS), now) {
            Ok(seen) => counted(&check, &*collector, &seen, kinds.as_ref(), findings),
            Err(error @ CollectError::BadRows { .. }) => findings.fail(
                check,
                format!("{name}: {error}"),
                "Correct these rows where they come from; until then no day is counted.",
            ),
            Err(error) => {
                findings.fail(
                    check,
                    format!("{name}: {error}"),
                    "Correct it in agent.toml or at the source, and look again.",
                );
            }
        }
    }
}

fn counted(
    check: &str,
    collector: &dyn Collector,
    seen: &[Sighting],
    kinds: Option<&BTreeSet<(String, String)>>,
    findings: &mut Findings,
) {
    let name = collector.name();
    let workloads: BTreeSet<_> = seen.iter().map(|one| (&one.workload, &one.variant, &one.id)).collect();
    let Some(newest) = seen.iter().map(|one| one.at).max() else {
        findings.warn(check, format!("{name}: it lists no workload"), "Right only if nothing is protected at all.");
        return;
    };
    let unknown = |kinds: &BTreeSet<(String, String)>| -> Vec<String> {
        let told: BTreeSet<_> = seen.iter().map(|one| (one.workload.clone(), one.variant.clone())).collect();
        told.difference(kinds)
            .take(NAMED_TYPES)
            .map(|(workload, variant)| format!("`{workload}{}{variant}`", if variant.is_empty() { "" } else { "/" }))
            .collect()
    };
    let says = format!("{name}: {} workloads, the newest protected at {newest}", workloads.len());
    match kinds.map(unknown) {
        Some(unknown) if !unknown.is_empty() => findings.warn(
            check,
            format!("{says}; the license does not list {}", unknown.join(", ")),
            "Compare the codes with the vendor's catalog: an unknown code blocks the month's submission.",
        ),
        _ => findings.ok(check, says),
    }
}
