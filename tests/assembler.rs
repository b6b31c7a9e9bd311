//! The CY16 assembler against code that others assembled, and against its own rules.

#![expect(clippy::panic, reason = "a test stops at what it does not expect")]

use crate::assembler::{AssembleError, assemble};
use sha2::{Digest, Sha256};

/// Address, source, bytes as assembled by others, and where they stand: S the QTASM listing ST,
/// E the boot strap in EZ, N the sniffed image in EZ, G a vendor's stub. Jumps whose target the
/// source only gives as a distance are written with `$`.
const ASSEMBLED: [(u16, &str, &str); 91] = [
    (0x0506, "mov r0,13", "C0 07 0D 00"),        // S 0506
    (0x0518, "mov r2,r0", "02 00"),              // S 0518
    (0x0586, "mov r1,b[r8]", "01 06"),           // S 0586
    (0x0362, "mov r2,b[r8++]", "02 0A"),         // E 0362
    (0x0baa, "mov w[r9++],w[r8++]", "21 08"),    // S 0BAA
    (0x13ec, "mov r2,w[r9++]", "42 08"),         // S 13EC
    (0x129a, "mov w[r9++],r0", "21 00"),         // S 129A
    (0x095c, "mov w[r9++],0", "E1 07 00 00"),    // S 095C
    (0x05f2, "mov r0,w[0x05EA]", "C0 09 EA 05"), // S 05F2
    (0x0880, "mov [0x086A],r0", "27 00 6A 08"),  // S 0880
    (0x0b52, "mov b[0x14F6],r0", "2F 00 F6 14"), // S 0B52
    (0x0972, "mov r9,b[0x1460]", "C9 0B 60 14"), // S 0972
    (0x0f36, "mov b[0x14EC],b[0x145D]", "EF 0B 5D 14 EC 14"), // S 0F36
    (0x06d0, "mov b[0x06FA],0", "EF 07 00 00 FA 06"), // S 06D0
    (0x06aa, "mov w[0xC01C],0x0500", "E7 07 00 05 1C C0"), // S 06AA
    (0x0726, "mov [0x0714],[0x0038]", "E7 09 38 00 14 07"), // S 0726
    (0x0810, "mov r0,b[r8+1]", "00 0E 01 00"),   // S 0810
    (0x087c, "mov r0,w[r8+2]", "00 0C 02 00"),   // S 087C
    (0x0364, "mov r1,w[r9+0x0C]", "41 0C 0C 00"), // E 0364
    (0x031a, "mov w[r9+0x0C],r0", "31 00 0C 00"), // E 031A
    (0x032e, "mov w[r9+2],0x0456", "F1 07 56 04 02 00"), // E 032E
    (0x0316, "mov w[r9],0x42", "D1 07 42 00"),   // E 0316
    (0x0356, "mov w[r10],2", "D2 07 02 00"),     // E 0356
    (0x0000, "mov r15,0x0400", "CF 07 00 04"),   // N
    (0x0000, "mov [0xC03A],0x23B3", "E7 07 B3 23 3A C0"), // G
    (0x0504, "push r0", "17 00"),                // S 0504
    (0x0510, "push r2", "97 00"),                // S 0510
    (0x07e6, "push [0xC000]", "D7 09 00 C0"),    // S 07E6
    (0x050c, "pop r0", "C0 05"),                 // S 050C
    (0x0522, "pop r2", "C2 05"),                 // S 0522
    (0x07f2, "pop [0xC000]", "E7 05 00 C0"),     // S 07F2
    (0x05c6, "add r0,7", "C0 17 07 00"),         // S 05C6
    (0x08e6, "add w[0x0910],r0", "27 10 10 09"), // S 08E6
    (0x0d22, "add r11,0x0CF2", "CB 17 F2 0C"),   // S 0D22
    (0x0e24, "addc r1,0", "C1 27 00 00"),        // S 0E24
    (0x0c24, "addc w[0x096C],0", "E7 27 00 00 6C 09"), // S 0C24
    (0x110a, "addc r4,w[0x10AC]", "C4 29 AC 10"), // S 110A
    (0x0bb2, "sub r0,r2", "80 30"),              // S 0BB2
    (0x0bb4, "subb r1,r3", "C1 40"),             // S 0BB4
    (0x05c0, "cmp r0,9", "C0 57 09 00"),         // S 05C0
    (0x06e0, "cmp b[0x06FC],0", "EF 57 00 00 FC 06"), // S 06E0
    (0x0d2a, "cmp b[0x16F8],r1", "6F 50 F8 16"), // S 0D2A
    (0x0c2a, "cmp [0x096A],[0x0966]", "E7 59 66 09 6A 09"), // S 0C2A
    (0x0514, "and r0,0xFF", "C0 67 FF 00"),      // S 0514
    (0x0bd4, "and r1,r1", "41 60"),              // S 0BD4
    (0x07b6, "test b[0x06FA],1", "EF 77 01 00 FA 06"), // S 07B6
    (0x0a08, "test r0,0x80", "C0 77 80 00"),     // S 0A08
    (0x10c6, "or r0,r1", "40 80"),               // S 10C6
    (0x0b40, "or [r9],0x20", "D1 87 20 00"),     // S 0B40
    (0x06b0, "or w[0xC00E],0x20", "E7 87 20 00 0E C0"), // S 06B0
    (0x0000, "or r0,7", "C0 87 07 00"),          // N
    (0x0526, "xor r0,r0", "00 90"),              // S 0526, E
    (0x0970, "xor r9,r9", "49 92"),              // S 0970
    (0x033a, "xor w[r9],0x41", "D1 97 41 00"),   // E 033A
    (0x0a42, "xor r0,b[0x0CEE]", "C0 9B EE 0C"), // S 0A42
    (0x05ae, "shr r0,4", "C0 D0"),               // S 05AE
    (0x0d1a, "shr r0,5", "00 D1"),               // S 0D1A
    (0x0606, "shr r1,8", "C1 D1"),               // S 0606
    (0x0986, "shl r9,1", "09 D2"),               // S 0986
    (0x0e1e, "shl r0,8", "C0 D3"),               // S 0E1E
    (0x0584, "addi r3,1", "03 D8"),              // S 0584
    (0x06de, "addi r15,2", "4F D8"),             // S 06DE
    (0x0874, "addi [0x086C],1", "27 D8 6C 08"),  // S 0874
    (0x07ec, "addi b[0x07E0],1", "2F D8 E0 07"), // S 07EC
    (0x036e, "inc w[r9+0x0C]", "31 D8 0C 00"),   // E 036E
    (0x0ba4, "subi r0,1", "00 DA"),              // S 0BA4
    (0x0372, "dec r6", "06 DA"),                 // E 0372
    (0x0d18, "clc", "C3 DF"),                    // S 0D18
    (0x037c, "sti", "C0 DF"),                    // E 037C, N
    (0x050a, "int 117", "75 AF"),                // S 050A
    (0x036c, "int 0x41", "41 AF"),               // E 036C
    (0x0000, "int 71", "47 AF"),                 // N
    (0x052e, "call 0x05D4", "9F AF D4 05"),      // S 052E
    (0x079c, "call [0x0722]", "A7 AF 22 07"),    // S 079C
    (0x050e, "ret", "97 CF"),                    // S 050E
    (0x064a, "jmp $+8", "03 CF"),                // S 064A
    (0x0712, "jmp $-20", "75 CF"),               // S 0712
    (0x0500, "jmp 0x06A2", "9F CF A2 06"),       // S 0500
    (0x0866, "jmp [0x0716]", "A7 CF 16 07"),     // S 0866
    (0x0988, "jmp [r9+0x098C]", "B1 CF 8C 09"),  // S 0988
    (0x07da, "jmpl 0xE000", "9F CF 00 E0"),      // S 07DA
    (0x07bc, "jz $+6", "02 C0"),                 // S 07BC
    (0x0d46, "je 0x0DCE", "9F C0 CE 0D"),        // S 0D46
    (0x05a4, "jnz $-34", "6E C1"),               // S 05A4
    (0x0374, "jnz $-18", "76 C1"),               // E 0374
    (0x089c, "jb $+8", "03 C2"),                 // S 089C
    (0x0a6a, "jnc $+16", "07 C3"),               // S 0A6A
    (0x05c4, "jbe $+6", "02 C9"),                // S 05C4
    (0x09d8, "jg $+4", "01 CA"),                 // S 09D8
    (0x097a, "jle $+12", "05 CD"),               // S 097A
    (0x1136, "jc $+30", "0E C2"),                // S 1136
];

