//! A serial EEPROM as its bus sees it: START, bytes with acknowledge, STOP.
//!
//! One state machine serves both ways of access: whole bytes (a chip whose ROM drives the bus) and
//! pins ([`super::i2c`]). The rules are those of the datasheets in [`super::table`]: a page write
//! wraps inside its page, the write cycle begins at STOP and the part answers nothing until it is
//! over, a sequential read wraps at the end of the part.
//!
//! Times are nanoseconds of the virtual clock and are passed in.

use super::Part;

/// What a part does with writes while its WP pin is high. Makers differ; both are documented.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WriteProtect {
    /// WP is low.
    #[default]
    Off,
    /// Data bytes are acknowledged and forgotten.
    Ignores,
    /// Data bytes are not acknowledged.
    Refuses,
}

/// How worn a part is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wear {
    /// Write cycles in all.
    pub cycles: u64,
    /// Write cycles of each page, in address order.
    pub pages: Vec<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Not addressed; deaf until the next START.
    Deaf,
    Control,
    AddressHigh,
    AddressLow,
    Taking,
    Giving,
}

/// A serial memory with its content, its faults and its wear.
#[derive(Clone, Debug)]
pub struct Eeprom {
    part: Part,
    cells: Vec<u8>,
    wear: Wear,
    state: State,
    pointer: u32,
    /// Bytes taken since the address, by cell; written at STOP.
    latch: Vec<(u32, u8)>,
    ready_at: u64,
    in_cycle: Vec<u32>,
    dead: bool,
    lying: bool,
    stuck: Option<(u32, u8)>,
    slowness: u32,
    protect: WriteProtect,
}

impl Eeprom {
    /// A part with `content` from address 0 on and FF, its erased state, behind it. Content beyond
    /// the part's end is cut off.
    pub fn new(part: Part, content: &[u8]) -> Self {
        let mut cells = content.to_vec();
        cells.resize(part.bytes as usize, 0xff);
        let wear = Wear { cycles: 0, pages: vec![0; (part.bytes / part.page) as usize] };
        Self {
            part,
            cells,
            wear,
            state: State::Deaf,
            pointer: 0,
            latch: Vec::new(),
            ready_at: 0,
            in_cycle: Vec::new(),
            dead: false,
            lying: false,
            stuck: None,
            slowness: 1,
            protect: WriteProtect::Off,
        }
    }

    /// A part that never acknowledges.
    #[must_use]
    pub fn dead(mut self) -> Self {
        self.dead = true;
        self
    }

    /// A part that acknowledges writes, takes its time and keeps the old bytes.
    #[must_use]
    pub fn lying(mut self) -> Self {
        self.lying = true;
        self
    }

    /// A part whose byte at `address` is `value`, whatever is written there.
    #[must_use]
    pub fn stuck(mut self, address: u32, value: u8) -> Self {
        self.stuck = Some((self.wrapped(address), value));
        self
    }

    /// A part whose write cycle takes `times` as long as the datasheet allows.
    #[must_use]
    pub fn slow(mut self, times: u32) -> Self {
        self.slowness = times.max(1);
        self
    }

    /// A part with its WP pin wired so.
    #[must_use]
    pub fn protected(mut self, protect: WriteProtect) -> Self {
        self.protect = protect;
        self
    }

    /// What kind of part it is.
    pub fn part(&self) -> Part {
        self.part
    }

    /// Every byte as a read would show it.
    pub fn content(&self) -> Vec<u8> {
        let mut content = self.cells.clone();
        if let Some((address, value)) = self.stuck
            && let Some(cell) = content.get_mut(address as usize)
        {
            *cell = value;
        }
        content
    }

    /// Puts `content` into the cells as a clip-on programmer would; FF behind it. Wear stays.
    pub fn load(&mut self, content: &[u8]) {
        self.cells = content.to_vec();
        self.cells.resize(self.part.bytes as usize, 0xff);
    }

    /// Write cycles so far.
    pub fn wear(&self) -> &Wear {
        &self.wear
    }

    /// Whether a write cycle runs at `now`.
    pub fn is_busy(&self, now: u64) -> bool {
        now < self.ready_at
    }

    /// When the last write cycle is over.
    pub fn ready_at(&self) -> u64 {
        self.ready_at
    }

    /// Power is lost. A write cycle erases before it programs, so one cut in its first half
    /// leaves erased bytes (inferred from how the cells work; the datasheets promise nothing).
    pub fn power_off(&mut self, now: u64) {
        let half = self.cycle_ns() / 2;
        if now < self.ready_at && self.ready_at - now > half && !self.lying {
            for address in std::mem::take(&mut self.in_cycle) {
                if let Some(cell) = self.cells.get_mut(address as usize) {
                    *cell = 0xff;
                }
            }
        }
        self.in_cycle.clear();
        self.latch.clear();
        self.state = State::Deaf;
        self.pointer = 0;
        self.ready_at = 0;
    }

    /// START, or a repeated START: a write that was not ended by STOP is forgotten.
    pub fn start(&mut self) {
        self.latch.clear();
        self.state = State::Control;
    }

