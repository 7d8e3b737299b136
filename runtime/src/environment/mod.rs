//! Environment variables: read, parsed and, where they make no sense, complained about.

#[cfg(any(test, fuzzing))]
pub(crate) mod variables;

use std::cell::RefCell;
use std::ffi::OsString;
use std::fmt::Display;
use std::time::Duration;

use crate::clean::line;

/// The variables of a process, and what was wrong with those that were read.
pub(crate) struct Environment<'a> {
    read: &'a dyn Fn(&str) -> Option<OsString>,
    complaints: RefCell<Vec<String>>,
}

impl<'a> Environment<'a> {
    pub(crate) fn new(read: &'a dyn Fn(&str) -> Option<OsString>) -> Self {
        Self { read, complaints: RefCell::default() }
    }

    /// The variable's text. The specification counts an empty variable as unset.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        let value = (self.read)(name)?;
        let Ok(text) = value.into_string() else {
            self.complain(name, "not valid UTF-8", "text", "the default");
            return None;
        };
        Some(text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    /// Whether the variable is set to anything, text or not.
    pub(crate) fn is_set(&self, name: &str) -> bool {
        (self.read)(name).is_some_and(|value| !value.to_string_lossy().trim().is_empty())
    }

    /// The variable's value by this parser; a complaint when there is none.
    pub(crate) fn parsed<T>(
        &self,
        name: &str,
        expected: &str,
        otherwise: impl Display,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.text(name)?;
        let parsed = parse(&text);
        if parsed.is_none() {
            self.complain(name, &format!("`{}`", line(&text)), expected, otherwise);
        }
        parsed
    }

    /// A duration in milliseconds.
    pub(crate) fn millis(&self, name: &str, otherwise: impl Display) -> Option<Duration> {
        let expected = format!("milliseconds, a whole number from 0 to {}", u32::MAX);
        self.parsed(name, &expected, otherwise, |text| {
            text.parse().ok().map(|millis: u32| Duration::from_millis(millis.into()))
        })
    }

    /// A duration with its unit; what is used otherwise, if anything.
    #[cfg(feature = "app")]
    pub(crate) fn duration(&self, name: &str, otherwise: Option<Duration>) -> Option<Duration> {
        let expected = "a duration such as 30s, 500ms or 2m";
        let default = otherwise.map_or_else(|| "none".to_owned(), |time| format!("{time:?}"));
        self.parsed(name, expected, default, |text| {
            humantime::parse_duration(text).ok().filter(|duration| !duration.is_zero())
        })
    }

    pub(crate) fn complain(
        &self,
        name: &str,
        value: &str,
        expected: &str,
        otherwise: impl Display,
    ) {
        let complaint = format!("{name} is {value}, expected {expected}; using {otherwise}");
        let mut complaints = self.complaints.borrow_mut();
        // A variable may be read more than once.
        if !complaints.contains(&complaint) {
            complaints.push(complaint);
        }
    }

    pub(crate) fn into_complaints(self) -> Vec<String> {
        self.complaints.into_inner()
    }
}

/// `true`, `1`, `yes`, `on` and their opposites, in any case.
pub(crate) fn flag(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Some(true),
        "false" | "0" | "no" | "off" => Some(false),
        _ => None,
    }
}
