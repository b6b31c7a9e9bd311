//! What a program waits for ahead of its first answer: every bit that says "ready" comes, and what
//! the model does not have is named.

use super::*;
use crate::sim::diagnostic::Verdict;

/// An FX2LP that runs `before`, then answers every request that has data with 5A.
fn runs(before: &[u8]) -> EzUsb {
    let program = [before, POLLED_FX2].concat();
    powered(&FX2LP, "24lc64", &image(&FX2LP, &[(0, &program)]))
}

fn answers(chip: &mut EzUsb) -> Completion {
    read(chip, 0xB0, 0, 1)
}

#[test]
fn every_bit_that_says_ready_comes() {
    let waits: [(&str, &[u8]); 13] = [
        ("GPIFTRIG's DONE", &[0xE5, 0xBB, 0x30, 0xE7, 0xFB]),
        ("GPIFTRIG's DONE behind a transaction", &[0x75, 0xBB, 0x06, 0xE5, 0xBB, 0x30, 0xE7, 0xFB]),
        ("GPIFIDLECS's DONE", &[0x90, 0xE6, 0xC1, 0xE0, 0x30, 0xE7, 0xFC]),
        ("GPIFIRQ", &[0x75, 0xBB, 0x06, 0x90, 0xE6, 0x61, 0xE0, 0x30, 0xE0, 0xFC]),
        ("EP24FIFOFLGS", &[0xE5, 0xAB, 0x30, 0xE1, 0xFB]),
        ("EP2FIFOFLGS", &[0x90, 0xE6, 0xA7, 0xE0, 0x30, 0xE1, 0xFC]),
        ("a start of frame", &[0x90, 0xE6, 0x5D, 0xE0, 0x30, 0xE1, 0xFC]),
        ("TI in mode 0", &[0x75, 0x98, 0x00, 0x75, 0x99, 0x41, 0x30, 0x99, 0xFD]),
        ("TI of port 1", &[0x75, 0xC0, 0x00, 0x75, 0xC1, 0x41, 0x30, 0xC1, 0xFD]),
        (
            "TI by timer 1",
            &[
                0x75, 0x89, 0x20, 0x75, 0x8D, 0xFD, 0xD2, 0x8E, // timer 1 reloads itself
                0x75, 0x98, 0x40, 0x75, 0x99, 0x41, 0x30, 0x99, 0xFD,
            ],
        ),
        (
            "TI by timer 2",
            &[
                0x75, 0xCB, 0xFF, 0x75, 0xCA, 0xD0, 0x75, 0xC8, 0x34, // RCLK, TCLK, TR2
                0x75, 0x98, 0x40, 0x75, 0x99, 0x41, 0x30, 0x99, 0xFD,
            ],
        ),
        (
            "TI by UART230",
            &[
                0x90, 0xE6, 0x08, 0x74, 0x03, 0xF0, // UART230
                0x75, 0x98, 0x40, 0x75, 0x99, 0x41, 0x30, 0x99, 0xFD,
            ],
        ),
        ("a microframe", &[0x90, 0xE6, 0x86, 0xE0, 0xB4, 0x05, 0xFC]),
    ];
    for (what, before) in waits {
        let mut chip = runs(before);
        assert_eq!(answers(&mut chip), done(&[0x5A]), "{what}: {:?}", chip.diagnostics());
    }
}

#[test]
fn ti_comes_when_the_bits_are_through_and_not_before() {
    // Timer 2 overflows every 48 of its ticks, which are two clocks each; sixteen overflows a bit,
    // ten bits: 1.28 ms at 12 MHz. 200 rounds of eight cycles are 0.53 ms.
    let sends = [
        0x75, 0xCB, 0xFF, 0x75, 0xCA, 0xD0, 0x75, 0xC8, 0x34, // timer 2 as the clock
        0x75, 0x98, 0x40, 0x75, 0x99, 0x41, // mode 1, a byte
        0x74, 0xC8, 0x30, 0x99, 0x05, // A = 200; TI?
        0x75, 0x30, 0x01, 0x80, 0xFE, // too early
        0xD5, 0xE0, 0xF5, // 200 times round
    ];
    let mut chip = runs(&sends);
    assert_eq!(answers(&mut chip), done(&[0x5A]));
    assert_eq!(chip.cpu.memory()[0x30], 0);
}

