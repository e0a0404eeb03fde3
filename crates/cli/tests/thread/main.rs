//! The real binary as processes that share nothing but HTTP and a test clock's file.

mod backup_restore;
mod bench;
mod demo;
mod disk_full;
mod failover;
mod fleet;
mod keys;
mod kill_nine;
mod mail;
mod migrate_data;
mod offline;
mod operations;
mod own_page;
mod packaging;
mod real_input;
mod replicas;
mod support;
