//! See `shipway_fuzz::owners`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| shipway_fuzz::owners(data));
