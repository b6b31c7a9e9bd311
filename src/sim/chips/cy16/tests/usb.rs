//! Enumeration, descriptors and the loader's read.

use super::*;

#[test]
fn the_default_descriptors_are_the_documented_bytes() {
    let mut host = Host::ez();
    assert_eq!(host.exchange(&standard(6, 0x0100, 64)).unwrap(), EZ_OTG.device);
    assert_eq!(host.exchange(&standard(6, 0x0200, 255)).unwrap(), EZ_OTG.configuration);
    assert_eq!(host.exchange(&standard(6, 0x0200, 9)).unwrap(), EZ_OTG.configuration[..9]);
    assert_eq!(host.exchange(&standard(6, 0x0300, 255)).unwrap(), [4, 3, 9, 4]);
    let seen = host.seen().unwrap();
    assert_eq!(seen.product.as_deref(), Some("CYPRESS EZ-OTG"));
    assert_eq!(seen.interfaces[0].endpoints.len(), 2);
    for refused in [standard(6, 0x0302, 255), standard(6, 0x0600, 10), standard(2, 0, 0)] {
        assert_eq!(host.exchange(&refused), Err(TransferError::Stall));
    }
}

#[test]
fn the_loader_reads_ram_registers_and_rom_at_any_address_and_length() {
    let mut host = Host::ez();
    host.store(0x2000, &[0xAB; 4096]);
    for length in [2, 3, 63, 64, 4096] {
        assert_eq!(host.read(0x2000, length), vec![0xAB; usize::from(length)]);
    }
    assert_eq!(host.read(0x1FFF, 2)[1], 0xAB);
    assert_eq!(host.read(0xFF00, 4), [0x9F, 0xCF, 0x00, 0xE0]);
    assert_eq!(host.word(0xC004), 0x0101);
    assert_eq!(host.word(0xC002), 0x0100);
    let rom = host.read(0xE000, 4096);
    assert!(rom.iter().any(|byte| *byte != rom[0]));
    assert_eq!(host.diagnostics(), []);
}

#[test]
fn vectors_hold_addresses_inside_the_rom() {
    for mut host in [Host::ez(), Host::sl11r()] {
        for number in [64, 67, 70, 71, 83, 94] {
            let address = host.word(2 * number);
            assert!(address >= 0xE000 && address.is_multiple_of(2), "{number}: {address:04x}");
        }
    }
    assert_eq!(Host::sl11r().word(0x00A6), 0xF332);
}

#[test]
fn a_read_with_another_opcode_is_refused() {
    let mut host = Host::ez();
    let other = Transfer::vendor_in(0xFF, 6, 0, 2);
    assert_eq!(host.exchange(&other), Err(TransferError::Stall));
    assert_eq!(host.exchange(&Transfer::vendor_in(0xA0, 7, 0, 2)), Err(TransferError::Stall));
}

#[test]
fn sixteen_kilobytes_of_reads_take_a_bounded_time_on_the_wire() {
    let mut host = Host::ez();
    let before = host.bus.virtual_time();
    for piece in 0..4 {
        host.read(piece * 0x1000, 0x1000);
    }
    let took = (host.bus.virtual_time() - before).as_millis();
    assert!((50..300).contains(&took), "{took} ms");
}

#[test]
fn a_changed_descriptor_vector_shows_at_the_next_port_reset() {
    let mut host = Host::ez();
    let before = host.seen().unwrap();
    let mut device = EZ_OTG.device.to_vec();
    device[10] = 0x42;
    host.store(0x2000, &device);
    host.bus.reset(&before).unwrap();
    assert_eq!(host.seen().unwrap(), before);
    host.store(0x00B4, &[0x00, 0x20]);
    assert_eq!(host.seen().unwrap(), before);
    host.bus.reset(&before).unwrap();
    let after = host.seen().unwrap();
    assert_eq!(after.ids, Ids::new(0x04B4, 0x7242));
    assert_ne!(after.device_number, before.device_number);
    let stale = Transfer::vendor_in(0xFF, 7, 0, 2);
    assert_eq!(host.exchange(&stale), Err(TransferError::Gone));
    assert!(matches!(host.bus.open(&before), Err(crate::usb::BusError::Left(_))));
    host.open();
    assert_eq!(host.read(0x2000, 18), device);
}

