//! What an expression can be seen to be, before its types are known.
//!
//! A macro sees names, not what they mean. Each guess by a name is a constant or a function below, with what a
//! wrong guess costs.

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::Visit;
use syn::{Block, Expr, ExprCall, Label, Macro, Stmt};

use crate::syntax::bare;

/// How a span gets to see the value of its block.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum ValueUse {
    /// The value is the frame's: so is the outcome.
    Frame,
    /// It is looked at.
    Value,
    /// It is no failure: `()`, `Ok(…)`, or what is left of a `Result` after `?`.
    Nothing,
    /// It must stay where it is, for a reference into it may outlive the block.
    Untouched,
}

/// The last word of the path that is called, where there is one.
fn called(call: &ExprCall) -> Option<String> {
    match &*call.func {
        Expr::Path(path) => path.path.segments.last().map(|last| last.ident.to_string()),
        _ => None,
    }
}

pub(super) fn is_left_by_break(expr: &Expr) -> bool {
    match expr {
        Expr::Block(block) => block.label.is_some(),
        Expr::ForLoop(_) | Expr::Loop(_) | Expr::While(_) => true,
        _ => false,
    }
}

/// Whether an expression can be seen never to come to a value. A function of the user's that is called `exit` or
/// `abort` and returns an error is not asked for it: the block then has the outcome of its frame.
pub(super) fn diverges(expr: &Expr) -> bool {
    match bare(expr) {
        Expr::Break(_) | Expr::Continue(_) | Expr::Return(_) => true,
        Expr::Macro(call) => is_named(&call.mac, DIVERGING),
        Expr::Call(call) => matches!(called(call).as_deref(), Some("exit" | "abort")),
        Expr::Loop(iteration) => !has_break(&iteration.body, iteration.label.as_ref()),
        Expr::Block(block) if block.label.is_none() => ends_nowhere(&block.block),
        Expr::If(branch) => branch
            .else_branch
            .as_ref()
            .is_some_and(|(_, other)| ends_nowhere(&branch.then_branch) && diverges(other)),
        Expr::Match(branches) => {
            !branches.arms.is_empty() && branches.arms.iter().all(|arm| diverges(&arm.body))
        }
        _ => false,
    }
}

/// Whether a block ends with a call of a macro, which may hide that it is left there.
pub(super) fn ends_in_call(expr: &Expr) -> bool {
    let statement = match bare(expr) {
        Expr::Block(block) => block.block.stmts.last(),
        Expr::Unsafe(block) => block.block.stmts.last(),
        _ => None,
    };
    matches!(statement, Some(Stmt::Macro(call)) if !is_named(&call.mac, RETURNING))
}

fn ends_nowhere(block: &Block) -> bool {
    match block.stmts.last() {
        Some(Stmt::Expr(last, _)) => diverges(last),
        Some(Stmt::Macro(last)) => is_named(&last.mac, DIVERGING),
        _ => false,
    }
}

/// Whether a loop with this label is left by a `break` that can be seen.
fn has_break(body: &Block, label: Option<&Label>) -> bool {
    struct Breaks<'a> {
        label: Option<&'a Label>,
        depth: usize,
        found: bool,
    }
    impl<'ast> Visit<'ast> for Breaks<'_> {
        fn visit_expr(&mut self, expr: &'ast Expr) {
            match expr {
                Expr::Async(_) | Expr::Closure(_) | Expr::Const(_) => {}
                Expr::Break(exit) => {
                    self.found |= match (&exit.label, self.label) {
                        (Some(to), Some(label)) => *to == label.name,
                        (Some(_), None) => false,
                        (None, _) => self.depth == 0,
                    };
                    syn::visit::visit_expr(self, expr);
                }
                Expr::Loop(_) | Expr::While(_) | Expr::ForLoop(_) => {
                    self.depth += 1;
                    syn::visit::visit_expr(self, expr);
                    self.depth -= 1;
                }
                _ => syn::visit::visit_expr(self, expr),
            }
        }

        fn visit_item(&mut self, _: &'ast syn::Item) {}
    }
    let mut breaks = Breaks { label, depth: 0, found: false };
    breaks.visit_block(body);
    breaks.found
}

/// Macros that come to a value, as far as their names tell.
const RETURNING: &[&str] = &[
    "assert",
    "assert_eq",
    "assert_ne",
    "dbg",
    "debug_assert",
    "eprintln",
    "format",
    "print",
    "println",
    "vec",
    "write",
    "writeln",
];

const DIVERGING: &[&str] = &["panic", "todo", "unimplemented", "unreachable"];

/// Whether a macro has one of these names, from whichever crate it is: `bail` and `ensure` of `anyhow` and `eyre` hide a
/// `return`. A macro of another name that hides one is not seen, and its error is not on the block.
pub(super) fn is_named(call: &Macro, words: &[&str]) -> bool {
    let last = call.path.segments.last();
    last.is_some_and(|last| words.iter().any(|word| last.ident == word))
}

