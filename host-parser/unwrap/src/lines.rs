//! Records that a terminal broke, or put something after or into.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read};
use std::sync::Arc;

use abi::wire::{MAX_LINE_BYTES, decode, is_tagged};

use crate::{Form, Undone};

/// How a tag begins, whatever its version.
const TAG_BEGINS: &[u8] = b"ASSAY";
/// How a record ends: ` crc=` and eight hex digits.
const CRC: &[u8] = b" crc=";
const CRC_DIGITS: usize = 8;

/// The narrowest terminal, in columns, whose broken lines are joined again.
const NARROWEST: usize = 20;
/// How many lines a record can be on.
const MOST_LINES: usize = MAX_LINE_BYTES.div_ceil(NARROWEST);

/// The longest line that is looked at: a record, what stands before it and what an escape adds.
const LONGEST: usize = 4096;

/// The lines of a log, in which each broken record is mended if that gives one with the right checksum.
pub(crate) struct Lines {
    log: BufReader<Box<dyn Read + Send>>,
    undone: Arc<Undone>,
    /// Lines that were read ahead.
    ahead: VecDeque<Vec<u8>>,
    /// How many bytes at the beginning of `log`'s buffer need nothing.
    clean: usize,
    ready: Vec<u8>,
    read: usize,
}

impl Lines {
    pub fn new(log: Box<dyn Read + Send>, undone: Arc<Undone>) -> Self {
        let log = BufReader::with_capacity(128 << 10, log);
        Self { log, undone, ahead: VecDeque::new(), clean: 0, ready: Vec::new(), read: 0 }
    }
}

impl Read for Lines {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.clean == 0 && self.read == self.ready.len() {
            self.refill()?;
        }
        if self.clean > 0 {
            let count = (&self.log.buffer()[..self.clean]).read(buffer)?;
            self.log.consume(count);
            self.clean -= count;
            return Ok(count);
        }
        let count = (&self.ready[self.read..]).read(buffer)?;
        self.read += count;
        Ok(count)
    }
}

impl Lines {
    /// Gets the next lines ready: as many as are in memory and need nothing, or one that needs something.
    fn refill(&mut self) -> io::Result<()> {
        self.ready.clear();
        self.read = 0;
        if self.ahead.is_empty() {
            self.clean = self.whole_lines()?;
            if self.clean > 0 {
                return Ok(());
            }
        }
        let Some(line) = self.next_line()? else { return Ok(()) };
        self.ready = self.mended(line)?;
        Ok(())
    }

    /// The length of all lines at the beginning of the buffer that are whole and need nothing: nearly always all of them.
    fn whole_lines(&mut self) -> io::Result<usize> {
        let buffer = self.log.fill_buf()?;
        let printed = is_printed(buffer);
        let mut taken = 0;
        for end in memchr::memchr_iter(b'\n', buffer) {
            let line = &buffer[taken..end];
            if !(printed && is_record(line)) && needs_look(line) {
                break;
            }
            taken = end + 1;
        }
        Ok(taken)
    }

    /// The next line with its ending; a piece of it, if it is very long.
    fn next_line(&mut self) -> io::Result<Option<Vec<u8>>> {
        if let Some(line) = self.ahead.pop_front() {
            return Ok(Some(line));
        }
        let mut line = Vec::new();
        self.log.by_ref().take(LONGEST as u64 * 32).read_until(b'\n', &mut line)?;
        Ok((!line.is_empty()).then_some(line))
    }

    /// A line, mended if it can be.
    fn mended(&mut self, line: Vec<u8>) -> io::Result<Vec<u8>> {
        let Some(tag) = tag(&line).filter(|_| line.len() <= LONGEST && needs_look(trimmed(&line))) else {
            return Ok(line);
        };
        if decode(&trimmed(&line)[tag..]).is_ok() {
            return Ok(line);
        }
        if let Some((mended, form)) = mend(&line) {
            self.undone.note(form);
            return Ok(mended);
        }
        self.joined(line)
    }

    /// A line and those after it as one record, if they are one. The lines that it took stay, and are empty, so that line
    /// numbers are those of the log.
    fn joined(&mut self, line: Vec<u8>) -> io::Result<Vec<u8>> {
        let mut lines: Vec<Vec<u8>> = Vec::new();
        while lines.len() < MOST_LINES {
            let Some(next) = self.next_line()? else { break };
            let ends = is_tagged(&next) || next.len() > LONGEST;
            lines.push(next);
            if ends {
                break;
            }
            let parts: Vec<&[u8]> = [&line].into_iter().chain(&lines).map(|line| trimmed(line)).collect();
            if let Some(mut mended) = [0, 1].into_iter().find_map(|wider| record(&joined(&parts, wider))) {
                self.undone.note(Form::Wrapped);
                mended.extend(lines.iter().map(|_| b'\n'));
                return Ok(mended);
            }
        }
        for line in lines.into_iter().rev() {
            self.ahead.push_front(line);
        }
        Ok(line)
    }
}

