//! Every option, with every way to misspell, misplace, repeat or misquote it: one message, with the right
//! form, on the right token. Generated from the tables of options.

use std::fs;
use std::path::Path;

use proc_macro2::{TokenStream, TokenTree};
use syn::LitStr;

use crate::function::{self, Attribute};
use crate::syntax::attribute_options::{APP_ROWS, PROPAGATE_ROWS, SPAN_ROWS};
use crate::syntax::table::OptionTable;
use crate::syntax::{BATCH, KEEP, PROPAGATE, SPAN, TRACED_APP};
use crate::traced_app;

/// An attribute as these tests write it.
struct AttributeCase {
    table: &'static OptionTable,
    /// What stands before the option.
    before: &'static str,
    item: &'static str,
    expand: fn(TokenStream, TokenStream) -> TokenStream,
}

const FUNCTION: &str = "#[span] fn handle(headers: &H, message: &M, tenant: u8) {}";

const WRITTEN: [AttributeCase; 3] = [
    AttributeCase {
        table: &SPAN,
        before: "\"name\", ",
        item: "fn handle(context: &Context) {}",
        expand: |args, item| function::expand(Attribute::Span, args, item),
    },
    AttributeCase {
        table: &PROPAGATE,
        before: "",
        item: FUNCTION,
        expand: |args, item| function::expand(Attribute::Propagate, args, item),
    },
    AttributeCase {
        table: &TRACED_APP,
        before: "\"service\", ",
        item: "fn main() {}",
        expand: traced_app::expand,
    },
];

/// The options of a table, each with the form that messages show.
fn forms(table: &'static OptionTable) -> impl Iterator<Item = (&'static str, &'static str)> {
    table.options.iter().map(|(name, forms)| (*name, forms[0]))
}

impl AttributeCase {
    fn options(&self) -> impl Iterator<Item = (&'static str, &'static str)> + use<> {
        forms(self.table)
    }

    fn mistakes(&self, args: &str) -> Vec<(String, String)> {
        let parse = |text: &str| text.parse::<TokenStream>().expect("tokens");
        found(&(self.expand)(parse(&format!("{}{args}", self.before)), parse(self.item)))
    }

    /// Asserts that there is one mistake, on this token and with this in its message.
    #[track_caller]
    fn assert(&self, args: &str, token: &str, message: &str) {
        let mistakes = self.mistakes(args);
        let [(place, text)] = &mistakes[..] else {
            panic!("`{args}`: expected one mistake, found {mistakes:?}");
        };
        assert!(text.contains(message), "`{args}`: `{message}` is not in: {text}");
        assert!(text.contains(';'), "`{args}`: nothing to do in: {text}");
        assert_eq!(place, token, "`{args}`: {text}");
    }
}

/// The `compile_error!`s among the tokens: the token that each is on, and its message.
fn found(tokens: &TokenStream) -> Vec<(String, String)> {
    let trees: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let mut mistakes = Vec::new();
    for (index, tree) in trees.iter().enumerate() {
        match tree {
            TokenTree::Ident(ident) if ident == "compile_error" => {
                let Some(TokenTree::Group(group)) = trees.get(index + 2) else { continue };
                let message: LitStr = syn::parse2(group.stream()).expect("a message");
                mistakes.push((ident.span().source_text().unwrap_or_default(), message.value()));
            }
            TokenTree::Group(group) => mistakes.extend(found(&group.stream())),
            _ => {}
        }
    }
    mistakes
}

/// What is between the parentheses of a form; nothing for a flag.
fn value(form: &str) -> Option<&str> {
    form.split_once('(')?.1.strip_suffix(')')
}

/// The words that one slip of the finger makes of a word.
fn slips(word: &str) -> Vec<String> {
    let last = word.len() - 1;
    let mut slips = vec![format!("{word}{}", &word[last..])];
    slips.extend((word.len() > 2).then(|| word[..last].to_owned()));
    slips
}

#[test]
fn what_is_misspelt_is_recognised() {
    for written in &WRITTEN {
        for (name, form) in written.options() {
            for slip in slips(name) {
                let args = form.replacen(name, &slip, 1);
                written.assert(&args, &slip, &format!("did you mean `{form}`?"));
            }
        }
    }
}

#[test]
fn what_is_written_as_data_is_an_option() {
    for written in &WRITTEN {
        for (name, form) in written.options() {
            written.assert(&format!("{name} = \"x\""), name, &format!("write `{form}`"));
            written.assert(&format!("{name} = true"), name, &format!("write `{form}`"));
        }
    }
    for written in WRITTEN.iter().filter(|written| !written.before.is_empty()) {
        for name in written
            .options()
            .map(|(name, _)| name)
            .chain(written.table.habits.iter().map(|(word, _)| *word))
        {
            let args = format!("{name} = 1");
            written.assert(&args, name, &format!("`\"{name}\" = …`: a quoted key is always data"));
            assert_eq!(written.mistakes(&format!("\"{name}\" = 1, {name}.x = 1")), []);
        }
    }
}

