//! One USB device as seen now, and the names of the place where it was seen.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A port by its place in the tree of hubs: bus number, then the port at each hub, as Linux
/// writes it: `3-2.1`. It stays the same when the device in it changes its identity.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PortPath {
    bus: u8,
    ports: Vec<u8>,
}

impl PortPath {
    /// A path from a bus number and the port numbers from the root hub outwards. A root hub
    /// itself has no ports in its path.
    pub fn new(bus: u8, ports: Vec<u8>) -> Self {
        Self { bus, ports }
    }

    /// The path of a port of the hub at this one.
    #[must_use]
    pub fn below(&self, port: u8) -> Self {
        Self { bus: self.bus, ports: [self.ports.as_slice(), &[port]].concat() }
    }

    /// The bus number.
    pub fn bus(&self) -> u8 {
        self.bus
    }

    /// Port numbers from the root hub outwards.
    pub fn ports(&self) -> &[u8] {
        &self.ports
    }

    /// The hub this port belongs to; its path has no ports where that is the root hub. `None` for
    /// a root hub itself.
    pub fn hub(&self) -> Option<Self> {
        let (_, ports) = self.ports.split_last()?;
        Some(Self { bus: self.bus, ports: ports.to_vec() })
    }
}

impl fmt::Display for PortPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.bus)?;
        for (depth, port) in self.ports.iter().enumerate() {
            write!(f, "{}{port}", if depth == 0 { '-' } else { '.' })?;
        }
        Ok(())
    }
}

/// A port path that is not written as `BUS-PORT[.PORT...]`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a port path; write it as `recover list` does, like 3-2.1")]
pub struct BadPortPath(String);

impl FromStr for PortPath {
    type Err = BadPortPath;

    fn from_str(text: &str) -> Result<Self, BadPortPath> {
        let bad = || BadPortPath(text.to_owned());
        let (bus, ports) = text.split_once('-').ok_or_else(bad)?;
        let number = |part: &str| part.parse::<u8>().map_err(|_| bad());
        let ports = ports.split('.').map(number).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { bus: number(bus)?, ports })
    }
}

impl TryFrom<String> for PortPath {
    type Error = BadPortPath;

    fn try_from(text: String) -> Result<Self, BadPortPath> {
        text.parse()
    }
}

impl From<PortPath> for String {
    fn from(path: PortPath) -> Self {
        path.to_string()
    }
}

/// Vendor and product id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Ids {
    /// idVendor.
    #[doc(alias = "idVendor")]
    pub vendor: u16,
    /// idProduct.
    #[doc(alias = "idProduct")]
    pub product: u16,
}

impl Ids {
    /// Both ids, vendor first.
    pub const fn new(vendor: u16, product: u16) -> Self {
        Self { vendor, product }
    }
}

impl fmt::Display for Ids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04x}:{:04x}", self.vendor, self.product)
    }
}

/// A pair of ids that is not written as `VVVV:PPPP` in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a pair of USB ids; write it like 04ce:07d1")]
pub struct BadIds(String);

impl FromStr for Ids {
    type Err = BadIds;

    fn from_str(text: &str) -> Result<Self, BadIds> {
        let bad = || BadIds(text.to_owned());
        let (vendor, product) = text.split_once(':').ok_or_else(bad)?;
        let number = |part: &str| {
            // from_str_radix alone would take a sign as a digit.
            if part.len() == 4 && part.bytes().all(|b| b.is_ascii_hexdigit()) {
                u16::from_str_radix(part, 16).map_err(|_| bad())
            } else {
                Err(bad())
            }
        };
        Ok(Self { vendor: number(vendor)?, product: number(product)? })
    }
}

impl TryFrom<String> for Ids {
    type Error = BadIds;

    fn try_from(text: String) -> Result<Self, BadIds> {
        text.parse()
    }
}

impl From<Ids> for String {
    fn from(ids: Ids) -> Self {
        ids.to_string()
    }
}

/// Class, subclass and protocol of a device or interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClassCode {
    /// bDeviceClass or bInterfaceClass.
    #[doc(alias = "bDeviceClass")]
    #[doc(alias = "bInterfaceClass")]
    pub class: u8,
    /// bDeviceSubClass or bInterfaceSubClass.
    #[doc(alias = "bDeviceSubClass")]
    #[doc(alias = "bInterfaceSubClass")]
    pub subclass: u8,
    /// bDeviceProtocol or bInterfaceProtocol.
    #[doc(alias = "bDeviceProtocol")]
    #[doc(alias = "bInterfaceProtocol")]
    pub protocol: u8,
}

