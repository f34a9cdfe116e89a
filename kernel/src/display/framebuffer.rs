//! The framebuffer, which the loader finds and maps.
#![expect(unsafe_code, reason = "writes to the framebuffer")]

use core::ptr::NonNull;

use bootloader_api::info::FrameBuffer;

/// Pixels to draw on, each 1 to 4 bytes.
#[derive(Debug)]
pub struct Framebuffer {
    first: NonNull<u8>,
    bytes: usize,
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Pixels from one row to the next.
    stride: usize,
    bytes_per_pixel: usize,
}

// SAFETY: its owner has the framebuffer to itself, on any CPU.
unsafe impl Send for Framebuffer {}

impl Framebuffer {
    /// Takes the loader's framebuffer; `None` if its sizes are inconsistent.
    #[must_use]
    pub fn new(framebuffer: FrameBuffer) -> Option<Self> {
        let info = framebuffer.info();
        Self::of(framebuffer.into_buffer(), [info.width, info.height, info.stride], info.bytes_per_pixel)
    }

    /// A framebuffer on `buffer`, with this width, height and stride in pixels.
    fn of(
        buffer: &'static mut [u8],
        [width, height, stride]: [usize; 3],
        bytes_per_pixel: usize,
    ) -> Option<Self> {
        let bytes = stride.checked_mul(height)?.checked_mul(bytes_per_pixel)?;
        let sound = (1..=4).contains(&bytes_per_pixel) && width > 0 && width <= stride && height > 0;
        let first = NonNull::new(buffer.as_mut_ptr())?;
        (sound && bytes <= buffer.len()).then_some(Self {
            first,
            bytes: buffer.len(),
            width,
            height,
            stride,
            bytes_per_pixel,
        })
    }

    /// Makes `len` pixels from (`x`, `y`) on white or black, which have the same bytes in all pixel formats. Pixels outside
    /// are ignored.
    pub fn fill(&mut self, x: usize, y: usize, len: usize, white: bool) {
        if y >= self.height || x >= self.width {
            return;
        }
        let len = len.min(self.width - x);
        let start = (y * self.stride + x) * self.bytes_per_pixel;
        let end = start + len * self.bytes_per_pixel;
        let value = if white { 0xff_u8 } else { 0 };
        let mut at = start;
        // Four bytes at a time if aligned: each write may be a bus transaction.
        while at < end.min(self.bytes) {
            let to = self.first.as_ptr().wrapping_add(at);
            if to.addr().is_multiple_of(4) && end - at >= 4 {
                // SAFETY: aligned, and inside the buffer, which holds every pixel, as `of` checked. Volatile, because
                // it may be a device.
                unsafe { to.cast::<u32>().write_volatile(u32::from_ne_bytes([value; 4])) };
                at += 4;
            } else {
                // SAFETY: as above.
                unsafe { to.write_volatile(value) };
                at += 1;
            }
        }
    }
}

#[cfg(test)]
pub mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use super::*;

    /// A framebuffer in memory, with a margin at the end of each row.
    pub fn in_memory(width: usize, height: usize, bytes_per_pixel: usize) -> Framebuffer {
        let stride = width + 3;
        let buffer = vec![0x55; stride * height * bytes_per_pixel].leak();
        Framebuffer::of(buffer, [width, height, stride], bytes_per_pixel).expect("it fits")
    }

    /// The pixels, by row.
    pub fn pixels(framebuffer: &Framebuffer) -> Vec<Vec<bool>> {
        // SAFETY: the tests' buffers are never freed, and nothing draws now.
        let bytes = unsafe { core::slice::from_raw_parts(framebuffer.first.as_ptr(), framebuffer.bytes) };
        let rows = bytes.chunks_exact(framebuffer.stride * framebuffer.bytes_per_pixel);
        let row = |row: &[u8]| {
            let (seen, margin) = row.split_at(framebuffer.width * framebuffer.bytes_per_pixel);
            assert!(margin.iter().all(|&byte| byte == 0x55), "the margin is not drawn on");
            seen.chunks_exact(framebuffer.bytes_per_pixel).map(|pixel| pixel[0] == 0xff).collect()
        };
        rows.map(row).collect()
    }

    #[test]
    fn fills_the_pixels_inside_for_every_size_of_pixel() {
        for bytes_per_pixel in 1..=4 {
            let mut framebuffer = in_memory(9, 3, bytes_per_pixel);
            for y in 0..3 {
                framebuffer.fill(0, y, 9, false);
            }
            framebuffer.fill(1, 0, 7, true);
            framebuffer.fill(8, 1, 50, true);
            framebuffer.fill(9, 1, 1, true);
            framebuffer.fill(0, 3, 9, true);
            let drawn = pixels(&framebuffer);
            let count = |y: usize| drawn[y].iter().filter(|&&white| white).count();
            assert_eq!([count(0), count(1), count(2)], [7, 1, 0], "{bytes_per_pixel}");
            assert!(drawn[1][8] && !drawn[0][0] && !drawn[0][8]);
        }
    }

    #[test]
    fn refuses_inconsistent_sizes() {
        let new = |shape, bytes_per_pixel| Framebuffer::of(vec![0; 100].leak(), shape, bytes_per_pixel);
        assert!(new([5, 5, 5], 4).is_some());
        for (shape, bytes_per_pixel) in [
            ([5, 5, 4], 4),
            ([5, 6, 5], 4),
            ([0, 5, 5], 4),
            ([5, 0, 5], 4),
            ([5, 5, 5], 0),
            ([5, 5, 5], 5),
            ([1, usize::MAX, usize::MAX], 4),
        ] {
            assert!(new(shape, bytes_per_pixel).is_none(), "{shape:?} {bytes_per_pixel}");
        }
    }
}
