//! Every integration test as one program: it is linked once. Each module is a theme; run one with
//! `cargo test --test all rescue::`.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail loudly, in its helpers too"
)]

#[path = "assembler/mod.rs"]
mod assembler;
#[path = "assembler.rs"]
mod assembler_itself;
mod at2lp;
mod cases;
#[path = "support/cast.rs"]
mod cast;
mod cli;
mod codes;
mod confirmation;
mod cy16;
mod cy16_lockstep;
mod docs;
mod ezusb;
mod ezusb_loader;
mod factory_images;
mod files;
mod generated;
#[path = "support/hall.rs"]
mod hall;
mod healthy;
mod history;
mod hub;
mod image_build;
mod in_use;
mod interruption;
mod json_schema;
mod layering;
mod learn;
mod ledger;
mod limit;
mod loaders;
mod loaders_on_chip;
#[path = "loaders_run/main.rs"]
mod loaders_run;
mod many;
mod mcs51_lockstep;
#[path = "bench/minimum.rs"]
mod minimum;
mod mutants_apply;
mod offered;
mod own_backup;
mod part_proof;
#[path = "support/past.rs"]
mod past;
mod permission_to_write;
mod pictures;
mod plain_words;
mod power;
mod profiles;
mod records;
mod relay;
mod rescue;
mod seam;
mod shown;
mod stages;
mod support;
#[path = "support/terminal_svg.rs"]
mod terminal_svg;
mod third_party_firmware;
mod trace;
mod transcripts;
mod typed;
mod unread;
#[path = "support/usbmon.rs"]
mod usbmon;