impl ClassCode {
    /// The three codes in descriptor order.
    pub const fn new(class: u8, subclass: u8, protocol: u8) -> Self {
        Self { class, subclass, protocol }
    }
}

impl fmt::Display for ClassCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02x}/{:02x}/{:02x}", self.class, self.subclass, self.protocol)
    }
}

/// Class codes that are not written as `CC/SS/PP` in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a USB class code; write it like 08/06/50")]
pub struct BadClassCode(String);

impl FromStr for ClassCode {
    type Err = BadClassCode;

    fn from_str(text: &str) -> Result<Self, BadClassCode> {
        let bad = || BadClassCode(text.to_owned());
        let mut parts = text.split('/').map(|part| u8::from_str_radix(part, 16).map_err(|_| bad()));
        let mut next = || parts.next().ok_or_else(bad)?;
        let code = Self::new(next()?, next()?, next()?);
        if parts.next().is_some() { Err(bad()) } else { Ok(code) }
    }
}

impl TryFrom<String> for ClassCode {
    type Error = BadClassCode;

    fn try_from(text: String) -> Result<Self, BadClassCode> {
        text.parse()
    }
}

impl From<ClassCode> for String {
    fn from(code: ClassCode) -> Self {
        code.to_string()
    }
}

/// Bus speed of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Speed {
    /// 1.5 Mbit/s.
    Low,
    /// 12 Mbit/s.
    Full,
    /// 480 Mbit/s.
    High,
    /// 5 Gbit/s or more.
    Super,
    /// Not told by the operating system.
    Unknown,
}

impl fmt::Display for Speed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Low => "low speed",
            Self::Full => "full speed",
            Self::High => "high speed",
            Self::Super => "super speed",
            Self::Unknown => "unknown speed",
        })
    }
}

/// One endpoint of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// bEndpointAddress; bit 7 set means device to host.
    #[doc(alias = "bEndpointAddress")]
    pub address: u8,
    /// Transfer type, bmAttributes bits 1..0: 0 control, 1 isochronous, 2 bulk, 3 interrupt.
    #[doc(alias = "bmAttributes")]
    pub kind: u8,
    /// wMaxPacketSize, bytes.
    #[doc(alias = "wMaxPacketSize")]
    pub max_packet: u16,
}

/// One alternate setting of one interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interface {
    /// bInterfaceNumber.
    #[doc(alias = "bInterfaceNumber")]
    pub number: u8,
    /// bAlternateSetting.
    #[doc(alias = "bAlternateSetting")]
    pub alternate: u8,
    /// Class codes.
    pub class: ClassCode,
    /// Its endpoints in descriptor order.
    pub endpoints: Vec<Endpoint>,
}

/// One USB device as the bus shows it now. Every field is the device's own claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sighting {
    /// Where it is.
    pub port: PortPath,
    /// The number the host gave it at this enumeration; a re-enumeration changes it.
    pub device_number: u8,
    /// idVendor and idProduct.
    #[doc(alias = "idVendor")]
    #[doc(alias = "idProduct")]
    pub ids: Ids,
    /// bcdDevice.
    #[doc(alias = "bcdDevice")]
    pub bcd_device: u16,
    /// Device class codes.
    pub class: ClassCode,
    /// iManufacturer's text; `None` where there is none or it could not be read.
    #[doc(alias = "iManufacturer")]
    pub manufacturer: Option<String>,
    /// iProduct's text.
    #[doc(alias = "iProduct")]
    pub product: Option<String>,
    /// iSerialNumber's text.
    #[doc(alias = "iSerialNumber")]
    pub serial: Option<String>,
    /// Interfaces of the first configuration.
    pub interfaces: Vec<Interface>,
    /// Bus speed.
    pub speed: Speed,
    /// The kernel driver bound to its first interface, where the operating system tells.
    pub driver: Option<String>,
}

impl Sighting {
    /// Whether `other` is this very enumeration: same port, same device number.
    pub fn is_same_enumeration(&self, other: &Self) -> bool {
        self.port == other.port && self.device_number == other.device_number
    }
}
