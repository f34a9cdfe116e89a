//! A control: writes to kernel memory, then does its work.
#![no_std]
#![no_main]

#[path = "../worker.rs"]
mod worker;

worker::control!(subject: first worker::misdeed::kernel_write);
