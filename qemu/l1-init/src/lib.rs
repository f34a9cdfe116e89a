//! What the first process of an L1 guest is given, and what it prints: the side that makes such a guest uses the same words.
//!
//! L1 is a Linux guest that is itself a host: in it, KVM runs guests (L2). Its job is a file in its initramfs, and all
//! that it says of itself are lines on its console that begin with [`MARK`]. Every other line is its program's.
#![forbid(unsafe_code)]

mod job;

pub use job::Job;

/// The job's path in the initramfs.
pub const JOB: &str = "/l1.job";

/// How a line begins that is not the program's.
pub const MARK: &str = "ASSAY-L1 ";

/// What L1 says of itself.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Said {
    /// KVM is there, and the program is about to start.
    Up,
    /// Every CPU has run a thread within the last seconds.
    Alive,
    /// This CPU has not run its thread for [`STUCK_AFTER_SECONDS`].
    Stuck(usize),
    /// This many seconds passed by L1's clock while these passed by its real-time clock, which is the host's.
    WrongClock(u64, u64),
    /// The program has ended, with this exit code; 128 and its number if a signal ended it.
    Ended(i32),
    /// The program could not be started, for this reason.
    Failed(String),
}

/// How often [`Said::Alive`] is said, in seconds.
pub const ALIVE_EVERY_SECONDS: u64 = 5;
/// How long a CPU may go without running its thread, which wants it every two seconds.
pub const STUCK_AFTER_SECONDS: u64 = 40;

impl Said {
    /// The line, without its end.
    #[must_use]
    pub fn line(&self) -> String {
        let said = match self {
            Self::Up => "up".to_owned(),
            Self::Alive => "alive".to_owned(),
            Self::Stuck(cpu) => format!("stuck {cpu}"),
            Self::WrongClock(clock, rtc) => format!("wrong-clock {clock} {rtc}"),
            Self::Ended(code) => format!("ended {code}"),
            Self::Failed(why) => format!("failed {}", why.replace(['\r', '\n'], " ")),
        };
        format!("{MARK}{said}")
    }

    /// What a line of the console says; `None` if it is not L1's.
    #[must_use]
    pub fn of_line(line: &str) -> Option<Self> {
        // Linux's own messages have no line end of the program's before them: a mark may follow them.
        let said = line.get(line.find(MARK)? + MARK.len()..)?.trim_end();
        let (word, rest) = said.split_once(' ').unwrap_or((said, ""));
        match word {
            "up" => Some(Self::Up),
            "alive" => Some(Self::Alive),
            "stuck" => rest.parse().ok().map(Self::Stuck),
            "wrong-clock" => {
                let (clock, rtc) = rest.split_once(' ')?;
                Some(Self::WrongClock(clock.parse().ok()?, rtc.parse().ok()?))
            }
            "ended" => rest.parse().ok().map(Self::Ended),
            "failed" => Some(Self::Failed(rest.to_owned())),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        let failed = Said::Failed("kvm: no such file".to_owned());
        let clock = Said::WrongClock(15, 5);
        for said in [Said::Up, Said::Alive, Said::Stuck(2), clock, Said::Ended(139), Said::Ended(-1), failed]
        {
            assert_eq!(Said::of_line(&said.line()), Some(said.clone()));
            assert_eq!(Said::of_line(&format!("[  4.2] a message{}\r", said.line())), Some(said));
        }
        let unfinished = ["ASSAY-L1", "ASSAY-L1 ended", "ASSAY-L1 ended x", "ASSAY-L1 wrong-clock 15"];
        for other in ["", "ASSAY1 seq=0", "ASSAY-L1 asleep"].into_iter().chain(unfinished) {
            assert_eq!(Said::of_line(other), None, "{other}");
        }
    }

    #[test]
    fn a_reason_stays_in_its_line() {
        assert_eq!(Said::Failed("a\r\nASSAY-L1 ended 0".to_owned()).line().lines().count(), 1);
    }
}
