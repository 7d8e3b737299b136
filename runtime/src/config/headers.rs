//! The program's function that gives the headers of each request.

use std::fmt::{self, Debug, Formatter};
use std::sync::Arc;

/// A function of the program's that gives headers, or says why it cannot.
#[derive(Clone)]
pub(crate) struct HeadersFunction(Arc<GiveHeaders>);

type GiveHeaders = dyn Fn() -> Result<Vec<(String, String)>, String> + Send + Sync;

impl HeadersFunction {
    pub(super) fn new(
        headers: impl Fn() -> Result<Vec<(String, String)>, String> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(headers))
    }

    #[cfg(feature = "_otlp")]
    pub(crate) fn call(&self) -> Result<Vec<(String, String)>, String> {
        (self.0)()
    }
}

impl PartialEq for HeadersFunction {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Debug for HeadersFunction {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HeadersFunction").finish_non_exhaustive()
    }
}
