//! Expansions under nearly every lint there is: that this builds, under clippy too, is the test.

#![deny(
    warnings,
    future_incompatible,
    let_underscore,
    nonstandard_style,
    unused,
    clippy::all,
    clippy::cargo,
    clippy::nursery,
    clippy::pedantic,
    ambiguous_negative_literals,
    elided_lifetimes_in_paths,
    explicit_outlives_requirements,
    macro_use_extern_crate,
    meta_variable_misuse,
    missing_copy_implementations,
    missing_debug_implementations,
    missing_docs,
    redundant_imports,
    redundant_lifetimes,
    single_use_lifetimes,
    trivial_casts,
    trivial_numeric_casts,
    unit_bindings,
    unnameable_types,
    unreachable_pub,
    unsafe_code,
    unsafe_op_in_unsafe_fn,
    unused_crate_dependencies,
    unused_import_braces,
    unused_lifetimes,
    unused_qualifications,
    unused_results,
    variant_size_differences,
    clippy::allow_attributes,
    clippy::as_conversions,
    clippy::dbg_macro,
    clippy::default_numeric_fallback,
    clippy::empty_drop,
    clippy::expect_used,
    clippy::get_unwrap,
    clippy::if_then_some_else_none,
    clippy::indexing_slicing,
    clippy::let_underscore_untyped,
    clippy::mod_module_files,
    clippy::panic,
    clippy::pattern_type_mismatch,
    clippy::print_stdout,
    clippy::redundant_type_annotations,
    clippy::same_name_method,
    clippy::semicolon_inside_block,
    clippy::shadow_unrelated,
    clippy::str_to_string,
    clippy::todo,
    clippy::try_err,
    clippy::unimplemented,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm
)]
// About the workspace, and about what its dependencies pull in.
#![allow(clippy::cargo_common_metadata, clippy::multiple_crate_versions)]

use std::borrow::Cow;
use std::collections::HashMap;
use std::num::ParseIntError;
use std::pin::Pin;

use futures::Stream;
use spandrel::device::Timing;
use spandrel::{Device, propagate, span, traced_app};

/// An app.
#[derive(Debug)]
pub struct App {
    name: String,
}

#[traced_app("lints", team = "a", sample(0.5))]
impl App {
    /// Sets it up.
    ///
    /// # Errors
    /// Never.
    pub fn setup() -> Result<Self, String> {
        #[span("named")]
        let name = "app".to_owned();
        Ok(Self { name })
    }

    /// Runs.
    ///
    /// # Errors
    /// When seven is no number.
    #[propagate(extract(headers), inject(out))]
    #[span("run", kind(server), "name" = self.name, length = headers.len(), ok(|number| number = number))]
    pub async fn run(
        &self,
        headers: &HashMap<String, String>,
        out: &mut HashMap<String, String>,
    ) -> Result<u32, ParseIntError> {
        const SEVEN: &str = "7";
        #[span("parsed")]
        let number = parse(SEVEN)?;
        #[span("waited")]
        std::future::ready(()).await;
        out.clear();
        Ok(number)
    }
}

/// Parses.
///
/// # Errors
/// When it is no number.
#[span("parse", text = %text, error_if(|error| !error.to_string().is_empty()), ret)]
pub fn parse(text: &str) -> Result<u32, ParseIntError> {
    text.parse()
}

/// Sums, with spans of every kind inside.
///
/// # Errors
/// When a text is no number.
#[span(root)]
pub fn sum(texts: &[&str]) -> Result<u32, ParseIntError> {
    let mut sum = 0;
    for text in texts {
        #[span("text")]
        {
            if text.is_empty() {
                continue;
            }
            sum += parse(text)?;
        }
    }
    #[span("unit")]
    drop(texts.to_vec());
    let double = |number: u32| {
        #[span("doubled")]
        let doubled = number.saturating_mul(2);
        doubled
    };
    #[span("borrowed")]
    let more: &[u32] = &[double(sum)];
    #[span("checked")]
    let Some(first) = more.first() else {
        return Ok(0);
    };
    #[span("last")]
    parse(&first.to_string())
}

/// Returns a future.
#[span]
pub fn returned(#[record] number: u32) -> impl Future<Output = u32> {
    async move { number }
}

/// Returns a boxed one.
#[must_use]
#[span]
pub fn boxed(number: u32) -> Pin<Box<dyn Future<Output = u32> + Send>> {
    Box::pin(async move { number })
}

/// Returns a stream.
#[span]
pub fn streamed(number: u32) -> impl Stream<Item = u32> {
    futures::stream::iter(0..number)
}

/// A trait with an `async` method.
#[async_trait::async_trait]
pub trait Greets {
    /// Greets.
    async fn greet(&self, name: &str) -> String;
}

#[async_trait::async_trait]
#[span]
impl Greets for App {
    async fn greet(&self, name: &str) -> String {
        #[span("formatted")]
        let greeting = format!("{}: hello, {name}", self.name);
        greeting
    }
}

#[span]
impl Default for App {
    fn default() -> Self {
        Self { name: String::new() }
    }
}

/// Exits in every way.
///
/// # Errors
/// Always.
#[span]
pub fn exits(number: Option<u32>, _guard: String) -> Result<u32, String> {
    #[span("found")]
    let Some(number) = number.map(u32::reverse_bits) else { return Err(String::new()) };
    #[span("matched")]
    let text = match number {
        0 => return Ok(0),
        other => other.to_string(),
    };
    let closure = |digits: &str| {
        #[span("parsed")]
        let parsed: u32 = digits.parse()?;
        Ok::<u32, ParseIntError>(parsed)
    };
    if closure(&text).is_ok() {
        #[span("returned")]
        return Ok(number);
    }
    #[span("failed")]
    {
        return Err(text);
    }
}

/// Waits with a guard.
#[span]
pub async fn waits(first: String, second: String) -> usize {
    let length = async {
        #[span("waited")]
        std::future::ready(()).await;
        first.len()
    };
    length.await + second.len()
}

/// A device that tells nothing.
#[derive(Clone, Copy, Debug)]
pub struct Gpu;

impl Device for Gpu {
    type Window = ();

    fn name(&self) -> Cow<'_, str> {
        "gpu".into()
    }

    fn start(&self) {}

    fn finish((): ()) -> Timing {
        Timing::unmeasured()
    }
}

/// Makes one.
#[must_use]
pub const fn gpu() -> Gpu {
    Gpu
}

/// Works on devices.
#[span(device(gpu()))]
pub async fn works(first: &Gpu, second: Option<Gpu>) -> bool {
    #[span("copied", device(first))]
    let copied = second.unwrap_or(*first);
    #[span("given", device(Gpu::clone(&copied)))]
    std::future::ready(()).await;
    second.is_some()
}
