//! The memory seam carries what today's chips do not have: a flash that is erased in blocks, what
//! makes it boot at its end, bytes that stay the unit's own, bytes that the chip changes by itself,
//! an end to the writing, a way into the boot mode by request, a mask ROM with the firmware's ids.

mod chip;

use std::sync::{Arc, Mutex};

use chip::{BLOCK, Board, BootBus, COUNTER, FLASH_CHIP, MARK, SERIAL, SIZE, VERSION, image};
use recover::executor::{Learning, Request};
use recover::failure::{Code, DeviceState};
use recover::rescue::choice::NamedImage;
use recover::rescue::{Outcome, Verdict};
use recover::usb::Bus;

use crate::cast::Cast;
use crate::support::{Desk, port, scenario};

fn request(bytes: Vec<u8>) -> Request {
    let mut request =
        Request { port: Some(port()), as_family: Some(&FLASH_CHIP), ..Request::default() };
    request.target.image = Some(NamedImage { name: "flash.bin".to_owned(), bytes });
    request
}

fn cast(desk: &Desk, board: &Arc<Mutex<Board>>) -> Cast {
    let mut cast = Cast::usual(desk);
    cast.bus = Box::new(BootBus { board: Arc::clone(board), clock: desk.bus.clock() });
    let hands = Arc::clone(board);
    cast.operator = Box::new(crate::cast::Hands(move |_: &_| hands.lock().unwrap().power_cycle()));
    cast
}

fn rescue(desk: &Desk, board: &Arc<Mutex<Board>>, request: &Request) -> Outcome {
    cast(desk, board).rescue(desk, request)
}

/// A board with an older firmware, the same mark and a serial number of its own.
fn old_board() -> Arc<Mutex<Board>> {
    let mut flash = vec![0x3c; SIZE];
    flash[SERIAL].copy_from_slice(b"SN-00042");
    flash[MARK].copy_from_slice(b"BOOT");
    Arc::new(Mutex::new(Board::new(flash)))
}

fn blank_board() -> Arc<Mutex<Board>> {
    Arc::new(Mutex::new(Board::new(vec![0xff; SIZE])))
}

/// Whether the flash holds the image, the unit's own bytes and the counter left out.
fn holds(flash: &[u8], bytes: &[u8]) -> bool {
    let own = |at: usize| SERIAL.contains(&at) || COUNTER.contains(&at);
    (0..bytes.len()).all(|at| own(at) || flash[at] == bytes[at])
}

#[test]
fn a_blank_flash_is_written_and_its_firmware_is_asked_for_its_version() {
    let desk = Desk::new(scenario("sl11r-blank"));
    let board = blank_board();
    let outcome = rescue(&desk, &board, &request(image()));
    assert_eq!(outcome.result, Verdict::Rescued, "{:?}", outcome.failure);
    assert_eq!(outcome.device_state, DeviceState::Restored);
    let board = board.lock().unwrap();
    assert!(holds(&board.flash, &image()) && board.runs_firmware);
    assert_eq!(board.ended, 1);
    assert_eq!(board.erases, 0, "an empty flash needs no erase");
}

/// A request to write a board whose firmware runs.
fn replacing() -> Request {
    Request { port: Some(port()), replace_running_firmware: true, ..request(image()) }
}

#[test]
fn a_chip_enters_its_boot_mode_and_the_units_own_bytes_stay() {
    let desk = Desk::new(scenario("sl11r-blank"));
    let board = old_board();
    let forced = replacing();
    let outcome = rescue(&desk, &board, &forced);
    assert_eq!(outcome.result, Verdict::Rescued, "{:?}", outcome.failure);
    let board = board.lock().unwrap();
    assert_eq!(board.entered, 1);
    assert!(holds(&board.flash, &image()));
    assert_eq!(&board.flash[SERIAL], b"SN-00042");
    assert_eq!(board.erases, SIZE / BLOCK);
}

#[test]
fn firmware_with_the_right_ids_and_another_version_is_not_confirmed() {
    let desk = Desk::new(scenario("sl11r-blank"));
    let board = blank_board();
    board.lock().unwrap().version = Some(VERSION + 1);
    let outcome = rescue(&desk, &board, &request(image()));
    assert_eq!(outcome.failure.unwrap().code, Code::R112);
}

#[test]
fn a_mask_rom_with_the_ids_of_the_firmware_is_not_taken_for_it() {
    let desk = Desk::new(scenario("sl11r-blank"));
    let board = blank_board();
    board.lock().unwrap().never_boots = true;
    let outcome = rescue(&desk, &board, &request(image()));
    assert_eq!(outcome.failure.unwrap().code, Code::R114);
}

