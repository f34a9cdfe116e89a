//! The two 8259s, which a BIOS leaves unmasked.
#![expect(unsafe_code, reason = "writes the PICs' mask registers")]

use super::port;

const MASTER_DATA: u16 = 0x21;
const SLAVE_DATA: u16 = 0xa1;

/// Masks every line: the kernel takes interrupts from its local APICs alone.
pub fn mask_all() {
    for port in [MASTER_DATA, SLAVE_DATA] {
        // SAFETY: the PICs' own ports; masking has no other effect, and no effect without a PIC.
        unsafe { port::write_u8(port, 0xff) };
    }
}
