//! *Monthly Usages > My Actions*: what waits for whom, by when, and what happens otherwise.

use tenure_core::{
    OrgId, Period, Points, SiteId, Timestamp,
    cycle::{Blocker, UsageState},
    roles::{Action, OrgKind},
    suspension::SubmissionStanding,
};
use tenure_store::{
    Conn,
    rows::{
        monthly_usage::{self, UsageRow},
        submission,
    },
};

use crate::{
    Actor, Result, Service,
    authorize::at_home,
    month::{LinesTag, Month, Named},
    month_access::confined,
    month_view::{MonthSummary, summaries},
    suspension,
};

/// Most items of the list; a distributor with more works through the oldest first.
const MAX_ITEMS: i64 = 500;

/// What waits for the actor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MyActions {
    /// The actions, the most urgent first.
    pub items: Vec<MyAction>,
    /// The actor's organization is a suspended provider.
    pub suspended: bool,
    /// When the next month opens.
    pub next: Timestamp,
}

/// One action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MyAction {
    /// What is to be done.
    pub kind: ActionKind,
    /// The month it is about.
    pub month: MonthSummary,
    /// The site whose part is meant.
    pub site: Option<Named<SiteId>>,
    /// By when.
    pub by: Timestamp,
    /// What is to be done, in one sentence.
    pub what: String,
    /// What happens otherwise, in one sentence.
    pub otherwise: String,
    /// How complete and how unusual it is; only where the month is the provider's to work on.
    pub progress: Option<Progress>,
    /// The provider has sites, whose parts come first.
    pub has_sites: bool,
    /// What was submitted against the month before; only where it is to be decided on, and the month before was submitted.
    pub change: Option<Points>,
}

/// What kind of action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ActionKind {
    /// Answer what is missing, then submit.
    Review,
    /// Everything is there: submit.
    Submit,
    /// It was rejected: correct it and submit again.
    Resubmit,
    /// Submit a site's part.
    SubmitPart,
    /// Wait for the sites, or submit their parts for them.
    AwaitParts,
    /// Approve or reject.
    Decide,
    /// Consent to figures that were lowered far.
    Consent,
}

/// How far a month is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Installations that have to account for it.
    pub expected: u32,
    /// Those that are accounted for, or whose figures are there.
    pub reported: u32,
    /// What stands against a submission.
    pub blockers: Vec<Blocker>,
    /// Licenses with a flag.
    pub flagged: u32,
    /// Points so far.
    pub points: Points,
    /// Against the month before, where that was submitted.
    pub difference: Option<Points>,
    /// When it is submitted by itself, where that was asked for.
    pub auto_submit: Option<Timestamp>,
    /// Names the lines as they are.
    pub tag: LinesTag,
}

/// What waits for the actor.
pub async fn my_actions(service: &Service, actor: &Actor) -> Result<MyActions> {
    let mut read = service.store().read().await?;
    let kind = at_home(&mut read, actor, Action::View).await?;
    let now = service.now();
    let (mut items, suspended) = match kind {
        OrgKind::Provider => {
            let items = of_provider(service, &mut read, actor, now).await?;
            (items, suspension::suspended(service, &mut read, actor.org, now).await?)
        }
        OrgKind::Distributor => (to_decide(service, &mut read, Some(actor.org)).await?, false),
        OrgKind::Vendor => (to_consent(service, &mut read).await?, false),
    };
    items.sort_by_key(|item| (item.by, item.month.period));
    Ok(MyActions { items, suspended, next: Period::of(now).end() })
}

async fn of_provider(service: &Service, conn: &mut Conn, actor: &Actor, now: Timestamp) -> Result<Vec<MyAction>> {
    let policy = service.policy();
    let newest = Period::of(now);
    let rows = monthly_usage::of_provider(conn, actor.org, newest, i64::from(policy.max_correction_months) + 1).await?;
    let mut items = Vec::new();
    for row in rows.into_iter().filter(|row| !row.state.is_submitted()) {
        let month = Month::load(service, conn, row.clone(), now).await?;
        let month = confined(month, actor, row.provider);
        let summary = summaries(service, conn, vec![row.clone()]).await?.remove(0);
        items.extend(action(service, actor, &row, summary, &month));
    }
    Ok(items)
}

