//! A serial EEPROM as its bus sees it: START, bytes with acknowledge, STOP.
//!
//! One state machine serves both ways of access: whole bytes (a chip whose ROM drives the bus) and
//! pins ([`super::i2c`]). The rules are those of the datasheets in `parts::PARTS`: a page write
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
    /// Its data line is held at ground, so that nobody hears it.
    shorted: bool,
    lying: bool,
    stuck: Option<(u32, u8)>,
    slowness: u32,
    protect: WriteProtect,
    /// Levels of A2 to A0 of a part with two address bytes.
    pins: u8,
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
            shorted: false,
            lying: false,
            stuck: None,
            slowness: 1,
            protect: WriteProtect::Off,
            pins: 0,
        }
    }

    /// Holds its data line at ground, or lets it go.
    pub fn short(&mut self, shorted: bool) {
        self.shorted = shorted;
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

    /// A part whose pins A2 to A0 are wired to these levels, if it compares them.
    #[must_use]
    pub fn strapped(mut self, pins: u8) -> Self {
        self.pins = pins & 7;
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
        // The address pins are compared, or the block number is there and what there are no
        // blocks for is ignored.
        let addressed = if self.part.compares_pins {
            byte & 0xfe == 0xa0 | self.pins << 1
        } else {
            byte & 0xf0 == 0xa0
        };
        if self.dead || self.shorted || !addressed || self.is_busy(now) {
            return false;
        }
        if byte & 1 == 1 {
            self.state = State::Giving;
        } else if self.part.address_bytes == 1 {
            let block = u32::from(byte >> 1 & 7) << 8;
            self.pointer = if self.part.compares_pins { 0 } else { block };
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
mod tests;
