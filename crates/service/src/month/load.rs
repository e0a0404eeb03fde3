//! Everything a month is computed from, in few set-based statements: of a whole provider, or of one license.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use tenure_core::{CompanyId, InstallationId, LicenseId, OrgId, Period, Points, ProductId, Timestamp};
use tenure_store::{
    Conn,
    rows::{
        adjustment::{self, AdjustmentRow},
        agreement::{self, AgreementRow},
        answer::{self, AnswerRow},
        approval_limit,
        correction::{self, CorrectionRow},
        document,
        hand_correction::{self, HandCorrectionRow},
        manual_line::{self, ManualLineRow},
        month::{self, HeldLicenseRow, HolderRow},
        monthly_usage::UsageRow,
        obligation::{self, ExpectedRow},
        org,
        product::{self, ProductRow, Weights, WorkloadRow},
        proven_new,
        report::{self, ReportRow},
        reviewed_line::{self, ReviewedRow},
        site_part::{self, SitePartRow},
        submission::{self, SubmissionRow},
        watermark::{self, WatermarkRow},
    },
};
use uuid::Uuid;

use crate::{Error, Result};

/// The rows behind a month.
pub(crate) struct MonthData {
    pub(crate) usage: UsageRow,
    pub(crate) expected: Vec<ExpectedRow>,
    pub(crate) reports: HashMap<InstallationId, ReportRow>,
    pub(crate) watermarks: HashMap<InstallationId, Vec<WatermarkRow>>,
    pub(crate) adjustments: HashMap<InstallationId, Vec<AdjustmentRow>>,
    pub(crate) answers: HashMap<InstallationId, AnswerRow>,
    pub(crate) manual: Vec<ManualLineRow>,
    pub(crate) corrections: Vec<CorrectionRow>,
    pub(crate) by_hand: Vec<HandCorrectionRow>,
    /// What the months that corrections by hand are about were submitted with.
    pub(crate) corrected: BTreeMap<Period, Points>,
    /// Lines that somebody looked at, by their tags.
    pub(crate) reviewed: HashMap<[u8; 32], ReviewedRow>,
    pub(crate) licenses: Vec<HeldLicenseRow>,
    pub(crate) products: HashMap<ProductId, ProductRow>,
    pub(crate) workloads: Vec<WorkloadRow>,
    pub(crate) weights: BTreeMap<ProductId, Weights>,
    /// Who had to account for the month before.
    pub(crate) holders_before: Vec<HolderRow>,
    /// Licenses that this month already extended.
    pub(crate) extended: Vec<LicenseId>,
    /// Installations whose figures an adjustment line of a later month took in.
    pub(crate) late: BTreeSet<InstallationId>,
    /// New units of younger installations whose ids were proven unseen (F1).
    pub(crate) proven: BTreeMap<InstallationId, proven_new::Units>,
    /// Customers by name, beyond those of the licenses.
    pub(crate) companies: HashMap<CompanyId, String>,
}

/// What a page shows besides: names, terms, submissions, parts.
pub(crate) struct Frame {
    pub(crate) provider_name: String,
    pub(crate) distributor_name: String,
    pub(crate) two_people_above: Option<Points>,
    pub(crate) agreement: AgreementRow,
    pub(crate) last: Option<SubmissionRow>,
    pub(crate) previous: Option<SubmissionRow>,
    pub(crate) parts: Vec<SitePartRow>,
    pub(crate) names: HashMap<Uuid, String>,
}

fn by_installation<T>(rows: Vec<T>, id: impl Fn(&T) -> InstallationId) -> HashMap<InstallationId, Vec<T>> {
    let mut map: HashMap<InstallationId, Vec<T>> = HashMap::with_capacity(rows.len());
    for row in rows {
        map.entry(id(&row)).or_default().push(row);
    }
    map
}

impl MonthData {
    /// Of a whole provider.
    pub(crate) async fn of_provider(conn: &mut Conn, usage: UsageRow) -> Result<Self> {
        let (provider, period) = (usage.provider, usage.period);
        let expected = obligation::of_month(conn, provider, period).await?;
        let reports = report::of_month(conn, provider, period).await?;
        let watermarks = watermark::of_month(conn, provider, period).await?;
        let adjustments = adjustment::of_month(conn, provider, period).await?;
        let answers = answer::of_month(conn, provider, period).await?;
        let manual = manual_line::of_month(conn, provider, period).await?;
        let corrections = correction::billed_in(conn, provider, period).await?;
        let by_hand = hand_correction::billed_in(conn, provider, period).await?;
        let mut corrected = BTreeMap::new();
        for of in by_hand.iter().map(|row| row.of_period).collect::<BTreeSet<_>>() {
            let head = submission::head(conn, provider, of).await?;
            corrected.insert(of, head.map_or(Points::ZERO, |head| head.reported));
        }
        let reviewed = reviewed_line::of_month(conn, provider, period).await?;
        let licenses = month::licenses(conn, provider, period).await?;
        let products = product::all(conn).await?.into_iter().map(|row| (row.id, row)).collect();
        let workloads = product::all_workloads(conn).await?;
        let weights = product::all_weights(conn, period).await?;
        let holders_before = month::holders(conn, provider, period.prev(), None).await?;
        let extended = month::extended(conn, provider, period).await?;
        let proven = proven_new::of_month(conn, provider, period).await?;
        let known: BTreeSet<CompanyId> = licenses.iter().filter_map(|license| license.company).collect();
        let named: BTreeSet<CompanyId> = manual
            .iter()
            .filter_map(|line| line.company)
            .chain(corrections.iter().filter_map(|line| line.company))
            .chain(by_hand.iter().filter_map(|line| line.company))
            .chain(expected.iter().filter_map(|row| row.company))
            .filter(|id| !known.contains(id))
            .collect();
        let named: Vec<CompanyId> = named.into_iter().collect();
        let companies = if named.is_empty() {
            HashMap::new()
        } else {
            month::companies(conn, provider, &named).await?.into_iter().collect()
        };
        Ok(Self {
            usage,
            expected,
            reports: reports.into_iter().map(|row| (row.installation, row)).collect(),
            watermarks: by_installation(watermarks, |row| row.installation),
            adjustments: by_installation(adjustments, |row| row.installation),
            answers: answers.into_iter().map(|row| (row.installation, row)).collect(),
            manual,
            corrections,
            by_hand,
            corrected,
            reviewed: reviewed.into_iter().map(|row| (row.tag, row)).collect(),
            licenses,
            products,
            workloads,
            weights,
            holders_before,
            extended,
            late: BTreeSet::new(),
            proven,
            companies,
        })
    }

