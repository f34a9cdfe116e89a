//! What the manuals define: registers, descriptor tables, the local APIC, port I/O.

pub mod apic;
pub mod confidential;
pub mod cpuid;
pub mod features;
pub mod gdt;
pub mod idt;
pub mod microcode;
pub mod msr;
pub mod pic;
pub mod port;
pub mod probe;
pub mod random;
pub mod serial;
pub mod sse;
pub mod topology;
pub mod trap;
pub mod tsc;
pub mod uart;
