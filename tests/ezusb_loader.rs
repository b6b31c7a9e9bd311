//! The committed EZ-USB loaders are what their source builds, byte for byte. Needs sdcc of the
//! version their README names; without it the comparison is skipped and says so, unless
//! RECOVER_REQUIRE_SDCC=1.

#![expect(clippy::print_stderr, reason = "a test that is skipped says so")]

use std::env;
use std::path::Path;
use std::process::Command;

#[test]
fn the_committed_loaders_are_what_their_source_builds() {
    let has_sdcc = Command::new("sdcc").arg("--version").output().is_ok();
    if !has_sdcc {
        let is_required = env::var("RECOVER_REQUIRE_SDCC").is_ok_and(|value| value == "1");
        assert!(!is_required, "sdcc is required and not installed");
        eprintln!("skipped: sdcc is not installed, so the loaders were not rebuilt");
        return;
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("recovery-images/loaders/ezusb");
    let built = Command::new("sh").arg(folder.join("build.sh")).arg("--check").output().unwrap();
    assert!(
        built.status.success(),
        "rebuild with {}/build.sh\n{}{}",
        folder.display(),
        String::from_utf8_lossy(&built.stdout),
        String::from_utf8_lossy(&built.stderr)
    );
}