#[test]
fn a_flash_cut_off_inside_any_operation_never_boots_half_an_image_and_is_finished_later() {
    let whole = {
        let desk = Desk::new(scenario("sl11r-blank"));
        let board = old_board();
        rescue(&desk, &board, &replacing());
        let board = board.lock().unwrap();
        board.operations
    };
    assert!(whole > 12, "{whole} operations");
    let old = old_board().lock().unwrap().flash.clone();
    for cut in 1..=whole {
        let desk = Desk::new(scenario("sl11r-blank"));
        let board = old_board();
        board.lock().unwrap().cut_at = Some(cut);
        let forced = replacing();
        let outcome = rescue(&desk, &board, &forced);
        assert_ne!(outcome.result, Verdict::Rescued, "cut at {cut}");
        let flash = board.lock().unwrap().flash.clone();
        let boots = &flash[MARK] == b"BOOT";
        assert!(!boots || flash == old || holds(&flash, &image()), "cut at {cut}");
        board.lock().unwrap().cut_at = None;
        let outcome = rescue(&desk, &board, &request(image()));
        assert_eq!(outcome.result, Verdict::Rescued, "after {cut}: {:?}", outcome.failure);
        let board = board.lock().unwrap();
        assert!(holds(&board.flash, &image()), "after {cut}");
        assert_eq!(&board.flash[SERIAL], b"SN-00042", "after {cut}");
    }
}

/// The unit at that port was changed for another of the same model before the second run.
#[test]
fn another_unit_does_not_get_the_serial_number_of_the_one_before() {
    let desk = Desk::new(scenario("sl11r-blank"));
    let board = old_board();
    board.lock().unwrap().cut_at = Some(2);
    rescue(&desk, &board, &replacing());
    let other = old_board();
    other.lock().unwrap().flash[SERIAL].copy_from_slice(b"SN-00077");
    other.lock().unwrap().flash[MARK].copy_from_slice(b"????");
    other.lock().unwrap().power_cycle();
    let outcome = rescue(&desk, &other, &request(image()));
    assert_eq!(outcome.result, Verdict::Rescued, "{:?}", outcome.failure);
    assert_eq!(&other.lock().unwrap().flash[SERIAL], b"SN-00077");
}

/// Another unit whose own rescue broke off in the same way, by another program or at another bench.
#[test]
fn another_unit_that_is_half_written_does_not_get_the_serial_number_of_the_one_before() {
    let desk = Desk::new(scenario("sl11r-blank"));
    let board = old_board();
    board.lock().unwrap().cut_at = Some(12);
    rescue(&desk, &board, &replacing());
    let half_written = board.lock().unwrap().flash.clone();
    let other = Arc::new(Mutex::new(Board::new(half_written)));
    other.lock().unwrap().flash[SERIAL].copy_from_slice(b"SN-00077");
    let outcome = rescue(&desk, &other, &request(image()));
    let failure = outcome.failure.unwrap();
    assert_eq!(failure.code, Code::R115);
    assert!(failure.next[0].contains("recover resume"), "{:?}", failure.next);
    assert_eq!(&other.lock().unwrap().flash[SERIAL], b"SN-00077");
}

#[test]
fn a_chip_does_not_leave_its_firmware_for_an_image_that_is_refused() {
    let desk = Desk::new(scenario("sl11r-blank"));
    let board = old_board();
    let mut forced = replacing();
    forced.target.image = None;
    let outcome = rescue(&desk, &board, &forced);
    assert!(outcome.failure.is_some());
    assert_eq!(board.lock().unwrap().entered, 0);
}

#[test]
fn a_disk_that_is_mounted_at_once_is_not_asked_and_fails_no_rescue() {
    let desk = Desk::new(scenario("sl11r-blank"));
    let board = blank_board();
    board.lock().unwrap().is_mounted_at_once = true;
    let outcome = rescue(&desk, &board, &request(image()));
    assert_eq!(outcome.result, Verdict::Rescued, "{:?}", outcome.failure);
    assert!(outcome.notes.iter().any(|note| note.contains("in use")), "{:?}", outcome.notes);
}

#[test]
fn a_firmware_that_has_just_started_may_miss_the_first_question() {
    for (failing, ending) in [(1, Verdict::Rescued), (2, Verdict::Failed)] {
        let desk = Desk::new(scenario("sl11r-blank"));
        let board = blank_board();
        board.lock().unwrap().failing_questions = failing;
        let outcome = rescue(&desk, &board, &request(image()));
        assert_eq!(outcome.result, ending, "{failing}: {:?}", outcome.failure);
    }
}

#[test]
fn a_memory_that_claims_gigabytes_is_not_read() {
    let desk = Desk::new(scenario("sl11r-blank"));
    let board = blank_board();
    board.lock().unwrap().told_bytes = u32::MAX;
    let outcome = rescue(&desk, &board, &request(image()));
    assert_eq!(outcome.result, Verdict::Failed);
    assert_eq!(outcome.device_state, DeviceState::RunningFromRam);
    assert!(outcome.failure.unwrap().what.contains("4294967295 bytes"));
}

/// Its memory is read in its boot mode; what it is was seen before.
#[test]
fn a_chip_leaves_its_firmware_for_a_lesson_too() {
    let desk = Desk::new(scenario("sl11r-blank"));
    let board = Arc::new(Mutex::new(Board::new(image())));
    let before = board.lock().unwrap().flash.clone();
    let folder = tempfile::tempdir().unwrap();
    let learning = Learning { folder: folder.path().to_owned(), name: Some("twin".to_owned()) };
    let request =
        Request { port: Some(port()), as_family: Some(&FLASH_CHIP), ..Request::default() };
    let outcome = cast(&desk, &board).run(&desk, |session| session.learn(&request, &learning));
    // Everything was read; profiles know no such chip.
    assert_eq!(outcome.failure.unwrap().code, Code::R506);
    let board = board.lock().unwrap();
    assert_eq!((board.entered, board.operations), (1, 0));
    assert!(holds(&board.flash, &before));
}
