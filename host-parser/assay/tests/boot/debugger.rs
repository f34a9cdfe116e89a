//! A small client of GDB's protocol: it stops a guest at one address and changes its memory (GDB manual, appendix "GDB
//! Remote Serial Protocol").

use std::io::{self, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

/// How long QEMU may take to answer, or the guest to reach a breakpoint.
const PATIENCE: Duration = Duration::from_secs(60);

/// The most bytes in one packet: QEMU 7.2's limit is 4,096 characters, two for each byte.
const PACKET_BYTES: usize = 1024;

/// Registers by their index in QEMU's list, which begins with the 8-byte registers.
#[derive(Clone, Copy)]
pub enum Register {
    /// RBX.
    Rbx = 1,
    /// The next instruction.
    Rip = 16,
}

/// A connection to QEMU's debugger.
pub struct Debugger {
    to: UnixStream,
    from: BufReader<UnixStream>,
}

impl Debugger {
    /// Connects to the socket at `path`. A QEMU that has just started may not have created it yet.
    pub fn connect(path: &Path) -> io::Result<Self> {
        let begin = Instant::now();
        let to = loop {
            match UnixStream::connect(path) {
                Err(_) if begin.elapsed() < PATIENCE => thread::sleep(Duration::from_millis(5)),
                result => break result?,
            }
        };
        to.set_read_timeout(Some(PATIENCE))?;
        let from = BufReader::new(to.try_clone()?);
        Ok(Self { to, from })
    }

    /// Sets a breakpoint on the instruction at `address`.
    pub fn stop_at(&mut self, address: u64) -> io::Result<()> {
        self.order(&format!("Z1,{address:x},1"))
    }

    /// Lets the guest run. QEMU reports a stop only to the debugger that started the run, and takes any byte from the
    /// debugger meanwhile as an order to stop. So this waits until QEMU has read the order.
    pub fn go(&mut self) -> io::Result<()> {
        self.send("c")?;
        while self.byte()? != b'+' {}
        Ok(())
    }

    /// Waits until the guest has stopped.
    pub fn wait_for_stop(&mut self) -> io::Result<()> {
        let said = self.receive()?;
        if said.starts_with('T') || said.starts_with('S') { Ok(()) } else { Err(unexpected("a stop", &said)) }
    }

    /// Reads a register of the CPU that stopped.
    pub fn register(&mut self, register: Register) -> io::Result<u64> {
        let all = bytes(&self.ask("g")?)?;
        let value = all.get(register as usize * 8..).and_then(|rest| rest.first_chunk());
        value.map(|value| u64::from_le_bytes(*value)).ok_or_else(|| unexpected("a register", "too little"))
    }

    /// Reads memory as the CPU addresses it: physical while paging is off.
    pub fn read(&mut self, address: u64, length: usize) -> io::Result<Vec<u8>> {
        let said = self.ask(&format!("m{address:x},{length:x}"))?;
        let read = bytes(&said)?;
        if read.len() == length { Ok(read) } else { Err(unexpected("memory", &said)) }
    }

    /// Writes memory, by the same addresses.
    pub fn write(&mut self, address: u64, content: &[u8]) -> io::Result<()> {
        for (at, part) in (address..).step_by(PACKET_BYTES).zip(content.chunks(PACKET_BYTES)) {
            let digits: String = part.iter().map(|byte| format!("{byte:02x}")).collect();
            self.order(&format!("M{at:x},{:x}:{digits}", part.len()))?;
        }
        Ok(())
    }

    /// Removes the breakpoints and lets the guest run.
    pub fn leave(mut self) -> io::Result<()> {
        self.order("D")
    }

    fn order(&mut self, command: &str) -> io::Result<()> {
        let said = self.ask(command)?;
        if said == "OK" { Ok(()) } else { Err(unexpected(command, &said)) }
    }

    fn ask(&mut self, command: &str) -> io::Result<String> {
        self.send(command)?;
        self.receive()
    }

    fn send(&mut self, command: &str) -> io::Result<()> {
        let sum = command.bytes().fold(0_u8, u8::wrapping_add);
        write!(self.to, "${command}#{sum:02x}")
    }

    /// Reads the next packet and acknowledges it. Between packets are only acknowledgements of our own.
    fn receive(&mut self) -> io::Result<String> {
        while self.byte()? != b'$' {}
        let mut packet = String::new();
        loop {
            match self.byte()? {
                b'#' => break,
                byte => packet.push(char::from(byte)),
            }
        }
        // The checksum is not compared: a local socket loses nothing.
        self.byte()?;
        self.byte()?;
        self.to.write_all(b"+")?;
        Ok(packet)
    }

    fn byte(&mut self) -> io::Result<u8> {
        let mut byte = [0];
        self.from.read_exact(&mut byte)?;
        Ok(byte[0])
    }
}

/// Decodes pairs of hexadecimal digits.
fn bytes(digits: &str) -> io::Result<Vec<u8>> {
    let pair = |at: usize| digits.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    let bytes: Option<Vec<u8>> = (0..digits.len()).step_by(2).map(pair).collect();
    bytes.ok_or_else(|| unexpected("bytes", digits))
}

fn unexpected(asked: &str, said: &str) -> io::Error {
    io::Error::other(format!("{asked}: QEMU's debugger says {said:?}"))
}
