//! What was typed so far, read from the address and written back to it.

use tenure_core::{Day, Timestamp, UsageType, validity::explicit_expiry};
use tenure_service::{AgreementView, NewLicense, Problem, ProblemKind, ProductView, WorkloadCount};

use crate::{present, web::Fields};

/// The wizard's fields as text; they become values where they are used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Draft {
    pub(super) agreement: String,
    pub(super) product: String,
    pub(super) usage_type: UsageType,
    pub(super) company: String,
    pub(super) description: String,
    pub(super) automatic: bool,
    pub(super) expires: String,
    /// Fields `count.WORKLOAD.VARIANT` as they were typed.
    counts: Vec<(String, String)>,
}

/// The stored word of a usage type.
pub(in crate::routes) const fn word_of(usage_type: UsageType) -> &'static str {
    match usage_type {
        UsageType::SingleCustomer => "single_customer",
        UsageType::MultiCustomer => "multi_customer",
        UsageType::Internal => "internal",
    }
}

impl Draft {
    /// Nothing typed yet: for one customer, and reporting by itself, which is the better choice wherever it is possible.
    pub(super) fn first() -> Self {
        Self { automatic: true, ..Self::read(&Fields::default()) }
    }

    pub(super) fn read(fields: &Fields) -> Self {
        let text = |name| fields.get(name).to_owned();
        let usage_types = [UsageType::SingleCustomer, UsageType::MultiCustomer, UsageType::Internal];
        let wanted = fields.get("usage_type");
        Self {
            agreement: text("agreement"),
            product: text("product"),
            usage_type: usage_types
                .into_iter()
                .find(|each| word_of(*each) == wanted)
                .unwrap_or(UsageType::SingleCustomer),
            company: text("company"),
            description: text("description"),
            automatic: fields.is_set("automatic"),
            expires: text("expires"),
            counts: fields.0.iter().filter(|(name, _)| name.starts_with("count.")).cloned().collect(),
        }
    }

    /// Whether License Info can be left: what would only be refused at the end is said where it was typed.
    pub(super) fn check_info(
        &self,
        agreement: Option<&AgreementView>,
        product: Option<&ProductView>,
        now: Timestamp,
    ) -> Result<(), Problem> {
        let refused = |words: &'static str| Err(ProblemKind::InvalidInput.because(words));
        let Some(agreement) = agreement else { return refused("choose a rental agreement") };
        let Some(product) = product else { return refused("choose a product") };
        if self.usage_type.held_by_provider() && !self.company.is_empty() {
            return refused("only a license for one customer is assigned to a company; choose \"Assign later\"");
        }
        if self.automatic && !product.product.reports {
            return refused("this product does not report by itself; its usage is entered by hand");
        }
        if let Some(day) = self.last_day()? {
            explicit_expiry(day, Some(agreement.agreement.end()), now)
                .map_err(|refusal| ProblemKind::InvalidInput.because(format!("valid through: {refusal}")))?;
        }
        Ok(())
    }

    pub(super) fn last_day(&self) -> Result<Option<Day>, Problem> {
        if self.expires.is_empty() {
            return Ok(None);
        }
        let day = self.expires.parse().map_err(|_| ProblemKind::InvalidInput.because("valid through is not a date"))?;
        Ok(Some(day))
    }

    /// The typed count of a workload; empty when nothing was typed.
    pub(super) fn count_of(&self, workload: &str, variant: &str) -> String {
        let name = crate::web::count_field(workload, variant);
        self.counts.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone()).unwrap_or_default()
    }

    /// The workloads that are licensed at all.
    pub(super) fn workloads(&self) -> Result<Vec<WorkloadCount>, Problem> {
        let counts = Fields(self.counts.clone()).counts()?;
        let licensed = counts.into_iter().filter(|(.., count)| *count > 0);
        Ok(licensed.map(|(workload, variant, count)| WorkloadCount { workload, variant, count }).collect())
    }

    /// The use case's input.
    pub(super) fn license(&self) -> Result<NewLicense, Problem> {
        let fields = Fields(self.fields());
        Ok(NewLicense {
            agreement: fields.read("agreement")?,
            product: fields.read("product")?,
            usage_type: self.usage_type,
            description: self.description.clone(),
            site: None,
            company: fields.read_or_none("company")?,
            automatic: self.automatic,
            last_day: self.last_day()?,
            workloads: self.workloads()?,
        })
    }

    /// License Info's fields, as hidden ones of the other steps.
    pub(super) fn info_as_fields(&self) -> Vec<(String, String)> {
        let automatic = if self.automatic { "true" } else { "false" };
        [
            ("agreement", self.agreement.as_str()),
            ("product", &self.product),
            ("usage_type", word_of(self.usage_type)),
            ("company", &self.company),
            ("description", &self.description),
            ("automatic", automatic),
            ("expires", &self.expires),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }

    /// The typed counts, as hidden fields of the first step.
    pub(super) fn counts_as_fields(&self) -> Vec<(String, String)> {
        self.counts.clone()
    }

    /// All fields.
    pub(super) fn fields(&self) -> Vec<(String, String)> {
        [self.info_as_fields(), self.counts_as_fields()].concat()
    }

    /// A step's address with all that was typed.
    pub(super) fn address(&self, path: &str) -> String {
        let fields = self.fields();
        format!("{path}?{}", present::query(fields.iter().map(|(name, value)| (name.as_str(), value.as_str()))))
    }
}
