//! What vendor and distributor watch: deviations, missed deadlines, what installations owe, the fleet by version.

use axum::response::Response;
use tenure_core::{OrgId, Period, roles::OrgKind};
use tenure_service::{
    MAX_PAGE, OwedFilter, Paging, list_deviations, list_missed_deadlines, list_obligations, list_organizations,
    view_fleet,
};

use super::ledger;
use crate::{
    format,
    pages::{
        Choice, Desk, Said, Section,
        ledger::{Cell, Field, Form, Ledger, Table},
    },
    present,
    web::{Fields, Refused, Viewing, page},
};

fn sheet(title: &str, section: Section, say: String, tables: Vec<Table>) -> Ledger {
    Ledger {
        said: Said::default(),
        title: title.to_owned(),
        section,
        crumbs: Vec::new(),
        say,
        sums: Vec::new(),
        filter: None,
        tables,
        forms: Vec::new(),
    }
}

/// `GET /deviations`: what fits badly in submitted months.
pub(super) async fn deviations(viewing: Viewing, fields: Fields) -> Result<Response, Refused> {
    ledger::only(&viewing, &[Desk::Vendor, Desk::Distributor])?;
    let paging = Paging { cursor: present::cursor(&fields), limit: Some(MAX_PAGE) };
    let found = list_deviations(&viewing.service, viewing.actor(), &paging).await?;
    let mut rows = Vec::new();
    for deviation in &found.items {
        let month = &deviation.month;
        let consent = month.submitted.is_some_and(|one| one.needs_consent);
        let head =
            || Cell::link(&month.provider.name, format!("/months/{}", month.id)).small(format::month(month.period));
        for license in &deviation.licenses {
            let whose =
                if license.company.is_empty() { month.provider.name.as_str() } else { license.company.as_str() };
            let words: Vec<String> = license.flags.iter().map(|flag| format::sentence(flag)).collect();
            rows.push(vec![head(), Cell::new(whose).small(&license.product), Cell::new(words.join(" "))]);
        }
        if consent {
            let words = "The figures were lowered so far that the vendor has to consent before it can be approved.";
            rows.push(vec![head(), Cell::tag("Vendor’s consent missing", "warn"), Cell::new(words)]);
        }
    }
    let say = if rows.is_empty() {
        "Nothing is flagged in the months shown.".to_owned()
    } else {
        "Submitted figures that lie below what the products themselves counted, or that lack a week or a history. Each \
         names both figures; the month’s review has the rest."
            .to_owned()
    };
    let mut table =
        Table::new("Flagged licenses", &["Month", "License", "What is flagged"], "Nothing is flagged.").rows(rows);
    table.next = found.next.map(|cursor| format!("/deviations?after={cursor}")).unwrap_or_default();
    page(&viewing, sheet("Deviations", Section::Deviations, say, vec![table])).await
}

/// `GET /missed-deadlines`: months whose first submission was late.
pub(super) async fn missed(viewing: Viewing, fields: Fields) -> Result<Response, Refused> {
    ledger::only(&viewing, &[Desk::Vendor, Desk::Distributor])?;
    let paging = Paging { cursor: present::cursor(&fields), limit: Some(MAX_PAGE) };
    let missed = list_missed_deadlines(&viewing.service, viewing.actor(), &paging).await?;
    let open = missed.items.iter().filter(|one| one.submitted.is_none()).count();
    let rows = missed.items.iter().map(|one| {
        vec![
            Cell::link(&one.month.provider.name, format!("/months/{}", one.month.id))
                .small(format::month(one.month.period)),
            Cell::new(format::last_minute(one.month.due)),
            match one.submitted {
                Some(at) => Cell::new(format::instant(at)),
                None => Cell::tag("Not submitted yet", "bad"),
            },
            Cell::new(one.days_late),
        ]
    });
    let columns = ["Month", "Was due by", "First submitted", "#Days late"];
    let mut table = Table::new("Missed deadlines", &columns, "Every month was submitted in time.").rows(rows);
    table.next = missed.next.map(|cursor| format!("/missed-deadlines?after={cursor}")).unwrap_or_default();
    let say = match open {
        0 if missed.items.is_empty() => "No month missed its deadline.".to_owned(),
        0 => "Each of these months has been submitted since.".to_owned(),
        1 => "One of these months is still not submitted.".to_owned(),
        more => format!("{} of these months are still not submitted.", format::spelled(more)),
    };
    let suspends = match viewing.service.policy().suspension_periods {
        1 => "One of a provider suspends it until it is submitted.".to_owned(),
        more => format!("{} of a provider at once suspend it until one is submitted.", format::spelled(more as usize)),
    };
    let say = format!("{say} {suspends}");
    page(&viewing, sheet("Missed deadlines", Section::Missed, say, vec![table])).await
}

/// Which obligations are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owed {
    /// Those that nothing accounts for.
    Unaccounted,
    /// Those that no submission took yet.
    Unsubmitted,
    /// All.
    All,
}

impl Owed {
    const ALL: [Self; 3] = [Self::Unaccounted, Self::Unsubmitted, Self::All];

    /// What stands in the address after `show=`.
    const fn slug(self) -> &'static str {
        match self {
            Self::Unaccounted => "owed",
            Self::Unsubmitted => "unsubmitted",
            Self::All => "all",
        }
    }
    /// What is read.
    const fn label(self) -> &'static str {
        match self {
            Self::Unaccounted => "Owed",
            Self::Unsubmitted => "Not submitted",
            Self::All => "All",
        }
    }
    /// What stands where there is none.
    const fn none(self) -> &'static str {
        match self {
            Self::Unaccounted => "Nothing is owed: each month is reported, answered or entered by hand.",
            Self::Unsubmitted => "Each month is submitted.",
            Self::All => "No installation had a valid license yet.",
        }
    }
}

