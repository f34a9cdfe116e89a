//! A file that is hashed while it is read.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use abi::Digest;
use sha2::{Digest as _, Sha256};

/// A file, of which every byte that is read goes into a digest. What undoes its wrapping owns a clone.
#[derive(Clone)]
pub(crate) struct Hashing(Arc<Mutex<Hashed>>);

struct Hashed {
    file: File,
    hash: Sha256,
    bytes: u64,
}

impl Hashing {
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self(Arc::new(Mutex::new(Hashed { file: File::open(path)?, hash: Sha256::new(), bytes: 0 }))))
    }

    /// Reads the rest, which what undoes a wrapping may leave, and returns the digest and the size of the whole file.
    pub fn finish(mut self) -> io::Result<(Digest, u64)> {
        io::copy(&mut self, &mut io::sink())?;
        let read = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok((Digest(read.hash.clone().finalize().into()), read.bytes))
    }
}

impl Read for Hashing {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let mut read = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = read.file.read(to)?;
        read.hash.update(&to[..count]);
        read.bytes += count as u64;
        Ok(count)
    }
}
