//! What a function does.

use crate::random::Random;
use crate::signature::{Kind, Output, Variable};

pub(crate) struct Body<'a> {
    random: &'a mut Random,
    is_async: bool,
    output: Output,
    variables: Vec<Variable>,
    next: usize,
    depth: usize,
    is_in_loop: bool,
    statements: usize,
}

impl<'a> Body<'a> {
    pub(crate) fn new(
        random: &'a mut Random,
        is_async: bool,
        output: Output,
        variables: Vec<Variable>,
    ) -> Self {
        Self {
            random,
            is_async,
            output,
            variables,
            next: 0,
            depth: 0,
            is_in_loop: false,
            statements: 0,
        }
    }
}

impl Body<'_> {
    fn name(&mut self, prefix: &str) -> String {
        self.next += 1;
        format!("{prefix}{}", self.next)
    }

    /// A variable of one of these kinds.
    fn any(&mut self, kinds: &[Kind]) -> Option<String> {
        let found: Vec<&Variable> =
            self.variables.iter().filter(|variable| kinds.contains(&variable.kind)).collect();
        if found.is_empty() {
            return None;
        }
        let index = self.random.below(found.len());
        Some(found[index].name.clone())
    }

    fn number(&mut self) -> String {
        self.any(&[Kind::Number, Kind::MutableNumber]).unwrap_or_else(|| "n".to_owned())
    }

    /// An owned variable that nothing uses afterwards. Loops have none.
    fn owned(&mut self) -> Option<String> {
        if self.is_in_loop {
            return None;
        }
        let name = self.any(&[Kind::Owned, Kind::MutableOwned])?;
        self.variables.retain(|variable| variable.name != name);
        Some(name)
    }

    /// An attribute of a block, or none.
    fn span(&mut self) -> String {
        if self.random.one_in(2) {
            return String::new();
        }
        let name = self.name("b");
        if self.random.one_in(3) {
            let number = self.number();
            format!("@span(\"{name}\", x = {number})@ ")
        } else {
            format!("@span(\"{name}\")@ ")
        }
    }

    pub(crate) fn block(&mut self) -> String {
        self.depth += 1;
        let count = 1 + self.random.below(if self.depth == 1 { 5 } else { 3 });
        let mut text = String::new();
        for _ in 0..count {
            self.statements += 1;
            let statement = self.statement();
            text.push_str(&statement);
            text.push('\n');
        }
        self.depth -= 1;
        text
    }

    /// A block whose variables are gone after it.
    fn nested(&mut self) -> String {
        let outer = self.variables.clone();
        let block = self.block();
        let left: Vec<String> =
            self.variables.iter().map(|variable| variable.name.clone()).collect();
        self.variables =
            outer.into_iter().filter(|variable| left.contains(&variable.name)).collect();
        block
    }

    // Long: one arm for each kind of statement.
    fn statement(&mut self) -> String {
        let span = self.span();
        let deep = self.depth > 3 || self.statements > 30;
        let number = self.number();
        let chance = self.random.below(if deep { 14 } else { 26 });
        let bad = self.random.below(6);
        match chance {
            0 => format!("log({number});"),
            1 => format!("log(format!(\"{{{number}}}\"));"),
            2 => {
                let name = self.name("l");
                self.variables.push(Variable { name: name.clone(), kind: Kind::Owned });
                format!("{span}let {name} = Noisy(\"{name}\");")
            }
            3 => {
                let name = self.name("x");
                self.variables.push(Variable { name: name.clone(), kind: Kind::Number });
                format!("{span}let {name}: u32 = {number} + {bad};")
            }
            4 => match self.owned() {
                Some(name) => format!("{span}drop({name});"),
                None => format!("{span}log(Noisy(\"temporary\").0);"),
            },
            5 => match self.owned() {
                Some(name) => format!("{span}if {number} == {bad} {{ drop({name}); }}"),
                None => format!("{span}match Noisy(\"matched\").len() {{ length => log(length) }}"),
            },
            6 => self.change(),
            7 => match self.any(&[Kind::Owned, Kind::MutableOwned, Kind::Borrowed]) {
                Some(name) => format!("{span}log({name}.len());"),
                None => format!("{span}log({number} * 2);"),
            },
            8 => self.exit(bad),
            9 => self.tried(&span, bad),
            10 => match self.any(&[Kind::Optional]) {
                Some(name) => format!("{span}if let Some(inner) = &{name} {{ log(inner.len()); }}"),
                None => format!("if {number} == {bad} {{ panic!(\"panic {{}}\", {number}); }}"),
            },
            11 if self.is_async => format!("{span}pause().await;"),
            11 | 12 => match self.any(&[Kind::Function]) {
                Some(name) => format!("{span}log({name}({number}));"),
                None => format!("{span}log(Noisy(\"argument\").len() + {number});"),
            },
            13 => {
                let name = self.name("h");
                format!(
                    "fn {name}(x: u32) -> u32 {{ x + 1 }} use std::fmt::Write as _; log({name}({number}));"
                )
            }
            14 | 15 => {
                let block = self.nested();
                format!("{span}{{ {block} }}")
            }
            16 => {
                let (then, other) = (self.nested(), self.nested());
                format!("{span}if {number} > {bad} {{ {then} }} else {{ {other} }}")
            }
            17 => {
                let (one, other) = (self.nested(), self.nested());
                format!(
                    "{span}match {number} {{ 0 => {{ {one} }} 1 | 2 => log(\"few\"), _ => {{ {other} }} }}"
                )
            }
            18 => self.iteration(&span, bad),
            19 => self.closure(&number),
            20 => {
                let name = self.name("x");
                self.variables.push(Variable { name: name.clone(), kind: Kind::Number });
                format!(
                    "{span}let {name} = 'found: {{ let _inner = Noisy(\"inner\"); if {number} == {bad} {{ break 'found 5; }} {number} + 1 }};"
                )
            }
            21 if self.is_async => {
                let name = self.name("x");
                self.variables.push(Variable { name: name.clone(), kind: Kind::Number });
                format!(
                    "let {name}: u32 = {{ {span}let later = async {{ pause().await; {number} + 1 }}; later.await }};"
                )
            }
            22 => {
                let name = self.name("l");
                self.variables.push(Variable { name: name.clone(), kind: Kind::Owned });
                format!(
                    "{span}let {name} = if {number} > {bad} {{ Noisy(\"more\") }} else {{ Noisy(\"less\") }};"
                )
            }
            23 => {
                let name = self.name("r");
                format!("{span}let {name} = &Noisy(\"lent\"); log({name}.len());")
            }
            24 => {
                let name = self.name("x");
                let exit = self.leave();
                self.variables.push(Variable { name: name.clone(), kind: Kind::Number });
                format!("{span}let Some({name}) = maybe({number}, {bad}) else {{ {exit} }};")
            }
            _ => format!("{span}log({number} + 1);"),
        }
    }

    /// Changes a parameter.
    fn change(&mut self) -> String {
        let kinds = [Kind::MutableNumber, Kind::MutableOwned, Kind::MutableText, Kind::Numbers];
        let Some(name) = self.any(&kinds) else { return "log(\"nothing to change\");".to_owned() };
        let kind = self.variables.iter().find(|one| one.name == name).map(|one| one.kind);
        match kind {
            Some(Kind::MutableNumber) => format!("{name} = {name}.wrapping_add(3);"),
            Some(Kind::MutableOwned) => format!("{name} = Noisy(\"changed\");"),
            Some(Kind::MutableText) if self.is_async && self.depth == 1 => {
                let local = self.name("z");
                format!("let {local} = format!(\"local {{}}\", n); {name} = &{local}; log({name});")
            }
            Some(Kind::MutableText) => format!("{name} = \"changed\"; log({name});"),
            _ => format!("{name}.push(n); log({name}.len());"),
        }
    }

    /// The function is left early.
    fn exit(&mut self, bad: usize) -> String {
        let number = self.number();
        let exit = self.leave();
        format!("if {number} == {bad} {{ {exit} }}")
    }

    fn leave(&mut self) -> String {
        // Several values of an opaque type are of several types.
        if matches!(self.output, Output::Closure | Output::Iterator | Output::Future) {
            let number = self.number();
            return format!("panic!(\"exit {{}}\", {number});");
        }
        let value = self.value(false);
        format!("return {value};")
    }

    /// A `?`, where the function's type has room for one.
    fn tried(&mut self, span: &str, bad: usize) -> String {
        let number = self.number();
        if !matches!(self.output, Output::Fallible | Output::OwnedFallible) {
            return format!("{span}let _ = check({number}, {bad});");
        }
        let name = self.name("x");
        self.variables.push(Variable { name: name.clone(), kind: Kind::Number });
        format!("{span}let {name} = check({number}, {bad})?;")
    }

    fn iteration(&mut self, span: &str, bad: usize) -> String {
        let outer = std::mem::replace(&mut self.is_in_loop, true);
        let block = self.nested();
        self.is_in_loop = outer;
        let inner = self.span();
        let exit = self.random.pick(&["break", "continue"]);
        format!(
            "{span}for index in 0..3u32 {{ let _each = Noisy(\"each\"); {inner}{{ if index == {bad} {{ {exit}; }} log(index); }} {block} }}"
        )
    }

    fn closure(&mut self, number: &str) -> String {
        let (name, span) = (self.name("c"), self.span());
        format!(
            "let {name} = |x: u32| -> Result<u32, String> {{ {span}let y = check(x, 3)?; Ok(y + 1) }}; log(format!(\"{{:?}}\", {name}({number})));"
        )
    }

    /// A value of the function's type.
    fn value(&mut self, is_last: bool) -> String {
        let number = self.number();
        let owned = if is_last { self.owned() } else { None };
        let owned = owned.unwrap_or_else(|| "Noisy(\"value\")".to_owned());
        match self.output {
            Output::Nothing => {
                if is_last {
                    String::new()
                } else {
                    "()".to_owned()
                }
            }
            Output::Number => self
                .random
                .pick(&["{n} + 1", "Noisy(\"tail\").len() + {n}"])
                .replace("{n}", &number),
            Output::Owned => owned,
            Output::Optional => format!("Some({owned})"),
            Output::Fallible => self
                .random
                .pick(&[
                    "Ok({n})",
                    "Err(format!(\"error {}\", {n}))",
                    "check({n}, 2)",
                    "Ok(check({n}, 4)? + 1)",
                ])
                .replace("{n}", &number),
            Output::OwnedFallible if self.random.one_in(3) => format!("Err(Failure({owned}))"),
            Output::OwnedFallible => format!("Ok({owned})"),
            Output::Text => self.any(&[Kind::Text]).unwrap_or_else(|| "\"static\"".to_owned()),
            Output::Closure => format!("{{ let n = {number}; move |x| x.wrapping_add(n) }}"),
            Output::Iterator => format!("{{ let n = {number}; (0..3).map(move |x| x + n) }}"),
            Output::BoxedClosure => format!("{{ let kept = {owned}; Box::new(move |_| kept) }}"),
            Output::Future => format!(
                "{{ let kept = {owned}; let n = {number}; async move {{ pause().await; log(kept.len()); check(n, 3) }} }}"
            ),
            Output::BoxedFuture => format!(
                "{{ let kept = {owned}; let n = {number}; Box::pin(async move {{ pause().await; log(kept.len()); check(n, 3) }}) }}"
            ),
        }
    }

    /// The value at the end, sometimes in a span.
    pub(crate) fn tail(&mut self) -> String {
        let can_be_traced = matches!(
            self.output,
            Output::Number
                | Output::Owned
                | Output::Optional
                | Output::Fallible
                | Output::OwnedFallible
        );
        let span = if can_be_traced { self.span() } else { String::new() };
        let value = match self.output {
            // Several values of an opaque type are of several types.
            Output::BoxedFuture if self.random.one_in(2) => {
                let number = self.number();
                format!("Box::pin(async move {{ pause().await; check({number}, 3) }})")
            }
            _ => self.value(true),
        };
        format!("{span}{value}")
    }
}
