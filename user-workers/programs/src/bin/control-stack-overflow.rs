//! A control: uses up its stack.
#![no_std]
#![no_main]

#[path = "../worker.rs"]
mod worker;

worker::control!(subject: first worker::misdeed::stack_overflow);
