//! Carriers that may be missing: to read one is to read an empty one, to write makes one.

use opentelemetry::Context;

use super::kinds::nothing;
use super::{Carrier, CarrierMut};

impl<C: Carrier> Carrier for Option<C> {
    fn extract_context(&self) -> Context {
        self.as_ref().map_or_else(nothing, Carrier::extract_context)
    }
}

/// For `Option<&C>`.
impl<C: Carrier + ?Sized> Carrier for &C {
    fn extract_context(&self) -> Context {
        (**self).extract_context()
    }
}

impl<C: CarrierMut + Default> CarrierMut for Option<C> {
    fn inject_context(&mut self) {
        self.get_or_insert_default().inject_context();
    }
}
