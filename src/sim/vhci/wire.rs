//! USB/IP as it passes between the kernel's virtual host controller and a device: requests of 48
//! bytes with data behind those that carry some, and their answers. All numbers are big-endian.
//!
//! Source: \[USBIP\]. The kernel is trusted with its
//! own memory but not here: every length is bounded before a byte of it is read.

use std::io::{self, Read};

use crate::usb::Setup;

const SUBMIT: u32 = 1;
const UNLINK: u32 = 2;
const SUBMITTED: u32 = 3;
const UNLINKED: u32 = 4;
/// Bytes of a header of any kind.
const HEADER: usize = 48;
/// Most bytes of one transfer: what Linux gives all of usbfs.
const MAX_BYTES: u32 = 16 << 20;
/// transfer_flags: a short answer is an error for whoever asked.
const SHORT_NOT_OK: u32 = 1;

/// Linux error numbers, as answers carry them.
const EPIPE: i32 = -32;
const ECONNRESET: i32 = -104;
const EREMOTEIO: i32 = -121;

/// What the kernel asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Request {
    /// A transfer.
    Submit(Submit),
    /// The transfer with the number `victim` is not wanted any more.
    Unlink { number: u32, victim: u32 },
}

/// A transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Submit {
    /// The kernel's number for it.
    pub(super) number: u32,
    /// Endpoint address, bit 7 set for IN; 00 and 80 are control transfers.
    pub(super) endpoint: u8,
    /// Bytes asked for or sent.
    pub(super) length: u32,
    /// Whether it is for an interrupt endpoint, which the kernel asks at an interval.
    pub(super) interrupt: bool,
    /// The SETUP bytes; zeros but in control transfers.
    pub(super) setup: Setup,
    /// Data of an OUT.
    pub(super) data: Vec<u8>,
    short_not_ok: bool,
}

/// What is said of a transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Data of an IN.
    Given(Vec<u8>),
    /// So many bytes of an OUT were taken.
    Taken(u32),
    /// STALL.
    Stall,
}

