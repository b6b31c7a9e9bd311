//! The part of the command line's definition that is about the ledger.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// `recover ledger …`.
#[derive(Debug, Subcommand)]
pub enum LedgerCommand {
    /// List the units, oldest first
    #[command(after_help = "Example:\n  recover ledger list --serial 0C0FFEE --since 2026-11-01")]
    List {
        #[command(flatten)]
        query: QueryArgs,
    },
    /// Show everything recorded about one unit
    #[command(after_help = "Example:\n  recover ledger show 2026-11-22T10-02-33-sl11r")]
    Show {
        /// Its id, or a unique beginning of it
        id: String,
    },
    /// Write the units as a table
    #[command(after_help = "Example:\n  recover ledger export --format csv --output units.csv")]
    Export {
        /// The table format
        #[arg(long, value_enum, value_name = "FORMAT")]
        format: TableFormat,
        /// The file to write instead of stdout; an existing file is not overwritten
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
        #[command(flatten)]
        query: QueryArgs,
    },
}

/// Which units of the ledger.
#[derive(Clone, Debug, Default, Args)]
pub struct QueryArgs {
    /// Only units whose serial number contains this text, upper or lower case
    #[arg(long, value_name = "TEXT")]
    pub serial: Option<String>,
    /// Only units since this day or time (UTC), as 2026-11-22 or 2026-11-22T10:02:33Z
    #[arg(long, value_name = "DATE", value_parser = moment)]
    pub since: Option<Timestamp>,
}

/// How a table is written.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum TableFormat {
    /// Comma-separated values, with a heading
    Csv,
    /// One array of objects, steps included
    Json,
}

fn moment(text: &str) -> Result<Timestamp, String> {
    let day = |day: Date| day.to_zoned(TimeZone::UTC).map(|start| start.timestamp());
    let parsed = match text.parse::<Date>() {
        // A moment begins with a day, and would be taken for it.
        Ok(date) if !text.contains(['T', 't', ' ']) => day(date),
        _ => text.parse(),
    };
    parsed.map_err(|error| error.to_string())
}
