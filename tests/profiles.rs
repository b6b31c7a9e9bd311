//! Every profile that comes with the program is right, and each way a profile can be wrong is
//! refused by an error of its own, with its file and line.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking, in its helpers too")]

use std::fs;
use std::path::{Path, PathBuf};

use recover::chip::Grade;
use recover::profile::{
    ImageMismatch, ImageSource, Library, Problem, ProblemKind, Profile, Scope, Sha256Digest, check,
    parse,
};
use recover::toml_source::Misshapen;
use recover::usb::Ids;

/// The chips as this test knows them, so that a profile naming a chip that was dropped is seen.
const CHIPS: &[&str] =
    &["sl11r", "ez-otg", "ez-host", "at2lp", "at2", "fx2lp", "fx2", "fx1", "fx", "an2131"];

const GOOD: &str = r#"name = "maker-model"
title = "Maker Model"
aliases = ["the grey box"]
scope = "hardware"
[chip]
model = "sl11r"
grade = "inferred"
basis = "the label"
[[sighting]]
ids = "04ce:07d1"
grade = "captured"
[identity]
ids = "04ce:0002"
bcd_device = 0x0260
interface_class = "08/06/50"
product = "Box"
grade = "unknown"
[memory]
part = "24C16"
size_bytes = 2048
grade = "documented"
[image]
source = "shipped"
file = "image.bin"
sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
size_bytes = 3
description = "as delivered"
grade = "captured"
[[guidance]]
step = "press the button"
expect = "the light goes off"
[provenance]
sources = ["a capture"]
contributed_by = "an owner"
"#;

/// A folder of profiles; each is written with the image "abc", whose hash `GOOD` has.
struct Profiles(tempfile::TempDir);

impl Profiles {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn add(&self, folder: &str, text: &str) -> PathBuf {
        let folder = self.path().join(folder);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("profile.toml"), text).unwrap();
        fs::write(folder.join("image.bin"), "abc").unwrap();
        folder
    }
}

/// What `check` says of `GOOD` with one text replaced.
fn problems(from: &str, to: &str) -> Vec<Problem> {
    assert!(GOOD.contains(from), "{from}");
    let profiles = Profiles::new();
    let folder = profiles.add("maker-model", &GOOD.replacen(from, to, 1));
    check(&folder, CHIPS).err().unwrap_or_default()
}

/// The one problem, its line, and that it has a remedy.
fn problem(from: &str, to: &str) -> (Option<usize>, ProblemKind) {
    let mut found = problems(from, to);
    assert_eq!(found.len(), 1, "{found:#?}");
    let problem = found.remove(0);
    assert!(problem.place.ends_with("maker-model/profile.toml"), "{problem}");
    assert!(problem.kind.remedy().len() > 10);
    (problem.line, problem.kind)
}

fn good() -> Profile {
    let profiles = Profiles::new();
    check(&profiles.add("maker-model", GOOD), CHIPS).unwrap()
}

#[test]
fn the_embedded_profiles_all_pass() {
    let library = Library::embedded(CHIPS);
    assert_eq!(library.problems(), []);
    let mut names: Vec<_> = library.profiles().map(|profile| profile.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "cypress-cy4615b",
            "generic-an2131",
            "generic-fx",
            "generic-fx1",
            "generic-fx2",
            "generic-fx2lp",
            "medion-hddrive2go",
            "simulated-an2131",
            "simulated-at2lp",
            "simulated-ez-otg",
            "simulated-fx",
            "simulated-fx1",
            "simulated-fx2",
            "simulated-fx2lp",
            "simulated-sl11r",
            "sony-crx100e",
            "targa-ph-1003",
        ]
    );
    for profile in library.profiles() {
        let image = library.image_bytes(profile);
        match &profile.image.source {
            ImageSource::Shipped { .. } => assert!(!image.unwrap().is_empty()),
            ImageSource::Supply { .. } | ImageSource::Build { .. } | ImageSource::Values { .. } => {
                assert_eq!(
                    image.unwrap_err().kind,
                    ProblemKind::ImageNotShipped { name: profile.name.clone() }
                )
            }
        }
    }
}

