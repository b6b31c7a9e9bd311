//! The page about one unit that a shop prints and hands over.
//!
//! One HTML file that needs nothing else: no network, no script, the style and the pictures
//! inside. Every text goes through `maud`, which escapes, and through [`visible`], so that what a
//! device calls itself is only ever text; the page's own policy forbids scripts besides.
//!
//! [`memory`] gathers what the memory held before and holds now, [`picture`] draws it, [`words`]
//! says what happened as its owner would. docs/decisions/report.md says why it looks as it does.

mod memory;
mod picture;
mod words;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use self::memory::Contents;
use crate::chip::{self, Identity};
use crate::executor::Store;
use crate::ledger::text::visible;
use crate::ledger::{StepTaken, Unit};

const STYLE: &str = include_str!("style.css");

/// Nothing is loaded and nothing runs, whatever the texts hold.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// The page. `is_practice` says that the device was a virtual one.
pub fn page(unit: &Unit, store: &Store, is_practice: bool) -> String {
    let contents = Contents::of(unit, store);
    let title = format!("Repair report {}", visible(&unit.id));
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="generator" content={ "recover " (visible(&unit.program)) };
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (heading(unit))
                @if is_practice {
                    p.practice { "Practice with the simulator: this enclosure is virtual." }
                }
                (verdict(unit))
                section {
                    h2 { "What was wrong" }
                    @for sentence in words::wrong(unit) { p { (visible(&sentence)) } }
                }
                section {
                    h2 { "What was done" }
                    ul { @for sentence in words::done(unit) { li { (visible(&sentence)) } } }
                }
                (failure(unit))
                (identities(unit))
                (eeprom(unit, &contents))
                (steps(unit))
                (particulars(unit, &contents))
                (unproven(unit))
                footer {
                    p {
                        "Made by recover " (visible(&unit.program))
                        " from the ledger's entry " (visible(&unit.id)) ". Times are UTC."
                    }
                }
            }
        }
    };
    page.into_string()
}

fn heading(unit: &Unit) -> Markup {
    html! {
        header {
            div.what {
                p.kind { "Repair report" }
                h1 { (visible(&words::device(unit))) }
                p.entry {
                    (unit.began.strftime("%-d %B %Y, %H:%M").to_string()) " UTC"
                    br;
                    span.mono { (visible(&unit.id)) }
                }
            }
            // For the shop's pen.
            dl.blanks { @for label in ["Customer", "Order", "Signed"] { dt { (label) } dd {} } }
        }
    }
}

fn verdict(unit: &Unit) -> Markup {
    let (mark, class) = match unit.result.as_str() {
        "rescued" | "restored" | "healthy" => ("✓", "verdict good"),
        _ => ("✗", "verdict bad"),
    };
    html! {
        div class=(class) {
            span.mark aria-hidden="true" { (mark) }
            div { strong { (words::verdict(unit)) } p { (words::state(unit)) } }
        }
    }
}

fn failure(unit: &Unit) -> Markup {
    let Some(code) = &unit.error else { return html! {} };
    html! {
        section.failure {
            h2 { "Why the repair failed" }
            p { strong { (visible(code)) } ": " (visible(unit.error_what.as_deref().unwrap_or_default())) }
            @if let Some(place) = unit.error_where.as_deref().filter(|place| !place.is_empty()) {
                p.small { "Where: " (visible(place)) }
            }
            @if !unit.error_next.is_empty() {
                p.lead { "What to do next, best option first:" }
                ol { @for next in &unit.error_next { li { (visible(next)) } } }
            }
        }
    }
}

