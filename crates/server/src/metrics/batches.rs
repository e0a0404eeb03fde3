//! Sizes of the check-in batches, counted by the service and shown as a histogram.

use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, NoLabelSet},
    metrics::MetricType,
};
use tenure_service::IngestSizes;

/// The sizes as of the last look.
#[derive(Clone, Debug, Default)]
pub(super) struct Batches(Arc<Mutex<Option<IngestSizes>>>);

impl Batches {
    pub(super) fn set(&self, sizes: IngestSizes) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(sizes);
    }
}

impl Collector for Batches {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), std::fmt::Error> {
        let Some(sizes) = *self.0.lock().unwrap_or_else(PoisonError::into_inner) else { return Ok(()) };
        let mut buckets: Vec<(f64, u64)> =
            sizes.counts.iter().enumerate().map(|(at, count)| (f64::from(1_u32 << at), *count)).collect();
        buckets.push((f64::INFINITY, 0));
        let count = sizes.counts.iter().sum();
        let help = "Check-ins decided in one transaction";
        let mut metric = encoder.encode_descriptor("check_in_batch_size", help, None, MetricType::Histogram)?;
        metric.encode_histogram::<NoLabelSet>(sizes.messages as f64, count, &buckets, None)
    }
}
