//! What the tests of processes share.

pub(crate) mod cluster;
pub(crate) mod load;
pub(crate) mod market;
pub(crate) mod openssl;
pub(crate) mod pgbouncer;
pub(crate) mod postgres;
pub(crate) mod process;
pub(crate) mod restic;
