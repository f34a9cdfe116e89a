//! A control: gives an answer that is one too high.
#![no_std]
#![no_main]

#[path = "../worker.rs"]
mod worker;

worker::control!(subject: afterwards worker::misdeed::wrong_answer);