#[test]
fn uart230_sends_at_115200_baud_or_with_smod_at_twice_that_at_every_clock_of_the_cpu() {
    // Ten bits are 86.8 us or 43.4 us; a round takes eight cycles of four clocks.
    let clocks = [(0x00, 12.0), (0x08, 24.0), (0x10, 48.0)];
    for (smod, ten_bits) in [(0x00, 86.8), (0x80, 43.4)] {
        for (clock, megahertz) in clocks {
            let before = [
                0x90, 0xE6, 0x08, 0x74, 0x03, 0xF0, // UART230 for both ports
                0x90, 0xE6, 0x00, 0x74, clock, 0xF0, // CPUCS
                0x75, 0x87, smod, // PCON
                0x75, 0x98, 0x40, 0xE4, 0x75, 0x99, 0x41, // mode 1, A = 0, a byte
                0x20, 0x99, 0x03, 0x04, 0x80, 0xFA, // rounds until TI
                0xF5, 0x30, // 30 = A
            ];
            let mut chip = runs(&before);
            assert_eq!(answers(&mut chip), done(&[0x5A]));
            let took = f64::from(chip.cpu.memory()[0x30]) * 32.0 / megahertz;
            let is_right = (ten_bits - 4.0..ten_bits + 3.0).contains(&took);
            assert!(is_right, "SMOD {smod:02x}, {megahertz} MHz: {took} us");
        }
    }
}

#[test]
fn a_byte_that_was_sent_interrupts() {
    let main = [
        &[0x75, 0x98, 0x00, 0xD2, 0xAC, 0xD2, 0xAF, 0x75, 0x99, 0x41, 0x30, 0x00, 0xFD][..],
        POLLED_FX2,
    ]
    .concat();
    let firmware: [(u16, &[u8]); 3] =
        [(0x0000, &[0x02, 0x00, 0x60]), (0x0023, &[0xC2, 0x99, 0xD2, 0x00, 0x32]), (0x0060, &main)];
    let mut chip = powered(&FX2LP, "24lc64", &image(&FX2LP, &firmware));
    assert_eq!(answers(&mut chip), done(&[0x5A]));
}

/// A program whose USB interrupt ends its request by INT2CLR or by USBIRQ.
const BY_INT2CLR: &str = "c2091201000001000003000002020000030043020100000301000201800015018\
    0c0e0c082c0835391ef75a100d200d083d082d0e0320053020075814\
    0c20090e65c7401f090e6687408f0d2e8d2af3000fdc20090e6b9e0b4062990e6bbe0b4010c90e6b37403f0a37400f\
    08016b4020c90e6b37403f0a37420f0800790e6a0e04401f090e6a0e04480f080c200120300120100\
    02ff00004009120100000100000001001203200902120001010080320904000000ff0000008001e60000";

#[test]
fn int2clr_ends_the_usb_interrupt_that_is_served() {
    let image = hex::decode(BY_INT2CLR).unwrap();
    let mut chip = powered(&FX2LP, "24lc64", &image);
    assert_eq!(ids(&mut chip)[..4], [0x09, 0x12, 0x01, 0x00], "{:?}", chip.diagnostics());
    // The request is cleared: no second interrupt follows.
    assert_eq!(chip.board.get(0xE65D) & 1, 0);
}

fn unknowns(chip: &EzUsb) -> Vec<String> {
    let said = chip.diagnostics().iter().filter(|said| said.verdict == Verdict::Unknown);
    said.map(|said| said.text.clone()).collect()
}

#[test]
fn what_a_program_waits_for_in_vain_is_named_on_the_bus_and_off_it() {
    let waits: [(&str, &[u8]); 8] = [
        (
            "GPIFREADYSTAT, the RDY pins (register e6f4)",
            &[0x90, 0xE6, 0xF4, 0xE0, 0x30, 0xE0, 0xFC],
        ),
        ("IOA, the pins of port A (SFR 80)", &[0x30, 0x80, 0xFD]),
        ("SCON0, the receiver of serial port 0 (SFR 98)", &[0x30, 0x98, 0xFD]),
        ("EXIF, the pins INT4 and INT5 (SFR 91)", &[0xE5, 0x91, 0x30, 0xE6, 0xFB]),
        ("TCON, the pins INT0, INT1, T0 and T1 (SFR 88)", &[0x30, 0x89, 0xFD]),
        ("INT0", &[0xD2, 0xA8, 0xD2, 0xAF, 0x80, 0xFE]),
        // What is not there reads FF, so the other level is waited for.
        ("data memory outside of the chip (8000)", &[0x90, 0x80, 0x00, 0xE0, 0x20, 0xE0, 0xFC]),
        ("program memory outside of the chip (4000)", &[0x02, 0x40, 0x00]),
    ];
    for (what, before) in waits {
        let mut on = runs(before);
        assert_eq!(answers(&mut on), Completion::TimedOut, "{what}");
        assert!(
            unknowns(&on).iter().any(|text| text.contains(what)),
            "{what}: {:?}",
            unknowns(&on)
        );
        // DISCON in the header: it never attaches.
        let program = [before, POLLED_FX2].concat();
        let mut bytes = image(&FX2LP, &[(0, &program)]);
        bytes[7] = 0x40;
        let off = powered(&FX2LP, "24lc64", &bytes);
        assert_eq!(off.attachment(), None);
        assert!(
            unknowns(&off).iter().any(|text| text.contains(what)),
            "{what}: {:?}",
            unknowns(&off)
        );
        assert_eq!(off.unmodelled().is_empty(), what == "INT0", "{what}");
    }
}

