//! Where in the source a span starts.

use std::sync::OnceLock;

use super::Attributes;
use crate::encoding::{Key, Keys, Limits, ValueRef};

/// Where in the source a span starts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Location {
    pub(crate) file: &'static str,
    pub(crate) line: u32,
    /// Where its attributes are kept, encoded.
    pub(crate) encoded: Option<&'static OnceLock<Box<[u8]>>>,
}

static FUNCTION: Key<'static> = Key::new("code.function.name");
static FILE: Key<'static> = Key::new("code.file.path");
static LINE: Key<'static> = Key::new("code.line.number");

impl Location {
    fn encode(&self, closure: &'static str) -> Box<[u8]> {
        let (mut bytes, mut keys) = (Vec::new(), Keys::default());
        self.each(closure, |key, value| keys.set(&mut bytes, 0, key.text, value, &Limits::NONE));
        bytes.into_boxed_slice()
    }

    /// The attributes of a span that this closure describes, which is in the function where the span starts.
    fn each(&self, closure: &'static str, mut set: impl FnMut(&Key<'static>, ValueRef<'_>)) {
        set(&FUNCTION, ValueRef::Text(&function_name(closure)));
        set(&FILE, ValueRef::Text(self.file));
        set(&LINE, ValueRef::I64(self.line.into()));
    }
}

impl Attributes {
    /// Records the location, in a list that has no attributes yet. `closure` is the type of one in the function.
    pub(crate) fn push_location(&mut self, location: &Location, closure: &'static str) {
        let Self { bytes, keys, limits, .. } = self;
        let fits = limits.attributes >= 3 && limits.value_length.is_none();
        match location.encoded {
            Some(encoded) if fits && !self.is_redacted => {
                let encoded = encoded.get_or_init(|| location.encode(closure));
                keys.append(bytes, encoded, [&FUNCTION, &FILE, &LINE]);
            }
            _ => location.each(closure, |key, value| self.push(key.text, value)),
        }
    }
}

/// The path of the function that a closure is in: without the closure, blocks of `async` code and constants round it, and
/// without generic arguments, which all functions of a callsite would share.
fn function_name(closure: &str) -> String {
    let mut path = closure;
    while let Some((outer, last)) = path.rsplit_once("::")
        && last.starts_with("{{")
    {
        path = outer;
    }
    let (mut name, mut depth) = (String::with_capacity(path.len()), 0);
    let mut before = ' ';
    for letter in path.chars() {
        let is_word = before.is_alphanumeric() || before == '_';
        match letter {
            // Behind a word; otherwise it is of `<Type as Trait>`.
            '<' if depth > 0 || is_word => depth += 1,
            // Of `fn() -> Type`.
            '>' if depth > 0 && before != '-' => depth -= 1,
            letter if depth == 0 => name.push(letter),
            _ => {}
        }
        before = letter;
    }
    name
}

#[cfg(test)]
mod tests {
    use super::function_name;

    #[test]
    fn the_name_of_a_function_is_its_path() {
        for (path, name) in [
            ("shop::load::{{closure}}", "shop::load"),
            ("shop::Store::take::{{closure}}::{{closure}}", "shop::Store::take"),
            ("shop::outer::{{closure}}::inner::{{closure}}", "shop::outer::{{closure}}::inner"),
            (
                "<shop::Store as shop::Trait>::take::{{closure}}",
                "<shop::Store as shop::Trait>::take",
            ),
            ("shop::load<u8>::{{closure}}", "shop::load"),
            (
                "shop::Store<alloc::vec::Vec<u8>, fn() -> u8>::take<T>::{{closure}}",
                "shop::Store::take",
            ),
            (
                "<shop::Store<u8> as shop::Trait<u8>>::take::{{closure}}",
                "<shop::Store as shop::Trait>::take",
            ),
            ("function", "function"),
        ] {
            assert_eq!(function_name(path), name);
        }
    }
}
