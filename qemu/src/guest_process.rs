//! A running VMM: its process, its streams, its log, and the limits on them.

use std::fs;
use std::io;
use std::time::Duration;

use host::process::Process;
use host::{CancelToken, CpuSet, HostTopology, VcpuThread};

use crate::process::{self, dies_with_parent};
use crate::serial::{Kept, SerialLog};
use crate::streams::{Arrival, Source, Streams};
use crate::trace_log::TraceLog;
use crate::vmm::{Control, threads};
use crate::{
    CommandLine, Given, GuestEvent, GuestRun, GuestSpec, Outcome, Phase, QemuError, SerialInput, Timeline,
};

/// How often a VMM that does not name its threads is looked at, until all of them are there. Nothing is measured yet.
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// How long the threads of a guest that shows that it runs are looked for.
const THREADS_PATIENCE: Duration = Duration::from_secs(2);

/// How long a VMM whose threads cannot be pinned may take to end.
const END_PATIENCE: Duration = Duration::from_millis(200);

/// How much of standard error is kept.
const STDERR_BYTES: usize = 64 << 10;

/// Why a run stops. Each leads to an outcome or an error: see [`GuestProcess::finish`].
pub(crate) enum Stop {
    /// The VMM has ended by itself.
    Ended,
    /// The VMM must be ended, with this outcome.
    Decided(Outcome),
    /// The machine has done what was wanted of it, and is deleted.
    Delete,
    /// The guest has ended, and the VMM keeps its state; the VMM must be ended.
    Held,
    /// The VMM must be ended, and the run has no outcome.
    Failed(QemuError),
}

impl From<QemuError> for Stop {
    fn from(error: QemuError) -> Self {
        Self::Failed(error)
    }
}

/// A run of a guest, whose VMM is controlled by `C`.
pub(crate) struct GuestProcess<'a, C> {
    pub(crate) spec: &'a GuestSpec,
    command: CommandLine,
    cancel: &'a CancelToken,
    progress: &'a mut dyn FnMut(GuestEvent<'_>),
    process: Process,
    pub(crate) streams: Streams,
    pub(crate) control: C,
    /// Whether the guest was started.
    phase: Phase,
    serial: SerialLog,
    trace: Option<TraceLog>,
    stderr: Vec<u8>,
    /// Whether the guest has printed its first record.
    seen_alive: bool,
    /// How many of the lines it has printed after which it is deleted.
    seen_last: u32,
    /// Whether it is being saved, so that the line after which that is done stops nothing more.
    is_saving: bool,
    /// What QEMU printed of the CPUs while the machine was stopped.
    stopped_state: String,
    vcpus: Vec<VcpuThread>,
    host_cpus_in_force: Option<CpuSet>,
    timeline: Timeline,
    buffer: Vec<u8>,
}

