//! The program for the target of its name.
#![cfg_attr(fuzzing, no_main)]

assay_fuzz::program!(command);