/// How much the value of an expression that is not the frame's has to say.
pub(super) fn value_use(expr: &Expr) -> ValueUse {
    match bare(expr) {
        expr if diverges(expr) => ValueUse::Nothing,
        Expr::Array(_)
        | Expr::Cast(_)
        | Expr::Closure(_)
        | Expr::Lit(_)
        | Expr::Range(_)
        | Expr::Reference(_)
        | Expr::Repeat(_)
        | Expr::Struct(_)
        | Expr::Tuple(_) => ValueUse::Untouched,
        Expr::Assign(_) | Expr::ForLoop(_) | Expr::Try(_) | Expr::While(_) => ValueUse::Nothing,
        Expr::Path(path) => match path.path.get_ident() {
            Some(name) if !name.to_string().starts_with(char::is_uppercase) => ValueUse::Value,
            _ => ValueUse::Untouched,
        },
        Expr::Block(block) => block_value_use(&block.block),
        Expr::Unsafe(block) => block_value_use(&block.block),
        Expr::If(branch) => match &branch.else_branch {
            None => ValueUse::Nothing,
            Some((_, other)) => either(block_value_use(&branch.then_branch), value_use(other)),
        },
        Expr::Match(branches) => {
            branches.arms.iter().map(|arm| value_use(&arm.body)).fold(ValueUse::Nothing, either)
        }
        Expr::Macro(call) => macro_sight(&call.mac),
        Expr::Call(call) => call_sight(call),
        _ => ValueUse::Value,
    }
}

/// As [`value_use`], where nothing outlives the statement.
pub(super) fn unextended(expr: &Expr) -> ValueUse {
    match value_use(expr) {
        ValueUse::Untouched => ValueUse::Nothing,
        value_use => value_use,
    }
}

fn macro_sight(call: &Macro) -> ValueUse {
    if is_named(call, DIVERGING) {
        ValueUse::Nothing
    } else if is_named(call, &["format_args", "pin"]) {
        ValueUse::Untouched
    } else {
        ValueUse::Value
    }
}

fn call_sight(call: &ExprCall) -> ValueUse {
    let name = called(call).unwrap_or_default();
    let borrows = call.args.iter().any(|argument| matches!(argument, Expr::Reference(_)));
    if borrows && name.starts_with(char::is_uppercase) && name != "Err" {
        ValueUse::Untouched
    } else if name == "Ok" || name == "Some" {
        ValueUse::Nothing
    } else {
        ValueUse::Value
    }
}

pub(super) fn block_value_use(block: &Block) -> ValueUse {
    match block.stmts.last() {
        Some(Stmt::Expr(expr, None)) => value_use(expr),
        Some(Stmt::Macro(call)) if call.semi_token.is_none() => macro_sight(&call.mac),
        _ => ValueUse::Nothing,
    }
}

/// Of two branches, the one that asks for more care.
fn either(one: ValueUse, other: ValueUse) -> ValueUse {
    match (one, other) {
        (ValueUse::Untouched, _) | (_, ValueUse::Untouched) => ValueUse::Untouched,
        (ValueUse::Nothing, other) => other,
        (one, _) => one,
    }
}

/// The operand of an expression that is all `?`.
pub(super) fn tried(expr: &Expr) -> Option<&Expr> {
    match bare(expr) {
        Expr::Try(tried) => Some(&tried.expr),
        _ => None,
    }
}

/// Whether an error may leave an expression other than as its value.
pub(super) fn may_leave(expr: &Expr) -> bool {
    struct Exits(bool);
    impl<'ast> Visit<'ast> for Exits {
        fn visit_expr(&mut self, expr: &'ast Expr) {
            match expr {
                Expr::Async(_) | Expr::Closure(_) | Expr::Const(_) => {}
                Expr::Try(_) | Expr::Return(_) | Expr::Macro(_) | Expr::Verbatim(_) => {
                    self.0 = true;
                }
                other => syn::visit::visit_expr(self, other),
            }
        }
        fn visit_item(&mut self, _: &'ast syn::Item) {}
    }
    let mut exits = Exits(false);
    exits.visit_expr(expr);
    exits.0
}

/// Whether a macro is called among these tokens, which may hide anything.
pub(super) fn has_call(tokens: &TokenStream) -> bool {
    let mut after_word = false;
    tokens.clone().into_iter().any(|tree| {
        let found = match &tree {
            TokenTree::Punct(punct) => after_word && punct.as_char() == '!',
            TokenTree::Group(group) => has_call(&group.stream()),
            _ => false,
        };
        after_word = matches!(tree, TokenTree::Ident(_));
        found
    })
}

/// Whether a value that is returned may be an error. `Ok`, `Some` and `new` (of `Box::new` or `Pin::new`, which wrap
/// futures and trait objects) are not: in a closure whose type is not written down the value would be asked for an error, and
/// that would decide a type which later code makes known. An `Err` from a function called `new` is not recorded there.
pub(super) fn may_fail(returned: &Expr) -> bool {
    match returned {
        Expr::Call(call) => !matches!(called(call).as_deref(), Some("Ok" | "Some" | "new")),
        Expr::Path(_) | Expr::MethodCall(_) | Expr::Await(_) | Expr::Macro(_) => true,
        _ => false,
    }
}

/// Whether the type of an operand of `?` is for its context to say: of `parse` and `try_into`, the two methods
/// of the standard library that `let name: Type = …?` gives their type. Others would need a type that is written down
/// in the call, which the compiler asks for.
pub(super) fn is_generic(operand: &Expr) -> bool {
    match operand {
        Expr::MethodCall(call) => {
            call.turbofish.is_none() && (call.method == "parse" || call.method == "try_into")
        }
        _ => false,
    }
}
