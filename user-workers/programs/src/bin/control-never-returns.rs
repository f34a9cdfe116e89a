//! A control: never returns.
#![no_std]
#![no_main]

#[path = "../worker.rs"]
mod worker;

worker::control!(first worker::misdeed::never_return);
