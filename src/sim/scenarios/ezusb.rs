//! The scenarios of the EZ-USB family. Data only.

use super::{Board, Content, Defect, Ending, Expectation, Scenario};

const FX2LP: Scenario = Scenario {
    name: "ezusb-blank",
    title: "an FX2LP enclosure with an erased EEPROM",
    story: "An enclosure with a Cypress FX2LP. Somebody ran an EEPROM tool on the wrong port, and \
            its 8 KB EEPROM is FF throughout. The chip's own core answers as 04b4:8613.",
    model: "fx2lp",
    part: Some("24lc64"),
    content: Content::Filled(0xFF),
    defect: Defect::None,
    board: Board::Usual,
    ids: None,
    faults: "",
    expectation: Expectation::Rescued,
};

const AN2131: Scenario = Scenario {
    name: "ezusb-an2131-blank",
    title: "an AN2131 enclosure with an erased EEPROM",
    story: "An enclosure of 1999 with an Anchor AN2131 and an 8 KB EEPROM, which is erased. The \
            chip's own core answers as 0547:2131.",
    model: "an2131",
    ..FX2LP
};

pub(super) const SCENARIOS: &[Scenario] = &[
    FX2LP,
    Scenario {
        name: "ezusb-zeroed",
        title: "an FX2LP enclosure that was flashed with zeros",
        story: "A file of zeros was written into this enclosure's 16 KB EEPROM. The chip finds \
                no signature and answers as 04b4:8613.",
        part: Some("24lc128"),
        content: Content::Filled(0x00),
        ..FX2LP
    },
    Scenario {
        name: "ezusb-half-written",
        title: "an FX2LP enclosure whose update broke off",
        story: "The plug was pulled during an update. The second half of the firmware is in the \
                EEPROM, the first with the signature is not.",
        content: Content::HalfWritten,
        ..FX2LP
    },
    Scenario {
        name: "ezusb-small",
        title: "an FX2LP with a 2 KB EEPROM that answers at every address",
        story: "A 24LC16 takes one address byte and has the address bits above in its I2C \
                address, so that it answers at 50 to 57. The chip takes it for a small part. \
                Erased.",
        part: Some("24c16"),
        ..FX2LP
    },
    Scenario {
        name: "ezusb-large",
        title: "an FX2LP with a 32 KB EEPROM",
        story: "The maker fitted twice what the firmware could ever need. It was zeroed.",
        part: Some("24lc256"),
        content: Content::Filled(0x00),
        ..FX2LP
    },
    Scenario {
        name: "ezusb-largest",
        title: "an FX2LP with a 64 KB EEPROM",
        story: "A development board in an enclosure, with the largest part there is. Erased.",
        part: Some("24lc512"),
        ..FX2LP
    },
    Scenario {
        name: "ezusb-fram",
        title: "an FX2LP with FRAM",
        story: "The board has a ferroelectric memory, which knows no pages and no write cycle. \
                It was zeroed.",
        part: Some("fm24c64"),
        content: Content::Filled(0x00),
        ..FX2LP
    },
    Scenario {
        name: "ezusb-healthy",
        title: "an FX2LP enclosure that is well",
        story: "Nothing happened to this one; it shows its own ids and has to stay as it is.",
        content: Content::Factory,
        expectation: Expectation::Untouched(Ending::HEALTHY),
        ..FX2LP
    },
    Scenario {
        name: "ezusb-wrong-ids",
        title: "an FX2LP board with another board's ids",
        story: "Its EEPROM holds ids that were made for another board and no firmware. Nothing \
                about it says who it was, so it is left as it is.",
        content: Content::Foreign,
        expectation: Expectation::Untouched(Ending::FOREIGN),
        ..FX2LP
    },
    Scenario {
        name: "ezusb-devboard",
        title: "an FX2LP board without an EEPROM",
        story: "A logic analyser as they are sold by the thousand: no EEPROM, 04b4:8613, loaded \
                over USB at every start. It is as it should be, and on the bus it looks like a \
                bricked enclosure.",
        part: None,
        expectation: Expectation::Untouched(Ending::NEEDS_CHOICE),
        ..FX2LP
    },
    Scenario {
        name: "ezusb-no-eeprom",
        title: "an FX2LP whose EEPROM was taken off",
        story: "Somebody unsoldered the EEPROM to read it and did not put it back. The owner says \
                what the enclosure was; there is nothing to write that into.",
        part: None,
        expectation: Expectation::Refused(Ending::unchanged("R103")),
        ..FX2LP
    },
    Scenario {
        name: "ezusb-tiny",
        title: "an FX2LP whose EEPROM is too small",
        story: "A 24LC02 was soldered in for the 24LC64 that belongs there. The firmware does \
                not fit.",
        part: Some("24c02"),
        expectation: Expectation::Refused(Ending::unchanged("R105")),
        ..FX2LP
    },
    Scenario {
        name: "ezusb-write-protected",
        title: "an FX2LP whose EEPROM is write protected",
        story: "The EEPROM is erased and its WP pin is high. It acknowledges every write and \
                keeps none.",
        defect: Defect::WriteProtected,
        expectation: Expectation::Refused(Ending::unchanged("R106")),
        ..FX2LP
    },
    Scenario {
        name: "ezusb-dead-eeprom",
        title: "an FX2LP whose EEPROM is dead",
        story: "The EEPROM acknowledges nothing.",
        defect: Defect::Dead,
        expectation: Expectation::Refused(Ending::unchanged("R103")),
        ..FX2LP
    },
    Scenario {
        name: "ezusb-wide-at-50",
        title: "an FX2LP whose new EEPROM is strapped to the wrong place",
        story: "The EEPROM was replaced by one of the same type, erased, with its pin A0 at \
                ground. It answers at 50, where the chip looks for a part with one address byte; \
                it takes two, and would take a byte of the image for part of an address.",
        defect: Defect::Strapped(0),
        expectation: Expectation::Refused(Ending::unchanged("R118")),
        ..FX2LP
    },
    Scenario {
        name: "ezusb-wide-at-50-written",
        title: "the same, with something in it",
        story: "A used 24LC64 was soldered in with its pin A0 at ground. What is in it reads \
                otherwise than it lies there.",
        content: Content::HalfWritten,
        defect: Defect::Strapped(0),
        expectation: Expectation::Refused(Ending::unchanged("R118")),
        ..FX2LP
    },
    Scenario {
        name: "ezusb-narrow-at-51",
        title: "an FX2LP with a small EEPROM in the place of a large one",
        story: "An AT24C02 was soldered in for the 24LC64, whose pin A0 is at the supply on this \
                board. It answers at 51, where the chip looks for a part with two address bytes; \
                it takes one, and would keep the second as data. Zeroed.",
        part: Some("at24c02"),
        content: Content::Filled(0x00),
        defect: Defect::Strapped(1),
        expectation: Expectation::Refused(Ending::unchanged("R118")),
        ..FX2LP
    },
    Scenario {
        name: "ezusb-narrow-at-51-written",
        title: "the same, programmed with a clip",
        story: "The AT24C02 was given the right ids by a clip-on programmer before it was \
                soldered in. The chip, which sends two address bytes, reads it from its second \
                byte on and finds no signature.",
        part: Some("at24c02"),
        content: Content::Foreign,
        defect: Defect::Strapped(1),
        expectation: Expectation::Refused(Ending::unchanged("R118")),
        ..FX2LP
    },
    AN2131,
    Scenario {
        name: "ezusb-an2131-healthy",
        title: "an AN2131 enclosure that is well",
        story: "Nothing happened to this one either; it shows its own ids.",
        content: Content::Factory,
        expectation: Expectation::Untouched(Ending::HEALTHY),
        ..AN2131
    },
    Scenario {
        name: "ezusb-fx2-blank",
        title: "an FX2 enclosure with an erased EEPROM",
        story: "An enclosure of 2002 with the older FX2, which has half the RAM of an FX2LP and \
                the same default ids. Its EEPROM is erased.",
        model: "fx2",
        ..FX2LP
    },
    Scenario {
        name: "ezusb-fx1-zeroed",
        title: "a full-speed FX1 enclosure that was flashed with zeros",
        story: "The maker saved on the port and took an FX1, an FX2LP at full speed. Its 16 KB \
                EEPROM was zeroed; the chip's own core answers as 04b4:6473.",
        model: "fx1",
        part: Some("24lc128"),
        content: Content::Filled(0x00),
        ..FX2LP
    },
    Scenario {
        name: "ezusb-fx-half-written",
        title: "an FX enclosure whose update broke off",
        story: "An enclosure of 2000 with an EZ-USB FX, the AN2131 with more to connect. The \
                plug was pulled during an update: the beginning of the firmware is not there.",
        model: "fx",
        content: Content::HalfWritten,
        ..FX2LP
    },
];
