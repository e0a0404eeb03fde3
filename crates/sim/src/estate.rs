//! The workloads that a simulated product protects, and the collector that tells of them.

use std::sync::{Arc, Mutex, MutexGuard};

use tenure_agent::collect::{CollectError, Collector, Sighting};
use tenure_core::{Clock, Day, Rng, Timestamp};

/// What one product server protects. Shared between the fleet, which changes it, and the server's collector.
#[derive(Clone)]
pub struct Estate(Arc<Mutex<Vec<Protected>>>);

#[derive(Debug, Clone)]
struct Protected {
    id: String,
    workload: String,
    variant: String,
    from: Day,
    until: Option<Day>,
}

impl Estate {
    /// An estate of `counts` workloads of each type and variant, all protected since `from`.
    pub fn new(name: &str, counts: &[(String, String, u32)], from: Day) -> Self {
        let mut all = Vec::new();
        for (workload, variant, count) in counts {
            for n in 0..*count {
                all.push(Protected {
                    id: format!("{name}/{workload}{variant}-{n:03}"),
                    workload: workload.clone(),
                    variant: variant.clone(),
                    from,
                    until: None,
                });
            }
        }
        Self(Arc::new(Mutex::new(all)))
    }

    fn all(&self) -> MutexGuard<'_, Vec<Protected>> {
        self.0.lock().expect("nobody panics while it is held")
    }

    /// Now and then a workload comes or goes: an estate lives.
    pub fn live(&self, today: Day, rng: &dyn Rng) {
        let mut all = self.all();
        match rng.below(24) {
            0 => {
                let Some(like) = all.first().cloned() else { return };
                let id = format!("{}-{today}", like.id);
                all.push(Protected { id, from: today, until: None, ..like });
            }
            1 => {
                let alive: Vec<usize> = (0..all.len()).filter(|n| all[*n].until.is_none()).collect();
                if alive.len() > 3 {
                    let gone = alive[rng.below(alive.len() as u64) as usize];
                    all[gone].until = Some(today);
                }
            }
            _ => {}
        }
        // What went long ago is not told any more by any backup product.
        all.retain(|each| each.until.is_none_or(|until| until.plus(100) > today));
    }
}

/// Tells what an estate protects: each workload once a day, in the night.
pub struct EstateCollector {
    estate: Estate,
    clock: Arc<dyn Clock>,
}

impl EstateCollector {
    /// A collector that knows the estate up to the clock's present.
    pub fn new(estate: Estate, clock: Arc<dyn Clock>) -> Self {
        Self { estate, clock }
    }
}

const NIGHT_SECS: i64 = 2 * 3600;

impl Collector for EstateCollector {
    fn name(&self) -> String {
        "estate".to_owned()
    }

    fn looks_back(&self) -> bool {
        true
    }

    fn collect(&mut self, since: Timestamp, _: Timestamp) -> Result<Vec<Sighting>, CollectError> {
        let now = self.clock.now();
        let mut sightings = Vec::new();
        for each in self.estate.all().iter() {
            let mut day = each.from.max(Day::of(since));
            while each.until.is_none_or(|until| day < until) {
                let at = day.start().plus_secs(NIGHT_SECS);
                if at > now {
                    break;
                }
                if at >= since {
                    sightings.push(Sighting {
                        id: each.id.clone(),
                        company: String::new(),
                        workload: each.workload.clone(),
                        variant: each.variant.clone(),
                        at,
                    });
                }
                day = day.plus(1);
            }
        }
        Ok(sightings)
    }
}
