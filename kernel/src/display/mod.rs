//! Text on the screen, for a machine without a serial port, or whose serial port is not read: the table and reasons, not
//! the records. The screen is the framebuffer that firmware set up. A machine without one simply has no screen.

mod framebuffer;
mod grid;
mod screen;

use spin::{Mutex, MutexGuard};

pub use framebuffer::Framebuffer;
pub use screen::Screen;

/// The screen's characters, in memory that takes no room in the kernel's file.
static CELLS: Mutex<grid::Cells> = Mutex::new([[0; grid::MAX_COLUMNS]; grid::MAX_ROWS]);

/// The screen on `framebuffer`; `None` if there is one already.
#[must_use]
pub fn open(framebuffer: Framebuffer) -> Option<Screen> {
    Some(Screen::new(framebuffer, MutexGuard::leak(CELLS.try_lock()?)))
}
