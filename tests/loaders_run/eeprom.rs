//! An EEPROM that sees nothing but its two pins, and notices when it is treated badly.

#[derive(Clone, Copy, PartialEq)]
pub enum Phase {
    Idle,
    /// Taking bits of byte number n since START.
    Taking(usize),
    Giving,
}

/// What the part refuses to acknowledge.
#[derive(Clone, Copy, Default)]
pub struct Faults {
    pub absent: bool,
    pub address: bool,
    pub data_byte: Option<usize>,
    pub ignores_writes: bool,
    /// SDA held low until that many more clocks have come.
    pub holds_sda: u32,
    pub holds_scl: bool,
}

pub struct Eeprom {
    pub cells: Vec<u8>,
    pub two_byte: bool,
    pub page: usize,
    pub cycle_ns: u64,
    pub faults: Faults,
    pub phase: Phase,
    pub bits: u32,
    pub shift: u8,
    pub pulls: bool,
    pub pointer: usize,
    pub latch: Vec<(usize, u8)>,
    pub busy_until: u64,
    /// (SCL, SDA) as last seen.
    pub lines: (bool, bool),
    pub reading: bool,
    pub pages: Vec<usize>,
    pub refused: bool,
    /// A STOP or START came while the part was sending: the last byte was not refused.
    pub interrupted: bool,
    /// Compares the address pins, which are strapped low, instead of ignoring them.
    pub one_block: bool,
}

impl Eeprom {
    pub fn new(size: usize, two_byte: bool, page: usize) -> Self {
        Self {
            cells: (0..size).map(|i| (i * 7 + i / 256) as u8).collect(),
            two_byte,
            page,
            cycle_ns: 4_000_000,
            faults: Faults::default(),
            phase: Phase::Idle,
            bits: 0,
            shift: 0,
            pulls: false,
            pointer: 0,
            latch: Vec::new(),
            busy_until: 0,
            lines: (true, true),
            reading: false,
            pages: Vec::new(),
            refused: false,
            interrupted: false,
            one_block: false,
        }
    }

    /// What the master leaves the lines at changes; returns the lines with the part's own pull.
    pub fn see(&mut self, scl: bool, master_sda: bool, now: u64) {
        let sda = master_sda && !self.pulls && self.faults.holds_sda == 0;
        let (scl_before, sda_before) = self.lines;
        self.lines = (scl, sda);
        match (scl_before, scl) {
            (true, true) if sda_before && !sda => self.start(),
            (true, true) if !sda_before && sda => self.stop(now),
            (false, true) => self.rise(sda),
            (true, false) => self.fall(now),
            _ => {}
        }
        self.lines.1 = master_sda && !self.pulls && self.faults.holds_sda == 0;
    }

    fn start(&mut self) {
        self.interrupted |= self.phase == Phase::Giving;
        self.latch.clear();
        self.phase = Phase::Taking(0);
        self.bits = 0;
        self.pulls = false;
    }

    fn stop(&mut self, now: u64) {
        self.interrupted |= self.phase == Phase::Giving;
        self.phase = Phase::Idle;
        self.pulls = false;
        let latch = std::mem::take(&mut self.latch);
        if let Some((first, _)) = latch.first() {
            self.pages.push(first / self.page);
            self.busy_until = now + self.cycle_ns;
            if !self.faults.ignores_writes {
                for (at, byte) in latch {
                    self.cells[at] = byte;
                }
            }
        }
    }

    fn rise(&mut self, sda: bool) {
        self.faults.holds_sda = self.faults.holds_sda.saturating_sub(1);
        self.bits += 1;
        match self.phase {
            Phase::Taking(_) if self.bits <= 8 => self.shift = self.shift << 1 | u8::from(sda),
            Phase::Giving if self.bits == 9 => self.refused = sda,
            _ => {}
        }
    }

    fn fall(&mut self, now: u64) {
        match self.phase {
            Phase::Idle => {}
            Phase::Taking(number) if self.bits == 8 => {
                let taken = self.take(number, now);
                self.pulls = taken;
                self.phase = if taken { Phase::Taking(number + 1) } else { Phase::Idle };
            }
            Phase::Taking(_) if self.bits == 9 => {
                self.pulls = false;
                self.bits = 0;
                if self.reading {
                    self.phase = Phase::Giving;
                    self.load();
                }
            }
            Phase::Giving if self.bits == 9 => {
                self.bits = 0;
                self.pulls = false;
                if self.refused { self.phase = Phase::Idle } else { self.load() }
            }
            Phase::Giving if self.bits < 8 => self.pulls = self.shift & 0x80 >> self.bits == 0,
            Phase::Giving => self.pulls = false,
            Phase::Taking(_) => {}
        }
    }

    fn load(&mut self) {
        self.shift = self.cells[self.pointer];
        self.pointer = (self.pointer + 1) % self.cells.len();
        self.pulls = self.shift & 0x80 == 0;
    }

    fn take(&mut self, number: usize, now: u64) -> bool {
        let byte = usize::from(self.shift);
        let address_bytes = if self.two_byte { 2 } else { 1 };
        if number == 0 {
            self.reading = byte & 1 == 1;
            if !self.two_byte && !self.reading {
                self.pointer = (byte >> 1 & 7) << 8;
            }
            let mask = if self.one_block { 0xFE } else { 0xF0 };
            return byte & mask == 0xA0 && now >= self.busy_until && !self.faults.absent;
        }
        if number <= address_bytes {
            self.pointer = match (self.two_byte, number) {
                (true, 1) => byte << 8,
                (true, _) => self.pointer & 0xFF00 | byte,
                (false, _) => self.pointer & 0x0700 | byte,
            } % self.cells.len();
            return !self.faults.address;
        }
        if self.faults.data_byte == Some(number - address_bytes - 1) {
            return false;
        }
        self.latch.push((self.pointer, self.shift));
        self.pointer = self.pointer / self.page * self.page + (self.pointer + 1) % self.page;
        true
    }
}
