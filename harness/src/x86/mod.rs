//! The instructions that both systems execute for themselves: CPUID, RDTSC, RDRAND, OUT. What they return is decoded
//! here too, so that both describe one machine in the same words.

pub mod cpuid;
pub mod features;
pub mod port;
pub mod random;
pub mod topology;
pub mod tsc;
