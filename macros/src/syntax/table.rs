//! A table of options, and the messages about options that are not in it.

use crate::diagnostics::{closest, given_twice};

/// What an attribute takes, or an option that has options of its own.
pub(crate) struct OptionTable {
    /// What the options belong to.
    pub(crate) owner: &'static str,
    pub(crate) options: &'static [OptionForms],
    /// Words that are no options but are written as such by habit, and what to do instead.
    pub(crate) habits: &'static [(&'static str, &'static str)],
    /// What to write for a value without a key.
    pub(super) unnamed: &'static str,
    /// The tables of all attributes, to recognise an option that is written in the wrong one.
    pub(super) attributes: fn() -> [&'static OptionTable; 3],
}

/// An option's name, and how it is written: the first form stands in messages.
pub(crate) type OptionForms = (&'static str, &'static [&'static str]);

impl OptionTable {
    /// How an option is written, if it is one.
    pub(crate) fn form(&self, name: &str) -> Option<&'static str> {
        let (_, forms) = self.options.iter().find(|(known, _)| *known == name)?;
        forms.first().copied()
    }

    /// How an option is written that is in quotes as a whole, or its name is.
    pub(crate) fn quoted(&self, text: &str) -> Option<&'static str> {
        self.form(text.split('(').next()?.trim())
    }

    /// What to do instead of writing a word that is no option.
    fn habit(&self, name: &str) -> Option<&'static str> {
        self.habits.iter().find(|(word, _)| *word == name).map(|(_, instead)| *instead)
    }

    /// The message about an option that is written more than once.
    pub(crate) fn given_twice(&self, name: &str) -> String {
        given_twice(name, &format!("write `{}` once", self.form(name).unwrap_or(name)))
    }

    /// The message about an option without the value that it needs.
    pub(crate) fn without_value(&self, name: &str, form: &str) -> String {
        match self.habit(name) {
            Some(instead) => format!("{instead}, or write `{form}`"),
            None => format!("`{name}` needs a value; write `{form}`"),
        }
    }

    /// The message about an option that is written as data, if this key is one.
    pub(crate) fn as_data(&self, key: &str) -> Option<String> {
        let wrong = match (self.habit(key), self.form(key)) {
            (Some(instead), Some(form)) => format!("{instead}, or write `{form}`"),
            (Some(instead), None) => instead.to_owned(),
            (None, form) => format!("`{key}` is an option; write `{}`", form?),
        };
        Some(format!("{wrong}, or write `\"{key}\" = …`: a quoted key is always data"))
    }

    /// The message about an option that is not in the table. `value` is what is written where there
    /// are no parentheses, and `key` is its last word.
    pub(crate) fn unknown(&self, name: &str, value: Option<(&str, &str)>) -> String {
        if let Some(instead) = self.habit(name) {
            return instead.to_owned();
        }
        let wrong = self.elsewhere(name).unwrap_or_else(|| format!("unknown option `{name}`"));
        let names: Vec<&str> = self.options.iter().map(|(name, _)| *name).collect();
        let meant = closest(name, &names).and_then(|name| self.form(name));
        let meant = meant.map(|form| format!(" did you mean `{form}`?")).unwrap_or_default();
        let names = names.join(", ");
        let unnamed = value.filter(|_| !self.unnamed.is_empty()).map(|(key, value)| {
            format!("; {}", self.unnamed.replace("{key}", key).replace("{value}", value))
        });
        format!("{wrong};{meant} options: {names}{}", unnamed.unwrap_or_default())
    }

    /// What is wrong with an option that belongs to another attribute.
    pub(crate) fn elsewhere(&self, name: &str) -> Option<String> {
        (self.attributes)().into_iter().find_map(|other| {
            let (form, owner) = (other.form(name)?, other.owner);
            Some(format!("`{form}` is an option of {owner}, not of {}", self.owner))
        })
    }
}
