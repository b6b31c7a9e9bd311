//! What a Linux computer needs so that its user may open a device: a rules file for udev.

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::usb::Ids;

/// Where the rules file goes. It must sort before 73-seat-late.rules, which acts on `uaccess`.
pub const RULES_PATH: &str = "/etc/udev/rules.d/70-recover.rules";

/// The text of a rules file that lets the user at the computer open devices with these ids: whom
/// the seat belongs to by `uaccess`, and the group `plugdev` where there is no seat (over ssh).
///
/// The caller names both the ids a blank device shows and those of the healthy one, because the
/// same device is opened under both.
pub fn udev_rules(ids: &[Ids]) -> String {
    let mut text = format!(
        "# Lets the user of this computer open the devices that recover works on.\n\
         #\n\
         # To install it:\n\
         #   recover udev-rules | sudo tee {RULES_PATH}\n\
         #   sudo udevadm control --reload\n\
         # Then unplug the device and plug it in again.\n"
    );
    for Ids { vendor, product } in ids.iter().copied().collect::<BTreeSet<_>>() {
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "SUBSYSTEM==\"usb\", ATTR{{idVendor}}==\"{vendor:04x}\", \
             ATTR{{idProduct}}==\"{product:04x}\", \
             MODE=\"0660\", GROUP=\"plugdev\", TAG+=\"uaccess\""
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_id_has_one_rule() {
        let blank = Ids::new(0x04ce, 0x07d1);
        let text = udev_rules(&[blank, Ids::new(0x04ce, 0x0002), blank]);
        let rules: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(
            rules,
            [
                r#"SUBSYSTEM=="usb", ATTR{idVendor}=="04ce", ATTR{idProduct}=="0002", MODE="0660", GROUP="plugdev", TAG+="uaccess""#,
                r#"SUBSYSTEM=="usb", ATTR{idVendor}=="04ce", ATTR{idProduct}=="07d1", MODE="0660", GROUP="plugdev", TAG+="uaccess""#,
            ]
        );
    }

    #[test]
    fn the_file_says_how_it_is_installed() {
        let text = udev_rules(&[]);
        assert!(text.contains(RULES_PATH) && text.contains("udevadm control --reload"), "{text}");
    }
}