    /// Of one license: what decides whether its month is reported. Corrections and other licenses' manual lines are left
    /// out, for they do not.
    pub(crate) async fn of_license(conn: &mut Conn, usage: UsageRow, license: HeldLicenseRow) -> Result<Self> {
        let (provider, period, id) = (usage.provider, usage.period, license.id);
        let expected = obligation::of_license(conn, provider, period, id).await?;
        let reports = report::of_license(conn, provider, period, id).await?;
        let watermarks = watermark::of_license(conn, provider, period, id).await?;
        let adjustments = adjustment::of_license(conn, provider, period, id).await?;
        let answers = answer::of_license(conn, provider, period, id).await?;
        let weights = product::weights(conn, license.product, period).await?;
        let product = product::find(conn, license.product).await?;
        let product = product.ok_or(Error::Internal("a license without its product"))?;
        let holders_before = month::holders(conn, provider, period.prev(), Some(license.product)).await?;
        let mut manual = manual_line::of_month(conn, provider, period).await?;
        manual.retain(|line| line.license == Some(id));
        Ok(Self {
            usage,
            expected,
            reports: reports.into_iter().map(|row| (row.installation, row)).collect(),
            watermarks: by_installation(watermarks, |row| row.installation),
            adjustments: by_installation(adjustments, |row| row.installation),
            answers: answers.into_iter().map(|row| (row.installation, row)).collect(),
            manual,
            corrections: Vec::new(),
            by_hand: Vec::new(),
            corrected: BTreeMap::new(),
            reviewed: HashMap::new(),
            weights: BTreeMap::from([(license.product, weights)]),
            products: HashMap::from([(product.id, product)]),
            workloads: Vec::new(),
            licenses: vec![license],
            holders_before,
            extended: Vec::new(),
            late: BTreeSet::new(),
            proven: proven_new::of_month(conn, provider, period).await?,
            companies: HashMap::new(),
        })
    }

    /// Counts what came after the month was closed, that of `newest` included, for the question whether it is reported.
    pub(crate) async fn with_late(&mut self, conn: &mut Conn, newest: InstallationId) -> Result<()> {
        let late = document::late(conn, self.usage.provider, self.usage.period).await?;
        self.late = late.into_iter().map(|row| row.installation).chain([newest]).collect();
        Ok(())
    }
}

impl Frame {
    /// Loads what a page shows beside `data`.
    pub(crate) async fn load(conn: &mut Conn, data: &MonthData) -> Result<Self> {
        let usage = &data.usage;
        let name = |found: Option<org::OrgRow>| found.map_or_else(String::new, |org| org.name);
        let provider_name = name(org::find(conn, usage.provider).await?);
        let distributor_name = name(org::find(conn, usage.distributor).await?);
        let agreement = agreement::find_in(conn, usage.provider, usage.agreement, usage.period).await?;
        let agreement = agreement.ok_or(Error::Internal("a monthly usage without its agreement"))?;
        let two_people_above = approval_limit::find(conn, usage.distributor).await?.map(|row| row.above);
        let last = submission::last(conn, usage.provider, usage.period).await?;
        let previous = previous_submission(conn, usage.provider, usage.period).await?;
        let parts = site_part::of_month(conn, usage.provider, usage.period).await?;
        let mut ids: Vec<Uuid> =
            [usage.submitted_by, usage.decided_by, usage.vendor_by, usage.approved_by].into_iter().flatten().collect();
        ids.extend(data.manual.iter().map(|row| row.by));
        ids.extend(data.answers.values().map(|row| row.by));
        ids.extend(data.adjustments.values().flatten().map(|row| row.by));
        ids.extend(data.by_hand.iter().map(|row| row.by));
        ids.extend(data.reviewed.values().map(|row| row.by));
        ids.extend(parts.iter().filter_map(|part| part.submitted_by));
        ids.retain(|id| !id.is_nil());
        ids.sort_unstable();
        ids.dedup();
        let names = if ids.is_empty() { Vec::new() } else { month::names(conn, &ids).await? };
        Ok(Self {
            provider_name,
            distributor_name,
            two_people_above,
            agreement,
            last,
            previous,
            parts,
            names: names.into_iter().collect(),
        })
    }
}

async fn previous_submission(conn: &mut Conn, provider: OrgId, period: Period) -> Result<Option<SubmissionRow>> {
    Ok(submission::last(conn, provider, period.prev()).await?)
}

/// When something of the month changed last.
pub(crate) fn last_change(data: &MonthData) -> Timestamp {
    let reports = data.reports.values().map(|row| row.received);
    let corrections = data.corrections.iter().map(|row| row.at).chain(data.by_hand.iter().map(|row| row.at));
    reports.chain(corrections).max().map_or(data.usage.changed, |at| at.max(data.usage.changed))
}