#[test]
fn every_folder_of_recovery_images_is_a_profile_that_passes_with_its_provenance() {
    let images = Path::new(env!("CARGO_MANIFEST_DIR")).join("recovery-images");
    let mut checked = 0;
    for family in fs::read_dir(images).unwrap().map(|entry| entry.unwrap().path()) {
        if family.ends_with("loaders") {
            continue;
        }
        for folder in fs::read_dir(family).unwrap().map(|entry| entry.unwrap().path()) {
            let found = check(&folder, CHIPS).err();
            assert_eq!(found, None);
            assert!(folder.join("PROVENANCE.md").is_file(), "{}", folder.display());
            checked += 1;
        }
    }
    assert!(checked >= 3);
}

#[test]
fn the_sony_profile_owns_up_to_everything_it_infers() {
    let library = Library::embedded(CHIPS);
    let sony = library.find("sony-crx100e").unwrap();
    let inferred = sony.inferred();
    assert_eq!(inferred.len(), 5, "{inferred:#?}");
    assert!(inferred[0].starts_with("its chip is the sl11r (inferred: "), "{inferred:?}");
    assert_eq!(sony.promised().unwrap().manufacturer, None);
    assert_eq!(sony.sightings[0].ids, Ids::new(0x04ce, 0x07d1));
}

#[test]
fn a_simulated_model_is_not_offered_for_hardware() {
    let library = Library::embedded(CHIPS);
    let names = |model, scope| -> Vec<_> {
        library.for_chip(model, scope).iter().map(|profile| profile.name.clone()).collect()
    };
    assert_eq!(names("sl11r", Scope::Hardware), ["sony-crx100e"]);
    assert_eq!(names("sl11r", Scope::Simulator), ["simulated-sl11r"]);
    assert_eq!(names("ez-host", Scope::Hardware), Vec::<String>::new());
}

#[test]
fn a_good_profile_says_what_its_file_says() {
    let profile = good();
    assert_eq!(profile.aliases, ["the grey box"]);
    assert_eq!(profile.scope, Scope::Hardware);
    assert_eq!(profile.promised().unwrap().bcd_device, Some(0x0260));
    assert_eq!(profile.memory.confidence.grade, Grade::Documented);
    assert_eq!(profile.image.sha256(), Some(Sha256Digest::of(b"abc")));
    assert_eq!(profile.guidance[0].expect, "the light goes off");
}

#[test]
fn what_is_inferred_or_unknown_is_listed_and_nothing_else() {
    assert_eq!(
        good().inferred(),
        [
            "its chip is the sl11r (inferred: the label)",
            "it is 04ce:0002 rev 2.60 class 08/06/50 \"Box\" when healthy (not known)",
        ]
    );
}

#[test]
fn an_unknown_key_is_refused_in_every_table() {
    for (before, line) in [
        ("title = ", 2),
        ("model = ", 6),
        ("ids = \"04ce:07d1\"", 10),
        ("bcd_device", 14),
        ("part = ", 19),
        ("source = ", 23),
        ("step = ", 30),
        ("sources = ", 33),
    ] {
        let (at, kind) = problem(before, &format!("colour = \"grey\"\n{before}"));
        let ProblemKind::Misshapen(Misshapen::UnknownKey(message)) = kind else {
            panic!("{before}: {kind:?}")
        };
        assert!(message.contains("`colour`"), "{message}");
        assert_eq!(at, Some(line), "{before}");
    }
}

#[test]
fn a_missing_key_and_bad_syntax_are_told_with_their_line() {
    let (line, kind) = problem("size_bytes = 2048\n", "");
    assert_eq!(line, Some(18));
    assert_eq!(
        kind,
        ProblemKind::Misshapen(Misshapen::BadToml("missing field `size_bytes`".to_owned()))
    );
    let (line, kind) = problem("part = \"24C16\"", "part = 24C16");
    assert!(
        line == Some(19) && matches!(kind, ProblemKind::Misshapen(Misshapen::BadToml(_))),
        "{kind:?}"
    );
    let (line, kind) = problem("bcd_device = 0x0260", "bcd_device = 0x10260");
    assert!(
        line == Some(14) && matches!(kind, ProblemKind::Misshapen(Misshapen::BadToml(_))),
        "{kind:?}"
    );
    let (line, kind) = problem("grade = \"captured\"", "grade = \"sure\"");
    assert!(
        line == Some(11) && matches!(kind, ProblemKind::Misshapen(Misshapen::BadToml(_))),
        "{kind:?}"
    );
}

