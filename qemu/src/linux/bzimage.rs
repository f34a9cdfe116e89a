//! Checks that a file is a Linux kernel that QEMU can boot, and reads its release (Linux, Documentation/arch/x86/boot.rst,
//! "The Real-Mode Kernel Header").

/// A kernel's header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BzImage {
    /// The first word of the version, as `uname -r` prints it. Not every kernel has one.
    pub release: Option<String>,
}

/// Why a file is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BzImageError {
    /// Not a bzImage at all.
    #[error("not a bzImage: no HdrS in its header")]
    NoHeader,
    /// From before Linux 3.8, or not loaded high.
    #[error("boot protocol {major}.{minor:02}, expected a bzImage of protocol 2.12 or later")]
    Old {
        /// The protocol's major version.
        major: u8,
        /// Its minor version.
        minor: u8,
    },
    /// Built for 32 bits.
    #[error("a 32-bit kernel, expected one for x86-64")]
    Not64Bit,
}

const BOOT_FLAG: usize = 0x1fe;
const HEADER: usize = 0x202;
const VERSION: usize = 0x206;
const KERNEL_VERSION: usize = 0x20e;
const LOADFLAGS: usize = 0x211;
const XLOADFLAGS: usize = 0x236;
/// Loaded at 1 MiB: what makes it a *b*zImage.
const LOADED_HIGH: u8 = 1;
/// It has a 64-bit entry point.
const XLF_KERNEL_64: u8 = 1;
/// The first protocol with `xloadflags`.
const WITH_XLOADFLAGS: u16 = 0x020c;
/// Where the offset in `kernel_version` counts from.
const SETUP: usize = 0x200;
/// A version is shorter than this.
const VERSION_BYTES: usize = 256;

impl BzImage {
    /// Reads the header of `file`.
    ///
    /// # Errors
    /// The file is no kernel, or one that cannot be used here.
    pub fn read(file: &[u8]) -> Result<Self, BzImageError> {
        let word = |at: usize| file.get(at..)?.first_chunk().map(|bytes| u16::from_le_bytes(*bytes));
        let byte = |at: usize| file.get(at).copied().unwrap_or(0);
        if word(BOOT_FLAG) != Some(0xaa55) || !file.get(HEADER..).is_some_and(|at| at.starts_with(b"HdrS")) {
            return Err(BzImageError::NoHeader);
        }
        let version = word(VERSION).unwrap_or(0);
        if version < WITH_XLOADFLAGS || byte(LOADFLAGS) & LOADED_HIGH == 0 {
            let [minor, major] = version.to_le_bytes();
            return Err(BzImageError::Old { major, minor });
        }
        if byte(XLOADFLAGS) & XLF_KERNEL_64 == 0 {
            return Err(BzImageError::Not64Bit);
        }
        let at = word(KERNEL_VERSION).filter(|&offset| offset != 0).map(|offset| SETUP + usize::from(offset));
        Ok(Self { release: at.and_then(|at| first_word(file.get(at..)?)) })
    }
}

fn first_word(bytes: &[u8]) -> Option<String> {
    let text = bytes.iter().take(VERSION_BYTES).take_while(|&&byte| byte.is_ascii_graphic());
    let word: String = text.map(|&byte| char::from(byte)).collect();
    Some(word).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kernel() -> Vec<u8> {
        let mut file = vec![0; 0x1000];
        file[BOOT_FLAG..BOOT_FLAG + 2].copy_from_slice(&[0x55, 0xaa]);
        file[HEADER..HEADER + 4].copy_from_slice(b"HdrS");
        file[VERSION..VERSION + 2].copy_from_slice(&[0x0f, 0x02]);
        file[LOADFLAGS] = 0x81;
        file[XLOADFLAGS] = 0x7f;
        file
    }

    #[test]
    fn takes_a_64_bit_kernel_with_its_release() {
        assert_eq!(BzImage::read(&kernel()), Ok(BzImage { release: None }));
        let mut named = kernel();
        named[KERNEL_VERSION + 1] = 0x06;
        named[0x800..0x812].copy_from_slice(b"6.1.0-cloud (x) #1");
        assert_eq!(BzImage::read(&named).unwrap().release.as_deref(), Some("6.1.0-cloud"));
        let outside = [&kernel()[..KERNEL_VERSION], &[0xff, 0xff], &kernel()[KERNEL_VERSION + 2..]].concat();
        assert_eq!(BzImage::read(&outside), Ok(BzImage { release: None }));
    }

    #[test]
    fn refuses_files_that_are_no_kernel() {
        for file in [&b""[..], b"\x7fELF\x02\x01\x01", &[0; 0x1000], &kernel()[..HEADER + 2]] {
            assert_eq!(BzImage::read(file), Err(BzImageError::NoHeader));
        }
        let mut other = kernel();
        other[BOOT_FLAG] = 0;
        assert_eq!(BzImage::read(&other), Err(BzImageError::NoHeader));
    }

    #[test]
    fn refuses_old_and_32_bit_kernels() {
        let with = |at: usize, value| {
            let mut file = kernel();
            file[at] = value;
            BzImage::read(&file)
        };
        assert_eq!(with(VERSION, 0x0b), Err(BzImageError::Old { major: 2, minor: 11 }));
        assert!(matches!(with(LOADFLAGS, 0x80), Err(BzImageError::Old { .. })));
        assert_eq!(with(XLOADFLAGS, 0), Err(BzImageError::Not64Bit));
    }
}
