//! Which exit counts, if there are several.

use lab::Exit;

/// The place of an exit among those of several rows: the first decides how a command ends. 0 comes last: it is for rows that
/// all hold.
#[must_use]
pub fn rank(exit: Exit) -> usize {
    const ORDER: [Exit; 8] = [
        Exit::Failed,
        Exit::Invalid,
        Exit::Busy,
        Exit::Unsupported,
        Exit::DoesNotHold,
        Exit::Inconclusive,
        Exit::HoldsUndisturbed,
        Exit::WithinBoot,
    ];
    ORDER.iter().position(|&of| of == exit).unwrap_or(ORDER.len())
}