#[test]
fn text_that_could_steer_a_terminal_is_refused() {
    let (line, kind) = problem("the grey box", "\\u001b[2Jbox");
    let message = "the text holds control characters".to_owned();
    assert_eq!((line, kind), (Some(3), ProblemKind::Misshapen(Misshapen::BadToml(message))));
    let (_, kind) = problem("press the button", " ");
    assert_eq!(kind, ProblemKind::Misshapen(Misshapen::BadToml("the text is empty".to_owned())));
}

#[test]
fn a_name_must_be_its_folders_and_typeable() {
    let (line, kind) = problem("\"maker-model\"", "\"other-model\"");
    let (name, folder) = ("other-model".to_owned(), "maker-model".to_owned());
    assert_eq!((line, kind), (Some(1), ProblemKind::NameIsNotFolder { name, folder }));
    for name in ["", "-x", "Maker Model", "../up", "m\u{f6}del"] {
        let (_, kind) = problem("\"maker-model\"", &format!("{name:?}"));
        assert_eq!(kind, ProblemKind::BadName { name: name.to_owned() });
    }
}

#[test]
fn an_unknown_chip_is_told_with_the_known_ones() {
    let (line, kind) = problem("\"sl11r\"", "\"sl12r\"");
    assert_eq!(line, Some(6));
    assert_eq!(kind.to_string(), "there is no chip \"sl12r\"");
    assert_eq!(
        kind.remedy(),
        "use one of: sl11r, ez-otg, ez-host, at2lp, at2, fx2lp, fx2, fx1, fx, an2131"
    );
}

#[test]
fn ids_class_and_hash_must_be_written_as_such() {
    for bad in ["04ce", "04ce:7d1", "0x04ce:0x07d1", "04ce:07g1", "+4ce:07d1"] {
        let (line, kind) = problem("04ce:07d1", bad);
        assert!(line == Some(10) && matches!(kind, ProblemKind::BadIds(_)), "{bad}: {kind:?}");
    }
    let (line, kind) = problem("04ce:0002", "none");
    assert!(line == Some(13) && matches!(kind, ProblemKind::BadIds(_)), "{kind:?}");
    let (line, kind) = problem("08/06/50", "08/06");
    assert!(line == Some(15) && matches!(kind, ProblemKind::BadClass(_)), "{kind:?}");
    let (line, kind) = problem("ba7816bf", "ba7816b");
    assert!(line == Some(25) && matches!(kind, ProblemKind::BadHash { .. }), "{kind:?}");
}

#[test]
fn everything_that_is_wrong_is_said_at_once_in_the_order_of_the_file() {
    let profiles = Profiles::new();
    let text = GOOD
        .replace("\"maker-model\"", "\"other\"")
        .replace("\"sl11r\"", "\"sl12r\"")
        .replace("basis = \"the label\"\n", "")
        .replace("04ce:07d1", "blank")
        .replace("size_bytes = 2048", "size_bytes = 0")
        .replace("[\"a capture\"]", "[]");
    let found = check(&profiles.add("maker-model", &text), CHIPS).unwrap_err();
    let lines: Vec<_> = found.iter().map(|problem| problem.line.unwrap()).collect();
    assert_eq!(lines, [1, 6, 7, 9, 19, 25, 31], "{found:#?}");
}

#[test]
fn a_profile_without_sighting_source_or_basis_is_refused() {
    let sighting = "[[sighting]]\nids = \"04ce:07d1\"\ngrade = \"captured\"\n";
    assert_eq!(problem(sighting, "").1, ProblemKind::NoSighting);
    assert_eq!(problem("[\"a capture\"]", "[]"), (Some(32), ProblemKind::NoSources));
    let without = problem("basis = \"the label\"\n", "");
    assert_eq!(without, (Some(7), ProblemKind::NoBasis { part: "[chip]" }));
}