impl<'a, C: Control> GuestProcess<'a, C> {
    /// Starts the VMM.
    pub(crate) fn start(
        spec: &'a GuestSpec,
        cancel: &'a CancelToken,
        progress: &'a mut dyn FnMut(GuestEvent<'_>),
    ) -> Result<Self, QemuError> {
        let command = spec.command()?;
        let serial = SerialLog::create(&spec.serial_log, spec.serial_limit_bytes)?;
        let (trace, trace_reader) =
            spec.machine.trace_log.as_deref().map(TraceLog::create).transpose()?.unzip();
        write_given(&command)?;
        let (process, streams) = start_on(&command, spec.host_cpus.as_ref())?;
        let started_unix_ms = process.started_unix_ms();
        progress(GuestEvent::Started { pid: process.id() });
        Ok(Self {
            spec,
            command,
            cancel,
            progress,
            process,
            streams: streams.with_trace(trace_reader),
            control: C::new(),
            phase: Phase::Start,
            serial,
            trace,
            stderr: Vec::new(),
            seen_alive: false,
            seen_last: 0,
            is_saving: false,
            stopped_state: String::new(),
            vcpus: Vec::new(),
            host_cpus_in_force: None,
            timeline: Timeline { started_unix_ms, ..Timeline::default() },
            buffer: vec![0; 64 << 10],
        })
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

    /// Pins the threads of a guest that began by itself, once there is one for each CPU, and takes note that it runs. Their
    /// names are `prefix` and a number.
    pub(crate) fn pin_named(&mut self, prefix: &str) -> Result<(), Stop> {
        let (pid, vcpus) = (self.process.id(), self.spec.machine.vcpus);
        let mut alive_since = None;
        loop {
            let found = threads::named(pid, prefix);
            if threads::complete(&found, vcpus) {
                return match self.pin(&found) {
                    Ok(()) => {
                        self.begin();
                        self.runs();
                        Ok(())
                    }
                    // The threads of a VMM that ends at this moment are gone: its end is the outcome.
                    Err(stop) => {
                        let since = self.process.elapsed();
                        while self.process.elapsed() - since < END_PATIENCE {
                            self.wait_at_most(LOOK_EVERY)?;
                        }
                        Err(stop)
                    }
                };
            }
            // The guest runs, so its threads exist: soon after that they will not be found any more.
            let now = self.process.elapsed();
            if self.seen_alive && now - *alive_since.get_or_insert(now) >= THREADS_PATIENCE {
                return Err(Stop::Failed(threads::not_found(pid, prefix, vcpus, found.len())));
            }
            self.wait_at_most(LOOK_EVERY)?;
        }
    }

    /// Takes note that the guest's first instruction is next.
    pub(crate) fn begin(&mut self) {
        (self.progress)(GuestEvent::Running { vcpus: &self.vcpus });
        self.phase = Phase::Guest;
        self.timeline.cont_us = Some(self.process.elapsed_us());
    }

    /// Takes note that the vCPUs run.
    pub(crate) fn runs(&mut self) {
        self.timeline.running_us = Some(self.process.elapsed_us());
    }

    /// Takes note that a machine is loaded.
    pub(crate) fn is_loaded(&mut self) {
        self.timeline.loaded_us = Some(self.process.elapsed_us());
    }

    /// Takes note that the machine has done all that is wanted and is stopped, to be saved.
    pub(crate) fn begin_to_save(&mut self) {
        self.is_saving = true;
    }

    /// Takes note that a stopped machine is next to be written to its file.
    pub(crate) fn saves(&mut self) {
        self.timeline.saving_us = Some(self.process.elapsed_us());
    }

    /// Takes note that the file is whole.
    pub(crate) fn is_saved(&mut self) {
        self.timeline.saved_us = Some(self.process.elapsed_us());
    }

    /// Keeps what QEMU has printed of a stopped machine.
    pub(crate) fn keep_state(&mut self, text: &str) {
        self.stopped_state.push_str(text);
    }

    /// Sends bytes to the serial port.
    pub(crate) fn send_serial(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() && self.spec.machine.serial_input {
            self.timeline.sent_us = Some(self.process.elapsed_us());
            self.streams.send_serial(bytes);
        }
    }

    /// Asks the VMM's process to end, by SIGTERM.
    pub(crate) fn terminate(&self) {
        self.process.terminate();
    }

    /// Sleeps until the next event, and handles it. Only the guest's output wakes this program while the guest measures.
    pub(crate) fn wait(&mut self) -> Result<(), Stop> {
        self.wait_at_most(Duration::MAX)
    }

    pub(crate) fn wait_at_most(&mut self, most: Duration) -> Result<(), Stop> {
        let left = self.deadline().saturating_sub(self.process.elapsed()).min(most);
        if self.take_in(Some(self.cancel), left)? == Arrival::Exit {
            return Err(Stop::Ended);
        }
        let is_done = self.spec.delete_after.is_some_and(|deletion| self.seen_last >= deletion.lines);
        if is_done && !self.is_saving {
            return Err(Stop::Delete);
        }
        if self.cancel.is_cancelled() {
            return Err(Stop::Decided(Outcome::Cancelled));
        }
        if self.process.elapsed() >= self.deadline() {
            return Err(Stop::Decided(Outcome::DeadlineExceeded { phase: self.phase }));
        }
        Ok(())
    }

    /// The deadline in force, from the VMM's start: until the first record, the earlier of the two deadlines.
    fn deadline(&self) -> Duration {
        let first = self.spec.first_record.filter(|_| !self.seen_alive).map(|first| first.deadline);
        first.map_or(self.spec.deadline, |first| first.min(self.spec.deadline))
    }

    /// Waits for one chunk of any stream, and handles it.
    pub(crate) fn take_in(
        &mut self,
        cancel: Option<&CancelToken>,
        timeout: Duration,
    ) -> Result<Arrival, Stop> {
        let read = self.streams.read(&self.process, cancel, timeout, &mut self.buffer);
        let failed = |source| QemuError::Stream { stream: "reading from the VMM", source };
        let arrival = read.map_err(failed)?;
        if let Arrival::Bytes(source, count) = arrival {
            match source {
                Source::Control => self.control.receive(&self.buffer[..count])?,
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
        let is_last = self.spec.delete_after.map(|deletion| deletion.is_last);
        let input = &SerialInput::default();
        let (was_within_line, mut lines) = (self.serial.is_within_line(), 0_u32);
        let mut on_line = |line: &[u8]| {
            lines += 1;
            self.seen_alive |= is_record.is_some_and(|is_record| is_record(line));
            self.seen_last += u32::from(is_last.is_some_and(|is_last| is_last(line)));
            (self.progress)(GuestEvent::SerialLine { line, at_us, vcpus, input });
        };
        let kept = self.serial.accept(&self.buffer[..count], &mut on_line)?;
        if self.serial.is_within_line() && (lines > 0 || !was_within_line) {
            (self.progress)(GuestEvent::LineBegins { vcpus });
        }
        self.send_serial(&input.take());
        match kept {
            Kept::All => Ok(()),
            Kept::ToTheLimit => {
                let limit_bytes = self.spec.serial_limit_bytes;
                Err(Stop::Decided(Outcome::SerialOverflow { limit_bytes }))
            }
        }
    }

    /// Asks the VMM to end, and waits for that. Returns whether it has ended.
    fn delete(&mut self) -> bool {
        let pid = self.process.id();
        (self.progress)(GuestEvent::Deleting { pid, vcpus: &self.vcpus });
        let patience = self.spec.delete_after.map_or(Duration::ZERO, |deletion| deletion.patience);
        let asked = self.process.elapsed();
        self.timeline.asked_us = Some(self.process.elapsed_us());
        C::ask_to_end(self);
        loop {
            let left = patience.saturating_sub(self.process.elapsed() - asked);
            match self.take_in(None, left) {
                Ok(Arrival::Exit) => {
                    (self.progress)(GuestEvent::Exited { pid });
                    return true;
                }
                // What is wrong with its output no longer matters: the machine is deleted.
                Ok(_) | Err(_) if left.is_zero() => return false,
                Ok(_) | Err(_) => {}
            }
        }
    }

    /// Ends the VMM if it has not ended, reads its remaining output, and returns the record of the run.
    pub(crate) fn finish(mut self, stop: Stop) -> Result<GuestRun, QemuError> {
        if matches!(stop, Stop::Decided(_)) {
            (self.progress)(GuestEvent::Ending { vcpus: &self.vcpus });
        }
        let last_registers = match stop {
            Stop::Decided(_) | Stop::Held if self.phase == Phase::Guest => C::registers(&mut self),
            _ => Vec::new(),
        };
        let deleted = matches!(stop, Stop::Delete).then(|| self.delete());
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
            Stop::Delete => {
                self.drain();
                Outcome::Deleted { by_itself: deleted == Some(true) }
            }
            Stop::Ended => self.control.classify(self.phase, status, &self.stderr_text()),
            Stop::Held => {
                self.drain();
                self.control.classify(self.phase, status, &self.stderr_text())
            }
        };
        let (at_us, vcpus) = (self.timeline.exit_us, &self.vcpus);
        // It takes nothing any more.
        let input = &SerialInput::default();
        self.serial.finish(&mut |line| (self.progress)(GuestEvent::SerialLine { line, at_us, vcpus, input }));
        self.trace.take().map(TraceLog::finish).transpose()?;
        Ok(GuestRun {
            outcome,
            stderr: self.stderr_text(),
            command: self.command,
            vmm: self.spec.vmm.kind,
            vmm_version: self.control.version().unwrap_or(self.spec.vmm.version),
            accelerator: self.spec.accelerator.clone(),
            host_cpus_requested: self.spec.host_cpus.clone(),
            host_cpus_in_force: self.host_cpus_in_force,
            vcpus: self.vcpus,
            last_registers,
            stopped_state: self.stopped_state,
            timeline: self.timeline,
            serial_bytes: self.serial.written_bytes(),
            serial_log: self.spec.serial_log.clone(),
            events: self.control.into_events(),
            dies_with_parent: dies_with_parent(),
        })
    }

    fn stderr_text(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// Reads the bytes that a killed VMM left in its streams. Stops at the first failure: the run's outcome is known.
    fn drain(&mut self) {
        while matches!(self.take_in(None, Duration::ZERO), Ok(Arrival::Bytes(..))) {}
    }

    fn unwaitable(&self, source: io::Error) -> QemuError {
        QemuError::Process { path: self.command.program().to_owned(), doing: "waiting for its end", source }
    }
}

/// Writes the file that the VMM is given, if it is given one.
fn write_given(command: &CommandLine) -> Result<(), QemuError> {
    let Some(Given { path, content }) = command.given() else { return Ok(()) };
    fs::write(path, content).map_err(|source| QemuError::Configuration { path: path.clone(), source })
}

/// Starts the VMM on the CPUs that it is to run on, before any of its threads is pinned to one of them.
fn start_on(command: &CommandLine, cpus: Option<&CpuSet>) -> Result<(Process, Streams), QemuError> {
    match cpus {
        Some(cpus) => cpus.confine(|| process::start(command)).map_err(|source| QemuError::Process {
            path: command.program().to_owned(),
            doing: "choosing its CPUs",
            source,
        })?,
        None => process::start(command),
    }
}