#[test]
fn a_blocked_main_loop_answers_standard_requests_and_times_the_loader_out() {
    let mut host = Host::ez();
    host.store(0x2000, &[0x7F, 0xCF]); // jmp to itself
    assert_eq!(host.try_scan(&record(5, &[0x00, 0x20]), 1), Err(TransferError::TimedOut));
    let read = Transfer::vendor_in(0xFF, 7, 0, 2);
    assert_eq!(host.exchange(&read), Err(TransferError::TimedOut));
    assert_eq!(host.exchange(&standard(6, 0x0100, 18)).unwrap(), EZ_OTG.device);
    host.pass(60_000);
    assert!(host.said("did not come back"));
    assert_eq!(host.exchange(&standard(6, 0x0100, 18)).unwrap(), EZ_OTG.device);
}

#[test]
fn endpoints_that_nobody_armed_time_out() {
    let mut host = Host::ez();
    let timeout = Duration::from_millis(500);
    let out = Transfer::BulkOut { endpoint: 1, data: vec![0; 31], timeout };
    assert_eq!(host.exchange(&out), Err(TransferError::TimedOut));
    let inwards = Transfer::BulkIn { endpoint: 0x82, length: 13, timeout };
    assert_eq!(host.exchange(&inwards), Err(TransferError::TimedOut));
}

#[test]
fn a_class_handler_of_the_program_answers_with_the_roms_send() {
    let eeprom = Eeprom::new(
        part("24lc64").unwrap(),
        include_bytes!("../../../../../recovery-images/cy16/simulated-ez-otg/factory.bin"),
    );
    let mut host = Host::with(Cy16::new(&EZ_OTG, Some(eeprom)));
    let class = |request| {
        let setup = Setup { request_type: 0xA1, request, value: 0, index: 0, length: 1 };
        Transfer::ControlIn { setup, timeout: Duration::from_secs(1) }
    };
    assert_eq!(host.exchange(&class(0xFE)), Ok(vec![0]));
    assert_eq!(host.exchange(&class(0x01)), Err(TransferError::Stall));
    assert_eq!(host.exchange(&class(0xFE)), Ok(vec![0]));
    assert_eq!(host.read(0x0100, 2).len(), 2);
    assert_eq!(host.diagnostics(), []);
}

#[test]
fn nothing_is_answered_while_a_program_has_interrupts_off() {
    let mut host = Host::ez();
    // cli ; mov r1,100 ; mov r2,FFFF ; dec r2 ; jnz -2 ; dec r1 ; jnz -7 ; sti ; ret: about 1 s
    let code = [
        0xC1, 0xDF, 0xC1, 0x07, 0x64, 0x00, 0xC2, 0x07, 0xFF, 0xFF, 0x02, 0xDA, 0x7E, 0xC1, 0x01,
        0xDA, 0x7A, 0xC1, 0xC0, 0xDF, 0x97, 0xCF,
    ];
    host.store(0x2000, &code);
    let call = Transfer::vendor_out(0xFF, 5, 0, [&record(5, &[0x00, 0x20])[..], &[0, 0]].concat());
    let before = host.bus.virtual_time();
    let soon = call.within(Duration::from_millis(100));
    assert_eq!(host.exchange(&soon), Err(TransferError::TimedOut));
    assert_eq!(host.exchange(&standard(6, 0x0100, 18)).unwrap(), EZ_OTG.device);
    let took = (host.bus.virtual_time() - before).as_millis();
    assert!((900..1100).contains(&took), "{took} ms");
}

#[test]
fn a_refused_request_runs_the_loader_that_sits_on_the_stall_vector() {
    let mut host = Host::sl11r();
    // inc [0800] ; ret
    host.store(0x0800, &[0, 0]);
    host.scan(&record(2, &[82, 0x27, 0xD8, 0x00, 0x08, 0x97, 0xCF]));
    let other = Transfer::vendor_in(0xA0, 0, 0, 2).within(Duration::from_millis(50));
    assert_eq!(host.exchange(&other), Err(TransferError::TimedOut));
    assert_eq!(host.word(0x0800), 1);
}

#[test]
fn a_program_is_told_of_every_reset_and_configuration() {
    let mut host = Host::ez();
    host.store(0x2000, &[0x27, 0xD8, 0x00, 0x21, 0x97, 0xCF]); // inc [2100] ; ret
    host.store(0x2100, &[0, 0]);
    host.store(2 * 95, &[0x00, 0x20]);
    let seen = host.seen().unwrap();
    host.bus.reset(&seen).unwrap();
    assert_eq!(host.word(0x2100), 2);
}
