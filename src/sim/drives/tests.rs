//! The drives against what their standards say of each command.

use super::*;

fn ask(drive: &mut dyn BridgedDrive, bytes: &[u8]) -> Answer {
    let mut command = [0; 16];
    command[..bytes.len()].copy_from_slice(bytes);
    drive.carry_out(&command, &[])
}

fn data(drive: &mut dyn BridgedDrive, bytes: &[u8]) -> Vec<u8> {
    match ask(drive, bytes) {
        Answer::Done(data) => data,
        Answer::Refused(sense) => panic!("refused: {sense:?}"),
    }
}

#[test]
fn a_burner_reports_its_reset_once_and_is_then_ready() {
    let mut drive = CdDrive::new(Some(Medium::disc("hello")));
    drive.power_on();
    assert_eq!(&data(&mut drive, &[0x12, 0, 0, 0, 36, 0])[8..], b"SONY    CD-RW  CRX100E  1.0n");
    assert_eq!(ask(&mut drive, &[0; 6]), Answer::Refused(Sense::WAS_RESET));
    let sense = data(&mut drive, &[0x03, 0, 0, 0, 18, 0]);
    assert_eq!((sense[2], sense[12]), (0x06, 0x29));
    assert_eq!(ask(&mut drive, &[0; 6]), Answer::Done(Vec::new()));
}

#[test]
fn a_generated_cd_has_a_volume_and_its_file() {
    let mut drive = CdDrive::new(Some(Medium::disc("hello, enclosure")));
    let volume = data(&mut drive, &[0x28, 0, 0, 0, 0, 16, 0, 0, 1, 0]);
    assert_eq!((volume.len(), &volume[1..6]), (2048, &b"CD001"[..]));
    let directory = data(&mut drive, &[0x28, 0, 0, 0, 0, 20, 0, 0, 1, 0]);
    let name = b"README.TXT;1";
    let at = directory.windows(name.len()).position(|part| part == name).unwrap();
    let sector = directory[at - 31];
    let file = data(&mut drive, &[0x28, 0, 0, 0, 0, sector, 0, 0, 1, 0]);
    assert!(file.starts_with(b"hello, enclosure"));
    let capacity = data(&mut drive, &[0x25]);
    assert_eq!(capacity, [0, 0, 0, 21, 0, 0, 8, 0]);
    assert_eq!(
        ask(&mut drive, &[0x28, 0, 0, 0, 0, 22, 0, 0, 1, 0]),
        Answer::Refused(Sense::OUT_OF_RANGE)
    );
}

#[test]
fn the_table_of_contents_ends_where_the_disc_does() {
    let mut drive = CdDrive::new(Some(Medium::disc("x")));
    let blocks = data(&mut drive, &[0x43, 0, 0, 0, 0, 0, 0, 0, 255, 0]);
    assert_eq!(blocks[..4], [0, 18, 1, 1]);
    assert_eq!(blocks[14..20], [0xaa, 0, 0, 0, 0, 22]);
    let times = data(&mut drive, &[0x43, 2, 0, 0, 0, 0, 0, 0, 255, 0]);
    assert_eq!(times[16..20], [0, 0, 2, 22]);
}

#[test]
fn a_tray_opens_unless_it_is_locked() {
    let mut drive = CdDrive::new(Some(Medium::disc("x")));
    data(&mut drive, &[0x1e, 0, 0, 0, 1, 0]);
    assert!(matches!(ask(&mut drive, &[0x1b, 0, 0, 0, 2, 0]), Answer::Refused(_)));
    data(&mut drive, &[0x1e, 0, 0, 0, 0, 0]);
    data(&mut drive, &[0x1b, 0, 0, 0, 2, 0]);
    assert_eq!(ask(&mut drive, &[0; 6]), Answer::Refused(Sense::NO_MEDIUM));
    let event = data(&mut drive, &[0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8, 0]);
    assert_eq!(event, [0, 6, 4, 0x10, 3, 1, 0, 0]);
    let configuration = data(&mut drive, &[0x46, 0, 0, 0, 0, 0, 0, 0, 8, 0]);
    assert_eq!(configuration[6..], [0, 0]);
}

#[test]
fn a_burner_without_a_disc_says_so() {
    let mut drive = CdDrive::new(None);
    assert_eq!(ask(&mut drive, &[0x25]), Answer::Refused(Sense::NO_MEDIUM));
    assert_eq!(ask(&mut drive, &[0xee]), Answer::Refused(Sense::UNKNOWN_COMMAND));
    let modes = data(&mut drive, &[0x5a, 0, 0x2a, 0, 0, 0, 0, 0, 255, 0]);
    assert_eq!((modes[1] as usize, modes[8]), (modes.len() - 2, 0x2a));
}

#[test]
fn a_disk_keeps_what_is_written_and_its_ground_is_a_pattern() {
    let mut disk = Disk::new(Medium::pattern(1000));
    let sector = data(&mut disk, &[0x28, 0, 0, 0, 1, 3, 0, 0, 1, 0]);
    assert_eq!((sector.len(), &sector[..8]), (512, &[0, 0, 1, 3, 0, 0, 1, 3][..]));
    let mut write = [0; 16];
    write[..10].copy_from_slice(&[0x2a, 0, 0, 0, 1, 3, 0, 0, 2, 0]);
    assert_eq!(disk.takes(&write), 1024);
    assert_eq!(disk.carry_out(&write, &[7; 1024]), Answer::Done(Vec::new()));
    assert_eq!(data(&mut disk, &[0x28, 0, 0, 0, 1, 4, 0, 0, 1, 0]), [7; 512]);
    assert_eq!(data(&mut disk, &[0x25]), [0, 0, 3, 0xe7, 0, 0, 2, 0]);
    write[2] = 0xff;
    assert_eq!(disk.carry_out(&write, &[7; 1024]), Answer::Refused(Sense::OUT_OF_RANGE));
    assert_eq!(data(&mut disk, &[0x1a, 0, 0x3f, 0, 192, 0]), [3, 0, 0, 0]);
}

#[test]
fn a_file_is_a_medium_that_is_only_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("disk.img");
    std::fs::write(&path, [[1; 512], [2; 512]].concat()).unwrap();
    let mut medium = Medium::file(&path, 512).unwrap();
    assert_eq!((medium.sectors(), medium.read(1, 1).unwrap()), (2, vec![2; 512]));
    assert!(medium.write(1, &[9; 512]));
    assert_eq!(medium.read(1, 1).unwrap(), [9; 512]);
    assert_eq!(std::fs::read(&path).unwrap()[512..], [2; 512]);
}

#[test]
fn only_the_right_identify_is_answered() {
    let disk = Disk::new(Medium::pattern(0x1234_5678));
    let data = disk.identify(false).unwrap();
    assert_eq!(&data[54..58], b"DW C");
    assert_eq!(data[120..124], [0x78, 0x56, 0x34, 0x12]);
    assert_eq!(disk.identify(true), None);
    assert!(CdDrive::new(None).identify(true).is_some());
    assert_eq!(CdDrive::new(None).identify(false), None);
}