/// What is no request.
#[derive(Debug, thiserror::Error)]
pub(super) enum WireError {
    /// The socket was closed between two requests.
    #[error("the kernel closed the connection")]
    Closed,
    #[error("the connection broke: {0}")]
    Broken(#[from] io::Error),
    #[error("command {0:#x} is not one of USB/IP's requests")]
    Command(u32),
    #[error("{field} is {got}, at most {maximum} is possible")]
    Beyond { field: &'static str, got: u32, maximum: u32 },
    #[error("isochronous transfers are not modelled")]
    Isochronous,
    #[error("wLength is {announced} but the transfer has {length} bytes")]
    Lengths { announced: u16, length: u32 },
}

/// The next request; waits for it.
pub(super) fn read_request(stream: &mut impl Read) -> Result<Request, WireError> {
    let mut header = [0; HEADER];
    let (first, rest) = header.split_at_mut(1);
    if stream.read(first)? == 0 {
        return Err(WireError::Closed);
    }
    stream.read_exact(rest)?;
    let (words, _) = header.as_chunks::<4>();
    let words = words.iter().map(|word| u32::from_be_bytes(*word));
    let words: [u32; HEADER / 4] = words.collect::<Vec<_>>().try_into().unwrap_or_default();
    // The device's number is the one it was attached with; there is one device a connection.
    let [
        command,
        number,
        _device,
        direction,
        endpoint,
        flags,
        length,
        _start,
        packets,
        interval,
        ..,
    ] = words;
    match command {
        SUBMIT => {}
        UNLINK => return Ok(Request::Unlink { number, victim: flags }),
        other => return Err(WireError::Command(other)),
    }
    let bounded = |field, got, maximum| {
        if got <= maximum { Ok(got) } else { Err(WireError::Beyond { field, got, maximum }) }
    };
    let inwards = bounded("the direction", direction, 1)? == 1;
    let endpoint = bounded("the endpoint", endpoint, 15)? as u8 | u8::from(inwards) << 7;
    let length = bounded("the length", length, MAX_BYTES)?;
    // Linux says 0 or -1 for what is not isochronous.
    if !matches!(packets, 0 | u32::MAX) {
        return Err(WireError::Isochronous);
    }
    let [.., t, r, v0, v1, i0, i1, l0, l1] = header;
    let setup = Setup {
        request_type: t,
        request: r,
        value: u16::from_le_bytes([v0, v1]),
        index: u16::from_le_bytes([i0, i1]),
        length: u16::from_le_bytes([l0, l1]),
    };
    if endpoint & 0x7f == 0 && u32::from(setup.length) != length {
        return Err(WireError::Lengths { announced: setup.length, length });
    }
    let mut data = Vec::new();
    if !inwards {
        stream.take(u64::from(length)).read_to_end(&mut data)?;
        if data.len() < length as usize {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
    }
    Ok(Request::Submit(Submit {
        number,
        endpoint,
        length,
        // The kernel sends an interval with any endpoint; it means something at these only.
        interrupt: endpoint & 0x7f != 0 && interval != 0,
        setup,
        data,
        short_not_ok: flags & SHORT_NOT_OK != 0,
    }))
}

impl Submit {
    /// Whether it is a control transfer.
    pub(super) fn is_control(&self) -> bool {
        self.endpoint & 0x7f == 0
    }

    /// Whether data comes from the device.
    pub(super) fn inwards(&self) -> bool {
        self.endpoint & 0x80 != 0
    }

    /// The bytes that answer this transfer.
    pub(super) fn answer(&self, answer: &Answer) -> Vec<u8> {
        let (status, length, data): (_, _, &[u8]) = match answer {
            Answer::Given(data) => {
                let data = data.get(..self.length as usize).unwrap_or(data);
                let short = data.len() < self.length as usize && self.short_not_ok;
                (if short { EREMOTEIO } else { 0 }, data.len() as u32, data)
            }
            Answer::Taken(length) => (0, *length, &[]),
            Answer::Stall => (EPIPE, 0, &[]),
        };
        let mut bytes = header(SUBMITTED, self.number, status);
        bytes.extend(length.to_be_bytes());
        bytes.resize(HEADER, 0);
        bytes.extend(data);
        bytes
    }
}

/// The bytes that answer an unlink: `taken_back` when the transfer had not been answered.
pub(super) fn unlinked(number: u32, taken_back: bool) -> Vec<u8> {
    let mut bytes = header(UNLINKED, number, if taken_back { ECONNRESET } else { 0 });
    bytes.resize(HEADER, 0);
    bytes
}

/// Command, number, three words that mean nothing in an answer, status.
fn header(command: u32, number: u32, status: i32) -> Vec<u8> {
    let words = [command, number, 0, 0, 0, status.cast_unsigned()];
    words.into_iter().flat_map(u32::to_be_bytes).collect()
}

/// A transfer without data, for tests.
#[cfg(test)]
pub(super) fn test_submit(endpoint: u8, setup: Setup) -> Submit {
    Submit {
        number: 1,
        endpoint,
        length: u32::from(setup.length),
        interrupt: false,
        setup,
        data: Vec::new(),
        short_not_ok: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A control IN as Linux 6.1 sent it over vhci_hcd: GET_DESCRIPTOR of the device, 64 bytes.
    fn captured() -> Vec<u8> {
        hex::decode(concat!(
            "00000001",
            "00000001",
            "00010001",
            "00000001",
            "00000000",
            "00000200",
            "00000040",
            "00000000",
            "00000000",
            "00000000",
            "8006000100004000"
        ))
        .unwrap()
    }

    fn with(at: usize, word: u32) -> Vec<u8> {
        let mut bytes = captured();
        bytes[at..at + 4].copy_from_slice(&word.to_be_bytes());
        bytes
    }

    fn read(bytes: &[u8]) -> Result<Request, WireError> {
        read_request(&mut &bytes[..])
    }

    fn submit(bytes: &[u8]) -> Submit {
        match read(bytes).unwrap() {
            Request::Submit(submit) => submit,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_request_of_the_kernel_is_understood() {
        let submit = submit(&captured());
        assert_eq!((submit.number, submit.endpoint, submit.length), (1, 0x80, 64));
        let setup = Setup { request_type: 0x80, request: 6, value: 0x0100, index: 0, length: 64 };
        assert_eq!(submit.setup, setup);
        assert!(submit.is_control() && submit.inwards() && !submit.interrupt);
        let unlink = read(&with(0, UNLINK)).unwrap();
        assert_eq!(unlink, Request::Unlink { number: 1, victim: 0x200 });
    }

    #[test]
    fn an_interval_makes_no_interrupt_transfer_of_a_control_transfer() {
        // Words 3, 4 and 9 are direction, endpoint and interval.
        assert!(!submit(&with(36, 4)).interrupt);
        let mut bytes = captured();
        for (word, value) in [(4, 1_u32), (9, 4)] {
            bytes[word * 4..word * 4 + 4].copy_from_slice(&value.to_be_bytes());
        }
        assert!(submit(&bytes).interrupt);
    }

    #[test]
    fn an_answer_has_status_length_and_data_where_the_kernel_reads_them() {
        let answer = submit(&captured()).answer(&Answer::Given(vec![0x12, 0x01]));
        assert_eq!(answer.len(), HEADER + 2);
        assert_eq!(&answer[..8], [0, 0, 0, 3, 0, 0, 0, 1]);
        assert_eq!(&answer[20..28], [0, 0, 0, 0, 0, 0, 0, 2]);
        assert_eq!(&answer[HEADER..], [0x12, 0x01]);
        let stall = submit(&captured()).answer(&Answer::Stall);
        assert_eq!(stall[20..24], (-32i32).to_be_bytes());
        assert_eq!(unlinked(7, true)[20..24], (-104i32).to_be_bytes());
        assert_eq!(unlinked(7, false).len(), HEADER);
    }

    #[test]
    fn a_device_that_gives_too_much_is_cut_and_one_that_gives_too_little_is_told_if_asked() {
        let long = submit(&captured()).answer(&Answer::Given(vec![0; 100]));
        assert_eq!((long.len(), &long[24..28]), (HEADER + 64, &[0, 0, 0, 64][..]));
        let strict = submit(&with(20, SHORT_NOT_OK)).answer(&Answer::Given(vec![0; 2]));
        assert_eq!(strict[20..24], (-121i32).to_be_bytes());
    }

    #[test]
    fn hostile_fields_are_refused_before_anything_is_read() {
        assert!(matches!(read(&[]), Err(WireError::Closed)));
        assert!(matches!(read(&captured()[..47]), Err(WireError::Broken(_))));
        assert!(matches!(read(&with(0, 9)), Err(WireError::Command(9))));
        assert!(matches!(read(&with(12, 2)), Err(WireError::Beyond { .. })));
        assert!(matches!(read(&with(16, 16)), Err(WireError::Beyond { .. })));
        assert!(matches!(read(&with(24, u32::MAX)), Err(WireError::Beyond { .. })));
        assert!(matches!(read(&with(32, 3)), Err(WireError::Isochronous)));
        assert!(matches!(read(&with(24, 65)), Err(WireError::Lengths { .. })));
        // An OUT whose data does not come.
        let mut out = with(12, 0);
        out[16..20].copy_from_slice(&2u32.to_be_bytes());
        assert!(matches!(read(&out), Err(WireError::Broken(_))));
    }
}