/// Known from the data sheet's word formats only (D5); nobody's listing was seen.
const LAYOUT_ONLY: [(&str, &str); 12] = [
    ("ror r1,1", "01 D4"),
    ("ror r2,8", "C2 D5"),
    ("rol r1,1", "01 D6"),
    ("rol r3,5", "03 D7"),
    ("not r4", "04 DE"),
    ("neg r5", "45 DE"),
    ("cbw r6", "06 DF"),
    ("cli", "C1 DF"),
    ("stc", "C2 DF"),
    ("cz 0x1234", "9F A0 34 12"),
    ("cnc r7", "87 A3"),
    ("rle", "97 CD"),
];

fn bytes(source: &str) -> Vec<u8> {
    assemble(source).unwrap_or_else(|error| panic!("{source}: {error}")).bytes
}

fn refusal(source: &str) -> AssembleError {
    match assemble(source) {
        Err(error) => error,
        Ok(assembly) => panic!("{source}: assembled to {:02x?}", assembly.bytes),
    }
}

fn spaced(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(" ")
}

#[test]
fn every_instruction_seen_in_real_code_assembles_to_the_same_bytes() {
    for (address, source, expected) in ASSEMBLED {
        let got = bytes(&format!("org {address}\n{source}"));
        assert_eq!(spaced(&got), expected, "{source} at {address:#06x}");
    }
}

