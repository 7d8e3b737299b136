//! What a function takes and returns, and its attribute.

use crate::random::Random;

/// What a variable is good for.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    Number,
    MutableNumber,
    Owned,
    MutableOwned,
    Borrowed,
    Text,
    MutableText,
    Numbers,
    Function,
    Optional,
    Shown,
}

#[derive(Clone)]
pub(crate) struct Variable {
    pub(crate) name: String,
    pub(crate) kind: Kind,
}

/// `pattern: type`, what a caller gives, and what the pattern binds.
type Parameter = (&'static str, &'static str, &'static str, &'static [(&'static str, Kind)]);

pub(crate) const PARAMETERS: &[Parameter] = &[
    ("a#", "u32", "7", &[("a#", Kind::Number)]),
    ("mut a#", "u32", "7", &[("a#", Kind::MutableNumber)]),
    ("_", "Noisy", "Noisy(\"w#\")", &[]),
    ("_u#", "Noisy", "Noisy(\"u#\")", &[]),
    ("_", "u32", "7", &[]),
    ("d#", "Noisy", "Noisy(\"d#\")", &[("d#", Kind::Owned)]),
    ("d#", "Noisy", "Noisy(\"d#\")", &[("d#", Kind::Owned)]),
    ("mut d#", "Noisy", "Noisy(\"d#\")", &[("d#", Kind::MutableOwned)]),
    ("(d#, _)", "(Noisy, Noisy)", "(Noisy(\"d#\"), Noisy(\"e#\"))", &[("d#", Kind::Owned)]),
    (
        "(_, a#, ..)",
        "(Noisy, u32, Noisy)",
        "(Noisy(\"d#\"), 7, Noisy(\"e#\"))",
        &[("a#", Kind::Number)],
    ),
    ("Pair { left: d#, .. }", "Pair", "pair()", &[("d#", Kind::Owned)]),
    ("Pair { left: mut d#, right: _ }", "Pair", "pair()", &[("d#", Kind::MutableOwned)]),
    ("p# @ Pair { .. }", "Pair", "pair()", &[("p#", Kind::Shown)]),
    ("[.., d#]", "[Noisy; 2]", "[Noisy(\"d#\"), Noisy(\"e#\")]", &[("d#", Kind::Owned)]),
    ("ref d#", "Noisy", "Noisy(\"d#\")", &[("d#", Kind::Borrowed)]),
    (
        "&(ref d#, _)",
        "&(Noisy, Noisy)",
        "&(Noisy(\"d#\"), Noisy(\"e#\"))",
        &[("d#", Kind::Borrowed)],
    ),
    ("d#", "&'a Noisy", "&Noisy(\"d#\")", &[("d#", Kind::Borrowed)]),
    ("s#", "&'a str", "\"text\"", &[("s#", Kind::Text)]),
    ("mut s#", "&str", "\"text\"", &[("s#", Kind::MutableText)]),
    ("v#", "&mut Vec<u32>", "&mut vec![1]", &[("v#", Kind::Numbers)]),
    ("f#", "impl Fn(u32) -> u32", "|x| x + 1", &[("f#", Kind::Function)]),
    ("f#", "&dyn Fn(u32) -> u32", "&|x| x + 1", &[("f#", Kind::Function)]),
    ("o#", "Option<Noisy>", "Some(Noisy(\"o#\"))", &[("o#", Kind::Optional)]),
    ("t#", "T", "Noisy(\"t#\")", &[("t#", Kind::Shown)]),
    ("[t#, _]", "[T; 2]", "[Noisy(\"t#\"), Noisy(\"g#\")]", &[("t#", Kind::Shown)]),
    ("t#", "[T; N]", "[Noisy(\"t#\"), Noisy(\"g#\")]", &[("t#", Kind::Shown)]),
    ("()", "()", "()", &[]),
];

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Output {
    Nothing,
    Number,
    Owned,
    Optional,
    Fallible,
    OwnedFallible,
    Text,
    Closure,
    Iterator,
    BoxedClosure,
    Future,
    BoxedFuture,
}

impl Output {
    pub(crate) fn is_later(self) -> bool {
        matches!(self, Self::Future | Self::BoxedFuture)
    }

    pub(crate) fn written(self) -> &'static str {
        match self {
            Self::Nothing => "",
            Self::Number => " -> u32",
            Self::Owned => " -> Noisy",
            Self::Optional => " -> Option<Noisy>",
            Self::Fallible => " -> Result<u32, String>",
            Self::OwnedFallible => " -> Result<Noisy, Failure>",
            Self::Text => " -> &'a str",
            Self::Closure => " -> impl Fn(u32) -> u32",
            Self::Iterator => " -> impl Iterator<Item = u32>",
            Self::BoxedClosure => " -> Box<dyn FnOnce(u32) -> Noisy>",
            Self::Future => " -> impl Future<Output = Result<u32, String>>",
            Self::BoxedFuture => " -> Pin<Box<dyn Future<Output = Result<u32, String>>>>",
        }
    }
}

pub(crate) fn output(random: &mut Random, is_async: bool) -> Output {
    let all = [
        Output::Nothing,
        Output::Number,
        Output::Owned,
        Output::Optional,
        Output::Fallible,
        Output::Fallible,
        Output::OwnedFallible,
        Output::Text,
        Output::Closure,
        Output::Iterator,
        Output::BoxedClosure,
        Output::Future,
        Output::BoxedFuture,
    ];
    all[random.below(if is_async { 8 } else { all.len() })]
}

pub(crate) fn receiver(random: &mut Random) -> &'static str {
    random.pick(&[
        "",
        "&self",
        "&mut self",
        "self",
        "mut self",
        "self: Box<Self>",
        "self: Rc<Self>",
    ])
}

pub(crate) fn generics(parameters: &str, output: Output) -> String {
    let mut generics = Vec::new();
    if parameters.contains("'a") || output == Output::Text {
        generics.push("'a");
    }
    if parameters.contains(": T") || parameters.contains("[T; ") {
        generics.push("T: Debug");
    }
    if parameters.contains("[T; N]") {
        generics.push("const N: usize");
    }
    let generics = generics.join(", ");
    if generics.is_empty() { generics } else { format!("<{generics}>") }
}

/// The attribute of the function.
pub(crate) fn attribute(
    random: &mut Random,
    variables: &[Variable],
    output: Output,
    is_async: bool,
) -> String {
    let mut arguments: Vec<String> = Vec::new();
    if random.one_in(3) {
        arguments.push("\"name\"".to_owned());
    }
    for Variable { name, kind } in variables {
        if random.one_in(4) {
            arguments.extend(match kind {
                Kind::Number | Kind::MutableNumber | Kind::Text | Kind::MutableText => {
                    Some(format!("x.{name} = {name}"))
                }
                Kind::Owned
                | Kind::MutableOwned
                | Kind::Borrowed
                | Kind::Shown
                | Kind::Optional => Some(format!("x.{name} = ?{name}")),
                Kind::Function => Some(format!("x.{name} = {name}(1)")),
                Kind::Numbers => Some(format!("x.{name} = {name}.len()")),
            });
        }
    }
    let is_fallible = matches!(output, Output::Fallible | Output::Future);
    if random.one_in(5) {
        arguments.push(random.pick(&["kind(client)", "root"]).to_owned());
    }
    if random.one_in(4) && is_fallible && (is_async || output == Output::Fallible) {
        let option = [
            "error_if(|error| error.len() > 5)",
            "ok(|number| number = *number)",
            "error_if(|_| n > 2)",
        ];
        arguments.push(random.pick(&option).to_owned());
    }
    if random.one_in(5) && matches!(output, Output::Number | Output::Owned | Output::Fallible) {
        arguments.push("ret".to_owned());
    }
    if arguments.is_empty() {
        "@span@ ".to_owned()
    } else {
        format!("@span({})@ ", arguments.join(", "))
    }
}
