-- A ledger of version 1 with one unit, as that version's program left it. It is never changed:
-- files like it are on benches.
CREATE TABLE units (
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
) STRICT, WITHOUT ROWID;
INSERT INTO units (
    id, began, work, program, port, name, detail, standing,
    identity_before, identity_expected, identity_after, serial_before, serial_expected, serial_after,
    chip, evidence, condition, diagnosis, size_bytes, size_proven,
    profile, image, image_bytes, image_sha256, backup,
    result, error, error_what, error_where, error_next, device_state, drive,
    device_time_ms, memory_time_ms, limit_ms, transfers, write_cycles, notes, steps
) VALUES (
    '2026-11-20T09-15-02-sl11r', '2026-11-20T09:15:02.250Z', 'rescue', '0.1.0', '3-2.1',
    'unknown QT processor', 'ScanLogic SL11R mask ROM, EEPROM blank or broken', 'boot-id',
    '{"ids":"04ce:07d1","bcd_device":0,"interface_class":"ff/00/00"}',
    '{"ids":"04ce:0002","bcd_device":608,"product":"USBIDE","serial":"QT0042"}',
    '{"ids":"04ce:0002","bcd_device":608,"product":"USBIDE","serial":"QT0042"}',
    NULL, 'QT0042', 'QT0042',
    'sl11r', '["its mask ROM answers as 04ce:07d1 (captured)"]',
    'blank', 'blank: every byte read is 00', 128, 0,
    'sony-crx100e', 'CDRW0008.BIN', 510, NULL, '2026-11-20T09-15-03-sl11r',
    'rescued', NULL, NULL, NULL, '[]', 'restored', NULL,
    6071.25, 2668.1, 2588.58, 258, 456, '["its power was taken away by hand"]', 2
);
INSERT INTO steps VALUES
    ('2026-11-20T09-15-02-sl11r', 1, 'write EEPROM 0x0000..0x01fc', 'persistent', 1004.5, 2430.0),
    ('2026-11-20T09-15-02-sl11r', 2, 'confirm that the original identity is back', 'reads', 6070.0, 1.25);
PRAGMA user_version = 1;
