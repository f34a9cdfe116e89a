//! The control tier: what goes wrong on purpose, and the reason that the gate must give.

use abi::control::ControlKind;
use abi::plan::Control as PlanControl;
use abi::wire::Value;

use super::super::profile::{Control, Tier};
use super::super::raw::RawControl;
use super::Checker;
use evidence::gate::ReasonCode;

impl Checker<'_> {
    /// What goes wrong on purpose. The control tier requires it, the others do not allow it.
    pub(super) fn control(&mut self, raw: Option<&RawControl>, tier: Tier) -> Option<Control> {
        let Some(raw) = raw else {
            if tier == Tier::Control {
                let expected = "expected a table [control], found nothing in a manifest of this tier";
                self.note("control", 0..0, expected.to_owned());
            }
            return None;
        };
        if tier != Tier::Control {
            self.refuse("control.expect", raw.expect.span(), "no control but in the tier \"control\"");
        }
        let expect = ReasonCode::ALL.iter().copied().find(|reason| reason.code() == raw.expect.get_ref());
        if expect.is_none() {
            let expected = "a reason code, as docs/GATE.md lists them";
            self.refuse("control.expect", raw.expect.span(), expected);
        }
        Some(Control { expect: expect?, kernel: self.kernel_control(raw) })
    }

    /// What the kernel does wrong, if the kernel is what goes wrong.
    fn kernel_control(&mut self, raw: &RawControl) -> PlanControl {
        let mut control = PlanControl { kind: ControlKind::None, target: 0 };
        match (&raw.kernel, &raw.target_cpu) {
            (None, None) => {}
            (None, Some(target)) => {
                self.refuse("control.target-cpu", target.span(), "no target without control.kernel");
            }
            (Some(kernel), target) => {
                let kind = ControlKind::parse(kernel.get_ref()).filter(|&kind| kind != ControlKind::None);
                let known = ControlKind::ALL.iter().filter(|&&kind| kind != ControlKind::None);
                let known: Vec<_> = known.map(|kind| kind.word()).collect();
                match kind {
                    Some(kind) => control.kind = kind,
                    None => {
                        self.refuse(
                            "control.kernel",
                            kernel.span(),
                            &format!("one of: {}", known.join(", ")),
                        );
                    }
                }
                if let Some(target) = target {
                    control.target = self.number("control.target-cpu", target, 0..=254);
                }
            }
        }
        control
    }
}
