//! Text on the screen, for a machine whose serial port nobody reads, or that has none: the table and the reasons, not
//! the records. The screen is the framebuffer that firmware set up; without one there is none, and nothing is missing.

mod framebuffer;
mod grid;
mod screen;

use spin::{Mutex, MutexGuard};

pub use framebuffer::Framebuffer;
pub use screen::Screen;

/// The one screen's characters, in memory that takes no room in the kernel's file.
static CELLS: Mutex<grid::Cells> = Mutex::new([[0; grid::MAX_COLUMNS]; grid::MAX_ROWS]);

/// The screen on `framebuffer`; `None` where there is one already.
#[must_use]
pub fn open(framebuffer: Framebuffer) -> Option<Screen> {
    Some(Screen::new(framebuffer, MutexGuard::leak(CELLS.try_lock()?)))
}