    /// STOP: begins the write cycle when there is something to write.
    pub fn stop(&mut self, now: u64) {
        let taken = std::mem::take(&mut self.latch);
        let writes = self.state == State::Taking && !taken.is_empty();
        self.state = State::Deaf;
        if !writes || self.protect != WriteProtect::Off {
            return;
        }
        self.wear.cycles += 1;
        if let Some((address, _)) = taken.first()
            && let Some(page) = self.wear.pages.get_mut((address / self.part.page) as usize)
        {
            *page += 1;
        }
        self.in_cycle.clear();
        for (address, byte) in taken {
            self.in_cycle.push(address);
            if !self.lying
                && let Some(cell) = self.cells.get_mut(address as usize)
            {
                *cell = byte;
            }
        }
        self.ready_at = now.saturating_add(self.cycle_ns());
    }

    /// A byte from the master; true when the part acknowledges it.
    pub fn take(&mut self, byte: u8, now: u64) -> bool {
        match self.state {
            State::Deaf | State::Giving => false,
            State::Control => self.take_control(byte, now),
            State::AddressHigh => {
                self.pointer = u32::from(byte) << 8;
                self.state = State::AddressLow;
                true
            }
            State::AddressLow => {
                self.pointer = self.wrapped(self.pointer & 0xff00 | u32::from(byte));
                self.state = State::Taking;
                true
            }
            State::Taking => self.take_data(byte),
        }
    }

    /// Whether the part is sending: the master's last control byte was a read.
    pub fn is_giving(&self) -> bool {
        self.state == State::Giving
    }

    /// The next byte to the master; FF, the idle level, when none was asked for.
    pub fn give(&mut self) -> u8 {
        if self.state != State::Giving {
            return 0xff;
        }
        let address = self.pointer;
        self.pointer = self.wrapped(address + 1);
        match self.stuck {
            Some((stuck, value)) if stuck == address => value,
            _ => self.cells.get(address as usize).copied().unwrap_or(0xff),
        }
    }

    /// The master did not acknowledge the last byte given: the read is over.
    pub fn refuse(&mut self) {
        self.state = State::Deaf;
    }

    fn take_control(&mut self, byte: u8, now: u64) -> bool {
        self.state = State::Deaf;
        // The address pins of a two-address-byte part are strapped low and compared; the
        // smaller parts have the block number there and ignore what they have no blocks for.
        let addressed =
            if self.part.address_bytes == 1 { byte & 0xf0 == 0xa0 } else { byte & 0xfe == 0xa0 };
        if self.dead || !addressed || self.is_busy(now) {
            return false;
        }
        if byte & 1 == 1 {
            self.state = State::Giving;
        } else if self.part.address_bytes == 1 {
            self.pointer = u32::from(byte >> 1 & 7) << 8;
            self.state = State::AddressLow;
        } else {
            self.state = State::AddressHigh;
        }
        true
    }

    fn take_data(&mut self, byte: u8) -> bool {
        if self.protect == WriteProtect::Refuses {
            return false;
        }
        let address = self.pointer;
        let within = self.part.page - 1;
        self.pointer = address & !within | (address + 1) & within;
        if self.part.write_cycle_us == 0 {
            // FRAM keeps each byte as it comes; there is no cycle for STOP to begin.
            if !self.lying
                && self.protect == WriteProtect::Off
                && let Some(cell) = self.cells.get_mut(address as usize)
            {
                *cell = byte;
            }
            return true;
        }
        match self.latch.iter_mut().find(|(at, _)| *at == address) {
            Some(entry) => entry.1 = byte,
            None => self.latch.push((address, byte)),
        }
        true
    }

    fn wrapped(&self, address: u32) -> u32 {
        address & (self.part.bytes - 1)
    }

    fn cycle_ns(&self) -> u64 {
        u64::from(self.part.write_cycle_us) * 1000 * u64::from(self.slowness)
    }
}

#[cfg(test)]
mod tests {
    use super::super::part;
    use super::*;

    const MS: u64 = 1_000_000;

    fn made(name: &str) -> Eeprom {
        Eeprom::new(part(name).unwrap(), &[])
    }

    fn write(part: &mut Eeprom, control: u8, bytes: &[u8], now: u64) -> bool {
        part.start();
        let mut acknowledged = part.take(control, now);
        for byte in bytes {
            acknowledged &= part.take(*byte, now);
        }
        part.stop(now);
        acknowledged
    }

    fn read(part: &mut Eeprom, control: u8, address: &[u8], length: usize, now: u64) -> Vec<u8> {
        part.start();
        assert!(part.take(control, now));
        for byte in address {
            assert!(part.take(*byte, now));
        }
        part.start();
        assert!(part.take(control | 1, now));
        let bytes = (0..length).map(|_| part.give()).collect();
        part.refuse();
        part.stop(now);
        bytes
    }