/// The parts of a line that a terminal broke. All but the last are as wide as the terminal, which may drop a blank at the end
/// of its line: `wider` is how much wider it is than the widest of them.
fn joined(parts: &[&[u8]], wider: usize) -> Vec<u8> {
    let Some((last, full)) = parts.split_last() else { return Vec::new() };
    let width = full.iter().map(|part| part.len()).max().unwrap_or(0) + wider;
    let mut whole = Vec::new();
    for part in full {
        whole.extend_from_slice(part);
        if part.len() + 1 == width {
            whole.push(b' ');
        }
    }
    whole.extend_from_slice(last);
    whole
}

/// A line with its ending, if it has a whole record, perhaps with something after or in it.
fn record(line: &[u8]) -> Option<Vec<u8>> {
    let whole = tag(line).is_some_and(|tag| decode(&line[tag..]).is_ok());
    if whole { Some([line, b"\n"].concat()) } else { mend(line).map(|(line, _)| line) }
}

/// Whether a line has a tag, and may not be a whole record: a cheap test that never misses a broken one. Whether the
/// checksum is right is for the reader of the log to find out.
fn needs_look(line: &[u8]) -> bool {
    let line = trimmed(line);
    match tag(line) {
        None => false,
        Some(tag) => {
            !ends_a_record(&line[tag..]) || line[tag..].iter().any(|&byte| !(b' '..=b'~').contains(&byte))
        }
    }
}

/// Whether all bytes are printed, or end a line: a carriage return does before a line feed or another one. Without an early
/// exit, so that the compiler compares many bytes at once.
fn is_printed(bytes: &[u8]) -> bool {
    let before = bytes.iter().zip(bytes.iter().skip(1));
    let all = before.fold(true, |all, (&byte, &next)| {
        let ends = (byte == b'\n') | (byte == b'\r') & ((next == b'\n') | (next == b'\r'));
        all & (matches!(byte, b' '..=b'~') | ends)
    });
    // After the last byte, the line goes on.
    all && bytes.last().is_none_or(|byte| matches!(byte, b' '..=b'~' | b'\r' | b'\n'))
}

/// Whether a line of which all bytes are printed may be one whole record: then it needs nothing. It is, nearly always. A
/// second tag in it would change nothing, because the end is the same.
fn is_record(line: &[u8]) -> bool {
    let line = trimmed(line);
    let tagged =
        line.first_chunk::<8>().is_some_and(|begin| begin.starts_with(TAG_BEGINS) && is_tagged(begin));
    tagged && ends_a_record(line)
}

/// Whether a line ends as a record ends.
fn ends_a_record(line: &[u8]) -> bool {
    let Some(at) = line.len().checked_sub(CRC.len() + CRC_DIGITS) else { return false };
    line[at..].starts_with(CRC) && line[at + CRC.len()..].iter().all(u8::is_ascii_hexdigit)
}

/// Where the last tag of a line begins.
fn tag(line: &[u8]) -> Option<usize> {
    memchr::memmem::rfind(line, TAG_BEGINS).filter(|&at| is_tagged(&line[at..line.len().min(at + 8)]))
}

/// A line without its ending. Some consoles double the carriage return.
fn trimmed(line: &[u8]) -> &[u8] {
    let mut line = line.strip_suffix(b"\n").unwrap_or(line);
    while let Some(shorter) = line.strip_suffix(b"\r") {
        line = shorter;
    }
    line
}

/// A line without what stands in or after its record, if it is one then. What stands before stays.
fn mend(line: &[u8]) -> Option<(Vec<u8>, Form)> {
    for (clean, form) in [(line.to_vec(), Form::Trailing), (without_escapes(line), Form::Escapes)] {
        let Some(tag) = tag(&clean) else { continue };
        for crc in memchr::memmem::find_iter(&clean[tag..], CRC) {
            let end = tag + crc + CRC.len() + CRC_DIGITS;
            if clean.get(tag..end).is_some_and(|record| decode(record).is_ok()) {
                return Some(([&clean[..end], b"\n"].concat(), form));
            }
        }
    }
    None
}

/// A line without control sequences (ECMA-48, section 5.4), zero bytes and other characters that are not printed.
fn without_escapes(line: &[u8]) -> Vec<u8> {
    let mut clean = Vec::with_capacity(line.len());
    let mut bytes = line.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            0x1b if bytes.peek() == Some(&b'[') => {
                bytes.next();
                // Parameters and intermediate bytes, then a final byte.
                while bytes.next_if(|byte| (0x20..0x40).contains(byte)).is_some() {}
                bytes.next_if(|byte| (0x40..0x7f).contains(byte));
            }
            0x1b => {
                bytes.next();
            }
            0x08 => {
                clean.pop();
            }
            b' '..=b'~' => clean.push(byte),
            _ => {}
        }
    }
    clean
}
