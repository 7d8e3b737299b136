//! The walk through a body: which expressions are spans, and what is known of each from outside of it.

use quote::{ToTokens, quote};
use syn::visit_mut::{VisitMut, visit_expr_mut};
use syn::{Attribute, Block, Expr, ExprMacro, Local, Pat, Stmt, parse_quote};

use super::expansion::{Expansion, Position, StatementPlace};
use super::value_use::{
    ValueUse, is_generic, is_left_by_break, may_fail, may_leave, tried, unextended, value_use,
};
use crate::diagnostics::attribute_given_twice;
use crate::span::Span;
use crate::syntax::{arguments, conditional, has_span, is_place, take_attributes, value};

impl VisitMut for Expansion<'_> {
    fn visit_block_mut(&mut self, block: &mut Block) {
        self.block(block, false);
    }

    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        let attribute = attributes(expr).and_then(|written| self.take(written));
        let value_use = if self.tail { ValueUse::Frame } else { unextended(expr) };
        self.expression(
            expr,
            attribute,
            &Position { value_use, ty: None, place: StatementPlace::Nested },
        );
    }

    fn visit_item_mut(&mut self, _: &mut syn::Item) {
        // Functions inside of functions have attributes of their own.
    }
}

impl Expansion<'_> {
    pub(super) fn block(&mut self, block: &mut Block, tail: bool) {
        let count = block.stmts.len();
        for (index, mut statement) in std::mem::take(&mut block.stmts).into_iter().enumerate() {
            let last = index + 1 == count;
            let unended = self.unended;
            self.statement(&mut statement, last, tail);
            block.stmts.push(statement);
            if self.unended > unended && !last {
                block.stmts.push(self.end_exited());
            }
        }
    }

    fn statement(&mut self, statement: &mut Stmt, last: bool, tail: bool) {
        if let Stmt::Macro(call) = statement {
            if has_span(call.to_token_stream()) {
                let attrs = std::mem::take(&mut call.attrs);
                let expr = Expr::Macro(ExprMacro { attrs, mac: call.mac.clone() });
                *statement = Stmt::Expr(expr, call.semi_token);
            } else {
                self.call(&call.mac);
            }
        }
        match statement {
            Stmt::Local(local) => self.local(local),
            Stmt::Expr(expr, semi) => {
                let attribute = leftmost(expr).and_then(|written| self.take(written));
                // What else is written on the statement stays on it.
                let others = attribute.as_ref().and_then(|_| leftmost(expr)).map(std::mem::take);
                self.tail = tail && last && semi.is_none();
                let value_use = match (self.tail, last, &semi) {
                    (true, ..) => ValueUse::Frame,
                    (false, false, None) => ValueUse::Nothing,
                    _ => unextended(expr),
                };
                let place = match (last, &semi) {
                    (false, _) => StatementPlace::Followed,
                    (true, Some(_)) => StatementPlace::Last,
                    (true, None) => StatementPlace::Tail,
                };
                self.expression(expr, attribute, &Position { value_use, ty: None, place });
                if let Some(others) = others.filter(|others| !others.is_empty()) {
                    *expr = Expr::Verbatim(quote!(#(#others)* #expr));
                }
            }
            Stmt::Item(_) | Stmt::Macro(_) => {}
        }
    }

    fn local(&mut self, local: &mut Local) {
        let attribute = self.take(&mut local.attrs);
        let Some(init) = &mut local.init else {
            if let Some(attribute) = attribute {
                let message = "there is no initialiser to make a span of; put the attribute on \
                               what gives the variable its value";
                self.errors.add(attribute, message);
            }
            return;
        };
        let attribute =
            attribute.or_else(|| attributes(&mut init.expr).and_then(|written| self.take(written)));
        if attribute.is_some() && is_place(&init.expr) {
            let message = "this only names a place, there is nothing to time; put the attribute \
                           on what computes it";
            self.errors.add(&init.expr, message);
            return;
        }
        let ty = match &local.pat {
            Pat::Type(typed) => Some(&*typed.ty),
            _ => None,
        };
        let traced = attribute.is_some();
        let value_use = value_use(&init.expr);
        let unended = self.unended;
        let position = Position { value_use, ty, place: StatementPlace::Followed };
        self.expression(&mut init.expr, attribute, &position);
        if let Some((_, diverge)) = &mut init.diverge {
            self.visit_expr_mut(diverge);
            let init = &mut *init.expr;
            if traced {
                *init = Expr::Verbatim(quote!((#init)));
            }
            if let (Expr::Block(diverge), true) = (&mut **diverge, self.unended > unended) {
                diverge.block.stmts.insert(0, self.end_exited());
            }
        }
    }

    /// An expression with what is inside of it, as a span when it has the attribute.
    fn expression(
        &mut self,
        expr: &mut Expr,
        attribute: Option<Attribute>,
        position: &Position<'_>,
    ) {
        let Some(span) = attribute.and_then(|attribute| self.model(&attribute, expr)) else {
            return self.inside(expr, position);
        };
        if let Expr::Async(block) = expr {
            *expr = self.traced_future(&span, block);
            return;
        }
        self.frame.depth += 1;
        self.inside(expr, position);
        self.frame.depth -= 1;
        *expr = Expr::Verbatim(self.traced(&span, expr, position));
    }

    /// Takes the attribute off.
    fn take(&mut self, written: &mut Vec<Attribute>) -> Option<Attribute> {
        written.retain(|attribute| {
            let (_, inner) = conditional(attribute).unzip();
            let mut inner = inner.unwrap_or_default();
            let found = take_attributes(&mut inner, "span");
            for span in &found {
                let message = "a macro cannot tell whether the condition of `cfg_attr` holds; write the \
                               block twice, with `#[cfg(condition)]` and `#[span(\"name\")]`, and with \
                               `#[cfg(not(condition))]`";
                self.errors.add(span.meta.path(), message);
            }
            found.is_empty()
        });
        let mut taken = take_attributes(written, "span").into_iter();
        let first = taken.next();
        for other in taken {
            self.errors.add(other, attribute_given_twice("span"));
        }
        first
    }

    fn model(&mut self, attribute: &Attribute, expr: &Expr) -> Option<Span> {
        let message = "a block has no name of its own; write `#[span(\"name\")]`";
        let unnamed = Err(syn::Error::new_spanned(attribute, message));
        self.attribute.get_or_insert_with(|| attribute.path().clone());
        let span = Span::new(arguments(attribute), unnamed, self.runtime, self.errors)?;
        if let Some(looks) = span.looks_at_error()
            && may_leave(tried(expr).unwrap_or(expr))
        {
            let option = if span.error_if.is_some() { "error_if" } else { "err" };
            let message = format!(
                "`{option}` cannot see an error that leaves by `?` or `return` from inside; put it on \
                 the function, or on a block whose value is the `Result`"
            );
            self.errors.add(looks, message);
            return None;
        }
        Some(span)
    }

    /// What is inside of an expression.
    fn inside(&mut self, expr: &mut Expr, position: &Position<'_>) {
        let tail = std::mem::take(&mut self.tail);
        let unended = self.unended;
        self.parts(expr, position, tail);
        // A statement ends them before the next one.
        let ended = tail || position.place == StatementPlace::Followed;
        if self.unended > unended && !ended && is_left_by_break(expr) {
            let (value, end_exited) = (value(), self.end_exited());
            *expr = Expr::Verbatim(quote!({ let #value = #expr; #end_exited #value }));
        }
    }

    /// The parts of an expression, whose value is that of the frame if it is the `tail`.
    fn parts(&mut self, expr: &mut Expr, position: &Position<'_>, tail: bool) {
        match expr {
            Expr::Block(block) => self.block(&mut block.block, tail),
            Expr::Unsafe(block) => self.block(&mut block.block, tail),
            Expr::If(branch) => {
                self.visit_expr_mut(&mut branch.cond);
                self.block(&mut branch.then_branch, tail);
                if let Some((_, other)) = &mut branch.else_branch {
                    self.tail = tail;
                    self.visit_expr_mut(other);
                }
            }
            Expr::Match(branches) => {
                self.visit_expr_mut(&mut branches.expr);
                for arm in &mut branches.arms {
                    self.visit_pat_mut(&mut arm.pat);
                    self.tail = tail;
                    self.visit_expr_mut(&mut arm.body);
                }
            }
            Expr::Async(block) => {
                if let Some(followed) = self.future(block) {
                    *expr = followed;
                }
            }
            Expr::Closure(closure) => self.closure(closure),
            Expr::Try(tried) => {
                let known = position.ty.filter(|_| is_generic(&tried.expr));
                self.visit_expr_mut(&mut tried.expr);
                if self.frame.depth > 0 && !self.frame.typed {
                    *tried.expr = self.observed_try(&tried.expr, known);
                }
            }
            Expr::Return(exit) => {
                let fails = exit.expr.as_ref().is_some_and(|value| may_fail(value));
                self.frame.returns |= fails && self.frame.depth > 0;
                visit_expr_mut(self, expr);
            }
            Expr::Macro(call) => self.call(&call.mac),
            Expr::ForLoop(iteration) => {
                self.visit_expr_mut(&mut iteration.expr);
                self.iteration(&mut iteration.body);
            }
            Expr::While(iteration) => {
                self.visit_expr_mut(&mut iteration.cond);
                self.iteration(&mut iteration.body);
            }
            Expr::Loop(iteration) => self.iteration(&mut iteration.body),
            Expr::Const(_) => {}
            _ => visit_expr_mut(self, expr),
        }
    }

    /// The body of a loop, whose blocks `continue` may have left.
    fn iteration(&mut self, body: &mut Block) {
        let unended = self.unended;
        self.block(body, false);
        if self.unended > unended {
            body.stmts.insert(0, self.end_exited());
        }
    }

    fn end_exited(&self) -> Stmt {
        let runtime = self.runtime;
        parse_quote!(#runtime::__private::end_exited!();)
    }
}

/// Where the attributes of a statement are: on the left of what it assigns, for one.
fn leftmost(expr: &mut Expr) -> Option<&mut Vec<Attribute>> {
    match expr {
        Expr::Assign(assign) => leftmost(&mut assign.left),
        Expr::Binary(binary) => leftmost(&mut binary.left),
        Expr::Cast(cast) => leftmost(&mut cast.expr),
        other => attributes(other),
    }
}

macro_rules! attributes {
    ($($variant:ident)*) => {
        fn attributes(expr: &mut Expr) -> Option<&mut Vec<Attribute>> {
            match expr {
                $(Expr::$variant(expr) => Some(&mut expr.attrs),)*
                _ => None,
            }
        }
    };
}

attributes! {
    Array Assign Async Await Binary Block Break Call Cast Closure Const Continue Field ForLoop Group
    If Index Infer Let Lit Loop Macro Match MethodCall Paren Path Range RawAddr Reference Repeat
    Return Struct Try TryBlock Tuple Unary Unsafe While Yield
}
