//! The table of the families there are: the one place to enter a new one.

use super::{Chip, Model, at2lp, cy16, ezusb};

/// Every family, in the order they are asked.
pub fn families() -> &'static [&'static dyn Chip] {
    &[&cy16::Cy16, &at2lp::At2lp, &ezusb::Ezusb]
}

/// The family with that name.
pub fn family(name: &str) -> Option<&'static dyn Chip> {
    families().iter().copied().find(|chip| chip.family() == name)
}

/// The model with that name, and its family.
pub fn model(name: &str) -> Option<(&'static dyn Chip, Model)> {
    families()
        .iter()
        .copied()
        .find_map(|chip| chip.models().iter().find(|m| m.name == name).map(|m| (chip, *m)))
}
