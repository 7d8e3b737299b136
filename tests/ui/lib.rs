//! Compile-fail and compile-pass cases: see `fail` and `pass`.
