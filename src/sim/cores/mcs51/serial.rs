//! The transmitters of the two serial ports. Nothing is wired to their pins: TI is set when the
//! bits of a byte are through, and RI never.
//!
//! Source: \[MCS51\] for the modes. Mode 0 shifts 8 bits at clock / 12 or, with SM2 (inferred), / 4;
//! modes 1 and 3 take 10 and 11 bits at the overflows of timer 1 or 2 divided by 32 or 16; mode 2
//! takes 11 bits at clock / 64 or / 32. Without a timer that runs no bit is sent.

/// SCON: SM0 SM1 SM2 REN TB8 RB8 TI RI.
const TI: u8 = 0x02;

/// What clocks the bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BaudClock {
    Cycles,
    Timer1,
    Timer2,
}

/// Overflows and cycles that passed, and what divides them.
pub(super) struct Passed {
    pub(super) cycles: u32,
    pub(super) timer_1: bool,
    pub(super) timer_2: bool,
}

/// One port.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Serial {
    pub(super) control: u8,
    /// What is left of the byte being sent: the clock of its bits, and how many of its ticks.
    sending: Option<(BaudClock, u32)>,
}

impl Serial {
    pub(super) const fn flags(&self) -> u8 {
        self.control | self.control >> 1
    }

    /// A write of SBUF. `timer_2` is RCLK or TCLK for this port, `doubled` its SMOD bit, `fast` the
    /// cycles of a bit at 230400 baud where its bit of UART230 is set. Without SMOD that clock gives
    /// 115200 baud (inferred: public programs for the FX2 reach the two rates so).
    pub(super) fn send(&mut self, timer_2: bool, doubled: bool, fast: Option<u32>) {
        let divisor = if doubled { 16 } else { 32 };
        self.sending = Some(match self.control >> 6 {
            0 => (BaudClock::Cycles, 8 * if self.control & 0x20 != 0 { 1 } else { 3 }),
            2 => (BaudClock::Cycles, 11 * if doubled { 8 } else { 16 }),
            mode => {
                let bits = if mode == 1 { 10 } else { 11 };
                match (fast, timer_2) {
                    (Some(cycles), _) => {
                        (BaudClock::Cycles, bits * cycles * if doubled { 1 } else { 2 })
                    }
                    (None, true) => (BaudClock::Timer2, bits * 16),
                    (None, false) => (BaudClock::Timer1, bits * divisor),
                }
            }
        });
    }

    #[inline]
    pub(super) fn pass(&mut self, passed: &Passed) {
        let Some((clock, left)) = self.sending else { return };
        let ticks = match clock {
            BaudClock::Cycles => passed.cycles,
            BaudClock::Timer1 => u32::from(passed.timer_1),
            BaudClock::Timer2 => u32::from(passed.timer_2),
        };
        let left = left.saturating_sub(ticks);
        self.sending = (left > 0).then_some((clock, left));
        if left == 0 {
            self.control |= TI;
        }
    }
}
