//! A run under QEMU: QMP on its standard input holds the guest before its first instruction, names the vCPU threads,
//! and reports how the guest ended.

use std::convert::Infallible;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::Control;
use crate::conversation::Conversation;
use crate::guest_process::{GuestProcess, Stop};
use crate::qmp;
use crate::streams::Arrival;
use crate::{BootMedium, CpuState, Outcome, Phase, QemuError, Version};

/// How long a QEMU that is about to be killed may take to return its CPUs' registers.
const REGISTERS_PATIENCE: Duration = Duration::from_secs(1);

impl Control for Conversation {
    fn new() -> Self {
        Self::new()
    }

    fn conduct(guest: &mut GuestProcess<'_, Self>) -> Result<Infallible, Stop> {
        guest.greet()?;
        let cpus = guest.ask("query-cpus-fast")?;
        let threads = qmp::cpu_threads(&cpus).map_err(no_threads)?;
        guest.pin(&threads)?;
        if guest.spec.boot == BootMedium::Nothing {
            guest.ask("query-status")?;
            guest.runs();
            return Err(Stop::Delete);
        }
        if guest.spec.machine.load.is_some() {
            guest.load()?;
        }
        guest.begin();
        guest.ask("cont")?;
        guest.runs();
        if let Some(load) = &guest.spec.machine.load {
            guest.send_serial(&load.then_send);
        }
        let Err(stop) = guest.go_on();
        if matches!(stop, Stop::Delete)
            && let Some(to) = &guest.spec.machine.save_to
        {
            guest.save(to)?;
        }
        Err(stop)
    }

    fn receive(&mut self, bytes: &[u8]) -> Result<(), QemuError> {
        self.receive(bytes)
    }

    fn classify(&self, phase: Phase, status: ExitStatus, stderr: &str) -> Outcome {
        self.evidence.classify(phase, status, stderr)
    }

    /// The guest is stopped first, because TCG keeps a running CPU's instruction pointer in the host's registers.
    fn registers(guest: &mut GuestProcess<'_, Self>) -> Vec<CpuState> {
        let (_, stop) = guest.control.ask("stop");
        let (id, registers) = guest.control.ask_monitor("info registers -a");
        guest.streams.send(&stop);
        guest.streams.send(&registers);
        let begin = Instant::now();
        loop {
            if let Some(reply) = guest.control.reply(id) {
                let printed = reply.unwrap_or_default();
                return CpuState::all_in(printed.as_str().unwrap_or_default());
            }
            let left = REGISTERS_PATIENCE.saturating_sub(begin.elapsed());
            let arrival = guest.take_in(None, left);
            if left.is_zero()
                || matches!(arrival, Err(_) | Ok(Arrival::Exit))
                || guest.streams.control_ended()
            {
                return Vec::new();
            }
        }
    }

    fn ask_to_end(guest: &mut GuestProcess<'_, Self>) {
        let (_, quit) = guest.control.ask("quit");
        guest.streams.send(&quit);
    }

    fn version(&self) -> Option<Version> {
        self.greeting
    }

    fn into_events(self) -> Vec<String> {
        self.events
    }
}

impl GuestProcess<'_, Conversation> {
    /// Waits for QEMU's greeting and answers it.
    fn greet(&mut self) -> Result<(), Stop> {
        while self.control.greeting.is_none() {
            self.wait()?;
        }
        self.ask("qmp_capabilities").map(drop)
    }

    /// Waits until the run stops.
    fn go_on(&mut self) -> Result<Infallible, Stop> {
        loop {
            // First, because the STOP event may have come with the last reply, and no other may follow.
            self.check_stop()?;
            self.wait()?;
        }
    }

    /// Sends a command and waits for its result.
    pub(super) fn ask(&mut self, command: &'static str) -> Result<Value, Stop> {
        let (id, line) = self.control.ask(command);
        self.result_of(command, id, &line)
    }

    /// Sends a command with arguments and waits for its result.
    pub(super) fn ask_with(&mut self, command: &'static str, arguments: &Value) -> Result<Value, Stop> {
        let (id, line) = self.control.ask_with(command, arguments);
        self.result_of(command, id, &line)
    }

    fn result_of(&mut self, command: &'static str, id: u64, line: &str) -> Result<Value, Stop> {
        self.streams.send(line);
        loop {
            if let Some(reply) = self.control.reply(id) {
                let refused = |detail| QemuError::Qmp { doing: command, detail };
                return Ok(reply.map_err(refused)?);
            }
            self.wait()?;
        }
    }

    /// If the guest was stopped, asks why, and stops the run unless the guest will go on by itself.
    fn check_stop(&mut self) -> Result<(), Stop> {
        if !std::mem::take(&mut self.control.stopped) {
            return Ok(());
        }
        let status = self.ask("query-status")?;
        match status.get("status").and_then(Value::as_str) {
            Some("guest-panicked") => Err(Stop::Decided(Outcome::GuestPanicked)),
            Some("shutdown") if self.spec.machine.hold_at_end => Err(Stop::Held),
            Some("running" | "shutdown") => Ok(()),
            // Another monitor paused it, or saves it. That monitor continues it, or its deadline ends it. What it lost
            // shows in its log and by the host's clock.
            Some("paused" | "save-vm" | "restore-vm") => Ok(()),
            Some("debug") if self.spec.machine.debugger.is_some() => Ok(()),
            status => {
                let status = status.unwrap_or("unknown").to_owned();
                Err(Stop::Decided(Outcome::InternalError { status }))
            }
        }
    }
}

fn no_threads(error: qmp::MessageError) -> QemuError {
    QemuError::Qmp { doing: "query-cpus-fast", detail: error.to_string() }
}
