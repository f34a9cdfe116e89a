//! The frame of every control: the task of another workload, and one misdeed.

/// Makes a program that is given the task of [`super::subject`] and does one thing wrong, in the timed call of worker 0. The
/// other workers must come through unharmed.
///
/// - `first`: the misdeed, then the work. `fn(&Call)`, or one that does not return.
/// - `instead`: other work. `fn(&Call) -> Outcome`.
/// - `afterwards`: the work, then a change to its outcome. `fn(&mut Outcome)`.
macro_rules! control {
    (first $misdeed:path) => {
        $crate::worker::control!(call, {
            if call.misbehaves {
                $misdeed(call);
            }
            $crate::worker::subject::work(call)
        });
    };
    (instead $misdeed:path) => {
        $crate::worker::control!(call, {
            if call.misbehaves { $misdeed(call) } else { $crate::worker::subject::work(call) }
        });
    };
    (afterwards $misdeed:path) => {
        $crate::worker::control!(call, {
            let mut outcome = $crate::worker::subject::work(call);
            if call.misbehaves {
                $misdeed(&mut outcome);
            }
            outcome
        });
    };
    ($call:ident, $body:block) => {
        $crate::worker::worker!($crate::worker::subject::warm_up, work);

        fn work($call: &$crate::worker::runtime::Call) -> $crate::worker::runtime::Outcome $body
    };
}
pub(crate) use control;