#[test]
fn what_belongs_to_another_attribute_is_said_to() {
    for written in &WRITTEN {
        for (name, form) in WRITTEN.iter().flat_map(AttributeCase::options) {
            let is_habit = written.table.habits.iter().any(|(word, _)| *word == name);
            if written.table.form(name).is_none() && !is_habit {
                written.assert(form, name, "` is an option of `#[");
            }
        }
    }
}

#[test]
fn what_is_given_twice_is_refused() {
    for written in &WRITTEN {
        for (name, form) in written.options() {
            let message = format!("`{name}` is given twice; write `{form}` once");
            // A name is computed in place of the first argument.
            let before = if name == "name" { "" } else { written.before };
            let written = AttributeCase { before, ..*written };
            written.assert(&format!("{form}, {form}"), name, &message);
        }
    }
}

#[test]
fn what_is_not_in_parentheses_is_refused() {
    for written in &WRITTEN {
        for (name, form) in written.options() {
            let write = format!("write `{form}`");
            let Some(value) = value(form) else {
                written.assert(&format!("{name}()"), name, &write);
                written.assert(&format!("{name}(true)"), name, &write);
                written.assert(&format!("{name}: true"), ":", "takes no value");
                continue;
            };
            written.assert(&format!("{name}()"), name, &write);
            written.assert(name, name, &write);
            let value = value.split(',').next().expect("a value");
            written.assert(&format!("{name}: {value}"), ":", &write);
            written.assert(&format!("{name} => {value}"), "=", &write);
            written.assert(&format!("{name} {{ {value} }}"), &format!("{{ {value} }}"), &write);
            let value: TokenStream = value.parse().expect("tokens");
            let first = value.into_iter().next().expect("a token").to_string();
            written.assert(&format!("{name} {first}"), &first, &write);
        }
    }
}

#[test]
fn what_is_quoted_or_not_by_mistake_is_refused() {
    for written in &WRITTEN {
        for (name, form) in written.options() {
            let write = format!("write `{form}`");
            let quoted = format!("{form:?}");
            written.assert(&quoted, &quoted, &write);
            let Some(value) = value(form) else { continue };
            written.assert(&format!("\"{name}\"({value})"), &format!("\"{name}\""), &write);
            match name {
                // A key may be quoted, and a carrier is checked for itself.
                "baggage" | "link" => {}
                "grace" | "flush" => written.assert(&format!("{name}(5)"), "5", &write),
                _ => written.assert(&format!("{name}(\"x\")"), "\"x\"", &write),
            }
        }
    }
}

#[test]
fn options_of_options_are_checked_alike() {
    let app = &WRITTEN[2];
    for (owner, table) in [("keep", &KEEP), ("batch", &BATCH)] {
        for (name, form) in forms(table) {
            for slip in slips(name) {
                let args = format!("{owner}({})", form.replacen(name, &slip, 1));
                app.assert(&args, &slip, &format!("did you mean `{form}`?"));
            }
            let twice = format!("`{name}` is given twice; write `{form}` once");
            app.assert(&format!("{owner}({form}, {form})"), name, &twice);
        }
    }
    app.assert("batch(queue = \"8192\")", "\"8192\"", "write `queue = 8192`");
    app.assert("batch(delay = 2)", "2", "write `delay = \"2s\"`");
    app.assert("keep(slower_than(2))", "2", "write `slower_than(\"2s\")`");
    app.assert("keep(errors(true))", "errors", "write `errors`");
}

#[test]
fn habits_are_answered() {
    for written in &WRITTEN {
        for (word, instead) in written.table.habits {
            written.assert(word, word, instead);
            if written.table.form(word).is_none() {
                written.assert(&format!("{word}(x)"), word, instead);
                written.assert(&format!("{word} = x"), word, instead);
            }
        }
    }
}

#[test]
fn what_has_no_key_is_given_one() {
    let [span, propagate, app] = &WRITTEN;
    span.assert("context", "context", "write `context = context`, or `#[record]`");
    span.assert("self.user.id", "self", "write `id = self.user.id`, or `#[record]`");
    span.assert("%context", "%", "write `context = %context`");
    span.assert("?context", "?", "write `context = ?context`");
    span.assert("%self.id()", "%", "write `key = %value`");
    app.assert("team", "team", "write `team = value`");
    span.assert("ok(|user| user)", "user", "write `user = user`");
    span.assert("ok(|user| user.id)", "user", "write `key = value`");
    span.assert("ok(|user| %user)", "%", "write `user = %user`");
    span.assert("ok(|user|)", "user", "write `ok(|value| key = value)`");
    propagate.assert("team = 1", "team", "write `baggage(team = …)`");
    propagate.assert("tenant.id = 1", "tenant", "write `baggage(tenant.id = …)`");
    propagate.assert("\"headers\"", "\"headers\"", "write `headers`");
}

