//! A control: gives the answer to another challenge.
#![no_std]
#![no_main]

#[path = "../worker.rs"]
mod worker;

worker::control!(subject: instead worker::misdeed::replayed_answer);
