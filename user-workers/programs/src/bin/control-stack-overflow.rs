//! A control: uses up its stack.
#![no_std]
#![no_main]

#[path = "../worker.rs"]
mod worker;

worker::control!(first worker::misdeed::stack_overflow);
