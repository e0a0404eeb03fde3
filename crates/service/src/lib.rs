//! The use cases, a file each: authorize, decide with `core`, write row, audit entry and outbox message in one
//! transaction.
//!
//! A use case is an async function `verb_noun(&Service, &Actor, input) -> Result<output, Error>`. Doors call one of them
//! and map the answer; nothing else in the project decides what may happen.

// The tests' support is shared with the tests outside, which know this crate by its name.
#[cfg(test)]
extern crate self as tenure_service;

mod activation;
mod actor;
mod actor_names;
mod adjust;
mod agreement_change;
mod agreements;
mod answer;
mod applicants;
mod approval_limit;
mod approval_rule;
mod attention;
mod audit_list;
mod audit_state;
mod audit_verify;
mod audit_words;
mod authorize;
mod catalog;
mod catalog_change;
mod catalog_file;
mod change;
mod check_in;
mod checkpoint;
mod checks;
mod companies;
mod company_merge;
mod console;
mod console_action;
mod console_session;
mod content_tag;
mod context;
mod copy;
mod corrections;
mod coverage;
mod decide;
mod deviations;
mod difference;
mod doctor;
pub mod due;
mod enroll_join;
mod enroll_token;
mod enrollment;
mod error;
mod evidence;
mod extension;
mod fleet;
mod forecast;
mod health;
mod held;
mod idempotent;
mod installation_clone;
mod installation_end;
mod installation_identity;
mod installation_view;
mod invoice;
mod issue;
mod keyring;
mod keys_status;
mod late;
mod license_assign;
mod license_copy;
mod license_create;
mod license_download;
mod license_edit;
mod license_end;
mod license_install;
mod license_lock;
mod license_move;
mod license_rules;
mod license_shadow;
mod license_toggle;
mod license_update;
mod license_view;
mod license_words;
mod limits;
mod mail;
mod mail_words;
mod manual_import;
mod manual_line;
mod missed;
mod month;
mod month_access;
mod month_changes;
mod month_ingest;
mod month_open;
mod month_view;
mod my_actions;
mod obligations;
mod observe;
mod offline;
pub mod operation;
mod organizations;
mod outside;
mod own_access;
mod own_company;
mod page;
mod password;
mod people;
mod policies;
mod policy_change;
mod problem;
mod program;
mod program_preview;
mod receipts;
mod reported;
mod reporting_switch;
mod restore;
mod restore_access;
mod review;
mod reviewed;
mod rotate_keys;
mod second_step;
mod second_step_code;
mod secret;
mod session;
mod setup;
mod sign_in;
mod sites;
mod submit;
mod suspension;
mod timeline;
mod token;
mod totals_check;
mod trust;
mod unseen;
mod usage_report;

