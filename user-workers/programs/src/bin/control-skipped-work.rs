//! A control: gives the right answer and digest for less work than its task.
#![no_std]
#![no_main]

#[path = "../worker.rs"]
mod worker;

worker::control!(subject: instead worker::subject::shortcut::work);
