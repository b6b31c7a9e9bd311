//! The mask ROM: real addresses, no real code.
//!
//! Every service has its address in the ROM window, so vectors can be saved, replaced and chained
//! as on the chip. What stands there is an opcode no CY16 assigns: the CPU stops at it and the
//! model does the service (high-level emulation). Words F000 to F1FF are such traps; every other
//! word is an E-opcode of which the model knows nothing.
//!
//! The places are the model's choice, except those that real programs name.

use super::silicon::Silicon;

/// Service `n` has trap word `SERVICE | n`.
pub(super) const SERVICE: u16 = 0xF000;
/// The reset entry.
pub(super) const BOOT: u16 = 0xF100;
/// One step of the scan on top of the stack of scans.
pub(super) const SCAN_STEP: u16 = 0xF101;
/// Where a get-byte routine returns to.
pub(super) const BYTE_DONE: u16 = 0xF102;
/// Where an interrupt routine called for an EP0 request returns to.
pub(super) const REQUEST_DONE: u16 = 0xF103;
/// Where a callback of a SEND or RECEIVE frame returns to.
pub(super) const CALLBACK_DONE: u16 = 0xF104;

/// `ret`.
const RET: u16 = 0xCF97;

/// Offset of the service entries in the ROM, eight bytes each.
const SERVICES: u16 = 0x0200;
/// Offset of the default descriptors.
const DESCRIPTORS: u16 = 0x0700;
/// Offset of the other traps, four bytes each.
const TRAPS: u16 = 0x0010;

/// Addresses in one chip's ROM.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rom {
    base: u16,
    is_ez: bool,
    device: u16,
    configuration: u16,
    strings: u16,
}

impl Rom {
    /// The layout for `silicon`, and its bytes from the ROM's base to FFFF.
    pub(super) fn new(silicon: &Silicon, ids: Option<(u16, u16)>) -> (Self, Vec<u8>) {
        let base = silicon.rom_base;
        let device = base + DESCRIPTORS;
        // String descriptors must start at an even address [BM 1.7.5.2].
        let even = |address: usize| (address as u16 + 1) & !1;
        let configuration = even(usize::from(device) + silicon.device.len());
        let strings = even(usize::from(configuration) + silicon.configuration.len());
        let rom = Self { base, is_ez: silicon.is_ez, device, configuration, strings };

        let mut words = Image { base, bytes: vec![0; 0x1_0000 - usize::from(base)] };
        for address in (base..=0xFFFE).step_by(2) {
            // Unassigned opcodes that differ from word to word, so that it reads like a ROM.
            words.put(address, 0xE000 | (address.wrapping_mul(0x2D) >> 1) & 0x0FFF);
        }
        for number in 0..128 {
            let entry = rom.service(number);
            words.put(entry, SERVICE | number);
            words.put(entry + 2, RET);
        }
        for trap in [BOOT, SCAN_STEP, BYTE_DONE, REQUEST_DONE, CALLBACK_DONE] {
            words.put(rom.trap(trap), trap);
            words.put(rom.trap(trap) + 2, RET);
        }
        // IDLER_INT is real code: addi r15,2 ; int 70 ; int 71 [BM listing].
        for (index, word) in [0xD84F, 0xAF46, 0xAF47].into_iter().enumerate() {
            words.put(rom.service(71) + 2 * index as u16, word);
        }
        if silicon.is_ez {
            // The reset entry jumps to the start of the ROM [BM 1.3.2].
            words.put(base, BOOT);
            words.put(0xFF00, 0xCF9F);
            words.put(0xFF02, base);
            // A routine inside this BIOS that a captured EEPROM image calls before it starts USB.
            words.put(0xE7C6, RET);
        }
        words.bytes_at(device, silicon.device);
        if let Some((vendor, product)) = ids {
            words.bytes_at(device + 8, &vendor.to_le_bytes());
            words.bytes_at(device + 10, &product.to_le_bytes());
        }
        words.bytes_at(configuration, silicon.configuration);
        words.bytes_at(strings, silicon.strings);
        // A zero length ends the list of strings (model's choice).
        words.bytes_at(even(usize::from(strings) + silicon.strings.len()), &[0, 0]);
        (rom, words.bytes)
    }

    /// The stock address of service `number`.
    pub(super) fn service(&self, number: u16) -> u16 {
        match number {
            // The SL11R's INT 83 lies here: host programs write it back [EZ].
            83 if !self.is_ez => 0xF332,
            _ => self.base + SERVICES + 8 * number,
        }
    }

    /// The address of one of the other traps.
    pub(super) fn trap(&self, trap: u16) -> u16 {
        match trap {
            BOOT if self.is_ez => self.base,
            _ => self.base + TRAPS + 4 * (trap & 0xFF),
        }
    }

    /// Every vector and its stock value, for the table in RAM. Numbers without a service get an
    /// address too (model's choice), so that calling one is noticed.
    pub(super) fn vectors(&self) -> Vec<(u16, u16)> {
        let mut vectors: Vec<_> =
            (0..128).map(|number| (2 * number, self.service(number))).collect();
        let mut set = |number: u16, value| {
            if let Some(entry) = vectors.iter_mut().find(|(address, _)| *address == 2 * number) {
                entry.1 = value;
            }
        };
        for (first, value) in [(90, self.device), (91, self.configuration), (92, self.strings)] {
            set(first, value);
            set(first + 16, value);
        }
        // Data, no service: the OTG descriptor's pointer [BM].
        set(88, 0);
        if !self.is_ez {
            // Stock value captured, meaning unknown [EZ].
            vectors.push((0x02D2, 0xE8D4));
        }
        vectors
    }
}

struct Image {
    base: u16,
    bytes: Vec<u8>,
}

impl Image {
    fn put(&mut self, address: u16, word: u16) {
        self.bytes_at(address, &word.to_le_bytes());
    }

    fn bytes_at(&mut self, address: u16, bytes: &[u8]) {
        let start = usize::from(address.wrapping_sub(self.base));
        if let Some(place) = self.bytes.get_mut(start..start + bytes.len()) {
            place.copy_from_slice(bytes);
        }
    }
}
