//! shipway.
fn main() {}
