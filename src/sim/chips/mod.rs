//! Models of bridge chips: mask ROM, memory map and peripherals around a core from
//! [`super::cores`]. Each implements [`super::Device`].

pub mod at2lp;
pub mod cy16;
pub mod ezusb;
pub mod families;