#[test]
fn layout_only() {
    for (source, expected) in LAYOUT_ONLY {
        assert_eq!(spaced(&bytes(source)), expected, "{source}");
    }
}

/// Listings made by hand and by another assembler, which ran on an interpreter; the hashes are of
/// the whole images.
#[test]
fn the_listed_programs_assemble_to_their_listings_and_hashes() {
    let listings = [
        (include_str!("listings/read.lst"), "c450c039014bf6fc"),
        (include_str!("listings/write.lst"), "30d60f19b6a01032"),
        (include_str!("listings/page.lst"), "fe6328bf5d4cbaa7"),
        (include_str!("listings/crc.lst"), "d54da78e4adcd88a"),
        (include_str!("listings/reenumerate.lst"), "dfcba78d234de108"),
        (include_str!("listings/reset.lst"), "baf1f7ff27956b15"),
    ];
    for (listing, hash) in listings {
        let mut source = String::from("V2 equ 0x7a * 2\n");
        let mut listed = Vec::new();
        for line in listing.lines() {
            let (columns, text) = line.split_at(25);
            listed.extend(columns[4..].split_whitespace().map(|byte| {
                u8::from_str_radix(byte, 16).unwrap_or_else(|_| panic!("{byte} in {line}"))
            }));
            source.push_str(text);
            source.push('\n');
        }
        let got = bytes(&source);
        assert_eq!(spaced(&got), spaced(&listed));
        assert_eq!(&hex::encode(Sha256::digest(&got))[..16], hash);
    }
}

#[test]
fn a_short_jump_reaches_64_words_back_and_63_ahead() {
    assert_eq!(bytes("org 0x500\njmp $+2-128"), [0x40, 0xCF]);
    assert_eq!(bytes("org 0x500\njmp $+2+126"), [0x3F, 0xCF]);
    assert_eq!(bytes("org 0x500\njmp $+2-130"), [0x9F, 0xCF, 0x80, 0x04]);
    assert_eq!(bytes("org 0x500\njmp $+2+128"), [0x9F, 0xCF, 0x82, 0x05]);
}

#[test]
fn a_jump_to_an_odd_address_is_refused() {
    let error = refusal("org 0x500\njmp 0x507");
    assert_eq!(error.to_string(), "line 2: got a jump to 0x0507, expected an even address");
}

