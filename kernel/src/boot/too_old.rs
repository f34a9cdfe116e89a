//! The output on a CPU without long mode: two valid records. The entry code prints them in 32-bit mode, in which nothing
//! can be formatted, so they are constants.

/// The lines, with their endings.
pub static RECORDS: [u8; TEXT.len()] = *TEXT;

const TEXT: &[u8; 238] = b"\
    ASSAY1 seq=0 ts=- ev=error code=no-long-mode detail=the%20CPU%20has%20no%2064-bit%20mode \
    crc=0a0bf7ec\r\n\
    ASSAY1 seq=1 ts=- ev=end records=1 status=failed \
    digest=fdd3a4c82e106fe0017c47fd1ee1f440a355e608faf89d3568a5e516f8bc7830 \
    crc=4ad88ffd\r\n";

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use abi::wire::record::{Problem, RunStatus};
    use abi::wire::{Label, StreamWriter, Text, Timestamp};

    use super::*;

    #[test]
    fn matches_the_consoles_output() {
        let mut writer = StreamWriter::default();
        let detail = Text::new("the CPU has no 64-bit mode");
        let problem = Problem { code: Label::new("no-long-mode").unwrap(), detail };
        let lines =
            [writer.line(Timestamp::UNKNOWN, problem), writer.end(Timestamp::UNKNOWN, RunStatus::Failed)];
        let printed: Vec<u8> =
            lines.iter().flat_map(|line| [line.as_bytes(), b"\r\n"]).flatten().copied().collect();
        assert_eq!(RECORDS.as_slice(), printed);
    }
}
