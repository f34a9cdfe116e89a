//! A control: never returns.
#![no_std]
#![no_main]

#[path = "../worker.rs"]
mod worker;

worker::control!(subject: first worker::misdeed::never_return);
