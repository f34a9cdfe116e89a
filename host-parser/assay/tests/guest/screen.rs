//! Reads text off a picture of the screen, by the font that the kernel draws with.

use font8x8::legacy::BASIC_LEGACY;

/// A letter's size where a dot is one pixel: the font's rows are drawn twice.
const WIDTH: usize = 8;
const HEIGHT: usize = 16;

/// The text in a picture (Netpbm, "PPM Format Specification", binary, 8 bits a sample); `?` for what is no letter.
/// `None` where the picture is not whole.
pub fn text(ppm: &[u8]) -> Option<String> {
    let mut header = ppm.splitn(4, |&byte| byte == b'\n');
    let (magic, size, depth, pixels) = (header.next()?, header.next()?, header.next()?, header.next()?);
    let size = std::str::from_utf8(size).ok()?;
    let (width, height) = size.split_once(' ')?;
    let (width, height): (usize, usize) = (width.parse().ok()?, height.parse().ok()?);
    if (magic, depth) != (b"P6", b"255") || pixels.len() < width * height * 3 {
        return None;
    }
    let is_white = |x: usize, y: usize| pixels[(y * width + x) * 3] > 127;
    let letter = |column: usize, row: usize| {
        let dots: [u8; 8] = std::array::from_fn(|line| {
            let y = row * HEIGHT + 2 * line;
            (0..WIDTH).filter(|dot| is_white(column * WIDTH + dot, y)).fold(0, |dots, dot| dots | 1 << dot)
        });
        let known = (b' '..=b'~').find(|&byte| BASIC_LEGACY[usize::from(byte)] == dots);
        char::from(known.unwrap_or(b'?'))
    };
    let row = |row| (0..width / WIDTH).map(|column| letter(column, row)).collect::<String>();
    Some((0..height / HEIGHT).map(|number| row(number) + "\n").collect())
}
