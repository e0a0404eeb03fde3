//! How the application meets the outside.

use std::sync::Arc;

use tenure_portal::PortalOptions;

use crate::{Metrics, Network};

/// What stands around the doors.
#[derive(Clone, Default)]
pub struct Edge {
    /// How the portal is served.
    pub portal: PortalOptions,
    /// Where requests are counted.
    pub metrics: Arc<Metrics>,
    /// Proxies in front that are believed when they say for whom they ask (`X-Forwarded-For`).
    pub proxies: Arc<[Network]>,
}
