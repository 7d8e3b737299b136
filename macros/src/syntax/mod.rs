//! What the three attributes have in common: their grammar, and the functions they stand on.

mod arguments;
mod body;
mod function;
mod options;

pub(crate) use arguments::{Arguments, Capture, Data, Name};
pub(crate) use body::Body;
pub(crate) use function::Function;
pub(crate) use options::{OptionArgument, Options};
