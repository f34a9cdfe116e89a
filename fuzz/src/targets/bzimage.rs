//! A Linux kernel's header, by the offsets of its boot protocol (Linux, Documentation/arch/x86/boot.rst).

use qemu::linux::BzImage;

pub(crate) fn check(data: &[u8]) {
    let read = BzImage::read(data);
    let at = |at: usize| u16::from(data.get(at).copied().unwrap_or(0));
    let word = |low: usize| at(low) | at(low + 1) << 8;
    // boot_flag and header, version, loadflags, xloadflags.
    let is_one = word(0x1fe) == 0xaa55 && data.get(0x202..0x206) == Some(b"HdrS");
    let is_of_use = word(0x206) >= 0x20c && at(0x211) & 1 != 0 && at(0x236) & 1 != 0;
    assert_eq!(read.is_ok(), is_one && is_of_use);
    match read {
        Ok(BzImage { release }) => {
            let named = data.get(0x200 + usize::from(word(0x20e))..).filter(|_| word(0x20e) != 0);
            let text = named.unwrap_or_default();
            let length = text.iter().take(256).take_while(|byte| (0x21..0x7f).contains(*byte)).count();
            assert_eq!(release.unwrap_or_default().as_bytes(), &text[..length]);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
