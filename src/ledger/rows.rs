//! Units as rows and back.

use std::fmt;

use jiff::Timestamp;
use rusqlite::types::Type;
use rusqlite::{
    Connection, OptionalExtension, Row, Transaction, TransactionBehavior, named_params, params,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::unit::{Query, StepTaken, Unit};

/// A row that is no unit: another program wrote it, or the file is damaged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DamagedRow {
    /// The unit's name.
    pub id: String,
    /// What is wrong.
    pub why: String,
}

impl fmt::Display for DamagedRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the unit {} cannot be read: {}", self.id, self.why)
    }
}

/// Units, and the rows among them that are none.
pub type Found = (Vec<Unit>, Vec<DamagedRow>);

/// Most units of one name; as many began in the same second with the same chip.
const MAX_NAMESAKES: u32 = 10_000;

/// Adds a unit with its steps and returns the id it got.
pub fn add(connection: &mut Connection, unit: &Unit) -> rusqlite::Result<String> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let id = free_id(&transaction, &unit.id)?;
    insert_unit(&transaction, &id, unit)?;
    let mut insert = transaction.prepare(
        "INSERT INTO steps (unit, step, title, risk, began_ms, took_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for step in &unit.steps {
        insert.execute(params![
            id,
            step.step,
            step.title,
            step.risk,
            step.began_ms,
            step.took_ms
        ])?;
    }
    drop(insert);
    transaction.commit()?;
    Ok(id)
}

fn free_id(transaction: &Transaction<'_>, wished: &str) -> rusqlite::Result<String> {
    let mut taken = transaction.prepare("SELECT EXISTS (SELECT 1 FROM units WHERE id = ?1)")?;
    let mut id = wished.to_owned();
    for number in 2..MAX_NAMESAKES {
        if !taken.query_row([&id], |row| row.get::<_, bool>(0))? {
            break;
        }
        id = format!("{wished}-{number}");
    }
    Ok(id)
}

fn insert_unit(transaction: &Transaction<'_>, id: &str, unit: &Unit) -> rusqlite::Result<usize> {
    let serial = |who: &Option<crate::chip::Identity>| who.as_ref().and_then(|w| w.serial.clone());
    transaction.execute(
        "INSERT INTO units (
            id, began, work, program, port, port_label, name, detail, standing,
            identity_before, identity_expected, identity_after,
            serial_before, serial_expected, serial_after,
            chip, evidence, condition, diagnosis, size_bytes, size_proven,
            profile, image, image_bytes, image_sha256, preflight, backup,
            result, error, error_what, error_where, error_next, device_state, drive,
            device_time_ms, memory_time_ms, limit_ms, transfers, write_cycles,
            notes, unproven, steps
        ) VALUES (
            :id, :began, :work, :program, :port, :port_label, :name, :detail, :standing,
            :identity_before, :identity_expected, :identity_after,
            :serial_before, :serial_expected, :serial_after,
            :chip, :evidence, :condition, :diagnosis, :size_bytes, :size_proven,
            :profile, :image, :image_bytes, :image_sha256, :preflight, :backup,
            :result, :error, :error_what, :error_where, :error_next, :device_state, :drive,
            :device_time_ms, :memory_time_ms, :limit_ms, :transfers, :write_cycles,
            :notes, :unproven, :steps
        )",
        named_params! {
            ":id": id,
            ":began": sortable(unit.began),
            ":work": unit.work,
            ":program": unit.program,
            ":port": unit.port,
            ":port_label": unit.port_label,
            ":name": unit.name,
            ":detail": unit.detail,
            ":standing": unit.standing,
            ":identity_before": unit.identity_before.as_ref().map(json),
            ":identity_expected": unit.identity_expected.as_ref().map(json),
            ":identity_after": unit.identity_after.as_ref().map(json),
            ":serial_before": serial(&unit.identity_before),
            ":serial_expected": serial(&unit.identity_expected),
            ":serial_after": serial(&unit.identity_after),
            ":chip": unit.chip,
            ":evidence": json(&unit.evidence),
            ":condition": unit.condition,
            ":diagnosis": unit.diagnosis,
            ":size_bytes": unit.size_bytes,
            ":size_proven": unit.size_proven,
            ":profile": unit.profile,
            ":image": unit.image,
            ":image_bytes": unit.image_bytes.map(integer),
            ":image_sha256": unit.image_sha256,
            ":preflight": unit.preflight,
            ":backup": unit.backup,
            ":result": unit.result,
            ":error": unit.error,
            ":error_what": unit.error_what,
            ":error_where": unit.error_where,
            ":error_next": json(&unit.error_next),
            ":device_state": unit.device_state,
            ":drive": unit.drive,
            ":device_time_ms": unit.device_time_ms,
            ":memory_time_ms": unit.memory_time_ms,
            ":limit_ms": unit.limit_ms,
            ":transfers": integer(unit.transfers),
            ":write_cycles": unit.write_cycles,
            ":notes": json(&unit.notes),
            ":unproven": json(&unit.unproven),
            ":steps": integer(unit.steps.len() as u64),
        },
    )
}

/// The units that fit, oldest first.
pub fn units(connection: &Connection, query: &Query) -> rusqlite::Result<Found> {
    let mut select = connection.prepare(
        "SELECT * FROM units
         WHERE (:since IS NULL OR began >= :since)
         AND (:serial IS NULL
            OR instr(lower(serial_before), lower(:serial))
            OR instr(lower(serial_expected), lower(:serial))
            OR instr(lower(serial_after), lower(:serial)))
         ORDER BY began, id",
    )?;
    let values = named_params! { ":since": query.since.map(sortable), ":serial": query.serial };
    with_steps(connection, select.query_map(values, unit_or_damaged)?)
}

