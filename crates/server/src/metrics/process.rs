//! What every process tells: the names are those that Prometheus' own libraries use.

use std::{fs, sync::atomic::AtomicU64};

use prometheus_client::{
    metrics::{counter::Counter, gauge::Gauge},
    registry::Registry,
};
use rustix::time::{ClockId, clock_gettime};
use tenure_core::Clock;

use crate::SystemClock;

/// The process's figures.
#[derive(Default)]
pub(super) struct Process {
    cpu: Counter<f64, AtomicU64>,
    memory: Gauge,
    files: Gauge,
}

impl Process {
    pub(super) fn registered(registry: &mut Registry) -> Self {
        let process = Self::default();
        registry.register("process_cpu_seconds", "CPU time used, user and system", process.cpu.clone());
        registry.register("process_resident_memory_bytes", "Memory in use", process.memory.clone());
        registry.register("process_open_fds", "Open files and connections", process.files.clone());
        let started = Gauge::<f64, AtomicU64>::default();
        started.set(SystemClock::new().now().as_micros() as f64 / 1_000_000.0);
        registry.register("process_start_time_seconds", "When it was started", started);
        process
    }

    /// Reads them; what the system does not tell stays as it was.
    pub(super) fn set(&self) {
        let used = clock_gettime(ClockId::ProcessCPUTime);
        let seconds = used.tv_sec as f64 + used.tv_nsec as f64 / 1e9;
        self.cpu.inner().store(seconds.to_bits(), std::sync::atomic::Ordering::Relaxed);
        if let Some(kilobytes) = resident() {
            self.memory.set(kilobytes * 1024);
        }
        if let Ok(files) = fs::read_dir("/proc/self/fd") {
            self.files.set(files.count() as i64);
        }
    }
}

fn resident() -> Option<i64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
}
