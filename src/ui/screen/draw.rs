//! Draws the model: a row a port, below it the detail of one, below that what the keys do.
//!
//! Readable without colour and without any character outside ASCII of our own; made for 80
//! columns and 24 lines, and for what is larger.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::key::HELP;
use super::model::{Model, Row, State};

/// Columns of the label, the state, the bar and the time, each with a space behind it.
const LABEL: usize = 9;
const STATE: usize = 10;
const BAR: usize = 11;
const TIME: usize = 6;

/// Lines of the detail below the table, with its title.
const DETAIL: u16 = 9;

/// Lines of the title, the table's head and the help.
const FRAME: u16 = 3;

/// Ports that fit on a screen so high.
pub fn page(height: u16) -> usize {
    usize::from(height.saturating_sub(FRAME + DETAIL).max(1))
}

/// Draws everything.
pub fn draw(frame: &mut Frame<'_>, model: &Model) {
    let area = frame.area();
    let table_height =
        if model.is_detail { 0 } else { u16::try_from(page(area.height)).unwrap_or(1) };
    let parts = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(u16::from(!model.is_detail)),
        Constraint::Length(table_height),
        Constraint::Min(0),
        Constraint::Length(1),
    ]);
    let [title, head, table, detail, help] = parts.areas(area);
    frame.render_widget(Paragraph::new(title_line(model, title.width)), title);
    let width = usize::from(area.width);
    let bold = Style::new().add_modifier(Modifier::BOLD);
    let shown = window(model, usize::from(table.height));
    frame.render_widget(Paragraph::new(Line::styled(head_line(width), bold)), head);
    let rows: Vec<Line<'_>> = model
        .rows
        .iter()
        .skip(shown.start)
        .take(shown.len())
        .map(|(path, row)| {
            let line = row_line(row, model.now_ms, width);
            if model.selected.as_ref() == Some(path) {
                line.patch_style(Modifier::REVERSED)
            } else {
                line
            }
        })
        .collect();
    frame.render_widget(Paragraph::new(rows), table);
    draw_detail(frame, model, detail);
    let help_line = model.message.as_deref().unwrap_or(HELP);
    frame.render_widget(Paragraph::new(cut(help_line, width)).style(bold), help);
}

/// Which rows are on the screen: those around the selected one.
fn window(model: &Model, height: usize) -> std::ops::Range<usize> {
    let count = model.rows.len();
    let selected = model.rows.keys().position(|path| Some(path) == model.selected.as_ref());
    let last = count.saturating_sub(height);
    let start = selected.unwrap_or(0).saturating_sub(height / 2).min(last);
    start..count.min(start + height)
}

fn title_line(model: &Model, width: u16) -> Line<'_> {
    let mode = if model.is_auto { "auto" } else { "by hand" };
    let running = model.count(&[State::Running, State::Hands, State::Stuck]);
    let left = format!(
        "recover bench  {mode}  {}: {running} running, {} rescued, {} failed",
        crate::wording::counted(model.rows.len(), "port"),
        model.count(&[State::Rescued]),
        model.count(&[State::Failed]),
    );
    let seconds = model.now_ms / 1000;
    let clock = format!("{}:{:02}", seconds / 60, seconds % 60);
    let room = usize::from(width).saturating_sub(clock.len() + 1);
    let style = Style::new().add_modifier(Modifier::BOLD);
    Line::styled(format!("{} {clock}", padded(&left, room)), style)
}

/// Columns of the enclosure and of the step: what the others leave, the step the larger part.
fn wide_columns(width: usize) -> (usize, usize) {
    let rest = width.saturating_sub(LABEL + STATE + BAR + TIME);
    let enclosure = rest * 2 / 5;
    (enclosure, rest - enclosure)
}

fn head_line(width: usize) -> String {
    let (enclosure, step) = wide_columns(width);
    [
        padded("port", LABEL),
        padded("enclosure", enclosure),
        padded("state", STATE),
        padded("step", step),
        padded("progress", BAR),
        format!("{:>width$}", "time", width = TIME),
    ]
    .concat()
}

fn row_line(row: &Row, now_ms: u64, width: usize) -> Line<'static> {
    let (enclosure, step) = wide_columns(width);
    let time = row
        .seconds(now_ms)
        .map_or_else(String::new, |seconds| format!("{}:{:02}", seconds / 60, seconds % 60));
    Line::from(vec![
        Span::raw(padded(&row.label, LABEL)),
        Span::raw(padded(&row.enclosure, enclosure)),
        Span::styled(padded(row.state.word(), STATE), colour(row.state)),
        Span::raw(padded(&row.step, step)),
        Span::raw(padded(&bar(row.progress), BAR)),
        Span::raw(format!("{time:>TIME$}")),
    ])
}

fn colour(state: State) -> Style {
    let style = Style::new();
    match state {
        State::Empty | State::Unknown | State::Skipped => style.add_modifier(Modifier::DIM),
        State::Rescued | State::Healthy | State::Planned => style.fg(Color::Green),
        State::Waiting | State::InFlight | State::Hands => style.fg(Color::Yellow),
        State::Failed | State::Stuck => style.fg(Color::Red),
        State::Running => style,
    }
}

fn bar(progress: Option<(u64, u64)>) -> String {
    let Some((done, total)) = progress.filter(|(_, total)| *total > 0) else {
        return String::new();
    };
    let cells = BAR as u64 - 3;
    let full = usize::try_from(cells * done.min(total) / total).unwrap_or(0);
    format!("[{:<width$}]", "#".repeat(full), width = BAR - 3)
}

fn draw_detail(frame: &mut Frame<'_>, model: &Model, area: Rect) {
    let Some(row) = model.row() else {
        let empty = "no port has a known device";
        frame.render_widget(Paragraph::new(vec![Line::raw(""), Line::raw(empty)]), area);
        return;
    };
    let width = usize::from(area.width);
    let title = format!("-- {} {} ", row.label, row.enclosure);
    let title = format!("{title:-<width$}");
    let mut lines =
        vec![Line::styled(cut(&title, width), Style::new().add_modifier(Modifier::BOLD))];
    let wrapped: Vec<String> = row.lines.iter().flat_map(|line| wrap(line, width)).collect();
    let room = usize::from(area.height).saturating_sub(1);
    let skipped = wrapped.len().saturating_sub(room);
    lines.extend(wrapped.into_iter().skip(skipped).map(Line::raw));
    frame.render_widget(Paragraph::new(lines), area);
}

/// At most so many characters, the last one a tilde where some were left out.
fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{kept}~")
}

/// Exactly so many characters, the last a space.
fn padded(text: &str, width: usize) -> String {
    let text = cut(text, width.saturating_sub(1));
    format!("{text:<width$}")
}

/// The lines of a long line, broken between words, the later ones indented like the first.
fn wrap(line: &str, width: usize) -> Vec<String> {
    let indent = line.chars().take_while(|c| *c == ' ').count().min(width / 2);
    let mut lines = vec![" ".repeat(indent)];
    for word in line.split_whitespace() {
        let Some(last) = lines.last_mut() else { break };
        let used = last.chars().count();
        let gap = usize::from(used > indent);
        if used > indent && used + gap + word.chars().count() > width {
            lines.push(format!("{}{}", " ".repeat(indent), cut(word, width - indent)));
        } else {
            last.push_str(if gap == 1 { " " } else { "" });
            last.push_str(&cut(word, width.saturating_sub(used + gap)));
        }
    }
    lines
}