pub use activation::activate_installation;
pub use actor::{Actor, ActorKind};
pub use adjust::{FigureRef, NewFigure, adjust_figure, reset_figure};
pub use agreement_change::{
    AgreementChange, NewTerms, agreement_tag, edit_agreement, find_agreement, terminate_agreement,
};
pub use agreements::{AgreementView, list_agreements, view_agreement};
pub use answer::{Answer, answer_installation, reset_answer};
pub use applicants::decide_applicant;
pub use approval_limit::{ApprovalLimit, set_approval_limit, view_approval_limit};
pub use approval_rule::{ApprovalRule, DryRun, dry_run_rule, set_approval_rule, view_approval_rule};
pub use attention::{Attention, view_attention};
pub use audit_list::{AuditAction, AuditFilter, list_audit};
pub use audit_state::{verify_log, view_keys};
pub use audit_verify::{AuditReport, Finding, Witness, verify_audit};
pub use catalog::{CatalogView, ProductView, list_catalog, list_catalog_of};
pub use catalog_change::{
    DatedWeight, NewWeight, ProductChange, ProductDetail, add_workloads, create_product, edit_product, set_weights,
    view_product, weights_may_hold_from,
};
pub use catalog_file::{Catalog, CatalogError, CatalogProduct, CatalogWorkload};
pub use check_in::{CarriedDocument, CheckInReply, Foreseen, Ingest, IngestSizes, check_in, newest_root, root_version};
pub use checkpoint::make_checkpoint;
pub use companies::{
    CompanyChange, CompanyFilter, CompanyKind, CompanyRow, NewCompany, company_tag, create_company, edit_company,
    list_companies, view_company,
};
pub use company_merge::{MAX_MERGED, MergeSide, merge_companies, preview_merges};
pub use console::{
    ConsoleChange, ConsoleConnection, ConsoleView, console_manages_licenses, console_maps_companies, edit_console,
    list_connections, sync_console, view_console,
};
pub use console_action::{
    ACTION_KEPT_HOURS, ConsoleAction, ConsoleActionBegun, ConsoleActionState, NewConsoleAction,
    attach_to_console_action, begin_console_action, clear_console_action, finish_console_action, list_console_actions,
    view_console_action,
};
pub use console_session::{ConsoleSession, console_refresh, console_sign_in};
pub use content_tag::{ContentTag, IfMatch};
pub use context::{Deployment, Service, ServiceParts};
pub use copy::{CopyPlan, commit_copy, prepare_copy};
pub use corrections::{
    Correction, CorrectionOrigin, EnteredCorrection, NewCorrection, add_correction, list_corrections, remove_correction,
};
pub use coverage::{Coverage, view_coverage};
pub use decide::{Approval, approve_month, close_month, consent_to_month, reject_month};
pub use deviations::{DeviatingLicense, Deviation, list_deviations};
pub use difference::{Difference, DifferenceRow, month_difference};
pub use doctor::{Check, Verdict, examine};
pub use enroll_token::{
    ApplicantRow, CreatedEnrollToken, EnrollTokenRow, EnrollTokens, NewEnrollToken, create_enroll_token,
    list_enroll_tokens, revoke_enroll_token,
};
pub use enrollment::{
    Decision, EnrollmentChange, EnrollmentFilter, EnrollmentView, decide_enrollment, enrollment_history,
    enrollment_text, list_enrollment_requests, list_enrollments, request_enrollment, view_enrollment,
    withdraw_enrollment,
};
pub use error::{Error, Result};
pub use evidence::{Evidence, EvidenceFilter, NamedEvidence, ReasonCount, view_evidence};
pub use fleet::{VersionRow, view_fleet};
pub use forecast::{Forecast, view_forecast};
pub use health::{Halt, check_date, policy_now, watch_clock, watch_database};
pub use held::{HeldConfirmation, HeldView, confirm_held, list_held, refuse_held};
pub use idempotent::Idempotency;
pub use installation_clone::{CloneVerdict, resolve_clone};
pub use installation_end::{retire_installation, void_installation};
pub use installation_identity::reidentify_installation;
pub use installation_view::{
    HealthPreset, InstallationDetail, InstallationFilter, RejoinView, ServerRow, ServerView, list_installations,
    view_installation,
};
pub use invoice::{Invoice, InvoiceItem, view_invoice};
pub use keyring::{Keyring, OnlineKey, SealingKey, SealingKeyError};
pub use keys_status::{KeyLine, KeyTask, KeysStatus, keys_due, keys_now, keys_status};
pub use license_assign::assign_license;
pub use license_copy::copy_license;
pub use license_create::{CreatedLicense, NewLicense, PointsPreview, WorkloadCount, create_license, preview_points};
pub use license_download::{DownloadedLicense, download_license};
pub use license_edit::{LicenseEdit, edit_license};
pub use license_end::{delete_license, revoke_license};
pub use license_install::{install_license, install_license_file};
pub use license_move::{LicenseMove, move_license};
pub use license_shadow::set_shadow_month;
pub use license_toggle::switch_reporting;
pub use license_update::{update_installation_now, update_license_now};
pub use license_view::{
    Because, HolderFilter, InstallationView, LicenseFilter, LicenseKey, LicenseView, Life, LifeMonth, MonthCell,
    MonthMark, ParseKeyError, StateFilter, WaitingServer, WorkloadView, list_licenses, view_license,
};
pub use license_words::{expiry_text, missing_period, reported_through, reporting_text, shadow_text};
pub use limits::{Limit, LimitPolicy, Limits, ParseLimitError, Refusals};
pub use mail::{Addressee, Letter, claim_letters, letter_failed, letter_sent};
pub use manual_import::{ImportRow, ImportedRow, MAX_IMPORT, import_manual_lines, preview_import};
pub use manual_line::{NewManualLine, add_manual_line, remove_manual_line};
pub use missed::{MissedDeadline, list_missed_deadlines};
pub use month::{
    Adjustment, AgreementOf, Expected, Figure, LicenseMonth, LicenseOf, Line, LinesTag, Month, MonthHead, Named,
    ParseTagError, ProductOf, ReportOf, SitePart, Submitted, TakenOut, Who, WorkloadOf,
};
pub use month_access::{MonthRef, ParseMonthRefError};
pub use month_view::{MonthSummary, SubmissionReceipt, SubmissionSummary, list_months, view_month, view_receipt};
pub use my_actions::{ActionKind, MyAction, MyActions, Progress, my_actions};
pub use obligations::{ObligationView, OwedFilter, OwedRow, list_obligations, resolve_obligation};
pub use observe::{Observed, observe};
pub use offline::{OfflineAnswerFile, OfflinePreview, preview_offline_request, take_offline_request};
pub use organizations::{
    NewOrganization, OrgRow, OrganizationChange, create_organization, edit_organization, list_organizations,
    organization_tag, view_organization,
};
pub use outside::{HighWater, Outside, OutsideError, Revocation, Stale, keep_outside, parse_witnesses};
pub use own_access::{
    Me, SessionView, change_password, end_other_sessions, end_session, end_sessions_of, list_sessions,
    password_link_secret, redeem_password_link, request_password_link, send_password_link, view_me,
};
pub use own_company::{OwnCompany, OwnUsage, ViewerRow, create_viewer, list_viewers, view_own_company, view_own_usage};
pub use page::{DEFAULT_PAGE, MAX_PAGE, Page, Paging};
pub use people::{
    CreatedPerson, NewPerson, PersonChange, PersonFilter, PersonRow, create_person, edit_person, list_people,
    person_tag, view_person,
};
pub use policy_change::{PolicyChange, PolicyValues, PolicyView, change_policy, policy_values, view_policy};
pub use problem::{Problem, ProblemKind};
pub use program::{NewAgreement, create_agreement};
pub use program_preview::{MAX_PREVIEW, Outlook, PreviewedMonth, ProgramChange, preview_program};
pub use receipts::{ReceiptSummary, SavedReport, SavedSubmission, list_receipts, save_report, save_submission};
pub use restore::{Restore, Restored, restore_deployment, step_after_failover};
pub use review::{return_part, set_auto_submit, start_review, submit_part};
pub use reviewed::{MAX_MARKED, mark_reviewed};
pub use rotate_keys::{
    RotateError, Rotated, Rotation, RotationPlan, commit_rotation, prepare_rotation, read_offline_key,
};
pub use second_step::{
    SecondStep, begin_second_step, confirm_second_step, pending_second_step, remove_second_step, renew_recovery_codes,
    reset_second_step, sign_in_second_step, view_second_step,
};
pub use second_step_code::{RecoveryCodes, SecondStepSetup};
pub use session::{SignedInPerson, authenticate_session, sign_out};
pub use setup::{Init, InitPlan, Initialized, OfflineKey, OpenError, commit_init, open_service, prepare_init};
pub use sign_in::{SignIn, SignedIn, sign_in};
pub use sites::{SiteChange, SiteRow, create_site, edit_site, list_sites, site_tag, view_site};
pub use submit::{SubmitInput, SubmittedMonth, submit_month};
pub use timeline::{TimelineEvent, month_timeline};
pub use token::{
    CreatedToken, MAX_OVERLAP_HOURS, NewToken, RotatedToken, TokenFilter, TokenRotation, TokenRow, TokenScope,
    authenticate_console, authenticate_token, create_token, list_tokens, revoke_token, rotate_token, view_token,
};
pub use totals_check::{TotalsDifference, check_totals};
pub use trust::{take_up_keys, trust_root};
pub use usage_report::{UsageReportView, view_usage_report};
