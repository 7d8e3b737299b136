//! Tests of spandrel from outside, as a user's crate would use it: see the folders beside this.
