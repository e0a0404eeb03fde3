//! What a scrape asks the service: queues, outbox, jobs, the log, keys, readiness.

use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};
use tenure_core::Timestamp;
use tenure_license::KeyRole;
use tenure_service::{Limits, Observed, Service, keys_now};

type Seconds = Gauge<f64, AtomicU64>;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct QueueLabel {
    queue: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Role {
    role: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Bucket {
    bucket: &'static str,
}

/// The figures that are read when somebody asks.
#[derive(Default)]
pub(super) struct State {
    ready: Gauge,
    database: Gauge,
    epoch: Gauge,
    queue: Family<QueueLabel, Gauge>,
    check_ins: Gauge,
    commits: Counter,
    operations: Counter,
    messages: Counter,
    failures: Counter,
    reruns: Counter,
    refusals: Counter,
    outbox: Gauge,
    outbox_age: Seconds,
    jobs: Gauge,
    jobs_age: Seconds,
    audit: Counter,
    checkpoint: Gauge,
    checkpoint_at: Seconds,
    key_age: Family<Role, Seconds>,
    key_until: Family<Role, Seconds>,
    limited: Family<Bucket, Counter>,
    root: Gauge,
    root_renew: Seconds,
}

impl State {
    /// Figures under the names that Prometheus sees.
    pub(super) fn registered(registry: &mut Registry) -> Self {
        let state = Self::default();
        let figures: [(&str, &str, &Gauge); 8] = [
            ("ready", "1 while this server should get traffic, as /readyz says", &state.ready),
            ("database_up", "1 when the database answered this scrape", &state.database),
            ("epoch", "The epoch of the deployment; it steps at every restore", &state.epoch),
            ("check_in_queue_depth", "Check-ins that wait to be decided", &state.check_ins),
            ("outbox_waiting", "Messages that are not sent yet", &state.outbox),
            ("jobs_due", "Jobs that are due and not done", &state.jobs),
            ("audit_checkpoint", "Number of the newest checkpoint of the log", &state.checkpoint),
            ("root_version", "Newest version of the trust root", &state.root),
        ];
        for (name, help, gauge) in figures {
            registry.register(name, help, gauge.clone());
        }
        let seconds = [
            ("outbox_oldest_age_seconds", "How long the oldest unsent message waits", &state.outbox_age),
            ("jobs_oldest_due_age_seconds", "How long the oldest due job waits", &state.jobs_age),
            ("audit_checkpoint_timestamp_seconds", "When the newest checkpoint was made", &state.checkpoint_at),
            ("root_renew_timestamp_seconds", "By when to sign a new trust root", &state.root_renew),
        ];
        for (name, help, gauge) in seconds {
            registry.register(name, help, gauge.clone());
        }
        let counters = [
            ("writer_commits", "Write transactions committed", &state.commits),
            ("writer_operations", "Use cases committed in them", &state.operations),
            ("writer_messages", "Messages of products committed in batches", &state.messages),
            ("writer_failures", "Use cases that were rolled back", &state.failures),
            ("writer_reruns", "Use cases that were run again", &state.reruns),
            ("writer_refusals", "Use cases turned away because their queue was full", &state.refusals),
            ("audit_entries", "Entries of the log", &state.audit),
        ];
        for (name, help, counter) in counters {
            registry.register(name, help, counter.clone());
        }
        let limited = "Requests turned away by a rate limit, by whose it was";
        registry.register("rate_limited_requests", limited, state.limited.clone());
        registry.register("writer_queue_depth", "Use cases that wait for the writer, by queue", state.queue.clone());
        registry.register("key_age_seconds", "Age of the newest online key, by role", state.key_age.clone());
        let until = "Until when the newest online key signs, by role";
        registry.register("key_expiry_timestamp_seconds", until, state.key_until.clone());
        state
    }

    /// Takes what is so now; what the database did not tell keeps its last figure.
    pub(super) fn set(&self, service: &Service, observed: Option<&Observed>) {
        self.ready.set(i64::from(service.not_ready().is_empty()));
        self.database.set(i64::from(observed.is_some()));
        self.epoch.set(service.deployment().epoch as i64);
        for (queue, depth) in service.store().waiting() {
            self.queue.get_or_create(&QueueLabel { queue: queue.to_string() }).set(depth as i64);
        }
        self.check_ins.set(service.ingest().waiting() as i64);
        let stats = service.store().stats();
        let written = [
            (&self.commits, stats.commits),
            (&self.operations, stats.ops),
            (&self.messages, stats.messages),
            (&self.failures, stats.failed),
            (&self.reruns, stats.reruns),
            (&self.refusals, stats.busy),
        ];
        for (counter, count) in written {
            counter.inner().store(count, Ordering::Relaxed);
        }
        let refused = service.limits().map(Limits::refusals).unwrap_or_default();
        let buckets = [("address", refused.address), ("installation", refused.installation), ("token", refused.token)];
        for (bucket, count) in buckets {
            self.limited.get_or_create(&Bucket { bucket }).inner().store(count, Ordering::Relaxed);
        }
        self.set_keys(service);
        if let Some(observed) = observed {
            self.set_observed(observed);
        }
    }

    fn set_observed(&self, observed: &Observed) {
        let age = |since: Option<Timestamp>| since.map_or(0.0, |since| seconds(observed.at) - seconds(since)).max(0.0);
        self.outbox.set(observed.outbox);
        self.outbox_age.set(age(observed.outbox_oldest));
        self.jobs.set(observed.jobs);
        self.jobs_age.set(age(observed.jobs_oldest));
        self.audit.inner().store(observed.audit_entries, Ordering::Relaxed);
        if let Some((number, at)) = observed.checkpoint {
            self.checkpoint.set(number as i64);
            self.checkpoint_at.set(seconds(at));
        }
    }

    fn set_keys(&self, service: &Service) {
        let status = keys_now(service);
        self.root.set(status.root_version as i64);
        self.root_renew.set(seconds(status.renew_by));
        for (role, name) in [(KeyRole::License, "license"), (KeyRole::Receipt, "receipt")] {
            let of_role = status.keys.iter().filter(|key| key.role == role && !key.life.revoked);
            if let Some(newest) = of_role.max_by_key(|key| key.life.until) {
                let age = seconds(status.as_of) - seconds(newest.life.from);
                self.key_age.get_or_create(&Role { role: name }).set(age.max(0.0));
                self.key_until.get_or_create(&Role { role: name }).set(seconds(newest.life.until));
            }
        }
    }
}

fn seconds(at: Timestamp) -> f64 {
    at.as_micros() as f64 / 1_000_000.0
}
