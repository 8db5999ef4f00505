//! See `shipway_fuzz::pushed`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| shipway_fuzz::pushed(data));
