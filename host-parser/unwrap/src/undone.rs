//! What was undone, for people.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Declares the forms.
macro_rules! forms {
    ($($name:ident = $text:literal, $better:literal;)*) => {
        /// What a log was wrapped in.
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        pub enum Form {
            $(#[doc = $text] $name,)*
        }

        impl Form {
            /// Every form.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// How to get the log without it.
            #[must_use]
            pub const fn better(self) -> &'static str {
                match self { $(Self::$name => $better,)* }
            }
        }
    };
}

forms! {
    Gzip = "gzip", "`gzip -dc FILE`";
    Xz = "xz", "`xz -dc FILE`";
    Utf16 = "UTF-16", "`iconv -f UTF-16 -t UTF-8 FILE`";
    DockerJson = "docker's JSON lines", "`docker logs CONTAINER`";
    JournalJson = "the journal's JSON lines", "`journalctl -o cat`";
    JsonLines = "JSON lines", "the field that has the line, by `jq -r`";
    Ec2Json = "JSON of EC2", "`aws ec2 get-console-output --latest --output text --query Output`";
    GceJson = "JSON of GCE", "`gcloud compute instances get-serial-port-output`";
    JsonDocument = "a JSON document", "the field that has the log, by `jq -r`";
    Base64 = "base64", "`base64 -d FILE`";
    Wrapped = "lines broken at a terminal's width", "a terminal program that logs to a file";
    Trailing = "text after records", "the log as the serial port gave it";
    Escapes = "escape sequences or zero bytes in records", "a serial port without a terminal program between";
}

/// How many [`Form`]s there are.
const FORMS: usize = Form::ALL.len();

/// What was undone in a log. It is complete when the log was read to its end.
#[derive(Debug, Default)]
pub struct Undone {
    counts: [AtomicU64; FORMS],
}

impl Undone {
    /// Counts once more that `form` was undone.
    pub(crate) fn note(&self, form: Form) {
        self.counts[form as usize].fetch_add(1, Relaxed);
    }

    /// What was undone, and how often: lines for forms of lines, else 1.
    pub fn forms(&self) -> impl Iterator<Item = (Form, u64)> + use<'_> {
        Form::ALL
            .iter()
            .copied()
            .map(|form| (form, self.counts[form as usize].load(Relaxed)))
            .filter(|of| of.1 > 0)
    }

    /// Whether nothing was.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.forms().next().is_none()
    }
}

impl fmt::Display for Undone {
    /// `gzip, docker's JSON lines, 214 lines broken at a terminal's width`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (form, count)) in self.forms().enumerate() {
            let comma = if number == 0 { "" } else { ", " };
            match form {
                Form::Wrapped | Form::Trailing | Form::Escapes => {
                    let records = if count == 1 { "record" } else { "records" };
                    write!(f, "{comma}{} ({count} {records})", form.name())?;
                }
                _ => write!(f, "{comma}{}", form.name())?,
            }
        }
        Ok(())
    }
}
