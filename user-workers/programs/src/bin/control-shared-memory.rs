//! A control: reads memory that is shared by the workers of other plans, then does its work.
#![no_std]
#![no_main]

#[path = "../worker.rs"]
mod worker;

worker::control!(subject: first worker::misdeed::shared_memory);