    #[test]
    fn a_page_write_wraps_inside_the_page() {
        let mut part = made("24c16");
        assert!(write(&mut part, 0xa0, &[0x0e, 1, 2, 3, 4], 0));
        assert_eq!(part.content()[0x00..0x02], [3, 4]);
        assert_eq!(part.content()[0x0e..0x11], [1, 2, 0xff]);
        assert_eq!((part.wear().cycles, part.wear().pages[0]), (1, 1));
    }

    #[test]
    fn the_part_answers_nothing_until_its_write_cycle_is_over() {
        let mut part = made("24lc64");
        assert!(write(&mut part, 0xa0, &[0, 0, 7], 0));
        part.start();
        assert!(!part.take(0xa0, 5 * MS - 1));
        part.start();
        assert!(part.take(0xa0, 5 * MS));
    }

    #[test]
    fn a_write_without_stop_writes_nothing() {
        let mut part = made("24c02");
        part.start();
        for byte in [0xa0, 0x10, 0x55] {
            assert!(part.take(byte, 0));
        }
        part.start();
        part.stop(0);
        assert_eq!((part.content()[0x10], part.wear().cycles), (0xff, 0));
    }

    #[test]
    fn a_sequential_read_wraps_at_the_end_of_the_part() {
        let mut part = Eeprom::new(part("24c04").unwrap(), &[0x11, 0x22]);
        assert_eq!(read(&mut part, 0xa2, &[0xff], 3, 0), [0xff, 0x11, 0x22]);
    }

    #[test]
    fn a_current_address_read_continues_after_the_last_one() {
        let mut part = Eeprom::new(part("24c02").unwrap(), &[1, 2, 3, 4]);
        assert_eq!(read(&mut part, 0xa0, &[1], 1, 0), [2]);
        part.start();
        assert!(part.take(0xa1, 0));
        assert_eq!(part.give(), 3);
    }

    #[test]
    fn address_bits_a_part_does_not_have_are_ignored() {
        let mut small = Eeprom::new(part("24c02").unwrap(), &[9]);
        assert_eq!(read(&mut small, 0xae, &[0], 1, 0), [9]);
        let mut large = Eeprom::new(part("24lc32").unwrap(), &[8]);
        assert_eq!(read(&mut large, 0xa0, &[0x10, 0], 1, 0), [8]);
    }

    #[test]
    fn a_two_byte_address_is_data_to_a_one_byte_part() {
        let mut part = made("24c16");
        assert!(write(&mut part, 0xa0, &[0x00, 0x34, 0x77], 0));
        assert_eq!(part.content()[..3], [0x34, 0x77, 0xff]);
    }

    #[test]
    fn a_part_with_two_address_bytes_compares_its_address_pins() {
        let mut part = made("24lc64");
        part.start();
        assert!(!part.take(0xa2, 0));
    }

    #[test]
    fn fram_has_no_write_cycle_and_no_page() {
        let mut part = made("fm24c64");
        let bytes: Vec<u8> = [0, 0].into_iter().chain(0..200).collect();
        assert!(write(&mut part, 0xa0, &bytes, 0));
        assert!(!part.is_busy(0));
        assert_eq!(part.content()[199], 199);
    }

    #[test]
    fn faulty_parts_fail_each_in_its_own_way() {
        let mut dead = made("24c02").dead();
        assert!(!write(&mut dead, 0xa0, &[0, 1], 0));
        let mut lying = made("24c02").lying();
        assert!(write(&mut lying, 0xa0, &[0, 1], 0));
        assert_eq!((lying.content()[0], lying.is_busy(MS)), (0xff, true));
        let mut stuck = made("24c02").stuck(3, 0xfe);
        assert!(write(&mut stuck, 0xa0, &[2, 1, 1], 0));
        assert_eq!(stuck.content()[2..4], [1, 0xfe]);
        assert_eq!(read(&mut stuck, 0xa0, &[3], 1, 10 * MS), [0xfe]);
        let mut slow = made("24c02").slow(4);
        assert!(write(&mut slow, 0xa0, &[0, 1], 0));
        assert!(slow.is_busy(19 * MS) && !slow.is_busy(20 * MS));
        let mut ignores = made("24c02").protected(WriteProtect::Ignores);
        assert!(write(&mut ignores, 0xa0, &[0, 1], 0));
        assert_eq!((ignores.content()[0], ignores.is_busy(0)), (0xff, false));
        let mut refuses = made("24c02").protected(WriteProtect::Refuses);
        assert!(!write(&mut refuses, 0xa0, &[0, 1], 0));
    }

    #[test]
    fn power_lost_early_in_a_write_cycle_leaves_erased_bytes() {
        let mut early = Eeprom::new(part("24c02").unwrap(), &[0; 8]);
        assert!(write(&mut early, 0xa0, &[0, 0x12, 0x34], 0));
        early.power_off(MS);
        assert_eq!(early.content()[..3], [0xff, 0xff, 0]);
        let mut late = Eeprom::new(part("24c02").unwrap(), &[0; 8]);
        assert!(write(&mut late, 0xa0, &[0, 0x12], 0));
        late.power_off(4 * MS);
        assert_eq!(late.content()[..2], [0x12, 0]);
    }
}
