//! Configuration blocks for the virtual AT2LP, put together here from the offsets of the public
//! images and from nothing that the rescuing code knows.

use std::sync::LazyLock;

const CONFIGURATION: &str = "09022700010100c000\
    090400000308065000\
    070502023f0000\
    070588023f0000\
    0705810304000a";
const OLD_CONFIGURATION: &str = "09022000010100c000\
    090400000208065000\
    07050202000200\
    07058802000200";

fn unhex(text: &str) -> impl Iterator<Item = u8> + '_ {
    let digit = |byte: u8| char::from(byte).to_digit(16).unwrap_or_default() as u8;
    text.as_bytes().chunks_exact(2).map(move |pair| match *pair {
        [high, low] => digit(high) << 4 | digit(low),
        _ => 0,
    })
}

struct Names {
    serial: &'static str,
    product: &'static str,
    manufacturer: &'static str,
}

/// The older chip's block as a unit in the field showed it: two strings empty, one cut to a
/// letter, and the bulk IN endpoint another than in any published image.
pub(super) fn corrupted() -> Vec<u8> {
    let names = Names { serial: "D", product: "", manufacturer: "" };
    let configuration = OLD_CONFIGURATION.replace("070588", "070586");
    block(b"MM", [0x04b4, 0x6830, 0x0001], &configuration.repeat(2), &names)
}

/// A block with these ids and strings.
fn block(signature: &[u8; 2], ids: [u16; 3], configurations: &str, names: &Names) -> Vec<u8> {
    let mut bytes = signature.to_vec();
    bytes.extend(unhex("00802407d40770fc550000000000"));
    bytes.extend(unhex("1201000200000040"));
    bytes.extend(ids.map(u16::to_le_bytes).as_flattened());
    bytes.extend([0, 0, 0, 1]);
    bytes.extend(unhex("0a060002000000400100"));
    bytes.extend(unhex(configurations));
    if bytes.len() % 2 == 1 {
        bytes.push(0);
    }
    bytes.extend([4, 3, 9, 4]);
    // The device descriptor's three indexes, in the order the strings are laid down.
    for (place, text) in [(0x20, names.serial), (0x1f, names.product), (0x1e, names.manufacturer)] {
        let index = (bytes.len() / 2) as u8;
        if let Some(slot) = bytes.get_mut(place) {
            *slot = index;
        }
        bytes.extend([2 + 2 * text.len() as u8, 3]);
        bytes.extend(text.bytes().flat_map(|byte| [byte, 0]));
    }
    bytes
}

const FACTORY: Names =
    Names { serial: "C0FFEE000001", product: "AT2LP enclosure (virtual)", manufacturer: "recover" };

/// What the virtual enclosure left the factory with; under Cypress's own id, as so many did.
pub(in crate::sim) fn factory() -> &'static [u8] {
    static IMAGE: LazyLock<Vec<u8>> =
        LazyLock::new(|| block(b"SK", [0x04b4, 0x6830, 0x0240], CONFIGURATION, &FACTORY));
    &IMAGE
}

/// Another maker's enclosure with ids of its own (a pair that pid.codes keeps for such uses).
pub(super) fn foreign() -> Vec<u8> {
    let names =
        Names { serial: "0000A1B2C3D4", product: "External disk", manufacturer: "Another maker" };
    block(b"SK", [0x1209, 0x6830, 0x0100], CONFIGURATION, &names)
}

/// An image for the AT2: two configurations and no interrupt endpoint.
pub(super) fn older() -> Vec<u8> {
    let both = [OLD_CONFIGURATION, OLD_CONFIGURATION].concat();
    block(b"MM", [0x04b4, 0x6830, 0x0001], &both, &FACTORY)
}
