//! The little of GDB's protocol that stopping a guest at one place and changing its memory takes (GDB manual, appendix
//! "GDB Remote Serial Protocol").

use std::io::{self, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

/// How long QEMU may take for an answer; the guest to reach a breakpoint.
const PATIENCE: Duration = Duration::from_secs(60);

/// The most bytes in one packet: QEMU 7.2's limit is 4,096 characters, two for each byte.
const PACKET_BYTES: usize = 1024;

/// Registers by their place among those of 8 bytes that QEMU lists first.
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
    /// Connects to the socket at `path`, which a QEMU that was just started is about to make.
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

    /// Has the guest stop before the instruction at `address`.
    pub fn stop_at(&mut self, address: u64) -> io::Result<()> {
        self.order(&format!("Z1,{address:x},1"))
    }

    /// Lets the guest go. QEMU tells of a stop only to who asked for the run, and takes what comes from a debugger while
    /// the guest runs for an order to stop: so this waits until the order has been read.
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

    /// A register of the CPU that stopped.
    pub fn register(&mut self, register: Register) -> io::Result<u64> {
        let all = bytes(&self.ask("g")?)?;
        let value = all.get(register as usize * 8..).and_then(|rest| rest.first_chunk());
        value.map(|value| u64::from_le_bytes(*value)).ok_or_else(|| unexpected("a register", "too little"))
    }

    /// Reads memory, as the CPU sees it: without paging, physical.
    pub fn read(&mut self, address: u64, length: usize) -> io::Result<Vec<u8>> {
        let said = self.ask(&format!("m{address:x},{length:x}"))?;
        let read = bytes(&said)?;
        if read.len() == length { Ok(read) } else { Err(unexpected("memory", &said)) }
    }

    /// Writes memory.
    pub fn write(&mut self, address: u64, content: &[u8]) -> io::Result<()> {
        for (at, part) in (address..).step_by(PACKET_BYTES).zip(content.chunks(PACKET_BYTES)) {
            let digits: String = part.iter().map(|byte| format!("{byte:02x}")).collect();
            self.order(&format!("M{at:x},{:x}:{digits}", part.len()))?;
        }
        Ok(())
    }

    /// Takes the breakpoints away and lets the guest go.
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

    /// The next packet, acknowledged. What stands between packets are acknowledgements of ours.
    fn receive(&mut self) -> io::Result<String> {
        while self.byte()? != b'$' {}
        let mut packet = String::new();
        loop {
            match self.byte()? {
                b'#' => break,
                byte => packet.push(char::from(byte)),
            }
        }
        // The sum: the stream is a local one, which loses nothing.
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

/// What pairs of hexadecimal digits stand for.
fn bytes(digits: &str) -> io::Result<Vec<u8>> {
    let pair = |at: usize| digits.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    let bytes: Option<Vec<u8>> = (0..digits.len()).step_by(2).map(pair).collect();
    bytes.ok_or_else(|| unexpected("bytes", digits))
}

fn unexpected(asked: &str, said: &str) -> io::Error {
    io::Error::other(format!("{asked}: QEMU's debugger says {said:?}"))
}
