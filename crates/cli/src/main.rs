//! `tenure`: the one binary, for people, scripts and tests.

mod agent_cmd;
mod audit_cmd;
mod backup_cmd;
mod bench;
mod copy_cmd;
mod database;
mod demo_cmd;
mod doctor_cmd;
mod init_cmd;
mod keys_cmd;
mod license_cmd;
mod migrate_data_cmd;
mod owner;
mod report_cmd;
mod restore_cmd;
mod serve_cmd;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Rent software, count what was used, renew what was reported.
#[derive(Parser)]
#[command(name = "tenure", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make a deployment: vendor, policy, catalog, first administrator, keys.
    Init(init_cmd::InitArgs),
    /// Serve the product API, the provider API and the portal.
    Serve(serve_cmd::ServeArgs),
    /// Live through fourteen months, then serve the portal.
    Demo(demo_cmd::DemoArgs),
    /// The product side: keep a license, count, report.
    Agent(agent_cmd::AgentArgs),
    /// The deployment's keys and its trust root.
    Keys(keys_cmd::KeysArgs),
    /// Check the log of everything that was ever done.
    Audit(audit_cmd::AuditArgs),
    /// Copy the database while the server runs, and verify the copy.
    Backup(backup_cmd::BackupArgs),
    /// Put a backup back: a new epoch begins.
    Restore(restore_cmd::RestoreArgs),
    /// Move a deployment between the embedded database and PostgreSQL.
    MigrateData(migrate_data_cmd::MigrateDataArgs),
    /// Examine a deployment: each check ok, warn or fail, with what to do.
    Doctor(doctor_cmd::DoctorArgs),
    /// Measure this machine.
    Bench(bench::BenchArgs),
    /// Look at license files.
    License(license_cmd::LicenseArgs),
    /// Look at saved reports and receipts.
    Report(report_cmd::ReportArgs),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match cli.command {
        Command::Init(args) => init_cmd::run(args),
        Command::Serve(args) => serve_cmd::run(args),
        Command::Demo(args) => demo_cmd::run(args),
        Command::Agent(args) => agent_cmd::run(args),
        Command::Keys(args) => keys_cmd::run(args),
        Command::Audit(args) => audit_cmd::run(args),
        Command::Backup(args) => backup_cmd::run(args),
        Command::Restore(args) => restore_cmd::run(args),
        Command::MigrateData(args) => migrate_data_cmd::run(args),
        Command::Doctor(args) => doctor_cmd::run(args),
        Command::Bench(args) => bench::run(args),
        Command::License(args) => license_cmd::run(args),
        Command::Report(args) => report_cmd::run(args),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            // The causes in one line: the first says what failed, the last why.
            eprintln!("tenure: {error:#}");
            ExitCode::FAILURE
        }
    }
}
