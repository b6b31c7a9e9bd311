//! The page about a unit.

use std::fs;

use super::home::Home;

#[test]
fn a_page_shows_what_was_there_and_what_is_there_now() {
    let page = |code: i32, line: &str| {
        let home = Home::new();
        home.expect(code, line);
        let unit = home.objects("ledger list --sim --json").remove(0);
        let id = unit["id"].as_str().unwrap();
        home.expect(0, &format!("report {id} --sim --html @page.html"));
        home.expect(1, &format!("report {id} --sim --html @page.html"));
        let page = fs::read_to_string(home.file("page.html")).unwrap();
        for needs in ["http:", "https:", "url(", "@import", "<script", "<link", "<img", "src="] {
            assert!(!page.contains(needs), "{line} needs {needs}");
        }
        (page, unit)
    };
    let (rescued, unit) = page(0, "--auto --sim");
    for shown in [
        "Repaired: the enclosure has its own identity again",
        "04ce:07d1",
        "USBIDE (virtual)",
        "456 of 2048 bytes differ",
        "written and read back",
        "write the signature b6c3",
        unit["backup"].as_str().unwrap(),
        unit["image_sha256"].as_str().unwrap(),
        "not verified on real hardware",
        "Practice with the simulator",
    ] {
        assert!(rescued.contains(shown), "{shown}\n{rescued}");
    }
    let (interrupted, _) = page(3, "--auto --sim sl11r-half-written --fault unplug@100");
    for shown in ["Not repaired yet", "R110", "not finished", "not begun", "Target content"] {
        assert!(interrupted.contains(shown), "{shown}\n{interrupted}");
    }
    let (disk, _) = page(0, "--auto --sim at2lp-disk --profile simulated-at2lp");
    assert!(disk.contains("of 256 bytes differ") && disk.contains("Drive inside"), "{disk}");
    let (large, _) = page(0, "--auto --sim ezusb-largest --profile simulated-fx2lp");
    assert!(large.contains("One cell is 2 bytes"), "{large}");
    let (refused, _) = page(1, "--auto --sim sl11r-write-protected");
    for shown in ["Not repaired; nothing was changed", "R106", "No byte of 2048 differs"] {
        assert!(refused.contains(shown), "{shown}\n{refused}");
    }
    assert!(page(0, "--auto --sim sl11r-healthy").0.contains("no repair was needed"));
}

#[test]
fn a_page_can_be_made_when_the_backup_and_the_image_are_gone() {
    let home = Home::new();
    home.expect(0, "--auto --sim");
    let id = home.objects("ledger list --sim --json")[0]["id"].as_str().unwrap().to_owned();
    fs::remove_dir_all(home.file("simulator/images")).unwrap();
    home.expect(0, &format!("report {id} --sim --html @one.html"));
    assert!(fs::read_to_string(home.file("one.html")).unwrap().contains("no longer stored"));
    fs::remove_dir_all(home.file("simulator/backups")).unwrap();
    home.expect(0, &format!("report {id} --sim --html @none.html"));
    assert!(fs::read_to_string(home.file("none.html")).unwrap().contains("no longer available"));
}