#[test]
fn a_jump_made_long_pushes_others_out_of_reach_until_all_fit() {
    // The first jump just reaches its target until the second one grows.
    let source = "jmp near\njmp far\nds 124\nnear: ret\nds 200\nfar: ret";
    let assembly = assemble(source).unwrap();
    assert_eq!(assembly.symbols["near"], 4 + 4 + 124);
    assert_eq!(&assembly.bytes[..2], [0x9F, 0xCF]);
    assert_eq!(&assembly.bytes[2..4], [132, 0]);
}

#[test]
fn jmpl_is_long_even_next_door() {
    assert_eq!(bytes("org 0x500\njmpl $+4"), [0x9F, 0xCF, 0x04, 0x05]);
    assert_eq!(bytes("org 0x500\njzl $+4"), [0x9F, 0xC0, 0x04, 0x05]);
}

#[test]
fn relocatable_code_never_jumps_to_a_fixed_address_by_accident() {
    let far = refusal("relocatable\njmp far\nds 200\nfar: ret");
    assert!(far.to_string().starts_with("line 2: got a jump over 100 words"), "{far}");
    assert_eq!(refusal("relocatable\nhere: call here").line, 2);
    assert_eq!(refusal("relocatable\nhere: mov r0,[here]").line, 2);
    assert_eq!(refusal("relocatable\nhere: jmpl here").line, 2);
    // An offset as a number is how such code finds its parts; a fixed address is reached long.
    assert_eq!(bytes("relocatable\nadd r8,part\npart: ret"), [0xC8, 0x17, 4, 0, 0x97, 0xCF]);
    assert_eq!(bytes("relocatable\njmp 0xE000"), [0x9F, 0xCF, 0x00, 0xE0]);
}

#[test]
fn both_extension_words_follow_source_first() {
    assert_eq!(bytes("mov w[r9+2],w[r8+4]"), [0x31, 0x0C, 4, 0, 2, 0]);
}

#[test]
fn data_directives_give_their_bytes() {
    assert_eq!(bytes("dw 0x1234, -1"), [0x34, 0x12, 0xFF, 0xFF]);
    assert_eq!(bytes("db 'A', \"BC; D\", 255 ; comment"), *b"ABC; D\xff");
    assert_eq!(bytes("db 1\nalign 4\ndb 2"), [1, 0, 0, 0, 2]);
    assert_eq!(bytes("ds 3, 0xEE\nds 1"), [0xEE, 0xEE, 0xEE, 0]);
    assert_eq!(bytes("string_descriptor \"Aé\""), [6, 3, 0x41, 0, 0xE9, 0]);
    assert_eq!(bytes("n equ (end_ - start) * 2 + 1\ndw n\nstart: ds 3\nend_:")[..2], [7, 0]);
}

#[test]
fn anonymous_labels_are_found_both_ways() {
    assert_eq!(bytes("@@: dec r0\njnz @b\njz @f\nret\n@@: ret")[2..6], [0x7E, 0xC1, 0x01, 0xC0]);
    assert_eq!(refusal("jmp @f").line, 1);
}

#[test]
fn a_record_counts_its_own_length() {
    let source = "record op02 vector=0x7A\nstart: ret\ndw start\nend\n\
                  record op06 vector=0x7A\nend\ndw 0";
    assert_eq!(
        bytes(source),
        [
            0xB6, 0xC3, 5, 0, 2, 0x7A, 0x97, 0xCF, 0, 0, // op 02: vector and four bytes
            0xB6, 0xC3, 1, 0, 6, 0x7A, 0, 0,
        ]
    );
    let placed = assemble("record op00 address=0x500\nstart: jmp start\nend").unwrap();
    assert_eq!(placed.symbols["start"], 0x500);
    assert_eq!(placed.bytes, [0xB6, 0xC3, 4, 0, 0, 0, 5, 0x7F, 0xCF]);
    // The official example of op 09 (CB, after Infineon).
    assert_eq!(
        bytes("record op09 register=0x3A value=0x2222\nend"),
        [0xB6, 0xC3, 3, 0, 9, 0x3A, 0x22, 0x22]
    );
}

