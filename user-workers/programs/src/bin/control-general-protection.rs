//! A control: executes a privileged instruction, then does its work.
#![no_std]
#![no_main]

#[path = "../worker.rs"]
mod worker;

worker::control!(subject: first worker::misdeed::general_protection);