#[test]
fn a_program_that_only_hangs_met_no_unknown() {
    let mut chip = runs(&[0x80, 0xFE]);
    assert_eq!(answers(&mut chip), Completion::TimedOut);
    assert_eq!((chip.diagnostics(), chip.unmodelled()), (&[][..], &[][..]));
}

#[test]
fn a_program_that_runs_is_told_of_no_unknown_however_often_it_reads_a_pin() {
    let reads: Vec<u8> = [0xE5, 0x80, 0xE5, 0x90].repeat(8);
    let mut chip = runs(&reads);
    assert_eq!(answers(&mut chip), done(&[0x5A]));
    assert_eq!(chip.diagnostics(), []);
    assert_eq!(chip.unmodelled().len(), 2);
    assert_eq!(chip.unmodelled()[0].to_string(), "IOA, the pins of port A (SFR 80) at 0000");
}

#[test]
fn a_timer_or_a_transmitter_that_is_polled_is_no_unknown() {
    let polls: [(&str, &[u8]); 4] = [
        ("TF0", &[0x75, 0x89, 0x01, 0xD2, 0x8C, 0x30, 0x8D, 0xFD]),
        ("TF1", &[0x75, 0x89, 0x10, 0xD2, 0x8E, 0x30, 0x8F, 0xFD]),
        ("TR0", &[0xD2, 0x8C, 0x30, 0x8C, 0xFD]),
        ("TI", &[0x75, 0x98, 0x00, 0x75, 0x99, 0x41, 0x30, 0x99, 0xFD]),
    ];
    for (what, before) in polls {
        let mut chip = runs(before);
        assert_eq!(answers(&mut chip), done(&[0x5A]), "{what}");
        assert_eq!(chip.unmodelled(), [], "{what}");
    }
    // Counters of events wait for the pins T0 and T1.
    let counters: [&[u8]; 2] = [
        &[0x75, 0x89, 0x05, 0xD2, 0x8C, 0x30, 0x8D, 0xFD],
        &[0x75, 0x89, 0x50, 0xD2, 0x8E, 0x30, 0x8F, 0xFD],
    ];
    for before in counters {
        let mut chip = runs(before);
        assert_eq!(answers(&mut chip), Completion::TimedOut);
        let told = unknowns(&chip);
        let names = |text: &String| text.contains("TCON, the pins INT0, INT1, T0 and T1");
        assert!(told.iter().any(names), "{told:?}");
    }
}

#[test]
fn the_fx_is_told_of_its_fifos_and_an_an2131_of_memory() {
    let names = [
        (&FX, "a register of the FX's FIFOs and GPIF (7824)"),
        (&AN2131, "data memory outside of the chip (7824)"),
    ];
    for (silicon, name) in names {
        let mut chip = EzUsb::new(silicon, None);
        chip.power_on(0);
        for address in [0x7824, 0x9000] {
            chip.board.read_external(address);
        }
        assert_eq!(chip.unmodelled()[0].what, name);
        assert_eq!(chip.unmodelled()[1].what, "data memory outside of the chip (9000)");
    }
}

#[test]
fn intsetup_keeps_the_bits_by_which_a_program_tells_an_fx2() {
    let mut fx2 = EzUsb::new(&FX2LP, None);
    fx2.power_on(0);
    fx2.board.write_external(0xE668, 0xFF);
    assert_eq!(fx2.board.read_external(0xE668), 0x0B);
}

#[test]
fn outputs_are_no_unknowns() {
    let mut chip = runs(&[0x75, 0xB2, 0xFF, 0x75, 0x80, 0x5A, 0xE5, 0x80]);
    assert_eq!(answers(&mut chip), done(&[0x5A]));
    assert_eq!(chip.unmodelled(), []);
    // PINSA of an AN2131 shows what OUTA drives.
    let mut chip = EzUsb::new(&AN2131, None);
    chip.power_on(0);
    for (register, value) in [(0x7F9C, 0x0F), (0x7F96, 0xFF)] {
        chip.board.write_external(register, value);
    }
    assert_eq!(chip.board.read_external(0x7F99), 0x0F);
}
