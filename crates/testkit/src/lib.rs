//! Doubles and harness for tests. Not part of the product.

pub mod skip;
