//! Kernel (skeleton).
#![no_std]
