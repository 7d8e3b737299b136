//! The grammar: signatures, patterns, statements and attributes, put together by chance. What a function
//! logs is what it does: values that are made, and the order in which they are dropped.
//!
//! `@…@` stands for an attribute: the plain function goes without.

use std::fmt::Write as _;

use crate::body::Body;
use crate::random::Random;
use crate::signature::{Kind, Output, PARAMETERS, Variable, attribute, generics, output, receiver};

/// All functions twice, and the list of their calls.
pub(crate) fn crate_of(seed: u64, count: u64) -> String {
    let mut random = Random::new(seed);
    let functions: Vec<Function> =
        (0..count).map(|number| Function::compose(&mut random, number)).collect();
    let mut text = String::from("use super::support::*;\n");
    for (module, is_traced) in [("plain", false), ("traced", true)] {
        let imports = "use std::{fmt::Debug, future::Future, pin::Pin, rc::Rc};\nuse super::*;\n";
        writeln!(text, "pub mod {module} {{\n{imports}").expect("a text");
        for function in &functions {
            text.push_str(&with_attributes(&function.item, is_traced));
        }
        for function in &functions {
            let Function { name, call, .. } = function;
            writeln!(text, "pub fn call_{name}(n: u32, way: u32) {{ {call} }}").expect("a text");
        }
        text.push_str("}\n");
    }
    text.push_str("type Call = fn(u32, u32);\npub const CALLS: &[(&str, &str, Call, Call)] = &[\n");
    for Function { name, item, .. } in &functions {
        let source = with_attributes(item, true);
        writeln!(text, "({name:?}, {source:?}, plain::call_{name}, traced::call_{name}),")
            .expect("a text");
    }
    text.push_str("];\n");
    text
}

fn with_attributes(item: &str, is_traced: bool) -> String {
    let parts = item.split('@').enumerate();
    let attribute = |part: &str| format!("#[{}]", part.replace("span", "spandrel::span"));
    parts
        .map(|(index, part)| match (index % 2 == 0, is_traced) {
            (true, _) => part.replace("AT", "@"),
            (false, true) => attribute(part),
            (false, false) => String::new(),
        })
        .collect()
}

struct Function {
    name: String,
    item: String,
    call: String,
}

impl Function {
    // Long: the productions of the grammar, one after the other.
    fn compose(random: &mut Random, number: u64) -> Self {
        let name = format!("f{number}");
        let is_async = random.one_in(2);
        let output = output(random, is_async);
        let in_impl = random.one_in(3);
        let receiver = if in_impl { receiver(random) } else { "" };
        let mut variables = vec![Variable { name: "n".to_owned(), kind: Kind::Number }];
        let mut parameters = vec!["n: u32".to_owned()];
        let mut arguments = vec!["n".to_owned()];
        let mut has_text = false;
        for index in 0..random.below(5) {
            let (pattern, ty, argument, bound) = PARAMETERS[random.below(PARAMETERS.len())];
            if output.is_later() || output == Output::BoxedClosure {
                // What it returns outlives what is borrowed.
                if ty.contains('&') || ty.contains("impl") || ty.contains('T') {
                    continue;
                }
            }
            let with_index = |text: &str| text.replace('#', &index.to_string());
            let record = match bound {
                [(_, Kind::Number | Kind::MutableNumber | Kind::Text)]
                    if !pattern.starts_with('(') && random.one_in(4) =>
                {
                    random.pick(&["@record@ ", "@record(\"key#\")@ ", "@cfg_attr(all(), record)@ "])
                }
                _ => "",
            };
            let pattern = pattern.replace('@', "AT");
            parameters.push(with_index(&format!("{record}{pattern}: {ty}")));
            arguments.push(with_index(argument));
            has_text |= ty == "&'a str";
            let bound = bound.iter().map(|(name, kind)| (with_index(name), *kind));
            variables.extend(bound.map(|(name, kind)| Variable { name, kind }));
        }
        let output = if output == Output::Text && !has_text { Output::Number } else { output };
        let attribute = attribute(random, &variables, output, is_async);
        let mut body = Body::new(random, is_async, output, variables);
        let statements = body.block();
        let tail = body.tail();
        if !receiver.is_empty() {
            parameters.insert(0, receiver.to_owned());
        }
        let (parameters, arguments) = (parameters.join(", "), arguments.join(", "));
        let generics = generics(&parameters, output);
        let asyncness = if is_async { "async " } else { "" };
        let extra = random.pick(&["", "", "", "", "#[inline] ", "#[must_use] ", "/// Says.\n"]);
        let own = if in_impl && random.one_in(2) { "" } else { attribute.as_str() };
        let whole = if own.is_empty() { "@span@ " } else { "" };
        let written = output.written();
        let function = format!(
            "{extra}{own}pub {asyncness}fn {name}{generics}({parameters}){written} {{\n{statements}{tail}\n}}\n"
        );
        let (item, callee) = if in_impl {
            let owner = format!("O{number}");
            let made = match receiver {
                "" => format!("{owner}::{name}("),
                "self: Box<Self>" => {
                    format!("Box::new({owner}(Noisy(\"self\"))).{name}(")
                }
                "self: Rc<Self>" => format!("Rc::new({owner}(Noisy(\"self\"))).{name}("),
                _ => format!("{owner}(Noisy(\"self\")).{name}("),
            };
            let item =
                format!("pub struct {owner}(pub Noisy);\n{whole}impl {owner} {{\n{function}}}\n");
            (item, made)
        } else {
            (function, format!("{name}("))
        };
        let call = match output {
            _ if is_async || output.is_later() => format!("drive(way, {callee}{arguments}))"),
            Output::Closure | Output::BoxedClosure => format!("done({callee}{arguments})(1))"),
            Output::Iterator => format!("done({callee}{arguments}).collect::<Vec<u32>>())"),
            _ => format!("done({callee}{arguments}))"),
        };
        Self { name, item, call: format!("{call};") }
    }
}
