//! A user who forbids what an expansion must not `allow`, and who writes every `return`: that this builds, under
//! clippy too, is the test.

#![deny(warnings, clippy::pedantic, clippy::nursery)]
#![forbid(
    unreachable_code,
    unused_braces,
    unused_imports,
    unused_variables,
    clippy::no_effect_underscore_binding,
    clippy::redundant_locals,
    clippy::shadow_reuse,
    clippy::shadow_same,
    clippy::used_underscore_binding
)]

use spandrel::span;

/// Parameters in all their forms.
#[span]
pub async fn binds(_first: String, mut second: u32, (left, _): (u32, String), _: String) -> u32 {
    second = second.saturating_add(left);
    std::future::ready(second).await
}

/// The same without waiting.
#[span(second = second)]
pub fn binds_now(_first: &str, mut second: u32, (left, _): (u32, u32), _: &str) -> u32 {
    second = second.saturating_add(left);
    second
}

/// A block in braces that it needs.
#[span]
#[must_use]
pub fn braces(number: u32) -> u32 {
    #[span("shorter")]
    {
        number.count_ones()
    }
}

/// Who writes every `return`.
pub mod returns {
    #![deny(clippy::implicit_return)]
    #![allow(clippy::needless_return)]

    use spandrel::span;

    /// Loads.
    ///
    /// # Errors
    /// When there is nothing.
    #[span]
    pub fn load(values: &[u32]) -> Result<u32, String> {
        #[span("read")]
        let value = read(values)?;
        #[span("block")]
        {
            if value > 4 {
                return Ok(3);
            }
        }
        return Ok(value);
    }

    #[span]
    fn read(values: &[u32]) -> Result<u32, String> {
        return values.first().copied().ok_or_else(String::new);
    }

    /// Loads later.
    #[span]
    pub async fn later(value: u32) -> u32 {
        return std::future::ready(value).await;
    }
}
