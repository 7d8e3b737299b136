//! The program as it is run: whole, and each of its services by itself.

mod command;
mod program;
mod services;