#[test]
fn only_an_image_that_its_owner_names_may_leave_open_who_comes_up() {
    let (start, end) = (GOOD.find("[identity]").unwrap(), GOOD.find("[memory]").unwrap());
    let identity = &GOOD[start..end];
    let (line, kind) = problem(identity, "");
    assert_eq!(kind, ProblemKind::NoIdentity);
    assert_eq!(line, Some(16));
    let shipped = &GOOD[GOOD.find("source = ").unwrap()..GOOD.find("description").unwrap()];
    for source in ["supply", "values"] {
        let text = GOOD.replacen(identity, "", 1).replacen(
            shipped,
            &format!("source = \"{source}\"\n"),
            1,
        );
        let profile = parse(&text, "profile.toml", "maker-model", CHIPS).unwrap();
        assert_eq!(profile.promised(), None);
        assert!(profile.inferred().iter().all(|claim| !claim.contains("healthy")));
    }
    // A table that is there has to be right.
    let wrong = problem("ids = \"04ce:0002\"", "ids = \"04ce\"");
    assert!(matches!(wrong.1, ProblemKind::BadIds(_)), "{wrong:?}");
}

#[test]
fn a_missing_image_is_told_from_a_wrong_one() {
    let profiles = Profiles::new();
    let folder = profiles.add("maker-model", GOOD);
    fs::remove_file(folder.join("image.bin")).unwrap();
    let found = check(&folder, CHIPS).unwrap_err();
    assert_eq!(found[0].kind, ProblemKind::FileMissing { file: "image.bin".to_owned() });

    fs::write(folder.join("image.bin"), "abd").unwrap();
    let found = check(&folder, CHIPS).unwrap_err();
    let mismatch =
        ImageMismatch::Hash { got: Sha256Digest::of(b"abd"), expected: Sha256Digest::of(b"abc") };
    let file = "image.bin".to_owned();
    assert_eq!(
        found[0].kind,
        ProblemKind::ImageMismatch { file: file.clone(), mismatch: Box::new(mismatch) }
    );

    fs::write(folder.join("image.bin"), "abcd").unwrap();
    let found = check(&folder, CHIPS).unwrap_err();
    let mismatch = Box::new(ImageMismatch::Size { got: 4, expected: 3 });
    assert_eq!(found[0].kind, ProblemKind::ImageMismatch { file, mismatch });
}

#[test]
fn an_image_that_the_memory_cannot_hold_is_refused() {
    let (_, kind) = problem("size_bytes = 3", "size_bytes = 4096");
    let (image_bytes, memory_bytes) = (4096, 2048);
    assert_eq!(kind, ProblemKind::ImageTooBigForMemory { image_bytes, memory_bytes });
    let (_, kind) = problem("size_bytes = 2048", "size_bytes = 2");
    let (image_bytes, memory_bytes) = (3, 2);
    assert_eq!(kind, ProblemKind::ImageTooBigForMemory { image_bytes, memory_bytes });
}

#[test]
fn a_profile_reaches_no_file_outside_its_folder() {
    for file in ["/etc/passwd", "../maker-model/image.bin", "sub/image.bin", "..", "", "a\\\\b"] {
        let (line, kind) = problem("\"image.bin\"", &format!("\"{file}\""));
        assert_eq!(line, Some(24));
        assert!(matches!(kind, ProblemKind::FileOutsideFolder { .. }), "{file}: {kind:?}");
    }
}

#[test]
fn each_image_source_has_its_own_keys() {
    let hash = GOOD.lines().find(|line| line.starts_with("sha256")).unwrap();
    let (line, kind) = problem(&format!("{hash}\n"), "");
    let (source_kind, key) = ("shipped", "sha256");
    assert_eq!((line, kind), (Some(22), ProblemKind::ImageKeyMissing { source_kind, key }));
    let (_, kind) = problem("file = \"image.bin\"\n", "");
    assert_eq!(kind, ProblemKind::ImageKeyMissing { source_kind, key: "file" });
    let (_, kind) = problem("\"shipped\"", "\"supply\"");
    assert_eq!(kind, ProblemKind::FileOfSuppliedImage);
    assert_eq!(problems("source = \"shipped\"\nfile = \"image.bin\"", "source = \"supply\""), []);
    assert_eq!(problems("\"shipped\"", "\"build\""), []);
}

#[test]
fn a_users_profile_stands_beside_the_embedded_ones() {
    let profiles = Profiles::new();
    profiles.add("cy16/maker-model", GOOD);
    let library = Library::embedded(CHIPS).with_user_folder(profiles.path());
    assert_eq!(library.problems(), []);
    let mine = library.find("maker-model").unwrap();
    assert_eq!(library.image_bytes(mine).unwrap(), b"abc");
    assert_eq!(library.for_chip("sl11r", Scope::Hardware).len(), 2);
    assert!(library.place(mine).unwrap().ends_with("cy16/maker-model/profile.toml"));
}

