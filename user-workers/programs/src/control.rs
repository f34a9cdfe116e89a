//! The frame of every control: the task of a workload, and one misdeed.

/// Makes a program that is given the task of the workload `$of` and does one thing wrong, in the timed call of worker
/// 0. The other workers must come through unharmed.
///
/// - `first`: the misdeed, then the work. The misdeed is a `fn(&Call)`, or one that does not return.
/// - `instead`: other work, a `fn(&Call) -> Outcome`.
/// - `afterwards`: the work, then a change to its outcome, a `fn(&mut Outcome)`.
macro_rules! control {
    ($of:ident: first $misdeed:path) => {
        $crate::worker::control!($of, call, {
            if call.misbehaves {
                $misdeed(call);
            }
            $crate::worker::$of::work(call)
        });
    };
    ($of:ident: instead $misdeed:path) => {
        $crate::worker::control!($of, call, {
            if call.misbehaves { $misdeed(call) } else { $crate::worker::$of::work(call) }
        });
    };
    ($of:ident: afterwards $misdeed:path) => {
        $crate::worker::control!($of, call, {
            let mut outcome = $crate::worker::$of::work(call);
            if call.misbehaves {
                $misdeed(&mut outcome);
            }
            outcome
        });
    };
    ($of:ident, $call:ident, $body:block) => {
        $crate::worker::worker!($crate::worker::$of::warm_up, work);

        fn work($call: &$crate::worker::runtime::Call) -> $crate::worker::runtime::Outcome $body
    };
}
pub(crate) use control;

/// The work of a program. In a program whose name begins with `control-`, worker 0 skips most of its work in the timed
/// call: it does no more than a warm-up.
///
/// Such a program has no source of its own: `control-NAME.rs` is a link to `NAME.rs`. So every workload has a control, and
/// no line of it is only the control's.
macro_rules! or_skipping {
    ($warm_up:path, $work:path) => {
        |call: &$crate::worker::runtime::Call, space: &mut $crate::worker::space::Space<'_>| {
            const SKIPS: bool = $crate::worker::control::is_control(env!("CARGO_BIN_NAME"));
            if SKIPS && call.misbehaves {
                let less = $crate::worker::runtime::Call { params: $warm_up(call.params), ..*call };
                $work(&less, space)
            } else {
                $work(call, space)
            }
        }
    };
}
pub(crate) use or_skipping;

/// Whether a program is a control, by its name.
pub const fn is_control(name: &str) -> bool {
    matches!(name.as_bytes(), [b'c', b'o', b'n', b't', b'r', b'o', b'l', b'-', ..])
}
