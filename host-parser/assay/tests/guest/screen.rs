//! Reads the text in a screenshot, by the font that the kernel draws with.

use font8x8::legacy::BASIC_LEGACY;

/// Size of a letter in pixels. Each row of the font is drawn twice.
const WIDTH: usize = 8;
const HEIGHT: usize = 16;

/// The text in a picture (Netpbm, "PPM Format Specification", binary, 8 bits a sample), with `?` for an unknown letter.
/// `None` if the picture is incomplete.
pub fn text(ppm: &[u8]) -> Option<String> {
    let mut header = ppm.splitn(4, |&byte| byte == b'\n');
    let (magic, size, depth, pixels) = (header.next()?, header.next()?, header.next()?, header.next()?);
    let size = std::str::from_utf8(size).ok()?;
    let (width, height) = size.split_once(' ')?;
    let (width, height): (usize, usize) = (width.parse().ok()?, height.parse().ok()?);
    if (magic, depth) != (b"P6", b"255") || pixels.len() < width * height * 3 {
        return None;
    }
    let mut text = String::new();
    for row in 0..height / HEIGHT {
        text.extend((0..width / WIDTH).map(|column| letter(pixels, width, column, row)));
        text.push('\n');
    }
    Some(text)
}

/// The letter at a place of the text, in a picture that is `width` pixels wide.
fn letter(pixels: &[u8], width: usize, column: usize, row: usize) -> char {
    let mut dots = [0_u8; 8];
    for (line, dots) in dots.iter_mut().enumerate() {
        let first = (row * HEIGHT + 2 * line) * width + column * WIDTH;
        for dot in (0..WIDTH).filter(|dot| pixels[(first + dot) * 3] > 127) {
            *dots |= 1 << dot;
        }
    }
    let known = (b' '..=b'~').find(|&byte| BASIC_LEGACY[usize::from(byte)] == dots);
    char::from(known.unwrap_or(b'?'))
}
