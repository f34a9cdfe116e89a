//! Decides whether a file is a worker: the rules of `harness::user::elf` one by one, in numbers that cannot overflow.

const PAGE: u128 = 4096;

/// Whether `file` can be loaded into `limit` bytes.
pub(super) fn is_worker(file: &[u8], limit: u64) -> bool {
    is_one(file, limit.into()).unwrap_or(false)
}

struct Segment<'a> {
    at: u128,
    end: u128,
    data: &'a [u8],
    writable: bool,
    executable: bool,
}

fn is_one(file: &[u8], limit: u128) -> Option<bool> {
    let ident = file.starts_with(b"\x7fELF\x02\x01\x01");
    let kind = (number(file, 16, 2)?, number(file, 18, 2)?, number(file, 54, 2)?);
    if !ident || kind != (3, 62, 56) {
        return None;
    }
    let (entry, headers, count) = (number(file, 24, 8)?, number(file, 32, 8)?, number(file, 56, 2)?);
    let headers = range(file, headers, 56 * count)?;
    let (mut segments, mut dynamic) = (Vec::new(), &[][..]);
    for header in headers.chunks(56) {
        let field = |at, len| number(header, at, len);
        let content = || range(file, field(8, 8)?, field(32, 8)?);
        match field(0, 4)? {
            1 => {
                let (flags, at, size, data) = (field(4, 4)?, field(16, 8)?, field(40, 8)?, content()?);
                let (writable, executable) = (flags & 2 != 0, flags & 1 != 0);
                if size == 0 || size < data.len() as u128 || at + size > limit || (writable && executable) {
                    return None;
                }
                segments.push(Segment { at, end: at + size, data, writable, executable });
            }
            2 => dynamic = content()?,
            3 | 7 => return None,
            _ => {}
        }
    }
    let pages = |segment: &Segment<'_>| (segment.at / PAGE, (segment.end - 1) / PAGE);
    let apart = |a: &Segment<'_>, b: &Segment<'_>| pages(a).1 < pages(b).0 || pages(b).1 < pages(a).0;
    let all_apart = (1..segments.len()).all(|i| segments[..i].iter().all(|other| apart(other, &segments[i])));
    let in_code = |s: &Segment<'_>| s.executable && (s.at..s.at + s.data.len() as u128).contains(&entry);
    Some(
        segments.len() <= 16
            && all_apart
            && segments.iter().any(in_code)
            && relocations_can_be_made(&segments, dynamic, limit)?,
    )
}

fn relocations_can_be_made(segments: &[Segment<'_>], dynamic: &[u8], limit: u128) -> Option<bool> {
    let (mut at, mut bytes) = (None, 0);
    for entry in dynamic.chunks_exact(16) {
        let value = number(entry, 8, 8)?;
        match number(entry, 0, 8)? {
            0 => break,
            7 => at = Some(value),
            8 => bytes = value,
            12 | 17 | 23 | 25 | 32 | 36 => return None,
            _ => {}
        }
    }
    let Some(at) = at else { return Some(true) };
    let holds = |s: &&Segment<'_>| s.at <= at && at + bytes <= s.at + s.data.len() as u128;
    let segment = segments.iter().find(holds)?;
    let table = range(segment.data, at - segment.at, bytes)?;
    let mut entries = table.chunks(24);
    Some(table.len().is_multiple_of(24) && entries.all(|entry| can_be_made(entry, segments, limit)))
}

/// Whether a relocation is one that the kernel can make: R_X86_64_RELATIVE, aligned, in a writable segment.
fn can_be_made(entry: &[u8], segments: &[Segment<'_>], limit: u128) -> bool {
    let [at, kind, addend] = [0, 8, 16].map(|at| number(entry, at, 8).unwrap_or(u128::MAX));
    let writable = segments.iter().any(|s| s.writable && s.at <= at && at + 8 <= s.end);
    kind == 8 && at % 8 == 0 && addend <= limit && writable
}

fn range(bytes: &[u8], at: u128, len: u128) -> Option<&[u8]> {
    bytes.get(usize::try_from(at).ok()?..usize::try_from(at + len).ok()?)
}

fn number(bytes: &[u8], at: usize, len: usize) -> Option<u128> {
    Some(bytes.get(at..at + len)?.iter().rev().fold(0, |number, &byte| number << 8 | u128::from(byte)))
}
