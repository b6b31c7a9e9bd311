//! The scenarios of the SL11R, EZ-OTG and EZ-Host. Data only.

use super::{Board, Content, Defect, Ending, Expectation, Scenario};
use crate::usb::Ids;

const SL11R: Scenario = Scenario {
    name: "",
    title: "",
    story: "",
    model: "sl11r",
    part: Some("24c16"),
    content: Content::Filled(0x00),
    defect: Defect::None,
    board: Board::Usual,
    ids: None,
    faults: "",
    expectation: Expectation::Rescued,
};

const EZ_OTG: Scenario =
    Scenario { model: "ez-otg", part: Some("24lc128"), content: Content::Filled(0xFF), ..SL11R };

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "sl11r-zeroed",
        title: "a burner's enclosure that was flashed with ZERO.BIN",
        story: "An external CD burner from 2001 with a ScanLogic SL11R bridge. Its owner found \
                a file called ZERO.BIN in the updater's folder and flashed it. Since then the \
                computer shows an unknown QT processor, 04ce:07d1, and the updater no longer \
                finds the drive. The 2 KB EEPROM works and holds nothing but zeros.",
        ..SL11R
    },
    Scenario {
        name: "sl11r-blank",
        title: "an SL11R enclosure with an erased EEPROM",
        story: "Somebody replaced the EEPROM of an SL11R enclosure by a new one. It is as the \
                maker delivers it: FF throughout. The chip's mask ROM finds no signature and \
                answers as 04ce:07d1.",
        content: Content::Filled(0xFF),
        ..SL11R
    },
    Scenario {
        name: "sl11r-half-written",
        title: "an SL11R enclosure whose update broke off",
        story: "The vendor's updater was writing when the computer crashed. The second half of \
                the firmware is in the EEPROM, its beginning with the signature is not. The \
                chip takes the EEPROM for blank.",
        content: Content::HalfWritten,
        ..SL11R
    },
    Scenario {
        name: "sl11r-broken-stream",
        title: "an SL11R whose EEPROM has a signature and then nonsense",
        story: "The signature B6 C3 and one sound record are there, and behind them the stream \
                breaks off in the middle of another. The chip begins to load, loses the thread \
                and comes up under its own id, although the first two bytes look right.",
        content: Content::BrokenStream,
        ..SL11R
    },
    Scenario {
        name: "sl11r-healthy",
        title: "an SL11R enclosure that is well",
        story: "Nothing happened to this one. It enumerates with its factory identity and has \
                to stay as it is.",
        content: Content::Factory,
        expectation: Expectation::Untouched(Ending::HEALTHY),
        ..SL11R
    },
    Scenario {
        name: "sl11r-foreign",
        title: "another maker's SL11R product, running",
        story: "An IDE bridge by another maker on the same chip, in good health under its own \
                ids. It is not ours to touch.",
        content: Content::Foreign,
        expectation: Expectation::Untouched(Ending::FOREIGN),
        ..SL11R
    },
    Scenario {
        name: "sl11r-dead-eeprom",
        title: "an SL11R whose EEPROM is dead",
        story: "The enclosure got a surge through its power supply. The bridge chip survived, \
                the EEPROM did not: it acknowledges nothing, and every read gives FF.",
        defect: Defect::Dead,
        expectation: Expectation::Refused(Ending::unchanged("R106")),
        ..SL11R
    },
    Scenario {
        name: "sl11r-write-protected",
        title: "an SL11R whose EEPROM is write protected",
        story: "The board pulls the EEPROM's WP pin high. It can be read, it acknowledges every \
                write, and it keeps none. A bridge to ground is needed, and hands to solder it.",
        defect: Defect::WriteProtected,
        expectation: Expectation::Refused(Ending::unchanged("R106")),
        ..SL11R
    },
    Scenario {
        name: "sl11r-stuck-byte",
        title: "an SL11R with one worn-out byte",
        story: "One byte of the EEPROM, in the middle of the firmware, no longer changes. \
                Everything else does. Writing again does not help; a new part does.",
        defect: Defect::StuckByte(0x40),
        expectation: Expectation::Refused(Ending::part_written("R108")),
        ..SL11R
    },
    Scenario {
        name: "sl11r-small-eeprom",
        title: "an SL11R with too small an EEPROM",
        story: "A repair put a 24C02 with 256 bytes where a 24C16 belongs. The firmware does \
                not fit; written to its end it would overwrite its own beginning.",
        part: Some("24c02"),
        expectation: Expectation::Refused(Ending::unchanged("R105")),
        ..SL11R
    },
    Scenario {
        name: "sl11r-lying-writes",
        title: "an SL11R whose EEPROM says done and keeps the old bytes",
        story: "A counterfeit part: it acknowledges every write, is busy for as long as a good \
                one, and then still holds what it held before.",
        defect: Defect::LyingWrites,
        expectation: Expectation::Refused(Ending::unchanged("R106")),
        ..SL11R
    },
    Scenario {
        name: "sl11r-slow-eeprom",
        title: "an SL11R with a slow EEPROM",
        story: "An old part that needs 20 ms for a write cycle where the datasheet allows 5. \
                Nothing else is wrong with it but the zeros it holds.",
        defect: Defect::Slow(4),
        ..SL11R
    },
    Scenario {
        name: "ez-otg-blank",
        title: "an EZ-OTG enclosure with an erased EEPROM",
        story: "An enclosure with a Cypress EZ-OTG. Its 16 KB EEPROM was erased by a programmer \
                and never written again; the chip answers as 04b4:7200.",
        ..EZ_OTG
    },
    Scenario {
        name: "ez-otg-zeroed",
        title: "an EZ-OTG enclosure that was flashed with zeros",
        story: "A file of zeros was flashed into this EZ-OTG enclosure's 8 KB EEPROM. It now \
                answers as 04b4:7200.",
        part: Some("24lc64"),
        content: Content::Filled(0x00),
        ..EZ_OTG
    },
    Scenario {
        name: "ez-otg-small",
        title: "an EZ-OTG enclosure with a small EEPROM",
        story: "An EZ-OTG with a 2 KB EEPROM, which is wired the other way round than a large \
                one: clock and data pins change places. Erased.",
        part: Some("24c16"),
        ..EZ_OTG
    },
    Scenario {
        name: "ez-otg-half-written",
        title: "an EZ-OTG enclosure whose update broke off",
        story: "The plug was pulled during an update. The second half of the firmware is in the \
                EEPROM, the first is not.",
        content: Content::HalfWritten,
        ..EZ_OTG
    },
    Scenario {
        name: "ez-otg-healthy",
        title: "an EZ-OTG enclosure that is well",
        story: "Nothing happened to this one either.",
        content: Content::Factory,
        expectation: Expectation::Untouched(Ending::HEALTHY),
        ..EZ_OTG
    },
    Scenario {
        name: "ez-otg-devboard",
        title: "an EZ-OTG development board",
        story: "A development board with an erased EEPROM. It is as it should be: its owner \
                loads a program into RAM every morning. On the bus it cannot be told from a \
                bricked enclosure, and nobody says what it should become.",
        expectation: Expectation::Untouched(Ending::NEEDS_CHOICE),
        ..EZ_OTG
    },
    Scenario {
        name: "ez-otg-write-protected",
        title: "an EZ-OTG whose EEPROM is write protected",
        story: "The EEPROM is erased and its WP pin is high. It acknowledges every write and \
                keeps none.",
        defect: Defect::WriteProtected,
        expectation: Expectation::Refused(Ending::unchanged("R106")),
        ..EZ_OTG
    },
    Scenario {
        name: "ez-otg-dead-eeprom",
        title: "an EZ-OTG whose EEPROM is dead",
        story: "The EEPROM acknowledges nothing, whichever way the pins are driven.",
        defect: Defect::Dead,
        expectation: Expectation::Refused(Ending::unchanged("R103")),
        ..EZ_OTG
    },
    Scenario {
        name: "ez-otg-no-eeprom",
        title: "an EZ-OTG without an EEPROM",
        story: "A board that never had an EEPROM: its host loads a program at every start.",
        part: None,
        expectation: Expectation::Refused(Ending::unchanged("R103")),
        ..EZ_OTG
    },
    Scenario {
        name: "ez-host-blank",
        title: "an EZ-Host enclosure with an erased EEPROM",
        story: "An enclosure with the EZ-Host, the larger of the two Cypress chips. Same boot \
                ROM, same id, erased 16 KB EEPROM.",
        model: "ez-host",
        ..EZ_OTG
    },
    Scenario {
        name: "unlisted-id",
        title: "a blanked chip under an id that nobody knows",
        story: "An SL11R that its buyer had made with ids of his own in the mask ROM. It was \
                zeroed like the others, and no table tells what 0bf6:9999 is.",
        ids: Some(Ids::new(0x0BF6, 0x9999)),
        expectation: Expectation::Untouched(Ending::FOREIGN),
        ..SL11R
    },
];
