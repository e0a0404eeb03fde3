//! The aggregates: a file each, holding its row types, its statements and the functions that run them.

mod words;

/// Declares the aggregate files and registers their statements in one go, so that none can be forgotten.
macro_rules! rows {
    ($($name:ident)*) => {
        $(pub mod $name;)*
        pub(crate) static STATEMENTS: &[&[&crate::Statement]] = &[$($name::STATEMENTS),*];
    };
}

// One name a line, in alphabetical order.
rows! {
    adjustment
    agreement
    answer
    api_token
    approval_limit
    approval_rule
    audit_log
    chain
    checkpoint
    company
    company_viewer
    console_action
    console_connection
    correction
    deployment
    document
    enroll
    enrollment
    epoch
    extension
    fleet
    gone_installation
    hand_correction
    held_installation
    hosts_before
    installation
    issued_license
    license
    manual_line
    month
    monthly_usage
    obligation
    org
    password_reset
    person
    policy
    product
    proven_new
    receipted
    rejoin
    report
    reviewed_line
    revocation
    second_step
    server
    session
    site
    site_part
    submission
    suspension
    template
    watermark
}
