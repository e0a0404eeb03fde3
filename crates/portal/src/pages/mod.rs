//! What each page shows, as plain values; `templates/` says it in words.
//!
//! A page is a [`Frame`] around a [`Part`]. The same part alone answers htmx, so that what is swapped in can never differ
//! from what a reload shows.

pub mod actions;
pub mod approvals;
pub mod companies;
pub mod console;
pub mod enroll;
pub mod evidence;
pub mod home;
pub mod installations;
pub mod ledger;
pub mod license;
pub mod licenses;
pub mod month;
pub mod months;
pub mod new_license;
pub mod own_company;
pub mod password;
pub mod problem;
pub mod providers;
pub mod reporting;
pub mod second_step;
pub mod settings;
pub mod sign_in;
pub mod sites;
pub mod submission;
pub mod switch;
pub mod vendor;

use askama::Template;
use tenure_core::{Period, Timestamp};

use crate::filters;

/// What fills the middle of a page.
pub trait Part: Template {
    /// The page's title, also the window's.
    fn title(&self) -> String;
    /// Which entry of the navigation is lit.
    fn section(&self) -> Section;
    /// The way here, outermost first, without the page itself.
    fn crumbs(&self) -> Vec<Crumb> {
        Vec::new()
    }
}

/// An entry of the navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// A provider's home.
    Home,
    /// What waits for the viewer.
    Actions,
    /// All months.
    Months,
    /// Licenses.
    Licenses,
    /// Installations.
    Installations,
    /// Companies.
    Companies,
    /// A company's viewer's own company.
    OwnCompany,
    /// Automatic reporting.
    Reporting,
    /// Sites.
    Sites,
    /// People, tokens, the viewer's account.
    Settings,
    /// The vendor's home.
    Vendor,
    /// A distributor's providers.
    Providers,
    /// The catalog.
    Catalog,
    /// The program's numbers.
    Policy,
    /// Organizations.
    Organizations,
    /// Rental agreements.
    Agreements,
    /// What fits badly.
    Deviations,
    /// Missed deadlines.
    Missed,
    /// What installations owe.
    Obligations,
    /// The fleet by version.
    Fleet,
    /// Keys and trust root.
    Keys,
    /// The audit log.
    Audit,
    /// Automatic approval.
    Rules,
    /// No entry: sign-in and errors.
    None,
}

/// A step of the way to a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crumb {
    /// What it is called.
    pub label: String,
    /// Where it leads.
    pub href: String,
}

impl Crumb {
    /// A crumb.
    pub fn new(label: impl Into<String>, href: impl Into<String>) -> Self {
        Self { label: label.into(), href: href.into() }
    }
}

/// Which of the sides the viewer sits on; it decides the navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Desk {
    /// The vendor.
    Vendor,
    /// A distributor.
    Distributor,
    /// A provider.
    Provider,
    /// One company of a provider, which sees itself alone.
    Company,
}

/// Who looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Viewer {
    /// The person's name.
    pub name: String,
    /// Their organization's name.
    pub organization: String,
    /// Their role, and the site it is confined to.
    pub role: String,
    /// The side they sit on.
    pub desk: Desk,
}

/// What every page has around its part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Who looks; none before sign-in.
    pub viewer: Option<Viewer>,
    /// How many actions wait for the viewer.
    pub waiting: usize,
    /// The unsubmitted months that suspend the viewer's organization; empty when it is not.
    pub suspended_by: Vec<Period>,
    /// Program time, when the deployment runs on a demo clock.
    pub demo_clock: Option<Timestamp>,
}

/// A whole page: the frame and the part in it.
#[derive(Template)]
#[template(path = "layout.html")]
pub struct Page<'a, P: Part> {
    /// What is around.
    pub frame: &'a Frame,
    /// What is in it.
    pub part: &'a P,
}

