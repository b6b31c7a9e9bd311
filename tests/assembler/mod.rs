//! A small two-pass assembler for the CY16, the processor of the ScanLogic SL11R, EZ-OTG and
//! EZ-Host. It makes our loaders and the firmware of the virtual enclosures from their sources,
//! and so an image whose source is at hand can be rebuilt and compared.
//!
//! It is not QTASM: no conditional assembly, no includes, no user macros. The language is in
//! recovery-images/loaders/cy16/README.md. It shares no code with the simulator, which decodes
//! the same instructions on its own.
//!
//! A source goes through `lexer` (characters to tokens), `statement` (tokens to statements,
//! with `operand` and `expression`), `layout` (addresses and symbols, short jumps made long
//! until all fit) and `emit` (bytes and listing). `cy16` holds the instruction set and
//! `record` the scan records that a boot EEPROM consists of.

mod cy16;
mod emit;
mod expression;
mod layout;
mod lexer;
mod operand;
mod record;
mod statement;

use std::collections::BTreeMap;

/// The longest source that is read, bytes.
const MAX_SOURCE: usize = 1 << 20;

/// What a source was assembled to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assembly {
    /// The bytes, in file order.
    pub bytes: Vec<u8>,
    /// Labels as addresses and `equ` names as numbers. In relocatable code an address is an
    /// offset from the start of the block.
    pub symbols: BTreeMap<String, u16>,
    /// Address, bytes and source, one source line a line.
    pub listing: String,
}

/// Why a source was not assembled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct AssembleError {
    /// Line of the source, counted from 1.
    pub line: usize,
    /// What is wrong with it: got and expected.
    pub what: String,
}

/// Assembles a CY16 source.
///
/// # Errors
/// [`AssembleError`] with the first line that cannot be assembled.
pub fn assemble(source: &str) -> Result<Assembly, AssembleError> {
    if source.len() > MAX_SOURCE {
        let what = format!("the source is {} bytes, the most is {MAX_SOURCE}", source.len());
        return Err(AssembleError { line: 1, what });
    }
    let statements = statement::parse(source)?;
    let layout = layout::choose_jump_sizes(&statements)?;
    emit::emit(source, &statements, &layout)
}

/// For `map_err` on a finding that does not know its line.
fn on_line(line: usize) -> impl Fn(String) -> AssembleError {
    move |what| AssembleError { line, what }
}