#[test]
fn records_are_closed_and_not_nested() {
    assert_eq!(refusal("dw 0\nrecord op02 vector=1\nret").line, 2);
    assert_eq!(refusal("record op02 vector=1\nrecord op02 vector=1").line, 2);
    assert_eq!(refusal("end").line, 1);
    let unknown = refusal("record op07 vector=1");
    assert!(unknown.to_string().contains("got the record `op07`, expected one of op00"));
}

#[test]
fn what_cannot_be_encoded_is_refused_with_its_line() {
    for (source, expected) in [
        ("mov [r3],r0", "got r3 as a pointer, expected r8 to r15"),
        ("mov b[r15],r0", "got a byte through r15"),
        ("pop w[r15++]", "got [r15++]"),
        ("mov 5,r0", "got a number to write to"),
        ("cmp 5,r0", "got a number to write to"),
        ("mov b[r8],w[r9]", "expected both of one width"),
        ("push b[r8]", "expected both of one width"),
        ("shl r0,9", "got 9 as a count, expected 1 to 8"),
        ("shl r0,0", "got 0 as a count, expected 1 to 8"),
        ("int 128", "got 128 as an interrupt, expected 0 to 127"),
        ("jmp b[r8]", "got an address in a byte"),
        ("mov r0,0x10000", "got 65536 as a word"),
        ("db 256", "got 256 as a byte"),
        ("mov r0,nowhere", "got `nowhere`, which is defined nowhere"),
        ("mov r0,r1,r2", "got `,`, expected the end of the line"),
        ("mov r0", "got the end of the line, expected `,`"),
        ("nop", "got `nop`, which is no instruction and no directive"),
        ("db \"open", "got text without its closing quote"),
        ("r8: ret", "got the register `r8` as a name"),
        ("a equ b\nb equ a\ndw a", "rest on each other"),
        ("ds 70000", "expected a number from 0 to 65536"),
        ("mov r0,{", "got '{', which begins nothing"),
        ("align 0", "expected 1 or more"),
    ] {
        let error = refusal(source);
        assert!(error.to_string().contains(expected), "{source}: {error}");
    }
    assert_eq!(refusal("\n\nx: ret\nx: ret").line, 4);
    assert_eq!(refusal("db 1\nret").line, 2);
}

#[test]
fn hostile_sources_end_without_harm() {
    assert!(assemble(&format!("dw {}", "(".repeat(100_000))).is_err());
    assert!(assemble(&format!("dw {}1", "1+".repeat(10_000))).is_ok());
    assert!(assemble("dw 4294967295*4294967295*4294967295").is_err());
    assert!(assemble(&"ret\n".repeat(40_000)).is_err());
    assert!(assemble(&" ".repeat(2 << 20)).is_err());
}

#[test]
fn the_listing_shows_address_bytes_and_source() {
    let listing = assemble("org 0x500\nstart: mov r0,1 ; one\nds 9").unwrap().listing;
    assert_eq!(
        listing,
        "0000                           org 0x500\n\
         0500  C0 07 01 00              start: mov r0,1 ; one\n\
         0504  00 00 00 00 00 00 00 00  ds 9\n      00\n"
    );
}

proptest::proptest! {
    /// Any text gives bytes or an error with a line that exists.
    #[test]
    fn any_text_is_assembled_or_refused(
        words in proptest::collection::vec(
            proptest::sample::select(vec![
                "mov", "jmp", "jz", "shl", "int", "db", "dw", "ds", "align", "org", "equ",
                "record", "op02", "op00", "vector", "address", "end", "relocatable", "r1", "r8",
                "r15", "w", "b", "x", "y", ":", "[", "]", "(", ")", "+", "++", "-", "*", "=", ",",
                "$", "@@", "@b", "@f", "\"t\"", "'c'", "0", "1", "0xffff", "4294967295", "\n",
                "\n", "\n", "é", "\"", ";",
            ]),
            0..60,
        )
    ) {
        let source = words.join(" ");
        match assemble(&source) {
            Ok(assembly) => proptest::prop_assert!(assembly.bytes.len() <= 0x1_0000),
            Err(error) => {
                proptest::prop_assert!((1..=source.lines().count()).contains(&error.line));
            }
        }
    }
}
