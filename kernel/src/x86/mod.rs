//! What the manuals define and only ring 0 uses: registers, segments, the local APIC, port I/O, UARTs. A leaf: it knows
//! neither CPUs as this kernel keeps them nor workers. Instructions that user mode may execute too are in
//! `harness::x86`.

pub mod apic;
pub mod confidential;
pub mod debug;
pub mod features;
pub mod gdt;
pub mod hypercall;
pub mod io_apic;
pub mod msr;
pub mod pic;
pub mod port;
pub mod serial;
pub mod sse;
pub mod uart;
pub mod vectors;
