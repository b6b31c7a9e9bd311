//! The scenarios of the AT2LP. Data only.

use super::{Board, BoardDrive, Content, Defect, Ending, Expectation, Scenario};
use crate::sim::chips::at2lp::Release;

const fn board(release: Release, strapped: bool, drive: BoardDrive) -> Board {
    Board::At2lp { release, strapped, drive }
}

const RC42: Scenario = Scenario {
    name: "at2lp-rc42",
    title: "an enclosure that became \"Cypress AT2LP RC42\"",
    story: "A disk enclosure whose owner tried a flash disk in it. Since then the computer finds \
            no drive but a \"Cypress AT2LP RC42\", 04b4:6830, and a HID interface with a number \
            it should not have. The bridge's small EEPROM was wiped to FF. The disk is well.",
    model: "at2lp",
    part: Some("24c02"),
    content: Content::Filled(0xFF),
    defect: Defect::None,
    board: board(Release::Rc42, false, BoardDrive::Disk),
    ids: None,
    faults: "",
    expectation: Expectation::Rescued,
};

pub(super) const SCENARIOS: &[Scenario] = &[
    RC42,
    Scenario {
        name: "at2lp-rc58",
        title: "an enclosure that became \"Cypress AT2LP RC58\"",
        story: "The same with a later chip: a power supply that dipped while the drive spun up, \
                and then \"Cypress AT2LP RC58\". Its EEPROM holds zeros. Only the product string \
                of such a unit is on record; its endpoints here are others than the RC42's.",
        content: Content::Filled(0x00),
        board: board(Release::Rc58, false, BoardDrive::Disk),
        ..RC42
    },
    Scenario {
        name: "at2lp-healthy-default",
        title: "a healthy enclosure under Cypress's own id",
        story: "Its maker never changed the ids of the reference design, so it shows 04b4:6830 \
                like a blank one. It has a mass-storage interface and a serial number of its \
                own, and its disk works. It has to stay as it is.",
        content: Content::Factory,
        expectation: Expectation::Untouched(Ending::HEALTHY),
        ..RC42
    },
    Scenario {
        name: "at2lp-healthy-oem",
        title: "a healthy enclosure under its maker's ids",
        story: "The same chip with ids and strings of its maker's own. Nothing about it says \
                AT2LP, and nothing is wrong with it.",
        content: Content::Foreign,
        expectation: Expectation::Untouched(Ending::FOREIGN),
        ..RC42
    },
    Scenario {
        name: "at2lp-mm-image",
        title: "an AT2LP that was given the older chip's image",
        story: "Its owner ran the Windows tool with the PH-1003 image, which fits Targa drives \
                only. The tool said \"successful\", and the enclosure was gone: not even a \
                question mark. The disk is unplugged now and ATA pin 1 is held low through \
                10 kOhm, which brings manufacturing mode back until the next power-off.",
        content: Content::OlderChip,
        board: board(Release::Rc42, true, BoardDrive::None),
        ..RC42
    },
    Scenario {
        name: "at2lp-half-written",
        title: "an AT2LP whose programming broke off",
        story: "The plug was pulled while the vendor's tool was writing, and that tool writes \
                the signature first. The chip believes it and shows descriptors that end in \
                nothing, so the computer sees no device. ATA pin 1 is held low to get in.",
        content: Content::CutOff,
        board: board(Release::Rc42, true, BoardDrive::None),
        ..RC42
    },
    Scenario {
        name: "at2-corrupted",
        title: "an AT2 whose strings are damaged",
        story: "An enclosure with the older chip, 04b4:6830 revision 0.01, as a user reported it: \
                manufacturer and product are empty, the serial number is \"D\". Some bytes of \
                its EEPROM have changed, but the chip still reads it, shows a mass-storage \
                interface and the disk works. It stays as it is.",
        model: "at2",
        content: Content::Corrupted,
        expectation: Expectation::Untouched(Ending::HEALTHY),
        ..RC42
    },
    Scenario {
        name: "at2lp-write-protected",
        title: "an AT2LP whose EEPROM is write protected",
        story: "The maker tied the EEPROM's WP pin high after programming. It can be read, \
                acknowledges every write and keeps none.",
        defect: Defect::WriteProtected,
        expectation: Expectation::Refused(Ending::unchanged("R106")),
        ..RC42
    },
    Scenario {
        name: "at2lp-dead-eeprom",
        title: "an AT2LP whose EEPROM is dead",
        story: "The EEPROM acknowledges nothing. The chip comes up in manufacturing mode, as it \
                does with a blank one, and cannot be written.",
        defect: Defect::Dead,
        expectation: Expectation::Refused(Ending::unchanged("R103")),
        ..RC42
    },
    Scenario {
        name: "at2lp-no-drive",
        title: "a blank AT2LP without a drive",
        story: "The bare board of an enclosure, its EEPROM erased, nothing on its ATA connector. \
                It can be made whole; no drive will answer behind it.",
        board: board(Release::Rc42, false, BoardDrive::None),
        ..RC42
    },
    Scenario {
        name: "at2lp-atapi",
        title: "a blank AT2LP with a CD burner behind it",
        story: "An enclosure for a CD burner, with a disc in the tray. Erased EEPROM. When it is \
                whole again the burner says who it is.",
        board: board(Release::Rc42, false, BoardDrive::Burner),
        ..RC42
    },
    Scenario {
        name: "at2lp-disk",
        title: "a blank AT2LP with a 250 GB disk behind it",
        story: "An enclosure like the Medion HDDrive2go, with the disk that was sold in it. \
                Its EEPROM holds zeros.",
        content: Content::Filled(0x00),
        ..RC42
    },
];