#[test]
fn names_are_literals_or_constants_and_come_first() {
    for written in WRITTEN.iter().filter(|written| !written.before.is_empty()) {
        let unnamed = AttributeCase { before: "", ..*written };
        for name in [
            "NAME.trim()",
            "format!(\"{}\", x)",
            "concat!(\"a\", \"b\")",
            "env!(\"X\")",
            "std::env!(\"X\")",
        ] {
            let message = "the name is a literal or a constant";
            let token = name.split(['!', ':', '.']).next().expect("a word");
            unnamed.assert(name, token, message);
            written.assert(name, token, message);
        }
        unnamed.assert("String::from(\"x\")", "String", "the name is a literal or a constant");
        let (_, option) = written.options().next().expect("an option");
        unnamed.assert(&format!("{option}, \"x\""), "\"x\"", "the name comes first");
        unnamed.assert(&format!("{option}, NAME"), "NAME", "the name comes first");
        written.assert("\"x\"", "\"x\"", "there is a name already");
        unnamed.assert("name = \"x\"", "name", "name is the first argument");
    }
}

#[test]
fn parameters_are_recorded_in_parentheses() {
    for record in ["record = \"key\"", "record(key = x)", "record(\"key\" x)", "record(x y)"] {
        let item = format!("fn load(#[{record}] x: u32) {{}}");
        let item = item.parse().expect("tokens");
        let mistakes = found(&function::expand(Attribute::Span, TokenStream::new(), item));
        let [(_, message)] = &mistakes[..] else { panic!("{record}: {mistakes:?}") };
        assert!(message.contains("write `#[record(\"key\", expression)]`"), "{record}: {message}");
    }
}

/// The table of arguments in the documentation of an attribute.
struct Documented {
    page: &'static str,
    /// The rows of what is no option.
    first: &'static [[&'static str; 3]],
    options: &'static [[&'static str; 3]],
}

const DOCUMENTED: [Documented; 3] = [
    Documented {
        page: "span.md",
        first: &[
            [
                "`\"name\"` or `NAME`, first",
                "the name; a function's own name by default, `Type::method` in an `impl` block, which takes a literal only",
                "",
            ],
            [
                "`key = value`",
                "an attribute from a [`ToAttribute`] value; `%value` takes its `Display`, `?value` its `Debug`",
                "",
            ],
            [
                "`..group`",
                "all attributes of a [`ToAttributes`] value, such as a struct that derives it; one with a key of its own wins",
                "",
            ],
        ],
        options: SPAN_ROWS,
    },
    Documented {
        page: "propagate.md",
        first: &[["`headers`", "the same as `extract(headers)`", ""]],
        options: PROPAGATE_ROWS,
    },
    Documented {
        page: "traced_app.md",
        first: &[
            ["`\"name\"` or `NAME`, first", "the service's name", "`OTEL_SERVICE_NAME`"],
            [
                "`key = value`",
                "a resource attribute; it wins over one of the same key in `OTEL_RESOURCE_ATTRIBUTES`",
                "",
            ],
            ["`..group`", "all attributes of a [`ToAttributes`] value", ""],
        ],
        options: APP_ROWS,
    },
];

impl Documented {
    fn rows(&self) -> String {
        let has_variables = self.options.iter().any(|[.., variables]| !variables.is_empty());
        let row = |form: &str, meaning: &str, variables: &str| match (has_variables, variables) {
            (false, _) => format!("| {form} | {meaning} |\n"),
            (true, "") => format!("| {form} | {meaning} | |\n"),
            (true, variables) => format!("| {form} | {meaning} | {variables} |\n"),
        };
        let first =
            self.first.iter().map(|[form, meaning, variables]| row(form, meaning, variables));
        let options = self.options.iter().map(|[form, meaning, variables]| {
            row(&format!("`{}`", form.replace('|', "\\|")), meaning, variables)
        });
        first.chain(options).collect()
    }
}

/// The tables in the documentation are what the declarations of the options say. Where one is not, this test
/// corrects the page and fails, once.
#[test]
fn the_documentation_lists_every_option() {
    let variables = include_str!("../../runtime/docs/variables.md");
    for name in APP_ROWS.iter().flat_map(|[.., named]| named.split('`').skip(1).step_by(2)) {
        assert!(variables.contains(name.trim_end_matches('*')), "{name} is no variable");
    }
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../runtime/docs");
    let mut corrected = Vec::new();
    for documented in DOCUMENTED {
        let path = docs.join(documented.page);
        let page = fs::read_to_string(&path).expect("the page");
        let (before, table) = page.split_once("| argument | meaning").expect("a table");
        let (head, table) =
            table.split_once("---|\n").or(table.split_once("--- |\n")).expect("a head");
        let rows: String =
            table.split_inclusive('\n').take_while(|line| line.starts_with('|')).collect();
        if rows != documented.rows() {
            let after = &table[rows.len()..];
            let text =
                format!("{before}| argument | meaning{head}--- |\n{}{after}", documented.rows());
            fs::write(&path, text).expect("it can be written");
            corrected.push(documented.page);
        }
    }
    assert_eq!(corrected, Vec::<&str>::new(), "these pages are corrected now");
}
