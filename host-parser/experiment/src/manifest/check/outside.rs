//! A program that is not Assay's own: its name, its calls, and its oracle.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use abi::wire::Label;
use toml::Spanned;
use workloads::Workload;
use workloads::outside::{Calls, MAX_BYTES, Oracle, outside};

use super::super::outside::{OracleAt, Outside, beside};
use super::super::raw::{RawManifest, RawOracle};
use super::Checker;

/// The keys that only such a program has.
const CALLS: &str = "workload.calls";
const FILE: &str = "oracle.file";
const SHA256: &str = "oracle.sha256";

impl Checker<'_> {
    /// The workload of the program whose path the manifest at `path` has.
    pub(super) fn outside(
        &mut self,
        path: &Path,
        raw: &RawManifest,
        oracle_at: OracleAt<'_>,
    ) -> Option<(&'static dyn Workload, Outside)> {
        let program = &raw.workload.program;
        let name = Path::new(program.get_ref()).file_name().and_then(|name| Label::new(name.to_str()?));
        if name.is_none() {
            let expected = "a path whose file has a name of 1 to 32 of A-Z a-z 0-9 . _ + -";
            self.refuse("workload.program", program.span(), expected);
        }
        let name = name.filter(|name| {
            let taken = workloads::by_name(name.as_str()).is_some();
            if taken {
                let expected = "another name than that of a program of Assay's own, whose answers are known";
                self.refuse("workload.program", program.span(), expected);
            }
            !taken
        });
        let calls = self.calls(raw.workload.calls.as_ref());
        let (text, oracle) = self.oracle_file(&raw.oracle, program, oracle_at)?;
        let workload = outside(name?.as_str(), calls, oracle);
        Some((workload, Outside { program: beside(path, program.get_ref()), oracle: text.into() }))
    }

    /// Refuses the keys of such a program for one of ours.
    pub(super) fn not_outside(&mut self, raw: &RawManifest) {
        let expected = "none without a path in workload.program";
        if let Some(calls) = &raw.workload.calls {
            self.refuse(CALLS, calls.span(), expected);
        }
        for (key, value) in [(FILE, &raw.oracle.file), (SHA256, &raw.oracle.sha256)] {
            if let Some(value) = value {
                self.refuse(key, value.span(), expected);
            }
        }
    }

    fn calls(&mut self, raw: Option<&Spanned<Vec<Spanned<String>>>>) -> Calls {
        let mut calls = Calls::default();
        for name in raw.map_or(&[][..], |raw| raw.get_ref()) {
            let call = match name.get_ref().as_str() {
                "prepare" => &mut calls.prepare,
                "verify" => &mut calls.verify,
                _ => {
                    self.refuse(CALLS, name.span(), "names out of: prepare, verify");
                    continue;
                }
            };
            if std::mem::replace(call, true) {
                self.refuse(CALLS, name.span(), "each call once");
            }
        }
        calls
    }

    /// The oracle's text and what it says. Its digest must be the manifest's.
    fn oracle_file(
        &mut self,
        raw: &RawOracle,
        program: &Spanned<String>,
        oracle_at: OracleAt<'_>,
    ) -> Option<(String, Oracle)> {
        let Some(file) = &raw.file else {
            let message =
                "expected the path of an oracle, without which a program of your own has no answers";
            self.note(FILE, program.span(), format!("{message}, found nothing"));
            return None;
        };
        let Some(path) = oracle_at(file.get_ref()) else {
            self.note(
                FILE,
                file.span(),
                "a manifest with an oracle is read from its own file only".to_owned(),
            );
            return None;
        };
        let bytes = match read(&path) {
            Ok(bytes) => bytes,
            Err(error) => {
                self.note(FILE, file.span(), format!("{}: {error}", path.display()));
                return None;
            }
        };
        let oracle = match Oracle::parse(&bytes) {
            Ok(oracle) => oracle,
            Err(error) => {
                self.note(FILE, file.span(), format!("{}:{error}", path.display()));
                return None;
            }
        };
        let found = oracle.sha256();
        match &raw.sha256 {
            Some(sha256) if *sha256.get_ref() == found.to_string() => {}
            Some(sha256) => {
                self.refuse(SHA256, sha256.span(), &format!("{found}, which is that of {}", path.display()));
            }
            None => {
                let message = format!("expected {found}, which is that of {}, found nothing", path.display());
                self.note(SHA256, file.span(), message);
            }
        }
        // The reader has checked that it is UTF-8.
        Some((String::from_utf8(bytes).ok()?, oracle))
    }
}

/// The bytes of an oracle's file.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(io::Error::other(format!("larger than {} MiB", MAX_BYTES >> 20)));
    }
    Ok(bytes)
}
