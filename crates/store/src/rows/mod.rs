//! The aggregates: a file each, holding its row types, its statements and the functions that run them.

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
    answer
    chain
    correction
    deployment
    document
    installation
    manual_line
    monthly_usage
    obligation
    report
    site_part
    submission
    suspension
    watermark
}
