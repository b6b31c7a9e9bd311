//! R2xx: the image.

use recover::chip::{Identity, Image, Model};
use recover::executor::Request;
use recover::failure::Code;
use recover::rescue::choice::NamedImage;
use recover::rescue::preflight::{Preflight, Twin};

use crate::cast::{Cast, Tampered, with_image};
use crate::codes::case::{Answer, Case};
use crate::codes::program::answer;
use crate::support::{Desk, port, scenario, simulated, with_profile};

/// The signature of a cy16 image and the head of a record of four bytes for an address.
const RECORD: [u8; 5] = [0xb6, 0xc3, 0x04, 0x00, 0x00];

pub const CASES: &[Case] = &[
    Case { code: Code::R201, what: "no bytes", provoke: || written(&[]) },
    Case { code: Code::R202, what: "ZERO.BIN", provoke: || written(&[0; 512]) },
    Case { code: Code::R203, what: "a text", provoke: || written(b"hello, world") },
    Case { code: Code::R204, what: "an AT2LP image", provoke: || written(b"SK\x00\x80\x24\x07") },
    Case { code: Code::R204, what: "a backup of another chip", provoke: a_backup_of_another_chip },
    Case { code: Code::R205, what: "half an image", provoke: half_an_image },
    Case { code: Code::R206, what: "a record at 4000", provoke: a_record_outside_ram },
    Case { code: Code::R207, what: "4 KB", provoke: too_large },
    Case { code: Code::R208, what: "nobody's ids", provoke: nobodys_ids },
    Case { code: Code::R209, what: "another image than the profile's", provoke: another_hash },
    Case { code: Code::R210, what: "an image with a boot id", provoke: a_boot_id },
    Case { code: Code::R211, what: "an image that does not come up", provoke: a_failed_preflight },
    Case { code: Code::R212, what: "no such file", provoke: no_such_file },
    Case { code: Code::R213, what: "another device comes up from RAM", provoke: a_failed_trial },
    Case { code: Code::R214, what: "another identity", provoke: another_identity },
];

fn factory() -> &'static [u8] {
    scenario("sl11r-zeroed").factory_image()
}

/// A rescue with these bytes.
fn written(bytes: &[u8]) -> Answer {
    Desk::new(scenario("sl11r-zeroed")).rescue(&with_image(bytes)).into()
}

fn a_backup_of_another_chip() -> Answer {
    let mut desk = Desk::new(scenario("sl11r-half-written"));
    let id = desk.run(|session| session.backup(&Request::default())).backup.unwrap();
    let (record, bytes) = desk.store.load_backup(&id).unwrap();
    desk.bus.add_scenario(scenario("ez-otg-blank"));
    desk.run(|session| session.restore(&Request::default(), &record, &bytes)).into()
}

fn half_an_image() -> Answer {
    written(factory().get(..factory().len() / 2).unwrap())
}

/// The RAM of an SL11R ends below 4000.
fn a_record_outside_ram() -> Answer {
    let mut bytes = RECORD.to_vec();
    bytes.extend([0x00, 0x40, 0xaa, 0xaa, 0x00, 0x00]);
    written(&bytes)
}

fn too_large() -> Answer {
    let mut bytes = factory().to_vec();
    bytes.resize(4096, 0x55);
    written(&bytes)
}

fn nobodys_ids() -> Answer {
    answer("image build --chip fx2lp --ids 0000:0001 --output @built.iic")
}

fn another_hash() -> Answer {
    let mut request = with_profile(&simulated("sl11r"));
    let mut bytes = factory().to_vec();
    *bytes.last_mut().unwrap() = 0x01;
    request.target.image = Some(NamedImage { name: "other.bin".into(), bytes });
    Desk::new(scenario("sl11r-zeroed")).rescue(&request).into()
}

fn a_boot_id() -> Answer {
    let mut bytes = factory().to_vec();
    let at = bytes.windows(4).position(|ids| ids == [0xce, 0x04, 0x02, 0x00]).unwrap();
    bytes.get_mut(at..at + 4).unwrap().copy_from_slice(&[0xce, 0x04, 0xd1, 0x07]);
    written(&bytes)
}

/// A twin that says this of every image.
struct Says(Preflight);

impl Twin for Says {
    fn boot(&self, _model: Model, _image: &Image) -> Preflight {
        self.0.clone()
    }
}

fn with_twin(desk: &Desk, says: Preflight) -> Answer {
    let twin = Box::new(Says(says));
    let request = with_profile(&simulated("sl11r"));
    Cast { twin, ..Cast::usual(desk) }.rescue(desk, &request).into()
}

fn a_failed_preflight() -> Answer {
    let why = "it does not come up".to_owned();
    with_twin(&Desk::new(scenario("sl11r-zeroed")), Preflight::Failed { why })
}

fn another_identity() -> Answer {
    let desk = Desk::new(scenario("sl11r-zeroed"));
    let promised = desk.library.find(&simulated("sl11r")).unwrap().promised().unwrap();
    let product = Some("another".to_owned());
    let identity = Identity { product, ..promised.clone() };
    with_twin(&desk, Preflight::CameUp { identity })
}

fn no_such_file() -> Answer {
    answer("--auto --sim --image @none.bin")
}

fn a_failed_trial() -> Answer {
    let desk = Desk::new(scenario("sl11r-zeroed"));
    let mut bus = Tampered::new(&desk.bus);
    let on_trial = bus.was_reset.clone();
    bus.show = Box::new(move |seen| {
        if on_trial.is_set() {
            seen.product = Some("another".to_owned());
        }
    });
    assert!(desk.bus.sighting(&port()).is_some());
    Cast { bus: Box::new(bus), ..Cast::usual(&desk) }.rescue(&desk, &Request::default()).into()
}
