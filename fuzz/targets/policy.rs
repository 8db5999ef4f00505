//! See `shipway_fuzz::policy`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| shipway_fuzz::policy(data));
