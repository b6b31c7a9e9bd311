//! The ledger's tables and how an older file gets them.
//!
//! `PRAGMA user_version` is the version of a file's format: how many of [`MIGRATIONS`] it has been
//! through. A migration is never changed once it was released; a change of the format is one more.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::LedgerError;

/// Each makes of the version before it the next, the first of an empty file version 1.
///
/// Lists are JSON arrays of texts and identities JSON objects, as in the events. Serial numbers
/// have columns of their own because they are asked for.
const MIGRATIONS: &[&str] = &[
    "CREATE TABLE units (
        id TEXT PRIMARY KEY NOT NULL,
        began TEXT NOT NULL,
        work TEXT NOT NULL,
        program TEXT NOT NULL,
        port TEXT NOT NULL,
        name TEXT NOT NULL,
        detail TEXT NOT NULL,
        standing TEXT NOT NULL,
        identity_before TEXT,
        identity_expected TEXT,
        identity_after TEXT,
        serial_before TEXT,
        serial_expected TEXT,
        serial_after TEXT,
        chip TEXT,
        evidence TEXT NOT NULL,
        condition TEXT,
        diagnosis TEXT,
        size_bytes INTEGER,
        size_proven INTEGER,
        profile TEXT,
        image TEXT,
        image_bytes INTEGER,
        image_sha256 TEXT,
        backup TEXT,
        result TEXT NOT NULL,
        error TEXT,
        error_what TEXT,
        error_where TEXT,
        error_next TEXT NOT NULL,
        device_state TEXT NOT NULL,
        drive TEXT,
        device_time_ms REAL NOT NULL,
        memory_time_ms REAL NOT NULL,
        limit_ms REAL NOT NULL,
        transfers INTEGER NOT NULL,
        write_cycles INTEGER NOT NULL,
        notes TEXT NOT NULL,
        steps INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE steps (
        unit TEXT NOT NULL REFERENCES units (id),
        step INTEGER NOT NULL,
        title TEXT NOT NULL,
        risk TEXT NOT NULL,
        began_ms REAL,
        took_ms REAL,
        PRIMARY KEY (unit, step)
    ) STRICT, WITHOUT ROWID;",
    // The bench names its ports; a report says what was not proven.
    "ALTER TABLE units ADD COLUMN port_label TEXT;
    ALTER TABLE units ADD COLUMN preflight TEXT;
    ALTER TABLE units ADD COLUMN unproven TEXT NOT NULL DEFAULT '[]';
    CREATE INDEX units_by_time ON units (began);",
];

/// The newest version that is known here.
pub const VERSION: i64 = MIGRATIONS.len() as i64;

/// Takes the file through the migrations it lacks, all of them in one transaction.
pub fn bring_up_to_date(connection: &mut Connection, path: &Path) -> Result<(), LedgerError> {
    let refused = |source| LedgerError::Database { path: path.to_owned(), source };
    if version(connection).map_err(refused)? == VERSION {
        return Ok(());
    }
    // Another process may do the same now: looked at again once the file is ours.
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(refused)?;
    let found = version(&transaction).map_err(refused)?;
    let lacking = usize::try_from(found).ok().and_then(|done| MIGRATIONS.get(done..));
    let Some(lacking) = lacking else {
        return Err(LedgerError::Newer { path: path.to_owned(), found, known: VERSION });
    };
    if found == 0 && !is_empty(&transaction).map_err(refused)? {
        return Err(LedgerError::Foreign { path: path.to_owned() });
    }
    for migration in lacking {
        transaction.execute_batch(migration).map_err(refused)?;
    }
    transaction.pragma_update(None, "user_version", VERSION).map_err(refused)?;
    transaction.commit().map_err(refused)
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

fn is_empty(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema)", (), |row| row.get(0))
}