#[test]
fn a_broken_profile_hides_no_good_one() {
    let profiles = Profiles::new();
    profiles.add("broken", "name = ");
    profiles.add("maker-model", GOOD);
    profiles.add("wrong-name", GOOD);
    let library = Library::empty(CHIPS).with_user_folder(profiles.path());
    assert!(library.find("maker-model").is_some());
    let places: Vec<_> = library.problems().iter().map(|problem| problem.place.clone()).collect();
    assert_eq!(places.len(), 2, "{places:?}");
    assert!(places[0].ends_with("broken/profile.toml"), "{places:?}");
    assert!(places[1].ends_with("wrong-name/profile.toml"), "{places:?}");
}

#[test]
fn of_two_profiles_with_one_name_both_places_are_named() {
    let profiles = Profiles::new();
    profiles.add("one/maker-model", GOOD);
    profiles.add("two/maker-model", GOOD);
    profiles.add("sony-crx100e", &GOOD.replace("maker-model", "sony-crx100e"));
    let library = Library::embedded(CHIPS).with_user_folder(profiles.path());
    let found: Vec<_> = library.problems().iter().map(ToString::to_string).collect();
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].contains("sony-crx100e/profile.toml: a profile named"), "{found:?}");
    assert!(
        found[0].ends_with("already exists in recovery-images/cy16/sony-crx100e/profile.toml"),
        "{found:?}"
    );
    assert!(
        found[1].contains("two/maker-model/profile.toml")
            && found[1].ends_with("one/maker-model/profile.toml"),
        "{found:?}"
    );
}

#[test]
fn a_folder_that_is_missing_or_empty_is_no_problem_for_the_library_and_one_for_check() {
    let profiles = Profiles::new();
    let library = Library::empty(CHIPS).with_user_folder(&profiles.path().join("none"));
    assert_eq!((library.problems(), library.profiles().count()), (&[][..], 0));
    let found = check(profiles.path(), CHIPS).unwrap_err();
    assert_eq!(found[0].kind, ProblemKind::NoProfile);
}

#[test]
fn a_file_that_is_not_text_or_far_too_big_is_refused() {
    let profiles = Profiles::new();
    let folder = profiles.add("maker-model", GOOD);
    fs::write(folder.join("profile.toml"), [0xff, 0xfe]).unwrap();
    let found = check(&folder, CHIPS).unwrap_err();
    assert!(matches!(found[0].kind, ProblemKind::Unreadable { .. }), "{found:?}");
    fs::write(folder.join("profile.toml"), "#".repeat(300_000)).unwrap();
    let found = check(&folder, CHIPS).unwrap_err();
    assert_eq!(found[0].kind, ProblemKind::TooBig { max_bytes: 262_144 });
}

#[cfg(unix)]
#[test]
fn a_folder_in_the_place_of_a_file_is_refused() {
    let profiles = Profiles::new();
    let folder = profiles.add("maker-model", GOOD);
    fs::remove_file(folder.join("image.bin")).unwrap();
    fs::create_dir(folder.join("image.bin")).unwrap();
    let found = check(&folder, CHIPS).unwrap_err();
    assert!(found[0].to_string().ends_with("a folder, not a regular file"), "{found:?}");
}

#[test]
fn folders_are_looked_into_only_so_deep() {
    let profiles = Profiles::new();
    profiles.add("a/b/maker-model", GOOD);
    profiles.add("a/b/c/deep-model", &GOOD.replace("maker-model", "deep-model"));
    let library = Library::empty(CHIPS).with_user_folder(profiles.path());
    let names: Vec<_> = library.profiles().map(|profile| profile.name.as_str()).collect();
    assert_eq!(names, ["maker-model"]);
}

proptest::proptest! {
    #[test]
    fn a_damaged_profile_never_panics_and_its_lines_are_in_the_file(
        at in 0..GOOD.len(), cut in 0..40_usize, put in "\\PC{0,8}"
    ) {
        let end = (at + cut).min(GOOD.len());
        let text = [&GOOD[..at], &put, &GOOD[end..]].concat();
        let maximum = text.lines().count() + 1;
        for problem in parse(&text, "profile.toml", "maker-model", CHIPS).err().unwrap_or_default() {
            proptest::prop_assert!(problem.line.is_none_or(|line| (1..=maximum).contains(&line)));
        }
    }
}
