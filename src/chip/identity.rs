//! Who an enclosure says it is. The proof of a rescue is that this is what it was.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::usb::{ClassCode, Ids, Sighting};

/// What an enclosure presents when healthy. A field that is `None` is not promised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// idVendor and idProduct.
    #[doc(alias = "idVendor")]
    #[doc(alias = "idProduct")]
    pub ids: Ids,
    /// bcdDevice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bcd_device: Option<u16>,
    /// Class codes of the first interface.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interface_class: Option<ClassCode>,
    /// iManufacturer's text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manufacturer: Option<String>,
    /// iProduct's text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// iSerialNumber's text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
}

impl Identity {
    /// What a device on the bus presents now.
    pub fn of(seen: &Sighting) -> Self {
        Self {
            ids: seen.ids,
            bcd_device: Some(seen.bcd_device),
            interface_class: seen.interfaces.first().map(|interface| interface.class),
            manufacturer: seen.manufacturer.clone(),
            product: seen.product.clone(),
            serial: seen.serial.clone(),
        }
    }

    /// The names of what is promised here.
    pub fn promises(&self) -> Vec<&'static str> {
        let promised = [
            ("ids", true),
            ("revision", self.bcd_device.is_some()),
            ("class", self.interface_class.is_some()),
            ("manufacturer", self.manufacturer.is_some()),
            ("product", self.product.is_some()),
            ("serial", self.serial.is_some()),
        ];
        promised.into_iter().filter(|(_, is)| *is).map(|(name, _)| name).collect()
    }

    /// How `seen` differs from what is promised here, one phrase each; empty when every promise
    /// is kept.
    pub fn differences(&self, seen: &Self) -> Vec<String> {
        let mut found = Vec::new();
        let mut compare = |name: &str, expected: Option<String>, got: Option<String>| {
            if let Some(expected) = expected
                && got.as_ref() != Some(&expected)
            {
                let got = got.unwrap_or_else(|| "none".to_owned());
                found.push(format!("{name} {got} instead of {expected}"));
            }
        };
        let bcd = |bcd: Option<u16>| bcd.map(|bcd| format!("{bcd:04x}"));
        let quoted = |text: &Option<String>| text.as_ref().map(|text| format!("{text:?}"));
        compare("ids", Some(self.ids.to_string()), Some(seen.ids.to_string()));
        compare("bcdDevice", bcd(self.bcd_device), bcd(seen.bcd_device));
        compare(
            "interface class",
            self.interface_class.map(|class| class.to_string()),
            seen.interface_class.map(|class| class.to_string()),
        );
        compare("manufacturer", quoted(&self.manufacturer), quoted(&seen.manufacturer));
        compare("product", quoted(&self.product), quoted(&seen.product));
        compare("serial", quoted(&self.serial), quoted(&seen.serial));
        found
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.ids)?;
        if let Some(bcd) = self.bcd_device {
            write!(f, " rev {:x}.{:02x}", bcd >> 8, bcd & 0xff)?;
        }
        if let Some(class) = self.interface_class {
            write!(f, " class {class}")?;
        }
        for text in [&self.manufacturer, &self.product].into_iter().flatten() {
            write!(f, " {text:?}")?;
        }
        if let Some(serial) = &self.serial {
            write!(f, " serial {serial:?}")?;
        }
        Ok(())
    }
}
