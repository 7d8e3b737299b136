//! What messages of all systems record, after the semantic conventions for messaging.

use crate::attribute::Attributes;

/// The system, and what is done with the message: `send` or `process`. An own key in the attribute replaces them.
pub(super) fn set_operation(attributes: &mut Attributes, system: &str, operation: &str) {
    attributes.set("messaging.system", system);
    attributes.set("messaging.operation.name", operation);
    attributes.set("messaging.operation.type", operation);
}
