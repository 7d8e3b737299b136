//! Attributes from their bytes.

use opentelemetry::{Array, KeyValue, StringValue, Value};

use super::wire::{Field, fields};

/// The attributes among the fields of a span's message.
pub(crate) fn attributes(fields: &[u8]) -> impl Iterator<Item = KeyValue> {
    super::wire::fields(fields).filter_map(|(number, field)| match (number, field) {
        (9, Field::Bytes(pair)) => Some(key_value(pair)),
        _ => None,
    })
}

/// The pair of a `KeyValue` message.
pub(crate) fn key_value(message: &[u8]) -> KeyValue {
    let (mut key, mut value) = (String::new(), None);
    for field in fields(message) {
        match field {
            (1, Field::Bytes(bytes)) => key = text(bytes),
            (2, Field::Bytes(message)) => value = self::value(message),
            _ => {}
        }
    }
    KeyValue::new(key, value.unwrap_or_else(|| "".into()))
}

fn value(message: &[u8]) -> Option<Value> {
    Some(match fields(message).next()? {
        (1, Field::Bytes(bytes)) => Value::String(text(bytes).into()),
        (2, Field::Varint(flag)) => Value::Bool(flag != 0),
        (3, Field::Varint(number)) => Value::I64(number.cast_signed()),
        (4, Field::Fixed64(bits)) => Value::F64(f64::from_bits(bits)),
        (5, Field::Bytes(values)) => Value::Array(array(values)),
        _ => return None,
    })
}

/// All values of an array have one type, that of the first.
fn array(message: &[u8]) -> Array {
    let values = fields(message).filter_map(|(number, field)| match (number, field) {
        (1, Field::Bytes(message)) => value(message),
        _ => None,
    });
    let values: Vec<Value> = values.collect();
    macro_rules! of {
        ($kind:ident) => {
            Array::$kind(
                values
                    .into_iter()
                    .filter_map(
                        |value| if let Value::$kind(value) = value { Some(value) } else { None },
                    )
                    .collect(),
            )
        };
    }
    match values.first() {
        Some(Value::Bool(_)) => of!(Bool),
        Some(Value::I64(_)) => of!(I64),
        Some(Value::F64(_)) => of!(F64),
        Some(_) => of!(String),
        None => Array::String(Vec::<StringValue>::new()),
    }
}

/// A text; what is no UTF-8 in it is replaced.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
