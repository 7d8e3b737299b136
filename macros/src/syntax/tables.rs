//! The options of the attributes, each declared once: its name, and how it is written.

use crate::diagnostics::closest;

/// What an attribute takes, or an option that has options of its own.
pub(crate) struct Table {
    /// What the options belong to.
    pub(crate) owner: &'static str,
    /// Each option's name, and its form.
    pub(crate) options: &'static [(&'static str, &'static str)],
    /// Words that are no options but are written as such by habit, and what to do instead.
    pub(crate) habits: &'static [(&'static str, &'static str)],
    /// What to write for a value without a key.
    unnamed: &'static str,
}

pub(crate) const SPAN: Table = Table {
    owner: "`#[span]`",
    options: &[
        ("kind", "kind(server)"),
        ("ok", "ok(|value| key = value)"),
        ("ret", "ret"),
        ("error_if", "error_if(|error| error.is_fatal())"),
        ("root", "root"),
        ("parent", "parent(context)"),
        ("links", "links([context])"),
        ("device", "device(self.device)"),
        CRATE,
    ],
    habits: &[
        ("name", "the span's name is the first argument; write `#[span(\"name\")]`"),
        ("err", "errors are recorded without an option; remove `err`"),
        (
            "skip",
            "nothing is recorded unless it is named; remove `skip`, which stands alone on a method \
             in an `impl` block that has `#[span]`",
        ),
        ("skip_all", "nothing is recorded unless it is named; remove `skip_all`"),
        ("fields", "attributes are arguments; write `key = value` without `fields`"),
        ("level", "spans have no level; remove `level`"),
        ("target", "a span's scope is its crate; remove `target`"),
        ("follows_from", "a span follows from others by links; write `links([context])`"),
    ],
    unnamed: "nothing is recorded unless it is named: write `{key} = {value}`, or `#[record]` on a \
              parameter",
};

pub(crate) const PROPAGATE: Table = Table {
    owner: "`#[propagate]`",
    options: &[
        ("extract", "extract(headers)"),
        ("inject", "inject(headers)"),
        ("link", "link(message.headers())"),
        ("baggage", "baggage(tenant.id = tenant)"),
        CRATE,
    ],
    habits: &[],
    unnamed: "",
};

pub(crate) const TRACED_APP: Table = Table {
    owner: "`#[traced_app]`",
    options: &[
        ("sample", "sample(0.1)"),
        ("keep", "keep(errors, slower_than(\"2s\"))"),
        ("batch", "batch(queue = 8192, size = 1024, delay = \"2s\")"),
        ("grace", "grace(\"5s\")"),
        ("flush", "flush(\"4s\")"),
        ("baggage", "baggage(tenant.id)"),
        ("processor", "processor(MyProcessor::new())"),
        ("logs", "logs"),
        CRATE,
    ],
    habits: &[("name", SERVICE), ("service", SERVICE)],
    unnamed: "a resource attribute has a value: write `{key} = value`",
};

/// The options of `keep`.
pub(crate) const KEEP: Table = Table {
    owner: "`keep`",
    options: &[("errors", "errors"), ("slower_than", "slower_than(\"2s\")")],
    habits: &[],
    unnamed: "",
};

/// The options of `batch`.
pub(crate) const BATCH: Table = Table {
    owner: "`batch`",
    options: &[("queue", "queue = 8192"), ("size", "size = 1024"), ("delay", "delay = \"2s\"")],
    habits: &[],
    unnamed: "",
};

/// For the data in `ok`, where no key is an option.
pub(crate) const DATA: Table = Table { owner: "`ok`", options: &[], habits: &[], unnamed: "" };

const CRATE: (&str, &str) = ("crate", "crate(path::to::spandrel)");
const SERVICE: &str =
    "the service's name is the first argument; write `#[traced_app(\"service\")]`";

impl Table {
    /// How an option is written, if it is one.
    pub(crate) fn form(&self, name: &str) -> Option<&'static str> {
        self.options.iter().find(|(known, _)| *known == name).map(|(_, form)| *form)
    }

    /// How an option is written that is in quotes as a whole, or its name is.
    pub(crate) fn quoted(&self, text: &str) -> Option<&'static str> {
        self.form(text.split('(').next()?.trim())
    }

    /// What to do instead of writing a word that is no option.
    fn habit(&self, name: &str) -> Option<&'static str> {
        self.habits.iter().find(|(word, _)| *word == name).map(|(_, instead)| *instead)
    }

    /// The message about an option that is written as data, if this key is one.
    pub(crate) fn as_data(&self, key: &str) -> Option<String> {
        let wrong = match self.form(key) {
            Some(form) => format!("`{key}` is an option; write `{form}`"),
            None => self.habit(key)?.to_owned(),
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
        [&SPAN, &PROPAGATE, &TRACED_APP].into_iter().find_map(|other| {
            let (form, owner) = (other.form(name)?, other.owner);
            Some(format!("`{form}` is an option of {owner}, not of {}", self.owner))
        })
    }
}
