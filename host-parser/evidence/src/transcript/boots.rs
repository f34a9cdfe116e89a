//! The boots of a log that is read piece by piece.

use std::collections::VecDeque;
use std::io::{self, Read};

use super::reader::Reader;
use super::{Boot, Extent};

/// How many bytes are read at a time.
const PIECE: usize = 128 << 10;

/// The boots of a log, in order. Holds one piece of the log and the boots that end in it.
pub struct Boots<R> {
    log: R,
    piece: Box<[u8]>,
    reader: Reader,
    /// Boots that were read and not yet returned.
    ready: VecDeque<Boot>,
    at_end: bool,
}

impl<R: Read> Boots<R> {
    /// The boots of a log.
    #[must_use]
    pub fn of(log: R) -> Self {
        let piece = vec![0; PIECE].into_boxed_slice();
        Self { log, piece, reader: Reader::default(), ready: VecDeque::new(), at_end: false }
    }

    /// How much was read so far.
    #[must_use]
    pub fn extent(&self) -> Extent {
        self.reader.extent()
    }

    fn read_piece(&mut self) -> io::Result<()> {
        match self.log.read(&mut self.piece) {
            Ok(0) => {
                self.at_end = true;
                self.reader.finish();
            }
            Ok(count) => self.reader.feed(&self.piece[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                self.at_end = true;
                return Err(error);
            }
        }
        self.ready = self.reader.take_boots();
        Ok(())
    }
}

impl<R: Read> Iterator for Boots<R> {
    type Item = io::Result<Boot>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(boot) = self.ready.pop_front() {
                return Some(Ok(boot));
            }
            if self.at_end {
                return None;
            }
            if let Err(error) = self.read_piece() {
                return Some(Err(error));
            }
        }
    }
}