/// What was just done, said once at the top of the next page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// An installation was answered.
    Answered,
    /// A figure was adjusted.
    Adjusted,
    /// An adjustment was undone.
    Reset,
    /// An answer was taken back.
    AnswerReset,
    /// A month will be submitted by itself.
    AutoSubmitOn,
    /// A month waits for a person.
    AutoSubmitOff,
    /// The vendor consented.
    Consented,
    /// The vendor closed a month.
    Closed,
    /// A line was marked as reviewed.
    LineReviewed,
    /// The mark was taken away.
    LineUnmarked,
    /// A manual line was added.
    ManualAdded,
    /// Manual lines were imported.
    ManualImported,
    /// A manual line was removed.
    ManualRemoved,
    /// The review was started.
    ReviewStarted,
    /// A site's part was submitted.
    PartSubmitted,
    /// A site's part was returned.
    PartReturned,
    /// The distributor approved.
    Approved,
    /// Several months were submitted.
    SubmittedMany,
    /// The distributor rejected.
    Rejected,
    /// The toggle was set.
    ReportingOn,
    /// The toggle was unset.
    ReportingOff,
    /// A license was created.
    LicenseCreated,
    /// A license was assigned.
    LicenseAssigned,
    /// A company was added.
    CompanyAdded,
    /// Companies were merged.
    CompaniesMerged,
    /// Automatic reporting was asked for.
    ReportingRequested,
    /// A request was approved.
    EnrollmentApproved,
    /// A request was declined.
    EnrollmentDeclined,
    /// *Update now* was pressed.
    UpdateAsked,
    /// A server was taken out of use.
    ServerRetired,
    /// A server should never have been.
    ServerVoided,
    /// A clone is one machine.
    OneMachine,
    /// A return to an earlier state is in order.
    SetBackNoted,
    /// A weight was set.
    WeightSet,
    /// A number of the program was changed.
    PolicyChanged,
    /// An organization was added.
    OrganizationAdded,
    /// An organization was changed.
    OrganizationChanged,
    /// An agreement was added.
    AgreementAdded,
    /// An agreement was changed.
    AgreementChanged,
    /// An agreement was ended.
    AgreementEnded,
    /// The rule was turned on.
    RuleOn,
    /// The rule was turned off.
    RuleOff,
    /// A license was copied.
    LicenseCopied,
    /// A license was revoked.
    LicenseRevoked,
    /// A license was deleted.
    LicenseDeleted,
    /// A company was changed.
    CompanyChanged,
    /// A shadow month was asked for.
    ShadowOn,
    /// It was taken back.
    ShadowOff,
    /// A person was changed.
    PersonChanged,
    /// A person may not sign in any more.
    AccessEnded,
    /// A person may sign in again.
    AccessRestored,
    /// A link to set a password was sent.
    PasswordLinkSent,
    /// A person's sessions were ended.
    PersonSignedOut,
    /// A token was revoked.
    TokenRevoked,
    /// An enroll token was revoked.
    EnrollTokenRevoked,
    /// A server that waited was admitted.
    ServerAdmitted,
    /// A server that waited was refused.
    ServerNotAdmitted,
    /// Sessions of the viewer were ended.
    SessionsEnded,
    /// The viewer's password was changed.
    PasswordChanged,
    /// A month was approved by the first of two people.
    ApprovedFirst,
    /// The limit above which two people approve was set.
    LimitSet,
    /// The viewer's second step was removed.
    SecondStepRemoved,
    /// A person's second step was removed.
    SecondStepReset,
}

