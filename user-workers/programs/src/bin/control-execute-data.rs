//! A control: calls into its writable data, then does its work.
#![no_std]
#![no_main]

#[path = "../worker.rs"]
mod worker;

worker::control!(subject: first worker::misdeed::execute_data);