/// The unit of that id, else those whose id begins so.
pub fn find(connection: &Connection, id: &str) -> rusqlite::Result<Found> {
    let mut select = connection.prepare(
        "SELECT * FROM units
         WHERE id = ?1
            OR substr(id, 1, length(?1)) = ?1 AND NOT EXISTS (SELECT 1 FROM units WHERE id = ?1)
         ORDER BY began, id",
    )?;
    with_steps(connection, select.query_map([id], unit_or_damaged)?)
}

/// The unit that last began at that port.
pub fn last_at(connection: &Connection, port: &str) -> rusqlite::Result<Option<Unit>> {
    let mut select = connection
        .prepare("SELECT * FROM units WHERE port = ?1 ORDER BY began DESC, id DESC LIMIT 1")?;
    let found = select.query_row([port], unit).optional()?;
    Ok(with_steps(connection, found.into_iter().map(|unit| Ok(Ok(unit))))?.0.pop())
}

type UnitOrDamaged = Result<Unit, DamagedRow>;

/// A row whose values are of the wrong form is told of; an error of the file ends the reading.
fn unit_or_damaged(row: &Row<'_>) -> rusqlite::Result<UnitOrDamaged> {
    match unit(row) {
        Ok(unit) => Ok(Ok(unit)),
        Err(error @ rusqlite::Error::SqliteFailure(..)) => Err(error),
        Err(error) => Ok(Err(DamagedRow { id: row.get("id")?, why: error.to_string() })),
    }
}

fn with_steps(
    connection: &Connection,
    rows: impl Iterator<Item = rusqlite::Result<UnitOrDamaged>>,
) -> rusqlite::Result<Found> {
    let mut select = connection.prepare(
        "SELECT step, title, risk, began_ms, took_ms FROM steps WHERE unit = ?1 ORDER BY step",
    )?;
    let taken = |row: &Row<'_>| {
        Ok(StepTaken {
            step: row.get(0)?,
            title: row.get(1)?,
            risk: row.get(2)?,
            began_ms: row.get(3)?,
            took_ms: row.get(4)?,
        })
    };
    let (mut units, mut damaged) = (Vec::new(), Vec::new());
    for row in rows {
        let mut unit = match row? {
            Ok(unit) => unit,
            Err(row) => {
                damaged.push(row);
                continue;
            }
        };
        match select.query_map([&unit.id], taken)?.collect() {
            Ok(steps) => unit.steps = steps,
            Err(error @ rusqlite::Error::SqliteFailure(..)) => return Err(error),
            Err(error) => {
                damaged.push(DamagedRow { id: unit.id, why: error.to_string() });
                continue;
            }
        }
        units.push(unit);
    }
    Ok((units, damaged))
}

fn unit(row: &Row<'_>) -> rusqlite::Result<Unit> {
    let count = |name: &str| row.get::<_, Option<i64>>(name).map(natural);
    Ok(Unit {
        id: row.get("id")?,
        began: parsed(&row.get::<_, String>("began")?)?,
        work: row.get("work")?,
        program: row.get("program")?,
        port: row.get("port")?,
        port_label: row.get("port_label")?,
        name: row.get("name")?,
        detail: row.get("detail")?,
        standing: row.get("standing")?,
        identity_before: object(row, "identity_before")?,
        identity_expected: object(row, "identity_expected")?,
        identity_after: object(row, "identity_after")?,
        chip: row.get("chip")?,
        evidence: list(row, "evidence")?,
        condition: row.get("condition")?,
        diagnosis: row.get("diagnosis")?,
        size_bytes: row.get("size_bytes")?,
        size_proven: row.get("size_proven")?,
        profile: row.get("profile")?,
        image: row.get("image")?,
        image_bytes: count("image_bytes")?,
        image_sha256: row.get("image_sha256")?,
        preflight: row.get("preflight")?,
        backup: row.get("backup")?,
        result: row.get("result")?,
        error: row.get("error")?,
        error_what: row.get("error_what")?,
        error_where: row.get("error_where")?,
        error_next: list(row, "error_next")?,
        device_state: row.get("device_state")?,
        drive: row.get("drive")?,
        device_time_ms: row.get("device_time_ms")?,
        memory_time_ms: row.get("memory_time_ms")?,
        limit_ms: row.get("limit_ms")?,
        transfers: count("transfers")?.unwrap_or_default(),
        write_cycles: row.get("write_cycles")?,
        notes: list(row, "notes")?,
        unproven: list(row, "unproven")?,
        steps: Vec::new(),
    })
}

/// A moment as text that sorts by time: always with three decimals.
fn sortable(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

fn parsed(text: &str) -> rusqlite::Result<Timestamp> {
    text.parse().map_err(unreadable)
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn object<T: DeserializeOwned>(row: &Row<'_>, name: &str) -> rusqlite::Result<Option<T>> {
    let text: Option<String> = row.get(name)?;
    text.map(|text| serde_json::from_str(&text).map_err(unreadable)).transpose()
}

fn list(row: &Row<'_>, name: &str) -> rusqlite::Result<Vec<String>> {
    serde_json::from_str(&row.get::<_, String>(name)?).map_err(unreadable)
}

fn unreadable<E: std::error::Error + Send + Sync + 'static>(error: E) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, Type::Text, Box::new(error))
}

/// A count as SQLite keeps it.
fn integer(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn natural(count: Option<i64>) -> Option<u64> {
    count.and_then(|count| u64::try_from(count).ok())
}
