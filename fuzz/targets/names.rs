//! See `shipway_fuzz::names`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| shipway_fuzz::names(data));
