//! What the three attributes have in common: their grammar, and what they stand on.

mod arguments;
mod body;
mod function;
mod impl_block;
mod options;

pub(crate) use arguments::{Arguments, Capture, Data, Key, Name};
pub(crate) use body::{Body, Look, Scope, hand_to, located, mentions, value};
pub(crate) use function::{Function, arguments, has_span, refilled, take_attributes};
pub(crate) use impl_block::{ImplBlock, Member};
pub(crate) use options::{OptionArgument, Options, default_runtime};
