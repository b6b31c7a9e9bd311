//! Draws lines of a terminal as an SVG picture: a dark window, one text element for each run of
//! characters that look alike. Every run says how wide it is, so the columns stand below one another
//! whatever monospace font the viewer has.

use std::fmt::Write;

/// The picture's width in pixels.
const WIDTH: f32 = 800.0;

/// The title bar and the space around the text, in pixels.
const BAR: f32 = 34.0;
const MARGIN: f32 = 18.0;

/// Ordinary monospace fonts are 0.6 times as wide as high; a line takes 1.35 times the height.
const ASPECT: f32 = 0.6;
const LINE: f32 = 1.35;

const BACKGROUND: &str = "#16181d";
const TITLE_BAR: &str = "#24272e";
const TITLE: &str = "#9aa0aa";

/// What a run of characters is coloured with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    Plain,
    Dim,
    Green,
    Yellow,
    Red,
}

impl Ink {
    fn colour(self) -> &'static str {
        match self {
            Self::Plain => "#d8dbe0",
            Self::Dim => "#7c828d",
            Self::Green => "#8fd48a",
            Self::Yellow => "#e8c66a",
            Self::Red => "#f2837c",
        }
    }
}

/// A run of characters that look alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    pub text: String,
    pub ink: Ink,
    pub is_bold: bool,
    pub is_reversed: bool,
}

impl Run {
    pub fn new(text: impl Into<String>, ink: Ink) -> Self {
        Self { text: text.into(), ink, is_bold: false, is_reversed: false }
    }

    pub fn bold(self) -> Self {
        Self { is_bold: true, ..self }
    }
}

/// A window with that title, so many columns wide; `description` is what a screen reader says.
pub fn svg(title: &str, description: &str, columns: usize, lines: &[Vec<Run>]) -> String {
    let cell = (WIDTH - 2.0 * MARGIN) / columns as f32;
    let font = cell / ASPECT;
    let line_height = font * LINE;
    let height = (BAR + 2.0 * MARGIN + line_height * lines.len() as f32).ceil();
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" role=\"img\">\n\
         <title>{}</title>\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" rx=\"10\" fill=\"{BACKGROUND}\"/>\n\
         <path d=\"M0 {BAR}V10A10 10 0 0 1 10 0H{right}A10 10 0 0 1 {WIDTH} 10V{BAR}Z\" fill=\"{TITLE_BAR}\"/>\n",
        escaped(description),
        right = WIDTH - 10.0,
    );
    for (number, colour) in ["#ee6a5f", "#f5bd4f", "#61c454"].iter().enumerate() {
        let x = 20 + 19 * number;
        let _ = writeln!(out, "<circle cx=\"{x}\" cy=\"17\" r=\"5.5\" fill=\"{colour}\"/>");
    }
    let _ = writeln!(
        out,
        "<text x=\"{}\" y=\"21.5\" text-anchor=\"middle\" font-family=\"system-ui, sans-serif\" font-size=\"13\" fill=\"{TITLE}\">{}</text>",
        WIDTH / 2.0,
        escaped(title)
    );
    let _ = writeln!(
        out,
        "<g font-family=\"ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace\" font-size=\"{font:.2}\" xml:space=\"preserve\">"
    );
    for (row, runs) in lines.iter().enumerate() {
        let top = BAR + MARGIN + line_height * row as f32;
        let baseline = top + font;
        let mut column = 0;
        for run in runs {
            let length = run.text.chars().count();
            let x = MARGIN + cell * column as f32;
            let width = cell * length as f32;
            column += length;
            if run.is_reversed {
                let colour = run.ink.colour();
                let _ = writeln!(
                    out,
                    "<rect x=\"{x:.2}\" y=\"{top:.2}\" width=\"{width:.2}\" height=\"{line_height:.2}\" fill=\"{colour}\"/>"
                );
            }
            if run.text.trim().is_empty() {
                continue;
            }
            let colour = if run.is_reversed { BACKGROUND } else { run.ink.colour() };
            let weight = if run.is_bold { " font-weight=\"bold\"" } else { "" };
            let _ = writeln!(
                out,
                "<text x=\"{x:.2}\" y=\"{baseline:.2}\" textLength=\"{width:.2}\" lengthAdjust=\"spacingAndGlyphs\" fill=\"{colour}\"{weight}>{}</text>",
                escaped(&run.text)
            );
        }
    }
    out.push_str("</g>\n</svg>\n");
    out
}

/// The lines of a long line, broken between words; what goes on is set in by `indent` columns more.
pub fn wrapped(line: &str, columns: usize, indent: usize) -> Vec<String> {
    let own = line.chars().take_while(|c| *c == ' ').count();
    let mut lines = vec![String::new()];
    for word in line.split_inclusive(' ') {
        let last = lines.last().map_or(0, |last| last.chars().count());
        let is_full = last + word.trim_end().chars().count() > columns;
        if is_full && last > own + indent {
            lines.push(" ".repeat(own + indent));
        }
        if let Some(last) = lines.last_mut() {
            last.push_str(word);
        }
    }
    lines
}

/// Text as it may stand in XML. Spaces are written so that no viewer joins them.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace(' ', "\u{a0}")
}
