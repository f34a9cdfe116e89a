//! A running QEMU: its process, its streams, its log, and the limits on them.

use std::io;
use std::time::{Duration, Instant};

use host::process::Process;
use host::{CancelToken, CpuSet, HostTopology, VcpuThread};
use serde_json::Value;

use crate::conversation::Conversation;
use crate::process::{self, dies_with_parent};
use crate::serial::{Kept, SerialLog};
use crate::streams::{Arrival, Source, Streams};
use crate::trace_log::TraceLog;
use crate::{CommandLine, CpuState, GuestEvent, GuestRun, GuestSpec, Outcome, Phase, QemuError, Timeline};

/// How long a QEMU that is about to be killed may take to return its CPUs' registers.
const REGISTERS_PATIENCE: Duration = Duration::from_secs(1);

/// How much of standard error is kept.
const STDERR_BYTES: usize = 64 << 10;

/// Why a run stops. Each leads to an outcome or an error: see [`GuestProcess::finish`].
pub(crate) enum Stop {
    /// QEMU has ended by itself.
    Ended,
    /// QEMU must be ended, with this outcome.
    Decided(Outcome),
    /// The guest has ended, and QEMU keeps its state; QEMU must be ended.
    Held,
    /// QEMU must be ended, and the run has no outcome.
    Failed(QemuError),
}

impl From<QemuError> for Stop {
    fn from(error: QemuError) -> Self {
        Self::Failed(error)
    }
}

pub(crate) struct GuestProcess<'a> {
    spec: &'a GuestSpec,
    command: CommandLine,
    cancel: &'a CancelToken,
    progress: &'a mut dyn FnMut(GuestEvent<'_>),
    process: Process,
    streams: Streams,
    conversation: Conversation,
    serial: SerialLog,
    trace: Option<TraceLog>,
    stderr: Vec<u8>,
    /// Whether the guest has printed its first record.
    seen_alive: bool,
    vcpus: Vec<VcpuThread>,
    host_cpus_in_force: Option<CpuSet>,
    timeline: Timeline,
    buffer: Vec<u8>,
}