fn identities(unit: &Unit) -> Markup {
    type Part = (&'static str, fn(&Identity) -> Option<String>);
    let parts: [Part; 6] = [
        ("USB id", |who| Some(who.ids.to_string())),
        ("Revision", |who| who.bcd_device.map(|bcd| format!("{:x}.{:02x}", bcd >> 8, bcd & 0xff))),
        ("Class", |who| who.interface_class.map(|class| class.to_string())),
        ("Maker", |who| who.manufacturer.clone()),
        ("Product", |who| who.product.clone()),
        ("Serial number", |who| who.serial.clone()),
    ];
    let of = |who: &Option<Identity>, part: fn(&Identity) -> Option<String>| {
        who.as_ref().and_then(part).map_or("–".to_owned(), |text| visible(&text))
    };
    html! {
        section {
            h2 { "How it identifies itself to the computer" }
            table.identity {
                thead { tr { th {} th { "Before" } th { "Expected" } th { "Afterwards" } } }
                tbody {
                    @for (name, part) in parts {
                        @let before = of(&unit.identity_before, part);
                        @let after = of(&unit.identity_after, part);
                        tr {
                            th scope="row" { (name) }
                            td { (before) }
                            td { (of(&unit.identity_expected, part)) }
                            td.new[before != after && unit.identity_after.is_some()] { (after) }
                        }
                    }
                }
            }
            p.small {
                @if unit.identity_after.is_none() {
                    "It did not appear afterwards. "
                } @else {
                    "Bold: changed. "
                }
                "“–”: not shown, or not expected."
            }
        }
    }
}

fn eeprom(unit: &Unit, contents: &Contents) -> Markup {
    html! {
        section.memory {
            h2 { "Its memory, before and after" }
            @match (&contents.before, &contents.after) {
                (Some(before), Some(after)) => (picture::both(before, after, contents.certainty)),
                (Some(before), None) => (picture::one(before)),
                _ => p { (visible(&contents.why_unknown)) },
            }
            @if unit.size_proven == Some(false) {
                p.small {
                    "Reading could not show the size of the memory. The picture shows the bytes that were read and saved."
                }
            }
        }
    }
}

fn steps(unit: &Unit) -> Markup {
    if unit.steps.is_empty() {
        return html! {};
    }
    let risk = |step: &StepTaken| match step.risk.as_str() {
        "persistent" => "writes the memory",
        "volatile" => "RAM or power only",
        _ => "reads",
    };
    let seconds = |ms: Option<f64>| ms.map(|ms| format!("{:.2} s", ms / 1000.0));
    html! {
        section {
            h2 { "The steps and their times" }
            table.steps {
                thead { tr { th {} th { "Step" } th { "Effect" } th.number { "Begun at" } th.number { "Took" } } }
                tbody {
                    @for step in &unit.steps {
                        tr.undone[step.took_ms.is_none()] {
                            td.number { (step.step) }
                            td { (visible(&step.title)) }
                            td.effect { (risk(step)) }
                            td.number { (seconds(step.began_ms).unwrap_or_else(|| "–".into())) }
                            td.number {
                                (seconds(step.took_ms).unwrap_or_else(|| match step.began_ms {
                                    Some(_) => "not finished".into(),
                                    None => "not begun".into(),
                                }))
                            }
                        }
                    }
                }
            }
        }
    }
}

fn particulars(unit: &Unit, contents: &Contents) -> Markup {
    let chip = unit.chip.as_deref().map_or("not proven".to_owned(), |name| {
        chip::model(name).map_or_else(|| name.to_owned(), |(_, model)| model.title.to_owned())
    });
    let port = match &unit.port_label {
        Some(label) => format!("{label} ({})", unit.port),
        None => unit.port.clone(),
    };
    html! {
        section {
            h2 { "For the record" }
            dl.record {
                dt { "Bridge chip" } dd { (visible(&chip)) }
                dt { "Port" } dd { (visible(&port)) }
                @if let Some(profile) = &unit.profile {
                    dt { "Model file" } dd { (visible(profile)) }
                }
                @if let Some(image) = &unit.image {
                    dt { "Image" }
                    dd {
                        (visible(image)) ", " (unit.image_bytes.unwrap_or(0)) " bytes"
                        (hash(unit.image_sha256.as_deref()))
                    }
                }
                dt { "Backup" }
                dd {
                    @match &unit.backup {
                        Some(backup) => {
                            (visible(backup))
                            @if let Some(bytes) = contents.backup_bytes { ", " (bytes) " bytes" }
                            (hash(contents.backup_sha256.as_deref()))
                        }
                        None => "none",
                    }
                }
                @if let Some(drive) = &unit.drive { dt { "Drive inside" } dd { (visible(drive)) } }
                dt { "Time" }
                dd {
                    (format!("{:.1} s", unit.device_time_ms / 1000.0)) " in all"
                    @if unit.memory_time_ms > 0.0 {
                        (format!(", {:.2} s for writing and checking", unit.memory_time_ms / 1000.0))
                    }
                }
                dt { "Counts" }
                dd { (unit.transfers) " USB transfers, " (unit.write_cycles) " write cycles of the memory" }
                @if !unit.notes.is_empty() {
                    dt { "Notes" }
                    dd { @for note in &unit.notes { p { (visible(note)) } } }
                }
            }
        }
    }
}

fn hash(sha256: Option<&str>) -> Markup {
    html! {
        @if let Some(sha256) = sha256 {
            br; span.hash { "SHA-256 " (visible(sha256)) }
        }
    }
}

fn unproven(unit: &Unit) -> Markup {
    html! {
        section {
            h2 { "What was not verified" }
            @if unit.unproven.is_empty() {
                p { "The work relied on no unverified facts, or no plan was made." }
            } @else {
                p.lead { "The work relied on these facts, which are not verified on real hardware:" }
                ul { @for sentence in &unit.unproven { li { (visible(sentence)) } } }
            }
            @if !unit.evidence.is_empty() {
                p.lead { "The chip was identified by these facts:" }
                ul.facts { @for fact in &unit.evidence { li { (visible(fact)) } } }
            }
        }
    }
}
