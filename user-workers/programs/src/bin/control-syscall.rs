//! A control: makes a syscall beyond its authority, then does its work.
#![no_std]
#![no_main]

#[path = "../worker.rs"]
mod worker;

worker::control!(subject: first worker::misdeed::unauthorised_syscall);