fn action(service: &Service, actor: &Actor, row: &UsageRow, month: MonthSummary, lines: &Month) -> Option<MyAction> {
    let blockers = lines.blockers.clone();
    let open = |what: &str| match blockers.as_slice() {
        [] => what.to_owned(),
        blockers => {
            let words: Vec<String> = blockers.iter().map(ToString::to_string).collect();
            format!("{}. Then {}.", words.join(", "), what.trim_end_matches('.').to_lowercase())
        }
    };
    let mut by = row.due;
    let (kind, site, what) = match (row.state, actor.site) {
        (UsageState::PendingSiteReview, Some(id)) => {
            let part = lines.parts.iter().find(|part| part.site.id == id && part.submitted.is_none())?;
            (ActionKind::SubmitPart, Some(part.site.clone()), open("Submit your site's part."))
        }
        (_, Some(_)) => return None,
        (UsageState::PendingSiteReview, None) => {
            let waiting: Vec<&str> = lines
                .parts
                .iter()
                .filter(|part| part.submitted.is_none())
                .map(|part| part.site.name.as_str())
                .collect();
            (ActionKind::AwaitParts, None, format!("Waiting for the part of {}.", waiting.join(" and of ")))
        }
        (UsageState::Rejected, None) => {
            let lapses = |at| SubmissionStanding::Rejected(at).counts_until(service.policy_of(row.period));
            by = row.decided.and_then(lapses).unwrap_or(row.due);
            (ActionKind::Resubmit, None, format!("Rejected: {} Correct it and submit it again.", sentence(&row.reason)))
        }
        _ if blockers.is_empty() => (ActionKind::Submit, None, "Submit the month.".to_owned()),
        _ => (ActionKind::Review, None, open("Submit the month.")),
    };
    let otherwise = match kind {
        ActionKind::Resubmit => "From then on it counts as not submitted.",
        _ if lines.head.auto_submit.is_some() && blockers.is_empty() && lines.flagged() == 0 => {
            "Otherwise it is submitted by itself at noon of that day."
        }
        _ => "After that the month counts as late; with two late months in a row your organization is suspended.",
    };
    let there = |one: &&std::sync::Arc<crate::Expected>| !one.presence.blocks_submission();
    Some(MyAction {
        kind,
        month,
        site,
        by,
        what,
        otherwise: otherwise.to_owned(),
        progress: Some(Progress {
            expected: lines.installations.len() as u32,
            reported: lines.installations.iter().filter(there).count() as u32,
            blockers,
            flagged: lines.flagged(),
            points: lines.totals.reported,
            difference: lines.difference(),
            auto_submit: lines.head.auto_submit,
            tag: lines.tag,
        }),
        has_sites: !lines.parts.is_empty(),
        change: None,
    })
}

fn sentence(text: &str) -> String {
    let text = text.trim();
    if text.ends_with(['.', '!', '?']) { text.to_owned() } else { format!("{text}.") }
}

/// What waits for a distributor's decision, or for any.
async fn waiting(service: &Service, conn: &mut Conn, distributor: Option<OrgId>) -> Result<Vec<MonthSummary>> {
    let from = (Period::of(Timestamp::EPOCH), OrgId::from_uuid(uuid::Uuid::nil()));
    let rows = monthly_usage::waiting(conn, distributor, from, MAX_ITEMS).await?;
    summaries(service, conn, rows).await
}

async fn to_decide(service: &Service, conn: &mut Conn, distributor: Option<OrgId>) -> Result<Vec<MyAction>> {
    let mut items = Vec::new();
    for month in waiting(service, conn, distributor).await? {
        let before = submission::head(conn, month.provider.id, month.period.prev()).await?;
        items.extend(decision(month, before.map(|before| before.reported)));
    }
    Ok(items)
}

fn decision(month: MonthSummary, before: Option<Points>) -> Option<MyAction> {
    let submitted = month.submitted?;
    let flags = match submitted.flagged {
        0 => "nothing is flagged".to_owned(),
        1 => "1 license is flagged".to_owned(),
        flagged => format!("{flagged} licenses are flagged"),
    };
    let consent = if submitted.needs_consent { " The vendor has to consent first." } else { "" };
    let two = match (submitted.takes_two, submitted.approved_first) {
        (false, _) => "",
        (true, None) => " So many points take two people.",
        (true, Some(_)) => " One person approved it; it waits for a second.",
    };
    let otherwise = if submitted.flagged == 0 {
        "Five days after that it counts as closed for the licenses' validity, but is still not billed."
    } else {
        "Flagged licenses wait for your decision and are not extended until then."
    };
    Some(MyAction {
        kind: ActionKind::Decide,
        by: month.decide_by?,
        what: format!(
            "Approve or reject {} points of {}; {flags}.{consent}{two}",
            submitted.total, month.provider.name
        ),
        otherwise: otherwise.to_owned(),
        site: None,
        progress: None,
        has_sites: false,
        change: before.map(|before| submitted.reported - before),
        month,
    })
}

async fn to_consent(service: &Service, conn: &mut Conn) -> Result<Vec<MyAction>> {
    let months = waiting(service, conn, None).await?;
    let needing = months.into_iter().filter(|month| month.submitted.is_some_and(|one| one.needs_consent));
    Ok(needing
        .filter_map(|month| {
            Some(MyAction {
                kind: ActionKind::Consent,
                by: month.decide_by?,
                what: format!("{} lowered its products' figures far: consent, or leave it.", month.provider.name),
                otherwise: "The distributor cannot approve it without your consent; it can reject it.".to_owned(),
                site: None,
                progress: None,
                has_sites: false,
                change: None,
                month,
            })
        })
        .collect())
}
