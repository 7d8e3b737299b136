//! Doubles that are not finite, which the JSON mapping of protobuf writes as strings. Neither `serde_json::Value` nor
//! `opentelemetry-proto` can hold or read them, so each string is replaced with a number that no test sends
//! before the request is decoded, and that number with the double afterwards.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use serde_json::Value as Json;

const STAND_INS: [(&str, f64, f64); 3] = [
    ("NaN", 1.234e301, f64::NAN),
    ("Infinity", 1.234e302, f64::INFINITY),
    ("-Infinity", 1.234e303, f64::NEG_INFINITY),
];

/// Puts a number in place of each string; an error for a double that is neither.
pub(super) fn hide(json: &mut Json) -> Result<(), String> {
    match json {
        Json::Object(fields) => fields.iter_mut().try_for_each(|(key, value)| {
            if key != "doubleValue" {
                return hide(value);
            }
            let stand_in = STAND_INS.iter().find(|(name, ..)| value.as_str() == Some(name));
            match stand_in {
                Some((_, stand_in, _)) => *value = (*stand_in).into(),
                None if value.is_number() => {}
                None => return Err(format!("`{value}` is no double")),
            }
            Ok(())
        }),
        Json::Array(values) => values.iter_mut().try_for_each(hide),
        _ => Ok(()),
    }
}

/// Puts the doubles back.
pub(super) fn reveal(request: &mut ExportTraceServiceRequest) {
    for spans in &mut request.resource_spans {
        if let Some(resource) = &mut spans.resource {
            attributes(&mut resource.attributes);
        }
        for span in spans.scope_spans.iter_mut().flat_map(|spans| &mut spans.spans) {
            attributes(&mut span.attributes);
            span.events.iter_mut().for_each(|event| attributes(&mut event.attributes));
            span.links.iter_mut().for_each(|link| attributes(&mut link.attributes));
        }
    }
}

fn attributes(attributes: &mut [KeyValue]) {
    attributes.iter_mut().filter_map(|pair| pair.value.as_mut()).for_each(any_value);
}

fn any_value(value: &mut AnyValue) {
    match &mut value.value {
        Some(Value::DoubleValue(number)) => {
            let number_is =
                |(_, stand_in, _): &&(_, f64, _)| stand_in.to_bits() == number.to_bits();
            if let Some((.., meant)) = STAND_INS.iter().find(number_is) {
                *number = *meant;
            }
        }
        Some(Value::ArrayValue(array)) => array.values.iter_mut().for_each(any_value),
        _ => {}
    }
}
