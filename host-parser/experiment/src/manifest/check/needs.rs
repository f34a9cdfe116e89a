//! What each worker is granted, compared with what its workload needs.

use std::fmt::Display;

use abi::grant::{
    Copies, Feature, FeatureSet, MAX_CHUNKS, MAX_MEMORY_MIB, MAX_SHARED_KIB, MAX_STACK_KIB, PageSize,
};
use abi::plan::Needs;
use abi::syscall::{Authority, Right};
use abi::wire::Value;
use evidence::gate::Scaling;
use toml::Spanned;
use workloads::{Room, Words, Workload};

use super::super::parts;
use super::super::profile::CorpusSpec;
use super::super::raw::RawWorkload;
use super::Checker;

/// The largest corpus in MiB: it is in the ramdisk, and in memory once more.
const MAX_CORPUS_MIB: u16 = 1024;

impl Checker<'_> {
    /// The corpus, if there is one.
    pub(super) fn corpus(&mut self, raw: &RawWorkload) -> Option<CorpusSpec> {
        let copies =
            self.word("workload.corpus-copies", raw.corpus_copies.as_ref(), Copies::One, Copies::WORDS);
        let Some(mib) = &raw.corpus_mib else {
            if let Some(copies) = &raw.corpus_copies {
                self.refuse("workload.corpus-copies", copies.span(), "none without workload.corpus-mib");
            }
            return None;
        };
        let mib = self.number("workload.corpus-mib", mib, 1..=MAX_CORPUS_MIB);
        Some(CorpusSpec { mib, copies })
    }

    /// What each worker is granted. `task` is the whole, the cases, and how they share it.
    pub(super) fn needs(
        &mut self,
        raw: &RawWorkload,
        authority: Authority,
        workload: Option<&'static dyn Workload>,
        task: Option<(Words, &[u16], Scaling)>,
    ) -> Needs {
        let own = workload.map_or(workloads::Needs::NONE, |workload| workload.needs());
        let room = workload.zip(task).map_or(Room::default(), |(workload, (whole, cases, scaling))| {
            room(workload, whole, cases, scaling)
        });
        let memory_mib =
            self.at_least("memory-mib", raw.memory_mib.as_ref(), room.memory_bytes, 20, MAX_MEMORY_MIB);
        let shared_kib =
            self.at_least("shared-kib", raw.shared_kib.as_ref(), room.shared_bytes, 10, MAX_SHARED_KIB);
        let corpus_mib: u32 =
            self.at_least("corpus-mib", raw.corpus_mib.as_ref(), room.corpus_bytes, 20, u32::MAX);
        let _checked = corpus_mib;
        let stack_kib = match &raw.stack_kib {
            Some(stack) => self.number("workload.stack-kib", stack, own.stack_kib..=MAX_STACK_KIB),
            None => own.stack_kib,
        };
        for (key, value) in [("workload.stack-kib", &raw.stack_kib), ("workload.shared-kib", &raw.shared_kib)]
        {
            if let Some(value) = value.as_ref().filter(|value| value.get_ref() % 4 != 0) {
                self.refuse(key, value.span(), "a multiple of 4");
            }
        }
        self.shared(raw, authority, shared_kib);
        let chunks = u16::try_from(room.chunks).ok().filter(|&chunks| chunks <= MAX_CHUNKS);
        if chunks.is_none() {
            let message = format!(
                "expected at most {MAX_CHUNKS} chunks for each worker, found {}; give the cases more workers or less to do",
                room.chunks
            );
            self.note("workload.parameters", raw.parameters.span(), message);
        }
        Needs {
            prepare: own.prepare,
            verify: own.verify,
            memory_mib,
            stack_kib,
            pages: self.word("workload.pages", raw.pages.as_ref(), PageSize::Small, PageSize::WORDS),
            requires: self.requires(raw, own.builds),
            shared_kib,
            chunks: chunks.unwrap_or(0),
        }
    }

    /// A number of units of `1 << shift` bytes that must hold `bytes`.
    fn at_least(
        &mut self,
        key: &str,
        value: Option<&Spanned<i64>>,
        bytes: u64,
        shift: u32,
        most: u32,
    ) -> u32 {
        let key = format!("workload.{key}");
        let least = u32::try_from(bytes.div_ceil(1 << shift)).unwrap_or(u32::MAX);
        match value {
            Some(value) => self.number(&key, value, least..=most.max(least)),
            None if least > 0 => {
                let message = format!("expected at least {least}, which the parameters need, found nothing");
                self.note(&key, 0..0, message);
                least
            }
            None => 0,
        }
    }

    /// Shared memory and the authority for it go together.
    fn shared(&mut self, raw: &RawWorkload, authority: Authority, shared_kib: u32) {
        match (authority.has(Right::SharedMemory), &raw.shared_kib) {
            (true, Some(_)) if shared_kib > 0 => {}
            (true, _) => {
                let expected = "no \"shared-memory\" without workload.shared-kib";
                self.refuse("workload.authority", raw.authority.span(), expected);
            }
            (false, Some(value)) if shared_kib > 0 => {
                let expected = "none without \"shared-memory\" in workload.authority";
                self.refuse("workload.shared-kib", value.span(), expected);
            }
            (false, _) => {}
        }
    }

    /// The features that choose the build.
    fn requires(&mut self, raw: &RawWorkload, builds: &[FeatureSet]) -> FeatureSet {
        let key = "workload.requires";
        let Some(list) = &raw.requires else { return FeatureSet::NONE };
        let mut set = FeatureSet::NONE;
        for name in list.get_ref() {
            match Feature::parse(name.get_ref()) {
                None => {
                    let expected = format!("names out of: {}", Feature::WORDS.join(", "));
                    self.refuse(key, name.span(), &expected);
                }
                Some(feature) if set.has(feature) => self.refuse(key, name.span(), "each feature once"),
                Some(feature) => set = set.with(feature),
            }
        }
        if !set.is_none() && !builds.contains(&set) {
            self.refuse(key, list.span(), &format!("a build of the program: {}", names(builds)));
        }
        set
    }

    /// One of `words`.
    fn word<T: Value>(
        &mut self,
        key: &str,
        value: Option<&Spanned<String>>,
        default: T,
        words: &[&str],
    ) -> T {
        let Some(value) = value else { return default };
        T::parse(value.get_ref()).unwrap_or_else(|| {
            self.refuse(key, value.span(), &format!("one of: {}", words.join(", ")));
            default
        })
    }
}

/// The most that any worker of any case needs, and that the workers of the whole share.
fn room(workload: &dyn Workload, whole: Words, cases: &[u16], scaling: Scaling) -> Room {
    let parts = cases.iter().flat_map(|&workers| parts(workload, whole, workers, scaling));
    // A sweep has no list of cases, and its first case has one worker.
    let largest = parts.map(|part| workload.room(part)).reduce(Room::or_more);
    let of_whole = workload.room(whole);
    Room {
        shared_bytes: of_whole.shared_bytes,
        corpus_bytes: of_whole.corpus_bytes,
        ..largest.unwrap_or(of_whole)
    }
}

/// A list for a message.
fn names(sets: &[impl Display]) -> String {
    match sets {
        [] => "it has none but the one for every x86-64".to_owned(),
        _ => sets.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    }
}
