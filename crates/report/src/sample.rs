//! A paper for tests: one license on two servers, and a correction that sorts before both.

use serde_json::{Value, json};

use crate::Paper;

fn line(host: &str, of_period: Option<&str>) -> Value {
    let is_correction = of_period.is_some();
    json!({
        "product": "Example Backup", "edition": "Standard", "company": "", "installation": null, "host": host,
        "license": "lic_0191f3c4-7e2a-7cc3-98c4-dc0c0c07398f", "description": "", "workload": "vm", "variant": "big",
        "name": "Virtual machine", "of_period": of_period,
        "source": if is_correction { "correction" } else { "automatic" },
        "licensed": (!is_correction).then_some(12), "new": 0, "reported": (!is_correction).then_some(5), "count": 4,
        "weight": "1", "points": "4",
        "adjusted": (!is_correction).then(|| json!({
            "was": 5, "reason": "test_demo", "note": "a demonstration", "at": "2026-11-03T00:00:00Z", "by": "Ada Brandt",
        })),
    })
}

pub(crate) fn paper() -> Paper {
    let paper = json!({
        "vendor": "Example Software", "provider": "=Northlight Hosting",
        "provider_id": "org_0191f3c4-7e2a-7cc3-98c4-dc0c0c07398f", "distributor": "Lakeside Distribution",
        "agreement": "RA-20117", "period": "2026-10", "usage": "mu_0191f3c4-7e2a-7cc3-98c4-dc0c0c07398f",
        "state": "Rejected", "purchase_order": "", "comment": "", "closed": null,
        "submission": { "number": 1, "at": "2026-11-04T00:00:00Z", "by": "Ada Brandt", "lines_hash": "00".repeat(32) },
        "sites": [], "made": "2026-11-05T00:00:00Z",
        "totals": { "reported": "12", "commit": "0", "enforcement": "0", "overage": "0", "total": "12" },
        "lines": [line("", Some("2026-09")), line("a.example", None), line("b.example", None)],
        "excluded": [{
            "company": "", "product": "Example Backup Standard", "host": "c.example", "name": "", "units": null,
            "why": "a clone is not counted",
        }],
    });
    serde_json::from_value(paper).expect("a paper")
}