/// `GET /obligations`: what a provider's installations owe.
pub(super) async fn obligations(viewing: Viewing, fields: Fields) -> Result<Response, Refused> {
    ledger::only(&viewing, &[Desk::Vendor, Desk::Distributor])?;
    let paging = Paging { cursor: None, limit: Some(MAX_PAGE) };
    let providers =
        list_organizations(&viewing.service, viewing.actor(), Some(OrgKind::Provider), &paging).await?.items;
    let wanted: Option<OrgId> = fields.read_or_none("provider")?;
    let Some(provider) = wanted.or(providers.first().map(|org| org.id)) else {
        let say = "There is no provider yet.".to_owned();
        return page(&viewing, sheet("Obligations", Section::Obligations, say, Vec::new())).await;
    };
    let show = Owed::ALL.into_iter().find(|each| each.slug() == fields.get("show")).unwrap_or(Owed::Unaccounted);
    let period = fields.read_or_none::<Period>("month")?;
    let filter = match show {
        Owed::Unaccounted => OwedFilter { period, owed: Some(true), ..OwedFilter::default() },
        Owed::Unsubmitted => OwedFilter { period, open: Some(true), ..OwedFilter::default() },
        Owed::All => OwedFilter { period, ..OwedFilter::default() },
    };
    let paging = Paging { cursor: present::cursor(&fields), limit: Some(MAX_PAGE) };
    let owed = list_obligations(&viewing.service, viewing.actor(), Some(provider), filter, &paging).await?;
    let rows = owed.items.iter().map(|view| {
        let row = &view.row;
        let unsubmitted = if row.resolved.is_none() { "not submitted yet" } else { "" };
        let state = match view.by() {
            Some("submitted") => Cell::tag("Submitted", "good"),
            Some("report") => Cell::tag("Reported", "good").small(unsubmitted),
            Some("answer") => Cell::tag("Answered", "good").small(unsubmitted),
            Some(_) => Cell::tag("Entered by hand", "good"),
            None if view.blocks => Cell::tag("Owed", "bad").small("so old that no license for it is created"),
            None => Cell::tag("Owed", "warn"),
        };
        vec![
            Cell::new(if row.name.is_empty() { row.installation.to_string() } else { row.name.clone() })
                .small(row.installation),
            Cell::new(format::month(row.period)),
            Cell::new(&row.product_name),
            Cell::new(row.company_name.as_deref().unwrap_or("the provider itself")),
            state,
        ]
    });
    let columns = ["Installation", "Month", "Product", "Company", "State"];
    let mut table = Table::new("Months of installations", &columns, show.none()).rows(rows);
    let carried = [
        ("provider", provider.to_string()),
        ("month", fields.get("month").to_owned()),
        ("show", show.slug().to_owned()),
    ];
    if let Some(cursor) = &owed.next {
        let pairs = carried.iter().map(|(name, value)| (*name, value.as_str())).chain([("after", cursor.as_str())]);
        table.next = format!("/obligations?{}", present::query(pairs));
    }
    let say =
        "Each month in which an installation’s license was valid for a day is owed until something accounts for it. \
               Deleting, revoking or replacing never takes it away."
            .to_owned();
    let chosen = provider.to_string();
    let filter = Form {
        action: "/obligations".to_owned(),
        is_get: true,
        fields: vec![
            Field::select(
                "provider",
                "Provider",
                providers.into_iter().map(|org| Choice::new(org.id.to_string(), org.name, &chosen)).collect(),
            ),
            Field::month("month", "Month", fields.get("month")).optional(),
            Field::select(
                "show",
                "Show",
                Owed::ALL.map(|each| Choice::new(each.slug(), each.label(), show.slug())).to_vec(),
            ),
        ],
        button: "Show".to_owned(),
        ..Form::default()
    };
    let part = Ledger { filter: Some(filter), ..sheet("Obligations", Section::Obligations, say, vec![table]) };
    page(&viewing, part).await
}

/// `GET /fleet`: active installations by product and version.
pub(super) async fn fleet(viewing: Viewing) -> Result<Response, Refused> {
    ledger::only(&viewing, &[Desk::Vendor])?;
    let fleet = view_fleet(&viewing.service, viewing.actor()).await?;
    let (mut all, mut silent) = (0_u64, 0_u64);
    let mut tables: Vec<Table> = Vec::new();
    for row in &fleet {
        all += u64::from(row.installations);
        silent += u64::from(row.silent);
        let name = present::product(&row.name, &row.edition);
        if tables.last().is_none_or(|table| table.title != name) {
            tables.push(Table::new(&name, &["Version", "#Installations", "#Silent for 48 hours", "#Providers"], ""));
        }
        let version = if row.version.is_empty() { "not told" } else { row.version.as_str() };
        let cells = vec![
            Cell::new(version),
            Cell::new(format::count(row.installations.into())),
            Cell::new(format::count(row.silent.into())),
            Cell::new(format::count(row.providers.into())),
        ];
        tables.last_mut().expect("one was just made").rows.push(cells);
    }
    let say = if fleet.is_empty() {
        "No installation is active yet.".to_owned()
    } else {
        "Active installations of all providers, by product and version as they told last.".to_owned()
    };
    let mut part = sheet("Fleet", Section::Fleet, say, tables);
    part.sums = vec![
        ("Installations".to_owned(), format::count(all as i64)),
        ("Silent for 48 hours".to_owned(), format::count(silent as i64)),
    ];
    page(&viewing, part).await
}
