//! What sdcc builds for the EZ-USB family is what is committed, byte for byte: both loaders and the
//! firmware of the simulated enclosures. Needs sdcc of the version their README names, so
//! these are ignored by default.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use recover::chip::{Identity, Recipe, model};
use recover::usb::Ids;

fn images() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("recovery-images")
}

fn sh(script: &Path, argument: &Path) {
    let built = Command::new("sh").arg(script).arg(argument).output();
    assert!(
        built.as_ref().is_ok_and(|built| built.status.success()),
        "{} {}: {built:?}",
        script.display(),
        argument.display()
    );
}

#[test]
#[ignore = "needs sdcc (Debian: sdcc)"]
fn the_committed_loaders_are_what_their_source_builds() {
    sh(&images().join("loaders/ezusb/build.sh"), Path::new("--check"));
}

#[test]
#[ignore = "needs sdcc (Debian: sdcc)"]
fn the_simulated_enclosures_images_are_what_their_source_builds() {
    let out = tempfile::tempdir().unwrap();
    sh(&images().join("ezusb/simulated-fx2lp/build.sh"), out.path());
    for (name, product, settings) in [
        ("fx2lp", 1, vec![(7, 0x41)]),
        ("an2131", 2, Vec::new()),
        ("fx2", 3, vec![(7, 0x41)]),
        ("fx1", 4, vec![(7, 0x41)]),
        ("fx", 5, vec![(7, 0x01)]),
    ] {
        let (chip, model) = model(name).unwrap();
        let recipe = Recipe {
            identity: Identity {
                ids: Ids::new(0x1209, product),
                bcd_device: Some(0x0100),
                interface_class: None,
                manufacturer: None,
                product: None,
                serial: None,
            },
            unique: [0; 8],
            settings: settings.into_iter().collect(),
            firmware: Some(fs::read(out.path().join(format!("{name}.ihex"))).unwrap()),
        };
        let built = chip.build_image(model, &recipe).unwrap();
        let committed = images().join(format!("ezusb/simulated-{name}/factory.iic"));
        assert_eq!(built.bytes, fs::read(&committed).unwrap(), "{}", committed.display());
    }
}
