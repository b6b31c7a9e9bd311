//! `recover explain`: the page of errors, one error at a time.

use serde_json::json;

use super::args::CommonArgs;
use crate::failure::{Code, Failure};
use crate::ui;

/// The page; a test holds its headings against the codes.
const PAGE: &str = include_str!("../../docs/errors.md");

/// Prints what the page says of a code, or which codes there are.
pub fn explain(common: &CommonArgs, code: Option<&str>) -> Result<u8, Failure> {
    let asked = match code {
        None => Code::ALL.to_vec(),
        Some(name) => vec![named(name)?],
    };
    for one in asked {
        let text = plain(section(one));
        if common.json {
            let title = one.title();
            let object = json!({ "code": one.name(), "title": title, "text": text.trim() });
            ui::print(&object.to_string());
        } else if code.is_some() {
            ui::print(&format!("{}: {}\n{text}", one.name(), one.title()));
        } else {
            ui::print(&format!("{}  {}", one.name(), one.title()));
        }
    }
    Ok(0)
}

/// The code, also in small letters and without its letter.
fn named(name: &str) -> Result<Code, Failure> {
    let digits = name.trim_start_matches(['R', 'r']);
    let is_named = |code: &&Code| code.name().trim_start_matches('R') == digits;
    Code::ALL.iter().find(is_named).copied().ok_or_else(|| {
        Failure::new(Code::R311, format!("there is no error with the code {name:?}"), "explain")
            .next("`recover explain` lists the codes")
    })
}

/// What stands between the code's heading and the next.
fn section(code: Code) -> &'static str {
    let heading = format!("\n### {}: {}\n", code.name(), code.title());
    let (_, text) = PAGE.split_once(&heading).unwrap_or_default();
    text.split("\n### ").next().unwrap_or_default().split("\n## ").next().unwrap_or_default()
}

/// The text without the marks of Markdown: bold, and the targets of links.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, link)) = rest.split_once('[') {
        plain.push_str(before);
        match link.split_once("](").and_then(|(name, behind)| Some((name, behind.split_once(')')?)))
        {
            Some((name, (target, behind))) if !name.contains(['\n', '[', ']']) => {
                let page = target.split('#').next().unwrap_or_default();
                match page {
                    "" => plain.push_str(name),
                    page => plain.push_str(&format!("{name} (docs/{page})")),
                }
                rest = behind;
            }
            _ => {
                plain.push('[');
                rest = link;
            }
        }
    }
    plain.push_str(rest);
    plain.replace("**", "")
}
