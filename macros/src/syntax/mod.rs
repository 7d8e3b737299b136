//! What the three attributes have in common: their grammar, and what they stand on.

mod arguments;
pub(crate) mod attribute_options;
mod baggage_entry;
mod body;
mod boxed;
mod function;
mod impl_block;
mod options;
mod outcome_rule;
mod output;
mod parameters;
mod place;
mod record;
mod sample_argument;
pub(crate) mod table;
mod value_attributes;
mod wrapper;

pub(crate) use arguments::{Arguments, Capture, Data, Key, Name, each};
pub(crate) use attribute_options::{
    AppOptions, BATCH, KEEP, PROPAGATE, PropagateOptions, SPAN, SpanOptions, TRACED_APP,
};
pub(crate) use baggage_entry::BaggageEntry;
pub(crate) use body::{Body, hand_to};
pub(crate) use boxed::mentions;
pub(crate) use function::{
    Function, arguments, attribute_path, conditional, has_span, is_conditional_span, refilled,
    take_attributes,
};
pub(crate) use impl_block::{ImplBlock, Member};
pub(crate) use options::{OptionArgument, Options, default_runtime};
pub(crate) use outcome_rule::{OutcomeRule, hidden, located, outcome, response, value};
pub(crate) use place::{bare, is_place};
pub(crate) use record::{attribute_list, record, set, set_group};
pub(crate) use sample_argument::SampleArgument;
pub(crate) use value_attributes::RecordedValue;
pub(crate) use wrapper::{SpanWrapper, block_inside};