impl Notice {
    const ALL: &'static [(Self, &'static str, &'static str)] = &[
        (
            Self::EnrollTokenRevoked,
            "enroll-token-revoked",
            "The token is revoked. Servers that it let in stay; nobody joins or waits with it any more.",
        ),
        (
            Self::ServerAdmitted,
            "server-admitted",
            "The server is admitted. It gets its license when it asks again, within the hour.",
        ),
        (Self::ServerNotAdmitted, "server-not-admitted", "The server is refused. With the key it has, it never joins."),
        (Self::Answered, "answered", "Your answer is in. It counts as this installation's usage of the month."),
        (
            Self::Adjusted,
            "adjusted",
            "The figure is adjusted. The product's own figure is kept beside it; Reset undoes this.",
        ),
        (Self::Reset, "reset", "The adjustment is undone. The product's own figure counts again."),
        (Self::AnswerReset, "answer-reset", "The answer is taken back. The question is open again."),
        (
            Self::AutoSubmitOn,
            "auto-submit-on",
            "The month is submitted by itself on the day it is due, if nothing is missing or flagged.",
        ),
        (Self::AutoSubmitOff, "auto-submit-off", "The month waits for somebody to submit it."),
        (Self::Consented, "consented", "Your consent is recorded. The distributor can approve the month now."),
        (Self::Closed, "closed", "The month is closed."),
        (Self::LineReviewed, "line-reviewed", "Marked as reviewed. The mark goes when the line's figure changes."),
        (Self::LineUnmarked, "line-unmarked", "The line is no longer marked as reviewed."),
        (Self::ManualAdded, "manual-added", "The manual line is added."),
        (Self::ManualImported, "manual-imported", "The rows are added as manual lines."),
        (Self::ManualRemoved, "manual-removed", "The manual line is removed."),
        (Self::ReviewStarted, "review-started", "The review is open. Reports that still arrive are taken in."),
        (Self::PartSubmitted, "part-submitted", "The site's part is submitted to your primary license administrator."),
        (Self::PartReturned, "part-returned", "The part is returned to its site, with your reason."),
        (Self::Approved, "approved", "Approved and closed. Licenses that waited for this are extended."),
        (
            Self::SubmittedMany,
            "submitted-many",
            "Submitted. The receipt of each stands on its page; nothing more is to be done before the distributor decides.",
        ),
        (Self::Rejected, "rejected", "Rejected. The provider sees your reason and submits again."),
        (
            Self::ReportingOn,
            "reporting-on",
            "Automatic reporting is on, or switches on as soon as every installation shows its new license.",
        ),
        (
            Self::ReportingOff,
            "reporting-off",
            "Automatic reporting is off, or switches off as soon as every installation shows its new license.",
        ),
        (Self::LicenseCreated, "license-created", "The license key is created."),
        (Self::LicenseAssigned, "license-assigned", "The license is assigned. Its validity counts from now."),
        (
            Self::CompaniesMerged,
            "companies-merged",
            "The companies are one. Their licenses go on under the one that stays.",
        ),
        (Self::CompanyAdded, "company-added", "The company is added. Licenses can be assigned to it."),
        (
            Self::ReportingRequested,
            "reporting-requested",
            "Your request is with the vendor. Submit usage by hand until it is decided.",
        ),
        (
            Self::EnrollmentApproved,
            "enrollment-approved",
            "Approved. The provider can switch its licenses to automatic reporting now.",
        ),
        (Self::EnrollmentDeclined, "enrollment-declined", "Declined. The provider sees your reason and may ask again."),
        (Self::UpdateAsked, "update-asked", "Asked for. The server fetches its license at its next check-in."),
        (
            Self::ServerRetired,
            "server-retired",
            "The server is retired. It is not expected from the next month on; what it used until now is still owed.",
        ),
        (Self::ServerVoided, "server-voided", "The server is void. Nothing that it sends is counted."),
        (
            Self::OneMachine,
            "one-machine",
            "It is one machine. What it sent meanwhile is counted, and it gets its license again.",
        ),
        (Self::SetBackNoted, "set-back-noted", "Noted: it was set back, and is in order."),
        (Self::WeightSet, "weight-set", "The weight is set. It holds from its month on; what is past stays."),
        (Self::PolicyChanged, "policy-changed", "The number is changed, as the table below shows."),
        (Self::OrganizationAdded, "organization-added", "The organization is added. Give it an agreement and people."),
        (Self::OrganizationChanged, "organization-changed", "The organization is changed."),
        (Self::AgreementAdded, "agreement-added", "The agreement is added. The provider can create licenses under it."),
        (Self::AgreementChanged, "agreement-changed", "The agreement is changed. What is past stays."),
        (
            Self::AgreementEnded,
            "agreement-ended",
            "The agreement is ended. Its last month is still submitted and closed.",
        ),
        (Self::RuleOn, "rule-on", "The rule is on. It decides months that are submitted from now on."),
        (Self::RuleOff, "rule-off", "The rule is off. Each month waits for somebody to approve it."),
        (
            Self::LicenseCopied,
            "license-copied",
            "This is the copy: a template that costs nothing until it is assigned.",
        ),
        (
            Self::LicenseRevoked,
            "license-revoked",
            "The license is revoked and a template again. What it used until now is still owed.",
        ),
        (Self::LicenseDeleted, "license-deleted", "The license is deleted. What it used until now is still owed."),
        (Self::CompanyChanged, "company-changed", "Saved."),
        (Self::ShadowOn, "shadow-on", "The next whole month is collected beside your own figures, which count."),
        (Self::ShadowOff, "shadow-off", "The shadow month is taken back. Usage is entered by hand as before."),
        (Self::PersonChanged, "person-changed", "Saved."),
        (Self::AccessEnded, "access-ended", "Access is ended. They are signed out everywhere."),
        (Self::AccessRestored, "access-restored", "They may sign in again."),
        (
            Self::PasswordLinkSent,
            "password-link-sent",
            "A link to set a password is on its way; it is good for 24 hours.",
        ),
        (Self::PersonSignedOut, "person-signed-out", "They are signed out everywhere."),
        (Self::TokenRevoked, "token-revoked", "The token is revoked. Whatever uses it is refused from now on."),
        (Self::SessionsEnded, "sessions-ended", "Done. That browser has to sign in again."),
        (
            Self::PasswordChanged,
            "password-changed",
            "Your password is changed, and you are signed out everywhere else.",
        ),
        (
            Self::ApprovedFirst,
            "approved-first",
            "Your approval is noted. So many points take two people: another one closes the month.",
        ),
        (Self::LimitSet, "limit-set", "Saved. It holds from now on, also for months that wait."),
        (
            Self::SecondStepRemoved,
            "second-step-removed",
            "Your second step is removed. Signing in takes your password alone.",
        ),
        (
            Self::SecondStepReset,
            "second-step-reset",
            "Their second step is removed, and they are signed out everywhere. A letter tells them.",
        ),
    ];

    /// What stands in the address after `said=`.
    pub fn slug(self) -> &'static str {
        Self::ALL.iter().find(|(notice, ..)| *notice == self).map_or("", |(_, slug, _)| slug)
    }
    /// The notice of an address; `None` for anything else.
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known, _)| *known == slug).map(|(notice, ..)| *notice)
    }
    /// The sentence.
    pub fn words(self) -> &'static str {
        Self::ALL.iter().find(|(notice, ..)| *notice == self).map_or("", |(.., words)| words)
    }
}

/// What stands above a part: what was just done, or why it was not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// Done.
    pub notice: Option<Notice>,
    /// Refused.
    pub problem: Option<problem::Refusal>,
}

/// A choice of a `<select>` or a group of radio buttons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What is sent.
    pub value: String,
    /// What is read.
    pub label: String,
    /// Whether it is chosen.
    pub chosen: bool,
}

impl Choice {
    /// A choice, chosen when `wanted` is its value.
    pub fn new(value: impl Into<String>, label: impl Into<String>, wanted: &str) -> Self {
        let value = value.into();
        Self { chosen: value == wanted, value, label: label.into() }
    }
}
