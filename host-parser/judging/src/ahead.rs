//! Reads the boots of a log on a thread of its own, while those before them are judged.
//!
//! Reading (lines, checksums, digests) takes about as long as judging, and neither needs the other's state. The thread is a
//! bounded number of bytes ahead, so that a log of any length takes as much memory as a short one.

use std::io;
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::vec;

use evidence::transcript::{Boot, Boots, Extent};
use unwrap::Unwrapped;

/// From how many bytes on boots are handed over: enough that waking a thread costs nothing beside them.
const BATCH_BYTES: usize = 128 << 10;

/// How many batches wait at most. Two more are in work, one on each side.
const WAITING: usize = 2;

/// The boots of a log in order, read ahead.
pub struct Ahead {
    batches: Receiver<Batch>,
    ready: vec::IntoIter<Boot>,
    extent: Extent,
    error: Option<io::Error>,
    at_end: bool,
    reader: Option<JoinHandle<()>>,
}

/// Boots that are handed over together.
#[derive(Default)]
struct Batch {
    boots: Vec<Boot>,
    /// How much of the log was read with them.
    extent: Extent,
    /// What ended the log before its end, after these boots.
    error: Option<io::Error>,
    /// Whether no boot follows.
    at_end: bool,
}

impl Ahead {
    /// Begins to read a log.
    pub fn of(log: Unwrapped) -> Self {
        let (to, batches) = sync_channel(WAITING);
        let reader = thread::spawn(move || read(Boots::of(log), &to));
        Self {
            batches,
            ready: Vec::new().into_iter(),
            extent: Extent::default(),
            error: None,
            at_end: false,
            reader: Some(reader),
        }
    }

    /// How much was read with the boots so far; at the end, the whole log.
    pub const fn extent(&self) -> Extent {
        self.extent
    }

    fn receive(&mut self) {
        let Ok(batch) = self.batches.recv() else {
            // The reader ends with a batch that says so, unless it panicked.
            self.at_end = true;
            if let Some(Err(panic)) = self.reader.take().map(JoinHandle::join) {
                resume_unwind(panic);
            }
            return;
        };
        self.ready = batch.boots.into_iter();
        (self.extent, self.error, self.at_end) = (batch.extent, batch.error, batch.at_end);
    }
}

impl Iterator for Ahead {
    type Item = io::Result<Boot>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(boot) = self.ready.next() {
                return Some(Ok(boot));
            }
            if let Some(error) = self.error.take() {
                return Some(Err(error));
            }
            if self.at_end {
                return None;
            }
            self.receive();
        }
    }
}

/// Hands over the boots of a log until its end, an error, or until no one is there to take them.
fn read(mut boots: Boots<Unwrapped>, to: &SyncSender<Batch>) {
    loop {
        let batch = next_batch(&mut boots);
        let at_end = batch.at_end;
        if to.send(batch).is_err() || at_end {
            return;
        }
    }
}

fn next_batch(boots: &mut Boots<Unwrapped>) -> Batch {
    let (mut batch, mut held) = (Batch::default(), 0);
    while held < BATCH_BYTES && !batch.at_end {
        match boots.next() {
            Some(Ok(boot)) => {
                held += boot.held_bytes();
                batch.boots.push(boot);
            }
            Some(Err(error)) => {
                batch.error = Some(error);
                batch.at_end = true;
            }
            None => batch.at_end = true,
        }
    }
    batch.extent = boots.extent();
    batch
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use test_support::guest::Guest;

    use super::*;

    fn log(boots: u64) -> Vec<u8> {
        (1..=boots).flat_map(|nonce| Guest { nonce, ..Guest::of(1) }.log()).collect()
    }

    fn ahead(log: impl Read + Send + 'static) -> Ahead {
        Ahead::of(unwrap::open(log).expect("it can be read"))
    }

    #[test]
    fn gives_the_boots_that_a_reader_in_line_gives() {
        for boots in [0, 1, 300] {
            let log = log(boots);
            let mut in_line = Boots::of(unwrap::open(io::Cursor::new(log.clone())).expect("memory"));
            let expected: Vec<Boot> = in_line.by_ref().map(|boot| boot.expect("memory")).collect();
            let mut ahead = ahead(io::Cursor::new(log));
            let read: Vec<Boot> = ahead.by_ref().map(|boot| boot.expect("memory")).collect();
            assert!(read == expected && read.len() as u64 == boots);
            assert_eq!(ahead.extent(), in_line.extent());
        }
    }

    /// Fails once it has given its bytes.
    struct Breaks(io::Cursor<Vec<u8>>);

    impl Read for Breaks {
        fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
            match self.0.read(to)? {
                0 => Err(io::Error::other("the disk is gone")),
                read => Ok(read),
            }
        }
    }

    #[test]
    fn an_error_follows_the_boots_before_it_and_ends_the_log() {
        let read: Vec<_> = ahead(Breaks(io::Cursor::new(log(100)))).collect();
        let (last, boots) = read.split_last().expect("an error");
        assert!(boots.iter().all(Result::is_ok) && boots.len() > 90, "{}", boots.len());
        assert_eq!(last.as_ref().expect_err("the disk is gone").to_string(), "the disk is gone");
    }

    /// Panics at its first reading after the head.
    struct Panics(usize);

    impl Read for Panics {
        fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
            self.0 += to.len();
            assert!(self.0 < 1 << 20, "a fault of the reader");
            to.fill(b'\n');
            Ok(to.len())
        }
    }

    #[test]
    #[should_panic(expected = "a fault of the reader")]
    fn a_reader_that_panics_is_no_end_of_the_log() {
        let _ = ahead(Panics(0)).count();
    }

    /// The same boots again and again.
    struct Endless(Vec<u8>, usize);

    impl Read for Endless {
        fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
            let read = (&self.0[self.1..]).read(to)?;
            self.1 = (self.1 + read) % self.0.len();
            Ok(read)
        }
    }

    #[test]
    fn a_log_without_end_can_be_left() {
        let mut ahead = ahead(Endless(log(2), 0));
        assert!(ahead.next().is_some_and(|boot| boot.is_ok()));
        let reader = ahead.reader.take().expect("a thread");
        drop(ahead);
        reader.join().expect("it ends, as its boots have no taker");
    }
}
