//! See `shipway_fuzz::message`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| shipway_fuzz::message(data));
