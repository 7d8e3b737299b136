//! Where in the source a span starts.

use std::sync::OnceLock;

use super::Attributes;
use crate::encoding::{Key, Keys, Limits, ValueRef};

/// Where in the source a span starts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Location {
    pub(crate) file: &'static str,
    pub(crate) line: u32,
    /// The path of the function, perhaps with what the expansion has put behind it.
    pub(crate) function: fn() -> &'static str,
    /// Where its attributes are kept, encoded.
    pub(crate) encoded: Option<&'static OnceLock<Box<[u8]>>>,
}

static FUNCTION: Key<'static> = Key::new("code.function.name");
static FILE: Key<'static> = Key::new("code.file.path");
static LINE: Key<'static> = Key::new("code.line.number");

impl Location {
    fn attributes(&self) -> [(&'static Key<'static>, ValueRef<'static>); 3] {
        [
            (&FUNCTION, ValueRef::Text(function_name((self.function)()))),
            (&FILE, ValueRef::Text(self.file)),
            (&LINE, ValueRef::I64(self.line.into())),
        ]
    }

    fn encode(&self) -> Box<[u8]> {
        let (mut bytes, mut keys) = (Vec::new(), Keys::default());
        for (key, value) in self.attributes() {
            keys.set(&mut bytes, 0, key.text, value, &Limits::NONE);
        }
        bytes.into_boxed_slice()
    }
}

impl Attributes {
    /// Records the location, in a list that has no attributes yet.
    pub(crate) fn push_location(&mut self, location: &Location) {
        let Self { bytes, keys, limits, .. } = self;
        let fits = limits.attributes >= 3 && limits.value_length.is_none();
        match location.encoded {
            Some(encoded) if fits && !self.is_redacted => {
                let encoded = encoded.get_or_init(|| location.encode());
                keys.append(bytes, encoded, [&FUNCTION, &FILE, &LINE]);
            }
            _ => {
                for (key, value) in location.attributes() {
                    self.push(key.text, value);
                }
            }
        }
    }
}

/// The path without what an expansion has put behind it: an item, a static or a constant, and blocks of `async` code.
fn function_name(path: &'static str) -> &'static str {
    let item = path.strip_suffix("::here").unwrap_or(path);
    let mut name = item.strip_suffix("::CALLSITE").unwrap_or(item);
    while let Some((outer, last)) = name.rsplit_once("::")
        && last.starts_with("{{")
    {
        name = outer;
    }
    name
}

#[cfg(test)]
mod tests {
    use super::function_name;

    #[test]
    fn the_name_of_a_function_is_its_path() {
        for (path, name) in [
            ("shop::load::CALLSITE::here", "shop::load"),
            ("shop::Store::take::{{closure}}::CALLSITE::here", "shop::Store::take"),
            ("shop::load::{{closure}}::{{closure}}::CALLSITE::here", "shop::load"),
            ("shop::load::{{constant}}::here", "shop::load"),
            ("shop::outer::{{closure}}::inner::CALLSITE::here", "shop::outer::{{closure}}::inner"),
            (
                "<shop::Store as shop::Trait>::take::CALLSITE::here",
                "<shop::Store as shop::Trait>::take",
            ),
            ("by_hand", "by_hand"),
        ] {
            assert_eq!(function_name(path), name);
        }
    }
}