impl<'a> GuestProcess<'a> {
    /// Starts QEMU, which holds the guest before its first instruction.
    pub(crate) fn start(
        spec: &'a GuestSpec,
        cancel: &'a CancelToken,
        progress: &'a mut dyn FnMut(GuestEvent<'_>),
    ) -> Result<Self, QemuError> {
        let command = spec.command()?;
        let serial = SerialLog::create(&spec.serial_log, spec.serial_limit_bytes)?;
        let (trace, trace_reader) =
            spec.machine.trace_log.as_deref().map(TraceLog::create).transpose()?.unzip();
        let (process, streams) = process::start(&command)?;
        let started_unix_ms = process.started_unix_ms();
        progress(GuestEvent::Started { pid: process.id() });
        Ok(Self {
            spec,
            command,
            cancel,
            progress,
            process,
            streams: streams.with_trace(trace_reader),
            conversation: Conversation::new(),
            serial,
            trace,
            stderr: Vec::new(),
            seen_alive: false,
            vcpus: Vec::new(),
            host_cpus_in_force: None,
            timeline: Timeline { started_unix_ms, ..Timeline::default() },
            buffer: vec![0; 64 << 10],
        })
    }

    /// Waits for QEMU's greeting and answers it.
    pub(crate) fn greet(&mut self) -> Result<(), Stop> {
        while self.conversation.greeting.is_none() {
            self.wait()?;
        }
        self.ask("qmp_capabilities").map(drop)
    }

    /// Sends a command and waits for its result.
    pub(crate) fn ask(&mut self, command: &'static str) -> Result<Value, Stop> {
        let (id, line) = self.conversation.ask(command);
        self.streams.send(&line);
        loop {
            if let Some(reply) = self.conversation.reply(id) {
                let refused = |detail| QemuError::Qmp { doing: command, detail };
                return Ok(reply.map_err(refused)?);
            }
            self.wait()?;
        }
    }

    /// Pins the threads as the specification says, and reads their affinity back.
    pub(crate) fn pin(&mut self, threads: &[(u32, u32)]) -> Result<(), Stop> {
        let pid = self.process.id();
        if let Some(cpus) = &self.spec.host_cpus {
            host::pin(pid, threads, cpus, &HostTopology::here().spread(cpus)).map_err(QemuError::from)?;
        }
        let unread = |source| QemuError::Stream { stream: "reading back the threads' affinity", source };
        self.vcpus = host::read_back(pid, threads).map_err(unread)?;
        self.host_cpus_in_force = Some(CpuSet::of_thread(pid).map_err(unread)?);
        Ok(())
    }

    /// Starts the guest.
    pub(crate) fn cont(&mut self) -> Result<(), Stop> {
        (self.progress)(GuestEvent::Running { vcpus: &self.vcpus });
        self.conversation.evidence.phase = Phase::Guest;
        self.timeline.cont_us = Some(self.process.elapsed_us());
        self.ask("cont").map(drop)
    }

    /// If the guest was stopped, asks why, and stops the run unless the guest will go on by itself.
    pub(crate) fn check_stop(&mut self) -> Result<(), Stop> {
        if !std::mem::take(&mut self.conversation.stopped) {
            return Ok(());
        }
        let status = self.ask("query-status")?;
        match status.get("status").and_then(Value::as_str) {
            Some("guest-panicked") => Err(Stop::Decided(Outcome::GuestPanicked)),
            Some("shutdown") if self.spec.machine.hold_at_end => Err(Stop::Held),
            Some("running" | "shutdown") => Ok(()),
            Some("debug" | "paused") if self.spec.machine.debugger.is_some() => Ok(()),
            status => {
                let status = status.unwrap_or("unknown").to_owned();
                Err(Stop::Decided(Outcome::InternalError { status }))
            }
        }
    }

    /// Sleeps until the next event, and handles it. Only the guest's output wakes this program while the guest measures.
    pub(crate) fn wait(&mut self) -> Result<(), Stop> {
        let left = self.deadline().saturating_sub(self.process.elapsed());
        if self.take_in(Some(self.cancel), left)? == Arrival::Exit {
            return Err(Stop::Ended);
        }
        if self.cancel.is_cancelled() {
            return Err(Stop::Decided(Outcome::Cancelled));
        }
        if self.process.elapsed() >= self.deadline() {
            return Err(Stop::Decided(Outcome::DeadlineExceeded { phase: self.conversation.evidence.phase }));
        }
        Ok(())
    }

    /// The deadline in force, from QEMU's start: until the first record, the earlier of the two deadlines.
    fn deadline(&self) -> Duration {
        let first = self.spec.first_record.filter(|_| !self.seen_alive).map(|first| first.deadline);
        first.map_or(self.spec.deadline, |first| first.min(self.spec.deadline))
    }

    /// Waits for one chunk of any stream, and handles it.
    fn take_in(&mut self, cancel: Option<&CancelToken>, timeout: Duration) -> Result<Arrival, Stop> {
        let read = self.streams.read(&self.process, cancel, timeout, &mut self.buffer);
        let failed = |source| QemuError::Stream { stream: "reading from QEMU", source };
        let arrival = read.map_err(failed)?;
        if let Arrival::Bytes(source, count) = arrival {
            match source {
                Source::Qmp => self.conversation.receive(&self.buffer[..count])?,
                Source::Stderr => self.take_stderr(count),
                Source::Serial => self.take_serial(count)?,
                Source::Trace => self.take_trace(count),
            }
        }
        Ok(arrival)
    }

    fn take_stderr(&mut self, count: usize) {
        self.stderr.extend_from_slice(&self.buffer[..count]);
        let excess = self.stderr.len().saturating_sub(STDERR_BYTES);
        self.stderr.drain(..excess);
    }

    fn take_trace(&mut self, count: usize) {
        if let Some(trace) = &mut self.trace {
            trace.accept(&self.buffer[..count]);
        }
    }

    fn take_serial(&mut self, count: usize) -> Result<(), Stop> {
        let at_us = self.process.elapsed_us();
        self.timeline.first_serial_us.get_or_insert(at_us);
        let (vcpus, is_record) = (&self.vcpus, self.spec.first_record.map(|first| first.is_record));
        let mut on_line = |line: &[u8]| {
            self.seen_alive |= is_record.is_some_and(|is_record| is_record(line));
            (self.progress)(GuestEvent::SerialLine { line, at_us, vcpus });
        };
        match self.serial.accept(&self.buffer[..count], &mut on_line)? {
            Kept::All => Ok(()),
            Kept::ToTheLimit => {
                let limit_bytes = self.spec.serial_limit_bytes;
                Err(Stop::Decided(Outcome::SerialOverflow { limit_bytes }))
            }
        }
    }

    /// Ends QEMU if it has not ended, reads its remaining output, and returns the record of the run.
    pub(crate) fn finish(mut self, stop: Stop) -> Result<GuestRun, QemuError> {
        if matches!(stop, Stop::Decided(_)) {
            (self.progress)(GuestEvent::Ending { vcpus: &self.vcpus });
        }
        let last_registers = match stop {
            Stop::Decided(_) | Stop::Held => self.read_registers(),
            Stop::Ended | Stop::Failed(_) => Vec::new(),
        };
        let status = self.process.end().map_err(|source| self.unwaitable(source))?;
        self.timeline.exit_us = self.process.elapsed_us();
        let outcome = match stop {
            Stop::Failed(error) => {
                self.drain();
                return Err(error);
            }
            Stop::Decided(outcome) => {
                self.drain();
                outcome
            }
            Stop::Ended => self.conversation.evidence.classify(status, &self.stderr_text()),
            Stop::Held => {
                self.drain();
                self.conversation.evidence.classify(status, &self.stderr_text())
            }
        };
        let (at_us, vcpus) = (self.timeline.exit_us, &self.vcpus);
        self.serial.finish(&mut |line| (self.progress)(GuestEvent::SerialLine { line, at_us, vcpus }));
        self.trace.take().map(TraceLog::finish).transpose()?;
        Ok(GuestRun {
            outcome,
            stderr: self.stderr_text(),
            command: self.command,
            qemu_version: self.conversation.greeting.unwrap_or(self.spec.qemu.version),
            accelerator: self.spec.accelerator.clone(),
            host_cpus_requested: self.spec.host_cpus.clone(),
            host_cpus_in_force: self.host_cpus_in_force,
            vcpus: self.vcpus,
            last_registers,
            timeline: self.timeline,
            serial_bytes: self.serial.written_bytes(),
            serial_log: self.spec.serial_log.clone(),
            qmp_events: self.conversation.events,
            dies_with_parent: dies_with_parent(),
        })
    }

    fn stderr_text(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// Reads the CPUs' registers from a QEMU that is about to be killed; empty on any failure. The guest is stopped
    /// first, because TCG keeps a running CPU's instruction pointer in the host's registers.
    fn read_registers(&mut self) -> Vec<CpuState> {
        if self.conversation.evidence.phase == Phase::Start {
            return Vec::new();
        }
        let (_, stop) = self.conversation.ask("stop");
        let (id, registers) = self.conversation.ask_monitor("info registers -a");
        self.streams.send(&stop);
        self.streams.send(&registers);
        let begin = Instant::now();
        loop {
            if let Some(reply) = self.conversation.reply(id) {
                let printed = reply.unwrap_or_default();
                return CpuState::all_in(printed.as_str().unwrap_or_default());
            }
            let left = REGISTERS_PATIENCE.saturating_sub(begin.elapsed());
            let arrival = self.take_in(None, left);
            if left.is_zero() || matches!(arrival, Err(_) | Ok(Arrival::Exit)) || self.streams.qmp_ended() {
                return Vec::new();
            }
        }
    }

    /// Reads the bytes that a killed QEMU left in its streams. Stops at the first failure: the run's outcome is known.
    fn drain(&mut self) {
        while matches!(self.take_in(None, Duration::ZERO), Ok(Arrival::Bytes(..))) {}
    }

    fn unwaitable(&self, source: io::Error) -> QemuError {
        QemuError::Process { path: self.command.program().to_owned(), doing: "waiting for its end", source }
    }
}
