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
